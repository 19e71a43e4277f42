/* SPDX-License-Identifier: MIT */
/* Timers on the real clock. */
#include "fdtest.h"
#include <sys/timerfd.h>

static int64_t start_ns;
static int ncalls, nearly;

static void
call(void *v)
{
	(void)v;
	nearly += nowns() - start_ns < ++ncalls * 2000000LL;
}

TASK_TEST(a_timer_is_never_early)
{
	start_ns = nowns();
	Timer *t = timerstart(2, 2, call, NULL);
	while(ncalls < 20)
		taskdelay(1);
	ck_assert_int_eq(timerstop(t), 1);
	ck_assert_int_eq(nearly, 0);
}

TASK_TEST(tasknow_is_the_monotonic_clock)
{
	int64_t a = nowns(), b = tasknow(), c = nowns();

	ck_assert_int_le(a, b);
	ck_assert_int_le(b, c);
	ck_assert_int_eq(taskdelayuntil(b + 5000000), 0);
	ck_assert_int_ge(nowns(), b + 5000000);
}

START_TEST(tasknow_works_anywhere_and_the_others_are_EPERM)
{
	ck_assert_int_gt(tasknow(), 0);
	FAILS(taskdelayuntil(0), EPERM);
	FAILS(taskafter(0, call, NULL), EPERM);
	errno = 0;
	ck_assert_ptr_null(timerstart(0, 0, call, NULL));
	ck_assert_int_eq(errno, EPERM);
	FAILS(timerstop(NULL), EPERM);
	FAILS(taskcancel(1), EPERM);
	FAILS(taskshield(1), EPERM);
	FAILS(taskunshield(), EPERM);
	FAILS(taskdefer(call, NULL), EPERM);
	FAILS(taskspawn((void *(*)(void *))(uintptr_t)call, NULL, 0), EPERM);
	FAILS(taskwait(1, NULL), EPERM);
	FAILS(tasklink(1, call, NULL), EPERM);
	FAILS(taskunlink(1, call, NULL), EPERM);
	Group g = {0};
	FAILS(groupspawn(&g, call, NULL, 0), EPERM);
	FAILS(groupwait(&g), EPERM);
	FAILS(groupcancel(&g), EPERM);
	FAILS(withtimeout(1, NULL, NULL), EPERM);
	ck_assert_int_eq(taskcancelled(), 0);
	Timeout t;
	FAILS(timeoutstart(&t, 1), EPERM);
	ck_assert_int_eq(timeoutstop(&t), 0);
	ck_assert_int_eq(timeoutfired(&t), 0);
	ck_assert_int_eq(timeoutpending(&t), 0);
}
END_TEST

TASK_TEST(a_timerfd_can_be_waited_on_with_fdread)
{
	struct itimerspec every = {{0, 3000000}, {0, 3000000}};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	int64_t start = nowns();
	uint64_t n, sum = 0;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(timerfd_settime(fd, 0, &every, NULL), 0);
	while(sum < 5){
		ck_assert_int_eq(fdread(fd, &n, sizeof n), sizeof n);
		sum += n;
	}
	ck_assert_int_ge(nowns() - start, (int64_t)sum * 3000000);
	Timeout t;
	every = (struct itimerspec){{0, 0}, {100, 0}};
	ck_assert_int_eq(timerfd_settime(fd, 0, &every, NULL), 0);
	TIMEOUT(&t, 5)
		FAILS(fdread(fd, &n, sizeof n), ETIMEDOUT);
	fdclose(fd);
}

/* Each of these ends with 3, while a task is still to end. */
static void
stopthenexit(void *v)
{
	Timer *t = timerstart(1000 * 1000, 0, call, NULL);

	(void)v;
	taskyield();
	timerstop(t);
	taskexit(3);
}

static void
exitbeforecall(void *v)
{
	(void)v;
	timerstart(1, 0, call, NULL);
	taskexit(3);
}

static void
cancelafterthenexit(void *v)
{
	int id = taskafter(1000 * 1000, call, NULL);

	(void)v;
	taskyield();
	taskcancel(id);
	taskexit(3);
}

static void
cancelnewthenexit(void *v)
{
	(void)v;
	taskcancel(taskcreate(call, NULL, 0));
	taskexit(3);
}

START_TEST(what_ends_without_a_call_of_the_program_leaves_the_status_alone)
{
	void (*const fn[])(void *) = {stopthenexit, exitbeforecall,
		cancelafterthenexit, cancelnewthenexit};

	for(int i = 0; i < 4; i++)
		ck_assert_int_eq(taskrun(fn[i], NULL), 3);
	ck_assert_int_eq(ncalls, 1);
}
END_TEST

TEST_MAIN("timer, real",
	a_timer_is_never_early,
	what_ends_without_a_call_of_the_program_leaves_the_status_alone,
	tasknow_is_the_monotonic_clock,
	tasknow_works_anywhere_and_the_others_are_EPERM,
	a_timerfd_can_be_waited_on_with_fdread)
