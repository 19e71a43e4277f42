/* SPDX-License-Identifier: MIT */
/*
 * With ASan a program that called exit in a task was told of leaks: what only
 * the thread's own stack points to, that of main and of the scheduler, was not
 * found, since the task's is the current one then.  Now that stack is
 * registered too.
 */
#include "../../task.h"
#include <stdlib.h>

static void
first(void *v)
{
	(void)v;
	taskexitall(0);
}

int
main(void)
{
	void *volatile only = malloc(100);

	taskrun(first, NULL);
	free(only);
	return 1;
}
