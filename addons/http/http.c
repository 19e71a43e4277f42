/* SPDX-License-Identifier: MIT */
/* The server: requests of a connection, one after the other. */
#include "call.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

/*
 * A connection that has just been accepted mostly says something soon: so its
 * task stays for a moment, before it makes room for others.
 */
enum { MomentMs = 5 };

static unsigned int
headms(const Call *c)
{
	return c->h.server->head_ms ? c->h.server->head_ms : 10000;
}

/* reads a head: 1, 0 if it is none yet or will never be, -1. */
static int
readhead(Call *c)
{
	Timeout t;
	void *v;

	int r = messagehead(&c->m, 0);
	if(r >= 0 || errno != EAGAIN)
		return r;
	timeoutstart(&t, MomentMs);
	r = messagehead(&c->m, 1);
	timeoutstop(&t);
	if(r >= 0 || errno != ETIMEDOUT || !timeoutfired(&t))
		return r;
	if(streampeek(c->m.s, 0, &v) <= 0)
		return -1;
	timeoutstart(&t, headms(c));
	r = messagehead(&c->m, 1);
	timeoutstop(&t);
	if(r < 0 && errno == ETIMEDOUT && timeoutfired(&t)){
		gaterefuse(&c->m.head, 408, "a slow head");
		return callfail(EBADMSG);
	}
	return r;
}

/* takes the target apart, where it lies. */
static void
split(Call *c)
{
	char *t = c->m.v + c->m.head.target, *path = t;

	if(*t != '/' && *t != '*'){
		char *host = strstr(t, "://");
		path = host ? host + 3 + strcspn(host + 3, "/?") : t;
	}
	char *query = strchr(path, '?');
	c->h.query = "";
	if(query){
		*query = '\0';
		c->h.query = query + 1;
	}
	c->h.path = *path ? path : "/";
}

/* makes the call what the request says; -1 with ENOMEM. */
static int
prepare(Call *c)
{
	const Head *h = &c->m.head;

	if((c->m.body != BodyNone || h->upgrade) && messagekeep(&c->m) < 0)
		return -1;
	c->h.method = c->m.v + h->method;
	c->h.minor = h->minor;
	c->h.length = c->m.body == BodyLength ? c->m.left :
		c->m.body == BodyNone ? 0 : -1;
	c->keep = (unsigned char)messagemore(&c->m);
	c->expects = h->expect && c->m.body != BodyNone;
	split(c);
	return 0;
}

/* answers with a status that is not the program's: nothing follows it. */
static void
deny(Call *c, int status, const char *why)
{
	c->keep = 0;
	c->why = why;
	httperror(&c->h, status);
}

/* returns whether the server itself has answered. */
static int
denied(Call *c)
{
	const Httpserver *s = c->h.server;

	if(strcmp(c->h.method, "CONNECT") == 0)
		deny(c, 501, "no proxy");
	else if(c->h.length > c->m.most)
		deny(c, 413, "a long body");
	else if(c->busy && __atomic_load_n(&s->nbusy, __ATOMIC_RELAXED) >
			s->busy)
		deny(c, 503, "busy");
	else
		return 0;
	return 1;
}

/* What a function has left undone. */
static void
settle(Call *c)
{
	if(c->h.status == 0 && !c->broken){
		int status = c->status ? c->status : c->late ? 408 : 500;
		if(c->why == NULL)
			c->why = c->late ? "a slow body" : "no answer";
		httperror(&c->h, status);
	}
	if(c->events)
		httpend(&c->h);
	if(c->h.status != 101 && !c->ended && !c->silent){
		c->keep = 0;
		if(c->why == NULL)
			c->why = "half an answer";
	}
}

