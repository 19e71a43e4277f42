/* SPDX-License-Identifier: MIT */
/* A name server on the loopback: it answers late, wrongly or never, as told. */
#ifndef NAMESERVER_H
#define NAMESERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "test.h"

/*
 * What it answers is in the name: how its first label begins, and the number N
 * behind that.  The address is 10.x.y.z, of the bits of N, and there is none of
 * IPv6, if nothing else is said.
 *
 *	none       there is no such host
 *	never      nothing
 *	late       after NameLate ms
 *	any        after a random time up to NameAny ms
 *	foreign    10.99.99.99 to another question's number; then as late
 *	garbage    what nobody can read, to the right number
 *	noise      bytes that are no answer; what is right when asked again
 *	long       too long for a datagram: ask by TCP
 *	broken     SERVFAIL
 *	both       ::N, too
 *	alias      another name has the address
 *	loop       a name that points to itself
 */
enum
{
	NameLate = 300,
	NameAny = 50,
	NamePending = 8192,
	NameBytes = 512
};

typedef struct NameAnswer
{
	int64_t due;
	struct sockaddr_in to;
	int n;
	unsigned char bytes[NameBytes];
} NameAnswer;

static struct
{
	int fd, tcp, port;
	int end[2];	/* a pipe: closed when it is to end */
	pthread_t thread;
	atomic_int nasked;	/* questions, of addresses */
	Random random;
	int npending;
	NameAnswer pending[NamePending];
} nameserver;

static inline int
nameis(const unsigned char *q, const char *what)
{
	return strncasecmp((const char *)q + 13, what, strlen(what)) == 0;
}

static inline unsigned
namenumber(const unsigned char *q)
{
	unsigned n = 0;

	for(int i = 0; i < q[12]; i++)
		if(q[13 + i] >= '0' && q[13 + i] <= '9')
			n = n * 10 + q[13 + i] - '0';
	return n;
}

/* Where a question ends; 0 if it is none. */
static inline int
namequestion(const unsigned char *q, int n)
{
	int at = 12;

	while(at < n && q[at] != 0)
		at += q[at] + 1;
	return at + 5 <= n ? at + 5 : 0;
}

static inline int
namerecord(unsigned char *p, int type, const void *data, int n)
{
	const unsigned char head[12] = {0xc0, 12, 0, (unsigned char)type, 0, 1,
		0, 0, 0, 60, 0, (unsigned char)n};

	memcpy(p, head, 12);
	memcpy(p + 12, data, (size_t)n);
	return 12 + n;
}

/* makes q, of n bytes, the answer; returns its length. */
static inline int
nameanswer(unsigned char *q, int n, int tcp)
{
	int type = q[n - 3];
	unsigned number = namenumber(q);
	unsigned char v4[4] = {10, (unsigned char)(number >> 16),
		(unsigned char)(number >> 8), (unsigned char)number};
	unsigned char v6[16] = {[15] = (unsigned char)number};

	q[2] = 0x81;
	q[3] = 0x80;
	memset(q + 6, 0, 6);
	if(nameis(q, "none"))
		q[3] |= 3;
	else if(nameis(q, "broken"))
		q[3] |= 2;
	else if(nameis(q, "long") && !tcp)
		q[2] |= 2;
	else if(nameis(q, "loop")){
		q[7] = 1;
		return n + namerecord(q + n, 5, "\xc0\x0c", 2);
	}else if(nameis(q, "alias") && type == 1){
		unsigned char *real = q + n + 12;
		int r = namerecord(q + n, 5, "\4real\0", 6);
		q[7] = 2;
		r += namerecord(q + n + r, 1, v4, 4);
		q[n + 18] = 0xc0 | (unsigned char)((real - q) >> 8);
		q[n + 19] = (unsigned char)(real - q);
		return n + r;
	}else if(type == 1 || (type == 28 && nameis(q, "both"))){
		q[7] = 1;
		return n + (type == 1 ? namerecord(q + n, 1, v4, 4) :
			namerecord(q + n, 28, v6, 16));
	}
	return n;
}

static inline void
namesend(const NameAnswer *a)
{
	sendto(nameserver.fd, a->bytes, (size_t)a->n, 0, (const void *)&a->to,
		sizeof a->to);
}

static inline void
namelater(const NameAnswer *a, unsigned ms)
{
	NameAnswer *p = &nameserver.pending[nameserver.npending];

	if(ms == 0 || nameserver.npending == NamePending){
		namesend(a);
		return;
	}
	*p = *a;
	p->due = nowns() + ms * (int64_t)1000000;
	nameserver.npending++;
}

