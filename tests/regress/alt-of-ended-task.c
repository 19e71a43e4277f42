/* SPDX-License-Identifier: MIT */
/* A chanalt waits for a task that lived when it began. */
/*
 * Cause: chanalt had a task of its own wait for the end, which looked for the
 * other one when it first ran.  By then that had often ended, always if it was
 * just made, and the entry was done with ESRCH.
 * Cure: entries for tasks' ends wait in the queue of these themselves, from the
 * call on.
 */
#include "../test.h"

static void *
giveback(void *v)
{
	taskyield();
	return v;
}

TASK_TEST(an_alt_for_the_end_of_a_task_just_made)
{
	int id = taskcreate(nothing, NULL, 0);
	int other = taskspawn(giveback, "x", 0);
	Alt a[] = {{.op = ALTTASK, .id = id}, {.op = ALTTASK, .id = other},
		{.op = CHANEND}};
	void *got = NULL;

	ck_assert_int_eq(chanalt(a), 0);
	ck_assert_int_eq(a[0].err, 0);
	a[0].op = CHANNOP;
	ck_assert_int_eq(chanalt(a), 1);
	ck_assert_int_eq(a[1].err, 0);
	ck_assert_int_eq(taskwait(other, &got), 0);
	ck_assert_str_eq(got, "x");
}

static void
collector(void *id)
{
	void *v = NULL;

	ck_assert_int_eq(taskwait(*(int *)id, &v), 0);
	ck_assert_str_eq(v, "x");
	note('c');
}

TASK_TEST(an_alt_beside_one_that_collects_the_result)
{
	int id = taskspawn(giveback, "x", 0);
	Alt a[] = {{.op = ALTTASK, .id = id}, {.op = CHANEND}};

	taskcreate(collector, &id, 0);
	taskcreate(collector, &id, 0);
	ck_assert_int_eq(chanalt(a), 0);
	ck_assert_int_eq(a[0].err, 0);
	settle();
	ck_assert_str_eq(trace, "cc");
}

TEST_MAIN("alt-of-ended-task",
	an_alt_for_the_end_of_a_task_just_made,
	an_alt_beside_one_that_collects_the_result)
