/* SPDX-License-Identifier: MIT */
/* Who waits for a descriptor is woken when it is closed. */
/*
 * Cause: epoll forgets a closed descriptor, and so did libtask its waiter.
 * Fix: fdclose wakes the waiters with EBADF first.
 */
#include "../fdtest.h"

TASK_TEST(closing_a_descriptor_wakes_its_waiter)
{
	int fds[2];
	Wait w;

	nonblockpipe(fds);
	startwait(&w, fds[0], 'r');
	taskyield();
	fdclose(fds[0]);
	taskyield();
	woken(&w, EBADF);
}

TEST_MAIN("closed-descriptor-sleeps", closing_a_descriptor_wakes_its_waiter)
