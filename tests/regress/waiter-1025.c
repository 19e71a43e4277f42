/* SPDX-License-Identifier: MIT */
/* The 1025th waiter is served like any other. */
/*
 * Cause: libtask polled a table of 1024 entries and aborted when it was full.
 * Fix: the set grows.
 */
#include "../fdtest.h"

TASK_TEST(more_than_1024_descriptors_can_be_waited_for)
{
	enum { Waiters = 1100 };
	static Wait w[Waiters];
	int fds[2];

	if(!roomfor(Waiters + 64))
		TEST_SKIP("RLIMIT_NOFILE is too low");
	nonblockpipe(fds);
	for(int i = 0; i < Waiters; i++)
		startwait(&w[i], dup(fds[0]), 'r');
	settle();
	ck_assert_int_eq(nplaces, 0);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	settle();
	for(int i = 0; i < Waiters; i++)
		woken(&w[i], 0);
}

TEST_MAIN("waiter-1025", more_than_1024_descriptors_can_be_waited_for)
