# make bench, which measures, and make bench-peers, beside other libraries.

# What is measured.  The first word of a name is the program, the rest are its
# arguments: yield-10 is bench/yield 10.  Peers get the whole as arguments.  A
# process for each, so that none finds warm what another has left.
benches = $(patsubst bench/%.c,$O/bench/%,$(filter-out $(noprograms:%=%.c),\
	$(wildcard bench/*.c)))
sizes = 10 100 1000 10000 100000 1000000
measures = switch $(sizes:%=yield-%) wake-1000 wake-100000 spawn spawn-100 \
	chan-0 chan-128 \
	$(sizes:%=chan-0-pairs-%) alt-4 alt-64 \
	sleep-1000 sleep-10000 sleep-100000 sleep-1000000 \
	memory-100000 lateness-worst
apart = $(subst -, ,$1)
run = "libtask=$O/bench/$(call apart,$1)" \
	$(foreach p,$(peers),"$p=$O/bench/peers/$p $(call apart,$1)")

# Other measurements: label=command in quotes, ours, and with all the peers.
httpserver = "libtask$1=O=$O TASKPOLLER=$2 bench/httprun $O/bench/http"
bench_more = $(foreach m,sem cancel coro trace stream,"libtask=$O/bench/$m") \
	$(call httpserver,,epoll) $(bench_http) $(bench_proxy) $(bench_tls) \
	$(bench_cores)
# By the addon, with all of HTTP: beside gohttp and pywsgi, which do as much.
bench_http = $(if $(filter http,$(addons)),"libtask-http=O=$O TASKPOLLER=epoll \
	bench/httprun $O/bench/httpserve")
# A proxy of it, which is an example.
bench_proxy = $(if $(filter http,$(addons)),"libtask-proxy=O=$O TASKPOLLER=epoll \
	bench/proxyrun $O/proxy 0")
# With TLS on top.
bench_tls = $(if $(filter-out $(noprograms),bench/tlsserve),"libtask-tls=O=$O \
	TASKPOLLER=epoll bench/tlsrun $O/bench/tlsserve")
peers_more = $(bench_more) $(if $(uring),$(call httpserver,-uring,uring)) \
	$(foreach s,$(servers),"$s=O=$O bench/httprun $O/bench/peers/http-$s") \
	$(if $(bench_tls),$(foreach s,$(tlsservers),"$s=O=$O bench/tlsrun \
	bench/peers/tls-$s")) \
	$(if $(bench_proxy),$(foreach s,$(tlsservers),"$s=O=$O bench/proxyrun \
	bench/peers/proxy-$s")) \
	$(peers_cores)

# On several cores.  What these run on was confined to one, see bench/compare.
wide = $(if $(shell command -v taskset),taskset -c 0-63)
cores = "libtask$1=$(wide) env CORES=2 O=$O TASKPOLLER=epoll bench/httprun \
	$O/bench/http $2"
accepts = "libtask$1=$(wide) env TASKPOLLER=epoll $O/bench/accept $2"
bench_cores = $(foreach m,message proc offload,"libtask=$(wide) $O/bench/$m") \
	$(call cores,,2 shared) $(call cores,-handed,2 handed) \
	$(call cores,-one,1 shared) $(call cores,-forked,2 forked) \
	$(call accepts,,handed 2) \
	$(call accepts,-reuseport,reuseport 2) $(call accepts,-one,handed 1)
peers_cores = "eventfd=$(wide) $O/bench/peers/eventfd" \
	$(if $(filter libuv,$(servers)),"libuv=$(wide) $O/bench/peers/uvwork") \
	$(if $(filter go,$(servers)),"go=$(wide) $O/bench/peers/cores" \
	"go-locked=$(wide) $O/bench/peers/cores locked" \
	"go=$(wide) env CORES=2 O=$O bench/httprun $O/bench/peers/http-go 2")
builds_cores = eventfd $(if $(filter libuv,$(servers)),uvwork) \
	$(if $(filter go,$(servers)),cores)

proxyofours = $(if $(bench_proxy),$O/proxy)

.PHONY: bench bench-peers runpeers counts hostile
# Clients that mean harm, for a minute: see there.  It is no part of make bench.
hostile: $O/bench/hostile
	@$<

# Instructions, by callgrind: exact, however busy the machine is.
counts: $O/bench/count
	@bench/counts $<

bench: $(benches) $(proxyofours)
	@GOALS=bench/goals bench/compare \
		$(foreach m,$(measures),$(call run,$m)) $(bench_more)

# make bench-peers results=bench/results renews what the README shows.  Which
# peers there are is asked by this make, and another has their names.
results = $O/results
bench-peers:
	@$(MAKE) --no-print-directory runpeers \
		peers="$${peers:-$$(CXX="$(CXX)" bench/peers/which)}" \
		servers="$${servers:-$$(bench/peers/which http)}" \
		tlsservers="$${tlsservers:-$$(bench/peers/which tls)}"

runpeers: $(benches) $(proxyofours) $(peers:%=$O/bench/peers/%) \
		$(servers:%=$O/bench/peers/http-%) \
		$(builds_cores:%=$O/bench/peers/%)
	@mkdir -p $(results)
	@ABOUT="$$($(CC) --version | head -n 1); $$(bench/peers/which -v all \
			2>/dev/null | paste -sd , - | sed 's/,/, /g')" \
		GOALS=bench/goals RAW=$O/bench/raw bench/compare \
		$(foreach m,$(measures),$(call run,$m)) $(peers_more) \
		>$(results)/peers.txt
	@cat $(results)/peers.txt
	@bench/plot $(results)/peers.txt $(results)

$O/bench/%: bench/%.c $O/libtask.a
	@mkdir -p $(@D)
	$(call q,CC )$(CC) $(use) $< $(addonlib) $O/libtask.a -lpthread \
		$(LDFLAGS) -o $@

lib-st = -lst
lib-uring = -luring
lib-libuv = -luv
lib-uvwork = -luv
lib-eventfd = -lpthread
lib-libevent = -levent_core
$O/bench/peers/%: bench/peers/%.c
	@mkdir -p $(@D)
	$(call q,CC )$(CC) $(use) $< $(lib-$(patsubst http-%,%,$*)) -o $@

$O/bench/peers/%: bench/peers/%.cc
	@mkdir -p $(@D)
	$(call q,CXX)$(CXX) -O2 -Wall -Wextra $(CPPFLAGS) $(CXXFLAGS) $< \
		-pthread -lboost_fiber -lboost_context -o $@

$O/bench/peers/%: bench/peers/%.go
	@mkdir -p $(@D)
	$(call q,GO )go build -o $@ $<

$O/bench/peers/%: bench/peers/%.py
	@mkdir -p $(@D)
	$(call q,CP )install -m 755 $< $@

-include $(benches:=.d)
