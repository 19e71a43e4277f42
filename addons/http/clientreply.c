/* SPDX-License-Identifier: MIT */
/* Answers, as the client's program reads them. */
#include "client.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BodyFirst = 4096, BodyMost = 16 << 20 };

/* takes the rest of a body, as far as it is there. */
static void
drain(Exchange *x)
{
	char v[512];
	size_t n = 0;
	ssize_t r = 1;
	Timeout t;

	timeoutstart(&t, 0);
	while(x->m.body != BodyNone && n < RestMost && r > 0){
		r = messagebody(&x->m, v, sizeof v);
		n += r > 0 ? (size_t)r : 0;
	}
	timeoutstop(&t);
}

/* Whether both sides have said all. */
static int
settled(const Exchange *x)
{
	Timeout t;
	void *v;

	if(x->unsent || x->m.body != BodyNone || !messagemore(&x->m))
		return 0;
	timeoutstart(&t, 0);
	int r = streamflush(x->conn->s);
	timeoutstop(&t);
	return r == 0 && streampeek(x->conn->s, 0, &v) == 0;
}

void
exchangeleave(Exchange *x)
{
	int err = errno;

	if(x->conn == NULL)
		return;
	if(!x->unsent && x->m.head.status == 0)
		drain(x);
	Conn *conn = x->conn;
	if(settled(x))
		connput(x->client, x->pool, conn);
	else
		conndrop(conn);
	x->conn = NULL;
	errno = err;
}

const char *
httpreplyfield(const Httpreply *r, const char *name)
{
	return r && r->in && name ? messagefield(&r->in->m, name) : NULL;
}

int
httpreplyfieldat(const Httpreply *r, int i, const char **name,
	const char **value)
{
	return r && r->in && name && value ?
		messagefieldat(&r->in->m, i, name, value) : 0;
}

ssize_t
httpreplyread(Httpreply *r, void *v, size_t n)
{
	if(r == NULL || r->in == NULL || (v == NULL && n > 0))
		return clientfail(EINVAL);
	ssize_t got = messagebody(&r->in->m, v, n);
	if(got >= 0 && r->in->m.body == BodyNone)
		exchangeleave(r->in);
	return got;
}

/* has room for more than there is of the body, and a zero byte behind. */
static int
makeroom(Exchange *x)
{
	if(x->room > x->nbody + 1)
		return 0;
	size_t room = x->room ? 2 * x->room : BodyFirst;
	char *v = realloc(x->body, room);
	if(v == NULL)
		return -1;
	x->body = v;
	x->room = room;
	return 0;
}

ssize_t
httpreplybody(Httpreply *r, void **v, size_t most)
{
	ssize_t n = 1;

	if(r == NULL || r->in == NULL || v == NULL)
		return clientfail(EINVAL);
	Exchange *x = r->in;
	if(most == 0)
		most = BodyMost;
	if(r->length > 0 && (uint64_t)r->length > most)
		return clientfail(EMSGSIZE);
	while(n > 0){
		if(makeroom(x) < 0)
			return -1;
		n = httpreplyread(r, x->body + x->nbody,
			x->room - 1 - x->nbody);
		x->nbody += n > 0 ? (size_t)n : 0;
		if(x->nbody > most)
			return clientfail(EMSGSIZE);
	}
	if(n < 0)
		return -1;
	x->body[x->nbody] = '\0';
	*v = x->body;
	return (ssize_t)x->nbody;
}

void
httpreplyclose(Httpreply *r)
{
	Exchange *x = r ? r->in : NULL;

	if(x == NULL)
		return;
	exchangeleave(x);
	messagefree(&x->m);
	poolleave(x->pool);
	free(x->place);
	free(x->body);
	free(x);
	memset(r, 0, sizeof *r);
}
