/* SPDX-License-Identifier: MIT */
/* Answers: their heads, and bodies of known length or in chunks. */
#include "call.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/uio.h>

/* A head, and the body of a short answer: they are put together here. */
enum { HeadBytes = 640 };

/* What a stream holds if the server does not say. */
enum { StreamMost = 64 * 1024 };

/* How many ms this part of the answers may still wait for room. */
static unsigned int
patience(const Call *c)
{
	unsigned int ms = c->h.server->write_ms ? c->h.server->write_ms : 30000;
	int64_t left_ns = ms * (int64_t)1000000 - c->waited_ns;

	return left_ns > 0 ? (unsigned int)((left_ns + 999999) / 1000000) : 0;
}

/* How many bytes are left of it. */
static size_t
partleft(const Call *c, size_t n)
{
	return n < PartBytes - c->put ? n : PartBytes - c->put;
}

/* begins a write that may wait: returns when. */
static int64_t
writing(const Call *c, Timeout *t)
{
	timeoutstart(t, patience(c));
	return tasknow();
}

/*
 * ends a write that began at since_ns, or had no need to wait, without t.  An
 * answer that was not written whole is none: nothing may follow it.
 */
static int
written(Call *c, Timeout *t, int64_t since_ns, ssize_t r)
{
	if(t){
		timeoutstop(t);
		c->waited_ns += tasknow() - since_ns;
	}
	if(r >= 0){
		c->put += (size_t)r;
		if(c->put >= PartBytes){
			c->put = 0;
			c->waited_ns = 0;
		}
		return 0;
	}
	c->broken = 1;
	c->keep = 0;
	c->why = t && timeoutfired(t) ? "a slow reader" : "nobody reads";
	return -1;
}

/*
 * Whether n pieces more have room in the stream, so that none need wait: then
 * there is no need of a deadline, nor to look at the clock for it.  Perhaps
 * what is there has only to be sent: that is no wait.  What would be in two
 * parts begins one.
 */
static int
fits(Call *c, const struct iovec *v, int n)
{
	size_t most = c->of && c->of->most ? c->of->most : StreamMost, all = 0;

	for(int i = 0; i < n; i++)
		all += v[i].iov_len;
	if(all > PartBytes - c->put){
		c->put = 0;
		c->waited_ns = 0;
	}
	if(all <= most && c->queued > most - all && streampush(c->m.s) == 0)
		c->queued = 0;
	c->queued += all;
	return c->queued <= most;
}

int
callput(Call *c, const struct iovec *v, int n)
{
	Timeout t;

	if(c->broken)
		return callfail(EPIPE);
	if(fits(c, v, n))
		return written(c, NULL, 0, n > 1 ? streamwritev(c->m.s, v, n) :
			streamwrite(c->m.s, v->iov_base, v->iov_len));
	int64_t since_ns = writing(c, &t);
	return written(c, &t, since_ns, streamwritev(c->m.s, v, n));
}

int
callput1(Call *c, const void *v, size_t n)
{
	int r = 0;

	for(size_t at = 0, part; r == 0 && at < n; at += part){
		part = partleft(c, n - at);
		r = callput(c, &(struct iovec){(char *)(uintptr_t)v + at,
			part}, 1);
	}
	return r;
}

/* A file that has become shorter ends the answer too soon. */
int
callputfile(Call *c, int fd, int64_t at, int64_t n)
{
	Timeout t;

	while(n > 0){
		size_t part = partleft(c, n < PartBytes ? (size_t)n :
			PartBytes);
		c->queued += part;
		int64_t since_ns = writing(c, &t);
		ssize_t r = streamsendfile(c->m.s, fd, at, part);
		if(r >= 0 && (size_t)r < part)
			r = callfail(EIO);
		if(written(c, &t, since_ns, r) < 0)
			return -1;
		at += r;
		n -= r;
		c->h.sent += r;
		c->left -= r;
	}
	return 0;
}

int
callflush(Call *c)
{
	Timeout t;
	ssize_t r = streampush(c->m.s);

	if(r <= 0)
		r = written(c, NULL, 0, r);
	else{
		int64_t since_ns = writing(c, &t);
		r = written(c, &t, since_ns, streamflush(c->m.s));
	}
	if(r == 0)
		c->queued = 0;
	return (int)r;
}

/* Text that is put together where there is room for it. */
typedef struct Text
{
	char *to;
} Text;

static void
add(Text *t, const char *v, size_t n)
{
	memcpy(t->to, v, n);
	t->to += n;
}

#define ADD(t, literal) add(t, literal, sizeof literal - 1)

