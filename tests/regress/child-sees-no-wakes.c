/* SPDX-License-Identifier: MIT */
/*
 * In the child of taskfork who looked on while tasks run was told of no wake any
 * more, and how long tasks had been ready was nonsense.
 */
#include "../test.h"
#include <sys/wait.h>

static int64_t ready_ns;

static void
sleeper(void *v)
{
	Taskinfo t;

	(void)v;
	taskdelay(300);
	taskdelay(300);
	ck_assert_int_eq(taskinfo((int)taskid(), &t, sizeof t), 0);
	ready_ns = (int64_t)t.ready_ns;
}

/* Whether it was ready for less than it slept. */
static int
isright(void)
{
	taskcreate(sleeper, NULL, 0);
	taskdelay(900);
	return ready_ns > 0 && ready_ns < 300000000;
}

TASK_TEST(a_child_of_taskfork_counts_on)
{
	int status;

	if(TestFewer > 1)
		TEST_SKIP("TSan does not follow what a child does");
	taskprofile(1);
	taskdelay(1);
	pid_t pid = taskfork();
	if(pid == 0)
		_exit(isright() ? 0 : 1);
	ck_assert(isright());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

TEST_MAIN("child-sees-no-wakes", a_child_of_taskfork_counts_on)
