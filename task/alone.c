/* SPDX-License-Identifier: MIT */
/* One task goes on without the others: in the child of taskfork. */
#include "life.h"

/*
 * The others are in the child's memory as they had stopped, and are dropped
 * there: they have not ended, so nothing is done that they had left to do for
 * their end, and nobody is told.  What they hold stays held, as with tasks that
 * end without letting go.  But what they wait in is the caller's too, so they
 * leave that; and what the library kept for them is given back.
 *
 * All leave the queues of locks before any is asked to undo its wait.  A writer
 * that leaves lets readers in, if there are any: there must be none left.
 */
static void
leaveline(Task *t)
{
	if(t->wait.number && t->wait.queue)
		listremove(t->wait.queue, t, prev, next);
}

static void
undowait(Task *t)
{
	if(t->wait.number && t->wait.unlink)
		t->wait.unlink(t);
	t->wait.number = 0;
}

/* Each of these takes d if it is its own; all lie in memory of the library. */
static void
dropdefers(Proc *p, Task *t)
{
	static int (*const drop[])(Proc *p, Defer *d) = {
		task_deferdrop, task_wrapdrop, task_finddrop, task_joindrop,
		task_timerdrop};
	enum { Drops = sizeof drop / sizeof drop[0] };

	for(Defer *d = t->defers, *next; d; d = next){
		next = d->next;
		for(int i = 0; i < Drops && !drop[i](p, d); i++)
			;
	}
}

static void
droptask(Proc *p, Task *t)
{
	dropdefers(p, t);
	task_ownfree(t);
	if(t->co)
		p->coend(t);
	task_contextfree(&t->context);
	task_stackput(&p->pool, t->stack);
}

void
task_alone(Proc *p)
{
	Task *me = p->running;

	for(Task *t = p->all.head; t; t = t->younger)
		leaveline(t);
	for(Task *t = p->all.head; t; t = t->younger)
		undowait(t);
	p->sleeping.n = 0;
	p->ready = (Tasklist){NULL, NULL};
	p->few = p->seen ? ManyReady - Seeing : ManyReady;
	p->due = 0;
	for(Task *t = p->all.head, *next; t; t = next){
		next = t->younger;
		if(t != me)
			droptask(p, t);
	}
	task_groupsdrop(p);	/* their defers are looked at no more */
	me->older = me->younger = NULL;
	p->all = (Tasklist){me, me};
	p->ntask = 1;
	p->nsystem = 0;
	p->alone++;
	me->system = 0;	/* a program of system tasks would be over */
}
