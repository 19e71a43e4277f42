/* SPDX-License-Identifier: MIT */
/*
 * A bus: subscriptions.  Their connection brings messages between the answers.
 * Each SUBSCRIBE and UNSUBSCRIBE has one answer, in their order, so a topic
 * counts those that are to come: with the last one it is what that says.
 *
 * The driver never waits for a channel.  What has no room is counted, and a
 * task of its own, the teller, waits until it can tell that; what comes
 * meanwhile is lost too.
 */
#include "bus.h"
#include <stdlib.h>
#include <string.h>

enum { RetryMs = 10 };

typedef struct Sub Sub;
struct Sub
{
	Sub *next;
	Bus *b;
	Channel *c;
	unsigned int before;	/* answers to come until it is confirmed */
	int live;	/* it was confirmed once: what is lost is to be told */
	unsigned long lost;	/* messages that had no room, not told yet */
	int broken;	/* nor that the connection was broken */
	int teller;	/* the task that tells; 0: there is none */
	int gone;	/* it has ended, and the teller frees it */
	char topic[];
};

/* A topic is there as long as somebody subscribes or answers are to come. */
struct Topic
{
	Topic *next;	/* of its bucket */
	Sub *subs;
	unsigned int nasked;	/* answers to come, on this connection */
	int on;	/* none are, and the engine has it subscribed */
	char name[];
};

