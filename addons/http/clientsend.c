/* SPDX-License-Identifier: MIT */
/* Requests, as the client sends them. */
#include "client.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/uio.h>

/* A piece and what is around it has room in a stream: writing is no wait. */
enum { PieceBytes = 32 * 1024, PiecesMost = 32 };

int
clientfail(int err)
{
	errno = err;
	return -1;
}

static int
among(const char *const *names, const char *name)
{
	while(*names && ((**names ^ *name) & ~32 ||	/* as most are */
			strcasecmp(*names, name) != 0))
		names++;
	return *names != NULL;
}

/* How a message ends, and for whom it is, is not the program's to say. */
static int
fieldvalid(const char *name, const char *value)
{
	static const char *const ours[] = {"Host", "Content-Length",
		"Transfer-Encoding", "Connection", "Expect", "Upgrade", "TE",
		"Trailer", NULL};
	size_t n = strlen(name), nv = value ? strlen(value) : 0;

	return n > 0 && gatespan(name, n, IsToken) == n && value &&
		gatespan(value, nv, IsValue) == nv && !among(ours, name);
}

int
requestvalid(const Httprequest *q)
{
	size_t n = q->method ? strlen(q->method) : 0;

	if(q->method && (n == 0 || n > TokenMost ||
			gatespan(q->method, n, IsToken) != n ||
			strcmp(q->method, "CONNECT") == 0))
		return 0;
	if((q->body && q->read) || (q->nbody > 0 && q->body == NULL) ||
			q->length < 0)
		return 0;
	for(const char *const *f = q->fields; f && *f; f += 2)
		if(!fieldvalid(f[0], f[1]))
			return 0;
	return 1;
}

/* Secrets are not for the server that another one has led to. */
static int
fieldsent(const Exchange *x, const char *name)
{
	static const char *const secret[] = {"Authorization", "Cookie",
		"Proxy-Authorization", NULL};

	return !(x->foreign && among(secret, name)) &&
		!(x->bodiless && strncasecmp(name, "Content-", 8) == 0);
}

static int
hasbody(const Exchange *x)
{
	return !x->bodiless && (x->q->body || x->q->read);
}

/* A server may wait for a body of methods that mostly have one. */
static ssize_t
sendframing(const Exchange *x)
{
	const Httprequest *q = x->q;
	int64_t n = q->read ? q->length : (int64_t)q->nbody;

	if(hasbody(x) && q->read && n == 0)
		return streamprint(x->conn->s,
			"Transfer-Encoding: chunked\r\n");
	if(hasbody(x))
		return streamprint(x->conn->s, "Content-Length: %lld\r\n",
			(long long)n);
	if(strcmp(x->method, "POST") == 0 || strcmp(x->method, "PUT") == 0 ||
			strcmp(x->method, "PATCH") == 0)
		return streamprint(x->conn->s, "Content-Length: 0\r\n");
	return 0;
}

/* A head in pieces: printf would take ten times as long. */
typedef struct Pieces
{
	Stream *s;
	int n;
	struct iovec v[PiecesMost];
} Pieces;

static int
putpieces(Pieces *p)
{
	int n = p->n;

	p->n = 0;
	return streamwritev(p->s, p->v, n) < 0 ? -1 : 0;
}

static int
add(Pieces *p, const char *const *text)
{
	for(; *text; text++){
		if(p->n == PiecesMost && putpieces(p) < 0)
			return -1;
		p->v[p->n].iov_base = (void *)(uintptr_t)*text;
		p->v[p->n++].iov_len = strlen(*text);
	}
	return 0;
}

#define ADD(p, ...) add(p, (const char *const[]){__VA_ARGS__, NULL})

static int
sendhead(const Exchange *x, int expect)
{
	Pieces p = {.s = x->conn->s};

	if(ADD(&p, x->method, " ", x->place->target, " HTTP/1.1\r\nHost: ",
			x->place->authority, "\r\n") < 0)
		return -1;
	for(const char *const *f = x->q->fields; f && *f; f += 2)
		if(fieldsent(x, f[0]) && ADD(&p, f[0], ": ", f[1], "\r\n") < 0)
			return -1;
	if(ADD(&p, expect ? "Expect: 100-continue\r\n" : "") < 0 ||
			putpieces(&p) < 0 || sendframing(x) < 0)
		return -1;
	return streamwrite(p.s, "\r\n", 2) < 0 ? -1 : 0;
}

