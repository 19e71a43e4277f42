/* SPDX-License-Identifier: MIT */
/* Connections that fail one after the other do not stop the other tasks. */
/*
 * Cause: after an error of the connection netaccept tried again at once, for as
 * long as accept failed; ENETDOWN may last.
 * Fix: it waits for the next connection before it tries again.
 */
#define TEST_POLLER "epoll"	/* where accept is called */
#include "../../machine/machine.h"
#include "../fdtest.h"

static int ncalls;

static int
netdown(int fd, struct sockaddr *sa, socklen_t *n)
{
	(void)fd, (void)sa, (void)n;
	ck_assert_int_lt(++ncalls, 10000000);
	errno = ENETDOWN;
	return -1;
}

static void
acceptor(void *v)
{
	tasksystem();
	netaccept(*(int *)v, NULL, NULL);
	ck_abort_msg("netaccept came back");
}

TASK_TEST(a_sleeper_wakes_beside_an_acceptor_whose_network_is_down)
{
	int listener = netannounce(TCP, "127.0.0.1", 0);

	task_sys.accept = netdown;
	taskcreate(acceptor, &listener, 0);
	for(int i = 0; i < 3; i++)
		taskdelay(1);
	ck_assert_int_gt(ncalls, 0);
}

TEST_MAIN("accept-fails-for-ever",
	a_sleeper_wakes_beside_an_acceptor_whose_network_is_down)
