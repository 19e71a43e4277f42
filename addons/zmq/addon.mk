zmq := $(shell tools/addon libzmq zmq.h zmq_msg_recv \
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS))
zmqabout = Sockets of ZeroMQ that tasks wait for
zmqrequires = libzmq
zmqprograms = tests/check_zmq
zmqprints = 127.0.0.1: 127.0.0.1
