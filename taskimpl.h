/* SPDX-License-Identifier: MIT */
/* Tasks, the scheduler, and the one way to block. */
#ifndef TASK_TASKIMPL_H
#define TASK_TASKIMPL_H

#include "machine/machine.h"
#include "machine/list.h"
#include "task.h"
#include <errno.h>
#include <signal.h>

#pragma GCC visibility push(hidden)

typedef struct Proc Proc;
typedef struct Fdtable Fdtable;
typedef struct Own Own;

enum { TextBytes = 256 };	/* of a task's name and of its state */

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
	WaitRead,	/* descriptor */
	WaitWrite,
	WaitExcept,
	WaitPause,	/* descriptor, of a listener that cannot accept now */
	WaitTask,	/* fd: the id of the task that is to end */
	WaitEnd,	/* the same, and its result is kept */
	WaitGroup,	/* unsigned int: how many children are alive */
	WaitRoom,	/* the same: there are as many as may be */
	WaitCount
};

/* Deadlines that are none. */
enum
{
	Uninterrupted = -2,	/* for task_park: no scope ends the wait */
	Refused = -3	/* of task_bound */
};

/* How a task stopped last. */
enum { NotYet, InYield, InPark };

/* What bounds the waits of a task: see bound.c. */
enum
{
	Scoped = 1,	/* it has open scopes */
	Shielded = 2,	/* one of them is its shield */
	Cancelled = 4,
	Knows = 8	/* it has been told that it is cancelled */
};

typedef union Object
{
	const void *v;
	int fd;
} Object;

/*
 * What C++ keeps of the exceptions that are being thrown or are in catch
 * blocks, as its ABI has it.
 */
typedef struct Exceptions
{
	void *caught;
	unsigned int uncaught;
} Exceptions;

/* Where a computation of a task stopped: a coroutine, or a generator. */
typedef struct Place
{
	Context context;
	Stack *stack;	/* the one that it is on */
	Exceptions exceptions;
	int err;
} Place;

/*
 * A coroutine.  It lives above the first frame of its own stack, but the main
 * one in its task.  All fields belong to that task.
 */
struct Co
{
	Place place;	/* valid while it does not run */
	unsigned char started;
	unsigned char dead;
	Task *task;
	Co *parent;	/* NULL: the main one */
	struct
	{
		Co *head;
		Co *tail;
	} children;	/* the oldest of those that have it as parent first */
	Co *older;	/* among its parent's children */
	Co *newer;
	Stack *stack;	/* its own */
	Gen *gen;	/* the innermost of the generators it is in, or NULL */
	void *(*fn)(void *);
	void *arg;
};

/* One of many that are found by a number. */
typedef struct Idnode Idnode;
struct Idnode
{
	Idnode *next;	/* in its chain */
	unsigned int id;
};

typedef struct Idtable
{
	Idnode **chains;	/* NULL until there is one to find */
	unsigned int size;	/* a power of two */
	unsigned int n;	/* nodes */
} Idtable;

/* Small things of one size, given out and taken back. */
typedef struct Blocks
{
	struct Block *free;
	struct Block *slabs;
} Blocks;

/* First the program's functions, then what they use, then others hear of it. */
enum Stage { AtCleanup, AtValues, AtEnd };

/* What is left to do at a task's end. */
typedef struct Defer Defer;
struct Defer
{
	Defer *next;
	void (*fn)(Defer *d);
	enum Stage stage;
};

/*
 * A task.  It lives above the first frame of its own stack, so that a task at
 * rest touches one page.  Fields belong to the thread of its proc.
 */
struct Task
{
	Context context;	/* valid while it does not run */
	Task *next;	/* in the ready queue, or the queue it is parked in */
	int result;	/* what task_park will return */
	unsigned int nswitch;	/* the proc's when it yielded */

	/* valid while park is not 0 */
	Task *prev;	/* in the queue it is parked in */
	Tasklist *queue;	/* that queue, or NULL */
	void (*unlink)(Task *);	/* what else takes it off what it waits for */
	Object object;
	enum Why why;

	unsigned int id;
	void (*fn)(void *);
	void *arg;
	Stack *stack;	/* the one it runs on; NULL: the thread's own */
	Task *older;	/* in the list of all tasks */

	/* in the sleeping queue if it has a deadline, set in any case */
	Sleeper sleeper;

