/* SPDX-License-Identifier: MIT */
/* Alt: waits for the first of channels, files, delays, tasks and events. */
#include "../fd/fd.h"
#include "../proc/shared.h"
#include "../task/life.h"
#include "../task/share.h"
#include "sync.h"
#include <errno.h>

/* What check returns where task_altmixed is to go on. */
enum { Mixed = -1 };

/* The same for a channel that is not at home here. */
__attribute__((noinline)) static int
checkaway(const Channel *c)
{
	if(c && isshared(c))
		return task_sharewrong(c) ? EPERM : Mixed;
	int err = task_chanwrong(c);
	return err == 0 && islent(c) ? Mixed : err;
}

/*
 * returns 0, or the errno for chanalt to fail with; others: there are entries
 * for other things than channels.
 */
static int
check(const Alt *a, int *others)
{
	int mixed = 0;

	if(task_proc == NULL || a == NULL)
		return a ? EPERM : EINVAL;
	for(; !isend(a); a++){
		if(isop(a)){
			if(a->c && a->c->home == &task_proc)
				continue;
			int err = checkaway(a->c);
			if(err > 0)
				return err;
			mixed |= err;
		}else if(a->op == ALTEVENT && a->e == NULL)
			return EINVAL;
		else if(a->op == ALTEVENT && foreignevent(a->e))
			return EPERM;
		else if(isother(a) || a->op == ALTDELAY)
			*others = 1;
		else if(a->op != CHANNOP)
			return EINVAL;
	}
	return mixed;
}

/* returns whether a can be done without waiting; so can what is closed. */
static inline int
can(Alt *a)
{
	Channel *c = a->c;

	if(!isop(a))
		return task_watched(a);
	if(c->closed)
		return 1;
	return a->op == CHANSND ? c->arecv.head || c->nbuf < c->bufsize :
		c->asend.head || c->nbuf > 0;
}

/* does an entry that can be done. */
static void
serve(Alt *a)
{
	int moved = 1;

	if(!isop(a))
		return;
	if(a->op == CHANRCV)
		moved = channbrecv(a->c, a->v);
	else if(a->c->closed)
		moved = 0;
	else
		channbsend(a->c, a->v);
	a->err = moved ? 0 : EPIPE;
}

/* takes a off the queue that it is in. */
static inline void
leavequeue(Alt *a)
{
	if(isop(a))
		dequeue(a);
	else if(isfd(a))
		task_fdleave(a);
	else if(isother(a))
		dequeue(a);
}

/* takes t, which is in chanalt, off what its entries wait for. */
static void
leavealt(Task *t)
{
	for(Alt *a = (Alt *)t->wait.object.v; !isend(a); a++)
		leavequeue(a);
}

/* puts all entries into their queues; or returns -1 and errno, and none is. */
static int
enterqueues(Proc *p, Alt *a)
{
	for(Alt *x = a; !isend(x); x++){
		int r = 0;
		if(isop(x))
			enqueue(queueof(x), x, p->running);
		else if(x->op == ALTEVENT)
			enqueue(&x->e->waiting, x, p->running);
		else if(isother(x))
			r = isfd(x) ? task_fdenter(x) : task_joinenter(x);
		if(r < 0){
			while(x-- > a)
				leavequeue(x);
			return -1;
		}
	}
	return 0;
}

/* waits until an entry has been done, or the shortest delay is over. */
__attribute__((noinline)) static int
awaitothers(Proc *p, Alt *a)
{
	int64_t deadline = task_altdeadline(a);
	int err = errno;

	if(enterqueues(p, a) < 0)
		return -1;
	int r = task_park(WaitAlt, (Object){a}, NULL, leavealt, deadline);
	return task_altwaited(a, r, err);
}

__attribute__((noinline)) static int
checked(Alt *a, int err)
{
	return err == Mixed ? task_altmixed(a) : task_fail(err);
}

int
chanalt(Alt *a)
{
	Proc *p = task_proc;
	Alt *x, *pick = NULL;
	unsigned int n = 0;
	int others = 0, err = check(a, &others);

	if(err)
		return checked(a, err);
	for(x = a; !isend(x); x++)
		if(can(x) && task_random(&p->random) % ++n == 0)
			pick = x;
	if(pick){
		serve(pick);
		n = (unsigned int)(pick - a);
		return x->op == CHANEND && sharetime(p->running, TakeWeight) ?
			task_share((int)n) : (int)n;
	}
	if(x->op == CHANNOBLK)
		return task_fail(EAGAIN);
	if(others)
		return awaitothers(p, a);
	for(x = a; !isend(x); x++)
		if(isop(x))
			enqueue(queueof(x), x, p->running);
	return task_park(WaitAlt, (Object){a}, NULL, leavealt, -1);
}
