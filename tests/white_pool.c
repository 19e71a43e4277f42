/* SPDX-License-Identifier: MIT */
/* The pool from inside: its threads come and go, lanes, and what may fail. */
#include "../proc/pool.h"
#include "../task/parts.h"
#include "fault.h"
#include "gate.h"
#include "watched.h"
#include <dlfcn.h>
#include <pthread.h>

/* How many more threads can be made; sanitizers want theirs. */
static atomic_int room = 1000000;
static atomic_int nmade;

#if !SANITIZED
int
pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *),
	void *v)
{
	static int (*real)(pthread_t *, const pthread_attr_t *,
		void *(*)(void *), void *);

	if(real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
	if(atomic_fetch_sub(&room, 1) <= 0)
		return EAGAIN;
	nmade++;
	return real(t, attr, fn, v);
}
#endif

static int
justzero(void *v)
{
	(void)v;
	return 0;
}

TASK_TEST(threads_are_used_again_and_end_when_idle)
{
	int before = countthreads() + (TestFewer > 1);	/* one is TSan's */

	for(int i = 0; i < 50; i++)
		ck_assert_int_eq(offload(justzero, NULL), 0);
	ck_assert_int_le(countthreads(), before + 1);
	for(int i = 0; i < 5; i++)
		taskcreate(passgate, NULL, 0);
	begun(5);
	ck_assert_int_ge(countthreads(), before + 5);
	task_poolidle_ns = 20 * Millisecond;
	ended(5);
	while(countthreads() > before)	/* for ever, if they do not */
		taskdelay(1);
	ck_assert_int_eq(offload(justzero, NULL), 0);
}

TASK_TEST(an_idle_thread_is_always_there_or_made)
{
	static const int64_t idle_ns[] = {0, 50000, 200000};

	for(int k = 0; k < 3; k++){
		task_poolidle_ns = idle_ns[k];
		for(int i = 0; i < fewer(3000) + 300; i++)
			ck_assert_msg(offload(justzero, NULL) == 0, "%s, %d",
				strerror(errno), i);
	}
}

/* Jobs by themselves */

static void
jobatgate(Job *j)
{
	(void)j;
	nbegun++;
	while(!gate)
		sleepms(1);
}

static void
jobpassed(Job *j)
{
	(void)j;
	nbegun--;
}

static void
nbegunis(int n)
{
	for(int i = 0; i < 5000 && nbegun != n; i++)
		sleepms(1);
	sleepms(5);
	ck_assert_int_eq(nbegun, n);
}

START_TEST(a_full_lane_does_not_stop_the_other)
{
	Job jobs[Lanes][8];

	task_poolmost(Functions, 3);
	for(int lane = 0; lane < Lanes; lane++)
		for(int i = 0; i < 8; i++){
			jobs[lane][i].run = jobatgate;
			jobs[lane][i].done = jobpassed;
			ck_assert_int_eq(task_poolput(&jobs[lane][i], lane),
				0);
		}
	nbegunis(3 + 4);
	ck_assert_int_eq(task_pooltake(&jobs[Names][3]), 0);
	for(int i = 4; i < 8; i++)
		ck_assert_int_eq(task_pooltake(&jobs[Names][i]), 1);
	ck_assert_int_eq(task_pooltake(&jobs[Names][4]), 0);
	gate = 1;
	nbegunis(0);
	ck_assert_int_eq(task_pooltake(&jobs[Functions][7]), 0);
}
END_TEST

TASK_TEST(without_any_thread_it_fails_and_else_it_is_queued)
{
	if(SANITIZED)
		TEST_SKIP("pthread_create is the sanitizer's");
	room = 0;
	FAILS(offload(justzero, NULL), EAGAIN);
	room = 1;
	for(int i = 0; i < 10; i++)
		taskcreate(passgate, NULL, 0);
	begun(1);
	taskdelay(5);
	ck_assert_int_eq(nbegun, 1);
	room = 2;	/* the next finds that there is room */
	taskcreate(passgate, NULL, 0);
	begun(3);
	ended(11);
	ck_assert_int_eq(nmade, 3);
}

static void
withfaults(void *v)
{
	int r = offload(justzero, NULL);

	*(int *)v = r < 0 ? errno : 0;
}

START_TEST(it_fails_whole_while_memory_or_descriptors_are_short)
{
	int err = 0;

	faultstart();
	task_sys.write = fault.real.write;	/* to a door: never fails */
	for(long n = 1; n < 100; n++){
		faultarm(n, 1, 0);
		int status = taskrun(withfaults, &err);
		ck_assert(status == 0 || errno == ENOMEM);
		ck_assert(status < 0 || err == 0 || err == ENOMEM ||
			err == EMFILE);
		if(fault.nfailed == 0)
			return;
	}
	ck_abort_msg("it does not end");
}
END_TEST

TEST_MAIN("pool, inside",
	threads_are_used_again_and_end_when_idle,
	an_idle_thread_is_always_there_or_made,
	a_full_lane_does_not_stop_the_other,
	without_any_thread_it_fails_and_else_it_is_queued,
	it_fails_whole_while_memory_or_descriptors_are_short)
