/* SPDX-License-Identifier: MIT */
/* Tasks, the scheduler, and the one way to block. */
#ifndef TASK_TASKIMPL_H
#define TASK_TASKIMPL_H

#include "machine/list.h"
#include "machine/machine.h"
#include "task.h"
#include "task/parts.h"
#include <errno.h>
#include <signal.h>

#pragma GCC visibility push(hidden)

/* Why a task is parked, with the object that goes with it. */
enum Why
{
	WaitNone,	/* it is not */
	WaitDelay,
	WaitSend,	/* Alt, the only one */
	WaitRecv,
	WaitAlt,	/* Alt[] */
	WaitQlock,	/* QLock */
	WaitRlock,	/* RWLock */
	WaitWlock,
	WaitReclock,	/* RecLock */
	WaitRendez,	/* Rendez */
	WaitSem,	/* Sem */
	WaitEvent,	/* Event */
	WaitRead,	/* fd */
	WaitWrite,
	WaitExcept,
	WaitPause,	/* fd, of a listener that cannot accept now */
	WaitTask,	/* id, of the task that is to end */
	WaitEnd,	/* the same, and its result is kept */
	WaitGroup,	/* unsigned int: how many children are alive */
	WaitRoom,	/* the same: there are as many as may be */
	WaitCount
};

typedef union Object
{
	const void *v;
	int fd;
	unsigned int id;
} Object;

/* Deadlines that are none. */
enum
{
	Uninterrupted = -2,	/* for task_park: no scope ends the wait */
	Refused = -3	/* of Bounds: the task has been taken off the object */
};

/* What task.c asks of task/scope.c about a task whose waits are bounded. */
typedef struct Bounds
{
	/*
	 * until when t, which has parked until deadline_ns, may wait; Refused,
	 * with the errno for it to fail with, if not at all.
	 */
	int64_t (*until)(Task *t, int64_t deadline_ns);
	void (*drop)(Task *t);	/* the functions that opened scopes are left */
} Bounds;

/* The limits of a task's waits: written by task/scope.c, cancel.c only. */
typedef struct Limits
{
	const Bounds *bounds;	/* NULL: there are none */
	Timeout *scopes;	/* the open ones, the innermost first */
	unsigned int nshield;	/* calls of taskshield to be undone */
	unsigned char cancelled;
	unsigned char knows;	/* it has been told that it is cancelled */

	Timeout *nearest;	/* whose deadline its wait has; NULL: its own */
	Timeout shield;	/* if nshield > 0; as nearest: it is cancelled */
} Limits;

/* How a task stopped last. */
enum { NotYet, InYield, InPark };

enum { TextBytes = 256 };	/* of a task's name and of its state */

/*
 * A task.  It lives above the first frame of its own stack, so that a task at
 * rest touches one page.  Fields belong to the thread of its proc.  taskcreate
 * clears those from wait.sleeper.index to limits.nearest.
 */
struct Task
{
	Context context;	/* valid while it does not run */
	Task *next;	/* in the ready queue, or in the one that it waits in */
	int result;	/* what task_park will return */
	unsigned int nswitch;	/* the proc's when it yielded */
	Task *prev;	/* in the queue that it waits in */
	struct	/* for what it is parked: valid while number is not 0 */
	{
		Tasklist *queue;	/* that it is in, or NULL */
		void (*unlink)(Task *);	/* what else takes it off, or NULL */
		Object object;
		enum Why why;
		int cut;	/* also after it: a scope or cancel ended it */
		Sleeper sleeper;	/* its deadline; in the queue, or not */
		uint64_t number;	/* of this wait of all */
	} wait;
	int err;	/* its errno, while it does not run */
	int failed;	/* the errno of its taskfail, or 0 */
	unsigned char stopped;	/* NotYet, InYield, InPark */
	unsigned char system;
	unsigned char nfast;	/* descriptor calls in a row without waiting */
	unsigned char named;	/* name is valid; else it is "" */
	unsigned char stated;
	unsigned char listed;	/* in the table of tasks, or was: task/find.c */
	Exceptions exceptions;	/* in C++ programs, while it does not run */
	Defer *defers;	/* what is left to do at its end, in that order */
	Co *co;	/* the coroutine that runs; NULL: it never had another */
	Own *own;	/* values by key, and hooks; NULL for most */
	void *data;	/* taskdata */
	size_t written;	/* fdwritten */
	Limits limits;

	/* what it is, from its creation on */
	unsigned int id;
	void (*fn)(void *);
	void *arg;
	Stack *stack;	/* the one it runs on; NULL: the thread's own */
	Task *older;	/* in the list of all tasks */
	Task *younger;
	char name[TextBytes];
	char state[TextBytes];

	/* what few have, or have at times */
	Alt alt;	/* valid in chansend, chanrecv */
	void **value;	/* valid in taskwait: where the result goes, or NULL */
	Co main;	/* its main coroutine: valid if co is not NULL */
	Idnode node;	/* valid while listed, as is unlist */
	Defer unlist;
};

/*
 * A scheduler: one for each thread that runs one, on the stack of its taskrun.
 */
