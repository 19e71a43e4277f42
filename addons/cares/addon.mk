cares := $(shell tools/addon libcares ares.h ares_getaddrinfo \
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS))
caresabout = Names that tasks look up with c-ares
caresrequires = libcares
caresprints = 127.0.0.1: 127.0.0.1
caresprograms = tests/check_cares
