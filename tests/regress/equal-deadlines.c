/* SPDX-License-Identifier: MIT */
/*
 * libtask puts a sleeper before those that have the same deadline, so they wake
 * in the opposite order.  Ours numbers them.  The clock stands still here, or
 * they would not be equal.
 */
#define TEST_POLLER "poll"
#include "../../taskimpl.h"
#include "../test.h"

static int64_t now_ns = Second;
static char woken[8];
static int nwoken;

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
	return 0;
}

static void
sleeper(void *v)
{
	taskdelay(10);
	woken[nwoken++] = *(char *)v;
}

TASK_TEST_BY(equal_deadlines_wake_in_the_order_in_which_they_were_set,
	task_sys.now = virtualnow;
	task_sys.poll = virtualpoll;
	ck_assert_int_eq(taskrun(body, "abcdef"), 0);
	ck_assert_str_eq(woken, "abcdef");
	ck_assert_int_eq(now_ns, Second + 10 * Millisecond))
{
	for(char *s = v; *s; s++)
		taskcreate(sleeper, s, 0);
}

TEST_MAIN("equal-deadlines",
	equal_deadlines_wake_in_the_order_in_which_they_were_set)
