/* SPDX-License-Identifier: MIT */
/* A request of a client's and its answer, between the files of the client. */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "message.h"
#include "taskhttp.h"

enum
{
	AuthorityMost = 261,	/* a name of 255 bytes and a port */
	InterimMost = 16,	/* answers before the one that counts */
	RestMost = 64 * 1024,	/* of a body that nobody has read */
	PatienceMs = 1000	/* for 100 (Continue), which some never send */
};

/* Where a URL leads. */
typedef struct Place
{
	int secure;
	int port;
	const char *url;	/* without a fragment */
	const char *target;	/* the end of it */
	const char *authority;	/* the host and port in it */
	char *host;	/* to dial: without brackets */
	char text[];
} Place;

/* A connection: in use, or idle in a pool. */
typedef struct Conn
{
	struct Conn *next;	/* in the pool: one that has been idle longer */
	Stream *s;
	int64_t until_ns;	/* idle, it is closed then */
	int secure;
	int (*by)(Stream *, void *, const char *);	/* secured by that */
	void *ctx;
	int port;
	int used;	/* it has been idle */
	char host[];
} Conn;

/* Idle connections.  It lives until client, replies and reaper have left it. */
struct Httppool
{
	Conn *idle;	/* the last one put back first */
	int n;
	int refs;
	int closed;	/* the client has left */
	int reaper;	/* the task that closes what is idle too long, or 0 */
	int waits;	/* it sleeps, and can be cancelled */
};

/* What is behind a reply: the request as it was sent last, and the answer. */
struct Httpexchange
{
	Message m;
	const Httpclient *client;
	const Httprequest *q;	/* NULL once there is a reply */
	const char *method;
	Place *place;
	struct Httppool *pool;
	Conn *conn;	/* NULL once it has been let go */
	char *body;	/* as far as httpreplybody has come */
	size_t nbody, room;
	unsigned char bodiless;	/* a redirect has left no body to be sent */
	unsigned char foreign;	/* one has led to somebody else */
	unsigned char begun;	/* the program's read was called */
	unsigned char failed;	/* and has failed */
	unsigned char unsent;	/* the server has not got all of it */
	unsigned char interim;	/* something of an answer came: 100, say */
};

typedef struct Httpexchange Exchange;

/* returns -1, with that errno. */
int clientfail(int err);

/*
 * clienturl.c: reads a URL; or what Location says to who has asked base.
 * Returns a place of malloc's; NULL with EINVAL, ENOMEM.
 */
Place *placeread(const char *url);
Place *placefrom(const Place *base, const char *reference);

/* Whether both are on one server. */
int placesame(const Place *a, const Place *b);

/* clientpool.c */
struct Httppool *poolof(Httpclient *c);	/* NULL with ENOMEM */
void poolleave(struct Httppool *p);

/* One that is idle and alive, or NULL; a new one, or NULL and errno. */
Conn *conntake(struct Httppool *p, const Httpclient *c, const Place *to);
Conn *conndial(const Httpclient *c, const Place *to);

/* closes it at once; or keeps it for another request. */
void conndrop(Conn *conn);
void connput(const Httpclient *c, struct Httppool *p, Conn *conn);

/* clientsend.c */
int requestvalid(const Httprequest *q);

/* sends a request, as far as the server wants it: 0, -1. */
int requestsend(Exchange *x);

/* clientreply.c: gives the connection back, if it can be used again. */
void exchangeleave(Exchange *x);

#endif
