/* SPDX-License-Identifier: MIT */
/*
 * Cause: a netaccept that had run out of descriptors slept in taskdelay, where
 * the fdclose of its listener did not find it.  It went on up to a second
 * later, and if the number had been announced again, with a stranger's
 * connections.
 * Fix: it waits in a queue of the descriptor.
 */
#define TEST_POLLER "epoll"	/* where accept is called */
#include "../../machine/machine.h"
#include "../test.h"

static int listener, result, err;

static int
noneleft(int fd, struct sockaddr *sa, socklen_t *n)
{
	(void)fd, (void)sa, (void)n;
	errno = EMFILE;
	return -1;
}

static void
acceptor(void *v)
{
	(void)v;
	result = netaccept(listener, NULL, NULL);
	err = errno;
}

TASK_TEST(closing_the_listener_wakes_who_is_short_of_descriptors)
{
	task_sys.accept = noneleft;
	listener = netannounce(TCP, "127.0.0.1", 0);
	ck_assert_int_ge(listener, 0);
	taskcreate(acceptor, NULL, 0);
	taskdelay(40);	/* longer than its first pauses */
	ck_assert_int_eq(fdclose(listener), 0);
	taskyield();
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(err, EBADF);
}

TEST_MAIN("closed-listener-sleeps",
	closing_the_listener_wakes_who_is_short_of_descriptors)