/* What says how a message is read is not the program's to say. */
static int
ours(const char *name, size_t n)
{
	return gateis(name, n, "Content-Length") ||
		gateis(name, n, "Transfer-Encoding") ||
		gateis(name, n, "Date") || gateis(name, n, "Connection") ||
		gateis(name, n, "Trailer");
}

/* Whether all of that is of the class. */
static int
is(const char *v, size_t n, int class)
{
	return gatespan(v, n, class) == n;
}

/* returns where n bytes more of fields are to be, or NULL. */
static char *
setroom(Call *c, size_t n)
{
	char *had = c->set == c->few ? NULL : c->set;

	if(c->nset + n > c->setroom){
		char *more = realloc(had, 2 * (c->nset + n));
		if(more == NULL)
			return NULL;
		if(had == NULL)
			memcpy(more, c->few, c->nset);
		c->set = more;
		c->setroom = 2 * (c->nset + (unsigned int)n);
	}
	return c->set + c->nset;
}

/* takes the fields of that name out; each ends with a newline. */
static void
unset(Call *c, const char *name, size_t n)
{
	char *at = c->set, *end = at + c->nset;

	while(at < end){
		char *next = memchr(at, '\n', (size_t)(end - at));
		next++;
		if((size_t)(next - at) > n && at[n] == ':' &&
				strncasecmp(at, name, n) == 0){
			memmove(at, next, (size_t)(end - next));
			end -= next - at;
		}else
			at = next;
	}
	c->nset = (unsigned int)(end - c->set);
}

int
httpset(Http *h, const char *name, const char *value)
{
	Call *c = callof(h);

	if(h->status)
		return callfail(EALREADY);
	if(name == NULL)
		return callfail(EINVAL);
	const char *v = value ? value : "";
	size_t nname = strlen(name), nvalue = strlen(v);
	if(nname == 0 || !is(name, nname, IsToken) || !is(v, nvalue, IsValue))
		return callfail(EINVAL);
	if(gateis(name, nname, "Connection") && gateis(v, nvalue, "close")){
		c->keep = 0;
		return 0;
	}
	if(ours(name, nname))
		return callfail(EINVAL);
	if(value == NULL){
		unset(c, name, nname);
		return 0;
	}
	size_t n = nname + nvalue + 4;
	if(n > SetMost - c->nset)
		return callfail(EMSGSIZE);
	Text t = {setroom(c, n)};
	if(t.to == NULL)
		return -1;
	add(&t, name, nname);
	ADD(&t, ": ");
	add(&t, v, nvalue);
	ADD(&t, "\r\n");
	c->nset += (unsigned int)n;
	return 0;
}

static void
addnumber(Text *t, int64_t n)
{
	char digits[20];
	size_t at = sizeof digits;

	do
		digits[--at] = (char)('0' + n % 10);
	while((n /= 10) > 0);
	add(t, digits + at, sizeof digits - at);
}

static void
addstatus(Text *t, int status)
{
	const char *line = statusline(status);

	if(line){
		add(t, line, strlen(line));
		return;
	}
	ADD(t, "HTTP/1.1 ");
	addnumber(t, status);
	ADD(t, " \r\n");
}

/* The head, but for what the program has set: at most 300 bytes. */
static size_t
compose(const Call *c, char *v, const char *type, size_t ntype)
{
	Text t = {v};

	addstatus(&t, c->h.status);
	add(&t, dateline(), sizeof "Date: " - 1 + DateBytes + 2);
	if(type){
		ADD(&t, "Content-Type: ");
		add(&t, type, ntype);
		ADD(&t, "\r\n");
	}
	if(c->out == OutLength && c->h.status != 304){
		ADD(&t, "Content-Length: ");
		addnumber(&t, c->left);
		ADD(&t, "\r\n");
	}else if(c->out == OutChunks)
		ADD(&t, "Transfer-Encoding: chunked\r\n");
	if(!c->keep)
		ADD(&t, "Connection: close\r\n");
	else if(c->h.minor == 0)
		ADD(&t, "Connection: keep-alive\r\n");
	return (size_t)(t.to - v);
}

/*
 * What a request has left unread must be little, or the next is not found; and
 * who has been waited for in vain is not waited for once more.
 */
static int
drainable(const Call *c)
{
	return c->m.body == BodyNone || (c->m.body == BodyLength &&
		!c->expects && !c->late && c->m.left <= DrainBytes);
}

/* decides what the answer is like. */
static void
shape(Call *c, int status, int64_t length)
{
	int bodiless = status == 204 || status == 304;

	c->h.status = status;
	c->silent = bodiless || strcmp(c->h.method, "HEAD") == 0;
	c->left = length;
	c->out = status == 204 || (status == 304 && length < 0) ? OutNone :
		length >= 0 ? OutLength : c->h.minor > 0 ? OutChunks : OutClose;
	if(c->out == OutClose || !drainable(c) || serverstopping(c->of))
		c->keep = 0;
}

