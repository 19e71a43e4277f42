/* SPDX-License-Identifier: MIT */
/*
 * A bus: a connection that many tasks use at a time, and that is dialled again
 * when it breaks.  Answers come in the order of the commands, so what waits for
 * them is a queue of slots.  A task that gives up leaves its slot there, if the
 * command is on its way: the answer has to be taken off, and goes to nobody.
 *
 * The driver dials and reads; a writer, which lives as long as the connection,
 * sends what has come since it last did in one piece.
 */
#include "bus.h"
#include <stdlib.h>
#include <string.h>

enum
{
	PauseLeastMs = 10,	/* between attempts; each is twice as long */
	PauseMostMs = 5000,
	LastingMs = 1000,	/* a connection that did was good */
	LeftMost = 10000,	/* who owes so many answers has stopped */
	CleanMs = 10000
};

struct Slot
{
	Slot *next;
	Cmd c;	/* until it is sent */
	void *about;	/* what the line's owner knows it by, or NULL */
	int post;	/* nobody waits for its answer, from the beginning */
	int sent;	/* the writer has it, or had */
	int left;	/* whoever waited has gone */
	int err;	/* once it is done: errno, or 0 */
	redisReply *reply;	/* and then that */
	Event done;
};

static void
freeslot(Slot *s)
{
	bus_cmdfree(&s->c);
	free(s);
}

static void
append(Line *n, Slot *s)
{
	*(n->first ? n->last : &n->first) = s;
	n->last = &s->next;
	if(n->unsent == NULL)
		n->unsent = s;
	eventset(&n->more);
}

static void
takeout(Line *n, Slot *s)
{
	Slot **at = &n->first;

	while(*at != s)
		at = &(*at)->next;
	*at = s->next;
	if(n->unsent == s)
		n->unsent = s->next;
	if(*at == NULL)
		n->last = at;
}

/* The slot s, which was the first, has its answer, or will have none. */
static void
finish(Line *n, Slot *s, redisReply *r, int err)
{
	takeout(n, s);
	if(s->left || s->post){
		n->nleft -= (unsigned int)s->left;
		if(r)
			freeReplyObject(r);
		freeslot(s);
		return;
	}
	s->reply = r;
	s->err = err;
	eventset(&s->done);
}

/* Sending */

/* The command is the writer's: it may be answered before all of it is sent. */
static int
sendone(Line *n)
{
	Slot *s = n->unsent;
	Cmd c = s->c;

	s->c = (Cmd){0};
	s->sent = 1;
	n->unsent = s->next;
	ssize_t r = streamwrite(n->link.s, c.v, c.n);
	bus_cmdfree(&c);
	return r < 0 ? -1 : 0;
}

static int
sendall(Line *n)
{
	while(n->unsent)
		if(sendone(n) < 0)
			return -1;
	return streamflush(n->link.s);
}

static void
writer(void *v)
{
	Line *n = v;

	tasksystem();
	taskname("bus: sends %s", n->name);
	while(!n->stop){
		eventclear(&n->more);
		if(sendall(n) < 0 || eventwait(&n->more) < 0)
			break;
	}
}

static void
writerended(void *v)
{
	Line *n = v;

	n->writing = 0;
	eventset(&n->written);
	bus_linkbreak(&n->link);
}

static int
startwriter(Line *n)
{
	n->stop = 0;
	eventclear(&n->written);
	n->writing = bus_task(writer, writerended, n) > 0;
	return n->writing ? 0 : -1;
}

/* The connection is broken: it ends, and whatever happens is waited for. */
static void
stopwriter(Line *n)
{
	n->stop = 1;
	eventset(&n->more);
	while(n->writing)
		if(eventwait(&n->written) < 0)
			taskyield();
}

/* Driving */

/* gives the answer to whoever is first, who must have asked. */
static int
deliver(Line *n, redisReply *r)
{
	Slot *s = n->first;

	if(n->came && n->came(n, r))
		return 0;
	if(s == NULL || !s->sent || (n->answered &&
			n->answered(n, s->about, r) < 0)){
		freeReplyObject(r);
		return bus_fail(EPROTO);
	}
	finish(n, s, r, 0);
	return 0;
}

