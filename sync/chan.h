/* SPDX-License-Identifier: MIT */
/* The entries that wait in channels. */
#ifndef TASK_CHAN_H
#define TASK_CHAN_H

#include "../taskimpl.h"

#pragma GCC visibility push(hidden)

/* The errno for a call that c is not right for, or 0; closed is right. */
int task_chanwrong(const Channel *c);

/* t, in chanalt, stops waiting: all its entries leave what they wait for. */
void task_altleave(Task *t);

static inline Altlist *
queueofalt(Alt *a)
{
	return a->op == CHANSND ? &a->c->asend : &a->c->arecv;
}

static inline void
enqueue(Alt *a, Task *t)
{
	Altlist *q = queueofalt(a);

	a->task = t;
	listadd(q, a, prev, next);
}

static inline void
dequeue(Alt *a)
{
	Altlist *q = queueofalt(a);

	listremove(q, a, prev, next);
}

static inline int
isop(const Alt *a)
{
	return a->op == CHANSND || a->op == CHANRCV;
}

static inline int
isend(const Alt *a)
{
	return a->op == CHANEND || a->op == CHANNOBLK;
}

/*
 * The task of a goes on.  Its call returns result, or, if it is chanalt, which
 * entry it was; or it fails with EPIPE if result is -1.
 */
static inline void
finish(Alt *a, int result)
{
	Task *t = a->task;

	if(t->why == WaitAlt){
		task_altleave(t);
		if(result >= 0)
			result = (int)(a - (const Alt *)t->object.v);
	}else
		dequeue(a);
	task_ready(t, t->park, result < 0 ? EPIPE : 0);
	t->result = result;
}

#pragma GCC visibility pop
#endif
