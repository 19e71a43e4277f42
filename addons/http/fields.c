/* SPDX-License-Identifier: MIT */
/* The gate: fields, and those among them that say how a message is read. */
#include "gate.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Two of them, alike or not, have been read as either. */
static int
contentlength(Head *h, const char *v, size_t n)
{
	int64_t length = 0;

	if(h->length > 0)
		return gaterefuse(h, 400, "two lengths");
	if(n == 0 || n > 18)
		return gaterefuse(h, 400, "a wrong length");
	for(size_t i = 0; i < n; i++){
		if(v[i] < '0' || v[i] > '9')
			return gaterefuse(h, 400, "a wrong length");
		length = length * 10 + v[i] - '0';
	}
	h->length = length + 1;
	return 0;
}

static int
transferencoding(Head *h, const char *v, size_t n)
{
	if(h->chunked)
		return gaterefuse(h, 400, "two encodings");
	if(!gateis(v, n, "chunked"))
		return gaterefuse(h, 501, "another encoding than chunked");
	h->chunked = 1;
	return 0;
}

static int
host(Head *h, const char *v, size_t n)
{
	if(h->host)
		return gaterefuse(h, 400, "two hosts");
	if(gatespan(v, n, IsHost) != n)
		return gaterefuse(h, 400, "a wrong host");
	h->host = h->nfield;
	return 0;
}

static int
expectation(Head *h, const char *v, size_t n)
{
	if(h->minor == 0)
		return 0;
	if(!gateis(v, n, "100-continue"))
		return gaterefuse(h, 417, "another expectation");
	h->expect = 1;
	return 0;
}

static int
connection(Head *h, const char *v, size_t n)
{
	for(size_t i = 0; i < n; ){
		size_t word = gatespan(v + i, n - i, IsToken);
		h->close |= gateis(v + i, word, "close");
		h->keep |= gateis(v + i, word, "keep-alive");
		h->upgrade |= gateis(v + i, word, "upgrade");
		if(word == 0 && strchr(", \t", v[i]) == NULL)
			return gaterefuse(h, 400, "a wrong Connection");
		i += word ? word : 1;
	}
	return 0;
}

/* Those for requests alone come last. */
static const struct {
	const char *name;
	size_t n;
	int (*fn)(Head *h, const char *v, size_t n);
} known[] = {
	{"Connection", 10, connection},
	{"Content-Length", 14, contentlength},
	{"Transfer-Encoding", 17, transferencoding},
	{"Host", 4, host},
	{"Expect", 6, expectation}
};

static int
meaning(Head *h, const char *name, size_t n, const char *v, size_t nv)
{
	for(size_t i = 0; i < (h->answer ? 3 : 5); i++)
		if(known[i].n == n && strncasecmp(known[i].name, name, n) == 0)
			return known[i].fn(h, v, nv);
	return 0;
}

/* Few heads have more fields than there is room for at first. */
static Field *
newfield(Head *h)
{
	if(h->nfield == FieldsMost){
		gaterefuse(h, 431, "too many fields");
		return NULL;
	}
	if(h->nfield == h->room){
		Field *more = malloc(FieldsMost * sizeof *more);
		if(more == NULL)
			return NULL;
		memcpy(more, h->few, sizeof h->few);
		h->field = more;
		h->room = FieldsMost;
	}
	return &h->field[h->nfield++];
}

/* finds name and value in a line; returns why not. */
static const char *
parts(Field *f, const char *v, size_t n)
{
	size_t name = gatespan(v, n, IsToken), from = name + 1, to = n;

	if(name == 0)
		return *v == ' ' || *v == '\t' ? "a folded line" : "no name";
	if(name == n || v[name] != ':')
		return "a name without a colon";
	while(from < to && (v[from] == ' ' || v[from] == '\t'))
		from++;
	while(to > from && (v[to - 1] == ' ' || v[to - 1] == '\t'))
		to--;
	if(gatespan(v + from, to - from, IsValue) != to - from)
		return "a control character in a field";
	*f = (Field){.nname = (unsigned short)name,
		.value = (unsigned short)from,
		.nvalue = (unsigned short)(to - from)};
	return NULL;
}

int
gatefield(Head *h, const char *v, size_t at, size_t n)
{
	Field *f = newfield(h);
	const char *why = f ? parts(f, v + at, n) : NULL;

	if(f == NULL)
		return -1;
	if(why)
		return gaterefuse(h, 400, why);
	f->name = (unsigned short)at;
	f->value = (unsigned short)(f->value + at);
	return meaning(h, v + f->name, f->nname, v + f->value, f->nvalue);
}

/* A target that names another host than the field would be two requests. */
static int
samehost(Head *h, const char *v)
{
	const char *t = v + h->target, *end = t + h->ntarget;

	if(*t == '/' || *t == '*' || h->host == 0)
		return 0;
	const Field *f = &h->field[h->host - 1];
	const char *slash = memchr(t, '/', h->ntarget);
	if(slash && slash > t && slash[-1] == ':')
		t = slash + 2;
	size_t n = gatespan(t, (size_t)(end - t), IsHost);
	return n == f->nvalue && strncasecmp(t, v + f->value, n) == 0 ? 0 :
		gaterefuse(h, 400, "two hosts");
}

int
gatefields(Head *h, const char *v)
{
	if(h->chunked && h->length > 0)
		return gaterefuse(h, 400, "a length and an encoding");
	if(h->chunked && h->minor == 0)
		return gaterefuse(h, 400, "an encoding in HTTP/1.0");
	if(h->answer)
		return 0;
	if(h->minor > 0 && h->host == 0)
		return gaterefuse(h, 400, "no host");
	return samehost(h, v);
}

int
gatetrailer(const char *v, size_t n)
{
	Field f;

	return parts(&f, v, n) ? -1 : 0;
}

static int
hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ?
		c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* ;name or ;name=value or ;name="value", without spaces, as often as that. */
static int
extensions(const char *v, size_t n)
{
	for(size_t i = 0; i < n; ){
		size_t name = v[i] == ';' ? gatespan(v + i + 1, n - i - 1,
			IsToken) : 0;
		if(name == 0)
			return -1;
		i += 1 + name;
		if(i == n || v[i] != '=')
			continue;
		i++;
		size_t value = gatespan(v + i, n - i, IsToken);
		if(value == 0 && i < n && v[i] == '"'){
			const char *end = memchr(v + i + 1, '"', n - i - 1);
			value = end ? (size_t)(end - v) + 1 - i : 0;
			if(memchr(v + i, '\\', value) || gatespan(v + i, value,
					IsValue) != value)
				return -1;
		}
		if(value == 0)
			return -1;
		i += value;
	}
	return 0;
}

int64_t
gatechunk(const char *v, size_t n)
{
	int64_t size = 0;
	size_t i = 0;

	if(n < 3 || v[n - 2] != '\r')
		return -1;
	for(; i < n - 2 && hex(v[i]) >= 0; i++){
		if(i == 15)
			return -1;
		size = size << 4 | hex(v[i]);
	}
	return i == 0 || extensions(v + i, n - 2 - i) < 0 ? -1 : size;
}
