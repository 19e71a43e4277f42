/* SPDX-License-Identifier: MIT */
/*
 * A task may end with scopes open.  They were forgotten once, before what it
 * had deferred, and only if there was something: so they bounded the destroyers
 * of its values, and one that a deferred function left open bounded the next,
 * from frames that were gone.  Now they are forgotten before each.
 */
#include "../test.h"

static int key, ncalled;

static void
unbounded(void *v)
{
	(void)v;
	errno = 0;
	ck_assert_uint_ge(taskdelay(5), 5);
	ck_assert_int_eq(errno, 0);
	ncalled++;
}

static void
leaveopen(void *v)
{
	static Timeout t;

	(void)v;
	timeoutstart(&t, 1);
}

TASK_TEST_BY(scopes_left_open_do_not_bound_destroyers,
	key = taskkey(unbounded);
	run(body);
	ck_assert_int_eq(ncalled, 1))
{
	ck_assert_int_eq(tasksetlocal(key, &key), 0);
	leaveopen(v);
}

TASK_TEST_BY(nor_what_is_deferred,
	key = taskkey(unbounded);
	run(body);
	ck_assert_int_eq(ncalled, 2))
{
	ck_assert_int_eq(tasksetlocal(key, &key), 0);
	taskdefer(leaveopen, v);
	taskdefer(unbounded, v);
	taskdefer(leaveopen, v);
	leaveopen(v);
}

TEST_MAIN("scope-left-at-end",
	scopes_left_open_do_not_bound_destroyers,
	nor_what_is_deferred)
