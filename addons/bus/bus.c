/* SPDX-License-Identifier: MIT */
/* A bus: opening and closing it, and the calls that ask and are answered. */
#include "bus.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CloseMs = 10000 };

static _Thread_local char home;

int
bus_fail(int err)
{
	errno = err;
	return -1;
}

void
bus_tell(Event *e)
{
	eventset(e);
	eventclear(e);
}

int
bus_task(void (*fn)(void *), void (*ended)(void *), void *arg)
{
	int id = taskcreate(fn, arg, 0);

	if(id < 0 || tasklink(id, ended, arg) == 0)
		return id;
	int err = errno;
	taskcancel(id);
	return bus_fail(err);
}

int
bus_enter(Bus *b)
{
	if(b == NULL)
		return bus_fail(EINVAL);
	if(taskid() == 0 || b->home != &home)
		return bus_fail(EPERM);
	if(b->closing)
		return bus_fail(ESHUTDOWN);
	b->nin++;
	return 0;
}

void
bus_leave(Bus *b, int failed, int err)
{
	b->nin--;
	if(!failed)
		errno = err;
	else if(b->closing && errno == ENOTCONN)
		errno = ESHUTDOWN;
	if(b->closing){
		err = errno;
		bus_tell(&b->quiet);
		errno = err;
	}
}

/* Opening and closing */

/* waits until all have left, and the drivers and tellers have ended. */
static int
awaitquiet(Bus *b, int drivers)
{
	while(b->nin || (drivers && (b->calls.driver || b->subs.driver ||
			b->ntellers)))
		if(eventwait(&b->quiet) < 0)
			return -1;
	return 0;
}

static void
freebus(Bus *b)
{
	bus_takersend(b);
	bus_subsfree(b);
	bus_urlfree(&b->url);
	free(b);
}

/* ends all that is left; what does not end is not freed. */
static void
endbus(Bus *b)
{
	bus_linestop(&b->calls);
	bus_linestop(&b->subs);
	taskshield(CloseMs);
	if(awaitquiet(b, 1) == 0)
		freebus(b);
	taskunshield();
}

int
busclose(Bus *b)
{
	int err = errno;

	if(b && b->closing)
		return bus_fail(EBUSY);
	if(bus_enter(b) < 0)
		return -1;
	b->nin--;
	b->closing = 1;
	bus_tell(&b->calls.changed);
	bus_tell(&b->subs.changed);
	bus_takersbreak(b);
	bus_subsend(b);
	int r = awaitquiet(b, 0);
	if(r < 0)
		err = errno;
	endbus(b);
	errno = err;
	return r;
}

/* waits until the line is up, or, if once, its first attempt has failed. */
static int
awaitup(Bus *b, int once)
{
	while(!b->calls.up){
		if(b->closing)
			return bus_fail(ESHUTDOWN);
		if(b->calls.driver == 0)
			return bus_fail(ECANCELED);
		if(once && b->calls.ntried > 0)
			return bus_fail(b->calls.err);
		if(eventwait(&b->calls.changed) < 0)
			return -1;
	}
	return 0;
}

Bus *
busopen(const char *url)
{
	int err = errno;

	if(taskid() == 0 || url == NULL){
		errno = url ? EPERM : EINVAL;
		return NULL;
	}
	Bus *b = calloc(1, sizeof *b);
	if(b == NULL)
		return NULL;
	b->home = &home;
	b->random = ((uint64_t)tasknow() ^ (uintptr_t)b) | 1;
	b->calls = (Line){.b = b, .name = "calls"};
	b->subs = (Line){.b = b, .name = "subscriptions",
		.begun = bus_subsbegun, .came = bus_subscame,
		.answered = bus_subsanswered};
	if(bus_urlparse(&b->url, url) < 0 || bus_linestart(&b->calls) < 0 ||
			awaitup(b, 1) < 0){
		err = errno;
		b->closing = 1;
		endbus(b);
		b = NULL;
	}
	errno = err;
	return b;
}

int
busstate(Bus *b)
{
	if(bus_enter(b) < 0)
		return -1;
	b->nin--;
	return b->calls.up ? 0 : bus_fail(b->calls.err ? b->calls.err :
		ENOTCONN);
}

int
buswait(Bus *b)
{
	int err = errno;

	if(bus_enter(b) < 0)
		return -1;
	int r = awaitup(b, 0);
	bus_leave(b, r < 0, err);
	return r;
}

const char *
buserror(Bus *b)
{
	return b ? b->error : "";
}

/* Asking */

redisReply *
bus_ask(Bus *b, Cmd c)
{
	redisReply *r = bus_linecall(&b->calls, c, NULL);

	if(r && r->type == REDIS_REPLY_ERROR){
		int err = bus_refused(r, b->error);
		freeReplyObject(r);
		errno = err;
		return NULL;
	}
	return r;
}

