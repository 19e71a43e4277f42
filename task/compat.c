/* SPDX-License-Identifier: MIT */
/*
 * Names that some programs written for libtask call, though it kept them to
 * itself.  They are alone in their object file: a program that brings its own
 * does not get these.
 */
#include "../taskimpl.h"
#include "newnames.h"
#include <stdio.h>
#include <stdlib.h>

static _Thread_local struct
{
	void (*fn)(void *);
	void *arg;
} firsttask;

static void
nofirst(void *v)
{
	(void)v;
}

int
taskinit(void (*fn)(void *), void *arg)
{
	if(fn == NULL)
		return task_fail(EINVAL);
	if(task_proc)
		return task_fail(EBUSY);
	firsttask.fn = fn;
	firsttask.arg = arg;
	return 0;
}

void
taskscheduler(void)
{
	errno = 0;
	int status = task_run(firsttask.fn ? firsttask.fn : nofirst,
		firsttask.arg);
	if(status < 0 && errno){
		if(errno != EDEADLK)	/* of which the program has been told */
			perror("taskscheduler");
		status = 1;
	}
	exit(status);
}
