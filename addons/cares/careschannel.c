/* SPDX-License-Identifier: MIT */
/* The channel of c-ares that a thread has: sockets, and waiting for them. */
#include "careschannel.h"
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum
{
	Sockets = 64,	/* of a channel; 2 for each server are usual */
	ReceiveBytes = 1 << 20,	/* for a thousand answers at once */
	Answers = 64	/* of one socket, before other tasks run */
};

typedef struct Socket
{
	int fd;
	int reads;	/* c-ares wants to know when it can be read */
	int writes;
} Socket;

static _Thread_local struct
{
	ares_channel channel;	/* NULL: there is none */
	int forks;	/* nforks, when it was opened */
	int received;	/* the last call that was to receive something has */
	int nsockets;
	Socket sockets[Sockets];
} held;

typedef struct Servers
{
	char *list;	/* NULL: those of resolv.conf */
	unsigned int ms;	/* and 0: what it says */
	int tries;
} Servers;

static struct
{
	pthread_mutex_t lock;
	Servers to;
} asking = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int nforks;

int
cares_fail(int err)
{
	errno = err;
	return -1;
}

/*
 * Sockets are made and closed here, for the library is to know of that: the
 * channel can be closed while the driver waits for them.
 */

static int
opensocket(int family, int type, int protocol, void *v)
{
	int bytes = ReceiveBytes;

	(void)v;
	if(held.nsockets == Sockets)
		return cares_fail(EMFILE);
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	if(fd < 0)
		return -1;
	if(type == SOCK_DGRAM)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
	if(taskid())
		fdnoblock(fd);
	held.sockets[held.nsockets++] = (Socket){.fd = fd};
	return fd;
}

static Socket *
findsocket(int fd)
{
	for(int i = 0; i < held.nsockets; i++)
		if(held.sockets[i].fd == fd)
			return &held.sockets[i];
	return NULL;
}

static int
closesocket(int fd, void *v)
{
	Socket *s = findsocket(fd);

	(void)v;
	if(s)
		*s = held.sockets[--held.nsockets];
	return taskid() ? fdclose(fd) : close(fd);
}

static int
connectsocket(int fd, const struct sockaddr *sa, ares_socklen_t n, void *v)
{
	(void)v;
	return connect(fd, sa, n);
}

static ares_ssize_t
receive(int fd, void *buf, size_t n, int flags, struct sockaddr *from,
	ares_socklen_t *size, void *v)
{
	(void)v;
	ssize_t r = recvfrom(fd, buf, n, flags, from, size);
	held.received = r >= 0;
	return r;
}

static ares_ssize_t
sendparts(int fd, const struct iovec *parts, int n, void *v)
{
	struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)parts,
		.msg_iovlen = (size_t)n};

	(void)v;
	return sendmsg(fd, &m, MSG_NOSIGNAL);
}

static const struct ares_socket_functions calls = {opensocket, closesocket,
	connectsocket, receive, sendparts};

static void
wants(void *v, ares_socket_t fd, int reads, int writes)
{
	Socket *s = findsocket(fd);

	(void)v;
	if(s){
		s->reads = reads;
		s->writes = writes;
	}
}

/* Opening and closing */

static int
openerrno(int status, int otherwise)
{
	return status == ARES_ENOMEM ? ENOMEM : otherwise;
}

/* returns 0; -1 and errno. */
static int
openwith(const Servers *s, ares_channel *c)
{
	struct ares_options o = {.sock_state_cb = wants,
		.timeout = (int)s->ms, .tries = s->tries};
	int mask = ARES_OPT_SOCK_STATE_CB | (s->ms ? ARES_OPT_TIMEOUTMS : 0) |
		(s->tries ? ARES_OPT_TRIES : 0);
	int status = ares_init_options(c, &o, mask);

	if(status != ARES_SUCCESS)
		return cares_fail(openerrno(status, EAGAIN));
	ares_set_socket_functions(*c, &calls, NULL);
	if(s->list)
		status = ares_set_servers_ports_csv(*c, s->list);
	if(status == ARES_SUCCESS)
		return 0;
	ares_destroy(*c);
	return cares_fail(openerrno(status, EINVAL));
}

