/* SPDX-License-Identifier: MIT */
/*
 * A destroyer that set its value again and ended its task was called for ever:
 * a round was counted when it was over, and this one never was.  Now a round
 * goes on behind the destroyer that has left it, so the fourth is the last.
 *
 * A hook that ended its task, when it was called at the end of that, was said to
 * block, by a task that was not in the list any more: what calls the hook was
 * taken off what is left to do too early.
 */
#include "../test.h"

enum { Most = 50 };

static int keys[3], ncalled[3];

/* sets its value again, and ends the task if it is of an odd key. */
static void
destroyagain(int i)
{
	ck_assert_int_lt(ncalled[i]++, Most);
	note((char)('0' + i));
	tasksetlocal(keys[i], &keys[i]);
	if(i % 2)
		taskexit(0);
}

static void
destroy0(void *v)
{
	(void)v;
	destroyagain(0);
}

static void
destroy1(void *v)
{
	(void)v;
	destroyagain(1);
}

static void
destroy2(void *v)
{
	(void)v;
	destroyagain(2);
}

TASK_TEST_BY(destroyers_that_end_the_task_have_four_rounds_too,
	keys[0] = taskkey(destroy0);
	keys[1] = taskkey(destroy1);
	keys[2] = taskkey(destroy2);
	run(body);
	ck_assert_str_eq(trace, "012012012012"))
{
	for(int i = 0; i < 3; i++)
		ck_assert_int_eq(tasksetlocal(keys[i], &keys[i]), 0);
}

static void
deferend(void *v)
{
	taskdefer(notes, v);
	taskexit(0);
}

static void
destroyonce(void *v)
{
	notes(v);
	deferend("f");
}

TASK_TEST_BY(what_a_destroyer_defers_is_called_though_it_ends_the_task,
	keys[0] = taskkey(destroyonce);
	run(body);
	ck_assert_str_eq(trace, "df"))
{
	ck_assert_int_eq(tasksetlocal(keys[0], "d"), 0);
}

static void
endtask(void *v)
{
	(void)v;
	taskexit(0);
}

static void
endinhook(void *v)
{
	(void)v;
	tasksetswitch(NULL, endtask, NULL);
}

START_TEST(a_hook_at_the_end_must_not_end_the_task)
{
	abortstask(endinhook, "a hook of tasksetswitch must not end the task");
}
END_TEST

TEST_MAIN("destroyer-ends-task",
	destroyers_that_end_the_task_have_four_rounds_too,
	what_a_destroyer_defers_is_called_though_it_ends_the_task,
	a_hook_at_the_end_must_not_end_the_task)
