hiredis := $(shell tools/addon hiredis hiredis/async.h redisAsyncHandleRead \
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS))
hiredisabout = Contexts of hiredis that tasks drive
hiredisrequires = hiredis
hiredisprograms = tests/check_hiredis
hiredisprints = 127.0.0.1: PONG|127.0.0.1: Connection refused
