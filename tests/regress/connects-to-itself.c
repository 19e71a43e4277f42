/* SPDX-License-Identifier: MIT */
/* A dial of a dead port of this machine never ends connected to itself. */
/*
 * Cause: the kernel chooses the port of a socket that connects, and at an
 * ephemeral port where nobody listens it may choose that very one.  TCP then
 * takes its own SYN for a peer's, a datagram socket has itself for a peer, and
 * netdial believed connect.
 * Fix: netdial asks for both ends.  If they are one it disconnects, closes, and
 * tries another socket, some times; then it is ECONNREFUSED.
 */
#include <sys/syscall.h>

#include "../fdtest.h"

static int deadport;	/* sockets get this port at once, so it is theirs */
static int nbinds;	/* how many still do */
static int nsockets;

/* in place of libc's */
int
socket(int family, int type, int protocol)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)deadport),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = (int)syscall(SYS_socket, family, type, protocol);

	nsockets++;
	if(nbinds > 0 && fd >= 0){
		nbinds--;
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof sa),
			0);
	}
	return fd;
}

/* binds without SO_REUSEADDR: only a port that nobody has, or has just had. */
static int
boundto(int type, int port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = (int)syscall(SYS_socket, AF_INET, type, 0);

	if(bind(fd, (struct sockaddr *)&sa, sizeof sa) == 0)
		return fd;
	close(fd);
	return -1;
}

static int
typefor(int proto)
{
	return proto == TCP ? SOCK_STREAM : SOCK_DGRAM;
}

static int
findport(int proto)
{
	int fd = boundto(typefor(proto), 0);

	ck_assert_int_ge(fd, 0);
	int port = portof(fd);
	close(fd);
	return port;
}

TASK_TEST(a_socket_that_met_itself_is_ECONNREFUSED_at_last)
{
	for(int proto = UDP; proto <= TCP; proto++){
		deadport = findport(proto);
		int before = openfds();
		nsockets = 0;
		nbinds = INT_MAX;
		FAILS(netdial(proto, "127.0.0.1", deadport), ECONNREFUSED);
		ck_assert_int_gt(nsockets, 1);
		ck_assert_int_lt(nsockets, 100);
		nbinds = 0;
		ck_assert_int_eq(openfds(), before);
		/* the service can come back at once */
		int service = boundto(typefor(proto), deadport);
		ck_assert_int_ge(service, 0);
		close(service);
	}
}

TASK_TEST(another_socket_is_tried_after_one_that_met_itself)
{
	deadport = findport(TCP);
	nsockets = 0;
	nbinds = 1;
	FAILS(netdial(TCP, "127.0.0.1", deadport), ECONNREFUSED);
	ck_assert_int_eq(nsockets, 2);
	deadport = findport(UDP);
	nbinds = 1;
	errno = EDOM;
	int fd = netdial(UDP, "127.0.0.1", deadport);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(errno, EDOM);
	ck_assert_int_ne(portof(fd), deadport);
}

/* The same port at another address, or another port, is no such thing. */
TASK_TEST(a_peer_with_a_port_of_the_same_number_is_welcome)
{
	int listener, own = -1;

	while(own < 0){	/* a number that is free at 127.0.0.1 too */
		listener = netannounce(TCP, "127.0.0.2", 0);
		ck_assert_int_ge(listener, 0);
		deadport = portof(listener);
		own = boundto(SOCK_STREAM, deadport);
	}
	close(own);
	nbinds = 1;
	int fd = netdial(TCP, "127.0.0.2", deadport);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(portof(fd), deadport);
}

TEST_MAIN("connects-to-itself",
	a_socket_that_met_itself_is_ECONNREFUSED_at_last,
	another_socket_is_tried_after_one_that_met_itself,
	a_peer_with_a_port_of_the_same_number_is_welcome)
