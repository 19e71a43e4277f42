/* SPDX-License-Identifier: MIT */
/* Makes the Nth call to the system fail, and counts what the library holds. */
#ifndef FAULT_H
#define FAULT_H

#include <errno.h>
#include <stdlib.h>

#include "../machine/machine.h"

/*
 * faultstart puts a function before each entry of task_sys that can fail for
 * reasons of the system; faultarm says which calls, counted from then on, do.
 * close, free and unmap are not among them: they give back in any case.
 *
 *	faultstart();
 *	for(long n = 1; ; n++){
 *		faultarm(n, 1, 0);
 *		... error or success, never a crash ...
 *		if(fault.nfailed == 0)
 *			break;	there are no more calls than that
 *	}
 */
typedef struct Fault
{
	Sys real;
	long ncalls;	/* since faultarm */
	long first;	/* the first call to fail; 0: none */
	long times;	/* how many fail in a row */
	int kind;	/* which of a call's errors it is */
	long nfailed;
	const char *failed;	/* the last call that failed */
	long nlive;	/* allocations */
	long mapped_bytes;
} Fault;

static Fault fault;

static inline void
faultarm(long first, long times, int kind)
{
	fault.ncalls = fault.nfailed = 0;
	fault.first = first;
	fault.times = times;
	fault.kind = kind;
}

enum { FaultKinds = 3 };	/* errors that each call has */

static inline int
faulty(const char *name, int err0, int err1, int err2)
{
	long n = ++fault.ncalls;

	if(fault.first == 0 || n < fault.first ||
			n >= fault.first + fault.times)
		return 0;
	fault.nfailed++;
	fault.failed = name;
	errno = fault.kind == 0 ? err0 : fault.kind == 1 ? err1 : err2;
	return 1;
}

#define FAULTY(type, name, params, args, bad, err0, err1, err2) \
	static type \
	fault_##name params \
	{ \
		return faulty(#name, err0, err1, err2) ? bad : \
			fault.real.name args; \
	}

FAULTY(int, poll, (struct pollfd *f, nfds_t n, struct timespec *t), (f, n, t),
	-1, ENOMEM, EINVAL, ENOMEM)
FAULTY(int, protect, (void *low, size_t n), (low, n), -1, ENOMEM, ENOMEM,
	EACCES)
FAULTY(int, guard, (struct iovec *v, int n), (v, n), -1, EINVAL, ENOMEM, EPERM)
FAULTY(int, giveback, (void *low, size_t n), (low, n), -1, EINVAL, ENOMEM,
	EPERM)
FAULTY(ssize_t, read, (int fd, void *b, size_t n), (fd, b, n), -1,
	ECONNRESET, EIO, ENOMEM)
FAULTY(ssize_t, write, (int fd, const void *b, size_t n), (fd, b, n), -1,
	ENOSPC, EIO, EPIPE)
FAULTY(ssize_t, send, (int fd, const void *b, size_t n), (fd, b, n), -1,
	ECONNRESET, ENOBUFS, EPIPE)
FAULTY(int, getfl, (int fd), (fd), -1, EBADF, EBADF, EBADF)
FAULTY(int, setfl, (int fd, int flags), (fd, flags), -1, EPERM, EBADF, EPERM)
FAULTY(int, socket, (int family, int type), (family, type), -1,
	EMFILE, ENOBUFS, EAFNOSUPPORT)
FAULTY(int, bind, (int fd, const struct sockaddr *sa, socklen_t n), (fd, sa, n),
	-1, EADDRINUSE, EACCES, EADDRNOTAVAIL)
FAULTY(int, listen, (int fd, int backlog), (fd, backlog), -1,
	EADDRINUSE, EOPNOTSUPP, EADDRINUSE)
FAULTY(int, accept, (int fd, struct sockaddr *sa, socklen_t *n), (fd, sa, n),
	-1, EMFILE, ECONNABORTED, EINVAL)
FAULTY(int, connect, (int fd, const struct sockaddr *sa, socklen_t n),
	(fd, sa, n), -1, ECONNREFUSED, ENETUNREACH, EAGAIN)
FAULTY(int, shutdown, (int fd, int how), (fd, how), -1, ENOTCONN, EBADF,
	ENOTCONN)
FAULTY(ssize_t, pread, (int fd, void *b, size_t n, off_t at), (fd, b, n, at),
	-1, EIO, ENOMEM, ESPIPE)
FAULTY(ssize_t, sendfile, (int to, int from, off_t at, size_t n),
	(to, from, at, n), -1, ENOSYS, EPIPE, EIO)
FAULTY(int, sockname, (int fd, struct sockaddr *sa, socklen_t *n),
	(fd, sa, n), -1, ENOBUFS, EBADF, ENOBUFS)
FAULTY(int, peername, (int fd, struct sockaddr *sa, socklen_t *n),
	(fd, sa, n), -1, ENOBUFS, ENOTCONN, ENOBUFS)
FAULTY(int, getopt, (int fd, int level, int name, int *value),
	(fd, level, name, value), -1, ENOBUFS, EBADF, ENOMEM)
FAULTY(int, setopt, (int fd, int level, int name, int value),
	(fd, level, name, value), -1, ENOPROTOOPT, ENOMEM, EINVAL)

static void *
fault_alloc(size_t bytes)
{
	void *v = faulty("alloc", ENOMEM, ENOMEM, ENOMEM) ? NULL :
		fault.real.alloc(bytes);

	fault.nlive += v != NULL;
	return v;
}

static void *
fault_resize(void *old, size_t bytes)
{
	void *v = faulty("resize", ENOMEM, ENOMEM, ENOMEM) ? NULL :
		fault.real.resize(old, bytes);

	fault.nlive += v != NULL && old == NULL;
	return v;
}

static void
fault_free(void *v)
{
	fault.nlive -= v != NULL;
	fault.real.free(v);
}

static void *
fault_map(size_t bytes)
{
	void *low = faulty("map", ENOMEM, ENOMEM, ENOMEM) ? NULL :
		fault.real.map(bytes);

	fault.mapped_bytes += low ? (long)bytes : 0;
	return low;
}

static int
fault_unmap(void *low, size_t bytes)
{
	fault.mapped_bytes -= (long)bytes;
	return fault.real.unmap(low, bytes);
}

static inline void
faultstart(void)
{
	fault = (Fault){.real = task_sys};
	task_sys.poll = fault_poll;
	task_sys.alloc = fault_alloc;
	task_sys.resize = fault_resize;
	task_sys.free = fault_free;
	task_sys.map = fault_map;
	task_sys.unmap = fault_unmap;
	task_sys.protect = fault_protect;
	task_sys.guard = fault_guard;
	task_sys.giveback = fault_giveback;
	task_sys.read = fault_read;
	task_sys.write = fault_write;
	task_sys.send = fault_send;
	task_sys.getfl = fault_getfl;
	task_sys.setfl = fault_setfl;
	task_sys.socket = fault_socket;
	task_sys.bind = fault_bind;
	task_sys.listen = fault_listen;
	task_sys.accept = fault_accept;
	task_sys.connect = fault_connect;
	task_sys.shutdown = fault_shutdown;
	task_sys.pread = fault_pread;
	task_sys.sendfile = fault_sendfile;
	task_sys.sockname = fault_sockname;
	task_sys.peername = fault_peername;
	task_sys.getopt = fault_getopt;
	task_sys.setopt = fault_setopt;
}

#endif
