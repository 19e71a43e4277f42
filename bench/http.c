/* SPDX-License-Identifier: MIT */
/* The HTTP server that is compared with others: a task for each connection. */
#include "answer.h"
#include <task.h>

static void
serve(void *v)
{
	int fd = (int)(intptr_t)v;
	uint32_t last = 0;
	char buf[ReadMost];
	ssize_t n;

	while((n = fdread(fd, buf, sizeof buf)) > 0)
		for(int i = requests(&last, buf, (size_t)n); i > 0; i--)
			fdwrite(fd, answer, AnswerBytes);
	fdclose(fd);
}

void
taskmain(int argc, char **argv)
{
	int fd, listener = netannounce(TCP, "127.0.0.1", 0);

	(void)argc, (void)argv;
	sayport(listener);
	while((fd = netaccept(listener, NULL, NULL)) >= 0)
		if(taskcreate(serve, (void *)(intptr_t)fd, 32768) < 0)
			fdclose(fd);
}
