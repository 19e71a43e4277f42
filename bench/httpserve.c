/* SPDX-License-Identifier: MIT */
/* bench/http by the addon: heads are read, and answers say what day it is. */
#include "answer.h"
#include "../addons/http/taskhttp.h"

static void
hello(Http *h)
{
	httpset(h, "Server", "bench");
	httpreply(h, 200, "text/plain", "Hello, world\n", 13);
}

static const Httproute routes[] = {
	{"GET", "/", hello, NULL},
	{NULL, NULL, NULL, NULL}
};

static Httpserver site = {.routes = routes};
static Server server = {.fn = httpserve, .arg = &site};

void
taskmain(int argc, char **argv)
{
	(void)argc, (void)argv;
	if(serverstart(&server, "127.0.0.1", 0) < 0)
		die("serverstart");
	printf("%d\n", serverport(&server));
	fflush(stdout);
}
