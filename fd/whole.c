/* SPDX-License-Identifier: MIT */
/* Reading and writing all that was asked for, one task after another. */
#include "fd.h"
#include "../task/newnames.h"
#include <errno.h>

/*
 * The first call to the kernel needs no turn if nobody has it, for no other
 * task runs before it has returned.  So a call that does all at once asks only
 * whether the turn is taken.  A poller that makes the calls lets others run
 * during the first one: then the turn is taken before it.
 */

/*
 * writes once: by send, so that a peer that has gone is no signal; by write,
 * where fd is no socket.
 */
static inline ssize_t
putbytes(Proc *p, int fd, const void *buf, size_t n, int ops, Meant *m)
{
	Fd *f = task_fdknown(p->fds, fd);

	if(f == NULL || !f->notsocket){
		ssize_t r = ops ?
			task_fdbypoller(OpSend, fd, (void *)buf, n, m) :
			task_sys.send(fd, buf, n);
		if(r >= 0 || *p->err != ENOTSOCK ||
				(!ops && !task_fdnosocket(fd, *m, m)))
			return r;
	}
	return task_sys.write(fd, buf, n);
}

/*
 * waits, if need be, before more is done on fd after a call that returned r;
 * returns whether to go on.  Others may run only in a wait, which finds out
 * that fd was closed, and not in taskyield: they might close fd and get its
 * number again, and the rest would go to another file.  After a short write by
 * the poller there is no room now: to try again would cost a turn.
 */
static int
goon(Proc *p, int fd, int i, ssize_t r, Meant *m)
{
	int rw = i == Read ? 'r' : 'w';

	if(r < 0)
		return task_fdagain(fd, rw, r, m);
	if(!task_fdstill(p->fds, fd, m))
		return 0;
	if(i == Write && task_fdops(fd))
		return task_fdwaiton(fd, rw, m) == 0;
	return !sharetime(p->running, FdWeight) ||
		task_fdwaiton(fd, rw, m) == 0;
}

static ssize_t
step(Proc *p, int fd, int i, char *buf, size_t n, Meant *m)
{
	return i == Read ? task_fdget(p, NULL, fd, buf, n, m) :
		putbytes(p, fd, buf, n, task_fdops(fd), m);
}

/*
 * does the rest, in turn, and counts in *done.  r is what the first call has
 * returned, if tried.  Returns 0, or -1 and errno.
 */
static int
therest(Proc *p, int fd, int i, char *buf, size_t n, size_t *done, int tried,
	ssize_t r)
{
	Meant m = AnyFile;
	int ended;

	if(tried && (r == 0 || (r < 0 && *p->err != EAGAIN &&
			*p->err != EWOULDBLOCK)))
		return (int)r;
	if(task_fdtake(p, fd, i, &m) < 0)
		return -1;
	if(!tried)
		r = step(p, fd, i, buf, n, &m);
	for(;;){
		if(r > 0)
			*done += (size_t)r;
		ended = r == 0 || (r > 0 && *done == n);
		if(ended || !goon(p, fd, i, r, &m))
			break;
		r = step(p, fd, i, buf + *done, n - *done, &m);
	}
	task_fdgive(p, fd, i, &m);
	return ended ? 0 : -1;
}

/* returns whether others may come between the first call and its return. */
static inline int
inturn(const Proc *p, const Fd *f, int i)
{
	return p->fds->polling.poller->submit || (f && task_fdtaken(f, i));
}

ssize_t
fdreadn(int fd, void *buf, size_t n)
{
	Meant m = AnyFile;
	Proc *p = task_here();
	ssize_t r = 0;

	if(p == NULL)
		return -1;
	int err = *p->err;
	size_t *got = &p->running->got;
	*got = 0;
	p->running->counted = 1;
	int tried = !inturn(p, task_fdknown(p->fds, fd), Read);
	if(n > 0 && tried)
		r = task_fdget(p, NULL, fd, buf, n, &m);
	if(n > 0 && (r < 0 || (size_t)r != n || !tried)){
		if(therest(p, fd, Read, buf, n, got, tried, r) < 0)
			return -1;
	}else
		*got = n;
	task_fdshare(p);
	*p->err = err;
	return (ssize_t)*got;
}

size_t
fdgot(void)
{
	Proc *p = task_here();

	return p && p->running->counted ? p->running->got : 0;
}

/* Nothing at all is a message too, for such a socket. */
static int
isdatagram(int fd)
{
	int type;

	return task_sys.getopt(fd, SOL_SOCKET, SO_TYPE, &type) == 0 &&
		type == SOCK_DGRAM;
}

ssize_t
fdwrite(int fd, const void *buf, size_t n)
{
	Meant m = AnyFile;
	Proc *p = task_proc;
	ssize_t r = 0;

	if(p == NULL)
		return task_fail(EPERM);
	int err = *p->err;
	size_t *written = &p->running->written;
	*written = 0;
	int tried = !inturn(p, task_fdknown(p->fds, fd), Write);
	if(n == 0 && !isdatagram(fd))
		tried = 1;
	else if(tried)
		r = putbytes(p, fd, buf, n, 0, &m);
	if(r >= 0 && (size_t)r == n && tried)
		*written = n;
	else if(therest(p, fd, Write, (char *)buf, n, written, tried, r) < 0)
		return -1;
	task_fdshare(p);
	*p->err = err;
	return (ssize_t)*written;
}

size_t
fdwritten(void)
{
	Proc *p = task_here();

	return p ? p->running->written : 0;
}
