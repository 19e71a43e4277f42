/* SPDX-License-Identifier: MIT */
/*
 * A local array of 128 KiB in a task with the usual stack corrupted others.
 * Cause: its frame began beyond the guard, which nobody had touched.
 * Fix: programs are compiled with -fstack-clash-protection, as pkg-config, the
 * README and the manual say; and the guard is as large as such frames often are.
 */
#include "../test.h"
#include "../watched.h"

enum { Victims = 10, Touched = 32 * 1024 };

static int larger;

/* The lowest part of the frame only: its pages are in a neighbour's stack. */
#define FRAME(name, size) \
	UNWATCHED static void \
	name(void) \
	{ \
		char buf[size]; \
		volatile char *at = buf; \
		for(int i = 0; i < Touched; i++) \
			at[i] = 'x'; \
		taskyield(); \
	}

FRAME(frame128, 128 * 1024)
FRAME(frame190, 190 * 1024)

static void
large(void *v)
{
	(void)v;
	(larger ? frame190 : frame128)();
}

static void
idle(void *v)
{
	(void)v;
	taskyield();
}

static void
both(void *v)
{
	for(int i = 0; i < Victims; i++)
		taskcreate(idle, v, 0);
	taskcreate(large, v, 0);
	for(int i = 0; i < Victims; i++)
		taskcreate(idle, v, 0);
}

static void
runboth(void)
{
	taskrun(both, NULL);
}

START_TEST(a_frame_larger_than_the_guard_is_an_overflow)
{
	char err[1024];

	if(watched())
		TEST_SKIP("who watches handles signals, or makes frames anew");
	for(larger = 0; larger < 2; larger++){
		int status = child(runboth, err, sizeof err);
		ck_assert_msg(WIFSIGNALED(status), "status %#x: %s",
			(unsigned)status, err);
		ck_assert_msg(strstr(err, ": stack overflow") != NULL, "%s",
			err);
	}
}
END_TEST

TEST_MAIN("frame-over-guard", a_frame_larger_than_the_guard_is_an_overflow)
