/* SPDX-License-Identifier: MIT */
/* A deadline ends the look-up of a name, and other tasks go on meanwhile. */
/*
 * Cause: netdial, netannounce and netlookup called getaddrinfo in the tasks'
 * thread: a server that took 700 ms to answer stopped them all, whatever their
 * deadlines.
 * Fix: a thread of the pool asks; who has no time leaves it behind.
 */
#include "../resolver.h"

static int nticks;

static void
tick(void *v)
{
	(void)v;
	tasksystem();
	while(taskdelay(10) >= 10)
		nticks++;
}

TASK_TEST(a_deadline_ends_a_dial_whose_name_is_looked_up)
{
	Timeout t;
	int fd = -1;

	taskcreate(tick, NULL, 0);
	/* a machine that is busy lets neither thread run for long */
	for(unsigned int ms = 200; ms < 4000 && (!nasking || nticks <= 2);
			ms *= 2){
		nticks = 0;
		TIMEOUT(&t, ms)
			FAILS(fd = netdial(TCP, "slow", 1), ETIMEDOUT);
		ck_assert_int_eq(timeoutfired(&t), 1);
	}
	ck_assert_int_eq(nasking, 1);
	ck_assert_int_gt(nticks, 2);
	gateopen = 1;
	while(nasking > 0)
		taskdelay(1);
}

TEST_MAIN("lookup-stops-deadline",
	a_deadline_ends_a_dial_whose_name_is_looked_up)
