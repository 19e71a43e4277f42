/* SPDX-License-Identifier: MIT */
/*
 * libtask counts switches in an int, which overflows after two thousand million
 * of them: undefined, and taskyield then returns nonsense.  Ours is unsigned.
 */
#include "../../taskimpl.h"
#include "../test.h"

static void
yieldnear(unsigned int count)
{
	for(unsigned int i = 0; i < 6; i++){
		task_proc->nswitch = count - i;
		for(int n = 0; n < 3; n++)
			taskcreate(nothing, NULL, 0);
		int others = taskyield();
		/* the fdtask may have had a turn or two; a wrong one is far off */
		ck_assert_int_ge(others, 3);
		ck_assert_int_le(others, 10);
	}
}

TASK_TEST(taskyield_counts_right_when_the_counter_overflows)
{
	yieldnear(INT32_MAX);
	yieldnear(UINT32_MAX);
}

TEST_MAIN("switch-counter", taskyield_counts_right_when_the_counter_overflows)
