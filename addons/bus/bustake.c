/* SPDX-License-Identifier: MIT */
/*
 * A bus: taking entries of streams.  A command that waits in the engine cannot
 * be taken back: it may have been handed an entry just then.  So each name has
 * a connection of its own, and when a wait is ended that is closed.  What was
 * handed over then is among the pending ones of the name, and so is what an
 * earlier process of that name had.  These are asked for first: the ids of
 * those that have come here only grow, so they are those behind the last one.
 *
 * The engine may learn late that a connection is gone, from a network that was
 * cut perhaps never, and would hand the next entry to it.  So the next one has
 * it killed first.
 */
#include "bus.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RunBytes = 41 };

struct Taker
{
	Taker *next;
	QLock lock;	/* one task at a time takes */
	Link link;
	char client[IdBytes];	/* its number in the engine; "": not known */
	char run[RunBytes];	/* and the engine's, new at each start */
	int unknown;	/* pending ones may have to be asked for */
	Busid last;	/* that has come here */
	char *stream, *group, *who;
};

static Taker *
findtaker(Bus *b, const char *stream, const char *group, const char *who)
{
	Taker *t = b->takers;

	while(t && (strcmp(t->stream, stream) || strcmp(t->group, group) ||
			strcmp(t->who, who)))
		t = t->next;
	return t;
}

static void
freetaker(Taker *t)
{
	bus_linkclose(&t->link);
	free(t->stream);
	free(t->group);
	free(t->who);
	free(t);
}

static Taker *
maketaker(Bus *b, const char *stream, const char *group, const char *who)
{
	Taker *t = calloc(1, sizeof *t);

	if(t == NULL)
		return NULL;
	t->unknown = 1;
	t->stream = strdup(stream);
	t->group = strdup(group);
	t->who = strdup(who);
	if(t->stream == NULL || t->group == NULL || t->who == NULL){
		freetaker(t);
		errno = ENOMEM;
		return NULL;
	}
	t->next = b->takers;
	b->takers = t;
	return t;
}

void
bus_takersbreak(Bus *b)
{
	for(Taker *t = b->takers; t; t = t->next)
		bus_linkbreak(&t->link);
}

void
bus_takersend(Bus *b)
{
	while(b->takers){
		Taker *t = b->takers;
		b->takers = t->next;
		freetaker(t);
	}
}

/* Whether it says that the engine is not there, and not a scope ended. */
static int
isaway(int err)
{
	return err == ECONNREFUSED || err == ECONNRESET || err == EPIPE ||
		err == EHOSTUNREACH || err == ENETUNREACH ||
		err == EHOSTDOWN || err == ENETDOWN || err == ENOENT ||
		err == EAGAIN;
}

/* What was to be read there may have been handed over. */
static void
cutlink(Taker *t)
{
	bus_linkclose(&t->link);
	t->unknown = 1;
	if(isaway(errno))
		errno = ENOTCONN;
}

/* asks on a new connection; what is refused is NULL in *r.  Returns 0 or -1. */
static int
askhere(Bus *b, Taker *t, int nwords, const char **words, redisReply **r)
{
	*r = bus_linkask(&t->link, bus_words(nwords, words, NULL));
	if(*r == NULL)
		return -1;
	if((*r)->type == REDIS_REPLY_ERROR){
		bus_refused(*r, b->error);
		freeReplyObject(*r);
		*r = NULL;
	}
	return 0;
}

/* returns whether it is the engine that had the connection before this one. */
static int
askrun(Bus *b, Taker *t)
{
	const char *words[] = {"INFO", "server"};
	char run[RunBytes] = "";
	redisReply *r;

	if(askhere(b, t, 2, words, &r) < 0)
		return -1;
	const char *at = bus_istext(r) ? strstr(r->str, "run_id:") : NULL;
	if(at)
		snprintf(run, sizeof run, "%s", at + 7);
	if(r)
		freeReplyObject(r);
	int same = *run && strcmp(run, t->run) == 0;
	strcpy(t->run, run);
	return same;
}

/* Another engine may have given the number to somebody else. */
static int
killlast(Bus *b, Taker *t)
{
	const char *words[] = {"CLIENT", "KILL", "ID", t->client};
	int same = *t->client ? askrun(b, t) : 0;
	redisReply *r = NULL;

	if(same < 0 || (same && askhere(b, t, 4, words, &r) < 0))
		return -1;
	if(r)
		freeReplyObject(r);
	*t->client = '\0';
	return 0;
}

