/* SPDX-License-Identifier: MIT */
/* Descriptors: the table of those that are waited for, and the calls on them. */
#ifndef TASK_FD_H
#define TASK_FD_H

#include "../poll/poller.h"
#include "../taskimpl.h"

#pragma GCC visibility push(hidden)

/* Close: they wait for nothing but fdclose, or for something else too. */
enum { Read, Write, Except, Close, Queues };

/* What each request touches comes first: it should be one line of the cache. */
typedef struct Fd
{
	Interest interest;

	/* of the file that the number stands for now */
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

typedef struct Fdtable
{
	Polling polling;
	Fd **blocks;
	int nblock;
	int nwaiting;	/* tasks that wait */
	int moveat;	/* with more of them it is time for another poller */
} Fdtable;

/* table.c */

int task_fdbegin(Proc *p);	/* -1 and errno: there is no poller */
void task_fdend(Proc *p);

/* That of an open one, made if need be; NULL with EBADF or ENOMEM. */
Fd *task_fdneed(Fdtable *table, int fd);

/* The events that those who wait for f wait for. */
int task_fdwanted(const Fd *f);

/* What is known of the file is not true any more. */
void task_fdunknown(Fd *f);

/* moves to the poller for many, if it is time for that. */
void task_fdmove(Fdtable *table);

/* The Fd of a descriptor; NULL if nobody has ever waited for it. */
static inline Fd *
task_fdknown(const Fdtable *table, int fd)
{
	unsigned int i = (unsigned int)fd / BlockFds;	/* of -1: large */
	Fd *block = i < (unsigned int)table->nblock ? table->blocks[i] : NULL;

	return block ? &block[(unsigned int)fd % BlockFds] : NULL;
}

/* op.c: calls that the poller makes, where it can */

/* Whether a poller that makes calls does so on fd. */
int task_fdsocket(Fdtable *table, int fd);

static inline int
task_fdops(int fd)
{
	Fdtable *table = task_proc->fds;

	return table->polling.poller->submit && task_fdsocket(table, fd);
}

/*
 * has the poller make a call, and waits until it has ended.  generation is -1
 * at first; others of the same caller must be of the same open file.
 * Returns what the call did, or -1 and errno.
 */
ssize_t task_fdop(Op *op, int64_t *generation);

/* The poller has made op's call, or given it up. */
void task_fdopended(Fdtable *table, Op *op);

/* All ops of f end, for it is closed; is there one that has yet to? */
int task_fdopsstop(Fdtable *table, Fd *f);

/* Ops of f that the poller has not begun are begun anew. */
void task_fdopsrenew(Fdtable *table, Fd *f);

/* call.c */

/* recv or send, by the poller: see task_fdop. */
ssize_t task_fdcall(enum Opkind kind, int fd, void *buf, size_t n,
	int64_t *generation);

/* accept and connect, by the poller where it can: it has waited then. */
int task_fdaccept(int fd, struct sockaddr *sa, socklen_t *n);
int task_fdconnect(int fd, const struct sockaddr *sa, socklen_t n);

/* A read got less than it asked for: the next one need not try first. */
void task_fdshort(const Fdtable *table, Fd *f, int fd);

void task_fdnotsocket(int fd);

/* fd.c */

enum { FastMost = 64 };	/* calls in a row that did not wait: then yield */

/* fdwait and fdclose for the library itself. */
int task_fdwait(int fd, int rw);
int task_fdclose(int fd);

/*
 * fdwait for queue i until deadline_ns.  found: a call has just found that it
 * would have to wait.
 */
int task_fdawait(Proc *p, int fd, int i, int found, int64_t deadline_ns);

/*
 * r is what a call on fd returned.  Returns 1 after waiting if it would have
 * blocked: make it again; else 0.
 */
int task_fdagain(int fd, int rw, ssize_t r);

/* sleeps for ms, but no longer than fd is open: 0; -1 with EBADF, or cut. */
int task_fdpause(int fd, unsigned int ms);

/* fd has just come from the kernel: whoever waits for it means another file. */
void task_fdfresh(int fd);

/* The poller's news of one descriptor: Fired, with the table. */
void task_fdfired(void *table, uint64_t cookie, int events);

#pragma GCC visibility pop
#endif
