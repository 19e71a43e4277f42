/* SPDX-License-Identifier: MIT */
/* A small server of WebSocket connections, for tests that talk to one. */
#ifndef WSSERVER_H
#define WSSERVER_H

#include <strings.h>
#include "test.h"
#include "../addons/ws/taskws.h"

/* The fields of a request, by a way that is good enough for tests. */
typedef struct Head
{
	char method[16];
	int version;
	int n;
	char name[32][64], value[32][256];
} Head;

static inline const char *
headfield(void *v, const char *name)
{
	Head *h = v;

	for(int i = 0; i < h->n; i++)
		if(strcasecmp(h->name[i], name) == 0)
			return h->value[i];
	return NULL;
}

static inline int
readhead(Stream *s, Head *h)
{
	char *line;
	int minor;

	memset(h, 0, sizeof *h);
	if(streamline(s, &line) < 0 || sscanf(line, "%15s %*s HTTP/1.%d",
			h->method, &minor) != 2)
		return -1;
	h->version = 10 + minor;
	while(streamline(s, &line) > 0 && h->n < 32)
		if(sscanf(line, "%63[^:]: %255[^\n]", h->name[h->n],
				h->value[h->n]) == 2)
			h->n++;
	return 0;
}

/* answers a request; NULL if it is refused, and the stream is closed then. */
static inline Ws *
serverws(int fd, const Wsset *set)
{
	Head *h = malloc(sizeof *h);
	Wsrequest r = {h->method, 0, headfield, h};
	Stream *s = streamopen(fd, 0);
	Wsanswer a = {.status = -1};
	Ws *w = NULL;

	if(readhead(s, h) == 0){
		r.version = h->version;
		wsanswer(&r, set, &a);
		streamprint(s, "HTTP/1.1 %d As It Is\r\n", a.status);
	}
	if(a.status == 101){
		streamprint(s, "Upgrade: websocket\r\nConnection: Upgrade\r\n"
			"Sec-WebSocket-Accept: %s\r\n", a.accept);
		if(*a.protocol)
			streamprint(s, "Sec-WebSocket-Protocol: %s\r\n",
				a.protocol);
		w = wsopen(s, 0, a.protocol, set);
	}
	streamprint(s, "\r\n");
	streamflush(s);
	if(w == NULL)
		streamclose(s);
	free(h);
	return w;
}

#endif
