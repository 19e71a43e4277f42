/* SPDX-License-Identifier: MIT */
/* A thread that is cancelled in taskrun ends when taskrun has returned. */
/*
 * Cause: read, write and others are where a thread that pthread_cancel was
 * called for ends.  It did so in the midst of whatever task called them: the
 * others were left where they were, no handler of taskdefer ran, stacks and
 * poller stayed.  In the wait for descriptors it did not end at all.
 * Fix: taskrun puts the cancelling of its thread off.
 */
#include <pthread.h>

#include "../fdtest.h"

static int fds[2], cancelled, nrounds, ndeferred, returned;

static void
cleanup(void *v)
{
	(void)v;
	ndeferred++;
}

static void
rounds(void *v)
{
	char c = 0;

	(void)v;
	taskdefer(cleanup, NULL);
	while(nrounds < 100){
		ck_assert_int_eq(fdwrite(fds[1], &c, 1), 1);
		ck_assert_int_eq(fdread(fds[0], &c, 1), 1);
		taskdelay(0);
		if(__atomic_load_n(&cancelled, __ATOMIC_ACQUIRE))
			nrounds++;
	}
}

static void *
runtasks(void *v)
{
	returned = taskrun(rounds, NULL) == 0;
	pthread_testcancel();
	return v;
}

START_TEST(tasks_go_on_in_a_thread_that_is_cancelled)
{
	pthread_t thread;
	void *result;

	nonblockpipe(fds);
	ck_assert_int_eq(pthread_create(&thread, NULL, runtasks, NULL), 0);
	ck_assert_int_eq(pthread_cancel(thread), 0);
	__atomic_store_n(&cancelled, 1, __ATOMIC_RELEASE);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_eq(result, PTHREAD_CANCELED);
	ck_assert_int_eq(returned, 1);
	ck_assert_int_eq(nrounds, 100);
	ck_assert_int_eq(ndeferred, 1);
}
END_TEST

static void
outside(void *v)
{
	(void)v;
	int state;
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
	ck_assert_int_eq(state, PTHREAD_CANCEL_DISABLE);
	pthread_setcancelstate(state, NULL);
}

START_TEST(what_the_thread_had_set_is_back_after_taskrun)
{
	int state;

	run(outside);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	ck_assert_int_eq(state, PTHREAD_CANCEL_ENABLE);
	run(outside);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
	ck_assert_int_eq(state, PTHREAD_CANCEL_DISABLE);
}
END_TEST

TEST_MAIN("cancelled-thread", tasks_go_on_in_a_thread_that_is_cancelled,
	what_the_thread_had_set_is_back_after_taskrun)
