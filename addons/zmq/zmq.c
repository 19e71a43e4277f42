/* SPDX-License-Identifier: MIT */
/* Sockets of ZeroMQ: their descriptor, and what it does not tell. */
#include "taskzmq.h"
#include <errno.h>
#include <zmq.h>

enum { Turn = 64 };	/* calls that need not wait, until others run */

/*
 * The descriptor of a socket can be read once when something has changed.  Any
 * call on the socket takes that away, and then ZMQ_EVENTS alone tells what
 * there is.  So whoever makes one tells the others who wait, found here.
 */
typedef struct Waiter Waiter;
struct Waiter
{
	Waiter *next;
	void *socket;
	int events;	/* that it waits for */
	Event told;
};

static _Thread_local Waiter *waiters;
static _Thread_local unsigned int ncalls;

/* returns what socket can do now; tells those who wait for that. */
static int
look(void *socket)
{
	int events = 0;
	size_t n = sizeof events;

	if(zmq_getsockopt(socket, ZMQ_EVENTS, &events, &n) < 0)
		return -1;
	for(Waiter *w = waiters; w; w = w->next)
		if(w->socket == socket && (w->events & events))
			eventset(&w->told);
	return events;
}

/* waits until the descriptor says something, or another task does. */
static int
await(void *socket, int fd, int events)
{
	Waiter w = {waiters, socket, events, {0}}, **at = &waiters;
	Alt a[] = {{.op = ALTREAD, .fd = fd}, {.op = ALTEVENT, .e = &w.told},
		{.op = CHANEND}};

	waiters = &w;
	fdnoblock(fd);	/* it may be new, with the number of an old one */
	int i = chanalt(a);
	while(*at != &w)
		at = &(*at)->next;
	*at = w.next;
	return i;
}

int
zmqwait(void *socket, int events)
{
	int r, fd, err = errno;
	size_t n = sizeof fd;

	while((r = look(socket)) >= 0 && (r & events) == 0)
		if(zmq_getsockopt(socket, ZMQ_FD, &fd, &n) < 0 ||
				await(socket, fd, events) < 0)
			return -1;
	if(r < 0)
		return -1;
	errno = err;
	return r & events;
}

/*
 * After a call that could not be done: whether it is to be made again.  There
 * are sockets that have ZMQ_POLLOUT and refuse all the same, so that is tried
 * only now and then.
 */
static int
again(void *socket, int flags, int events, int tries)
{
	if(errno != EAGAIN || (flags & ZMQ_DONTWAIT))
		return 0;
	errno = 0;
	if(tries > 0)
		taskdelay(1);
	return errno == 0 && zmqwait(socket, events) > 0;
}

static int
end(void *socket, int r, int err)
{
	err = r < 0 ? errno : err;
	if(waiters)
		look(socket);
	if(++ncalls % Turn == 0)
		taskyield();
	errno = err;
	return r;
}

#define UNTILDONE(call, events) \
	int r, tries = 0, err = errno; \
	while((r = (call)) < 0 && again(socket, flags, events, tries++)) \
		; \
	return end(socket, r, err)

int
zmqsend(void *socket, const void *v, size_t n, int flags)
{
	UNTILDONE(zmq_send(socket, v, n, flags | ZMQ_DONTWAIT), ZMQ_POLLOUT);
}

int
zmqrecv(void *socket, void *v, size_t n, int flags)
{
	UNTILDONE(zmq_recv(socket, v, n, flags | ZMQ_DONTWAIT), ZMQ_POLLIN);
}

int
zmqmsgsend(zmq_msg_t *m, void *socket, int flags)
{
	UNTILDONE(zmq_msg_send(m, socket, flags | ZMQ_DONTWAIT), ZMQ_POLLOUT);
}

int
zmqmsgrecv(zmq_msg_t *m, void *socket, int flags)
{
	UNTILDONE(zmq_msg_recv(m, socket, flags | ZMQ_DONTWAIT), ZMQ_POLLIN);
}
