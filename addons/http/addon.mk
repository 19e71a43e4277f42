# The sources of the parser, as Debian's node-llhttp has them: make LLHTTP=dir
# builds with another one's.  It has no pkg-config, and is compiled in.
LLHTTP ?= /usr/share/llhttp
llhttpheader := $(firstword $(wildcard $(LLHTTP)/llhttp.h \
	$(LLHTTP)/../include/llhttp.h /usr/share/include/llhttp/llhttp.h))
llhttpsources := $(wildcard $(addprefix $(LLHTTP)/,api.c http.c llhttp.c))
http := $(if $(llhttpheader),$(if $(filter 3,$(words $(llhttpsources))),\
	-I$(patsubst %/,%,$(dir $(llhttpheader)))))
httpabout = HTTP/1.1 for tasks
httpprints = hello, world
httpprograms = tests/check_httpgate tests/check_httpserve \
	tests/check_httpfile tests/check_httpcurl tests/check_httpclient \
	tests/check_httptls \
	tests/check_wshttp tests/check_chat tests/check_webexamples \
	tests/check_proxy tests/check_shorturl tests/fuzzhttp tests/fuzzchat \
	examples/api examples/chat examples/crond examples/files \
	examples/proxy \
	examples/shorturl examples/sse \
	bench/httpserve bench/tlsserve bench/hostile tests/check_hostile

# One of the examples reads JSON by jansson.
jansson := $(shell tools/addon jansson jansson.h json_loadb \
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS))
$O/api: addonlib += $(jansson)
lacking += $(if $(jansson),,examples/api)

httpobjects = $(patsubst $(LLHTTP)/%.c,$O/addons/http/llhttp/%.o,\
	$(llhttpsources))

# Its own code, with all that it can refuse; and whoever's warnings those are.
$O/addons/http/llhttp/%.o: $(LLHTTP)/%.c
	@mkdir -p $(@D)
	$(call q,CC )$(CC) -std=c11 -w -fPIC -fvisibility=hidden $(probes) \
		-DLLHTTP_STRICT_MODE=1 $(http) $(san) $(CPPFLAGS) $(CFLAGS) \
		-c $< -o $@