/* An engine that does not tell cannot be asked to kill it either. */
static int
asknumber(Bus *b, Taker *t)
{
	const char *words[] = {"CLIENT", "ID"};
	redisReply *r;

	if((*t->run == '\0' && askrun(b, t) < 0) ||
			askhere(b, t, 2, words, &r) < 0)
		return -1;
	if(r && r->type == REDIS_REPLY_INTEGER)
		snprintf(t->client, sizeof t->client, "%lld", r->integer);
	if(r)
		freeReplyObject(r);
	return 0;
}

static int
openlink(Bus *b, Taker *t)
{
	if(t->link.s && bus_linkalive(&t->link))
		return 0;
	cutlink(t);
	if(bus_linkopen(&t->link, &b->url, b->error) == 0 &&
			killlast(b, t) == 0 && asknumber(b, t) == 0 &&
			!b->closing)
		return 0;
	cutlink(t);
	return -1;
}

/* asks for an entry: a pending one, or the next one when it comes. */
static redisReply *
asknext(Taker *t)
{
	char after[IdBytes];
	const char *pending[] = {"XREADGROUP", "GROUP", t->group, t->who,
		"COUNT", "1", "STREAMS", t->stream, after};
	const char *next[] = {"XREADGROUP", "GROUP", t->group, t->who,
		"COUNT", "1", "BLOCK", "0", "STREAMS", t->stream, ">"};

	bus_idtext(t->last, after);
	return bus_linkask(&t->link, t->unknown ? bus_words(9, pending, NULL) :
		bus_words(11, next, NULL));
}

/* The group begins with what is in the stream already. */
static int
makegroup(Bus *b, Taker *t)
{
	const char *words[] = {"XGROUP", "CREATE", t->stream, t->group, "0",
		"MKSTREAM"};
	redisReply *r = bus_linkask(&t->link, bus_words(6, words, NULL));

	if(r == NULL)
		return -1;
	int err = r->type == REDIS_REPLY_ERROR &&
		strncmp(r->str, "BUSYGROUP", 9) != 0 ?
		bus_refused(r, b->error) : 0;
	freeReplyObject(r);
	t->last = (Busid){0};
	t->unknown = 1;
	return err ? bus_fail(err) : 0;
}

/* "NOGROUP", or that the key has been deleted while we waited for it. */
static int
nogroup(const redisReply *r)
{
	return r->type == REDIS_REPLY_ERROR &&
		(strncmp(r->str, "NOGROUP", 7) == 0 ||
		strncmp(r->str, "UNBLOCKED", 9) == 0);
}

/*
 * looks at an answer: an entry of the stream, which is in *m then, or that none
 * is pending.  Returns 0; -1 and errno.
 */
static int
understand(Bus *b, Taker *t, const redisReply *r, Busmsg **m)
{
	const redisReply *entries = bus_at(bus_at(r, 0), 1);
	const redisReply *entry = bus_at(entries, 0);

	if(r->type == REDIS_REPLY_ERROR)
		return bus_fail(bus_refused(r, b->error));
	if(entry == NULL && (!t->unknown ||
			(r->type != REDIS_REPLY_NIL && (entries == NULL ||
			entries->type != REDIS_REPLY_ARRAY))))
		return bus_fail(EPROTO);
	if(entry == NULL){
		t->unknown = 0;
		return 0;
	}
	*m = bus_entry(entry, t->stream, t->group);
	if(*m == NULL)
		return -1;
	(*m)->again = (unsigned int)t->unknown;
	t->last = (*m)->id;
	return 0;
}

/* one question and its answer, which may be that there is no such group. */
static int
turn(Bus *b, Taker *t, int *made, Busmsg **m)
{
	if(openlink(b, t) < 0)
		return -1;
	redisReply *r = asknext(t);
	if(r == NULL){
		cutlink(t);
		return -1;
	}
	int none = nogroup(r) && !*made;
	int done = none ? makegroup(b, t) : understand(b, t, r, m);
	*made |= none;
	freeReplyObject(r);
	if(done < 0)
		cutlink(t);
	return done;
}

