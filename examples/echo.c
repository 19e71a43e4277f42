/* SPDX-License-Identifier: MIT */
/*
 * A TCP server that sends back what it gets: echo [port].
 * Look at echo: it is written as if its client were the only one, for each
 * client has a task of its own.
 */
#include "listen.h"

static void
echo(void *v)
{
	int fd = (int)(intptr_t)v;
	char buf[4096];
	ssize_t n;

	while((n = fdread(fd, buf, sizeof buf)) > 0)
		if(fdwrite(fd, buf, (size_t)n) < 0)
			break;
	fdclose(fd);
}

void
taskmain(int argc, char **argv)
{
	int fd, listener = listenon(argc > 1 ? argv[1] : NULL);

	while((fd = netaccept(listener, NULL, NULL)) >= 0)
		if(taskcreate(echo, (void *)(intptr_t)fd, 32768) < 0)
			fdclose(fd);
}
