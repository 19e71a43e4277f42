/* SPDX-License-Identifier: MIT */
/*
 * Sends back lines over a UNIX socket: unixecho path serves, and unixecho path
 * line... asks.  A path such as @echo is a name that is no file's.
 * Look at serve: it neither counts bytes nor flushes.  A stream gathers the
 * answers until the next line has to be waited for, so lines that come together
 * go back together.  Then at taskmain: a server that was killed leaves its file
 * behind, and netannounce takes that; where somebody answers it does not.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <task.h>
#include <unistd.h>

enum { LineMost = 4096, Patience = 60000 };	/* bytes; ms */

static void
serve(void *v)
{
	Stream *s = streamopen((int)(intptr_t)v, LineMost);
	ssize_t n = -1;
	char *line;
	Timeout t;

	if(s == NULL){
		fdclose((int)(intptr_t)v);
		return;
	}
	do{
		TIMEOUT(&t, Patience)
			if((n = streamline(s, &line)) >= 0){
				line[n] = '\n';	/* where the end was */
				n = streamwrite(s, line, (size_t)n + 1);
			}
	}while(n > 0);
	if(errno == EMSGSIZE)
		streamprint(s, "that line is too long\n");
	TIMEOUT(&t, Patience)
		streamclose(s);
}

static void
accepts(void *v)
{
	int fd;

	tasksystem();
	while((fd = netaccept((int)(intptr_t)v, NULL, NULL)) >= 0)
		if(taskcreate(serve, (void *)(intptr_t)fd, 0) < 0)
			fdclose(fd);
}

/* serves until SIGTERM or SIGINT; then those who are there are left. */
static void
server(const char *path, int listener)
{
	Channel *c = chancreate(sizeof(int), 1);
	int sig;

	printf("listening on %s\n", path);
	fflush(stdout);
	taskcreate(accepts, (void *)(intptr_t)listener, 0);
	signalwatch(SIGTERM, c);
	signalwatch(SIGINT, c);
	chanrecv(c, &sig);
	if(*path != '@')
		unlink(path);
	taskexitall(0);
}

/* returns how many of the lines came back. */
static int
client(Stream *s, char **lines, int n)
{
	char *line;
	int i = 0;

	while(i < n && streamprint(s, "%s\n", lines[i]) > 0 &&
			streamline(s, &line) >= 0){
		printf("%s\n", line);
		i++;
	}
	streamclose(s);
	return i;
}

void
taskmain(int argc, char **argv)
{
	int n = argc > 1 && *argv[1] != '-' ? argc - 2 : -1;
	int fd = n < 0 ? -1 : n == 0 ?
		netannounce(UNIX, argv[1], 0) : netdial(UNIX, argv[1], 0);
	Stream *s = n > 0 && fd >= 0 ? streamopen(fd, 0) : NULL;

	if(n == 0 && fd >= 0)
		server(argv[1], fd);
	if(s && client(s, argv + 2, n) == n)
		taskexitall(0);
	if(n < 0)
		fputs("usage: unixecho path|@name [line...]\n", stderr);
	else
		perror(argv[1]);
	taskexitall(1);
}
