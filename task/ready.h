/* SPDX-License-Identifier: MIT */
/*
 * The ready queue: first in, first out, but for the turns of the fdtask, and a
 * task that was made to be the next.  It is for task.c, to be inline there.
 */
#ifndef TASK_READY_H
#define TASK_READY_H

#include "../taskimpl.h"
#include "probe.h"

enum
{
	TurnNs = Millisecond,	/* between two turns of the fdtask */
	PeriodMost = 64	/* switches between two looks: the most credit */
};

/*
 * It is a list.  Where more are ready than the caches hold, each switch would
 * wait for the memory of the next task, for only the one before tells where
 * that is.  So, once there are ManyReady, whoever joins is noted in the task
 * Ahead places before:
 *
 *	head -> t -> t -> t -> ... -> t -> t -> tail
 *	        |                     ^
 *	        '------- later -------'
 *
 * Who stops asks for the memory of the head's later.  That is done in the slow
 * way, for there is no credit then: so where fewer are ready nobody pays for
 * it.
 *
 * A note may be out of date, for nothing but a prefetch follows from it.  But
 * it is written into a task, and must not be into one that has ended.  So
 * recent is emptied when there come to be that many.  From then on it has those
 * who join, but for some who yield on what credit was left; and none of it can
 * leave the queue, while it is that long, before as many have joined: more than
 * it holds.
 */
_Static_assert(ManyReady > PeriodMost + Ahead, "recent holds who is ready");

static inline void
noteready(Proc *p, Task *t)
{
	Task **at = &p->recent.task[p->recent.n++ % Ahead];

	(*at)->later = t;
	(*at)->latersp = t->context.sp;
	*at = t;
}

/* Always inline, or gcc sees no effect in it and leaves it out. */
__attribute__((always_inline)) static inline void
fetchlater(const Task *t)
{
	__builtin_prefetch(t->later);
	__builtin_prefetch(t->latersp);
	__builtin_prefetch((const char *)t->latersp + 56);
}

/* There have just come to be many. */
static inline void
beginmany(Proc *p)
{
	for(int i = 0; i < Ahead; i++)
		p->recent.task[i] = &p->fdtask;
}

/*
 * for appendready.  Who is woken with others often was so before, in the same
 * order: his own note tells who is to be woken soon.  Not inline: it is rare.
 */
__attribute__((noinline)) static void
notemany(Proc *p, Task *t)
{
	if(p->seen){
		p->seen->wakes(p, t);
		return;
	}
	fetchlater(t);
	if(p->few == -1)
		beginmany(p);
	noteready(p, t);
}

/* appends t, in place of one that has been taken off. */
static inline void
replaceready(Proc *p, Task *t)
{
	t->next = NULL;
	if(p->ready.head)
		p->ready.tail->next = t;
	else
		p->ready.head = t;
	p->ready.tail = t;
}

static inline void
appendready(Proc *p, Task *t)
{
	PROBE(ready, 3, p->number, t->id, p->running->id);
	replaceready(p, t);
	if(--p->few < 0)
		notemany(p, t);
}

static inline void
prependready(Proc *p, Task *t)
{
	t->next = p->ready.head;
	if(p->ready.head == NULL)
		p->ready.tail = t;
	p->ready.head = t;
	if(--p->few == -1)
		beginmany(p);
}

/* makes a new task the first; who sees tasks is told as by appendready. */
static inline void
prependnew(Proc *p, Task *t)
{
	PROBE(ready, 3, p->number, t->id, p->running->id);
	prependready(p, t);
	if(p->seen)
		p->seen->wakes(p, t);
}

/* takes the first one off, or the fdtask, if there is none. */
static inline Task *
nextready(Proc *p)
{
	Task *next = p->ready.head;

	if(next == NULL)
		return &p->fdtask;
	p->ready.head = next->next;
	p->few++;
	return next;
}

/* puts the fdtask first into the ready queue. */
static inline void
turn(Proc *p)
{
	if(p->due)
		return;
	p->due = 1;
	prependready(p, &p->fdtask);
}

/*
 * gives the fdtask its turn when only system tasks are left: it ends the
 * program, unless the running task has made another task by then.
 */
static inline void
endcheck(Proc *p)
{
	if(p->ntask == p->nsystem)
		turn(p);
}

/*
 * looks at the clock, once in period switches, whether the fdtask's turn has
 * come.  The period adapts: tasks that run long between switches make it short.
 */
static inline void
look(Proc *p)
{
	int64_t now = p->now();

	if(now - p->turn_ns >= TurnNs || (p->door && task_doorfull(p->door)))
		turn(p);
	if(now - p->look_ns > TurnNs / 4)
		p->period = p->period > 2 ? p->period / 2 : 1;
	else if(p->period < PeriodMost)
		p->period *= 2;
	p->look_ns = now;
	p->credit = p->period;
}

#endif
