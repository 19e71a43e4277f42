/* SPDX-License-Identifier: MIT */
/*
 * taskrun returned when the procs had ended, but their threads were still going:
 * what a library does at the end of each thread, OpenSSL for one, met what it
 * does at the end of the process.
 */
#include "../test.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

enum { Procs = 3 };

static pthread_key_t key;
static atomic_int ngone;

static void
gone(void *v)
{
	(void)v;
	usleep(20000);
	atomic_fetch_add(&ngone, 1);
}

static void
inproc(void *v)
{
	ck_assert_int_eq(pthread_setspecific(key, v), 0);
}

static void
first(void *v)
{
	for(int i = 0; i < Procs; i++)
		ck_assert_int_gt(proccreate(inproc, v, 0), 0);
}

START_TEST(threads_of_procs_have_gone_when_taskrun_returns)
{
	ck_assert_int_eq(pthread_key_create(&key, gone), 0);
	ck_assert_int_eq(taskrun(first, &key), 0);
	ck_assert_int_eq(ngone, Procs);
}
END_TEST

static void
exits(void *v)
{
	int p = proccreate(inproc, v, 0);

	procwait(p, NULL);
	taskexitall(0);
}

static void
tellgone(void)
{
	_exit(ngone == 1 ? 0 : 1);
}

START_TEST(they_have_gone_too_when_the_process_exits)
{
	int status;

	ck_assert_int_eq(pthread_key_create(&key, gone), 0);
	pid_t pid = fork();
	if(pid == 0){
		atexit(tellgone);
		taskrun(exits, &key);
		_exit(2);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

TEST_MAIN("proc-thread-outlives-taskrun",
	threads_of_procs_have_gone_when_taskrun_returns,
	they_have_gone_too_when_the_process_exits)
