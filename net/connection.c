/* SPDX-License-Identifier: MIT */
/* A server's connections in one proc: who has a task, and who waits for one. */
#include "server.h"
#include "../proc/proc.h"
#include <errno.h>
#include <sys/socket.h>

/*
 * A connection has a task while fn runs.  When fn wants to be called again the
 * task ends, and what waits for input is a few words in the table of
 * descriptors: see fd/on.c.  So a connection that says nothing has no stack.
 *
 * If many become ready at once, and each got a task, most of these would find
 * that their stack has gone cold meanwhile.  So they line up behind the first,
 * whose task makes that of the second as it begins, and so on: two stacks are
 * enough, if none waits.  The second runs next, whoever else is ready by then,
 * and nobody joins the line if another task has become ready since: so all run
 * in the order in which they became ready.
 */
enum { AgainMs = 10 };	/* to look whether others have left a stream */

enum Next { Again, Rest, Over };

/* Its end */

void
task_serverpartless(Serverpart *p)
{
	p->nlive--;
	while(task_wakefirst(&p->acceptors, 0))
		;
	if(!p->stopping || p->nlive > 0)
		return;
	if(p->keeper)
		task_wakefirst(&p->changed, 0);
	else
		task_serverended(p);
}

static void
forgetconn(Connection *c)
{
	Serverpart *p = c->part;

	task_sys.free(c);
	task_serverroom(p);
	task_serverpartless(p);
}

/* closes the connection as it is: its task has ended, or never was. */
void
task_conndrop(Proc *me, Connection *c)
{
	if(c->stream)
		task_streamdrop(me, c->stream);
	else if(c->fd >= 0)
		task_fdclose(c->fd);
	forgetconn(c);
}

static void passon(Proc *me, const Connection *c);

static void
connended(Defer *d)
{
	Connection *c = structof(Connection, end, d);

	passon(task_proc, c);
	listremove(&c->part->busy, c, prev, next);
	task_conndrop(task_proc, c);
}

/* What a connection takes at its end, and before it waits, is limited too. */
static void
limitconn(Proc *me, const Connection *c, Timeout *t, int64_t now)
{
	int idle_ms = c->part->is->idle_ms;

	if(idle_ms > 0)
		task_scope(me->running, t, now +
			idle_ms * (int64_t)Millisecond);
}

/*
 * Other tasks that fn has left in calls on the stream are to fail in them, and
 * to leave it.
 */
static void
closeconn(Proc *me, Connection *c)
{
	Timeout limit;

	c->infn = 0;
	limitconn(me, c, &limit, me->now());
	while(task_streamclose(c->stream) < 0 && *me->err == EBUSY){
		if(task_fdstill(me->fds, c->fd, &c->stream->meant))
			task_sys.shutdown(c->fd, SHUT_RDWR);
		task_shield(me, 2 * AgainMs);
		task_park(WaitDelay, (Object){NULL}, NULL, NULL, me->now() +
			AgainMs * (int64_t)Millisecond);
		task_unshield(me);
	}
	task_unscope(me->running, &limit);
	c->stream = NULL;
	c->fd = -1;
}

/* Its tasks */

static void serveconn(void *v);

/* has c served by a task that create makes. */
static int
employ(Proc *me, Connection *c, Task *(*create)(Proc *, void (*)(void *),
	void *, size_t))
{
	Serverpart *p = c->part;
	Task *t = create(me, serveconn, c, p->is->stack);

	if(t == NULL)
		return -1;
	t->entry = (const void *)(uintptr_t)p->is->fn;
	task_defer(t, &c->end, AtEnd, connended);
	c->task = t;
	c->infn = !c->came;
	listadd(&p->busy, c, prev, next);
	return 0;
}

/*
 * returns whether c has joined the line.  There is none where tasks begin with
 * functions of the program's, which may wait, nor behind a task of before a
 * taskfork.
 */
static int
joinline(const Proc *me, Connection *c)
{
	Serverpart *p = c->part;

	if(p->first == NULL || me->born || me->alone != p->home->alone ||
			me->ready.head == NULL ||
			me->ready.tail != p->first->task)
		return 0;
	listadd(&p->line, c, prev, next);
	return 1;
}

