/* SPDX-License-Identifier: MIT */
/* Alts for shared channels, and whatever else beside them. */
#include "../fd/fd.h"
#include "../proc/proc.h"
#include "../proc/shared.h"
#include "../task/life.h"
#include "../task/share.h"
#include "sync.h"
#include <errno.h>

/*
 * Such an alt chooses and enters its queues while all its shared channels are
 * locked.  Nothing is called meanwhile: what is local is looked at before, and
 * done afterwards.
 *
 * Whatever ends its wait must win its Claim first.  The fdtask, and tasks that
 * end or set events, do so by Task.wait.unlink; for channels of this thread the
 * alt makes that those who use them ask: it has them lend their home.
 */
static int
islocal(const Alt *a)
{
	return isop(a) && !(a->generation & EntryShared);
}

/*
 * prepares the entries, and looks which of those for no channel can be done:
 * they keep it in generation.  Returns whether there are entries for anything
 * but shared channels and delays.
 */
static int
preparemixed(Alt *a)
{
	int beside = 0;

	for(; !isend(a); a++){
		if(isop(a))
			a->generation = isshared(a->c) ? EntryShared : 0;
		else
			a->generation = task_watched(a) != 0;
		beside |= isother(a) || islocal(a);
	}
	return beside;
}

/* returns whether a might be done; the shared channels are locked. */
static int
might(const Alt *a)
{
	const Channel *c = a->c;

	if(!isop(a))
		return a->generation != 0;
	return isclosed(c) || (a->op == CHANSND ?
		c->arecv.head || c->nbuf < c->bufsize :
		c->asend.head || c->nbuf > 0);
}

/*
 * chooses among the entries, or among the shared ones, and does what it has
 * chosen if that is shared.  It chooses anew if all who waited there were
 * served by others meanwhile: they are in the queue no more then.
 */
static Alt *
choose(Proc *p, Alt *a, int sharedonly, Notes *told)
{
	Alt *pick;

	do{
		unsigned int n = 0;
		pick = NULL;
		for(Alt *x = a; !isend(x); x++)
			if((!sharedonly || (isop(x) && !islocal(x))) &&
					might(x) &&
					task_random(&p->random) % ++n == 0)
				pick = x;
	}while(pick && isop(pick) && !islocal(pick) &&
			!task_sharetry(pick, told));
	return pick;
}

/* does an entry that is not shared; returns whether it could be done. */
static int
dolocal(Alt *a)
{
	int err = errno, moved;

	if(!islocal(a))
		return 1;
	if(a->op == CHANRCV)
		moved = channbrecv(a->c, a->v);
	else
		moved = isclosed(a->c) ? 0 : channbsend(a->c, a->v);
	errno = err;
	a->err = moved ? 0 : EPIPE;
	return moved >= 0;
}

static void
lend(Channel *c)
{
	if(!islent(c)){
		c->closed = (char *)c->home + 1;
		c->home = NULL;
	}
	c->owned += ChanLent;
}

/* Closed meanwhile, it has no home any more. */
static void
giveback(Channel *c)
{
	c->owned -= ChanLent;
	if(c->owned < ChanLent && islent(c)){
		c->home = lenthome(c);
		c->closed = NULL;
	}
}

static void
leavelocal(Alt *a)
{
	if(islocal(a)){
		dequeue(a);
		giveback(a->c);
	}else if(isfd(a))
		task_fdleave(a);
	else if(isother(a))
		dequeue(a);
}

/* Claim.leave */
static void
leavelocals(Claim *w)
{
	w->leave = NULL;
	for(Alt *a = w->entries; !isend(a); a++)
		leavelocal(a);
}

/* enters all queues but those of shared channels; or none, and returns -1. */
static int
enterlocals(Alt *a, Task *t)
{
	for(Alt *x = a; !isend(x); x++){
		int r = 0;
		if(islocal(x)){
			lend(x->c);
			enqueue(queueof(x), x, t);
		}else if(x->op == ALTEVENT)
			enqueue(&x->e->waiting, x, t);
		else if(isother(x))
			r = isfd(x) ? task_fdenter(x) : task_joinenter(x);
		if(r < 0){
			while(x-- > a)
				leavelocal(x);
			return -1;
		}
	}
	return 0;
}

/*
 * does an entry that can be done at once, and returns it.  If there is none and
 * enters is set, w waits by all shared ones when NULL is returned.
 */
static Alt *
attempt(Proc *p, Alt *a, Claim *w, int sharedonly, int enters)
{
	Notes told = {NULL, NULL};
	Alt *pick;

	do{
		task_sharelock(a);
		pick = choose(p, a, sharedonly, &told);
		if(pick == NULL && enters)
			task_shareenter(w);
		task_shareunlock(a);
		task_sharetell(&told);
	}while(pick && !sharedonly && !dolocal(pick));
	return pick;
}

/* What chanalt returns when w, which has waited, was served by another. */
static int
wasserved(const Claim *w)
{
	int i = (int)(w->won - w->entries);

	if(w->end == EndLost || w->end == EndFreed)
		return task_fail(w->end == EndLost ? EPERM : EPIPE);
	w->entries[i].err = w->end ? EPIPE : 0;
	return i;
}

static int
awaitmixed(Claim *w, Alt *a)
{
	int64_t deadline = task_altdeadline(a);
	int err = errno;
	int r = task_sharepark(w, WaitAlt, deadline);

	return w->done ? wasserved(w) : task_altwaited(a, r, err);
}

int
task_altmixed(Alt *a)
{
	Proc *p = task_proc;
	Claim w;
	const Alt *end = a;

	while(!isend(end))
		end++;
	int waits = end->op == CHANEND;
	if(waits && task_door(p) == NULL)
		return -1;
	int beside = preparemixed(a);
	if(waits)
		task_sharebegin(&w, a);
	const Alt *pick = attempt(p, a, &w, 0, waits && !beside);
	if(pick == NULL && !waits)
		return task_fail(EAGAIN);
	if(pick == NULL && beside){
		if(enterlocals(a, p->running) < 0){
			task_shareforget(&w);
			return -1;
		}
		w.leave = leavelocals;
		pick = attempt(p, a, &w, 1, 1);
		if(pick)
			leavelocals(&w);
	}
	if(pick == NULL)
		return awaitmixed(&w, a);
	if(waits)
		task_shareforget(&w);
	int i = (int)(pick - a);
	return waits && sharetime(p->running, TakeWeight) ? task_share(i) : i;
}
