/* SPDX-License-Identifier: MIT */
/*
 * libtask's fdtask polls only after a round in which nobody else ran, so one
 * task that loops on taskyield stops all descriptors and timers.  Ours has its
 * turn every millisecond whoever else is ready.
 */
#include "../test.h"

static int slept, received;
static int fds[2];

static void
sleeper(void *v)
{
	(void)v;
	taskdelay(10);
	slept = 1;
	fdwrite(fds[1], "x", 1);
}

static void
receiver(void *v)
{
	char b;

	(void)v;
	received = fdread1(fds[0], &b, 1) == 1;
}

TASK_TEST_BY(a_loop_on_taskyield_stops_neither_timers_nor_descriptors,
	ck_assert_int_eq(pipe(fds), 0);
	run(body);
	ck_assert_int_eq(slept, 1);
	ck_assert_int_eq(received, 1))
{
	int64_t end = nowns() + 5 * (int64_t)1000000000;

	taskcreate(receiver, NULL, 0);
	taskcreate(sleeper, NULL, 0);
	while(!received && nowns() < end)
		taskyield();
}

TEST_MAIN("yield-loop",
	a_loop_on_taskyield_stops_neither_timers_nor_descriptors)
