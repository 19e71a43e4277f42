/* SPDX-License-Identifier: MIT */
/* A loop of yields stops neither descriptors nor delays. */
/*
 * Cause: the fdtask of libtask polled only after a round in which nobody else
 * ran.
 * Fix: it has its turn every millisecond, whoever is ready.
 */
#include "../fdtest.h"

static int over, fds[2];

static void
yieldloop(void *v)
{
	(void)v;
	while(!over)
		taskyield();
}

static void
readpipe(void *v)
{
	char c;

	(void)v;
	ck_assert_int_eq(fdread(fds[0], &c, 1), 1);
	over = 1;
}

TASK_TEST(a_reader_and_a_sleeper_go_on_beside_a_loop_of_yields)
{
	nonblockpipe(fds);
	taskcreate(yieldloop, NULL, 0);
	taskcreate(yieldloop, NULL, 0);
	taskcreate(readpipe, NULL, 0);
	taskdelay(2);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
}

TEST_MAIN("yield-starves-io",
	a_reader_and_a_sleeper_go_on_beside_a_loop_of_yields)
