/* SPDX-License-Identifier: MIT */
/* Servers: how they end. */
#include "server.h"
#include "../proc/proc.h"
#include "../task/newnames.h"
#include <errno.h>

/*
 * The end has phases.  First nothing is accepted any more but what the kernel
 * has accepted already.  Connections whose fn runs go on until it returns.
 * Those that wait have a moment, for their peer may just be asking something;
 * then they are closed.  When the caller's scopes let it wait no longer, the
 * tasks that are left are cancelled, and have a second to clean up.
 */
enum { CleanMs = 1000 };

void
task_serverfree(Serverhome *h)
{
	Serverpart *p;

	while((p = h->parts)){
		h->parts = p->next;
		task_sys.free(p);
	}
	task_sys.free(h->to);
	task_sys.free(h);
}

/*
 * The tasks of a server of before are the other process's, and nothing of it
 * will end here.  It stays in memory, for the caller may be one of them.
 */
void
task_serverforked(const Proc *me, Server *s)
{
	if(s->home == NULL || s->home->proc != me ||
			s->home->alone == me->alone)
		return;
	static _Thread_local Serverhome *past;
	s->home->past = past;
	past = s->home;
	s->home = NULL;
	s->stopping = 0;
}

void
task_serverless(Serverhome *h)
{
	if(--h->nleft == 0 && h->forsaken)
		task_serverfree(h);
	else
		task_wakefirst(&h->stopper, 0);
}

static void
endtold(Note *n, void *owner)
{
	Serverpart *p = structof(Serverpart, quit, n);

	if(owner)
		task_serverless(p->home);
}

void
task_serverended(Serverpart *p)
{
	p->quit.fn = endtold;
	if(p->proc)
		task_membertell(p->home->number, &p->quit);
	else
		task_serverless(p->home);
}

static void
quittold(Note *n, void *owner)
{
	task_serverquit(owner, structof(Serverpart, quit, n));
}

void
task_serverquitpart(Proc *me, Serverpart *p)
{
	p->quit.fn = quittold;
	p->said = *p->server;
	if(p->proc == 0)
		task_serverquit(me, p);
	else if(task_membertell(p->proc, &p->quit) < 0)
		task_serverless(p->home);
}

static void
quitparts(Proc *me, Serverhome *h)
{
	h->quitting = 1;
	for(Serverpart *p = h->parts; p; p = p->next)
		task_serverquitpart(me, p);
}

static void
cancelback(Note *n, void *owner)
{
	Serverpart *p = structof(Serverpart, cancel, n);

	if(owner)
		task_serverless(p->home);
}

static void
canceltold(Note *n, void *owner)
{
	Serverpart *p = structof(Serverpart, cancel, n);

	if(owner)
		p->cancelled = task_servercancel(owner, p);
	n->fn = cancelback;
	task_membertell(p->home->number, n);
}

static void
cancelparts(Proc *me, Serverhome *h)
{
	for(Serverpart *p = h->parts; p; p = p->next){
		p->cancel.fn = canceltold;
		if(p->proc == 0)
			p->cancelled = task_servercancel(me, p);
		else if(task_membertell(p->proc, &p->cancel) == 0)
			h->nleft++;
	}
}

/* waits until nothing is left; -1 if it is cut. */
static int
awaitend(Serverhome *h)
{
	Errand e = {.what = "serverstop"};
	int r = 0;

	while(r == 0 && h->nleft > 0)
		r = task_park(WaitErrand, (Object){&e}, &h->stopper, NULL, -1);
	return r;
}

/* That does not take long: they wait for nothing any more. */
static void
endaccepting(Proc *me, Serverhome *h)
{
	Errand e = {.what = "serverstop"};

	task_serverhush(me, &h->listeners);
	while(h->listeners.head)
		task_park(WaitErrand, (Object){&e}, &h->stopper, NULL,
			Uninterrupted);
}

/* Who is left has been cancelled, and cleans up; returns how many that was. */
static int
cancelserver(Proc *me, Serverhome *h)
{
	int n = 0;

	cancelparts(me, h);
	task_shield(me, CleanMs);
	awaitend(h);
	task_unshield(me);
	for(const Serverpart *p = h->parts; p; p = p->next)
		n += p->cancelled;
	return n;
}

static int
stop(Proc *me, Serverhome *h)
{
	int n = 0;

	h->stopping = 1;
	__atomic_store_n(&h->server->stopping, 1, __ATOMIC_RELAXED);
	endaccepting(me, h);
	quitparts(me, h);
	if(awaitend(h) < 0)
		n = cancelserver(me, h);
	h->server->home = NULL;
	if(h->nleft > 0)
		h->forsaken = 1;
	else
		task_serverfree(h);
	return n;
}

int
serverstop(Server *s)
{
	Proc *me = task_caller(s);

	if(me)
		task_serverforked(me, s);
	Serverhome *h = me ? s->home : NULL;
	if(h == NULL)
		return me ? 0 : -1;
	if(h->proc != me || h->stopping)
		return task_fail(h->proc != me ? EPERM : EBUSY);
	const Serverpart *own = task_serverpart(h, 0);
	if(own && task_serverin(own, me->running))
		return task_fail(EDEADLK);
	int err = *me->err, n = stop(me, h);
	*me->err = err;
	return n;
}

int
serverstopping(const Server *s)
{
	return s && __atomic_load_n(&s->stopping, __ATOMIC_RELAXED);
}
