/* SPDX-License-Identifier: MIT */
/* Tasks, the scheduler, and the one way to block. */
#ifndef TASK_TASKIMPL_H
#define TASK_TASKIMPL_H

#include "machine.h"
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
	WaitCount
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
	Co *child;	/* the newest of those that have it as parent */
	Co *older;	/* among its parent's children, as is newer */
	Co *newer;
	Stack *stack;	/* its own */
	Gen *gen;	/* the innermost of the generators it is in, or NULL */
	void *(*fn)(void *);
	void *arg;
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

	Sleeper sleeper;	/* in the sleeping queue if it has a deadline */

	/* taskcreate clears what follows, up to the name, and sleeper.place */
	Task *younger;
	uint64_t park;	/* the number of the wait it is parked in, or 0 */
	Co *co;	/* the coroutine that runs; NULL: it never had another */
	Own *own;	/* see local.c; NULL for most */
	void *data;	/* taskdata */
	size_t written;	/* fdwritten */
	Exceptions exceptions;	/* in C++ programs, while it does not run */
	int err;	/* its errno, while it does not run */
	int nfast;	/* descriptor calls in a row without having to wait */
	unsigned char yielded;	/* it stopped in taskyield, not in task_park */
	unsigned char system;
	unsigned char named;	/* name is valid; else it is "" */
	unsigned char stated;
	char name[TextBytes];
	char state[TextBytes];
	Alt alt;	/* valid while it waits in chansend or chanrecv */
	Co main;	/* its main coroutine: valid if co is not NULL */
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

/* prints one line about the running task and the list of tasks, and aborts. */
void task_misuse(const char *fmt, ...) TASK_PRINTF(1, 2) TASK_NORETURN;

/* task.c */

/* taskrun, for a proc with its hooks set. */
int task_start(Proc *p, void (*fn)(void *), void *arg, size_t stack);

/*
 * The one way to stop: parks the running task until task_ready.  It joins
 * queue, if there is one.  When deadline_ns passes first (-1: never) it is
 * taken off the queue, unlink is called, and it goes on with ETIMEDOUT.  Nobody
 * who finds it parked can so hand it something that is then lost.
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

uint64_t task_random(Proc *p);

/* local.c */

/* stop(p) with the hooks of the running task, which has an Own. */
int task_hooked(Proc *p, int (*stop)(Proc *));

/* t, which runs and has an Own, is to end. */
void task_ownend(Proc *p, Task *t);
void task_ownfree(Task *t);

/* fd.c */

/* fdwait and fdclose for the library itself. */
int task_fdwait(int fd, int rw);
int task_fdclose(int fd);

/* fdwait, after a call has found that it would have to wait. */
int task_fddrained(int fd, int rw);

/* sleeps for ms, but no longer than fd is open: 0; -1 with EBADF. */
int task_fdpause(int fd, unsigned int ms);

/* fd has just come from the kernel: whoever waits for it means another file. */
void task_fdfresh(int fd);

/* fd may have come from the kernel since it was waited for last. */
void task_fddoubt(int fd);

/* A read got less than it asked for: the next one need not try first. */
void task_fdshort(int fd);
int task_fdempty(int fd);

/* Whether fd is known not to be a socket, or is so from now on. */
int task_fdnotsocket(int fd, int now);

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

/* run.c: taskrun for main.c, which the program cannot replace. */
int task_run(void (*fn)(void *), void *arg);

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
	t->next = NULL;
	t->prev = l->tail;
	if(l->tail)
		l->tail->next = t;
	else
		l->head = t;
	l->tail = t;
}

static inline void
task_listremove(Tasklist *l, Task *t)
{
	if(t->prev)
		t->prev->next = t->next;
	else
		l->head = t->next;
	if(t->next)
		t->next->prev = t->prev;
	else
		l->tail = t->prev;
}

#pragma GCC visibility pop
#endif
