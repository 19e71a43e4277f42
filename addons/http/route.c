/* SPDX-License-Identifier: MIT */
/* Who answers a request: the routes. */
#include "call.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { AllowMost = 128 };

static int
addparam(Call *c, const char *pattern, const char *name, size_t nname,
	const char *value, size_t nvalue)
{
	if(c->nparam == ParamsMost)
		return 0;
	c->param[c->nparam++] = (Param){
		.name = (unsigned short)(name - pattern),
		.nname = (unsigned short)nname,
		.value = (unsigned short)(value - c->h.path),
		.nvalue = (unsigned short)nvalue};
	return 1;
}

/* Whether the path of the request is what the pattern says. */
static int
matches(Call *c, const char *pattern)
{
	const char *p = pattern, *v = c->h.path;
	int begins = 1;	/* a piece */

	c->nparam = 0;
	for(;;){
		if(begins && p[0] == '*' && p[1] == '\0')
			return addparam(c, pattern, p, 1, v, strlen(v));
		if(begins && *p == ':'){
			size_t n = strcspn(p, "/"), has = strcspn(v, "/");
			if(has == 0 || !addparam(c, pattern, p + 1, n - 1, v,
					has))
				return 0;
			p += n;
			v += has;
		}
		if(*p != *v)
			return 0;
		if(*p == '\0')
			return 1;
		begins = *p++ == '/';
		v++;
	}
}

static int
serves(const Httproute *r, const char *method)
{
	return r->method == NULL || strcmp(r->method, method) == 0 ||
		(strcmp(r->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

/* adds a method to the list of those that are allowed. */
static void
allow(char *list, const char *method)
{
	size_t n = strlen(list);

	if(!calllisted(list, method) && n + strlen(method) + 3 < AllowMost)
		sprintf(list + n, n ? ", %s" : "%s", method);
}

/* Nobody serves that method; perhaps others are. */
static void
miss(Call *c, char *list)
{
	if(*list == '\0'){
		httperror(&c->h, 404);
		return;
	}
	if(calllisted(list, "GET"))
		allow(list, "HEAD");
	allow(list, "OPTIONS");
	httpset(&c->h, "Allow", list);
	if(strcmp(c->h.method, "OPTIONS") == 0)
		httpreply(&c->h, 204, NULL, NULL, 0);
	else
		httperror(&c->h, 405);
}

void
callroute(Call *c)
{
	char list[AllowMost];
	int all = strcmp(c->h.path, "*") == 0;

	*list = '\0';
	for(const Httproute *r = c->h.server->routes; r && r->fn; r++){
		if(!all && !matches(c, r->path))
			continue;
		if(!all && serves(r, c->h.method)){
			c->h.route = r;
			r->fn(&c->h);
			return;
		}
		if(r->method)
			allow(list, r->method);
	}
	c->nparam = 0;
	miss(c, list);
}

void
httpnext(Http *h)
{
	Call *c = callof(h);
	void (*const *before)(Http *) = h->server->before;

	if(c->routed)
		return;
	if(before && before[c->next]){
		before[c->next++](h);
		return;
	}
	c->routed = 1;
	callroute(c);
}
