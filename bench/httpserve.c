/* SPDX-License-Identifier: MIT */
/*
 * bench/http by the addon: heads are read, and answers say what day it is.  On
 * several procs, each of which accepts: httpserve n; and with files:
 * httpserve n directory.
 */
#include "answer.h"
#include <fcntl.h>
#include "../addons/http/taskhttp.h"

enum { Most = 64 };

static int files;

static void
hello(Http *h)
{
	httpset(h, "Server", "bench");
	httpreply(h, 200, "text/plain", "Hello, world\n", 13);
}

static void
file(Http *h)
{
	httpfile(h, files, httpparam(h, "*"));
}

static const Httproute routes[] = {
	{"GET", "/", hello, NULL},
	{"GET", "/*", file, NULL},
	{NULL, NULL, NULL, NULL}
};

static Httpserver site = {.routes = routes};
static Server server = {.reuseport = 1, .fn = httpserve, .arg = &site};

static void
staying(void *v)
{
	(void)v;
	while(!taskcancelled())
		taskdelay(1000);
}

void
taskmain(int argc, char **argv)
{
	int nproc = argc > 1 ? atoi(argv[1]) : 1;
	int proc[Most] = {procself()};

	if(nproc < 1 || nproc > Most)
		die("httpserve: procs");
	for(int i = 1; i < nproc; i++)
		if((proc[i] = proccreate(staying, NULL, 0)) < 0)
			die("proccreate");
	if((files = open(argc > 2 ? argv[2] : ".", O_PATH | O_DIRECTORY)) < 0)
		die("open");
	if(serverstart(&server, "127.0.0.1", 0) < 0 ||
			(nproc > 1 && serverspread(&server, proc, nproc) < 0))
		die("serverstart");
	printf("%d\n", serverport(&server));
	fflush(stdout);
}
