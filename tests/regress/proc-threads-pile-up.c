/* SPDX-License-Identifier: MIT */
/*
 * While each thread of a proc that ended first joined the one before it, they
 * went more slowly than others could be made, and exit waited for ever.
 */
#include "../test.h"
#include <dirent.h>
#include <sys/wait.h>

enum { Churners = 4, Each = 300, ThreadsMost = 64 };

static void
nop(void *v)
{
	(void)v;
}

static void
churn(void *v)
{
	for(intptr_t n = (intptr_t)v; n != 0; n--){
		int p = proccreate(nop, NULL, 0);
		ck_assert_int_gt(p, 0);
		procwait(p, NULL);
	}
}

static int
nthreads(void)
{
	DIR *d = opendir("/proc/self/task");
	int n = -2;

	ck_assert_ptr_nonnull(d);
	while(readdir(d))
		n++;
	closedir(d);
	return n;
}

TASK_TEST(threads_go_as_fast_as_they_come)
{
	int p[Churners];

	for(int i = 0; i < Churners; i++)
		p[i] = proccreate(churn, (void *)(intptr_t)fewer(Each), 0);
	for(int i = 0; i < Churners; i++)
		ck_assert_int_eq(procwait(p[i], NULL), 0);
	ck_assert_int_lt(nthreads(), ThreadsMost);
}

static void
exits(void *v)
{
	(void)v;
	for(int i = 0; i < Churners; i++)
		proccreate(churn, (void *)(intptr_t)-1, 0);
	taskdelay(100);
	taskexitall(3);
}

START_TEST(the_process_can_exit_meanwhile)
{
	int status;

	if(TestFewer > 1)
		TEST_SKIP("TSan does not follow what a child does");
	pid_t pid = fork();
	if(pid == 0){
		taskrun(exits, NULL);
		_exit(2);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 3);
}
END_TEST

TEST_MAIN("proc-threads-pile-up",
	threads_go_as_fast_as_they_come,
	the_process_can_exit_meanwhile)
