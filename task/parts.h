/* SPDX-License-Identifier: MIT */
/* What the parts of the library keep in each task, beside the scheduler. */
#ifndef TASK_PARTS_H
#define TASK_PARTS_H

#include "../machine/machine.h"
#include "../task.h"

typedef struct Proc Proc;

/* What C++ keeps of exceptions that are thrown or caught, as its ABI has it. */
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
 * A coroutine: coro/coro.c's.  It lives above the first frame of its own stack,
 * but the main one in its task.
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
	} children;	/* those that have it as parent, the oldest first */
	Co *older;	/* among its parent's children */
	Co *newer;
	Stack *stack;	/* its own */
	Gen *gen;	/* the innermost of the generators it is in, or NULL */
	void *(*fn)(void *);
	void *arg;
};

/* One of many that are found by a number: see task/life.h. */
typedef struct Idnode Idnode;
struct Idnode
{
	Idnode *next;	/* in its chain */
	unsigned int id;
};

/* What is left to do at a task's end: see task/life.h. */
typedef struct Defer Defer;
struct Defer
{
	Defer *next;
	void (*fn)(Defer *d);
	int stage;
};

/* What few tasks have of their own, from their first value or hook on: own.c. */
typedef struct Own
{
	/* calls stop(p) between the hooks of its task: task.c's way to them */
	int (*around)(Proc *p, int (*stop)(Proc *p));
	void (*in)(void *);
	void (*out)(void *);
	void *arg;	/* of both */
	Defer end;	/* of the task */
	int inhook;	/* one of the two is being called */
	int nround;	/* of destroyers, at the end */
	int nlocal;
	void **local;	/* the values: nlocal of them */
} Own;

#endif
