/* SPDX-License-Identifier: MIT */
/*
 * taskcreate failed with EPERM before the scheduler ran, where programs written
 * for libtask make their first tasks: in a main of their own, or in what runs
 * before main.  Now they are kept until the thread's taskrun starts.
 */
#include "../fault.h"
#include "../test.h"
#include <pthread.h>

static void
tellid(void *v)
{
	note((char)('0' + taskid()));
	notes(v);
}

TASK_TEST_BY(tasks_made_before_follow_the_first_function,
	ck_assert_int_eq(taskcreate(tellid, "a", 0), 2);
	ck_assert_int_eq(taskcreate(tellid, "b", 32768), 3);
	FAILS(taskcreate(NULL, NULL, 0), EINVAL);
	run(body);
	ck_assert_str_eq(trace, "1f2a3b4c"))
{
	tellid("f");
	ck_assert_int_eq(taskcreate(tellid, "c", 0), 4);
}

START_TEST(each_scheduler_gets_what_was_made_before_it)
{
	for(int i = 0; i < 2; i++){
		ck_assert_int_eq(taskcreate(tellid, "a", 0), 2);
		run(nothing);
		run(nothing);
	}
	ck_assert_str_eq(trace, "2a2a");
}
END_TEST

static void *
runthere(void *v)
{
	ck_assert_int_eq(taskcreate(tellid, "t", 0), 2);
	run(nothing);
	return v;
}

START_TEST(each_thread_keeps_its_own)
{
	pthread_t t;

	ck_assert_int_eq(taskcreate(tellid, "m", 0), 2);
	ck_assert_int_eq(pthread_create(&t, NULL, runthere, NULL), 0);
	ck_assert_int_eq(pthread_join(t, NULL), 0);
	ck_assert_str_eq(trace, "2t");
	run(nothing);
	ck_assert_str_eq(trace, "2t2m");
}
END_TEST

START_TEST(without_memory_they_are_kept_for_the_next)
{
	int nfailed = 0;

	faultstart();
	faultarm(1, 1, 0);
	FAILS(taskcreate(tellid, "", 0), ENOMEM);
	for(long n = 1; n == 1 || fault.nfailed > 0; n++){
		faultarm(0, 0, 0);
		trace[0] = '\0';
		for(int i = 0; i < 4; i++)	/* each from a slab of its own */
			ck_assert_int_eq(taskcreate(tellid, "", 1U << (18 + i)),
				i + 2);
		faultarm(n, 1, 0);
		if(taskrun(nothing, NULL) < 0){
			ck_assert_int_eq(fault.nfailed, 1);
			ck_assert_str_eq(trace, "");
			nfailed++;
			run(nothing);
		}
		ck_assert_str_eq(trace, "2345");
		ck_assert_int_eq(fault.nlive, 0);
	}
	ck_assert_int_gt(nfailed, 4);
}
END_TEST

static void
printtrace(void)
{
	fputs(trace, stderr);
}

static void
endwith7(void *v)
{
	tellid(v);
	taskexit(7);
}

static void
schedule(void)
{
	taskcreate(endwith7, "b", 0);
	taskscheduler();
}

static void
initandschedule(void)
{
	taskcreate(endwith7, "b", 0);
	FAILS(taskinit(NULL, NULL), EINVAL);
	taskinit(tellid, "x");
	taskinit(tellid, "a");
	taskinit(tellid, "a");
	atexit(printtrace);
	taskscheduler();
}

START_TEST(taskscheduler_exits_with_the_last_status)
{
	char err[256];
	int status = child(schedule, err, sizeof err);

	ck_assert_int_eq(WEXITSTATUS(status), 7);
	ck_assert_str_eq(err, "");
	status = child(initandschedule, err, sizeof err);
	ck_assert_int_eq(WEXITSTATUS(status), 7);
	ck_assert_str_eq(err, "1a2b");
}
END_TEST

TASK_TEST(in_a_task_taskinit_is_too_late)
{
	FAILS(taskinit(nothing, NULL), EBUSY);
}

TEST_MAIN("created-before-scheduler",
	tasks_made_before_follow_the_first_function,
	each_scheduler_gets_what_was_made_before_it,
	each_thread_keeps_its_own,
	without_memory_they_are_kept_for_the_next,
	taskscheduler_exits_with_the_last_status,
	in_a_task_taskinit_is_too_late)
