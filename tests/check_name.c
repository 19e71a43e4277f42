/* SPDX-License-Identifier: MIT */
/* What a task knows and says of itself, as users see it. */
#include "test.h"

static void
newtexts(void *v)
{
	(void)v;
	ck_assert_str_eq(taskgetname(), "");
	ck_assert_str_eq(taskgetstate(), "");
	taskname("worker %d of %s", 3, "five");
	taskstate("at %ld%%", 50L);
	ck_assert_str_eq(taskgetname(), "worker 3 of five");
	ck_assert_str_eq(taskgetstate(), "at 50%");
}

/* Twice, so that the second task has the stack of the first. */
TASK_TEST(taskname_and_taskstate_are_kept_for_each_task)
{
	newtexts(v);
	taskcreate(newtexts, NULL, 0);
	taskyield();
	taskcreate(newtexts, NULL, 0);
	taskyield();
	ck_assert_str_eq(taskgetname(), "worker 3 of five");
}

TASK_TEST(texts_are_cut_at_255_bytes)
{
	char text[400];

	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	taskname("%s", text);
	taskstate("%s", text);
	ck_assert_uint_eq(strlen(taskgetname()), 255);
	ck_assert_uint_eq(strlen(taskgetstate()), 255);
	taskname("short");
	ck_assert_str_eq(taskgetname(), "short");
	ck_assert_uint_eq(strlen(taskgetstate()), 255);
}

TASK_TEST(the_get_forms_give_the_buffer_itself)
{
	memset(taskgetname(), 'n', 255);
	strcpy(taskgetstate(), "mine");
	ck_assert_uint_eq(strlen(taskgetname()), 255);
	ck_assert_str_eq(taskgetstate(), "mine");
	ck_assert_ptr_eq(taskgetname(), taskgetname());
}

TASK_TEST(saying_something_leaves_errno_alone)
{
	errno = E2BIG;
	taskname("%s", "a");
	taskstate("%s", "b");
	taskgetname();
	taskid();
	taskdata();
	tasksystem();
	anyready();
	int err = errno;
	ck_assert_int_eq(err, E2BIG);
}

static int mine;

static void
usedata(void *v)
{
	ck_assert_ptr_null(*taskdata());
	*taskdata() = v;
	taskyield();
	ck_assert_ptr_eq(*taskdata(), v);
}

TASK_TEST(taskdata_is_one_pointer_for_each_task_and_NULL_at_first)
{
	int some[5];

	usedata(&mine);
	for(int round = 0; round < 2; round++){
		for(int i = 0; i < 5; i++)
			taskcreate(usedata, &some[i], 0);
		while(taskyield() > 0)
			;
	}
	ck_assert_ptr_eq(*taskdata(), &mine);
}

static void
needlittle(void *v)
{
	(void)v;
	needstack(0);
	needstack(-1);
	needstack(60 * 1024);
}

TASK_TEST(needstack_returns_while_there_is_enough)
{
	needlittle(v);
	needstack(250 * 1024);	/* the first task has 256 KiB */
	taskcreate(needlittle, NULL, 0);
	taskcreate(needlittle, NULL, 64 * 1024);
}

static void
needmuch(void *v)
{
	(void)v;
	taskname("greedy");
	needstack(1024 * 1024);
}

static void
needmost(void *v)
{
	(void)v;
	needstack(INT32_MAX);
}

START_TEST(needstack_aborts_with_a_line_that_names_the_task)
{
	abortstask(needmuch,
		"task 1 (greedy): needstack: 1048576 bytes are not left");
	abortstask(needmost,
		"task 1: needstack: 2147483647 bytes are not left");
}
END_TEST

TEST_MAIN("self",
	taskname_and_taskstate_are_kept_for_each_task,
	texts_are_cut_at_255_bytes,
	the_get_forms_give_the_buffer_itself,
	saying_something_leaves_errno_alone,
	taskdata_is_one_pointer_for_each_task_and_NULL_at_first,
	needstack_returns_while_there_is_enough,
	needstack_aborts_with_a_line_that_names_the_task)