/* It is down: nobody waits any longer.  What was not sent has not happened. */
static void
down(Line *n, int err)
{
	n->up = 0;
	n->err = err;
	n->ntried++;
	while(n->first)
		finish(n, n->first, NULL, n->first->sent ? EINPROGRESS :
			ENOTCONN);
	bus_tell(&n->changed);
	bus_tell(&n->b->subs.changed);	/* these depend on the others */
}

static void
serve(Line *n)
{
	redisReply *r;

	n->up = 1;
	n->err = 0;
	if(n->begun)
		n->begun(n);
	bus_tell(&n->changed);
	while((r = bus_linkreply(&n->link)) != NULL)
		if(deliver(n, r) < 0)
			break;
	down(n, errno == EPROTO || errno == ENOMEM ? errno : ENOTCONN);
	bus_linkbreak(&n->link);
	taskshield(CleanMs);
	stopwriter(n);
	bus_linkclose(&n->link);
	taskunshield();
}

/* From n/2 to n: many that have lost an engine come back one by one. */
static unsigned int
jitter(Bus *b, unsigned int n)
{
	b->random ^= b->random << 13;
	b->random ^= b->random >> 7;
	b->random ^= b->random << 17;
	return n / 2 + (unsigned int)(b->random >> 32) % (n / 2 + 1);
}

/* returns for how many ms the connection lasted. */
static int64_t
attempt(Line *n)
{
	int r = bus_linkopen(&n->link, &n->b->url, n->b->error);

	if(r == 0 && startwriter(n) < 0){
		int err = errno;
		bus_linkclose(&n->link);
		r = bus_fail(err);
	}
	if(r < 0){
		down(n, errno);
		return 0;
	}
	int64_t start_ns = tasknow();
	serve(n);
	return (tasknow() - start_ns) / 1000000;
}

static void
drive(void *v)
{
	Line *n = v;
	unsigned int pause_ms = PauseLeastMs;

	tasksystem();
	taskname("bus: %s", n->name);
	while(!n->b->closing && !taskcancelled()){
		if(attempt(n) >= LastingMs)
			pause_ms = PauseLeastMs;
		taskdelay(jitter(n->b, pause_ms));
		if(pause_ms < PauseMostMs)
			pause_ms = 2 * pause_ms < PauseMostMs ? 2 * pause_ms :
				PauseMostMs;
	}
}

static void
driverended(void *v)
{
	Line *n = v;

	n->driver = 0;
	n->ntried++;
	bus_tell(&n->changed);
	bus_tell(&n->b->quiet);
}

int
bus_linestart(Line *n)
{
	if(n->driver)
		return 0;
	n->err = 0;
	int id = bus_task(drive, driverended, n);
	n->driver = id > 0 ? id : 0;
	return id > 0 ? 0 : -1;
}

void
bus_linestop(Line *n)
{
	if(n->driver)
		taskcancel(n->driver);
}

/* Those who ask */

static Slot *
enqueue(Line *n, Cmd *c, void *about, int post)
{
	Slot *s = !n->up || c->v == NULL ? NULL : calloc(1, sizeof *s);

	if(s == NULL){
		int err = !n->up ? ENOTCONN : c->v == NULL ? errno : ENOMEM;
		bus_cmdfree(c);
		errno = err;
		return NULL;
	}
	s->c = *c;
	s->about = about;
	s->post = post;
	append(n, s);
	return s;
}

int
bus_linepost(Line *n, Cmd c, void *about)
{
	return enqueue(n, &c, about, 1) ? 0 : -1;
}

/*
 * The task has not waited to the end.  What is sent keeps its place in the
 * queue, and what its owner counts is sent.
 */
static void
leave(Line *n, Slot *s)
{
	if(!s->sent && s->about == NULL){
		takeout(n, s);
		freeslot(s);
		return;
	}
	s->left = 1;
	if(++n->nleft > LeftMost)
		bus_linkbreak(&n->link);
}

redisReply *
bus_linecall(Line *n, Cmd c, void *about)
{
	Slot *s = enqueue(n, &c, about, 0);

	if(s == NULL)
		return NULL;
	if(eventwait(&s->done) < 0 && !s->done.set){
		int err = errno;
		leave(n, s);
		errno = err;
		return NULL;
	}
	redisReply *r = s->reply;
	if(r == NULL)
		errno = s->err;
	freeslot(s);
	return r;
}
