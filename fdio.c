/* SPDX-License-Identifier: MIT */
/* Reading and writing descriptors. */
#include "fdimpl.h"
#include "task/newnames.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

enum { FastMost = 64 };	/* calls in a row that did not wait: then yield */

/*
 * A task whose calls never have to wait would keep all others from running, so
 * after some of them it yields.
 */
static inline void
share(Proc *p)
{
	if(++p->running->nfast >= FastMost){
		p->running->nfast = 0;
		taskyield();
	}
}

static inline int
again(Proc *p, int fd, int i, ssize_t r)
{
	if(r < 0)
		return (*p->err == EAGAIN || *p->err == EWOULDBLOCK) &&
			task_fdawait(p, fd, i) == 0;
	share(p);
	return 0;
}

int
task_fdagain(int fd, int rw, ssize_t r)
{
	return again(task_proc, fd, rw == 'r' ? Read : Write, r);
}

/*
 * The same for a call of which more is to do after r bytes.  Others may run
 * only while it waits, not while it yields: they might close fd and get its
 * number again, and the rest would go to a stranger.  After a short write by
 * the poller there is no room now: to try again would cost a turn.
 */
static int
goon(Proc *p, int fd, int rw, ssize_t r)
{
	if(r < 0)
		return task_fdagain(fd, rw, r);
	if(rw == 'w' && task_fdops(fd))
		return task_fdwait(fd, rw) == 0;
	return ++p->running->nfast < FastMost || task_fdwait(fd, rw) == 0;
}

/* Not inline: its Op would be made in all calls, those that do without too. */
__attribute__((noinline)) static ssize_t
byop(enum Opkind kind, int fd, void *buf, size_t n, int64_t *generation)
{
	enum { Most = INT_MAX & ~4095 };	/* as read(2) has it */
	Op op = {.kind = kind, .fd = fd, .buf = buf, .n = n < Most ? n : Most};

	return task_fdop(&op, generation);
}

/*
 * read; if the poller makes the call it has waited already.  generation is
 * task_fdop's.  recv takes a shorter way through the kernel than read.
 */
static inline ssize_t
getbytes(Proc *p, Fd *f, int fd, void *buf, size_t n, int64_t *generation)
{
	if(n > 0 && task_fdops(fd)){
		ssize_t r = byop(OpRecv, fd, buf, n, generation);
		if(r >= 0 || *p->err != ENOTSOCK)
			return r;
		task_fdnotsocket(fd);	/* the number is another file's */
	}else if(f && f->tcp == 1 && n > 0){
		ssize_t r = task_sys.recv(fd, buf, n);
		if(r >= 0 || *p->err != ENOTSOCK)
			return r;
		f->tcp = 0;	/* closed behind our back, and another now */
	}
	return task_sys.read(fd, buf, n);
}

ssize_t
fdread(int fd, void *buf, size_t n)
{
	int64_t generation = -1;
	Proc *p = task_proc;
	ssize_t r;

	if(p == NULL)
		return task_fail(EPERM);
	int err = *p->err;
	do{
		Fd *f = task_fdknown(p->fds, fd);
		if(f && f->drained && n > 0 && task_fdawait(p, fd, Read) < 0)
			return -1;
		r = getbytes(p, f, fd, buf, n, &generation);
		/* at once: while others run the edge of more may come */
		if(r > 0 && (size_t)r < n && f)
			task_fdshort(p->fds, f, fd);
	}while(again(p, fd, Read, r));
	if(r >= 0)
		*p->err = err;
	return r;
}

ssize_t
fdread1(int fd, void *buf, size_t n)
{
	return task_fdwait(fd, 'r') < 0 ? -1 : fdread(fd, buf, n);
}

ssize_t
fdreadn(int fd, void *buf, size_t n)
{
	int64_t generation = -1;
	Proc *p = task_here();
	size_t have = 0;
	int err = errno;

	if(p == NULL)
		return -1;
	while(have < n){
		ssize_t r = getbytes(p, NULL, fd, (char *)buf + have, n - have,
			&generation);
		if(r == 0)
			break;
		if(r > 0)
			have += (size_t)r;
		if(have < n && !goon(p, fd, 'r', r))
			return -1;
	}
	share(p);
	errno = err;
	return (ssize_t)have;
}

/* send, so that a peer gone is no signal; write, where that cannot be. */
static inline ssize_t
putbytes(Proc *p, int fd, const void *buf, size_t n, int64_t *generation)
{
	Fd *f = task_fdknown(p->fds, fd);

	if(f == NULL || !f->notsocket){
		ssize_t r = task_fdops(fd) ?
			byop(OpSend, fd, (void *)buf, n, generation) :
			task_sys.send(fd, buf, n);
		if(r >= 0 || *p->err != ENOTSOCK)
			return r;
		task_fdnotsocket(fd);
	}
	return task_sys.write(fd, buf, n);
}

ssize_t
fdwrite(int fd, const void *buf, size_t n)
{
	int64_t generation = -1;
	Proc *p = task_proc;

	if(p == NULL)
		return task_fail(EPERM);
	int err = *p->err;
	size_t *written = &p->running->written;
	*written = 0;
	while(*written < n){
		ssize_t r = putbytes(p, fd, (const char *)buf + *written,
			n - *written, &generation);
		if(r == 0)
			break;
		if(r > 0)
			*written += (size_t)r;
		if(*written < n && !goon(p, fd, 'w', r))
			return -1;
	}
	share(p);
	*p->err = err;
	return (ssize_t)*written;
}

size_t
fdwritten(void)
{
	Proc *p = task_here();

	return p ? p->running->written : 0;
}

int
task_fdaccept(int fd, struct sockaddr *sa, socklen_t *n)
{
	int64_t generation = -1;
	Op op = {.kind = OpAccept, .fd = fd, .buf = sa, .len = n};

	if(task_fdops(fd))
		return (int)task_fdop(&op, &generation);
	return task_sys.accept(fd, sa, n);
}

int
task_fdconnect(int fd, const struct sockaddr *sa, socklen_t n)
{
	int64_t generation = -1;
	Op op = {.kind = OpConnect, .fd = fd, .buf = (void *)sa, .n = n};
	int err;

	if(task_fdops(fd))
		return (int)task_fdop(&op, &generation);
	if(task_sys.connect(fd, sa, n) == 0)
		return 0;
	if(errno != EINPROGRESS || task_fdwait(fd, 'w') < 0 ||
			task_sys.getopt(fd, SOL_SOCKET, SO_ERROR, &err) < 0)
		return -1;
	return err ? task_fail(err) : 0;
}

/* The flags of 0 to 2 belong to open files that the shell has too. */
static pthread_once_t saved = PTHREAD_ONCE_INIT;
static int stdflags[3];

static void
restore(void)
{
	for(int fd = 0; fd < 3; fd++)
		if(stdflags[fd] >= 0)
			task_sys.setfl(fd, stdflags[fd]);
}

static void
save(void)
{
	int err = errno;

	for(int fd = 0; fd < 3; fd++)
		stdflags[fd] = task_sys.getfl(fd);
	atexit(restore);
	errno = err;
}

int
fdnoblock(int fd)
{
	if(fd >= 0 && fd < 3)
		pthread_once(&saved, save);
	task_fddoubt(fd);
	int flags = task_sys.getfl(fd);
	return flags < 0 ? -1 : task_sys.setfl(fd, flags | O_NONBLOCK);
}