/* sends n bytes of a body; *left of a known length has them taken off. */
static int
sendpiece(Exchange *x, const char *v, size_t n, int64_t *left)
{
	Stream *s = x->conn->s;

	if(*left < 0)
		return streamprint(s, "%zx\r\n", n) < 0 ||
			streamwrite(s, v, n) < 0 ||
			streamwrite(s, "\r\n", 2) < 0 ? -1 : 0;
	if((uint64_t)*left < n)
		return clientfail(EMSGSIZE);
	*left -= (int64_t)n;
	return streamwrite(s, v, n) < 0 ? -1 : 0;
}

/* What came of an answer so far. */
enum { Nothing, Interim, Final };

/* waits so long for a head; -1. */
static int
answered(Exchange *x, unsigned int ms)
{
	Timeout t;

	timeoutstart(&t, ms);
	int r = messagehead(&x->m, 1);
	int late = r < 0 && errno == ETIMEDOUT && timeoutfired(&t);
	timeoutstop(&t);
	if(late)
		return Nothing;
	if(r <= 0)
		return r < 0 ? -1 : clientfail(ECONNRESET);
	if(x->m.head.code >= 200 || x->m.head.code == 101)
		return Final;
	messagefree(&x->m);
	messagestart(&x->m, x->conn->s, 1, x->m.bodiless);
	x->interim = 1;
	return Interim;
}

/*
 * waits until all that was written is sent, 0, or the server has answered, 1:
 * who does not read what it will not have may wait for its answer to be read.
 */
static int
sendwritten(Exchange *x)
{
	int fd = streamfd(x->conn->s), r, came;

	while((r = streampush(x->conn->s)) > 0){
		Alt alts[] = {{.op = ALTREAD, .fd = fd},
			{.op = ALTWRITE, .fd = fd}, {.op = CHANEND}};
		while((came = answered(x, 0)) == Interim)
			;
		if(came != Nothing)
			return came == Final ? 1 : -1;
		if(chanalt(alts) < 0)
			return -1;
	}
	return r;
}

static int
sendgiven(Exchange *x, const char *v, size_t n, int64_t *left)
{
	return sendpiece(x, v, n, left) < 0 ? -1 : sendwritten(x);
}

static int
sendgivens(Exchange *x)
{
	size_t all = x->q->nbody, n;
	int64_t left = (int64_t)all;
	int r = 0;

	for(size_t at = 0; r == 0 && at < all; at += n){
		n = all - at < PieceBytes ? all - at : PieceBytes;
		r = sendgiven(x, (const char *)x->q->body + at, n, &left);
	}
	return r;
}

static int
sendread(Exchange *x, char *v)
{
	const Httprequest *q = x->q;
	int64_t left = q->length > 0 ? q->length : -1;
	ssize_t n;
	int r;

	x->begun = 1;
	while((n = q->read(q->arg, v, PieceBytes)) > 0)
		if((r = sendgiven(x, v, (size_t)n, &left)) != 0)
			return r;
	x->failed = n < 0;
	if(n < 0)
		return -1;
	if(left > 0)
		return clientfail(EMSGSIZE);
	return left == 0 || streamwrite(x->conn->s, "0\r\n\r\n", 5) > 0 ?
		0 : -1;
}

/* 1: the server has answered before it had all. */
static int
sendbody(Exchange *x)
{
	if(x->q->read == NULL)
		return sendgivens(x);
	char *v = malloc(PieceBytes);
	if(v == NULL)
		return -1;
	int r = sendread(x, v);
	int err = errno;
	free(v);
	errno = err;
	return r;
}

/* Whether the server lets a body come: 1, 0 if it has answered before, -1. */
static int
letscome(Exchange *x)
{
	int came = streamflush(x->conn->s) < 0 ? -1 : answered(x, PatienceMs);

	return came < 0 ? -1 : came != Final;
}

int
requestsend(Exchange *x)
{
	int expect = x->q->expect && hasbody(x), r = 0;

	if(sendhead(x, expect) < 0)
		return -1;
	if(expect){
		r = letscome(x);
		x->unsent = r == 0;
		if(r <= 0)
			return r;
	}
	r = hasbody(x) ? sendbody(x) : 0;
	x->unsent |= r > 0;
	return r < 0 ? -1 : 0;
}
