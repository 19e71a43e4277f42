/* SPDX-License-Identifier: MIT */
/*
 * A SIGQUIT that came after the fdtask had looked for one, but before the
 * kernel waited, was served only at the next event.  The handler also zeroes
 * the timeout that the kernel is about to read.  Here each wait begins with
 * such a signal.
 */
#define TEST_POLLER "poll"
#include "../../taskimpl.h"
#include "../test.h"

static int (*realpoll)(struct pollfd *, nfds_t, struct timespec *);
static int fds[2];
static char list[4096];

static int
quitandpoll(struct pollfd *set, nfds_t n, struct timespec *timeout)
{
	if(list[0] == '\0')
		raise(SIGQUIT);
	return realpoll(set, n, timeout);
}

/* Nothing but the list itself ends this wait. */
TASK_TEST_BY(a_signal_just_before_the_kernel_waits_is_served_at_once,
	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(dup2(fds[1], 2), 2);
	realpoll = task_sys.poll;
	task_sys.poll = quitandpoll;
	run(body);
	ck_assert_int_eq(strncmp(list, "task list:\n", 11), 0))
{
	ck_assert_int_gt(fdread1(fds[0], list, sizeof list - 1), 0);
}

TEST_MAIN("quit-before-wait",
	a_signal_just_before_the_kernel_waits_is_served_at_once)