/* reads the rest of a body, so that what comes is the next request. */
static void
drain(Call *c)
{
	const char *why = c->why;
	char rest[256];
	Timeout t;

	if(c->keep && !c->late && c->m.body == BodyLength){
		timeoutstart(&t, DrainMs);
		while(httpread(&c->h, rest, sizeof rest) > 0);
		timeoutstop(&t);
	}
	if(c->m.body != BodyNone)
		c->keep = 0;
	c->why = why;
}

static void
unbusy(Call *c)
{
	if(c->busy)
		__atomic_sub_fetch(&c->h.server->nbusy, 1, __ATOMIC_RELAXED);
	c->busy = 0;
}

static void
end(Call *c)
{
	unbusy(c);
	if(c->h.server->log && !c->logged && (c->h.status || c->why)){
		c->logged = 1;
		c->h.server->log(&c->h, c->why);
	}
	messagefree(&c->m);
	callfree(c);
}

/*
 * The task ends within the call, in a function perhaps, which nothing is waited
 * for then.  The log may end it once more: so this is called again behind that.
 */
static void
leave(void *v)
{
	Call *c = v;

	if(c->ended && !c->broken)
		callflush(c);
	else if(c->why == NULL)
		c->why = "its task has ended";
	int again = !c->logged && taskdefer(leave, c) == 0;
	end(c);
	if(again)
		taskundefer(leave, c);
}

static int
mayleave(Call *c)
{
	if(!c->leaves && taskdefer(leave, c) < 0)
		return -1;
	c->leaves = 1;
	return 0;
}

static void
answer(Call *c)
{
	if(mayleave(c) < 0){
		deny(c, 503, "no memory");
		return;
	}
	if(c->h.server->busy > 0){
		c->busy = 1;
		__atomic_add_fetch(&c->h.server->nbusy, 1, __ATOMIC_RELAXED);
	}
	if(denied(c))
		return;
	httpnext(&c->h);
	settle(c);
	unbusy(c);
	drain(c);
}

/* There is no request: answers why not, if that is anything to tell. */
static void
refuse(Call *c)
{
	int status = errno == EBADMSG ? c->m.head.status :
		errno == ENOMEM ? 503 : 0;
	void *v;

	mayleave(c);	/* what is called for the log may end the task */
	c->why = status == 503 ? "no memory" : status ? c->m.head.why :
		"the connection failed";
	c->h.minor = 1;
	if(status){
		c->h.method = c->h.path = "";
		httperror(&c->h, status);
	}else if(streampeek(c->m.s, 0, &v) <= 0)
		c->why = NULL;
}

static void
start(Call *c, Server *of, Stream *s, Httpserver *server)
{
	memset(c, 0, offsetof(Call, m));
	messagestart(&c->m, s, 0, 0);
	c->m.most = server->most > 0 ? server->most : 1 << 20;
	c->of = of;
	c->h.server = server;
	c->h.method = c->h.path = c->h.query = "";
	c->set = c->few;
	c->setroom = SetFew;
}

/* Whether it is only that nothing has come yet. */
static int
quiet(Call *c)
{
	void *v;

	return errno == ETIMEDOUT && streampeek(c->m.s, 0, &v) <= 0;
}

int
httpserve(Server *of, Stream *s, void *arg)
{
	Call c;
	void *v;
	int more, wait = 0;

	c.leaves = 0;
	c.waited_ns = 0;
	c.put = 0;
	c.queued = 0;
	do{
		start(&c, of, s, arg);
		int r = readhead(&c);
		if(r > 0 && prepare(&c) == 0)
			answer(&c);
		else if(r < 0 && quiet(&c))
			wait = 1;
		else if(r != 0)
			refuse(&c);
		more = c.keep;
		end(&c);
	}while(more && streampeek(s, 0, &v) > 0);
	if(c.leaves)
		taskundefer(leave, &c);
	if(wait && c.queued == 0)
		return 1;
	/* nobody takes it: to wait for that once more would be for nothing */
	if(c.broken || callflush(&c) < 0)
		taskcancel((int)taskid());
	return more || wait;
}
