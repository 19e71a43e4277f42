/* SPDX-License-Identifier: MIT */
/* If the kernel cannot wait for the set, nobody is told something happened. */
/*
 * Cause: after a failed poll all waiters were woken to try for themselves.
 * netdial took that for a connection made, and fdread1 blocked the thread in
 * read.
 * Fix: the descriptors are looked at one by one.
 */
#define TEST_POLLER "poll"
#include "../../machine/machine.h"
#include "../fdtest.h"

static Sys real;
static int failures;

static int
failing(struct pollfd *fds, nfds_t nfds, struct timespec *timeout)
{
	if(failures > 0 && nfds > 1){
		failures--;
		errno = ENOMEM;
		return -1;
	}
	return real.poll(fds, nfds, timeout);
}

static ssize_t
carefulread(int fd, void *buf, size_t n)
{
	struct pollfd p = {fd, POLLIN, 0};

	ck_assert_msg(poll(&p, 1, 0) == 1, "read would block");
	return real.read(fd, buf, n);
}

static int blocking[2], other[2], dialled[2], connected;

static void
readblocking(void *v)
{
	char c;

	(void)v;
	ck_assert_int_eq(fdread1(blocking[0], &c, 1), 1);
}

/* A socket whose connection is made when its peer is drained. */
static int
fullsocket(int family, int type)
{
	(void)family, (void)type;
	pair(dialled);
	fill(dialled[0]);
	return dialled[0];
}

static int
slowconnect(int fd, const struct sockaddr *sa, socklen_t n)
{
	(void)fd, (void)sa, (void)n;
	errno = EINPROGRESS;
	return -1;
}

static void
dial(void *v)
{
	(void)v;
	ck_assert_int_eq(netdial(TCP, "127.0.0.1", 1), dialled[0]);
	connected = 1;
}

static void
begin(void)
{
	real = task_sys;
	task_sys.poll = failing;
	pair(other);
}

TASK_TEST(fdread1_does_not_block_the_thread)
{
	Wait w;

	begin();
	task_sys.read = carefulread;
	ck_assert_int_eq(pipe(blocking), 0);
	taskcreate(readblocking, NULL, 0);
	startwait(&w, other[0], 'r');
	settle();
	failures = 2;
	taskdelay(1);
	settle();
	ck_assert_int_eq(failures, 0);
	ck_assert_int_eq(w.nwoken, 0);
	ck_assert_int_eq(write(blocking[1], "x", 1), 1);
	ck_assert_int_eq(write(other[1], "x", 1), 1);
	settle();
	woken(&w, 0);
}

TASK_TEST(netdial_does_not_take_a_failed_poll_for_a_connection)
{
	Wait w;

	begin();
	task_sys.socket = fullsocket;
	task_sys.connect = slowconnect;
	taskcreate(dial, NULL, 0);
	startwait(&w, other[0], 'r');
	settle();
	failures = 2;
	taskdelay(1);
	settle();
	ck_assert_int_eq(failures, 0);
	ck_assert_int_eq(connected, 0);
	drain(dialled[1]);
	fdclose(other[0]);
	settle();
	ck_assert_int_eq(connected, 1);
	woken(&w, EBADF);
}

TEST_MAIN("poll-error-wakes-early",
	fdread1_does_not_block_the_thread,
	netdial_does_not_take_a_failed_poll_for_a_connection)
