/* SPDX-License-Identifier: MIT */
/* Reading and writing descriptors. */
#include "taskimpl.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>

enum { FastMost = 64 };	/* calls in a row that did not wait: then yield */

/*
 * A task whose calls never have to wait would keep all others from running, so
 * after some of them it yields.
 */
static void
share(void)
{
	Task *t = task_proc->running;

	if(++t->nfast >= FastMost){
		t->nfast = 0;
		taskyield();
	}
}

int
task_fdagain(int fd, int rw, ssize_t r)
{
	if(r < 0)
		return (errno == EAGAIN || errno == EWOULDBLOCK) &&
			task_fddrained(fd, rw) == 0;
	share();
	return 0;
}

/*
 * The same for a call of which more is to do after r bytes.  Others may run
 * only while it waits, not while it yields: they might close fd and get its
 * number again, and the rest would go to a stranger.
 */
static int
goon(int fd, int rw, ssize_t r)
{
	if(r < 0)
		return task_fdagain(fd, rw, r);
	return ++task_proc->running->nfast < FastMost ||
		task_fdwait(fd, rw) == 0;
}

ssize_t
fdread(int fd, void *buf, size_t n)
{
	int err = errno;
	ssize_t r;

	if(task_here() == NULL)
		return -1;
	do{
		if(n > 0 && task_fdempty(fd) && task_fddrained(fd, 'r') < 0)
			return -1;
		r = task_sys.read(fd, buf, n);
		/* at once: while others run the edge of more may come */
		if(r > 0 && (size_t)r < n)
			task_fdshort(fd);
	}while(task_fdagain(fd, 'r', r));
	if(r >= 0)
		errno = err;
	return r;
}

ssize_t
fdread1(int fd, void *buf, size_t n)
{
	return task_fdwait(fd, 'r') < 0 ? -1 : fdread(fd, buf, n);
}

NEWNAME ssize_t
fdreadn(int fd, void *buf, size_t n)
{
	size_t have = 0;
	int err = errno;

	if(task_here() == NULL)
		return -1;
	while(have < n){
		ssize_t r = task_sys.read(fd, (char *)buf + have, n - have);
		if(r == 0)
			break;
		if(r > 0)
			have += (size_t)r;
		if(have < n && !goon(fd, 'r', r))
			return -1;
	}
	share();
	errno = err;
	return (ssize_t)have;
}

/* send, so that a peer gone is no signal; write, where that cannot be. */
static ssize_t
put(int fd, const void *buf, size_t n)
{
	if(!task_fdnotsocket(fd, 0)){
		ssize_t r = task_sys.send(fd, buf, n);
		if(r >= 0 || errno != ENOTSOCK)
			return r;
		task_fdnotsocket(fd, 1);
	}
	return task_sys.write(fd, buf, n);
}

ssize_t
fdwrite(int fd, const void *buf, size_t n)
{
	Proc *p = task_here();
	int err = errno;

	if(p == NULL)
		return -1;
	size_t *written = &p->running->written;
	*written = 0;
	while(*written < n){
		ssize_t r = put(fd, (const char *)buf + *written, n - *written);
		if(r == 0)
			break;
		if(r > 0)
			*written += (size_t)r;
		if(*written < n && !goon(fd, 'w', r))
			return -1;
	}
	share();
	errno = err;
	return (ssize_t)*written;
}

NEWNAME size_t
fdwritten(void)
{
	Proc *p = task_here();

	return p ? p->running->written : 0;
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
