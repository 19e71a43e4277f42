/* SPDX-License-Identifier: MIT */
/*
 * If the thread of a proc could not be made while somebody waited for that
 * proc's number, it was taken off the list twice.
 */
#include "../test.h"
#include "../watched.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>

enum { Rounds = 20000 };

static atomic_int refuse, next = 1 << 20, over;

int
pthread_create(pthread_t *thread, const pthread_attr_t *attr,
	void *(*fn)(void *), void *v)
{
	int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *),
		void *) = (int (*)(pthread_t *, const pthread_attr_t *,
		void *(*)(void *), void *))dlsym(RTLD_NEXT, "pthread_create");

	return refuse ? EAGAIN : real(thread, attr, fn, v);
}

static void
nop(void *v)
{
	(void)v;
}

static void
maker(void *v)
{
	(void)v;
	refuse = 1;
	for(int i = watched() ? Rounds - 200 : 0; i < Rounds; i++){
		ck_assert_int_eq(proccreate(nop, NULL, 0), -1);
		ck_assert_int_eq(errno, EAGAIN);
		next++;
	}
	refuse = 0;
	over = 1;
}

static void
waiter(void *v)
{
	(void)v;
	while(!over){
		int n = next;
		procwait(n, NULL);
		procwait(n + 1, NULL);
		if(watched())	/* Valgrind might let nobody else run */
			usleep(100);
	}
}

TASK_TEST(who_waits_for_what_could_not_be_made_harms_nobody)
{
	int w = proccreate(waiter, NULL, 0);

	next = w + 2;
	int m = proccreate(maker, NULL, 0);
	ck_assert_int_eq(procwait(m, NULL), 0);
	ck_assert_int_eq(procwait(w, NULL), 0);
}

TEST_MAIN("proc-unmade-while-awaited",
	who_waits_for_what_could_not_be_made_harms_nobody)
