/* SPDX-License-Identifier: MIT */
/* How tasks meet: what channels, alts and locks share. */
#ifndef TASK_SYNC_H
#define TASK_SYNC_H

#include "../task/entry.h"

#pragma GCC visibility push(hidden)

/* chan.c: returns the errno for a call with c, or 0; c may be closed. */
int task_chanwrong(const Channel *c);

/*
 * Whether t is of another scheduler than p: no call here may wake it, or wait
 * in one queue with it.  In a queue all are of one, so its first one tells.
 */
static inline int
task_foreign(const Proc *p, const Task *t)
{
	return t && t->key.proc != p->next.proc;
}

/* Whether the tasks that wait for e are of another scheduler. */
static inline int
foreignevent(const Event *e)
{
	return e->waiting.head &&
		task_foreign(task_proc, e->waiting.head->task);
}

/* lock.c: qlock, which no scope or cancel ends: for tasksleep. */
void task_relock(QLock *l);

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

#pragma GCC visibility pop
#endif
