/* SPDX-License-Identifier: MIT */
/*
 * A command with a time limit, and its output: run ms command [argument ...].
 * Look at supervise: the output is read by a task of its own, so the scope ends
 * only the waiting.  The command has a group of its own, so what it has started
 * is killed with it; and who presses Ctrl-C ends the waiting too, by a channel.
 */
#include "number.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <task.h>

static Child child = {.fd = {CHILDNULL, CHILDPIPE, 0}, .group = 1};
static int nbytes, nlines;

/* prints each line of the output behind a bar. */
static void
copyoutput(void *v)
{
	char buf[4096];
	ssize_t n;
	int begins = 1;

	(void)v;
	while((n = fdread(child.fd[1], buf, sizeof buf)) > 0)
		for(ssize_t i = 0; i < n; i++, nbytes++){
			if(begins)
				fputs("| ", stdout);
			putchar(buf[i]);
			begins = buf[i] == '\n';
			nlines += begins;
		}
	fdclose(child.fd[1]);
}

/* returns why the command was ended, or NULL if it has ended by itself. */
static const char *
supervise(unsigned int ms, Channel *interrupts)
{
	Alt a[] = {
		{.op = ALTREAD, .fd = child.pidfd},
		{.op = ALTDELAY, .ms = ms},
		{.op = CHANRCV, .c = interrupts},
		{.op = CHANEND},
	};
	static const char *const why[] = {NULL, "too late", "interrupted"};
	int i = chanalt(a);

	if(i != 0)
		childkill(&child, SIGKILL);
	return i < 0 ? "chanalt failed" : why[i];
}

static void
report(int status, const char *why)
{
	printf("%d lines, %d bytes, ", nlines, nbytes);
	if(why)
		printf("%s\n", why);
	else if(WIFSIGNALED(status))
		printf("signal %d\n", WTERMSIG(status));
	else
		printf("status %d\n", WEXITSTATUS(status));
}

void
taskmain(int argc, char **argv)
{
	Channel *interrupts = chancreate(sizeof(int), 1);
	Group output = {.limit = 1};
	int status = 0;

	if(argc < 3){
		fprintf(stderr, "usage: run ms command [argument ...]\n");
		taskexitall(2);
	}
	int ms = numberof(argv[1], 0, 2000000000);
	signalwatch(SIGINT, interrupts);
	if(childspawn(&child, argv + 2) < 0){
		perror(argv[2]);
		taskexitall(127);
	}
	groupspawn(&output, copyoutput, NULL, 0);
	const char *why = supervise((unsigned int)ms, interrupts);
	childwait(&child, &status);
	groupwait(&output);
	report(status, why);
	taskexitall(why || WIFSIGNALED(status) ? 1 : WEXITSTATUS(status));
}
