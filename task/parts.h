/* SPDX-License-Identifier: MIT */
/* What the parts of the library keep in each task, beside the scheduler. */
#ifndef TASK_PARTS_H
#define TASK_PARTS_H

#include "../machine/machine.h"
#include "../task.h"

typedef struct Proc Proc;
typedef struct Member Member;

/* A task among those of all schedulers: copied as one. */
typedef struct Taskid
{
	unsigned int id;
	unsigned int proc;	/* which scheduler, of all that there were */
} Taskid;

/*
 * The exceptions that a thread has thrown or caught, as the C++ ABI keeps them.
 */
typedef struct Exceptions
{
	void *caught;
	unsigned int uncaught;
} Exceptions;

/* Where a coroutine or a generator stopped. */
typedef struct Place
{
	Context context;
	Stack *stack;	/* that it runs on */
	Exceptions exceptions;
	int err;
} Place;

/*
 * A coroutine: see coro/coro.c.  It lies above the first frame of its own
 * stack, but the main one lies in its task.
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
	} children;	/* coroutines whose parent this is, the oldest first */
	Co *older;	/* among its parent's children */
	Co *newer;
	Stack *stack;	/* its own */
	Gen *gen;	/* the innermost of the generators it is in, or NULL */
	void *(*fn)(void *);
	void *arg;
};

/* What is found by a number has an Idnode in it: see Idtable in task/life.h. */
typedef struct Idnode Idnode;
struct Idnode
{
	Idnode *next;	/* in its chain */
	unsigned int id;
};

/* One thing left to do at a task's end: see task_defer in task/life.h. */
typedef struct Defer Defer;
struct Defer
{
	Defer *next;
	void (*fn)(Defer *d);
	int stage;
};

/* What few tasks have, from their first value or hook on: see own.c. */
typedef struct Own
{
	/* calls stop(p), and the hooks before and after it; for task.c */
	int (*around)(Proc *p, int (*stop)(Proc *p));
	void (*in)(void *);
	void (*out)(void *);
	void *arg;	/* of both */
	Defer end;	/* of the task */
	int inhook;	/* in or out is being called */
	int nround;	/* rounds of destroyers that are over, at the end */
	int key;	/* the next one of this round */
	int any;	/* this round has called one */
	int nlocal;
	void **local;	/* the values: nlocal of them */
} Own;

/*
 * How a wait was cut: by what had ended another before, or had not, or by an
 * interrupt, which is over with that; or it was not, for it was too late.
 */
enum { NotCut, CutFirst, CutAgain, CutOnce, CutLate };

/* What may stand in place of a deadline. */
enum
{
	Uninterrupted = -2,	/* for task_park: no scope ends the wait */
	Refused = -3	/* Bounds.until has ended the wait */
};

/* What task.c asks of task/scope.c about a task whose waits are bounded. */
typedef struct Bounds
{
	/*
	 * returns until when t, which has parked until deadline_ns, may wait;
	 * Refused, with errno, if the wait has failed at once.
	 */
	int64_t (*until)(Task *t, int64_t deadline_ns);
	void (*drop)(Task *t);	/* closes all scopes of t */
} Bounds;

/* The limits of a task's waits: written by task/scope.c, cancel.c only. */
typedef struct Limits
{
	const Bounds *bounds;	/* NULL: there are none */
	Timeout *scopes;	/* the open ones, the innermost first */
	unsigned int nshield;	/* calls of taskshield to be undone */
	unsigned char cancelled;
	unsigned char knows;	/* the task has learnt that it is cancelled */
	unsigned short nrefused;	/* waits in a row, if cancelled */
	unsigned char interrupted;	/* and its next wait fails by that */

	/* of the last wait: what is to end it; &shield: cancel, interrupt */
	Timeout *nearest;	/* NULL: neither, only its own deadline */
	Timeout shield;	/* a scope that is open while nshield > 0 */
} Limits;

/*
 * Of ready tasks: see task/ready.h.  Fewer than ManyReady an L2 cache holds.
 * Not a multiple of Colours in machine/stack.c: those share lines.
 */
enum { ManyReady = 2048, Ahead = 12 };

typedef struct Recent
{
	Task *task[Ahead];	/* who joined last; the oldest is the n-th */
	unsigned int n;
} Recent;

/*
 * Who sees what the tasks of a proc do: see Proc.seen.  It is called before the
 * running task stops and to goes on, when t, which may be new, has become
 * ready, and when the running task wanted to go on in a coroutine of t, which
 * is another's.  It does not block.
 */
typedef struct Seen
{
	void (*stops)(Proc *p, Task *to);
	void (*wakes)(Proc *p, Task *t);
	void (*refuses)(Proc *p, const Task *t);
} Seen;

enum { Seeing = 1 << 30 };	/* more than can be ready */

/* How long a task has run. */
typedef struct Ran
{
	uint64_t ns;	/* in all */
	uint64_t longest_ns;	/* without a stop */
	uint64_t ready_ns;	/* how long it was ready before it ran */
	unsigned int nswitch;	/* how often it has gone on */
} Ran;

/* early.c: tasks that were made before the scheduler ran, the oldest first. */
typedef struct Early Early;
struct Early
{
	Early *next;
	void (*fn)(void *);
	void *arg;
	size_t stack;
};

#pragma GCC visibility push(hidden)
int task_early(void (*fn)(void *), void *arg, size_t stack);	/* id, or -1 */

/* NULL, or makes the task at once, in this thread: see embed.c. */
extern _Thread_local int (*task_earlyhost)(void (*fn)(void *), void *arg,
	size_t stack);
const Early *task_earlyfirst(void);
void task_earlyclear(void);

/*
 * cxx.c: where this thread's exceptions are, for Proc.exceptions; NULL while
 * there is no C++, and then it sets that itself when there is.
 */
Exceptions *task_exceptions(void);
#pragma GCC visibility pop

#endif
