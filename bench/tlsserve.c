/* SPDX-License-Identifier: MIT */
/* An HTTP server with TLS, by the addons: tlsserve certificate directory. */
#include "answer.h"
#include "../addons/http/taskhttp.h"
#include "../addons/tls/tasktls.h"
#include <errno.h>
#include <fcntl.h>

static Tls *tls;
static int dir;

static void
hello(Http *h)
{
	httpset(h, "Server", "bench");
	httpreply(h, 200, "text/plain", "Hello, world\n", 13);
}

static void
file(Http *h)
{
	httpset(h, "Server", "bench");
	httpfile(h, dir, "file");
}

static int
serve(Server *s, Stream *c, void *arg)
{
	if(streamtls(c, tls, NULL) < 0 && errno != EALREADY)
		return 0;
	return httpserve(s, c, arg);
}

static const Httproute routes[] = {
	{"GET", "/", hello, NULL},
	{"GET", "/file", file, NULL},
	{NULL, NULL, NULL, NULL}
};

static Httpserver site = {.routes = routes};
static Server server = {.fn = serve, .arg = &site};

void
taskmain(int argc, char **argv)
{
	tls = argc > 2 ? tlsserver(argv[1], argv[1]) : NULL;
	dir = argc > 2 ? open(argv[2], O_RDONLY | O_CLOEXEC) : -1;
	if(tls == NULL || dir < 0)
		die("certificate and directory");
	if(serverstart(&server, "127.0.0.1", 0) < 0)
		die("serverstart");
	printf("%d\n", serverport(&server));
	fflush(stdout);
}
