/* SPDX-License-Identifier: MIT */
/*
 * The HTTP server that is compared with others: a task for each connection.  On
 * several procs: http n shared|handed.  Each accepts for itself on a port that
 * all share, or the first accepts, and hands on what it gets.  In as many
 * processes: http n forked, which share the port too.
 */
#include "answer.h"
#include <signal.h>
#include <sys/prctl.h>
#include <task.h>
#include <unistd.h>

enum { Most = 64 };

static int nproc, proc[Most], port;

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

static void
acceptall(int listener, int handson)
{
	int fd;

	for(int i = 0; (fd = netaccept(listener, NULL, NULL)) >= 0; i++)
		if((handson ? procpost(proc[i % nproc], serve,
				(void *)(intptr_t)fd, 32768) :
				taskcreate(serve, (void *)(intptr_t)fd,
				32768)) < 0)
			fdclose(fd);
}

static void
staying(void *v)
{
	(void)v;
	while(!taskcancelled())
		taskdelay(1000);
}

static void
accepting(void *v)
{
	(void)v;
	acceptall(netannounce(TCP | NETSHARED, "127.0.0.1", port), 0);
}

/* A process of its own; it ends with the first. */
static void
beginprocess(void)
{
	pid_t pid = fork();

	if(pid < 0)
		die("fork");
	if(pid > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	accepting(NULL);
	exit(1);
}

void
taskmain(int argc, char **argv)
{
	int handson = argc > 2 && strcmp(argv[2], "handed") == 0;
	int forks = argc > 2 && strcmp(argv[2], "forked") == 0;
	int listener = netannounce(argc > 1 ? TCP | NETSHARED : TCP,
		"127.0.0.1", 0);
	struct sockaddr_in addr;
	socklen_t size = sizeof addr;

	nproc = argc > 1 ? atoi(argv[1]) : 1;
	if(listener < 0 || nproc < 1 || nproc > Most ||
			getsockname(listener, (void *)&addr, &size) < 0)
		die("http");
	port = ntohs(addr.sin_port);
	proc[0] = procself();
	for(int i = 1; i < nproc; i++)
		if(forks)
			beginprocess();
		else if((proc[i] = proccreate(handson ? staying : accepting,
				NULL, 0)) < 0)
			die("proccreate");
	if(nproc > 1)
		taskdelay(20);	/* for all to listen */
	sayport(listener);
	acceptall(listener, handson);
}