	/* taskcreate clears what follows, up to the name, and sleeper.index */
	Task *younger;
	uint64_t park;	/* the number of the wait it is parked in, or 0 */
	int err;	/* its errno, while it does not run */
	unsigned char bounded;	/* Scoped, Shielded, Cancelled, Knows */
	unsigned char nfast;	/* descriptor calls in a row without waiting */
	unsigned char stopped;	/* NotYet, InYield, InPark */
	unsigned char cut;	/* a scope or cancel has ended its last wait */
	Co *co;	/* the coroutine that runs; NULL: it never had another */
	Own *own;	/* see local.c; NULL for most */
	Timeout *scopes;	/* its open ones, the innermost first */
	Defer *defers;	/* what is left to do at its end, in that order */
	void *data;	/* taskdata */
	size_t written;	/* fdwritten */
	Exceptions exceptions;	/* in C++ programs, while it does not run */
	int failed;	/* the errno of its taskfail, or 0 */
	unsigned char system;
	unsigned char named;	/* name is valid; else it is "" */
	unsigned char stated;
	unsigned char listed;	/* it is in the table of tasks, or was */
	char name[TextBytes];
	char state[TextBytes];
	Alt alt;	/* valid in chansend, chanrecv; v in taskwait */
	Co main;	/* its main coroutine: valid if co is not NULL */

	/* valid while bounded */
	Timeout *nearest;	/* whose deadline it is; NULL: the wait's own */
	Timeout shield;	/* if Shielded; as nearest: it is cancelled */
	unsigned int nshield;	/* calls of taskshield to be undone */

	/* valid while listed */
	Idnode node;	/* in the proc's table of tasks */
	Defer unlist;
};

/*
 * A scheduler: one for each thread that runs one, on the stack of its taskrun.
 * The hooks are what the scheduler calls without knowing who it is.
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

	int64_t (*now)(void);	/* the clock, ns */
	void (*idle)(void *);	/* what the fdtask runs, with the proc */
	void (*stalled)(Proc *);	/* nothing can ever happen again */
	void (*list)(Proc *);	/* prints the list of tasks */
	void (*coend)(Task *);	/* ends the coroutines of a task that has co */
	volatile sig_atomic_t signalled;	/* a signal asked for a list */

	Task fdtask;	/* id 0: runs on the stack of taskrun's caller */
	int due;	/* it is in the ready queue, for its turn has come */
	int64_t turn_ns;	/* when it had its last turn */
	int64_t look_ns;	/* when credit was last used up */
	int period;	/* what credit starts from */

	Tasklist all;	/* by older and younger, without the fdtask */
	Idtable tasks;	/* the older ones of them, by id; see sync/find.c */
	Idtable joins;	/* sync/join.c's, by the id of the task */
	Idtable groups;	/* sync/group.c's, by their numbers */
	int ntask;	/* in it */
	int nsystem;	/* system tasks among them */
	unsigned int nextid;
	unsigned int idlimit;	/* ids from nextid up to this one are free */
	int status;	/* of the last taskexit */
	int failed;	/* the errno for taskrun to fail with at once, or 0 */
	struct timespec timeout;	/* of the wait that the fdtask is in */
	int slot;	/* in the table of threads to ask for lists */
	void *handlerstack;	/* for the handler of stack overflows */

	Fpenv fp;	/* the thread's when it started: tasks start with it */
	Stackpool pool;
	Sleepqueue sleeping;
	Blocks blocks;	/* for sync/ */
	Blocks timers;	/* sync/timer.c's */
	/* the place in task_pollers of the one asked for, or NULL */
	const struct Poller *const *poller;
	int orsimpler;	/* or of one before it */
	Fdtable *fds;
	uint64_t random;
};

/* here.c */

/* NULL in a thread that runs no scheduler.  Its address names the thread. */
extern _Thread_local Proc *task_proc;

/* This thread's proc; NULL with EPERM if it runs none. */
Proc *task_here(void);

/* The same for a call on object; NULL with EINVAL if there is none. */
Proc *task_caller(const void *object);

/* prints one line about the running task and the list of tasks, and aborts. */
void task_misuse(const char *fmt, ...) TASK_PRINTF(1, 2) TASK_NORETURN;

/* task.c */

/* taskrun, for a proc with its hooks set. */
int task_start(Proc *p, void (*fn)(void *), void *arg, size_t stack);

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
 * not 0.  park is the number of the wait that the caller means: if t waits for
 * something else by now this does nothing.
 * Returns whether it was made ready.
 */
int task_ready(Task *t, uint64_t park, int err);

/* takes the first task off queue and makes it ready; returns it, or NULL. */
Task *task_wakefirst(Tasklist *queue, int err);