/* the same, and the answer is of that type. */
static redisReply *
askfor(Bus *b, Cmd c, int type)
{
	redisReply *r = bus_ask(b, c);

	if(r && r->type != type){
		freeReplyObject(r);
		errno = EPROTO;
		return NULL;
	}
	return r;
}

static int
validbytes(const void *v, size_t n)
{
	return v || n == 0 ? 0 : bus_fail(EINVAL);
}

static int
publish(Bus *b, const char *topic, const void *v, size_t n)
{
	const char *words[] = {"PUBLISH", topic, v ? v : ""};

	if(topic == NULL || validbytes(v, n) < 0)
		return bus_fail(EINVAL);
	size_t lengths[] = {7, strlen(topic), n};
	redisReply *r = askfor(b, bus_words(3, words, lengths),
		REDIS_REPLY_INTEGER);
	if(r == NULL)
		return -1;
	int count = r->integer < 0 ? 0 : r->integer > INT32_MAX ? INT32_MAX :
		(int)r->integer;
	freeReplyObject(r);
	return count;
}

int
buspublish(Bus *b, const char *topic, const void *v, size_t n)
{
	int err = errno;

	if(bus_enter(b) < 0)
		return -1;
	int r = publish(b, topic, v, n);
	bus_leave(b, r < 0, err);
	return r;
}

static int
appendentry(Bus *b, const char *stream, const void *v, size_t n, Busid *id)
{
	const char *words[] = {"XADD", stream, "*", "v", v ? v : ""};
	Busid at;

	if(stream == NULL || validbytes(v, n) < 0)
		return bus_fail(EINVAL);
	size_t lengths[] = {4, strlen(stream), 1, 1, n};
	redisReply *r = askfor(b, bus_words(5, words, lengths),
		REDIS_REPLY_STRING);
	if(r == NULL)
		return -1;
	int bad = bus_id(r, &at) < 0;
	freeReplyObject(r);
	if(bad)
		return bus_fail(EPROTO);
	if(id)
		*id = at;
	return 0;
}

int
busappend(Bus *b, const char *stream, const void *v, size_t n, Busid *id)
{
	int err = errno;

	if(bus_enter(b) < 0)
		return -1;
	int r = appendentry(b, stream, v, n, id);
	bus_leave(b, r < 0, err);
	return r;
}

/* Any command */

/* returns the next word behind at, of *n bytes; NULL if there is none. */
static const char *
nextword(const Cmd *c, const char *at, size_t *n)
{
	const char *word = memchr(at, '$', c->n - (size_t)(at - c->v));

	*n = word ? strtoul(word + 1, NULL, 10) : 0;
	return word ? strchr(word, '\n') + 1 : NULL;
}

static int
isword(const char *v, size_t n, const char *word)
{
	return strlen(word) == n && strncasecmp(word, v, n) == 0;
}

/* Those after which answers would not be one for each command, in order. */
static int
forbidden(const Cmd *c)
{
	static const char *const words[] = {"AUTH", "DISCARD", "EXEC", "HELLO",
		"MONITOR", "MULTI", "PSUBSCRIBE", "PSYNC", "PUNSUBSCRIBE",
		"QUIT", "REPLCONF", "RESET", "SELECT", "SSUBSCRIBE",
		"SUBSCRIBE", "SUNSUBSCRIBE", "SYNC", "UNSUBSCRIBE", "UNWATCH",
		"WATCH"};
	size_t n, nsecond;
	const char *word = nextword(c, c->v, &n);

	if(n == 0)
		return 1;
	for(size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if(isword(word, n, words[i]))
			return 1;
	const char *second = nextword(c, word + n, &nsecond);
	return isword(word, n, "CLIENT") && second &&
		isword(second, nsecond, "REPLY");
}

static int
call(Bus *b, Busreply **r, Cmd c)
{
	if(forbidden(&c)){
		bus_cmdfree(&c);
		return bus_fail(EINVAL);
	}
	redisReply *reply = bus_ask(b, c);
	if(reply == NULL)
		return -1;
	if(r == NULL)
		freeReplyObject(reply);
	else if((*r = bus_reply(reply)) == NULL)
		return -1;
	return 0;
}

int
buscall(Bus *b, Busreply **r, const char *fmt, ...)
{
	int err = errno;
	va_list args;
	Cmd c = {0};

	if(bus_enter(b) < 0)
		return -1;
	va_start(args, fmt);
	long long n = fmt ? redisvFormatCommand(&c.v, fmt, args) : -2;
	va_end(args);
	c.n = n > 0 ? (size_t)n : 0;
	int done = n > 0 ? call(b, r, c) : bus_fail(n == -1 ? ENOMEM : EINVAL);
	bus_leave(b, done < 0, err);
	return done;
}
