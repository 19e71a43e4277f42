/* SPDX-License-Identifier: MIT */
/*
 * libtask's main is inside task.o, so no program can have its own, and its
 * helpers are exported, so none can have functions of those names.  Here main
 * is alone in its object file (the other tests have their own, this one has
 * taskmain), and the names that libtask does not have give way to those of an
 * old program.
 */
#define TASK_COMPAT
#include "../../task.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

static int mine;

int mainstacksize = 100 * 1024;

ssize_t
fdreadn(int fd, void *buf, size_t n)
{
	(void)fd, (void)buf, (void)n;
	return ++mine;
}

int taskrun(int a, int b);
void tasksetdeadlock(void);
int fdclose(void);
char *fdwritten(char *s);
int netacceptaddr(void);

int
taskrun(int a, int b)
{
	mine++;
	return a + b;
}

void
tasksetdeadlock(void)
{
	mine++;
}

int
fdclose(void)
{
	return ++mine;
}

char *
fdwritten(char *s)
{
	mine++;
	return s;
}

int
netacceptaddr(void)
{
	return ++mine;
}

static void
second(void *v)
{
	assert(taskid() == 2);
	assert(strcmp(taskgetname(), "") == 0);
	chansendul(v, 17);
	taskexit(3);	/* not the last word */
}

void
taskmain(int argc, char **argv)
{
	Channel *c = chancreate(sizeof(unsigned long), 0);

	assert(argc == 1 && argv[0] && argv[1] == NULL);
	assert(taskid() == 1);
	assert(strcmp(taskgetname(), "taskmain") == 0);
	needstack(90 * 1024);
	assert(taskrun(1, 2) == 3);
	tasksetdeadlock();
	fdclose();
	fdwritten(NULL);
	netacceptaddr();
	fdreadn(-1, NULL, 0);
	taskcreate(second, c, 32768);
	assert(chanrecvul(c) == 17);
	chanfree(c);
	taskexit(mine == 6 ? 0 : 1);
}
