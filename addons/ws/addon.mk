ws := $(shell tools/addon '-lwslay libcrypto' wslay/wslay.h wslay_frame_recv \
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS))
wsabout = WebSocket, with frames of wslay
wsrequires = libcrypto
wslibs = -lwslay
wson = http
wsprograms = tests/check_ws tests/check_wshand tests/check_wshttp \
	tests/fuzzws tests/fuzzchat tests/check_chat examples/chat
wsprints = 127.0.0.1: 127.0.0.1
