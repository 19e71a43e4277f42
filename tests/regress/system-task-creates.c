/* SPDX-License-Identifier: MIT */
/*
 * A first task that made itself a system task and then created the others saw
 * the program end before they ran: that no task was left to wait for was noted
 * when it happened, and not asked when the fdtask's turn came, as libtask does.
 */
#include "../test.h"

static int worked;

static void
worker(void *v)
{
	(void)v;
	taskdelay(1);
	worked = 1;
	taskexit(9);
}

TASK_TEST_BY(a_system_task_may_create_the_tasks_that_the_program_lasts_for,
	ck_assert_int_eq(taskrun(body, NULL), 9);
	ck_assert_int_eq(worked, 1))
{
	tasksystem();
	taskcreate(worker, NULL, 0);
	for(;;)
		taskyield();
}

TEST_MAIN("system-task-creates",
	a_system_task_may_create_the_tasks_that_the_program_lasts_for)
