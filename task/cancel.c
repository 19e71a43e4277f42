/* SPDX-License-Identifier: MIT */
/* Cancelling and interrupting tasks, and shields for cleaning up. */
#include "life.h"
#include "newnames.h"
#include <errno.h>

/*
 * runs in place of the function of a task that was cancelled before it ran; the
 * exit status of the program stays what it is.
 */
static void
nothing(void *v)
{
	(void)v;
	task_quit();
}

/* ends the wait of t, if it is in one: at once, or with its shield. */
static void
cutwait(Proc *p, Task *t)
{
	Limits *l = &t->limits;
	Sleeper *s = &t->wait.sleeper;
	int64_t from = l->nshield > 0 ? l->shield.deadline_ns : 0;

	if(t->wait.number == 0 || s->deadline_ns == Uninterrupted)
		return;
	if(s->index && s->deadline_ns < from)
		return;
	l->nearest = &l->shield;
	if(from <= p->turn_ns){
		task_giveup(t, task_cut(t));
		return;
	}
	if(s->index)
		task_sleepremove(&p->sleeping, s);
	task_sleepinsert(&p->sleeping, s, from);
}

void
task_cancel(Proc *p, Task *t)
{
	t->limits.cancelled = 1;
	t->limits.bounds = &task_bounds;
	if(t->stopped == NotYet && t != p->running){
		t->fn = nothing;
		t->limits.knows = 1;
	}else
		cutwait(p, t);
}

int
taskcancel(int id)
{
	Proc *p = task_here();
	Task *t = p ? task_find(p, id) : NULL;

	if(t == NULL)
		return -1;
	task_cancel(p, t);
	return 0;
}

/* An interrupt has woken t, which has not run since. */
static int
interruptdue(const Proc *p, const Task *t)
{
	return t != p->running && t->stopped == InPark && t->wait.number == 0 &&
		t->wait.cut == CutOnce;
}

void
task_interruptwait(Proc *p, Task *t)
{
	if(interruptdue(p, t))
		return;
	task_interrupt(t);
	cutwait(p, t);
}

int
taskinterrupt(int id)
{
	Proc *p = task_here();
	Task *t = p ? task_find(p, id) : NULL;

	if(t == NULL)
		return -1;
	task_interruptwait(p, t);
	return 0;
}

int
taskcancelled(void)
{
	Proc *p = task_here();

	if(p == NULL || !p->running->limits.cancelled)
		return 0;
	p->running->limits.knows = 1;
	return 1;
}

void
task_shield(Proc *p, unsigned int ms)
{
	Limits *l = &p->running->limits;
	if(l->nrefused < RefusedMost)	/* it cleans up: not in a row */
		l->nrefused = 0;
	if(l->nshield++ > 0)
		return;
	task_scope(p->running, &l->shield,
		p->now() + ms * (int64_t)Millisecond);
	l->shield.opener = NULL;	/* the task's, not a coroutine's */
}

int
taskshield(unsigned int ms)
{
	Proc *p = task_here();

	if(p == NULL)
		return -1;
	task_shield(p, ms);
	return 0;
}

void
task_unshield(Proc *p)
{
	Limits *l = &p->running->limits;

	if(--l->nshield == 0)
		task_unscope(p->running, &l->shield);
}

int
taskunshield(void)
{
	Proc *p = task_here();

	if(p == NULL)
		return -1;
	if(p->running->limits.nshield == 0)
		return task_fail(EINVAL);
	task_unshield(p);
	return 0;
}
