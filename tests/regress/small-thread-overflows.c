/* SPDX-License-Identifier: MIT */
/*
 * taskrun in a thread with as small a stack as there can be died by SIGSEGV.
 * Cause: where the guards of a slab lie, 16 KiB, was on the stack of whoever
 * needed another one; taskcreate in a task had the same.
 * Fix: it lies where the stacks will be described; no function of the library
 * takes more than 1 KiB, which tests/frames.sh checks.
 */
#include "../test.h"
#include "../watched.h"
#include <limits.h>
#include <pthread.h>

static int ran;

static void
countrun(void *v)
{
	(void)v;
	ran++;
}

/* More than one slab has: the second one is made here, or in another task. */
static void
createmany(void *v)
{
	(void)v;
	for(int i = 0; i < 100; i++)
		ck_assert_int_ge(taskcreate(countrun, NULL, 0), 0);
	taskdelay(1);
}

static void *
small(void *v)
{
	return (void *)(intptr_t)taskrun(createmany, v);
}

START_TEST(a_thread_with_the_least_of_stacks_runs_tasks)
{
	pthread_attr_t a;
	pthread_t t;
	void *r;

	if(watched())
		TEST_SKIP("frames are larger where they are watched");
	pthread_attr_init(&a);
	ck_assert_int_eq(pthread_attr_setstacksize(&a,
		(size_t)PTHREAD_STACK_MIN), 0);
	ck_assert_int_eq(pthread_create(&t, &a, small, NULL), 0);
	ck_assert_int_eq(pthread_join(t, &r), 0);
	ck_assert_int_eq((int)(intptr_t)r, 0);
	ck_assert_int_eq(ran, 100);
}
END_TEST

TEST_MAIN("small-thread-overflows",
	a_thread_with_the_least_of_stacks_runs_tasks)
