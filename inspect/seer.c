/* SPDX-License-Identifier: MIT */
/* Lets several look on while tasks stop and wake. */
#include "inspect.h"

int
task_whystopped(const Proc *p)
{
	const Task *t = p->running;

	if(t->context.sp == NULL)
		return -1;
	return t->wait.number ? (int)t->wait.why : WaitNone;
}

/*
 * A task that is ready does not wait, so since_ns is free: while somebody looks
 * on it tells when the task became ready.  The fdtask's is of no use.
 */
static void
allstop(Proc *p, Task *to)
{
	int64_t now = p->now();

	if(task_whystopped(p) == WaitNone)
		p->running->wait.since_ns = now;
	for(Seer *s = p->seers; s; s = p->nextseer){
		p->nextseer = s->next;
		s->stops(s, p, to, now);
	}
}

static void
allwake(Proc *p, Task *t)
{
	int64_t now = p->now();

	t->wait.since_ns = now;
	for(Seer *s = p->seers; s; s = s->next)
		if(s->wakes)
			s->wakes(s, p, t, now);
}

static void
allrefuse(Proc *p, const Task *t)
{
	for(Seer *s = p->seers; s; s = s->next)
		if(s->refuses)
			s->refuses(p, t);
}

static const Seen seen = {allstop, allwake, allrefuse};

/* Those that are ready when the first one comes have become so just then. */
void
task_seerbegin(Proc *p, Seer *s)
{
	int64_t now = p->seers ? 0 : p->now();

	for(Task *t = p->seers ? NULL : p->all.head; t; t = t->younger)
		if(t->wait.number == 0)
			t->wait.since_ns = now;
	s->next = p->seers;
	p->seers = s;
	task_see(p, &seen);
}

Seer *
task_seerfind(const Proc *p, void (*stops)(Seer *, Proc *, Task *, int64_t))
{
	Seer *s = p->seers;

	while(s && s->stops != stops)
		s = s->next;
	return s;
}

void
task_seersend(Proc *p)
{
	while(p->seers)
		p->seers->end(p);
}

void
task_seerend(Proc *p, Seer *s)
{
	Seer **at = &p->seers;

	while(*at != s)
		at = &(*at)->next;
	*at = s->next;
	if(p->nextseer == s)
		p->nextseer = s->next;
	if(p->seers == NULL)
		task_see(p, NULL);
}
