/* SPDX-License-Identifier: MIT */
/* Answers that go on: server-sent events, and other protocols. */
#include "call.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

int
httpevents(Http *h)
{
	if(h->status)
		return callfail(EALREADY);
	if(httpset(h, "Cache-Control", "no-store") < 0 ||
			httphead(h, 200, "text/event-stream", -1) < 0)
		return -1;
	callof(h)->events = 1;
	return callflush(callof(h));
}

/* Lines end in one of these; a browser would not take another for the same. */
static int
oneline(const char *v)
{
	return v == NULL || v[strcspn(v, "\r\n")] == '\0';
}

/* adds "name: value\n" for each line of the text. */
static char *
addlines(char *to, const char *name, const char *v)
{
	for(;;){
		size_t n = strcspn(v, "\r\n");
		to += sprintf(to, "%s: %.*s\n", name, (int)n, v);
		v += n;
		if(*v == '\0')
			return to;
		v += v[0] == '\r' && v[1] == '\n' ? 2 : 1;
	}
}

/* How many bytes that has at most. */
static size_t
linesbytes(const char *name, const char *v)
{
	size_t lines = 1, n = strlen(v);

	for(size_t i = 0; i < n; i++)
		lines += v[i] == '\n' || v[i] == '\r';
	return n + lines * (strlen(name) + 3);
}

int
httpevent(Http *h, const char *event, const char *id, const char *data)
{
	Call *c = callof(h);

	if(!c->events || !oneline(event) || !oneline(id))
		return callfail(EINVAL);
	if(c->silent)	/* to HEAD: nobody would ever be seen to go */
		return callfail(EPIPE);
	size_t n = 4 + (event ? linesbytes("event", event) : 0) +
		(id ? linesbytes("id", id) : 0) +
		(data ? linesbytes("data", data) : 0);
	if(n > INT32_MAX)
		return callfail(EINVAL);
	char *text = callalloc(c, n), *to = text;
	if(text == NULL)
		return -1;
	if(event)
		to = addlines(to, "event", event);
	if(id)
		to = addlines(to, "id", id);
	if(data)
		to = addlines(to, "data", data);
	to += sprintf(to, to == text ? ":\n\n" : "\n");
	int r = httpwrite(h, text, (size_t)(to - text));
	callunalloc(c);
	return r < 0 ? -1 : callflush(c);
}

int
httpfd(const Http *h)
{
	return streamfd(callof(h)->m.s);
}

static int
asksfor(const Call *c, const char *protocol)
{
	const char *v;
	int at = 0;

	while((v = messagenext(&c->m, "Upgrade", &at)))
		if(calllisted(v, protocol))
			return 1;
	return 0;
}

Stream *
httpupgrade(Http *h, const char *protocol)
{
	Call *c = callof(h);
	char head[320];

	if(h->status || protocol == NULL ||
			gatespan(protocol, strlen(protocol), IsValue) > 64){
		callfail(h->status ? EALREADY : EINVAL);
		return NULL;
	}
	if(!c->m.head.upgrade || h->minor == 0 || c->m.body != BodyNone ||
			!asksfor(c, protocol)){
		callfail(EPROTO);
		return NULL;
	}
	int n = snprintf(head, sizeof head, "HTTP/1.1 101 Switching Protocols"
		"\r\nConnection: Upgrade\r\nUpgrade: %s\r\n", protocol);
	struct iovec pieces[] = {{head, (size_t)n},
		{c->set, c->nset}, {"\r\n", 2}};
	h->status = 101;
	c->keep = 0;
	return callput(c, pieces, 3) < 0 ? NULL : c->m.s;
}
