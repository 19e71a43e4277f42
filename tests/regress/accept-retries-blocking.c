/* SPDX-License-Identifier: MIT */
/* netaccept waits before each try at a listener that blocks. */
/*
 * Cause: it waited before the first try only; after a connection that failed,
 * or a lack of descriptors, accept blocked the whole thread.
 * Fix: it waits before every one.
 */
#define TEST_POLLER "poll"
#include "../../machine/machine.h"
#include "../fdtest.h"

static Sys real;
static int ncalls;

static int
reluctant(int fd, struct sockaddr *sa, socklen_t *n)
{
	static const int errs[] = {ECONNABORTED, EMFILE, EPROTO};
	struct pollfd p = {fd, POLLIN, 0};

	ck_assert_msg(poll(&p, 1, 0) == 1, "call %d would block", ncalls);
	if(ncalls < 3){
		close(real.accept(fd, sa, n));
		errno = errs[ncalls++];
		return -1;
	}
	return real.accept(fd, sa, n);
}

static void
dialoften(void *v)
{
	for(int i = 0; i < 4; i++){
		taskdelay(1);
		ck_assert_int_ge(netdial(TCP, "127.0.0.1", *(int *)v), 0);
	}
}

TASK_TEST(a_blocking_listener_does_not_block_the_thread)
{
	real = task_sys;
	task_sys.accept = reluctant;
	int listener = netannounce(TCP, "127.0.0.1", 0);
	int port = portof(listener);
	ck_assert_int_eq(fcntl(listener, F_SETFL, 0), 0);
	taskcreate(dialoften, &port, 0);
	ck_assert_int_ge(netaccept(listener, NULL, NULL), 0);
	ck_assert_int_eq(ncalls, 3);
}

TEST_MAIN("accept-retries-blocking",
	a_blocking_listener_does_not_block_the_thread)
