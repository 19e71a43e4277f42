/* SPDX-License-Identifier: MIT */
/* Sharing the thread: what a task does whose calls never have to wait. */
#ifndef TASK_SHARE_H
#define TASK_SHARE_H

#include "../taskimpl.h"

/*
 * A task whose calls never have to wait would keep all others from running, so
 * after some of them in a row it yields.  Task.nfast counts them, and begins
 * anew when the task waits: it is time to share when it runs over.  That is
 * after 256 calls that take something, or 64 on descriptors, which cost more.
 *
 * Calls that release or send never share, nor do those that never wait: they
 * are made in signal handlers, and by those who rely on going on.
 */
enum { TakeWeight = 1, FdWeight = 4 };

/* counts a call of t that need not wait; returns whether to share now. */
static inline int
sharetime(Task *t, unsigned int weight)
{
	t->nfast = (unsigned char)(t->nfast + weight);
	return t->nfast < weight;
}

#pragma GCC visibility push(hidden)

/* lets others run, and returns result: so it can be what a call ends in. */
int task_share(int result);

#pragma GCC visibility pop

#endif
