/* SPDX-License-Identifier: MIT */
/* SIGQUIT in a child of fork(2) asks the child's scheduler. */
/*
 * Cause: the table of threads that SIGQUIT is passed on to was still full of the
 * parent's, which are not in the child: they were signalled all the same, and
 * the child's own found no place in it.
 * Fix: a handler of pthread_atfork leaves in it the thread that has forked.
 */
#include <pthread.h>
#include "../fdtest.h"
#include "../watched.h"

enum
{
	Threads = 64,	/* as many as the table has */
	StackBytes = 1 << 20
};

static int hold[2], ready[2];

static void
stay(void *v)
{
	int fd = *(int *)v;
	char c;

	taskname("stays");
	ck_assert_int_eq(write(ready[1], "x", 1), 1);
	ck_assert_int_eq(fdread1(fd, &c, 1), 0);
}

static void *
schedule(void *v)
{
	taskrun(stay, v);
	return NULL;
}

static void
begin(pthread_t *thread, size_t bytes)
{
	pthread_attr_t attr;
	char c;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, bytes);
	ck_assert_int_eq(pthread_create(thread, &attr, schedule, &hold[0]), 0);
	pthread_attr_destroy(&attr);
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
}

/* A larger stack, so that the thread is not taken for one of the parent's. */
static void
asked(void)
{
	pthread_t thread;

	close(hold[1]);
	ck_assert_int_eq(pipe(hold), 0);
	begin(&thread, 2 * StackBytes);
	kill(getpid(), SIGQUIT);
	close(hold[1]);
	pthread_join(thread, NULL);
	/* no exit: what libc kept of the parent's threads would be leaks there */
	execlp("true", "true", (char *)NULL);
}

START_TEST(a_list_is_that_of_the_child)
{
	pthread_t threads[Threads];
	char err[8192];

	if(TestFewer > 1)
		TEST_SKIP("ThreadSanitizer allows a child no threads");
	if(emulated())
		TEST_SKIP("the emulator loses count of a child's threads");
	if(valgrind())
		TEST_SKIP("Valgrind fails now and then to deliver the signal");
	ck_assert_int_eq(pipe(hold), 0);
	ck_assert_int_eq(pipe(ready), 0);
	for(int i = 0; i < Threads; i++)
		begin(&threads[i], StackBytes);
	/* all wait: a sanitizer's malloc that is forked amid a call stays locked */
	usleep(SANITIZED ? 200000 : 0);
	int status = child(asked, err, sizeof err);
	ck_assert_msg(status == 0, "status %#x: %s", (unsigned)status, err);
	close(hold[1]);
	for(int i = 0; i < Threads; i++)
		pthread_join(threads[i], NULL);
	ck_assert_msg(strstr(err, "stays") != NULL, "%s", err);
}
END_TEST

TEST_MAIN("fork-keeps-threads",
	a_list_is_that_of_the_child)
