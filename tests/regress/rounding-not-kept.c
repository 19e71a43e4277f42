/* SPDX-License-Identifier: MIT */
/*
 * A task that set the rounding mode set it for all, and lost its own.
 * Cause: libtask's switch on x86 and arm did not save the floating-point
 * control registers, which belong to the caller like the others.
 * Fix: the switch saves them on the stack of the task.
 */
#include "../test.h"
#include <fenv.h>

static int done;

static void
up(void *v)
{
	(void)v;
	fesetround(FE_UPWARD);
	for(int i = 0; i < 10; i++){
		taskyield();
		ck_assert_int_eq(fegetround(), FE_UPWARD);
	}
	done++;
}

static void
usual(void *v)
{
	(void)v;
	for(int i = 0; i < 10; i++){
		ck_assert_int_eq(fegetround(), FE_TONEAREST);
		taskyield();
	}
	done++;
}

TASK_TEST_BY(rounding_is_the_task_s_own,
	run(body);
	ck_assert_int_eq(done, 2))
{
	taskcreate(up, NULL, 0);
	taskcreate(usual, NULL, 0);
}

TEST_MAIN("rounding-not-kept", rounding_is_the_task_s_own)
