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
int
task_fdagain(int fd, int rw, ssize_t r)
{
	if(r < 0)
		return (errno == EAGAIN || errno == EWOULDBLOCK) &&
			task_fdwait(fd, rw) == 0;
	Task *t = task_proc->running;
	if(++t->nfast >= FastMost){
		t->nfast = 0;
		taskyield();
	}
	return 0;
}

ssize_t
fdread(int fd, void *buf, size_t n)
{
	int err = errno;
	ssize_t r;

	if(task_here() == NULL)
		return -1;
	do
		r = task_sys.read(fd, buf, n);
	while(task_fdagain(fd, 'r', r));
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

	while(have < n){
		ssize_t r = fdread(fd, (char *)buf + have, n - have);
		if(r < 0)
			return -1;
		if(r == 0)
			break;
		have += (size_t)r;
	}
	return (ssize_t)have;
}

/* send, so that a peer that has gone is no signal; write, where that cannot be. */
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
	ssize_t r;

	if(p == NULL)
		return -1;
	size_t *written = &p->running->written;
	for(*written = 0; *written < n; *written += (size_t)r){
		do
			r = put(fd, (const char *)buf + *written, n - *written);
		while(task_fdagain(fd, 'w', r));
		if(r < 0)
			return -1;
		if(r == 0)
			break;
	}
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
	for(int fd = 0; fd < 3; fd++)
		stdflags[fd] = task_sys.getfl(fd);
	atexit(restore);
}

int
fdnoblock(int fd)
{
	if(fd >= 0 && fd < 3)
		pthread_once(&saved, save);
	int flags = task_sys.getfl(fd);
	return flags < 0 ? -1 : task_sys.setfl(fd, flags | O_NONBLOCK);
}
