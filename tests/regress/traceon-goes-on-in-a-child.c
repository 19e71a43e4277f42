/* SPDX-License-Identifier: MIT */
/*
 * In the child of a fork(2) the task that saves traces by a signal goes on, but
 * could not be ended any more, and traceon made another one beside it.
 */
#include "../test.h"
#include "../watched.h"
#include <sys/wait.h>

static int ntasks;

static int
count(const Taskinfo *t, void *v)
{
	(void)v;
	ntasks += strcmp(t->name, "traceon") == 0;
	return 0;
}

static int
watching(void)
{
	ntasks = 0;
	tasklist(count, NULL);
	return ntasks;
}

static void
inchild(int alone)
{
	if(watching() != !alone)
		_exit(2);
	if(!alone && (traceon(TRACESIGNAL, SIGUSR2) != -1 || errno != EBUSY))
		_exit(3);
	if(alone && traceon(TRACESIGNAL, SIGUSR2) != 0)
		_exit(4);
	if(traceon(TRACESIGNAL, 0) != 0)
		_exit(5);
	taskdelay(10);
	_exit(watching() ? 6 : 0);
}

static void
try(int alone)
{
	int status;

	ck_assert_int_eq(traceon(TRACESIGNAL, SIGUSR1), 0);
	taskdelay(10);
	pid_t pid = alone ? taskfork() : fork();
	if(pid == 0)
		inchild(alone);
	ck_assert_int_gt(pid, 0);
	while(waitpid(pid, &status, WNOHANG) == 0)
		taskdelay(10);
	ck_assert_msg(status == 0, "status %#x", (unsigned)status);
	ck_assert_int_eq(watching(), 1);
	ck_assert_int_eq(traceon(TRACESIGNAL, 0), 0);
	taskdelay(10);
	ck_assert_int_eq(watching(), 0);
}

TASK_TEST(a_child_of_fork_can_end_it)
{
	if(TestFewer > 1)
		TEST_SKIP("TSan does not follow what a child does");
	try(0);
}

TASK_TEST(a_child_of_taskfork_can_begin_it_anew)
{
	if(TestFewer > 1)
		TEST_SKIP("TSan does not follow what a child does");
	try(1);
}

TEST_MAIN("traceon-goes-on-in-a-child",
	a_child_of_fork_can_end_it,
	a_child_of_taskfork_can_begin_it_anew)
