/* SPDX-License-Identifier: MIT */
/* What functions ask of a request: fields, pieces of its target, its body. */
#include "call.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct Piece
{
	Piece *next;
	char v[];
};

int
callfail(int err)
{
	errno = err;
	return -1;
}

char *
callalloc(Call *c, size_t n)
{
	Piece *p = malloc(sizeof *p + n);

	if(p == NULL)
		return NULL;
	p->next = c->pieces;
	c->pieces = p;
	return p->v;
}

void
callunalloc(Call *c)
{
	Piece *p = c->pieces;

	c->pieces = p->next;
	free(p);
}

void
callfree(Call *c)
{
	Piece *p;

	while((p = c->pieces)){
		c->pieces = p->next;
		free(p);
	}
	if(c->set != c->few)
		free(c->set);
	c->set = c->few;
}

int
calllisted(const char *list, const char *word)
{
	while(*list){
		size_t n = strcspn(list, ","), to = n;
		while(to > 0 && strchr(" \t", list[to - 1]))
			to--;
		if(gateis(list, to, word))
			return 1;
		list += n;
		list += strspn(list, ", \t");
	}
	return 0;
}

const char *
httpfield(const Http *h, const char *name)
{
	return name ? messagefield(&callof(h)->m, name) : NULL;
}

int
httpfieldat(const Http *h, int i, const char **name, const char **value)
{
	return name && value ? messagefieldat(&callof(h)->m, i, name, value) :
		0;
}

/* How many bytes the fields of that name have, with what goes between. */
static size_t
fieldsbytes(const Message *m, const char *name)
{
	const char *v;
	size_t n = 0;
	int at = 0;

	while((v = messagenext(m, name, &at)))
		n += strlen(v) + 2;
	return n;
}

const char *
httpfields(Http *h, const char *name)
{
	Call *c = callof(h);
	const char *v = httpfield(h, name);
	int at = 0;

	if(v == NULL || fieldsbytes(&c->m, name) == strlen(v) + 2)
		return v;
	char *text = callalloc(c, fieldsbytes(&c->m, name)), *to = text;
	while(text && (v = messagenext(&c->m, name, &at)))
		to += sprintf(to, to == text ? "%s" : ", %s", v);
	return text;
}