int
cares_open(void)
{
	ares_channel c;

	pthread_mutex_lock(&asking.lock);
	int r = openwith(&asking.to, &c);
	pthread_mutex_unlock(&asking.lock);
	if(r < 0)
		return -1;
	held.channel = c;
	held.forks = nforks;
	return 0;
}

int
cares_isopen(void)
{
	return held.channel != NULL;
}

void
cares_close(void)
{
	ares_channel c = held.channel;

	held.channel = NULL;
	if(c)
		ares_destroy(c);
}

int
cares_isforked(void)
{
	return held.channel && held.forks != nforks;
}

void
cares_holdservers(void)
{
	pthread_mutex_lock(&asking.lock);
}

void
cares_letgoservers(void)
{
	pthread_mutex_unlock(&asking.lock);
}

void
cares_countfork(void)
{
	nforks++;
	cares_letgoservers();
}

static int
validservers(const Servers *s)
{
	ares_channel c;

	if(s->tries < 0 || s->ms > INT_MAX || (s->list && *s->list == '\0'))
		return cares_fail(EINVAL);
	if(openwith(s, &c) < 0)
		return -1;
	ares_destroy(c);
	return 0;
}

int
caresservers(const char *servers, unsigned int ms, int tries)
{
	Servers s = {servers ? strdup(servers) : NULL, ms, tries}, old = s;
	int err = errno;

	if(servers && s.list == NULL)
		return cares_fail(ENOMEM);
	int r = validservers(&s);
	if(r < 0){
		err = errno;
	}else{
		pthread_mutex_lock(&asking.lock);
		old = asking.to;
		asking.to = s;
		pthread_mutex_unlock(&asking.lock);
	}
	free(old.list);
	errno = err;
	return r;
}

/* Asking and waiting */

void
cares_ask(const char *host, ares_addrinfo_callback answered, void *arg)
{
	static const struct ares_addrinfo_hints hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};

	ares_getaddrinfo(held.channel, host, NULL, &hints, answered, arg);
}

/* fills in what is waited for; ms: how long at most, or -1. */
static void
listwaits(Alt *a, Event *e, int ms)
{
	struct timeval tv, *wait = ares_timeout(held.channel, NULL, &tv);

	if(ms >= 0)
		*a++ = (Alt){.op = ALTDELAY, .ms = (unsigned int)ms};
	for(const Socket *s = held.sockets; s < held.sockets + held.nsockets;
			s++){
		if(s->reads)
			*a++ = (Alt){.op = ALTREAD, .fd = s->fd};
		if(s->writes)
			*a++ = (Alt){.op = ALTWRITE, .fd = s->fd};
	}
	if(wait)
		*a++ = (Alt){.op = ALTDELAY, .ms = (unsigned int)
			(wait->tv_sec * 1000 + (wait->tv_usec + 999) / 1000)};
	*a++ = (Alt){.op = ALTEVENT, .e = e};
	*a = (Alt){.op = CHANEND};
}

/* From sockets that are not its own c-ares takes one answer at a time. */
static void
takeanswers(int fd)
{
	for(int i = 0; i < Answers && findsocket(fd); i++){
		held.received = 0;
		ares_process_fd(held.channel, fd, ARES_SOCKET_BAD);
		if(!held.received)
			return;
	}
}

int
cares_turn(Event *e, int ms)
{
	Alt alts[2 * Sockets + 4];

	listwaits(alts, e, ms);
	int i = chanalt(alts);
	if(i < 0)
		return -1;
	if(held.channel == NULL || cares_isforked())
		return 0;
	if(alts[i].op == ALTREAD)
		takeanswers(alts[i].fd);
	else if(alts[i].op == ALTWRITE)
		ares_process_fd(held.channel, ARES_SOCKET_BAD, alts[i].fd);
	else if(alts[i].op == ALTDELAY)
		ares_process_fd(held.channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	return 0;
}
