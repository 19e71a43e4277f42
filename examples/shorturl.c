/* SPDX-License-Identifier: MIT */
/*
 * Short names for long URLs, kept by Redis: shorturl [port [redis://host]].
 *
 *	curl -d url=https://example.com/a/long/way localhost:8080
 *	curl -i localhost:8080/1; curl localhost:8080/1/stats
 *
 * Look at redis: each question has a deadline.  While there is no answer who
 * comes is told to come again, and once there is all goes on by itself.  And
 * look at allowed: what is given here goes to other people's browsers.
 */
#include <ctype.h>
#include <string.h>
#include <taskbus.h>
#include "serve.h"

enum { RedisMs = 1000, UrlMost = 2000 };
static Bus *bus;

/* asks Redis; NULL if there is no answer, and then the client has one. */
static Busreply *
redis(Http *h, const char *command, const char *name, const char *url)
{
	Busreply *r = NULL;
	Timeout t;

	TIMEOUT(&t, RedisMs)
		buscall(bus, &r, command, name, url);
	if(r == NULL){
		httpset(h, "Retry-After", "1");
		httperror(h, 503);
	}
	return r;
}

/* writes a number in base 62, up to end; returns where it begins. */
static char *
inletters(uint64_t number, char *end)
{
	static const char letters[] = "0123456789"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	do
		*--end = letters[number % 62];
	while((number /= 62) > 0);
	return end;
}

/* Of the web, with a host, and with no more in it than a URL can have. */
static int
allowed(const char *url)
{
	size_t n = strncasecmp(url, "http://", 7) == 0 ? 7 :
		strncasecmp(url, "https://", 8) == 0 ? 8 : 0;

	if(n == 0 || (!isalnum((unsigned char)url[n]) && url[n] != '['))
		return 0;
	for(n = 0; url[n] > ' ' && url[n] <= '~' && n < UrlMost; n++)
		if(strchr("\"<>\\^`{|}", url[n]))
			return 0;
	return url[n] == '\0';
}

/* finds the URL in a body, which is a form or the URL; NULL. */
static const char *
urlin(Http *h, char *text)
{
	const char *type = httpfield(h, "Content-Type");

	if(type && strncasecmp(type, "application/x-www-form-urlencoded", 33)
			== 0)
		return httpform(h, text, "url");
	text[strcspn(text, "\r\n")] = '\0';
	return text;
}

/* A number that is given to nothing, for Redis was gone, is no loss. */
static void
add(Http *h)
{
	char place[16] = "";
	void *text;

	if(httpbody(h, &text, 4 * UrlMost) < 0)
		return;	/* 400, 408 or 413 */
	const char *url = urlin(h, text);
	if(url == NULL || !allowed(url)){
		httperror(h, 400);
		return;
	}
	Busreply *r = redis(h, "INCR shorturl:last", NULL, NULL);
	if(r == NULL)
		return;
	char *name = inletters((uint64_t)r->i, place + sizeof place - 1);
	busreplyfree(r);
	r = redis(h, "SET shorturl:url:%s %s", name, url);
	if(r){
		name[-1] = '/';
		httpset(h, "Location", name - 1);
		httpreply(h, 201, "text/plain", name, strlen(name));
	}
	busreplyfree(r);
}

/* The route's arg is what to ask of the number of those who have followed. */
static void
follow(Http *h)
{
	const char *name = httpparam(h, "name");
	Busreply *n = NULL, *url = name ? redis(h, "GET shorturl:url:%s", name,
		NULL) : NULL;

	if(name == NULL || (url && url->type == BUSNIL))
		httperror(h, 404);
	else if(url)
		n = redis(h, h->route->arg, name, NULL);
	if(n && n->type == BUSINTEGER){
		httpset(h, "Location", url->s);
		httpset(h, "Cache-Control", "no-store");
		httperror(h, 302);
	}else if(n)
		httpreply(h, 200, "text/plain", n->s ? n->s : "0",
			n->s ? n->n : 1);
	busreplyfree(n);
	busreplyfree(url);
}

static const Httproute routes[] = {
	{"POST", "/", add, NULL},
	{"GET", "/:name", follow, "INCR shorturl:hits:%s"},
	{"GET", "/:name/stats", follow, "GET shorturl:hits:%s"},
	{NULL, NULL, NULL, NULL}
};

void
taskmain(int argc, char **argv)
{
	static Httpserver site = {.routes = routes};
	static Server server = {.fn = httpserve, .arg = &site};

	bus = busopen(argc > 2 ? argv[2] : "redis://127.0.0.1");
	if(bus == NULL){
		perror("redis");
		taskexitall(1);
	}
	limit(&server, &site);
	serveuntilsignal(&server, argc > 1 ? argv[1] : NULL);
	busclose(bus);
}
