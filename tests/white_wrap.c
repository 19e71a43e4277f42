/* SPDX-License-Identifier: MIT */
/* What is done for each new task: inherited values, hooks around the body. */
#include "virtual.h"

static int key, ncopied, ndestroyed, nlive;
static int64_t took_ms;

static void *
copy(void *v)
{
	ncopied++;
	nlive++;
	return (char *)v + 1;
}

static void
destroy(void *v)
{
	(void)v;
	ndestroyed++;
	nlive--;
}

static void *
value(void)
{
	return tasklocal(key);
}

static char row[8];

static void
grandchild(void *v)
{
	ck_assert_ptr_eq(value(), row + 3);
	tasksetlocal(key, row + 7);
	(void)v;
}

static void
childof(void *v)
{
	ck_assert_ptr_eq(value(), row + 2);
	taskcreate(grandchild, v, 0);
	taskyield();
	ck_assert_ptr_eq(value(), row + 2);
}

static void
strangerto(void *v)
{
	(void)v;
	ck_assert_ptr_null(value());
}

TASK_TEST_BY(children_inherit_values_and_own_them,
	key = taskkeyinherit(copy, destroy);
	startwell(body);
	ck_assert_int_eq(ncopied, 2 + 1);
	ck_assert_int_eq(ndestroyed, 3);
	FAILS(taskkeyinherit(NULL, destroy), EINVAL))
{
	int cancelled;

	taskcreate(strangerto, NULL, 0);
	tasksetlocal(key, row + 1);
	taskcreate(childof, NULL, 0);
	cancelled = taskcreate(childof, NULL, 0);
	taskcancel(cancelled);
	FAILS(taskwait(cancelled, NULL), ECANCELED);
	tasksetlocal(key, NULL);
	taskcreate(strangerto, NULL, 0);
}

/* The decorators of the article: @benchmark around @logging. */

static void
logbefore(void *v)
{
	notes(v);
	note('(');
}

static void
logafter(void *v)
{
	(void)v;
	note(')');
}

static int64_t started_ns;

static void
benchbefore(void *v)
{
	(void)v;
	note('[');
	started_ns = now_ns;
}

static void
benchafter(void *v)
{
	(void)v;
	note(']');
	took_ms = (now_ns - started_ns) / Millisecond;
}

static void
reverse(void *v)
{
	taskname("reverse_string");
	taskdefer(notes, "d");
	taskdelay(7);
	notes(v);
	ck_assert_str_eq(taskgetname(), "reverse_string");
	taskexit(0);
}

TASK_TEST(S3_10_hooks_around_every_body_the_last_one_outermost)
{
	ck_assert_int_eq(taskwrap(logbefore, logafter, "l"), 0);
	ck_assert_int_eq(taskwrap(benchbefore, benchafter, NULL), 0);
	int id = taskcreate(reverse, "x", 0);
	ck_assert_int_eq(taskwait(id, NULL), 0);
	ck_assert_str_eq(trace, "[l(xd)]");
	ck_assert_int_eq(took_ms, 7);
	id = taskcreate(reverse, "x", 0);
	taskcancel(id);
	FAILS(taskwait(id, NULL), ECANCELED);
	ck_assert_str_eq(trace, "[l(xd)]");
	FAILS(taskwrap(NULL, NULL, NULL), EINVAL);
}

static void
endtask(void *v)
{
	notes(v);
	taskexit(0);
}

TASK_TEST(hooks_may_end_the_task_and_the_others_are_called)
{
	taskwrap(endtask, logafter, "i");
	taskwrap(logbefore, endtask, "o");
	int id = taskcreate(reverse, "x", 0);
	ck_assert_int_eq(taskwait(id, NULL), 0);
	ck_assert_str_eq(trace, "o(i)o");
}

static void
hasvalue(void *v)
{
	(void)v;
	ck_assert_ptr_eq(value(), row + 1);
	trace[0] = '\0';
}

TASK_TEST_BY(memory_that_runs_out_is_an_error_and_nothing_is_left,
	key = taskkeyinherit(copy, destroy);
	startshort(body);
	ck_assert_int_eq(nlive, 0))
{
	int id, last = 1;

	trace[0] = '\0';
	if(taskwrap(NULL, benchafter, NULL) < 0 ||
			taskwrap(logbefore, NULL, "l") < 0 ||
			tasksetlocal(key, row) < 0)
		return;
	nlive++;
	for(int i = 0; i < 40; i++){
		if((id = taskcreate(hasvalue, NULL, 0)) < 0)
			ck_assert_int_eq(errno, ENOMEM);
		else
			ck_assert_int_eq(id, ++last);
	}
	taskyield();
}

TEST_MAIN("wrap",
	children_inherit_values_and_own_them,
	S3_10_hooks_around_every_body_the_last_one_outermost,
	hooks_may_end_the_task_and_the_others_are_called,
	memory_that_runs_out_is_an_error_and_nothing_is_left)
