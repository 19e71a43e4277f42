/* SPDX-License-Identifier: MIT */
/* What coroutines and generators share: the switch, within a task. */
#ifndef TASK_CORO_H
#define TASK_CORO_H

#include "../taskimpl.h"

#pragma GCC visibility push(hidden)

/* The numbers from first until before end. */
typedef struct Range
{
	intptr_t first;
	intptr_t end;
	intptr_t step;
} Range;

typedef enum Genstate
{
	GenNew,
	GenYielded,
	GenRunning,	/* asked for a value; its coroutine may have stopped */
	GenEnded
} Genstate;

/*
 * A generator.  It lies above the first frame of its own stack, and belongs to
 * a proc: while it runs, it is part of the coroutine that asked it for a value.
 */
struct Gen
{
	Place place;	/* where it yielded, while it does not run */
	Place caller;	/* where its caller asked, while it runs */
	void **out;	/* where the caller wants the value, or NULL */
	Gen *outer;	/* the generator that this one is in, or NULL */
	Timeout *scopes;	/* those it has opened, while it does not run */
	Genstate state;
	Proc *proc;
	Stack *stack;
	void *(*fn)(void *);
	void *arg;
	Range range;	/* in one of genrange: arg points to it */
};

/* A Co and a Gen lie on their stacks where a Task would: see task_block. */
_Static_assert(sizeof(Co) <= sizeof(Task) && sizeof(Gen) <= sizeof(Task),
	"a task is the largest");

/* Wing, see run.c: the coroutines of a task end with it. */
int task_cobegin(Proc *p);
void task_coend(Proc *p);

/* returns the running coroutine; NULL with EPERM outside a task. */
Co *task_cocurrent(void);

/*
 * does the first half of a switch of t: exchanges all but the registers.  The
 * scheduler resumes t by its context and stack, so these are exchanged too; the
 * sp in the context does not matter, for t runs.
 */
static inline void
task_exchange(Proc *p, Task *t, Place *from, Place *to)
{
	from->err = *p->err;
	*p->err = to->err;
	if(p->exceptions){
		from->exceptions = *p->exceptions;
		*p->exceptions = to->exceptions;
	}
	from->stack = t->stack;
	t->stack = to->stack;
	from->context = t->context;
	t->context = to->context;
}

#pragma GCC visibility pop
#endif
