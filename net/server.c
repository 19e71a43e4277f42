/* SPDX-License-Identifier: MIT */
/* Servers: who accepts, and who gets the connections. */
#include "server.h"
#include "../proc/proc.h"
#include "../task/newnames.h"
#include <errno.h>
#include <stdio.h>

/*
 * A task accepts at each listener, and gives each connection to the part with
 * the fewest: the server's own proc, or those of serverspread.  With reuseport
 * each of these has listeners, and keeps what it accepts.  What the parts do
 * with connections is in connection.c, how all begins in serverstart.c, how it
 * ends in serverstop.c.
 */

/* Room */

static void
wakeacceptors(Serverhome *h)
{
	while(task_wakefirst(&h->acceptors, 0));
}

static void
roomtold(Note *n, void *owner)
{
	Serverhome *h = structof(Serverhome, room, n);

	h->told = 0;
	if(owner)
		wakeacceptors(h);
}

void
task_serverroom(Serverpart *p)
{
	Serverhome *h = p->home;

	h->nlive--;
	if(!h->full)
		return;
	if(p->proc == 0)
		wakeacceptors(h);
	else if(atomic_exchange(&h->told, 1) == 0){
		h->room.fn = roomtold;
		task_membertell(h->number, &h->room);
	}
}

/*
 * waits until there is room for another connection; -1 if it is cut.  With
 * several listeners one connection of each may be in excess.
 */
static int
awaitroom(Serverhome *h)
{
	int r = 0, max = h->server->max;

	if(max <= 0 || h->nlive < max)
		return 0;
	h->full = 1;
	while(r == 0 && h->nlive >= max)
		r = task_park(WaitErrand,
			(Object){&(Errand){.what = "server, full"}},
			&h->acceptors, NULL, -1);
	h->full = h->acceptors.head != NULL;
	return r;
}

/* The same for a part that accepts by itself. */
static int
awaitown(Serverpart *p)
{
	int r = 0;

	while(r == 0 && p->most > 0 && p->nlive - p->nlisteners >= p->most)
		r = task_park(WaitErrand,
			(Object){&(Errand){.what = "server, full"}},
			&p->acceptors, NULL, -1);
	return r;
}

/* Parts */

Serverpart *
task_serverpart(const Serverhome *h, int proc)
{
	Serverpart *p = h->parts;

	while(p && p->proc != proc)
		p = p->next;
	return p;
}

static int
beginpart(void *v)
{
	return task_serverbegin(task_proc, v);
}

Serverpart *
task_serverneedpart(Serverhome *h, int proc)
{
	Serverpart *p = task_serverpart(h, proc);

	if(p)
		return p;
	p = task_sys.alloc(sizeof *p);
	if(p == NULL)
		return NULL;
	p->home = h;
	p->server = h->server;
	p->is = h->server;
	p->proc = proc;
	if((proc ? task_proccall(proc, beginpart, p, NULL) : beginpart(p)) < 0){
		task_sys.free(p);
		return NULL;
	}
	p->next = h->parts;
	h->parts = p;
	h->nleft++;
	if(!h->quitting)
		return p;
	task_serverquitpart(task_proc, p);	/* it was begun too late */
	errno = EBUSY;
	return NULL;
}

/* returns the one with the fewest; of several each in its turn; or NULL. */
static Serverpart *
fewest(Serverhome *h)
{
	if(h->nto == 0)
		return task_serverneedpart(h, 0);
	h->turn = (h->turn + 1) % h->nto;
	Serverpart *best = h->to[h->turn];
	for(int i = 1; i < h->nto; i++){
		Serverpart *p = h->to[(h->turn + i) % h->nto];
		if(p->nlive < best->nlive)
			best = p;
	}
	return best;
}

/* Accepting */

enum { DrainMost = 4096 };	/* connections that are accepted at the end */

static void
give(Proc *me, const Listener *l, int fd)
{
	Serverpart *p = l->taker ? l->taker : fewest(l->home);

	if(p)
		task_serve(me, p, fd, l->taker || p->proc == 0);
	else
		task_fdclose(fd);
}

/* takes those that wait at the listener, and waits for no others. */
static void
drain(Proc *me, Listener *l)
{
	Timeout now;
	int fd;

	task_scope(me->running, &now, 0);
	for(int i = 0; i < DrainMost; i++){
		fd = netaccept(l->fd, NULL, NULL);
		if(fd < 0)
			break;
		give(me, l, fd);
	}
	task_unscope(me->running, &now);
}

static void
acceptall(void *v)
{
	Listener *l = v;
	Proc *me = task_proc;

	while(!l->ending && task_fdstill(me->fds, l->fd, &l->meant)){
		int r = l->taker ? awaitown(l->taker) : awaitroom(l->home);
		int fd = r < 0 ? -1 : netaccept(l->fd, NULL, NULL);
		if(fd >= 0)
			give(me, l, fd);
		else if(*me->err != EINTR)
			break;
	}
	if(l->ending && task_fdstill(me->fds, l->fd, &l->meant))
		drain(me, l);
}

static void
acceptended(Defer *d)
{
	Listener *l = structof(Listener, end, d);
	Serverhome *h = l->home;
	Serverpart *p = l->at;

	listremove(p ? &p->listeners : &h->listeners, l, prev, next);
	if(task_fdstill(task_proc->fds, l->fd, &l->meant))
		task_fdclose(l->fd);
	task_sys.free(l);
	if(p){
		p->nlisteners--;
		task_serverpartless(p);
	}else
		task_serverless(h);
}

void
task_serverhush(Proc *me, const Listeners *these)
{
	for(Listener *l = these->head; l; l = l->next){
		l->ending = 1;
		task_interruptwait(me, l->task);
	}
}

Listener *
task_serveraccept(Proc *me, Serverhome *h, int fd, int port)
{
	Listener *l = task_sys.alloc(sizeof *l);

	if(l == NULL)
		return NULL;
	l->task = task_create(me, acceptall, l, 0);
	if(l->task == NULL){
		task_sys.free(l);
		return NULL;
	}
	l->home = h;
	l->fd = fd;
	l->meant = AnyFile;
	task_fdstill(me->fds, fd, &l->meant);
	snprintf(l->task->name, TextBytes, "server, port %d", port);
	l->task->named = 1;
	task_defer(l->task, &l->end, AtEnd, acceptended);
	return l;
}
