/* SPDX-License-Identifier: MIT */
/*
 * A function of tasksettrace that ended a profile or a trace freed what came
 * next to be told of the same switch.
 */
#include "../test.h"

static int ncalls, nafter;
static void (*ends)(void);

static void
hook(int from, int to, int why, void *v)
{
	(void)from, (void)to, (void)why, (void)v;
	if(++ncalls == 3)
		ends();
	nafter += ncalls > 3;
}

static void
yielder(void *v)
{
	(void)v;
	for(int i = 0; i < 5; i++)
		taskyield();
}

static void
endprofile(void)
{
	taskprofile(0);
}

static void
endtrace(void)
{
	tracestop();
}

static void
yieldhooked(void (*fn)(void))
{
	ends = fn;
	tasksettrace(hook, NULL);
	taskcreate(yielder, NULL, 0);
	yielder(NULL);
	tasksettrace(NULL, NULL);
	ck_assert_int_gt(nafter, 0);
}

TASK_TEST(a_function_that_is_told_may_end_a_profile)
{
	taskprofile(1);
	yieldhooked(endprofile);
}

TASK_TEST(a_function_that_is_told_may_end_a_trace)
{
	ck_assert_int_eq(tracestart(0), 0);
	yieldhooked(endtrace);
}

TEST_MAIN("hook-ends-another-seer",
	a_function_that_is_told_may_end_a_profile,
	a_function_that_is_told_may_end_a_trace)
