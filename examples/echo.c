/* SPDX-License-Identifier: MIT */
/*
 * A TCP server that sends back what it gets: echo [port [seconds]].
 * Look at echo: it is written as if its client were the only one, for each
 * client has a task of its own.  TIMEOUT ends it with a client that says
 * nothing, or does not take what it gets back: it would keep its descriptor for
 * ever.
 */
#include "listen.h"

static unsigned int patience = 30000;	/* ms that a client has for a piece */

static void
echo(void *v)
{
	int fd = (int)(intptr_t)v;
	char buf[4096];
	ssize_t n;
	Timeout t;

	do{
		n = 0;
		TIMEOUT(&t, patience)
			if((n = fdread(fd, buf, sizeof buf)) > 0)
				n = fdwrite(fd, buf, (size_t)n);
	}while(n > 0);
	fdclose(fd);
}

void
taskmain(int argc, char **argv)
{
	int fd, listener = listenon(argc > 1 ? argv[1] : NULL);

	if(argc > 2)
		patience = 1000u * (unsigned)numberof(argv[2], 1, 1000000);
	while((fd = netaccept(listener, NULL, NULL)) >= 0)
		if(taskcreate(echo, (void *)(intptr_t)fd, 32768) < 0)
			fdclose(fd);
}
