/* SPDX-License-Identifier: MIT */
/* What the tests of descriptors share: waiters, pairs, full pipes, counts. */
#ifndef FDTEST_H
#define FDTEST_H

#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "test.h"

enum { CountedFds = 512 };

static inline int
openfds(void)
{
	int n = 0;

	for(int fd = 0; fd < CountedFds; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static inline void
pair(int fds[2])
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
		fds), 0);
}

/* The same of TCP. */
static inline void
tcppair(int fds[2])
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof sa;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(listener, (struct sockaddr *)&sa, n), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	getsockname(listener, (struct sockaddr *)&sa, &n);
	fds[1] = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(fds[1], (struct sockaddr *)&sa, n), 0);
	fds[0] = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	ck_assert_int_ge(fds[0], 0);
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	close(listener);
}

static inline void
nonblockpipe(int fds[2])
{
	ck_assert_int_eq(pipe2(fds, O_NONBLOCK), 0);
}

/* makes a descriptor not writable; returns how many bytes that took. */
static inline size_t
fill(int fd)
{
	static const char bytes[4096];
	size_t n = 0;
	ssize_t r;

	while((r = write(fd, bytes, sizeof bytes)) > 0)
		n += (size_t)r;
	while((r = write(fd, bytes, 1)) > 0)
		n++;
	return n;
}

/* empties a non-blocking descriptor; returns how many bytes there were. */
static inline size_t
drain(int fd)
{
	char bytes[4096];
	size_t n = 0;
	ssize_t r;

	while((r = read(fd, bytes, sizeof bytes)) > 0)
		n += (size_t)r;
	return n;
}

static inline int
portof(int fd)
{
	struct sockaddr_storage sa = {0};
	socklen_t n = sizeof sa;

	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &n), 0);
	return ntohs(sa.ss_family == AF_INET ?
		((struct sockaddr_in *)(void *)&sa)->sin_port :
		((struct sockaddr_in6 *)(void *)&sa)->sin6_port);
}

/* Whether descriptors up to n can be had; raises the soft limit for that. */
static inline int
roomfor(rlim_t n)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	if(limit.rlim_cur < n && n <= limit.rlim_max){
		limit.rlim_cur = n;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	return limit.rlim_cur >= n;
}

/* One call of fdwait, made in a task of its own. */
typedef struct Wait
{
	int fd;
	int rw;
	int nwoken;	/* how often it came back */
	int place;	/* among all, from 1, in the order of coming back */
	int result;
	int err;
} Wait;

static int nplaces;

static inline void
waiter(void *v)
{
	Wait *w = v;

	errno = 0;
	w->result = fdwait(w->fd, w->rw);
	w->err = errno;
	w->nwoken++;
	w->place = ++nplaces;
}

static inline void
startwait(Wait *w, int fd, int rw)
{
	*w = (Wait){.fd = fd, .rw = rw};
	ck_assert_int_gt(taskcreate(waiter, w, 0), 0);
}

/* The wait has come back once, with this errno, or 0. */
static inline void
woken(const Wait *w, int err)
{
	ck_assert_int_eq(w->nwoken, 1);
	ck_assert_int_eq(w->result, err ? -1 : 0);
	ck_assert_int_eq(w->err, err);
}

#endif
