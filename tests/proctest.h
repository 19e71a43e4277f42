/* SPDX-License-Identifier: MIT */
/* What the tests of several threads share: functions to call, a proc's task. */
#ifndef PROCTEST_H
#define PROCTEST_H

#include "test.h"

static inline int
plusone(void *v)
{
	return *(int *)v + 1;
}

static inline int
failing(void *v)
{
	(void)v;
	errno = EXDEV;
	return -1;
}

/* A first task that stays until somebody cancels it; its status is 7. */
static inline void
staying(void *v)
{
	(void)v;
	while(!taskcancelled())
		taskdelay(10000);
	taskexit(7);
}

/* To be called in its proc. */
static inline int
ending(void *v)
{
	(void)v;
	return taskcancel(1);
}

#endif
