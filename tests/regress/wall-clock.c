/* SPDX-License-Identifier: MIT */
/*
 * libtask's timers are on gettimeofday: setting the clock of the machine back
 * by an hour stops them for an hour.  Ours are on the monotonic clock.  This
 * program has functions of its own in place of libc's, which count who asks for
 * which.
 */
#include "../test.h"
#include <sys/syscall.h>
#include <sys/time.h>

static int nwall, nmonotonic;

int
gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	nwall++;
	return (int)syscall(SYS_gettimeofday, tv, tz);
}

int
clock_gettime(clockid_t clock, struct timespec *ts)
{
	if(clock == CLOCK_REALTIME)
		nwall++;
	if(clock == CLOCK_MONOTONIC)
		nmonotonic++;
	return (int)syscall(SYS_clock_gettime, clock, ts);
}

TASK_TEST_BY(timers_do_not_ask_what_time_of_day_it_is,
	run(body);
	ck_assert_int_eq(nwall, 0);
	ck_assert_int_gt(nmonotonic, 0))
{
	nwall = nmonotonic = 0;
	taskdelay(5);
	taskyield();
	taskdelay(0);
}

TEST_MAIN("wall-clock", timers_do_not_ask_what_time_of_day_it_is)
