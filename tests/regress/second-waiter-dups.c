/* SPDX-License-Identifier: MIT */
/* Several tasks wait for one descriptor without a second number for it. */
/*
 * Cause: for a second waiter libtask gave a dup of the descriptor to epoll, and
 * decided so by a stale errno.
 * Fix: a descriptor has one registration and queues of waiters.
 */
#include "../fdtest.h"

TASK_TEST(more_waiters_need_no_more_descriptors)
{
	int fds[2], before;
	Wait w[4];

	nonblockpipe(fds);
	before = openfds();
	errno = EEXIST;
	for(int i = 0; i < 4; i++)
		startwait(&w[i], fds[0], 'r');
	settle();
	ck_assert_int_eq(openfds(), before);
	close(fds[1]);
	settle();
	for(int i = 0; i < 4; i++)
		woken(&w[i], 0);
}

TEST_MAIN("second-waiter-dups", more_waiters_need_no_more_descriptors)
