/* SPDX-License-Identifier: MIT */
/*
 * Relays TCP connections: tcpproxy listenport host port [seconds].  SIGTERM or
 * SIGINT stops it, and it says how many bytes it has relayed.  A connection on
 * which nothing has moved for so many seconds, 300 if not said, is broken off.
 * Look at relay, which two tasks run for each connection, one per direction:
 * when one side has said all it wanted, the other is told so, and the other
 * direction goes on.  Then at serve: it closes the descriptors once both have
 * ended, for a number closed earlier may be a stranger's when it is next used.
 */
#define _POSIX_C_SOURCE 200809L
#include <signal.h>
#include <unistd.h>
#include "listen.h"

enum { Client, Target, Sides };
enum { Chunk = 16384, StackBytes = Chunk + 32768 };

typedef struct Connection
{
	int fd[Sides];
	int64_t moved;	/* when something last came from either side */
	int broken;	/* neither side is to see a regular end any more */
	int busy;	/* the task from server to client has not ended */
	Rendez ended;
} Connection;

static char *host;
static int port, stop[2];	/* stop: a pipe from the signal handler */
static unsigned int patience = 300000;	/* ms */
static unsigned long long nbytes[Sides];	/* sent to each side */

/*
 * fdread, as long as one of the directions is alive: while a client downloads
 * it may well be silent.
 */
static ssize_t
get(Connection *c, int from, char *buf, size_t size)
{
	Timeout t;
	ssize_t n = -1;
	int64_t left = patience;

	do{
		TIMEOUT(&t, (unsigned)left)
			n = fdread(c->fd[from], buf, size);
		left = c->moved / 1000000 + patience - tasknow() / 1000000;
	}while(n < 0 && timeoutfired(&t) && left > 0);
	c->moved = tasknow();
	return n;
}

static ssize_t
put(Connection *c, int to, const char *buf, size_t n)
{
	Timeout t;
	ssize_t r = -1;

	TIMEOUT(&t, patience)
		r = fdwrite(c->fd[to], buf, n);
	return r;
}

static void
relay(Connection *c, int from, int to)
{
	struct linger reset = {1, 0};
	char buf[Chunk];
	ssize_t n;

	while((n = get(c, from, buf, sizeof buf)) > 0){
		ssize_t sent = put(c, to, buf, (size_t)n);
		nbytes[to] += fdwritten();
		if(sent < 0)
			break;
	}
	if(n == 0 && !c->broken && shutdown(c->fd[to], SHUT_WR) == 0)
		return;
	c->broken = 1;
	/* Half a transfer must not look like a whole: close with a reset. */
	setsockopt(c->fd[from], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	setsockopt(c->fd[to], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	shutdown(c->fd[to], SHUT_RD);	/* the other task may wait there */
}

static void
toclient(void *v)
{
	Connection *c = v;

	taskname("%d -> %d", c->fd[Target], c->fd[Client]);
	relay(c, Target, Client);
	c->busy = 0;
	taskwakeup(&c->ended);
}

static void
serve(void *v)
{
	Connection c = {.fd = {(int)(intptr_t)v, -1}, .moved = tasknow()};
	Timeout t;

	taskname("%d dials %s", c.fd[Client], host);
	TIMEOUT(&t, patience)
		c.fd[Target] = netdial(TCP, host, port);
	if(c.fd[Target] >= 0 && taskcreate(toclient, &c, StackBytes) >= 0){
		c.busy = 1;
		taskname("%d -> %d", c.fd[Client], c.fd[Target]);
		relay(&c, Client, Target);
		while(c.busy)
			tasksleep(&c.ended);
	}
	if(c.fd[Target] >= 0)
		fdclose(c.fd[Target]);
	fdclose(c.fd[Client]);
}

/* A handler may do next to nothing: it writes to a pipe, which a task reads. */
static void
stopped(int sig)
{
	if(write(stop[1], "", 1) < 0)
		_exit(128 + sig);
}

static void
report(void *v)
{
	char c;

	(void)v;
	taskname("report");
	fdread1(stop[0], &c, 1);
	printf("relayed %llu bytes to the server, %llu bytes to clients\n",
		nbytes[Target], nbytes[Client]);
	taskexitall(0);
}

void
taskmain(int argc, char **argv)
{
	struct sigaction sa = {.sa_handler = stopped};
	int fd;

	if(argc < 4 || pipe(stop) < 0 || taskcreate(report, NULL, 32768) < 0){
		fputs("usage: tcpproxy listenport host port [seconds]\n",
			stderr);
		taskexitall(1);
	}
	host = argv[2];
	port = numberof(argv[3], 1, 65535);
	if(argc > 4)
		patience = 1000u * (unsigned)numberof(argv[4], 1, 1000000);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	int listener = listenon(argv[1]);
	while((fd = netaccept(listener, NULL, NULL)) >= 0)
		if(taskcreate(serve, (void *)(intptr_t)fd, StackBytes) < 0)
			fdclose(fd);
}
