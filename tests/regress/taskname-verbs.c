/* SPDX-License-Identifier: MIT */
/*
 * libtask formats names with a printf of its own, which prints %p as an int and
 * loses the rest of the line at %% and at verbs that it does not know.  Ours is
 * libc's.
 */
#include "../test.h"

TASK_TEST_BY(names_and_states_know_all_verbs_of_printf,
	ck_assert_int_eq(taskrun(body, &errno), 0))
{
	char want[256];

	snprintf(want, sizeof want, "%p 100%% %5.2f %-6s| %#lx %c %zu",
		v, 2.5, "ab", 255ul, 'z', sizeof want);
	taskname("%p 100%% %5.2f %-6s| %#lx %c %zu",
		v, 2.5, "ab", 255ul, 'z', sizeof want);
	taskstate("%p 100%% %5.2f %-6s| %#lx %c %zu",
		v, 2.5, "ab", 255ul, 'z', sizeof want);
	ck_assert_str_eq(taskgetname(), want);
	ck_assert_str_eq(taskgetstate(), want);
}

TEST_MAIN("taskname-verbs", names_and_states_know_all_verbs_of_printf)
