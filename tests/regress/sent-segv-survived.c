/* SPDX-License-Identifier: MIT */
/*
 * Cause: the handler of stack overflows restored the default for a SIGSEGV that
 * is not its own and relied on the fault to come again; one that was sent does
 * not.
 * Fix: it is raised again.
 */
#include "../test.h"

static void
killself(void *v)
{
	(void)v;
	kill(getpid(), SIGSEGV);
	taskexit(0);
}

static void
runkillself(void)
{
	taskrun(killself, NULL);
}

START_TEST(a_SIGSEGV_that_was_sent_ends_the_program)
{
	char err[1024];
	int status = child(runkillself, err, sizeof err);

	ck_assert_msg(!WIFEXITED(status) || WEXITSTATUS(status) != 0,
		"status %#x", (unsigned)status);
}
END_TEST

TEST_MAIN("sent-segv-survived", a_SIGSEGV_that_was_sent_ends_the_program)