static int
readable(Connection *c)
{
	Serverpart *p = c->part;
	Connections *waiting = &p->waiting;
	Connection was = *c;

	c->came = 1;
	listremove(waiting, c, prev, next);
	if(joinline(task_proc, c))
		return 1;
	if(employ(task_proc, c, task_create) == 0){
		if(p->line.head == NULL)
			p->first = c;
		return 1;
	}
	c->on = was.on;
	c->since_ns = was.since_ns;
	listadd(waiting, c, prev, next);
	return 0;
}

/* If it is not ready, the program has closed it, or the proc ends. */
static int
wakeconn(Fdon *o, int ready)
{
	Connection *c = structof(Connection, on, o);

	if(ready)
		return readable(c);
	listremove(&c->part->waiting, c, prev, next);
	task_streamlose(c->stream);
	forgetconn(c);
	return 1;
}

/* writes what fn has left in the buffer, before nobody does. */
static int
flushconn(Proc *me, Connection *c)
{
	Timeout limit;

	if(!task_streamleft(c->stream))
		return 0;
	limitconn(me, c, &limit, me->now());
	int r = task_streamwriteout(c->stream);
	task_unscope(me->running, &limit);
	return r;
}

/* has c, which is in no list, wait without a task; -1 if the poller cannot. */
static int
waitanew(Proc *me, Connection *c)
{
	Serverpart *p = c->part;

	listadd(&p->waiting, c, prev, next);
	c->since_ns = p->is->idle_ms > 0 ? me->now() : 0;
	c->on = (Fdon){NULL, wakeconn, PollIn};
	if(task_fdon(me, c->fd, &c->on) == 0){
		if(p->stopping)
			task_wakefirst(&p->changed, 0);
		return 0;
	}
	listremove(&p->waiting, c, prev, next);
	return -1;
}

/* There are no tasks to be had: c waits anew, and all who are in line. */
static void
disperse(Proc *me, Serverpart *p, Connection *c)
{
	while(c){
		if(p->keeper == NULL || waitanew(me, c) < 0)
			task_conndrop(me, c);
		c = p->line.head;
		if(c)
			listshift(&p->line, c, prev, next);
	}
}

/* Whether all tasks of p are to end: by the server or, with its keeper, all. */
static int
cutall(const Serverpart *p)
{
	return p->cut || p->keeper == NULL || p->keeper->limits.cancelled;
}

/*
 * The task of c has begun or, if it was cancelled, has ended before that: if c
 * was the first in line another one is now.  If the program has begun to have
 * functions called first, each gets its task now.
 */
static void
passon(Proc *me, const Connection *c)
{
	Serverpart *p = c->part;
	Connection *next;

	if(p->first != c)
		return;
	p->first = NULL;
	while(p->first == NULL && (next = p->line.head)){
		listshift(&p->line, next, prev, next);
		if(employ(me, next, me->born ? task_create :
				task_createfirst) < 0){
			disperse(me, p, next);
			return;
		}
		if(me->born == NULL)
			p->first = next;
		if(cutall(p))
			task_cancel(me, next->task);
	}
}

/*
 * From here on c has no task.  If the poller cannot take it, it still has this
 * one.
 */
static int
restconn(Proc *me, Connection *c)
{
	Serverpart *p = c->part;

	if(flushconn(me, c) < 0)
		return -1;
	task_undefer(me->running, &c->end);
	listremove(&p->busy, c, prev, next);
	c->infn = 0;
	if(waitanew(me, c) == 0)
		return 0;
	listadd(&p->busy, c, prev, next);
	c->task = me->running;
	task_defer(me->running, &c->end, AtEnd, connended);
	return -1;
}

/* returns whether fn wants more of the connection, and may have it. */
static int
callfn(Proc *me, Connection *c)
{
	Serverpart *p = c->part;

	c->infn = 1;
	if(p->is->fn(p->server, c->stream, p->is->arg) != 1)
		return 0;
	return p->keeper && (!p->stopping ||
		(!c->came && me->now() < p->until_ns));
}

