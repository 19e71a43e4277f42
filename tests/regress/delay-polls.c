/* SPDX-License-Identifier: MIT */
/*
 * libtask cuts the time that it may wait to whole milliseconds, so the last one
 * before each deadline is spent in polls that do not wait; and it wakes every
 * five seconds for nothing.  Ours waits for the time that is left, and as long
 * as that is.
 */
#define TEST_POLLER "poll"
#include "../../taskimpl.h"
#include "../test.h"

static int (*realpoll)(struct pollfd *, nfds_t, struct timespec *);
static int npolls;

static int
countpoll(struct pollfd *fds, nfds_t n, struct timespec *timeout)
{
	npolls++;
	return realpoll(fds, n, timeout);
}

static void
delay(void *v)
{
	taskdelay((unsigned int)(intptr_t)v);
}

START_TEST(a_delay_of_50_ms_takes_three_polls_at_most)
{
	realpoll = task_sys.poll;
	task_sys.poll = countpoll;
	ck_assert_int_eq(taskrun(delay, (void *)50), 0);
	ck_assert_int_le(npolls, 3);
}
END_TEST

/* A kernel whose clock runs only while somebody waits. */
static int64_t now_ns = Second + 123456;

static int64_t
virtualnow(void)
{
	return now_ns;
}

static int
virtualpoll(struct pollfd *fds, nfds_t n, struct timespec *timeout)
{
	(void)fds, (void)n;
	now_ns += timeout->tv_sec * (int64_t)Second + timeout->tv_nsec;
	npolls++;
	return 0;
}

START_TEST(a_delay_of_a_day_takes_three_polls_at_most_and_ends_exactly)
{
	int64_t start = now_ns;

	task_sys.now = virtualnow;
	task_sys.poll = virtualpoll;
	ck_assert_int_eq(taskrun(delay, (void *)86400000), 0);
	ck_assert_int_le(npolls, 3);
	ck_assert_int_eq(now_ns - start, 86400 * (int64_t)Second);
}
END_TEST

TEST_MAIN("delay-polls", a_delay_of_50_ms_takes_three_polls_at_most,
	a_delay_of_a_day_takes_three_polls_at_most_and_ends_exactly)
