/* SPDX-License-Identifier: MIT */
/* A bus: one connection to the engine, answers by hiredis's reader. */
#include "bus.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum
{
	ConnectMs = 5000,
	SilentS = 10,	/* then the engine's machine is asked three times */
	UnackedMs = 20000,
	ElementsMost = 1 << 20,	/* of an array, whose memory comes first */
	AnswerMost = 600 << 20	/* bytes: Redis has strings up to 512 MiB */
};

Cmd
bus_words(int nwords, const char **words, const size_t *n)
{
	Cmd c = {0};
	long long r = redisFormatCommandArgv(&c.v, nwords, words, n);

	if(r < 0){
		c.v = NULL;
		errno = ENOMEM;
	}
	c.n = r < 0 ? 0 : (size_t)r;
	return c;
}

void
bus_cmdfree(Cmd *c)
{
	if(c->v)
		redisFreeCommand(c->v);
	*c = (Cmd){0};
}

/* hiredis before 1.0 counts elements in an int, from then on in a size_t. */

__attribute__((unused)) static void *
arrayint(const redisReadTask *t, int n)
{
	const Link *l = t->privdata;

	return n > ElementsMost ? NULL : l->real->createArray(t, n);
}

__attribute__((unused)) static void *
arraysize(const redisReadTask *t, size_t n)
{
	const Link *l = t->privdata;

	return n > ElementsMost ? NULL : l->real->createArray(t,
		(unsigned int)n);
}

static int
openreader(Link *l)
{
	l->r = redisReaderCreate();
	if(l->r == NULL)
		return bus_fail(ENOMEM);
	l->real = l->r->fn;
	l->fn = *l->real;
	l->fn.createArray = _Generic(l->fn.createArray,
		void *(*)(const redisReadTask *, int): arrayint,
		default: arraysize);
	l->r->fn = &l->fn;
	l->r->privdata = l;
	return 0;
}

static int
dial(Link *l, const Url *u)
{
	l->fd = u->path ? netdial(UNIX, u->path, 0) :
		netdial(TCP, u->host, u->port);
	if(l->fd < 0)
		return -1;
	if(u->host){
		netoption(l->fd, NETKEEPALIVE, SilentS);
		netoption(l->fd, NETUNACKED, UnackedMs);
	}
	l->s = streamopen(l->fd, 0);
	if(l->s)
		return 0;
	int err = errno;
	fdclose(l->fd);
	return bus_fail(err);
}

/* returns whether the answer is no refusal; r may be NULL, with errno. */
static int
accepted(redisReply *r, char *error)
{
	if(r == NULL)
		return -1;
	int err = r->type == REDIS_REPLY_ERROR ? bus_refused(r, error) :
		r->type == REDIS_REPLY_STATUS ? 0 : EPROTO;
	freeReplyObject(r);
	return err ? bus_fail(err) : 0;
}

/* asks by no buffer that would keep the password, and clears it. */
static redisReply *
asksecretly(Link *l, Cmd c)
{
	ssize_t n = c.v ? fdwrite(l->fd, c.v, c.n) : -1;

	if(c.v)
		explicit_bzero(c.v, c.n);
	bus_cmdfree(&c);
	return n < 0 ? NULL : bus_linkreply(l);
}

/* An engine that still loads its data answers the last one that it does. */
static int
greet(Link *l, const Url *u, char *error)
{
	const char *auth[] = {"AUTH", u->user, u->password};
	const char *old[] = {"AUTH", u->password};
	const char *select[] = {"SELECT", u->db}, *ping[] = {"PING"};

	if(u->password && accepted(asksecretly(l, u->user ?
			bus_words(3, auth, NULL) : bus_words(2, old, NULL)),
			error) < 0)
		return -1;
	if(u->db && accepted(bus_linkask(l, bus_words(2, select, NULL)),
			error) < 0)
		return -1;
	return accepted(bus_linkask(l, bus_words(1, ping, NULL)), error);
}

int
bus_linkopen(Link *l, const Url *u, char *error)
{
	Timeout t;

	*l = (Link){.fd = -1};
	if(timeoutstartas(&t, ConnectMs, EHOSTDOWN) < 0)
		return -1;
	int r = openreader(l);
	if(r == 0)
		r = dial(l, u);
	if(r == 0)
		r = greet(l, u, error);
	timeoutstop(&t);
	if(r < 0)
		bus_linkclose(l);
	return r;
}

/* Nothing more is sent, so there is nothing to linger for. */
void
bus_linkclose(Link *l)
{
	int err = errno;

	if(l->s){
		bus_linkbreak(l);
		streamclose(l->s);
	}
	if(l->r)
		redisReaderFree(l->r);
	*l = (Link){.fd = -1};
	errno = err;
}

void
bus_linkbreak(Link *l)
{
	int err = errno;

	if(l->s)
		shutdown(l->fd, SHUT_RDWR);
	errno = err;
}

int
bus_linkalive(const Link *l)
{
	char c;
	int err = errno;
	ssize_t n = recv(l->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
	int alive = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);

	errno = err;
	return alive;
}

/* gives the reader what comes next. */
static int
feed(Link *l)
{
	void *v;
	ssize_t n = streampeek(l->s, 1, &v);

	if(n <= 0)
		return n < 0 ? -1 : bus_fail(ECONNRESET);
	if(redisReaderFeed(l->r, v, (size_t)n) != REDIS_OK)
		return bus_fail(ENOMEM);
	l->unfinished += (size_t)n;
	if(l->unfinished > AnswerMost)
		return bus_fail(EPROTO);
	return streamskip(l->s, (size_t)n);
}

redisReply *
bus_linkreply(Link *l)
{
	void *reply = NULL;

	for(;;){
		if(redisReaderGetReply(l->r, &reply) != REDIS_OK){
			bus_fail(l->r->err == REDIS_ERR_OOM ? ENOMEM : EPROTO);
			return NULL;
		}
		if(reply){
			l->unfinished = l->r->len - l->r->pos;
			return reply;
		}
		if(feed(l) < 0)
			return NULL;
	}
}

redisReply *
bus_linkask(Link *l, Cmd c)
{
	ssize_t n = c.v ? streamwrite(l->s, c.v, c.n) : -1;

	bus_cmdfree(&c);
	return n < 0 ? NULL : bus_linkreply(l);
}
