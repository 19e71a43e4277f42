/* SPDX-License-Identifier: MIT */
/*
 * A function set by tasksetdeadlock that called taskyield put the fdtask into
 * the ready queue, and when its turn came it was put there again: tasks between
 * the two places were lost.  Now it counts as due all the while.
 */
#include "../test.h"

static int done, called;

static void
spin(void *v)
{
	int64_t end = nowns() + 5 * 1000000;

	(void)v;
	while(nowns() < end)
		taskyield();
	done++;
}

static void
yieldwhilespinning(const char *report)
{
	int64_t end = nowns() + 2 * (int64_t)1000000000;
	int before = done;

	(void)report;
	if(++called == 5)
		return;
	for(int i = 0; i < called; i++)
		taskcreate(spin, NULL, 0);
	while(done < before + called && nowns() < end)
		taskyield();
}

TASK_TEST_BY(the_takeover_of_a_deadlock_may_yield_and_loses_nobody,
	Channel *c = chancreate(sizeof(unsigned long), 0);

	tasksetdeadlock(yieldwhilespinning);
	while(called < 5)
		ck_assert_int_eq(taskrun(body, c), -1);
	ck_assert_int_eq(done, 1 + 2 + 3 + 4);
	chanfree(c))
{
	chanrecvul(v);
}

TEST_MAIN("yield-in-takeover",
	the_takeover_of_a_deadlock_may_yield_and_loses_nobody)