static int
hexvalue(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ?
		c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The next character of an encoded text; -1 if it is wrong, or none. */
static int
decodechar(const char **v, const char *end, int query)
{
	char ch = *(*v)++;

	if(ch == '+' && query)
		return ' ';
	if(ch != '%')
		return (unsigned char)ch;
	if(end - *v < 2 || hexvalue((*v)[0]) < 0 || hexvalue((*v)[1]) < 0)
		return -1;
	int r = hexvalue((*v)[0]) << 4 | hexvalue((*v)[1]);
	*v += 2;
	return r > 0 ? r : -1;
}

/* returns n bytes decoded, a string; NULL and errno. */
static const char *
decode(Call *c, const char *v, size_t n, int query)
{
	const char *end = v + n;
	char *text = callalloc(c, n + 1), *to = text;

	while(to && v < end){
		int ch = decodechar(&v, end, query);
		if(ch < 0){
			errno = EBADMSG;
			return NULL;
		}
		*to++ = (char)ch;
	}
	if(to)
		*to = '\0';
	return text;
}

const char *
httpparam(Http *h, const char *name)
{
	Call *c = callof(h);

	for(int i = 0; name && i < c->nparam; i++){
		const Param *p = &c->param[i];
		const char *v = h->path + p->value;
		if(strlen(name) != p->nname || memcmp(name, h->route->path +
				p->name, p->nname) != 0)
			continue;
		if(v[p->nvalue] == '\0' && strchr(v, '%') == NULL)
			return v;
		return decode(c, v, p->nvalue, 0);
	}
	return NULL;
}

/* Whether n encoded bytes are the name. */
static int
named(const char *v, size_t n, const char *name)
{
	const char *end = v + n;

	while(v < end)
		if(decodechar(&v, end, 1) != (unsigned char)*name++)
			return 0;
	return *name == '\0';
}

const char *
httpform(Http *h, const char *v, const char *name)
{
	while(name && v && *v){
		size_t n = strcspn(v, "&"), to = 0;
		while(to < n && v[to] != '=')
			to++;
		if(named(v, to, name)){
			size_t from = to < n ? to + 1 : n;
			return decode(callof(h), v + from, n - from, 1);
		}
		v += n;
		v += *v == '&';
	}
	return NULL;
}

const char *
httpquery(Http *h, const char *name)
{
	return httpform(h, h->query, name);
}

static unsigned int
bodyms(const Call *c)
{
	return c->h.server->body_ms ? c->h.server->body_ms : 30000;
}

/* How long this part of the body may still take; a new one begins anew. */
static unsigned int
patience(Call *c, int64_t before)
{
	int64_t now = tasknow();

	if(c->deadline_ns == 0 || c->m.got / PartBytes != before / PartBytes)
		c->deadline_ns = now + bodyms(c) * (int64_t)1000000;
	int64_t left_ns = c->deadline_ns - now;
	return left_ns > 0 ? (unsigned int)((left_ns + 999999) / 1000000) : 0;
}

/* notes what is to be answered if nobody says anything else. */
static ssize_t
refused(Call *c, int status, const char *why, int err)
{
	c->keep = 0;
	c->status = (unsigned short)status;
	c->why = why;
	return callfail(err);
}

static ssize_t
readbody(Call *c, void *v, size_t n)
{
	int64_t before = c->m.got;
	Timeout t;

	timeoutstart(&t, patience(c, before));
	ssize_t r = messagebody(&c->m, v, n);
	timeoutstop(&t);
	c->late = r < 0 && errno == ETIMEDOUT;
	if(r >= 0){
		if(c->m.got / PartBytes != before / PartBytes)
			c->deadline_ns = 0;
		return r;
	}
	if(errno == EBADMSG || errno == EMSGSIZE)
		return refused(c, c->m.head.status, c->m.head.why, errno);
	if(c->late && timeoutfired(&t))
		return refused(c, 408, "a slow body", ETIMEDOUT);
	return -1;
}

/* Who waits to be told sends nothing before that. */
static int
letcome(Call *c)
{
	static const char go[] = "HTTP/1.1 100 Continue\r\n\r\n";
	void *v;

	if(!c->expects)
		return 0;
	if(c->h.status == 0 && streampeek(c->m.s, 0, &v) == 0 &&
			callput1(c, go, sizeof go - 1) < 0)
		return -1;
	c->expects = 0;
	return 0;
}

ssize_t
httpread(Http *h, void *v, size_t n)
{
	Call *c = callof(h);

	if(c->m.body == BodyNone || n == 0)
		return 0;
	return v == NULL ? callfail(EINVAL) : letcome(c) < 0 ? -1 :
		readbody(c, v, n);
}

/* returns p with room for n bytes and a zero byte; or NULL. */
static Piece *
sizepiece(Piece *p, size_t n)
{
	return realloc(p, sizeof *p + n + 1);
}

/* reads all into a piece that grows; NULL and errno. */
static Piece *
readall(Call *c, size_t most, size_t *got)
{
	size_t room = c->m.body == BodyLength ? (size_t)c->m.left : 4096;
	Piece *p = sizepiece(NULL, room), *more;
	ssize_t r = 0;

	while(p && c->m.body != BodyNone && r >= 0){
		if(*got == room && (more = sizepiece(p, room *= 2)))
			p = more;
		else if(*got == room)
			break;
		r = httpread(&c->h, p->v + *got, room - *got);
		*got += r > 0 ? (size_t)r : 0;
		if(*got > most)
			r = refused(c, 413, "a long body", EMSGSIZE);
	}
	if(p == NULL || c->m.body == BodyNone)
		return p;
	free(p);
	return NULL;
}

ssize_t
httpbody(Http *h, void **v, size_t most)
{
	Call *c = callof(h);
	size_t n = 0;

	if(v == NULL)
		return callfail(EINVAL);
	if(most == 0 || most > INT64_MAX)
		most = INT64_MAX;
	if(c->m.body == BodyLength && (uint64_t)c->m.left > most)
		return refused(c, 413, "a long body", EMSGSIZE);
	Piece *p = readall(c, most, &n);
	if(p == NULL)
		return -1;
	p->v[n] = '\0';
	p->next = c->pieces;
	c->pieces = p;
	*v = p->v;
	return (ssize_t)n;
}
