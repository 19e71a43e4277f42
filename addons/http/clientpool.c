/* SPDX-License-Identifier: MIT */
/*
 * The client's connections.  Those that are idle wait in a pool for another
 * request to the same server, and are closed by a task of the pool's.
 */
#include "client.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { IdleMost = 32, IdleMs = 30000 };

struct Httppool *
poolof(Httpclient *c)
{
	if(c->pool == NULL){
		c->pool = calloc(1, sizeof *c->pool);
		if(c->pool)
			c->pool->refs = 1;
	}
	return c->pool;
}

void
poolleave(struct Httppool *p)
{
	if(--p->refs == 0)
		free(p);
}

/* Nobody waits for what it may still say: so there is no lingering. */
void
conndrop(Conn *conn)
{
	int err = errno;
	Timeout t;

	timeoutstart(&t, 0);
	streamclose(conn->s);
	timeoutstop(&t);
	free(conn);
	errno = err;
}

static void
takeout(struct Httppool *p, Conn **at)
{
	*at = (*at)->next;
	p->n--;
}

/* drops the one that has been idle longest. */
static void
dropoldest(struct Httppool *p)
{
	Conn **at = &p->idle;

	while((*at)->next)
		at = &(*at)->next;
	Conn *conn = *at;
	takeout(p, at);
	conndrop(conn);
}

/* Whether nothing has come, neither bytes nor an end; the socket knows. */
static int
silent(Conn *conn)
{
	char c;
	void *v;
	int err = errno;
	int none = streampeek(conn->s, 0, &v) == 0 &&
		recv(streamfd(conn->s), &c, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
		(errno == EAGAIN || errno == EWOULDBLOCK);

	errno = err;
	return none;
}

/*
 * A server that has nothing to say keeps silent: one that has hung up or says
 * something that nobody has asked for is not asked again.  What a layer below
 * hears, as TLS does of tickets, is nothing to us.
 */
static int
alive(Conn *conn)
{
	Timeout t;
	void *v;

	if(conn->until_ns <= tasknow())
		return 0;
	if(silent(conn))
		return 1;
	timeoutstart(&t, 0);
	int r = (int)streampeek(conn->s, 1, &v), err = errno;
	timeoutstop(&t);
	if(r < 0 && err == EINTR)	/* that is for a wait of the caller's */
		taskinterrupt((int)taskid());
	return r < 0 && err == ETIMEDOUT && timeoutfired(&t);
}

Conn *
conntake(struct Httppool *p, const Httpclient *c, const Place *to)
{
	Conn **at = &p->idle, *conn;

	while((conn = *at)){
		if(conn->secure != to->secure || conn->port != to->port ||
				strcasecmp(conn->host, to->host) != 0 ||
				(to->secure && (conn->by != c->secure ||
				conn->ctx != c->ctx))){
			at = &conn->next;
			continue;
		}
		takeout(p, at);
		if(alive(conn))
			return conn;
		conndrop(conn);
		at = &p->idle;	/* others may have come meanwhile, or gone */
	}
	return NULL;
}

static Conn *
newconn(const Httpclient *c, const Place *to, int fd)
{
	size_t n = strlen(to->host) + 1;
	Conn *conn = calloc(1, sizeof *conn + n);

	if(conn == NULL)
		return NULL;
	memcpy(conn->host, to->host, n);
	conn->secure = to->secure;
	conn->port = to->port;
	conn->by = c->secure;
	conn->ctx = c->ctx;
	conn->s = streamopen(fd, 0);
	if(conn->s)
		return conn;
	free(conn);
	return NULL;
}

static Conn *
dial(const Httpclient *c, const Place *to)
{
	int fd = netdial(TCP, to->host, to->port);

	if(fd < 0)
		return NULL;
	Conn *conn = newconn(c, to, fd);
	if(conn == NULL){
		int err = errno;
		fdclose(fd);
		errno = err;
	}else if(to->secure && c->secure(conn->s, c->ctx, to->host) < 0){
		conndrop(conn);
		conn = NULL;
	}
	return conn;
}

Conn *
conndial(const Httpclient *c, const Place *to)
{
	Timeout t;

	if(c->dial_ms == 0)
		return dial(c, to);
	timeoutstart(&t, c->dial_ms);
	Conn *conn = dial(c, to);
	timeoutstop(&t);
	return conn;
}

/* A task while anything is idle. */
static void
reap(void *v)
{
	struct Httppool *p = v;

	tasksystem();
	taskname("http idle");
	while(p->idle && !p->closed && !taskcancelled()){
		Conn *oldest = p->idle;
		while(oldest->next)
			oldest = oldest->next;
		if(oldest->until_ns <= tasknow())
			dropoldest(p);
		else{
			p->waits = 1;
			taskdelayuntil(oldest->until_ns);
			p->waits = 0;
		}
	}
	p->reaper = 0;
	poolleave(p);
}

static int
hasreaper(struct Httppool *p)
{
	if(p->reaper)
		return 1;
	int id = taskcreate(reap, p, 0);
	if(id < 0)
		return 0;
	p->reaper = id;
	p->refs++;
	return 1;
}

void
connput(const Httpclient *c, struct Httppool *p, Conn *conn)
{
	int most = p->closed ? -1 : c->idle ? c->idle : IdleMost;

	if(most < 0 || !hasreaper(p)){
		conndrop(conn);
		return;
	}
	conn->until_ns = tasknow() + (int64_t)1000000 *
		(c->idle_ms && c->idle_ms < IdleMs ? c->idle_ms : IdleMs);
	conn->used = 1;
	conn->next = p->idle;
	p->idle = conn;
	if(++p->n > most)
		dropoldest(p);
}

void
httpclientclose(Httpclient *c)
{
	struct Httppool *p = c ? c->pool : NULL;

	if(p == NULL)
		return;
	c->pool = NULL;
	p->closed = 1;
	while(p->idle)
		dropoldest(p);
	/* one that has not begun would never, and not leave the pool */
	int reaper = p->reaper;
	if(p->waits)
		taskcancel(reaper);
	poolleave(p);
	if(reaper)	/* it leaves too, for this may be the end of all */
		taskyield();
}
