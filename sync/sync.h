/* SPDX-License-Identifier: MIT */
/* How tasks meet: what channels, alts and locks share. */
#ifndef TASK_SYNC_H
#define TASK_SYNC_H

#include "../taskimpl.h"

#pragma GCC visibility push(hidden)

/* chan.c: returns the errno for a call with c, or 0; c may be closed. */
int task_chanwrong(const Channel *c);

/* lock.c: qlock, which no scope or cancel ends: for tasksleep. */
int task_relock(QLock *l);

/* Alts in the queues of channels, those of chansend and chanrecv too. */

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

/* What the call of t returns, if it is chanalt or returns a word. */
static inline intptr_t
altvalue(const Task *t, const Alt *a, int result)
{
	if(t->wait.why == WaitAlt)
		return result < 0 ? -1 : a - (const Alt *)t->wait.object.v;
	return result < 0 ? 0 : *(const intptr_t *)a->v;
}

/*
 * has the task of a go on.  Its call returns result, or, if it is chanalt, the
 * index of a, or the word that it received; or it fails with EPIPE if result is
 * -1.
 */
static inline void
finishalt(Alt *a, int result)
{
	Task *t = a->task;
	intptr_t value = result;

	if(t->wait.why <= WaitWord){
		t->wait.unlink(t);
		value = altvalue(t, a, result);
	}else
		dequeue(a);
	task_ready(t, t->wait.number, result < 0 ? EPIPE : 0);
	t->result = (uintptr_t)value;
}

#pragma GCC visibility pop
#endif
