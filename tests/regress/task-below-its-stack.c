/* SPDX-License-Identifier: MIT */
/*
 * An overflow destroyed the task that overflowed, and then others.
 * Cause: libtask had the Task at the low end of the same malloc as the stack,
 * and nothing below it that faults.
 * Fix: the Task lies above its stack, and the pages below are a guard.
 */
#include "../test.h"
#include "../watched.h"

static int done;

UNWATCHED static void
look(void *v)
{
	char *here = __builtin_frame_address(0);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *low = here - (uintptr_t)here % page;

	(void)v;
	ck_assert((char *)taskdata() > here);
	if(valgrind())
		return;
	for(int pages = 0; !unreadable(low); pages++, low -= page)
		ck_assert_int_lt(pages, 64);
	/* as large as any frame that does not look where it treads */
	for(int i = 0; i < 16; i++)
		ck_assert(unreadable(low - (size_t)i * 4096));
	done++;
}

TASK_TEST_BY(the_task_is_above_its_stack_and_a_guard_below,
	run(body);
	ck_assert_int_eq(done, valgrind() ? 0 : 20))
{
	for(int i = 0; i < 20; i++)
		taskcreate(look, NULL, 64 * 1024);
}

TEST_MAIN("task-below-its-stack", the_task_is_above_its_stack_and_a_guard_below)