/*
 * reads what the task was made for, the end perhaps, which fn is not called
 * for.  The fdtask has just looked at the clock.
 */
static int
fillconn(Proc *me, const Connection *c)
{
	Timeout limit;

	c->stream->ready = task_fdops(c->fd) & 1;
	limitconn(me, c, &limit, me->turn_ns);
	int r = task_streamfill(c->stream);
	task_unscope(me->running, &limit);
	return r > 0;
}

static int
openconn(const Connection *c, Stream **s)
{
	*s = task_streamopen(c->fd, c->part->is->most);
	if(*s == NULL)
		return 0;
	(*s)->served = 1;
	return 1;
}

/*
 * returns what follows on an fn that wants to be called again.  If it has left
 * all that it had it wants more, as one that looks for the end of a message
 * does; the end and an error are no more.  After Rest c has no task.
 */
static enum Next
nextof(Proc *me, Connection *c, size_t had)
{
	const Stream *s = c->stream;
	size_t has = task_streamhas(&s->buf[Input]);

	if((has > 0 && has != had) || task_streampending(s)){
		c->came = 1;
		task_fdshare(me);
		return Again;
	}
	if(s->ended || s->err[Input])
		return Over;
	return restconn(me, c) == 0 ? Rest : Over;
}

static void
serveconn(void *v)
{
	Connection *c = v;
	Proc *me = task_proc;
	enum Next next;
	size_t had;

	passon(me, c);
	if(c->came ? !fillconn(me, c) : !openconn(c, &c->stream)){
		if(c->stream)
			closeconn(me, c);
		return;
	}
	do{
		had = task_streamhas(&c->stream->buf[Input]);
		next = callfn(me, c) ? nextof(me, c, had) : Over;
	}while(next == Again);
	if(next == Over)
		closeconn(me, c);
}

/* Who waits too long is closed by a task of its own, for that takes time. */
static void
leave(void *v)
{
	Connection *c = v;

	closeconn(task_proc, c);
}

void
task_connclose(Proc *me, Connection *c)
{
	Serverpart *p = c->part;
	Task *t;

	if(!task_fdoff(me, c->fd, &c->on))
		return;
	listremove(&p->waiting, c, prev, next);
	t = task_create(me, leave, c, 0);
	if(t == NULL){
		task_conndrop(me, c);
		return;
	}
	c->task = t;
	task_defer(t, &c->end, AtEnd, connended);
	listadd(&p->busy, c, prev, next);
}

/* Arriving */

static void
meetconn(Proc *me, Connection *c)
{
	if(c->part->keeper == NULL || employ(me, c, task_create) < 0)
		task_conndrop(me, c);
}

/* nobody in the part's proc is told: it has ended. */
static void
miss(Connection *c)
{
	Serverpart *p = c->part;

	task_sys.close(c->fd);
	task_sys.free(c);
	task_serverroom(p);
	p->nlive--;
}

/*
 * gives c memory of its own proc's.  The home's lies beside that of connections
 * of other procs, and who writes there takes the cache line away from them.
 */
static Connection *
ownmemory(Connection *c)
{
	Connection *own = task_sys.alloc(sizeof *own);

	if(own == NULL)
		return c;
	*own = *c;
	task_sys.free(c);
	return own;
}

static void
conntold(Note *n, void *owner)
{
	Connection *c = structof(Connection, arrives, n);

	if(owner)
		meetconn(owner, ownmemory(c));
	else
		miss(c);
}

void
task_serve(Proc *me, Serverpart *p, int fd, int here)
{
	Connection *c = task_sys.alloc(sizeof *c);

	if(c == NULL){
		task_fdclose(fd);
		return;
	}
	c->part = p;
	c->fd = fd;
	c->arrives.fn = conntold;
	p->nlive++;
	p->home->nlive++;
	if(here)
		meetconn(me, c);
	else if(task_membertell(p->proc, &c->arrives) < 0)
		miss(c);
}
