/* SPDX-License-Identifier: MIT */
/* Who set a deadline first wakes first, among equal ones. */
/*
 * Cause: libtask inserted into its list of sleepers before those of the same
 * time.
 * Fix: the sleeping queue is ordered by deadline, then by sequence.
 */
#define TEST_POLLER "poll"
#include "../../machine/machine.h"
#include "../fdtest.h"

static int next;
static int64_t clock_ns;

static int64_t
now(void)
{
	return clock_ns;
}

static int
leap(struct pollfd *fds, nfds_t nfds, struct timespec *timeout)
{
	(void)fds, (void)nfds;
	clock_ns += timeout->tv_sec * (int64_t)Second + timeout->tv_nsec;
	return 0;
}

static void
sleepone(void *v)
{
	taskdelay(10);
	ck_assert_int_eq((int)(intptr_t)v, next++);
}

TASK_TEST_BY(equal_deadlines_wake_in_the_order_set,
	task_sys.now = now;
	task_sys.poll = leap;
	run(body);
	ck_assert_int_eq(next, 100))
{
	for(intptr_t i = 0; i < 100; i++)
		taskcreate(sleepone, (void *)i, 0);
}

TEST_MAIN("equal-deadlines-last-first", equal_deadlines_wake_in_the_order_set)
