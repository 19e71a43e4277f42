/* SPDX-License-Identifier: MIT */
/* A chanalt waits for the open file that its descriptor was when it began. */
/*
 * Cause: chanalt had a task of its own wait for each descriptor, which looked at
 * the number when it first ran.  If the descriptor had been closed by then, and
 * its number was another file's, it waited for that.
 * Cure: entries for descriptors wait in the queue of the descriptor themselves,
 * from the call on; and of one that is done while the task has yet to run, it is
 * asked afterwards whether the file is the same.
 */
#include "../fdtest.h"

static int fds[2], stranger[2];

/* closes the descriptor waited for; its number becomes a stranger's. */
static void
closeandreuse(void *v)
{
	int fd = fds[0];

	(void)v;
	ck_assert_int_eq(fdclose(fd), 0);
	pair(stranger);
	ck_assert(stranger[0] == fd || stranger[1] == fd);
}

/* It waits before the alt, and so runs before it. */
static void
closewhenready(void *v)
{
	ck_assert_int_eq(fdwait(fds[0], 'r'), 0);
	closeandreuse(v);
}

static void
hangup(void *v)
{
	(void)v;
	ck_assert_int_eq(shutdown(fds[1], SHUT_RDWR), 0);
}

static void
altof(unsigned int op)
{
	Alt a[] = {{.op = ALTDELAY, .ms = 10000}, {.op = op, .fd = fds[0]},
		{.op = CHANEND}};

	ck_assert_int_eq(chanalt(a), 1);
	ck_assert_int_eq(a[1].err, EBADF);
	close(stranger[0]);
	close(stranger[1]);
	close(fds[1]);
}

TASK_TEST(a_descriptor_closed_as_the_alt_begins_is_EBADF)
{
	for(int i = 0; i < 3; i++){
		pair(fds);
		taskcreate(closeandreuse, NULL, 0);
		altof(ALTREAD);
		pair(fds);
		fill(fds[0]);
		taskcreate(closeandreuse, NULL, 0);
		altof(ALTWRITE);
	}
}

/* A hang-up wakes all that wait, in their order. */
TASK_TEST(a_descriptor_closed_before_the_alt_runs_is_EBADF)
{
	pair(fds);
	taskcreate(closewhenready, NULL, 0);
	taskyield();
	taskcreate(hangup, NULL, 0);
	altof(ALTREAD);
}

TASK_TEST(of_two_closed_at_once_one_is_told)
{
	int other[2];
	Alt a[3] = {{.op = ALTREAD}, {.op = ALTREAD}, {.op = CHANEND}};

	pair(fds);
	pair(other);
	a[0].fd = other[0];
	a[1].fd = fds[0];
	taskcreate(closeandreuse, NULL, 0);
	ck_assert_int_eq(chanalt(a), 1);
	ck_assert_int_eq(a[1].err, EBADF);
	/* nobody waits at the other one any more */
	ck_assert_int_eq(write(other[1], "x", 1), 1);
	ck_assert_int_eq(fdwait(other[0], 'r'), 0);
}

TEST_MAIN("alt-of-closed-descriptor",
	a_descriptor_closed_as_the_alt_begins_is_EBADF,
	a_descriptor_closed_before_the_alt_runs_is_EBADF,
	of_two_closed_at_once_one_is_told)
