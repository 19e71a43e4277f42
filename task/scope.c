/* SPDX-License-Identifier: MIT */
/* Scopes: until when the waits of a task may last. */
#include "life.h"
#include <errno.h>

/*
 * A scope, which is the program's Timeout, ends the waits of a task at its
 * deadline.  A task keeps its open scopes in a list, the innermost first; they
 * lie in the program's memory.  What bounds the waits of a task is one of:
 *
 *	a scope		its deadline
 *	a cancel	at once, and an interrupt
 *	a shield	none itself, but what is outside of it, the scopes
 *			opened before and these, is held off until its end
 *
 * task_park waits no longer than until the nearest bound.  It does not look at
 * the clock: a bound that was over at the last turn of the fdtask fails the
 * wait at once; one that is over since then ends the wait in the next turn, for
 * the task is in the sleeping queue with it.  So a task is stopped too whose
 * waits are all short and end before the fdtask has seen them.
 */

/*
 * finds the nearest bound of t, sets limits.nearest to it, and returns when it
 * is over; least if none is over by then.  Of two that are equal the outer one
 * counts, for it ends more.
 */
static int64_t
nearest(Task *t, int64_t least)
{
	Limits *l = &t->limits;
	int64_t from = 0;

	l->nearest = NULL;
	for(Timeout *s = l->scopes; s; s = s->outer){
		int64_t d = s->deadline_ns > from ? s->deadline_ns : from;
		if(s == &l->shield)
			from = d;
		else if(d <= least){
			l->nearest = s;
			least = d;
		}
	}
	if((l->cancelled || l->interrupted) && from <= least){
		l->nearest = &l->shield;
		least = from;
	}
	return least;
}

/*
 * fails the wait of t, which is about to park, with err, unless it is too late
 * for that.  Others run first: a task that tries again and again must not keep
 * them from running.
 */
static int64_t
refusewait(Task *t, int err)
{
	Limits *l = &t->limits;

	if(!task_unwait(t)){
		l->nearest = NULL;
		return -1;
	}
	if(err == ECANCELED && l->nrefused < RefusedMost &&
			++l->nrefused == RefusedMost && task_proc->turns)
		task_proc->turns(task_proc);
	t->wait.number = 0;
	taskyield();
	errno = err;
	return Refused;
}

/*
 * Bounds.until.  Closing the last scope leaves limits.bounds set, to be fast;
 * the next wait notices here that there are no bounds left.
 */
static int64_t
until(Task *t, int64_t deadline_ns)
{
	Limits *l = &t->limits;

	l->nearest = NULL;
	if(l->scopes == NULL && !l->cancelled && !l->interrupted)
		l->bounds = NULL;
	if(deadline_ns == Uninterrupted)
		return deadline_ns;
	int64_t d = nearest(t, deadline_ns < 0 ? INT64_MAX : deadline_ns);
	if(l->nearest == NULL)
		return deadline_ns;
	return d <= task_proc->turn_ns ? refusewait(t, task_cut(t)) : d;
}

int
task_cut(Task *t)
{
	Limits *l = &t->limits;

	if(l->bounds == NULL || l->nearest == NULL)
		return ETIMEDOUT;
	if(l->nearest != &l->shield){
		t->wait.cut = l->nearest->fired ? CutAgain : CutFirst;
		l->nearest->fired = 1;
		return l->nearest->err ? l->nearest->err : ETIMEDOUT;
	}
	if(!l->cancelled){
		t->wait.cut = CutOnce;
		l->interrupted = 0;
		return EINTR;
	}
	t->wait.cut = l->knows ? CutAgain : CutFirst;
	l->knows = 1;
	return ECANCELED;
}

/*
 * A scope or a cancel that had ended another call before has ended that still:
 * a shield holds it off, and it cuts again when that ends.  An interrupt is for
 * the next wait.
 */
void
task_uncut(Task *t, Cut cut)
{
	if(cut.how == CutOnce)
		task_interrupt(t);
	if(cut.how != CutFirst)
		return;
	if(cut.by != &t->limits.shield)
		cut.by->fired = 0;
	else
		t->limits.knows = 0;
}

void
task_interrupt(Task *t)
{
	t->limits.interrupted = 1;
	t->limits.bounds = &task_bounds;
}

int
task_refused(Proc *p)
{
	Task *t = p->running;

	return t->limits.bounds && nearest(t, INT64_MAX) <= p->turn_ns;
}

int64_t
task_scopesdeadline(Proc *p)
{
	Limits *l = &p->running->limits;
	unsigned char cancelled = l->cancelled, interrupted = l->interrupted;

	l->cancelled = l->interrupted = 0;
	int64_t d = nearest(p->running, INT64_MAX);
	l->cancelled = cancelled;
	l->interrupted = interrupted;
	return l->nearest ? d : -1;
}

void
task_wakesleepers(Proc *p, int64_t now)
{
	Sleeper *s;

	while((s = task_sleepfirst(&p->sleeping)) && s->deadline_ns <= now){
		Task *t = structof(Task, wait.sleeper, s);
		task_giveup(t, task_cut(t));
	}
}

/* The scopes lie in functions that have returned: none of them is looked at. */
void
task_unscopeall(Task *t)
{
	t->limits.scopes = NULL;
	t->limits.nshield = 0;
}

const Bounds task_bounds = {.until = until, .drop = task_unscopeall};

Timeout *
task_scopesof(Task *t, const void *opener)
{
	Timeout *first = NULL, **end = &first;

	for(Timeout **at = &t->limits.scopes, *s; (s = *at); )
		if(s->opener == opener){
			*at = s->outer;
			*end = s;
			end = &s->outer;
		}else
			at = &s->outer;
	*end = NULL;
	return first;
}

void
task_rescope(Task *t, Timeout *first)
{
	Timeout **at = &first;

	while(*at)
		at = &(*at)->outer;
	*at = t->limits.scopes;
	t->limits.scopes = first;
	t->limits.bounds = &task_bounds;
}

static const void *
opener(const Task *t)
{
	return t->co && t->co->gen ? (void *)t->co->gen : (void *)t->co;
}

/* opens s on t; if it is open already it begins anew. */
void
task_scope(Task *t, Timeout *s, int64_t deadline_ns)
{
	task_unscope(t, s);
	s->outer = t->limits.scopes;
	s->deadline_ns = deadline_ns;
	s->opener = opener(t);
	s->fired = s->err = 0;
	t->limits.scopes = s;
	t->limits.bounds = &task_bounds;
}
