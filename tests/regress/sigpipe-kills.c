/* SPDX-License-Identifier: MIT */
/* Writing to a peer that has gone is an error, and no signal. */
/*
 * Cause: libtask wrote with write(2) and left SIGPIPE as it was.
 * Fix: sockets are written with MSG_NOSIGNAL; taskrun ignores SIGPIPE, for
 * pipes, unless the program has a handler.
 */
#include "../fdtest.h"

static void
writetonobody(int fds[2])
{
	signal(SIGPIPE, SIG_DFL);	/* as taskrun finds it */
	fdclose(fds[0]);
	FAILS(fdwrite(fds[1], "x", 1), EPIPE);
}

TASK_TEST(a_socket_never_raises_sigpipe)
{
	int fds[2];

	pair(fds);
	writetonobody(fds);
}

TASK_TEST(a_pipe_does_not_raise_it_by_default)
{
	int fds[2];

	nonblockpipe(fds);
	fdclose(fds[0]);
	FAILS(fdwrite(fds[1], "x", 1), EPIPE);
}

static volatile sig_atomic_t handled;

static void
onpipe(int sig)
{
	handled = sig;
}

START_TEST(a_handler_of_the_program_stays)
{
	signal(SIGPIPE, onpipe);
	run(a_pipe_does_not_raise_it_by_default_task);
	ck_assert_int_eq(handled, SIGPIPE);
}
END_TEST

TEST_MAIN("sigpipe-kills",
	a_socket_never_raises_sigpipe,
	a_pipe_does_not_raise_it_by_default,
	a_handler_of_the_program_stays)
