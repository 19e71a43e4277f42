/* SPDX-License-Identifier: MIT */
/* What a proc does while it computes, seen from another thread. */
#ifndef TASK_SNAPSHOT_H
#define TASK_SNAPSHOT_H

#include "inspect.h"
#include "../machine/unwind.h"

#pragma GCC visibility push(hidden)

enum { SnapshotBytes = 16 * 1024, SnapshotName = 64 };

/* One of all tasks of the proc. */
typedef struct Seentask
{
	unsigned int id;
	int system;
	int waits;	/* then the next two are valid */
	enum Why why;
	int64_t since_ns;
	const void *entry;
	char name[SnapshotName];	/* as it is */
} Seentask;

/* The running task, and the inner part of the stack that its thread is on. */
typedef struct Snapshot
{
	int number;	/* of its proc, to be shown: see Proc.number */
	unsigned int nswitch;	/* Proc's */
	int ntask;	/* Proc's */
	int nseen;	/* tasks that were copied, the oldest first */
	int64_t since_ns;	/* of the last look at the clock there */
	unsigned int id;	/* 0: the scheduler itself */
	int busy;	/* taskbusy has been called in it */
	const void *entry;
	const void *made;
	unsigned int creator;
	char name[SnapshotName];	/* escaped */
	Registers r;
	uintptr_t low;	/* what is copied lies from low to high */
	uintptr_t high;
	char copy[SnapshotBytes];
} Snapshot;

/*
 * interrupts the thread of the proc with that number, so that a handler there
 * copies what it does, and into tasks those of the proc, room at most;
 * returns that, which stays until task_snapshotend is called, by the same
 * thread; nobody else can take one meanwhile.  NULL with ESRCH; with ETIMEDOUT:
 * the handler was not called within 100 ms.
 */
const Snapshot *task_snapshot(int number, Seentask *tasks, int room);
void task_snapshotend(void);

/* begins and ends the arrangement for the signal; forked: of a fork's child. */
void task_snapshotarrange(int on);
void task_snapshotforked(int on);

/*
 * reads, in any thread, how often p has switched; returns whether it is in a
 * task then.
 */
int task_snapshotcount(const Proc *p, unsigned int *nswitch);

/* stores the calls of s as task_unwind does. */
int task_snapshotstack(const Snapshot *s, void **pc, int n);

/* What is seen of a proc that does not answer. */
enum { SeenMost = 256 };

typedef struct Silent
{
	int number;	/* of the proc */
	int err;	/* task_snapshot's; 0: the rest is valid */
	Snapshot s;
	int ncall;	/* the calls that it is in */
	void *pc[StackFrames];
	Seentask tasks[SeenMost];
} Silent;

/*
 * shot.c: looks at the proc o->number, for up to 100 ms; returns o->err.  It
 * may be called in a thread that has no tasks.
 */
int task_lookatsilent(void *o);

/*
 * shot.c: puts "task 2.4 (writer)"; and a line for each of the n calls outside
 * the library's beginning of a task, and one about who made it.
 */
void task_putshot(FILE *f, const Snapshot *s);
void task_putshotcalls(FILE *f, const Snapshot *s, void *const *pc, int n);

#pragma GCC visibility pop
#endif
