/* SPDX-License-Identifier: MIT */
/*
 * The gate: what is not a head by the letter of RFC 9112 does not get in, for
 * whoever stands before or behind us may read it otherwise.  The parser reads
 * what has passed here once more, and must come to the same.
 */
#include "gate.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const unsigned char gateclass[256] = {
	0,0,0,0,0,0,0,0,0,2,0,0,0,0,0,0,
	0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,
	2,15,2,3,15,15,15,15,14,14,15,15,14,15,15,6,
	15,15,15,15,15,15,15,15,15,15,14,14,2,14,2,6,
	6,15,15,15,15,15,15,15,15,15,15,15,15,15,15,15,
	15,15,15,15,15,15,15,15,15,15,15,14,6,14,7,15,
	7,15,15,15,15,15,15,15,15,15,15,15,15,15,15,15,
	15,15,15,15,15,15,15,15,15,15,15,6,7,6,15,0,
	2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,
	2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,
	2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,
	2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,
	2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,
	2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,
	2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,
	2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2
};

int
gaterefuse(Head *h, int status, const char *why)
{
	h->status = status;
	h->why = why;
	return -1;
}

void
gatefree(Head *h)
{
	if(h->field != h->few)
		free(h->field);
	h->field = NULL;
}

static int
isdigit10(char c)
{
	return c >= '0' && c <= '9';
}

/* Only of HTTP/1 is known how it is to be read; both minor ones are. */
static int
version(Head *h, const char *v, size_t n)
{
	if(n < 8 || memcmp(v, "HTTP/", 5) != 0 || !isdigit10(v[5]) ||
			v[6] != '.' || !isdigit10(v[7]))
		return gaterefuse(h, 400, "no version");
	if(v[5] != '1' || v[7] > '1')
		return gaterefuse(h, 505, "another version");
	h->minor = (unsigned char)(v[7] - '0');
	return 0;
}

/* Where a path is encoded, it is so rightly, and hides no end of a string. */
static int
path(Head *h, const char *v, size_t n)
{
	static const char hex[] = "0123456789abcdefABCDEF";

	for(size_t i = 0; i < n && v[i] != '?'; i++){
		if(v[i] == '\\')
			return gaterefuse(h, 400, "a backslash in the path");
		if(v[i] != '%')
			continue;
		if(n - i < 3 || !memchr(hex, v[i + 1], sizeof hex - 1) ||
				!memchr(hex, v[i + 2], sizeof hex - 1) ||
				(v[i + 1] == '0' && v[i + 2] == '0'))
			return gaterefuse(h, 400, "a wrong % in the path");
	}
	return 0;
}

/* How many bytes the scheme of an absolute target has; 0: it is none. */
static size_t
scheme(const char *v, size_t n)
{
	return n >= 7 && strncasecmp(v, "http://", 7) == 0 ? 7 :
		n >= 8 && strncasecmp(v, "https://", 8) == 0 ? 8 : 0;
}

/* Where a target is one of the four forms, and goes with the method. */
static int
target(Head *h, const char *method, size_t nmethod, const char *v, size_t n)
{
	size_t from = scheme(v, n);

	if(nmethod == 7 && memcmp(method, "CONNECT", 7) == 0)
		return gatespan(v, n, IsHost) == n && memchr(v, ':', n) ? 0 :
			gaterefuse(h, 400, "no authority to connect to");
	if(n == 1 && *v == '*')
		return nmethod == 7 && memcmp(method, "OPTIONS", 7) == 0 ? 0 :
			gaterefuse(h, 400, "* is for OPTIONS");
	if(from > 0){
		size_t host = gatespan(v + from, n - from, IsHost);
		if(host == 0)
			return gaterefuse(h, 400, "a wrong authority");
		from += host;
	}
	if(from < n && v[from] != '/' && (from == 0 || v[from] != '?'))
		return gaterefuse(h, 400, "no target");
	return path(h, v + from, n - from);
}

static int
requestline(Head *h, const char *v, size_t n)
{
	size_t word = gatespan(v, n, IsToken), to;

	if(word == 0 || word > TokenMost || word == n || v[word] != ' ')
		return gaterefuse(h, 400, "no method");
	h->nmethod = (unsigned short)word;
	to = word + 1 + gatespan(v + word + 1, n - word - 1, IsTarget);
	if(to - word - 1 > TargetMost)
		return gaterefuse(h, 414, "a long target");
	if(to == word + 1 || to == n || v[to] != ' ')
		return gaterefuse(h, 400, "no target");
	h->target = (unsigned short)(word + 1);
	h->ntarget = (unsigned short)(to - word - 1);
	if(version(h, v + to + 1, n - to - 1) < 0)
		return -1;
	if(n - to - 1 != 8)
		return gaterefuse(h, 400, "something behind the version");
	return target(h, v, word, v + h->target, h->ntarget);
}

static int
statusline(Head *h, const char *v, size_t n)
{
	if(version(h, v, n) < 0)
		return -1;
	if(n < 12 || v[8] != ' ' || v[9] < '1' || v[9] > '5' ||
			!isdigit10(v[10]) || !isdigit10(v[11]) ||
			(n > 12 && v[12] != ' '))
		return gaterefuse(h, 400, "no status");
	if(gatespan(v + 12, n - 12, IsValue) != n - 12)
		return gaterefuse(h, 400, "a wrong reason");
	h->code = (short)((v[9] - '0') * 100 + (v[10] - '0') * 10 +
		v[11] - '0');
	return 0;
}

/* One line of a head, n bytes without its end: 1 if it is the last. */
static int
headline(Head *h, const char *v, size_t n)
{
	if(h->line == 0){
		h->field = h->few;
		h->room = FieldsFew;
		return h->answer ? statusline(h, v, n) : requestline(h, v, n);
	}
	if(n == 0)
		return gatefields(h, v) < 0 ? -1 : 1;
	return gatefield(h, v, h->line, n);
}

/* Whether a line that has no end yet can become one that is let in. */
static int
unfinished(Head *h, const char *v, size_t n)
{
	if(h->line == 0 && gatespan(v, 1, IsToken) != 1)
		return gaterefuse(h, 400, "no method");
	if(h->line == 0 && n > TokenMost + TargetMost)
		return gaterefuse(h, 414, "a long target");
	if(n >= HeadMost)
		return gaterefuse(h, 431, "a long head");
	h->seen = (unsigned int)n;
	return 0;
}

int
gatehead(Head *h, const char *v, size_t n)
{
	const char *end;
	size_t most = n < HeadMost ? n : HeadMost;

	while((end = memchr(v + h->seen, '\n', most - h->seen)) != NULL){
		size_t at = h->line, to = (size_t)(end - v);
		if(to == at || end[-1] != '\r')
			return gaterefuse(h, 400, "a bare line feed");
		int r = headline(h, v, to - 1 - at);
		if(r < 0)
			return -1;
		h->line = h->seen = (unsigned int)to + 1;
		if(r > 0)
			return (int)h->line;
	}
	return n > 0 ? unfinished(h, v, n) : 0;
}
