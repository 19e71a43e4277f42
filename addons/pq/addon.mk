pq := $(shell tools/addon libpq libpq-fe.h PQconnectPoll \
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS))
pqabout = Connections of libpq that tasks wait for
pqrequires = libpq
pqprograms = tests/check_pq
pqprints = 127.0.0.1: *
