/* SPDX-License-Identifier: MIT */
/*
 * A task that overflowed and came back before it switched was never found out.
 * Cause: libtask compared the stack pointer with the stack's end in needstack,
 * which it called only when it switched.
 * Fix: the guard faults at the first byte too many, and says whose it was.
 */
#include "../test.h"
#include "../watched.h"

static volatile int sink;

UNWATCHED static int
deep(int n)
{
	volatile char frame[1024];

	__asm__ volatile("" : : "r"(frame) : "memory");	/* it is all needed */
	frame[0] = (char)n;
	return n == 0 ? 0 : deep(n - 1) + frame[0];
}

static void
briefly(void *v)
{
	(void)v;
	taskname("briefly");
	sink = deep(120);	/* twice the stack, and back */
	_exit(0);
}

static void
runbriefly(void)
{
	taskrun(briefly, NULL);
}

static void
small(void *v)
{
	(void)v;
	taskcreate(briefly, NULL, 64 * 1024);
}

static void
runsmall(void)
{
	taskrun(small, NULL);
}

START_TEST(an_overflow_between_switches_is_found)
{
	char err[65536];
	int status = child(runsmall, err, sizeof err);

	ck_assert_int_ne(status, 0);
	ck_assert_msg(strstr(err, "task 2 (briefly): stack overflow"), "%s",
		err);
	/* 256 KiB do */
	ck_assert_int_eq(child(runbriefly, err, sizeof err), 0);
}
END_TEST

TEST_MAIN("needstack-at-switches-only", an_overflow_between_switches_is_found)
