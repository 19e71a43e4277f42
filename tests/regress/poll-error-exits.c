/* SPDX-License-Identifier: MIT */
/* A poll that fails does not end the program. */
/*
 * Cause: the fdtask of libtask ended the program, with status 0, when poll
 * failed.
 * Fix: it tries again, and nobody who waits is forgotten.
 */
#include "../../machine/machine.h"
#include "../fdtest.h"

static int (*realpoll)(struct pollfd *fds, nfds_t nfds,
	struct timespec *timeout);
static int ncalls;

static int
failing(struct pollfd *fds, nfds_t nfds, struct timespec *timeout)
{
	if(++ncalls % 2)
		return realpoll(fds, nfds, timeout);
	errno = ENOMEM;
	return -1;
}

TASK_TEST_BY(the_program_goes_on_when_poll_fails,
	realpoll = task_sys.poll;
	task_sys.poll = failing;
	ck_assert_int_eq(taskrun(body, NULL), 7))
{
	int fds[2];
	Wait w;

	nonblockpipe(fds);
	startwait(&w, fds[0], 'r');
	taskdelay(5);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	settle();
	woken(&w, 0);
	taskexit(7);
}

TEST_MAIN("poll-error-exits", the_program_goes_on_when_poll_fails)
