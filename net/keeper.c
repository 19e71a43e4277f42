/* SPDX-License-Identifier: MIT */
/* Who closes a server's connections that wait for too long, and at its end. */
#include "server.h"
#include "../proc/proc.h"

/*
 * The keeper is a task of the part's, which closes those that say nothing for
 * too long.  They are in the order in which they began to wait, so it looks at
 * the first ones only.  It also keeps the proc alive.
 */
unsigned int task_grace_ms = 100;

/* returns when the first that waits has waited for too long; -1: never. */
static int64_t
due(const Proc *me, const Serverpart *p)
{
	int64_t idle_ns = p->is->idle_ms * (int64_t)Millisecond;
	const Connection *first = p->waiting.head;

	if(p->stopping)
		return first ? p->until_ns : -1;
	if(idle_ns <= 0)
		return -1;
	return (first ? first->since_ns : me->now()) + idle_ns;
}

static void
closedue(Proc *me, Serverpart *p)
{
	int64_t at;

	while(p->waiting.head && (at = due(me, p)) >= 0 && at <= me->now())
		task_connclose(me, p->waiting.head);
}

static int
cancelled(const Task *t)
{
	int how = task_lastcut(t).how;

	return how == CutFirst || how == CutAgain;
}

static void
keepconns(void *v)
{
	Serverpart *p = v;
	Proc *me = task_proc;
	Errand e = {.what = "server"};

	while(!p->stopping || p->nlive > 0){
		if(task_park(WaitErrand, (Object){&e}, &p->changed, NULL,
				due(me, p)) < 0 && cancelled(me->running))
			break;
		closedue(me, p);
	}
}

/*
 * If it was cancelled, with all other tasks perhaps, nobody waits any more; but
 * who has a shield may still be in fn, and the part is over after that.
 */
static void
keeperended(Defer *d)
{
	Serverpart *p = structof(Serverpart, end, d);
	Proc *me = task_proc;
	Connection *c;

	while((c = p->waiting.head)){
		task_fdoff(me, c->fd, &c->on);
		listremove(&p->waiting, c, prev, next);
		task_conndrop(me, c);
	}
	p->keeper = NULL;
	if(p->stopping && p->nlive == 0)
		task_serverended(p);
}

int
task_serverbegin(Proc *me, Serverpart *p)
{
	p->keeper = task_create(me, keepconns, p, 0);
	if(p->keeper == NULL)
		return -1;
	task_defer(p->keeper, &p->end, AtEnd, keeperended);
	return 0;
}

/* The end of all */

void
task_serverquit(Proc *me, Serverpart *p)
{
	p->stopping = 1;
	p->is = &p->said;
	p->until_ns = (me ? me->now() : 0) +
		task_grace_ms * (int64_t)Millisecond;
	if(me)
		task_serverhush(me, &p->listeners);
	if(p->keeper && me)
		task_wakefirst(&p->changed, 0);
	else if(me == NULL || p->nlive == 0)
		task_serverended(p);
}

int
task_servercancel(Proc *me, Serverpart *p)
{
	int n = 0;

	p->cut = 1;
	for(Connection *c = p->busy.head; c; c = c->next){
		n += c->infn;
		task_cancel(me, c->task);
	}
	p->until_ns = me->now();
	task_wakefirst(&p->changed, 0);
	return n;
}

int
task_serverin(const Serverpart *p, const Task *t)
{
	const Connection *c = p->busy.head;

	while(c && c->task != t)
		c = c->next;
	return c != NULL;
}
