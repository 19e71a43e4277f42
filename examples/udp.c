/* SPDX-License-Identifier: MIT */
/*
 * Datagrams, and what becomes of them: udp [questions [forgotten]].
 * Look at ask: a datagram or its answer may be lost, so each is waited for with
 * a deadline and asked for again, and what comes late is told from what is
 * waited for by its number.  The server forgets every forgotten'th question, 3
 * if not said, for a network of one machine would lose none of these.  Then
 * look at flood: what comes faster than it is read the kernel drops, and nobody
 * is told.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "listen.h"

enum { Patience = 100, Tries = 50 };	/* ms for an answer, and how often */
enum { Burst = 1000, Room = 4096 };	/* datagrams, and bytes for them */

static int forgotten = 3;

/* answers each question with what it was. */
static void
server(void *v)
{
	int fd = (int)(intptr_t)v, port;
	char buf[256], addr[NETADDRSIZE];
	ssize_t n;

	tasksystem();
	taskname("server");
	for(int i = 1; (n = netrecvfrom(fd, buf, sizeof buf, addr, sizeof addr,
			&port)) >= 0; i++)
		if(forgotten == 0 || i % forgotten != 0)
			netsendto(fd, buf, (size_t)n, addr, port);
}

/* waits for the answer to a question; drops those to earlier ones. */
static int
answered(int fd, int question)
{
	char buf[256];
	ssize_t n;

	while((n = netrecvfrom(fd, buf, sizeof buf - 1, NULL, 0, NULL)) >= 0){
		buf[n] = '\0';
		if(atoi(buf) == question)
			return 1;
	}
	return 0;
}

/* returns how often it had to ask, or 0 if there was no answer. */
static int
ask(int fd, int question)
{
	char buf[32];
	int done = 0;
	size_t n = (size_t)sprintf(buf, "%d, are you there?", question);
	Timeout t;

	for(int i = 1; i <= Tries; i++){
		TIMEOUT(&t, Patience)
			done = netsendto(fd, buf, n, NULL, 0) >= 0 &&
				answered(fd, question);
		if(done)
			return i;
	}
	return 0;
}

static void
askall(int fd, int questions)
{
	int nasked = 0, nanswers = 0;

	for(int i = 1; i <= questions; i++){
		int n = ask(fd, i);
		nasked += n > 0 ? n : Tries;
		nanswers += n > 0;
	}
	printf("%d questions, asked %d times, %d answers\n", questions, nasked,
		nanswers);
}

/* sends many datagrams before the first is read. */
static void
flood(void)
{
	int port = 0, nread = 0, to = listenat(UDP, &port);
	int from = netdial(UDP, "127.0.0.1", port);
	char buf[64] = "one of many";
	Timeout t;

	netoption(to, NETRECVBUF, Room);
	for(int i = 0; i < Burst; i++)
		netsendto(from, buf, sizeof buf, NULL, 0);
	TIMEOUT(&t, Patience)
		while(netrecvfrom(to, buf, sizeof buf, NULL, 0, NULL) >= 0)
			nread++;
	printf("%d sent at once, %d came, %d lost\n", Burst, nread,
		Burst - nread);
	fdclose(from);
	fdclose(to);
}

void
taskmain(int argc, char **argv)
{
	int port = 0, listener = listenat(UDP, &port);
	int fd = netdial(UDP, "127.0.0.1", port);

	if(argc > 2)
		forgotten = numberof(argv[2], 0, 1000000);
	if(fd < 0 || taskcreate(server, (void *)(intptr_t)listener, 0) < 0){
		perror("udp");
		taskexitall(1);
	}
	askall(fd, argc > 1 ? numberof(argv[1], 1, 1000000) : 10);
	flood();
}
