/* SPDX-License-Identifier: MIT */
/* What coroutines and generators share: the switch, within a task. */
#ifndef TASK_CORO_H
#define TASK_CORO_H

#include "../taskimpl.h"

#pragma GCC visibility push(hidden)

typedef enum Genstate
{
	GenNew,
	GenYielded,
	GenRunning,	/* and may have gone elsewhere meanwhile */
	GenEnded
} Genstate;

/*
 * A generator.  It lives above the first frame of its own stack, and belongs to
 * a proc: while it runs, it is part of the coroutine that asked it for a value.
 */
struct Gen
{
	Place place;	/* where it yielded, while it does not run */
	Place caller;	/* who waits for it, while it runs */
	void **out;	/* where that one wants the value, or NULL */
	Gen *outer;	/* the generator that this one is in, or NULL */
	Timeout *scopes;	/* its open ones, while it does not run */
	Genstate state;
	Proc *proc;
	Stack *stack;
	void *(*fn)(void *);
	void *arg;
};

/* Both take the room of a task on their stacks: see task_block. */
_Static_assert(sizeof(Co) <= sizeof(Task) && sizeof(Gen) <= sizeof(Task),
	"a task is the largest");

/* Wing: a task's coroutines end with it. */
int task_cobegin(Proc *p);
void task_coend(Proc *p);

/* The running coroutine; NULL with EPERM outside a task. */
Co *task_cocurrent(void);

/*
 * The first half of a switch: exchanges all but the registers.  To the
 * scheduler t is where its context and stack say, so these go along; the sp in
 * the context does not matter.
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