static Busmsg *
take(Bus *b, Taker *t)
{
	Busmsg *m = NULL;
	int made = 0;

	if(qlock(&t->lock) < 0)
		return NULL;
	while(m == NULL){
		if(b->closing || !b->calls.up){
			errno = b->closing ? ESHUTDOWN : ENOTCONN;
			break;
		}
		if(turn(b, t, &made, &m) < 0)
			break;
	}
	qunlock(&t->lock);
	if(m == NULL && b->closing)
		errno = ESHUTDOWN;
	return m;
}

/* begins a call that these are given to: 0, or -1 and errno. */
static int
enter(Bus *b, const char *stream, const char *group, const char *who)
{
	if(bus_enter(b) < 0)
		return -1;
	if(stream && group && who)
		return 0;
	bus_leave(b, 0, EINVAL);
	return -1;
}

Busmsg *
bustake(Bus *b, const char *stream, const char *group, const char *who)
{
	int err = errno;
	Busmsg *m = NULL;

	if(enter(b, stream, group, who) < 0)
		return NULL;
	if(!b->calls.up)
		errno = ENOTCONN;
	else{
		Taker *t = findtaker(b, stream, group, who);
		if(t == NULL)
			t = maketaker(b, stream, group, who);
		m = t ? take(b, t) : NULL;
	}
	bus_leave(b, m == NULL, err);
	return m;
}

/* Claiming */

/*
 * looks at what was claimed: *m is an entry, or a gap, or stays NULL; cursor is
 * where to go on.  Returns 0; -1 and errno.
 */
static int
claimed(const redisReply *r, const char *stream, const char *group, Busmsg **m,
	Busid *cursor)
{
	const redisReply *entry = bus_at(bus_at(r, 1), 0), *gone = bus_at(r, 2);

	if(bus_id(bus_at(r, 0), cursor) < 0)
		return bus_fail(EPROTO);
	if(entry)
		*m = bus_entry(entry, stream, group);
	else if(bus_at(gone, 0) && (*m = bus_msg(stream, group, NULL, 0))){
		(*m)->op = BUSGAP;
		(*m)->lost = gone->elements;
		bus_id(bus_at(gone, 0), &(*m)->id);
	}else if(bus_at(gone, 0) == NULL)
		return 0;
	if(*m)
		(*m)->again = 1;
	return *m ? 0 : -1;
}

/* The engine looks at some pending ones at a time. */
static Busmsg *
claim(Bus *b, const char *stream, const char *group, const char *who,
	unsigned int idle_ms)
{
	char idle[IdBytes], from[IdBytes];
	const char *words[] = {"XAUTOCLAIM", stream, group, who, idle, from,
		"COUNT", "1"};
	Busid cursor = {0};
	Busmsg *m = NULL;
	int r = 0;

	snprintf(idle, sizeof idle, "%u", idle_ms);
	do{
		bus_idtext(cursor, from);
		redisReply *answer = bus_ask(b, bus_words(8, words, NULL));
		if(answer == NULL && strncmp(b->error, "NOGROUP", 7) == 0 &&
				errno == EPROTO)
			break;
		r = answer ? claimed(answer, stream, group, &m, &cursor) : -1;
		if(answer)
			freeReplyObject(answer);
	}while(r == 0 && m == NULL && (cursor.ms || cursor.seq));
	if(r == 0 && m == NULL)
		errno = ENOENT;
	return m;
}

Busmsg *
busclaim(Bus *b, const char *stream, const char *group, const char *who,
	unsigned int idle_ms)
{
	int err = errno;

	if(enter(b, stream, group, who) < 0)
		return NULL;
	Busmsg *m = claim(b, stream, group, who, idle_ms);
	bus_leave(b, m == NULL, err);
	return m;
}

static int
acknowledge(Bus *b, const Busmsg *m)
{
	char id[IdBytes];

	if(m == NULL || m->group == NULL)
		return bus_fail(EINVAL);
	const char *words[] = {"XACK", m->topic, m->group, id};
	bus_idtext(m->id, id);
	redisReply *r = bus_ask(b, bus_words(4, words, NULL));
	if(r == NULL)
		return -1;
	int err = r->type != REDIS_REPLY_INTEGER ? EPROTO :
		r->integer == 0 ? ENOENT : 0;
	freeReplyObject(r);
	return err ? bus_fail(err) : 0;
}

int
busack(Bus *b, const Busmsg *m)
{
	int err = errno;

	if(bus_enter(b) < 0)
		return -1;
	int r = acknowledge(b, m);
	bus_leave(b, r < 0, err);
	return r;
}
