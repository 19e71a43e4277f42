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

static inline int
isfd(const Alt *a)
{
	return a->op == ALTREAD || a->op == ALTWRITE || a->op == ALTHANGUP;
}

static inline int
isother(const Alt *a)
{
	return isfd(a) || a->op == ALTTASK || a->op == ALTEVENT;
}

/* returns the queue of the channel that a is for. */
static inline Altlist *
queueof(const Alt *a)
{
	return a->op == CHANSND ? &a->c->asend : &a->c->arecv;
}

/*
 * While an alt waits for a channel of this thread and for shared ones, the
 * first is lent: so that its calls go the slow way, where they ask whether
 * another thread has served the alt.  It has no home meanwhile, and closed is
 * where its home was, and 1.
 */
static inline int
islent(const Channel *c)
{
	return ((uintptr_t)c->closed & 1) != 0;
}

/* returns the home that c has lent. */
static inline void *
lenthome(const Channel *c)
{
	return (char *)c->closed - 1;
}

static inline int
isclosed(const Channel *c)
{
	return c->closed && !islent(c);
}

/* beside.c: what alts wait for besides channels */

/*
 * returns whether a, which is for no channel, can be done without waiting.  Not
 * inline: so chanalt, which ends in task_park, has no frame left then.
 */
int task_watched(Alt *a);

/* returns when the shortest delay of a is over; -1 if there is none. */
int64_t task_altdeadline(const Alt *a);

/* What chanalt returns when task_park has returned r; errno was err before. */
int task_altwaited(Alt *a, int r, int err);

/* mixed.c: chanalt where a channel is shared or lent. */
int task_altmixed(Alt *a);

#pragma GCC visibility pop
#endif
