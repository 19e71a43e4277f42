/* SPDX-License-Identifier: MIT */
/*
 * On io_uring a call may succeed although a scope has cut it: the kernel had
 * done it before it was told.  Then the scope had ended nothing, and fired was
 * cleared; also of a scope that had ended an earlier call, before a shield at
 * whose end it cuts again.  The same was right for a cancel.  Now a wait that is
 * cut notes whether that was the first time.
 */
#include "../../taskimpl.h"
#ifdef TASK_URING
#include <liburing.h>
#include <sys/syscall.h>
#endif
#define TEST_POLLER "uring"
#include "../fdtest.h"

static Sys kernel;
static int fds[2], armed, waited, late;
static int64_t skew_ns;

/* When armed it does not wait.  The byte is received before anything new. */
static int
enter(struct io_uring *ring, unsigned int n, struct timespec *timeout)
{
	struct timespec none = {0, 0};

#ifdef TASK_URING
	if(late)
		syscall(SYS_io_uring_enter, ring->ring_fd, 0, 0,
			IORING_ENTER_GETEVENTS, NULL, 0);
#endif
	late = 0;
	waited = armed && n > 0;
	return kernel.uringenter(ring, n, waited ? &none : timeout);
}

/* Just after that the byte comes, and it is a second later. */
static int64_t
nowlate(void)
{
	if(waited){
		ck_assert_int_eq(write(fds[1], "x", 1), 1);
		skew_ns += Second;
		late = 1;
		armed = waited = 0;
	}
	return kernel.now() + skew_ns;
}

static void
readlate(void)
{
	char c;

	pair(fds);
	armed = 1;
	ck_assert_int_eq(fdread(fds[0], &c, 1), 1);
	ck_assert_int_eq(armed, 0);
	fdclose(fds[0]);
	fdclose(fds[1]);
}

/* Whether there is one; then it is played with. */
static int
prepare(void)
{
#ifndef TASK_URING
	return 0;
#endif
	kernel = task_sys;
	if(taskrun(nothing, NULL) < 0)
		return 0;
	task_sys.uringenter = enter;
	task_sys.now = nowlate;
	return 1;
}

#define URING_TEST(name) TASK_TEST_BY(name, \
	if(!prepare()) \
		TEST_SKIP("there is no io_uring here"); \
	run(body))

URING_TEST(a_scope_that_ended_an_earlier_call_has_fired)
{
	Timeout t;

	timeoutstart(&t, 0);
	FAILS(taskdelayuntil(INT64_MAX), ETIMEDOUT);
	taskshield(500);
	readlate();
	taskunshield();
	ck_assert_int_eq(timeoutstop(&t), 1);
}

URING_TEST(one_that_ended_none_has_not)
{
	Timeout t;

	timeoutstart(&t, 500);
	readlate();
	ck_assert_int_eq(timeoutstop(&t), 0);
}

static void
bereadlate(void *v)
{
	(void)v;
	taskcancel((int)taskid());
	FAILS(taskdelayuntil(INT64_MAX), ECANCELED);
	taskshield(500);
	readlate();
}

URING_TEST(a_task_that_knew_it_was_cancelled_knows_it_still)
{
	int id = taskcreate(bereadlate, NULL, 0);

	FAILS(taskwait(id, NULL), ECANCELED);
}

TEST_MAIN("scope-fired-before-shield",
	a_scope_that_ended_an_earlier_call_has_fired,
	one_that_ended_none_has_not,
	a_task_that_knew_it_was_cancelled_knows_it_still)
