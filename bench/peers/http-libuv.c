/* SPDX-License-Identifier: MIT */
/* The HTTP server on libuv. */
#include "server.h"
#include <uv.h>

typedef struct Conn
{
	uv_tcp_t tcp;
	uint32_t last;
} Conn;

static void
closed(uv_handle_t *h)
{
	free(h->data);
}

/* Its bytes are used before the next read: one buffer serves all. */
static void
room(uv_handle_t *h, size_t n, uv_buf_t *buf)
{
	static char bytes[ReadMost];

	(void)h, (void)n;
	*buf = uv_buf_init(bytes, sizeof bytes);
}

static void
serve(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	static uv_buf_t out = {.base = (char *)answer, .len = AnswerBytes};
	Conn *c = s->data;
	int bad = n < 0;

	if(n > 0)
		for(int i = requests(&c->last, buf->base, (size_t)n); i > 0;
				i--)
			bad |= uv_try_write(s, &out, 1) != AnswerBytes;
	if(bad && !uv_is_closing((uv_handle_t *)s))
		uv_close((uv_handle_t *)s, closed);
}

static void
newconn(uv_stream_t *listener, int status)
{
	Conn *c = calloc(1, sizeof *c);

	if(status < 0 || c == NULL)
		exit(1);
	uv_tcp_init(listener->loop, &c->tcp);
	c->tcp.data = c;
	uv_accept(listener, (uv_stream_t *)&c->tcp);
	uv_tcp_nodelay(&c->tcp, 1);
	uv_read_start((uv_stream_t *)&c->tcp, room, serve);
}

int
main(void)
{
	uv_loop_t *loop = uv_default_loop();
	uv_tcp_t listener;
	int fd = listenhere();

	uv_tcp_init(loop, &listener);
	if(uv_tcp_open(&listener, fd) < 0 || uv_listen(
			(uv_stream_t *)&listener, SOMAXCONN, newconn) < 0)
		return 1;
	return uv_run(loop, UV_RUN_DEFAULT);
}