/* For the fdtask: lets others run until none is ready or its turn has come. */
int task_rest(Proc *p);	/* 0 when the program is over */
void task_wakesleepers(Proc *p, int64_t now);

/* taskcreate, for a valid fn. */
Task *task_create(Proc *p, void (*fn)(void *), void *arg, size_t stack);

/* bound.c */

/* t, which is parked, goes on with err, off all that it waits for. */
void task_giveup(Task *t, int err);

/*
 * t, which is bounded, has parked until deadline_ns.  Returns until when it may
 * wait; Refused, and t is not parked any more, with the errno for it to return.
 */
int64_t task_bound(Proc *p, Task *t, int64_t deadline_ns);

/* The errno for t, whose sleeper is due. */
int task_expire(Task *t);

/*
 * by, then t's nearest, has cut a call that succeeded all the same: it has not.
 * knew: t knew already that it is cancelled.
 */
void task_unexpire(Task *t, Timeout *by, int knew);

/* Whether a wait of the running task would be refused. */
int task_boundnow(Proc *p);

/* opens s on t: waits end at deadline_ns; and timeoutstop. */
void task_scope(Task *t, Timeout *s, int64_t deadline_ns);
void task_unscope(Task *t, Timeout *s);
void task_unscopeall(Task *t);

/*
 * takes the scopes off t that the coroutine or generator that is opener has opened;
 * returns them, the innermost first; and puts them back, before all others.
 */
Timeout *task_scopesof(Task *t, const void *opener);
void task_rescope(Task *t, Timeout *first);

/* When the scopes of the running task end its waits; -1: never. */
int64_t task_bounddeadline(Proc *p);

/* does what t has left to do at its end: it may block, or call taskexit too. */
void task_finish(Proc *p, Task *t);

/* taskcancel, for a task that lives. */
void task_cancel(Proc *p, Task *t);

/* What t made of itself: 0, the errno it failed with, or ECANCELED. */
int task_outcome(const Task *t);

/* local.c */

/* stop(p) with the hooks of the running task, which has an Own. */
int task_hooked(Proc *p, int (*stop)(Proc *));

/* t is over. */
void task_ownfree(Task *t);

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

/* sync/lock.c */

/* qlock for one that goes on as the owner whatever comes. */
int task_relock(QLock *l);

/* sync/find.c */

/* makes room for a first one; -1 with ENOMEM.  Later ones need none. */
int task_idroom(Idtable *table);
void task_idadd(Idtable *table, Idnode *n, unsigned int id);
Idnode *task_idfind(const Idtable *table, unsigned int id);
void task_idremove(Idtable *table, Idnode *n);

/* The task that lives and has the id; NULL with ESRCH or ENOMEM. */
Task *task_find(Proc *p, int id);

enum { BlockBytes = 128 };

/* gives BlockBytes; NULL with ENOMEM.  All are freed with the proc at last. */
void *task_blockget(Blocks *b);
void task_blockput(Blocks *b, void *v);

/* p is over: gives back what sync/ has of it. */
void task_syncend(Proc *p);

/* sync/join.c */

/* taskwait, but the result is kept; and whether it would not wait. */
int task_await(int id);
int task_ended(int id);	/* 1, 0, or -1: it would fail */

/* sync/alt.c */

uint64_t task_random(Proc *p);

/* run.c: taskrun for main.c, which the program cannot replace. */
int task_run(void (*fn)(void *), void *arg);

/* has fn called at the end of t, first of all of its stage. */
static inline void
task_defer(Task *t, Defer *d, enum Stage stage, void (*fn)(Defer *))
{
	Defer **at = &t->defers;

	while(*at && (*at)->stage < stage)
		at = &(*at)->next;
	d->fn = fn;
	d->stage = stage;
	d->next = *at;
	*at = d;
}

/* takes that back, if it is still to come. */
static inline void
task_undefer(Task *t, const Defer *d)
{
	Defer **at = &t->defers;

	while(*at && *at != d)
		at = &(*at)->next;
	if(*at)
		*at = d->next;
}

static inline int
task_fail(int err)
{
	errno = err;
	return -1;
}

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

/* What it is that runs on t's stack. */
static inline const char *
task_kind(const Task *t)
{
	if(t->co && t->co->gen)
		return "generator";
	return t->co && t->co->parent ? "coroutine" : "task";
}

/* Lists of tasks by next and prev. */
static inline void
task_listadd(Tasklist *l, Task *t)
{
	listadd(l, t, prev, next);
}

static inline void
task_listremove(Tasklist *l, Task *t)
{
	listremove(l, t, prev, next);
}

#pragma GCC visibility pop
#endif
