/* SPDX-License-Identifier: MIT */
/* The client: a request, once more if need be, and where redirects lead. */
#include "client.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { RedirectsMost = 10 };

/* The server has gone, or is about to. */
static int
hungup(int err)
{
	return err == ECONNRESET || err == EPIPE || err == ECONNABORTED;
}

static int
idempotent(const char *method)
{
	static const char *const methods[] = {"GET", "HEAD", "PUT", "DELETE",
		"OPTIONS", "TRACE"};

	for(size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
		if(strcmp(method, methods[i]) == 0)
			return 1;
	return 0;
}

/*
 * A server closes an idle connection when it likes, perhaps while a request is
 * on its way.  Whether it has done what it was asked nobody knows: so only what
 * may be done twice is asked for again.
 */
static int
mayrepeat(const Exchange *x, int err)
{
	const Head *h = &x->m.head;
	void *v;

	return x->conn->used && hungup(err) && !x->interim && !x->begun &&
		h->seen == 0 && h->line == 0 && idempotent(x->method) &&
		streampeek(x->conn->s, 0, &v) <= 0;
}

/* reads the head of the answer that counts. */
static int
readanswer(Exchange *x)
{
	for(int i = 0; i < InterimMost; i++){
		int r = x->m.n > 0 ? 1 : messagehead(&x->m, 1);
		if(r <= 0)
			return r < 0 ? -1 : clientfail(ECONNRESET);
		if(x->m.head.code >= 200)
			return messagekeep(&x->m);
		if(x->m.head.code == 101)
			break;
		int bodiless = x->m.bodiless;
		x->interim = 1;
		messagefree(&x->m);
		messagestart(&x->m, x->conn->s, 1, bodiless);
	}
	return clientfail(EBADMSG);
}

/* One that does not take all of a request may have said why. */
static int
attempt(Exchange *x)
{
	messagestart(&x->m, x->conn->s, 1, strcmp(x->method, "HEAD") == 0);
	x->unsent = x->interim = 0;
	if(requestsend(x) < 0){
		if(x->failed || !hungup(errno))
			return -1;
		x->unsent = 1;
	}
	return readanswer(x);
}

static int
exchange(Exchange *x)
{
	x->conn = conntake(x->pool, x->client, x->place);
	for(;;){
		if(x->conn == NULL)
			x->conn = conndial(x->client, x->place);
		if(x->conn == NULL)
			return -1;
		if(attempt(x) == 0)
			return 0;
		int err = errno, again = mayrepeat(x, err);
		messagefree(&x->m);
		conndrop(x->conn);
		x->conn = NULL;
		if(!again)
			return clientfail(err);
	}
}

/* Whether a redirect asks for the same once more: others make it a GET. */
static int
keepsmethod(const Exchange *x)
{
	int code = x->m.head.code;

	return code == 307 || code == 308 ||
		(code != 303 && strcmp(x->method, "POST") != 0);
}

/* Where the answer leads: NULL if nowhere that the client goes. */
static Place *
leadsto(const Exchange *x)
{
	const Httpclient *c = x->client;
	int code = x->m.head.code;
	const char *where = messagefield(&x->m, "Location");

	if(c->redirects < 0 || where == NULL || (code != 301 && code != 302 &&
			code != 303 && code != 307 && code != 308))
		return NULL;
	if(keepsmethod(x) && x->begun && !x->bodiless)
		return NULL;
	Place *to = placefrom(x->place, where);
	if(to && (to->secure ? c->secure == NULL :
			x->place->secure && !c->downgrade)){
		free(to);
		return NULL;
	}
	return to;
}

static void
redirect(Exchange *x, Place *to)
{
	if(!keepsmethod(x)){
		if(strcmp(x->method, "HEAD") != 0)
			x->method = "GET";
		x->bodiless = 1;
	}
	x->foreign |= !placesame(x->place, to);
	exchangeleave(x);
	messagefree(&x->m);
	free(x->place);
	x->place = to;
}

static int
follow(Exchange *x)
{
	int most = x->client->redirects ? x->client->redirects : RedirectsMost;
	Place *to;

	for(int n = 0; ; n++){
		if(exchange(x) < 0)
			return -1;
		errno = 0;
		to = leadsto(x);
		if(to == NULL)
			return errno == ENOMEM ? -1 : 0;
		if(n == most){
			free(to);
			return clientfail(ELOOP);
		}
		redirect(x, to);
	}
}

static Exchange *
newexchange(Httpclient *c, const Httprequest *q)
{
	Place *place = placeread(q->url);
	Exchange *x = NULL;

	if(place && place->secure && c->secure == NULL)
		errno = EPROTONOSUPPORT;
	else if(place && poolof(c))
		x = calloc(1, sizeof *x);
	if(x == NULL){
		free(place);
		return NULL;
	}
	x->client = c;
	x->q = q;
	x->method = q->method ? q->method : q->body || q->read ? "POST" : "GET";
	x->place = place;
	x->pool = c->pool;
	x->pool->refs++;
	return x;
}

/* The reply that the program gets; of what has no body this is all. */
static void
give(Exchange *x, Httpreply *r)
{
	r->status = x->m.head.code;
	r->minor = x->m.head.minor;
	r->length = x->m.body == BodyLength ? x->m.left :
		x->m.body == BodyNone ? 0 : -1;
	r->url = x->place->url;
	x->q = NULL;
	x->method = NULL;
	if(x->m.body == BodyNone)
		exchangeleave(x);
}

int
httpdo(Httpclient *c, const Httprequest *q, Httpreply *r)
{
	int err = errno;

	if(r)
		memset(r, 0, sizeof *r);
	if(c == NULL || q == NULL || r == NULL || !requestvalid(q))
		return clientfail(EINVAL);
	r->in = newexchange(c, q);
	if(r->in == NULL)
		return -1;
	if(follow(r->in) < 0){
		err = errno;
		httpreplyclose(r);
		return clientfail(err);
	}
	give(r->in, r);
	errno = err;
	return 0;
}

int
httpget(Httpclient *c, const char *url, Httpreply *r)
{
	Httprequest q = {.url = url};

	return httpdo(c, &q, r);
}