/* puts behind the head what fits there, and writes the rest after it. */
static int
puthead(Call *c, char *head, size_t n, const void *v, size_t nbody)
{
	Text t = {head + n};
	size_t room = HeadBytes - n - 2, n1 = 0, n2 = 0;

	if(c->nset <= room)
		add(&t, c->set, c->nset);
	else
		n1 = c->nset;
	if(n1 == 0){
		ADD(&t, "\r\n");
		if(nbody <= (size_t)(head + HeadBytes - t.to))
			add(&t, v ? v : "", nbody);
		else
			n2 = nbody;
	}
	n = (size_t)(t.to - head);
	if(n1 == 0 && n2 == 0)
		return callput(c, &(struct iovec){head, n}, 1);
	struct iovec pieces[] = {{head, n}, {c->set, n1},
		{"\r\n", n1 ? 2 : 0}, {(void *)(uintptr_t)v, nbody}};
	return callput(c, pieces, 4);
}

/* writes a head, and n bytes of body behind it. */
static int
begin(Call *c, int status, const char *type, int64_t length, const void *v,
	size_t n)
{
	char head[HeadBytes];
	size_t ntype = type ? strlen(type) : 0;

	if(c->h.status)
		return callfail(EALREADY);
	if(status < 200 || status > 599 || length < -1 || ntype > TypeMost ||
			!is(type, ntype, IsValue))
		return callfail(EINVAL);
	shape(c, status, length);
	size_t nhead = compose(c, head, type, ntype);
	if(c->silent)
		n = 0;
	if(puthead(c, head, nhead, v, n < PartBytes ? n : 0) < 0)
		return -1;
	return n < PartBytes ? 0 : callput1(c, v, n);
}

int
httphead(Http *h, int status, const char *type, int64_t length)
{
	return begin(callof(h), status, type, length, NULL, 0);
}

int
httpreply(Http *h, int status, const char *type, const void *v, size_t n)
{
	Call *c = callof(h);

	if(n > INT64_MAX || (n > 0 && v == NULL))
		return callfail(EINVAL);
	if(begin(c, status, type, (int64_t)n, v, n) < 0)
		return -1;
	h->sent = c->silent ? 0 : (int64_t)n;
	c->left = 0;
	c->ended = 1;
	return 0;
}

/* A chunk, with what is before and behind it. */
static int
putchunk(Call *c, const char *v, size_t n)
{
	for(size_t at = 0, part; at < n; at += part){
		char size[24];
		part = partleft(c, n - at);
		int nsize = snprintf(size, sizeof size, "%zx\r\n", part);
		struct iovec pieces[] = {{size, (size_t)nsize},
			{(char *)(uintptr_t)v + at, part}, {"\r\n", 2}};
		if(callput(c, pieces, 3) < 0)
			return -1;
	}
	return 0;
}

int
httpwrite(Http *h, const void *v, size_t n)
{
	Call *c = callof(h);

	if(h->status == 0 || c->ended || (n > 0 && v == NULL) || n > INT64_MAX)
		return callfail(EINVAL);
	if(c->out == OutLength && (int64_t)n > c->left)
		return callfail(EMSGSIZE);
	if(c->out == OutLength)
		c->left -= (int64_t)n;
	if(c->silent)
		return 0;
	if((c->out == OutChunks ? putchunk(c, v, n) : callput1(c, v, n)) < 0)
		return -1;
	h->sent += (int64_t)n;
	return 0;
}

int
httpend(Http *h)
{
	Call *c = callof(h);

	if(h->status == 0 || c->ended)
		return callfail(EINVAL);
	if(c->out == OutLength && c->left > 0 && !c->silent)
		return callfail(EMSGSIZE);
	if(c->out == OutChunks && !c->silent && callput1(c, "0\r\n\r\n", 5) < 0)
		return -1;
	c->ended = 1;
	return 0;
}

int
httpflush(Http *h)
{
	if(h->status == 0)
		return callfail(EINVAL);
	return callof(h)->broken ? callfail(EPIPE) : callflush(callof(h));
}

int
httperror(Http *h, int status)
{
	const char *line = status >= 200 && status <= 599 ?
		statusline(status) : NULL;
	char text[64];

	int n = line ? snprintf(text, sizeof text, "%.*s\n",
		(int)strcspn(line + 9, "\r"), line + 9) :
		snprintf(text, sizeof text, "%d\n", status);
	return httpreply(h, status, "text/plain; charset=utf-8", text,
		status == 204 || status == 304 ? 0 : (size_t)n);
}
