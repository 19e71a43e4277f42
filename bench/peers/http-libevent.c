/* SPDX-License-Identifier: MIT */
/* The HTTP server on libevent's events, which cost less than its buffers. */
#include "server.h"
#include <event2/event.h>

typedef struct Conn
{
	struct event *event;
	uint32_t last;
} Conn;

static void
serve(evutil_socket_t fd, short what, void *v)
{
	Conn *c = v;
	char buf[ReadMost];
	ssize_t n = recv(fd, buf, sizeof buf, 0);

	(void)what;
	if(n <= 0 || reply(fd, &c->last, buf, (size_t)n) < 0){
		event_free(c->event);
		close(fd);
		free(c);
	}
}

static void
newconns(evutil_socket_t listener, short what, void *base)
{
	int fd;

	(void)what;
	while((fd = accept4(listener, NULL, NULL,
			SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0){
		Conn *c = calloc(1, sizeof *c);
		if(c == NULL)
			die("calloc");
		nodelay(fd);
		c->event = event_new(base, fd, EV_READ | EV_PERSIST, serve, c);
		if(c->event == NULL || event_add(c->event, NULL) < 0)
			die("event_add");
	}
}

int
main(void)
{
	struct event_base *base = event_base_new();
	struct event *event = event_new(base, listenhere(),
		EV_READ | EV_PERSIST, newconns, base);

	event_add(event, NULL);
	return event_base_dispatch(base);
}
