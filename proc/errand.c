/* SPDX-License-Identifier: MIT */
/* Errands: what a task waits for that another thread does. */
#include "proc.h"
#include "../fd/fd.h"
#include <errno.h>

Door *
task_door(Proc *p)
{
	if(p->door)
		return p->door;
	Door *d = task_dooropen();
	if(d && task_fddoor(p->fds, d) < 0){
		task_doorleave(d);
		return NULL;
	}
	task_memberreach(p->member, d);
	return p->door = d;
}

static void
told(Note *n, void *owner)
{
	Proc *p = owner;
	Errand *e = structof(Errand, note, n);
	Task *t = e->task;

	task_erranddone(p, e);
	if(t->wait.number && t->wait.why == WaitErrand &&
			t->wait.object.v == e)
		task_ready(t, t->wait.number, 0);
}

int
task_errandbegin(Proc *p, Errand *e, const char *what, int proc)
{
	Door *home = task_door(p);

	if(home == NULL)
		return -1;
	*e = (Errand){.note = {NULL, told}, .home = home, .task = p->running,
		.what = what, .proc = proc};
	listadd(&p->member->errands, e, prev, next);
	return 0;
}

void
task_erranddone(Proc *p, Errand *e)
{
	if(e->done)
		return;
	e->done = 1;
	listremove(&p->member->errands, e, prev, next);
	if(e->takeback && !e->lost)	/* a child has no hope left */
		task_hope(-1);
}

int
task_errandwait(Errand *e, int64_t deadline_ns)
{
	int err = errno;

	while(!e->done){
		if(task_park(WaitErrand, (Object){e}, NULL, NULL,
				deadline_ns) == 0)
			continue;
		if(!e->done)
			return -1;
		task_uncut(e->task, task_lastcut(e->task));
	}
	errno = err;
	return 0;
}

/* Where it was lost nobody has it to be taken from. */
static int
takeback(Proc *p, Errand *e)
{
	if(!e->lost && !e->takeback(e))
		return 0;
	task_erranddone(p, e);
	return 1;
}

static void
abandonoutside(Proc *p, Errand *e)
{
	takeback(p, e);
}

/*
 * The hope is there before anybody can begin: else the report of a deadlock
 * might come first.
 */
int
task_errandoutside(Proc *p, Errand *e, const char *what,
	int (*fn)(Errand *e))
{
	if(task_errandbegin(p, e, what, 0) < 0)
		return -1;
	e->takeback = fn;
	e->abandon = abandonoutside;
	task_hope(1);
	if(!task_refused(p) || task_errandwait(e, -1) == 0)
		return 0;
	task_erranddone(p, e);
	return -1;
}

int
task_errandawait(Proc *p, Errand *e, Cut *cut)
{
	*cut = (Cut){NotCut, NULL};
	if(task_errandwait(e, -1) == 0)
		return 0;
	int err = errno;
	*cut = task_lastcut(p->running);
	if(takeback(p, e))
		return task_fail(err);
	task_errandwait(e, Uninterrupted);
	return 0;
}

void
task_errandslose(Member *m)
{
	for(Errand *e = m->errands.head; e; e = e->next)
		e->lost = 1;
}

void
task_errandslost(Proc *p)
{
	for(Errand *e = p->member->errands.head, *next; e; e = next){
		next = e->next;
		if(e->lost)
			told(&e->note, p);
	}
}

/* has what can be taken back or cancelled end. */
static void
abandonerrands(Proc *p)
{
	for(Errand *e = p->member->errands.head, *next; e; e = next){
		next = e->next;
		if(e->abandon)
			e->abandon(p, e);
	}
}

void
task_errandturn(Proc *p)
{
	int64_t now = p->now();

	task_fdpoll(p, now, now + Second);
	task_dooranswer(p->door, p);
	if(p->signalled)
		p->list(p);
	p->signalled = 0;
}

void
task_errandsend(Proc *p)
{
	while(abandonerrands(p), p->member->errands.head)
		task_errandturn(p);
}
