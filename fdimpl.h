/* SPDX-License-Identifier: MIT */
/* The table of descriptors that are waited for: fd.c's, and the fdtask's. */
#ifndef TASK_FDIMPL_H
#define TASK_FDIMPL_H

#include "poll/poller.h"
#include "taskimpl.h"

#pragma GCC visibility push(hidden)

/* Close: they wait for nothing but fdclose, or for something else too. */
enum { Read, Write, Except, Close, Queues };

/* What each request touches comes first: it should be one line of the cache. */
typedef struct Fdtable Fdtable;

typedef struct Fd
{
	uint32_t generation;
	unsigned char armed;	/* events the poller watches for */

	/* of this generation */
	unsigned char notsocket;	/* the kernel said so */
	unsigned char socket;	/* the poller makes the calls on it */
	unsigned char tcp;	/* a TCP socket: 1; not: 2; unknown: 0 */
	unsigned char drained;	/* the last read took all there was */
	unsigned char hup;	/* an edge has come that will not again */

	Tasklist waiting[Queues];
	/* Read and Write, linked by behind; their tasks wait in Close */
	Oplist ops[2];
} Fd;

/* Blocks do not move when the table grows: parked tasks point into them. */
enum { BlockFds = 64 };

struct Fdtable
{
	const Poller *poller;
	void *state;	/* the poller's */
	Fd **blocks;
	int nblock;
	int nwaiting;	/* tasks that wait */
	int moveat;	/* with more of them it is time for another poller */
};

/* The poller's news of one descriptor: Fired, with the table. */
void task_fdfired(void *table, uint64_t cookie, int events);

/* The Fd of a descriptor; NULL if nobody has ever waited for it. */
static inline Fd *
task_fdknown(const Fdtable *table, int fd)
{
	unsigned int i = (unsigned int)fd / BlockFds;	/* of -1: large */
	Fd *block = i < (unsigned int)table->nblock ? table->blocks[i] : NULL;

	return block ? &block[(unsigned int)fd % BlockFds] : NULL;
}

/* That of an open one, made if need be; NULL with EBADF or ENOMEM. */
Fd *task_fdneed(Fdtable *table, int fd);

/* fdwait for queue i, after a call that would have blocked. */
int task_fdawait(Proc *p, int fd, int i);

/* A read got less than it asked for: the next one need not try first. */
void task_fdshort(const Fdtable *table, Fd *f, int fd);

void task_fdnotsocket(int fd);

/* fdop.c: whether the poller, which makes calls, does on fd. */
int task_fdcall(Fdtable *table, int fd);

static inline int
task_fdops(int fd)
{
	Fdtable *table = task_proc->fds;

	return table->poller->submit && task_fdcall(table, fd);
}

/*
 * has the poller make a call, and waits until it has ended.  generation is -1
 * at first; others of the same caller must be of the same open file.
 * Returns what the call did, or -1 and errno.
 */
ssize_t task_fdop(Op *op, int64_t *generation);

/*
 * An op has ended; its file is not this one any more; it may not be.
 * task_fdopsstop returns whether the poller has one that is still to end.
 */
void task_fdopended(Fdtable *table, Op *op);
int task_fdopsstop(Fdtable *table, Fd *f);
void task_fdopsrenew(Fdtable *table, Fd *f);

/* arms in the state of another poller what is armed now; -1 and errno. */
int task_fdarmall(Fdtable *table, const Poller *to, void *state);

/* fd.c */

/* fdwait and fdclose for the library itself. */
int task_fdwait(int fd, int rw);
int task_fdclose(int fd);

/* sleeps for ms, but no longer than fd is open: 0; -1 with EBADF, or cut. */
int task_fdpause(int fd, unsigned int ms);

/* fd has just come from the kernel: whoever waits for it means another file. */
void task_fdfresh(int fd);

/* fd may have come from the kernel since it was waited for last. */
void task_fddoubt(int fd);

/* fdio.c */

/*
 * r is what a call on fd returned.  Returns 1 after waiting if it would have
 * blocked: make it again; else 0.
 */
int task_fdagain(int fd, int rw, ssize_t r);

/* accept; it may wait, or fail with EAGAIN. */
int task_fdaccept(int fd, struct sockaddr *sa, socklen_t *n);

/* connect, and waits until it is decided. */
int task_fdconnect(int fd, const struct sockaddr *sa, socklen_t n);

#pragma GCC visibility pop
#endif