struct Proc
{
	Task *running;
	Tasklist ready;	/* first in, first out; linked by next only */
	unsigned int nswitch;
	int credit;	/* switches until somebody looks at the clock */
	int *err;	/* where this thread's errno is */
	Exceptions *exceptions;	/* and its C++ exceptions; NULL in C programs */
	uint64_t nparks;

	/* Hooks: what the scheduler calls without knowing who it is. */
	int64_t (*now)(void);	/* the clock, ns */
	void (*idle)(void *);	/* what the fdtask runs, with the proc */
	void (*stalled)(Proc *);	/* nothing can ever happen again */
	void (*list)(Proc *);	/* prints the list of tasks */
	void (*coend)(Task *);	/* ends the coroutines of a task that has co */
	volatile sig_atomic_t signalled;	/* a signal asked for a list */

	Task fdtask;	/* id 0: runs on the stack of taskrun's caller */
	int due;	/* it is in the ready queue, for its turn has come */
	int period;	/* what credit starts from */
	int64_t turn_ns;	/* when it had its last turn */
	int64_t look_ns;	/* when credit was last used up */
	struct timespec timeout;	/* of the wait that it is in */

	Tasklist all;	/* by older and younger, without the fdtask */
	int ntask;	/* in it */
	int nsystem;	/* system tasks among them */
	unsigned int nextid;
	unsigned int idlimit;	/* ids from nextid up to this one are free */
	int status;	/* of the last taskexit */
	int failed;	/* the errno for taskrun to fail with at once, or 0 */

	Fpenv fp;	/* the thread's when it started: tasks start with it */
	Stackpool pool;
	Sleepqueue sleeping;
	uint64_t random;

	/* The wings', each known there only: see run.c. */
	struct Life *life;	/* task/ */
	struct Fdtable *fds;	/* fd/ */
	struct Quit *quit;	/* inspect/quit.c */
	void *overflow;	/* inspect/overflow.c: the stack of its handler */
};

/* task/misuse.c */

/* NULL in a thread that runs no scheduler.  Its address names the thread. */
extern _Thread_local Proc *task_proc;

/* This thread's proc; NULL with EPERM if it runs none. */
Proc *task_here(void);

/* The same for a call on object; NULL with EINVAL if there is none. */
Proc *task_caller(const void *object);

/* prints one line about the running task and the list of tasks, and aborts. */
void task_misuse(const char *fmt, ...) TASK_PRINTF(1, 2) TASK_NORETURN;

/* task/id.c: sets nextid and idlimit to the next run of free ids. */
void task_findids(Proc *p);

/* task.c */

/*
 * taskrun, for a proc with its hooks set; and what is left of it then goes,
 * when the wings have ended.
 */
int task_start(Proc *p, void (*fn)(void *), void *arg, size_t stack);
void task_stop(Proc *p);

/* taskcreate, for a valid fn; and of a system task. */
Task *task_create(Proc *p, void (*fn)(void *), void *arg, size_t stack);
Task *task_createsystem(Proc *p, const char *name, void (*fn)(void *),
	void *arg);

/* taskexit, but the program's exit status stays what it is. */
void task_quit(void) TASK_NORETURN;

/*
 * The one way to stop: parks the running task until task_ready.  It joins
 * queue, if there is one.  When deadline_ns passes first (-1: never) it is
 * taken off the queue, unlink is called, and it goes on with ETIMEDOUT.  Nobody
 * who finds it parked can so hand it something that is then lost.  The same
 * happens when a scope ends, or when it is cancelled; cut tells.
 * Returns 0, or -1 with the errno that task_ready was given.
 */
int task_park(enum Why why, Object object, Tasklist *queue,
	void (*unlink)(Task *), int64_t deadline_ns);

/*
 * The one way to go on: makes t ready, with err as task_park's errno if it is
 * not 0.  number is that of the wait that the caller means: if t waits for
 * something else by now this does nothing.
 * Returns whether it was made ready.
 */
int task_ready(Task *t, uint64_t number, int err);

/* takes the first task off queue and makes it ready; returns it, or NULL. */
Task *task_wakefirst(Tasklist *queue, int err);

/* takes t, which is parked, off all that it waits for; and makes it ready. */
void task_unwait(Task *t);
void task_giveup(Task *t, int err);

/* For the fdtask: lets others run until none is ready or its turn has come. */
int task_rest(Proc *p);	/* 0 when the program is over */

/* run.c: taskrun for main.c, which the program cannot replace. */
int task_run(void (*fn)(void *), void *arg);

/* A task's texts, "" if they were never set. */
static inline const char *
task_name(const Task *t)
{
	return t->named ? t->name : "";
}

static inline const char *
task_state(const Task *t)
{
	return t->stated ? t->state : "";
}

/* What it is that runs on t's stack. */
static inline const char *
task_kind(const Task *t)
{
	if(t->co && t->co->gen)
		return "generator";
	return t->co && t->co->parent ? "coroutine" : "task";
}

/*
 * Where tasks, coroutines and generators keep their description on their stack:
 * in the same place, so that Valgrind and ASan never take it for a frame of who
 * had the stack before.
 */
static inline void *
task_block(const Stack *s)
{
	return (void *)(((uintptr_t)s->top - sizeof(Task)) & ~(uintptr_t)63);
}

#pragma GCC visibility pop
#endif
