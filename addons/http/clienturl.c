/* SPDX-License-Identifier: MIT */
/* URLs of the client, and what redirects make of them. */
#include "client.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static Place *
wrong(Place *p)
{
	free(p);
	errno = EINVAL;
	return NULL;
}

/* The port behind a host: digits after a colon, or nothing. */
static int
portof(const char *v, int secure)
{
	int port = 0;

	if(*v == '\0')
		return secure ? 443 : 80;
	if(*v++ != ':')
		return -1;
	for(; *v >= '0' && *v <= '9' && port <= 65535; v++)
		port = 10 * port + *v - '0';
	return *v == '\0' && port > 0 && port <= 65535 ? port : -1;
}

/* finds host and port in an authority, of which host is a copy. */
static int
findhost(Place *p)
{
	char *end;

	if(*p->host == '['){
		p->host++;
		end = strchr(p->host, ']');
		if(end == NULL)
			return -1;
		p->port = portof(end + 1, p->secure);
	}else{
		end = p->host + strcspn(p->host, ":");
		p->port = portof(end, p->secure);
	}
	*end = '\0';
	return p->port < 0 || *p->host == '\0' ? -1 : 0;
}

/* puts n bytes and a zero; returns where that is. */
static char *
put(char *to, const char *v, size_t n)
{
	memcpy(to, v, n);
	to[n] = '\0';
	return to + n;
}

/* makes a place of an authority and a target, n bytes of each. */
static Place *
make(int secure, const char *a, size_t na, const char *t, size_t nt)
{
	if(na == 0 || na > AuthorityMost || gatespan(a, na, IsHost) != na ||
			nt > TargetMost || gatespan(t, nt, IsTarget) != nt)
		return wrong(NULL);
	Place *p = malloc(sizeof *p + sizeof "https:///" + 3 * na + nt + 2);
	if(p == NULL)
		return NULL;
	p->secure = secure;
	p->url = p->text;
	char *at = secure ? put(p->text, "https://", 8) :
		put(p->text, "http://", 7);
	p->target = at = put(at, a, na);
	at = put(at, "/", nt == 0 || *t != '/');
	p->authority = at = put(at, t, nt) + 1;
	p->host = put(at, a, na) + 1;
	put(p->host, a, na);
	return findhost(p) < 0 ? wrong(p) : p;
}

Place *
placeread(const char *url)
{
	int secure = url && strncasecmp(url, "https://", 8) == 0;

	if(url == NULL || (!secure && strncasecmp(url, "http://", 7) != 0))
		return wrong(NULL);
	const char *a = url + (secure ? 8 : 7);
	size_t na = strcspn(a, "/?#");
	return make(secure, a, na, a + na, strcspn(a + na, "#"));
}

/* resolves "." and ".." in a target, where it lies. */
static void
removedots(char *v)
{
	char *from = v, *end = v + strcspn(v, "?"), *to = v;

	while(from < end){
		size_t n = 1 + strcspn(from + 1, "/?");
		int one = n == 2 && from[1] == '.';
		int two = n == 3 && from[1] == '.' && from[2] == '.';
		if(!one && !two){
			memmove(to, from, n);
			to += n;
		}
		while(two && to > v && *--to != '/')
			;
		if((one || two) && from + n == end)
			*to++ = '/';
		from += n;
	}
	memmove(to, end, strlen(end) + 1);
}

/* How many bytes of the base's target a reference to a path stands behind. */
static size_t
kept(const char *target, const char *reference)
{
	size_t path = strcspn(target, "?");

	if(*reference == '\0')
		return strlen(target);
	if(*reference == '?')
		return path;
	while(*reference != '/' && target[path - 1] != '/')
		path--;
	return *reference == '/' ? 0 : path;
}

static Place *
resolve(const Place *base, const char *ref, size_t n)
{
	char first[2] = {n > 0 ? *ref : '\0', '\0'};
	size_t keep = kept(base->target, first);
	char *v = malloc(keep + n + 1);

	if(v == NULL)
		return NULL;
	memcpy(v, base->target, keep);
	memcpy(v + keep, ref, n);
	v[keep + n] = '\0';
	if(n > 0)
		removedots(v);
	Place *p = make(base->secure, base->authority, strlen(base->authority),
		v, strlen(v));
	free(v);
	return p;
}

Place *
placefrom(const Place *base, const char *ref)
{
	if(strncmp(ref, "//", 2) == 0){
		size_t na = strcspn(ref + 2, "/?#");
		const char *t = ref + 2 + na;
		return make(base->secure, ref + 2, na, t, strcspn(t, "#"));
	}
	if(ref[strcspn(ref, ":/?#")] == ':')
		return placeread(ref);
	return resolve(base, ref, strcspn(ref, "#"));
}

int
placesame(const Place *a, const Place *b)
{
	return a->secure == b->secure && a->port == b->port &&
		strcasecmp(a->host, b->host) == 0;
}
