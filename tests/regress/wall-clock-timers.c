/* SPDX-License-Identifier: MIT */
/* Nobody looks at the wall clock, which may be set. */
/*
 * Cause: the timers of libtask were computed from gettimeofday.
 * Fix: they are on the monotonic clock.
 */
#include <sys/time.h>

#include "../fdtest.h"

static int wall;

/* in place of libc's, for the library too */
int
gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	(void)zone;
	wall++;
	*tv = (struct timeval){0, 0};
	return 0;
}

time_t
time(time_t *t)
{
	wall++;
	if(t)
		*t = 0;
	return 0;
}

TASK_TEST(delays_do_not_depend_on_the_wall_clock)
{
	int before = wall;

	for(int i = 0; i < 3; i++)
		taskdelay(1);
	ck_assert_int_eq(wall, before);
}

TEST_MAIN("wall-clock-timers", delays_do_not_depend_on_the_wall_clock)
