bus := $(shell tools/addon hiredis hiredis.h redisReaderFeed \
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS))
busabout = Messages between machines, by Redis
busrequires = hiredis
busprograms = tests/check_bus tests/check_buscut tests/check_busbad \
	tests/check_jobs tests/check_shorturl tests/fuzzbus \
	examples/jobs examples/shorturl
busprints = 127.0.0.1: Invalid argument