/* sends what is not what was asked for. */
static inline void
namelie(const NameAnswer *question, int n)
{
	NameAnswer a = *question;

	if(nameis(a.bytes, "foreign")){
		a.bytes[0] ^= 0x55;
		a.n = nameanswer(a.bytes, n, 0);
		memset(a.bytes + n + 13, 99, a.n > n ? 3 : 0);
	}else if(nameis(a.bytes, "garbage")){
		a.n = nameanswer(a.bytes, n, 0);
		memset(a.bytes + 4, 0xff, (size_t)(a.n - 4));
	}else{
		a.n = 5;
	}
	namesend(&a);
}

static inline void
namedatagram(void)
{
	static int noisy;
	NameAnswer a = {0};
	socklen_t size = sizeof a.to;
	ssize_t r = recvfrom(nameserver.fd, a.bytes, NameBytes / 2, 0,
		(void *)&a.to, &size);
	int n = r > 12 ? namequestion(a.bytes, (int)r) : 0;

	if(n == 0)
		return;
	nameserver.nasked++;
	int lies = nameis(a.bytes, "foreign") || nameis(a.bytes, "garbage") ||
		(nameis(a.bytes, "noise") && noisy++ < 2);
	if(lies)
		namelie(&a, n);
	if(nameis(a.bytes, "never") || (lies && !nameis(a.bytes, "foreign")))
		return;
	a.n = nameanswer(a.bytes, n, 0);
	namelater(&a, nameis(a.bytes, "late") || nameis(a.bytes, "foreign") ?
		NameLate : nameis(a.bytes, "any") ?
		randombelow(&nameserver.random, NameAny) : 0);
}

/* One question, by TCP. */
static inline void
nameconnection(void)
{
	unsigned char size[2], q[NameBytes];
	int fd = accept(nameserver.tcp, NULL, NULL), n;

	if(recv(fd, size, 2, MSG_WAITALL) == 2 && (n = size[1]) < 256 &&
			recv(fd, q, (size_t)n, MSG_WAITALL) == n &&
			(n = namequestion(q, n)) > 0){
		n = nameanswer(q, n, 1);
		size[1] = (unsigned char)n;
		send(fd, size, 2, MSG_NOSIGNAL | MSG_MORE);
		send(fd, q, (size_t)n, MSG_NOSIGNAL);
	}
	close(fd);
}

/* sends what is due; returns the ms until the next, or -1. */
static inline int
namesenddue(void)
{
	int64_t now = nowns(), next = INT64_MAX;

	for(int i = 0; i < nameserver.npending; i++){
		NameAnswer *a = &nameserver.pending[i];
		if(a->due <= now){
			namesend(a);
			*a = nameserver.pending[--nameserver.npending];
			i--;
		}else if(a->due < next)
			next = a->due;
	}
	return next == INT64_MAX ? -1 : (int)((next - now) / 1000000 + 1);
}

static inline void *
namethread(void *v)
{
	struct pollfd p[3] = {{.fd = nameserver.end[0], .events = POLLIN},
		{.fd = nameserver.fd, .events = POLLIN},
		{.fd = nameserver.tcp, .events = POLLIN}};

	while(poll(p, 3, namesenddue()) >= 0 && p[0].revents == 0){
		if(p[1].revents)
			namedatagram();
		if(p[2].revents)
			nameconnection();
	}
	return v;
}

/* binds both sockets to a port of 127.0.0.1, or one of those free; or -1. */
static inline int
namebind(int port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
		.sin_addr = {htonl(INADDR_LOOPBACK)},
		.sin_port = htons((uint16_t)port)};
	socklen_t size = sizeof sa;
	int bytes = 4 << 20, on = 1;

	nameserver.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	nameserver.tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(nameserver.fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
	setsockopt(nameserver.tcp, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if(bind(nameserver.tcp, (void *)&sa, size) < 0 ||
			getsockname(nameserver.tcp, (void *)&sa, &size) < 0 ||
			bind(nameserver.fd, (void *)&sa, size) < 0 ||
			listen(nameserver.tcp, 8) < 0)
		return -1;
	nameserver.port = ntohs(sa.sin_port);
	return 0;
}

/* starts it; 0, or -1 if it cannot have the port. */
static inline int
namestart(int port)
{
	int tries = port ? 1 : 20;	/* UDP may have what TCP has not */

	nameserver.random = randomstart();
	while(namebind(port) < 0){
		close(nameserver.fd);
		close(nameserver.tcp);
		if(--tries == 0)
			return -1;
	}
	ck_assert_int_eq(pipe(nameserver.end), 0);
	ck_assert_int_eq(pthread_create(&nameserver.thread, NULL, namethread,
		NULL), 0);
	return 0;
}

static inline void
nameend(void)
{
	close(nameserver.end[1]);
	pthread_join(nameserver.thread, NULL);
	close(nameserver.end[0]);
	close(nameserver.fd);
	close(nameserver.tcp);
}

#endif
