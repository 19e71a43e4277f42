/* SPDX-License-Identifier: MIT */
/* The end of everything: all tasks are cancelled, and waited for. */
#include "members.h"
#include "../task/newnames.h"
#include <errno.h>

static void
cancelothers(Proc *p)
{
	for(Task *t = p->all.head; t; t = t->younger)
		if(!t->system && t != p->running)
			task_cancel(p, t);
}

/* From now on p ends without its other tasks; returns how many there are. */
static int
giveupothers(Proc *p)
{
	int n = 0;

	for(Task *t = p->all.head; t; t = t->younger)
		if(!t->system && t != p->running){
			t->system = 1;
			p->nsystem++;
			n++;
		}
	return n;
}

/* A later taskshutdown tells n anew. */
static void
untell(Note *n)
{
	task_memberslock();
	n->fn = NULL;
	task_membersunlock();
}

static void
cancelall(Note *n, void *owner)
{
	untell(n);
	if(owner)
		cancelothers(owner);
}

static void
giveupall(Note *n, void *owner)
{
	untell(n);
	if(owner)
		giveupothers(owner);
}

/*
 * tells all others, once each; returns how many there are.  Who is out has no
 * task to be told of, and its door may be another's by now.
 */
static int
tellothers(const Member *me, void (*fn)(Note *, void *))
{
	int n = 0;

	task_memberslock();
	for(Member *m = task_memberafter(NULL); m; m = task_memberafter(m)){
		Note *note = fn == cancelall ? &m->cancel : &m->giveup;
		if(m == me)
			continue;
		n++;
		if(note->fn == NULL && !m->out){
			note->fn = fn;
			task_doortell(m->door, note);
		}
	}
	task_membersunlock();
	return n;
}

/*
 * waits until the other tasks of p have ended.  Meanwhile the caller is a
 * system task: so the proc finds that none is left, and asks whether it may
 * end.
 */
static void
awaittasks(Proc *p)
{
	Task *t = p->running;
	int ordinary = !t->system;
	Errand e = {.what = "taskshutdown"};

	t->system = 1;
	p->nsystem += ordinary;
	p->member->shutting = t;
	if(p->ntask > p->nsystem)
		task_park(WaitErrand, (Object){&e}, NULL, NULL, -1);
	p->member->shutting = NULL;
	t->system = !ordinary;
	p->nsystem -= ordinary;
}

/* waits until the other procs have ended. */
static void
awaitprocs(const Member *me)
{
	int number;

	do{
		task_memberslock();
		Member *m = task_memberafter(NULL);
		if(m == me)
			m = task_memberafter(m);
		number = m ? m->number : 0;
		task_membersunlock();
	}while(number && (task_procwait(number, NULL) == 0 || errno == ESRCH));
}

int
taskshutdown(void)
{
	Proc *p = task_here();

	if(p == NULL)
		return -1;
	if(task_membershuts(p->member) < 0)
		return -1;
	int err = errno;
	int nprocs = tellothers(p->member, cancelall);
	cancelothers(p);
	awaittasks(p);
	if(nprocs > 0)
		awaitprocs(p->member);
	int n = giveupothers(p) + tellothers(p->member, giveupall);
	task_memberhasshut(p->member);
	errno = err;
	return n;
}