static Topic **
bucketof(Bus *b, const char *name)
{
	uint32_t h = 2166136261;	/* FNV-1a */

	for(; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619;
	return &b->topics[(h ^ h >> 16) % Buckets];
}

static Topic *
findtopic(Bus *b, const char *name)
{
	Topic *t = *bucketof(b, name);

	while(t && strcmp(t->name, name) != 0)
		t = t->next;
	return t;
}

static Topic *
maketopic(Bus *b, const char *name)
{
	Topic **at = bucketof(b, name), *t = findtopic(b, name);
	size_t bytes = strlen(name) + 1;

	if(t)
		return t;
	t = calloc(1, sizeof *t + bytes);
	if(t){
		memcpy(t->name, name, bytes);
		t->next = *at;
		*at = t;
	}
	return t;
}

/* Nobody has it any more, if that is so. */
static void
trytofree(Bus *b, Topic *t)
{
	Topic **at = bucketof(b, t->name);

	if(t->subs || t->nasked)
		return;
	while(*at != t)
		at = &(*at)->next;
	*at = t->next;
	free(t);
}

/* Telling */

/* That the connection was broken is told when messages come again. */
static int
totell(const Sub *s)
{
	return s->broken && s->before == 0;
}

/* takes what there is to be told; NULL if there is no memory. */
static Busmsg *
gapof(const Sub *s)
{
	Busmsg *m = bus_msg(s->topic, NULL, NULL, 0);

	if(m){
		m->op = BUSGAP;
		m->lost = totell(s) ? 0 : s->lost;
	}
	return m;
}

/* returns -1 if c takes nothing any more, or this task is cancelled. */
static int
tellgap(Sub *s)
{
	Busmsg *m = gapof(s);

	if(m == NULL){
		taskdelay(RetryMs);
		return taskcancelled() ? -1 : 0;
	}
	unsigned long lost = m->lost;
	if(chansendp(s->c, m) < 0){
		if(errno == EPIPE)	/* it is closed: nothing more is told */
			s->broken = s->lost = 0;
		busmsgfree(m);
		return -1;
	}
	if(lost > 0)
		s->lost -= lost;
	else if(totell(s))
		s->broken = 0;
	return 0;
}

static void
tell(void *v)
{
	Sub *s = v;

	tasksystem();
	taskname("bus: tells a gap in %s", s->topic);
	while(!s->gone && (s->lost || totell(s)))
		if(tellgap(s) < 0)
			break;
}

static void
tellerended(void *v)
{
	Sub *s = v;
	Bus *b = s->b;

	s->teller = 0;
	if(s->gone)
		free(s);
	b->ntellers--;
	bus_tell(&b->quiet);
}

/* If there is no task to be had, the next loss has it tried again. */
static void
starttelling(Sub *s)
{
	int id = s->teller ? 0 : bus_task(tell, tellerended, s);

	if(id > 0){
		s->teller = id;
		s->b->ntellers++;
	}
}

/* A channel that was closed wants no more, and need not be told. */
static void
giveto(Sub *s, const redisReply *text)
{
	int waiting = s->teller || s->lost || s->broken;
	Busmsg *m = waiting ? NULL :
		bus_msg(s->topic, NULL, text->str, text->len);

	if(m && channbsendp(s->c, m) >= 0)
		return;
	int closed = m && errno == EPIPE;
	busmsgfree(m);
	if(closed)
		return;
	s->lost++;
	starttelling(s);
}

/* What the engine says */

int
bus_subscame(Line *n, redisReply *r)
{
	const redisReply *name = bus_at(r, 1), *text = bus_at(r, 2);

	if(!bus_isword(bus_at(r, 0), "message") || !bus_istext(text))
		return 0;
	Topic *t = bus_istext(name) ? findtopic(n->b, name->str) : NULL;
	for(Sub *s = t ? t->subs : NULL; s; s = s->next)
		if(s->before == 0)
			giveto(s, text);
	freeReplyObject(r);
	return 1;
}

/* A refusal is for whoever waits; who was subscribed before does not. */
static void
refused(Line *n, const Topic *t)
{
	for(const Sub *s = t->subs; s; s = s->next)
		if(s->live){
			bus_linkbreak(&n->link);
			return;
		}
}

int
bus_subsanswered(Line *n, void *about, const redisReply *r)
{
	Topic *t = about;
	int on = bus_isword(bus_at(r, 0), "subscribe");

	if(!on && r->type != REDIS_REPLY_ERROR &&
			!bus_isword(bus_at(r, 0), "unsubscribe"))
		return -1;
	t->nasked--;
	t->on = on && t->nasked == 0;
	if(r->type == REDIS_REPLY_ERROR)
		refused(n, t);
	for(Sub *s = t->subs; s; s = s->next){
		s->before -= s->before > 0;
		if(on && totell(s))
			starttelling(s);
	}
	trytofree(n->b, t);
	return 0;
}

/* returns the command, which then has to be sent, with its topic. */
static Cmd
asking(Topic *t, const char *verb)
{
	const char *words[] = {verb, t->name};

	t->nasked++;
	t->on = 0;
	return bus_words(2, words, NULL);
}

/* A command that cannot be sent leaves what a new connection sets right. */
static void
ask(Line *n, Topic *t, const char *verb)
{
	if(bus_linepost(n, asking(t, verb), t) < 0)
		bus_linkbreak(&n->link);
}

/* A new connection knows nothing of what was asked on the last one. */
void
bus_subsbegun(Line *n)
{
	for(int i = 0; i < Buckets; i++)
		for(Topic *t = n->b->topics[i], *next; t; t = next){
			next = t->next;
			t->nasked = 0;
			t->on = 0;
			for(Sub *s = t->subs; s; s = s->next){
				s->broken |= s->live;
				s->before = 1;
			}
			if(t->subs)
				ask(n, t, "SUBSCRIBE");
			trytofree(n->b, t);
		}
}

/* Subscribing */

static Sub **
findsub(Topic *t, const Channel *c)
{
	Sub **at = &t->subs;

	while(*at && (*at)->c != c)
		at = &(*at)->next;
	return at;
}

static void
freesub(Sub *s)
{
	s->gone = 1;
	if(s->teller)
		taskcancel(s->teller);
	else
		free(s);
}

/* ends one; the engine is told if nobody else has the topic. */
static void
drop(Bus *b, Topic *t, Channel *c)
{
	Sub **at = findsub(t, c), *s = *at;

	*at = s->next;
	freesub(s);
	if(!b->subs.up)
		t->nasked = 0;
	else if(t->subs == NULL && (t->on || t->nasked))
		ask(&b->subs, t, "UNSUBSCRIBE");
	trytofree(b, t);
}

static int
add(Bus *b, Topic *t, Channel *c)
{
	size_t bytes = strlen(t->name) + 1;
	Sub *s = calloc(1, sizeof *s + bytes);

	if(s == NULL)
		return -1;
	s->b = b;
	s->c = c;
	s->live = t->on;
	s->before = t->on ? 0 : t->nasked + 1;
	memcpy(s->topic, t->name, bytes);
	s->next = t->subs;
	t->subs = s;
	return 0;
}

/* waits as long as the other connection says that there is an engine. */
static int
awaitline(Bus *b)
{
	if(bus_linestart(&b->subs) < 0)
		return -1;
	unsigned int tried = b->subs.ntried;
	while(!b->subs.up){
		if(b->subs.ntried != tried && b->subs.err != ENOTCONN)
			return bus_fail(b->subs.err);
		if(b->closing)
			return bus_fail(ESHUTDOWN);
		if(!b->calls.up)
			return bus_fail(ENOTCONN);
		if(b->subs.driver == 0)
			return bus_fail(ECANCELED);
		if(eventwait(&b->subs.changed) < 0)
			return -1;
	}
	return 0;
}

/* returns 0; -1 and errno, also if the subscription has ended meanwhile. */
static int
confirm(Bus *b, Topic *t, Channel *c)
{
	char *name = strdup(t->name);
	Cmd none = {0};
	redisReply *r = bus_linecall(&b->subs, name ? asking(t, "SUBSCRIBE") :
		none, t);
	int err = r == NULL ? errno == EINPROGRESS ? ENOTCONN : errno :
		r->type == REDIS_REPLY_ERROR ? bus_refused(r, b->error) : 0;

	if(r)
		freeReplyObject(r);
	if(err == ENOMEM)	/* it is counted, and was not sent */
		bus_linkbreak(&b->subs.link);
	t = name ? findtopic(b, name) : t;
	free(name);
	Sub *s = t ? *findsub(t, c) : NULL;
	if(s && err)
		drop(b, t, c);
	else if(s)
		s->live = 1;
	return err ? bus_fail(err) : s ? 0 :
		bus_fail(b->closing ? ESHUTDOWN : ECANCELED);
}

static int
subscribe(Bus *b, const char *topic, Channel *c)
{
	if(topic == NULL || c == NULL || c->elemsize != sizeof(Busmsg *))
		return bus_fail(EINVAL);
	if(!b->calls.up)
		return bus_fail(ENOTCONN);
	if(chanlen(c) < 0 || awaitline(b) < 0)
		return -1;
	Topic *t = maketopic(b, topic);
	if(t == NULL)
		return -1;
	if(*findsub(t, c))
		return bus_fail(EEXIST);
	if(add(b, t, c) < 0){
		trytofree(b, t);
		return -1;
	}
	return t->on ? 0 : confirm(b, t, c);
}

int
bussubscribe(Bus *b, const char *topic, Channel *c)
{
	int err = errno;

	if(bus_enter(b) < 0)
		return -1;
	int r = subscribe(b, topic, c);
	bus_leave(b, r < 0, err);
	return r;
}

int
busunsubscribe(Bus *b, const char *topic, Channel *c)
{
	int err = errno;

	if(bus_enter(b) < 0)
		return -1;
	Topic *t = topic ? findtopic(b, topic) : NULL;
	int r = topic == NULL || c == NULL ? bus_fail(EINVAL) :
		t == NULL || *findsub(t, c) == NULL ? bus_fail(ENOENT) : 0;
	if(r == 0)
		drop(b, t, c);
	bus_leave(b, r < 0, err);
	return r;
}

/* Channels are left alone from now on. */
void
bus_subsend(Bus *b)
{
	for(int i = 0; i < Buckets; i++)
		for(Topic *t = b->topics[i]; t; t = t->next)
			while(t->subs){
				Sub *s = t->subs;
				t->subs = s->next;
				freesub(s);
			}
}

void
bus_subsfree(Bus *b)
{
	for(int i = 0; i < Buckets; i++)
		while(b->topics[i]){
			Topic *t = b->topics[i];
			b->topics[i] = t->next;
			free(t);
		}
}
