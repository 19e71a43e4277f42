/* SPDX-License-Identifier: MIT */
/* A delay neither spins in its last millisecond nor wakes every 5 seconds. */
/*
 * Cause: libtask cut the timeout to whole milliseconds, and polled with 0 for
 * up to one before each timer; it also polled at least every 5 s.
 * Fix: the timeout is in ns, and no shorter than the first deadline.
 */
#define TEST_POLLER "poll"
#include "../../machine/machine.h"
#include "../fdtest.h"

static int npolls;
static int64_t clock_ns;

static int64_t
now(void)
{
	return clock_ns;
}

/* The kernel may wake us up to 50 us after the time, but not before. */
static int
leap(struct pollfd *fds, nfds_t nfds, struct timespec *timeout)
{
	(void)fds, (void)nfds;
	npolls++;
	clock_ns += timeout->tv_sec * (int64_t)Second + timeout->tv_nsec +
		50000;
	return 0;
}

TASK_TEST_BY(a_delay_asks_the_kernel_once,
	task_sys.now = now;
	task_sys.poll = leap;
	run(body))
{
	for(unsigned int ms = 1; ms < 100; ms++){
		npolls = 0;
		clock_ns += 123457;
		taskdelay(ms);
		ck_assert_int_le(npolls, 1);
	}
	npolls = 0;
	taskdelay(60 * 1000);
	ck_assert_int_le(npolls, 2);	/* one may be for stacks to give back */
}

TEST_MAIN("timer-spins", a_delay_asks_the_kernel_once)
