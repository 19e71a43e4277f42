/* SPDX-License-Identifier: MIT */
/*
 * Requests to io_uring that did not do what the calls do whose place they take.
 * Causes: after fdclose the file stayed open until the next wait, which might
 * never be, and until a request that had just been woken had something to
 * report; a request was not made at all once a deadline was over or the task was
 * cancelled; one that succeeded although a deadline had cut it counted as ended
 * by that; an error that only another task waited for cut it too; a number that
 * had stood for a socket was one for ever.
 * Fixes: fdclose hands the cancels over; a cancel that failed is made again; who
 * may not wait makes the call itself; the deadline has then ended nothing;
 * errors wake those only who wait for them; ENOTSOCK is no answer.
 */
#include "../fdtest.h"
#include <linux/net_tstamp.h>

static int fds[2], listener;

static void
closed(void)
{
	char c;

	ck_assert_int_eq(fdclose(fds[0]), 0);
	ck_assert_int_eq(read(fds[1], &c, 1), 0);
}

TASK_TEST(fdclose_amid_a_wait_tells_the_peer_at_once)
{
	Wait w;

	pair(fds);
	startwait(&w, fds[0], 'r');
	settle();
	closed();
	settle();
	woken(&w, EBADF);
}

TASK_TEST(fdclose_after_a_wait_was_cut_tells_the_peer_at_once)
{
	Timeout t;

	pair(fds);
	timeoutstart(&t, 1);
	FAILS(fdwait(fds[0], 'r'), ETIMEDOUT);
	timeoutstop(&t);
	closed();
}

TASK_TEST(fdclose_amid_a_wait_that_was_just_woken_tells_the_peer)
{
	Wait w;
	char c;

	pair(fds);
	startwait(&w, fds[0], 'r');
	settle();
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	ck_assert_int_eq(read(fds[0], &c, 1), 1);
	closed();
	settle();
	woken(&w, EBADF);
}

static void
reader(void *v)
{
	char c;

	(void)v;
	FAILS(fdread(fds[0], &c, 1), EBADF);
}

TASK_TEST(fdclose_amid_a_read_tells_the_peer_at_once)
{
	pair(fds);
	taskcreate(reader, NULL, 0);
	settle();
	closed();
}

static void
acceptor(void *v)
{
	(void)v;
	FAILS(netaccept(listener, NULL, NULL), EBADF);
}

TASK_TEST(a_port_can_be_announced_again_after_fdclose)
{
	listener = netannounce(TCP, "127.0.0.1", 0);
	int port = portof(listener);
	for(int i = 0; i < 3; i++)
		taskcreate(acceptor, NULL, 0);
	settle();
	ck_assert_int_eq(fdclose(listener), 0);
	listener = netannounce(TCP, "127.0.0.1", port);
	ck_assert_int_ge(listener, 0);
}

/* Calls that need not wait succeed; then they fail as a wait does. */
static void
withoutwait(int err)
{
	char c;

	ck_assert_int_eq(fdwrite(fds[0], "x", 1), 1);
	ck_assert_int_eq(write(fds[1], "yz", 2), 2);
	ck_assert_int_eq(fdread(fds[0], &c, 1), 1);
	ck_assert_int_eq(fdreadn(fds[0], &c, 1), 1);
	FAILS(fdread(fds[0], &c, 1), err);
	ck_assert_int_gt(fill(fds[0]), 0);
	FAILS(fdwrite(fds[0], "x", 1), err);
	ck_assert_int_eq(fdwritten(), 0);
}

TASK_TEST(after_a_deadline_calls_that_need_not_wait_succeed)
{
	Timeout t;

	pair(fds);
	timeoutstart(&t, 1);
	taskdelay(100);
	ck_assert_int_eq(timeoutfired(&t), 1);
	withoutwait(ETIMEDOUT);
	timeoutstop(&t);
}

TASK_TEST(a_cancelled_task_can_make_calls_that_need_not_wait)
{
	pair(fds);
	ck_assert_int_eq(taskcancel(taskid()), 0);
	withoutwait(ECANCELED);
}

static Timeout timeout;
static int spare[2];

/* It runs between the end of the time and the reader's going on. */
static void
late(void *v)
{
	while(!timeoutfired(&timeout))
		taskyield();
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	if(v)
		ck_assert_int_eq(read(fds[0], v, 1), 1);
	ck_assert_int_eq(fdclose(spare[0]), 0);
}

/* Either it was read, or the time was up: not both. */
TASK_TEST(a_deadline_that_came_too_late_has_ended_nothing)
{
	char c;

	pair(fds);
	for(int i = 0; i < 10; i++){
		Wait w;
		pair(spare);
		startwait(&w, spare[0], 'r');
		taskcreate(late, NULL, 0);
		timeoutstart(&timeout, 2);
		ssize_t n = fdread(fds[0], &c, 1);
		ck_assert_int_eq(timeoutstop(&timeout), n < 0);
		if(n < 0)
			ck_assert_int_eq(read(fds[0], &c, 1), 1);
		settle();
		woken(&w, EBADF);
	}
}

TASK_TEST(a_read_that_was_woken_for_nothing_ends_at_its_deadline)
{
	char c, taken;

	pair(fds);
	pair(spare);
	taskcreate(late, &taken, 0);
	timeoutstart(&timeout, 2);
	FAILS(fdread(fds[0], &c, 1), ETIMEDOUT);
	ck_assert_int_eq(timeoutstop(&timeout), 1);
}

static void
readdatagram(void *v)
{
	char c;

	(void)v;
	ck_assert_int_eq(fdread(fds[0], &c, 1), 1);
	ck_assert_int_eq(c, 'y');
}

static void
udppair(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof sa;

	for(int i = 0; i < 2; i++){
		fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		sa.sin_port = 0;
		ck_assert_int_eq(bind(fds[i], (struct sockaddr *)&sa, n), 0);
	}
	for(int i = 0; i < 2; i++){
		getsockname(fds[i], (struct sockaddr *)&sa, &n);
		ck_assert_int_eq(connect(fds[!i], (struct sockaddr *)&sa, n), 0);
	}
}

/* A time stamp of a datagram sent is such an error: reads know nothing of it. */
TASK_TEST(an_error_that_another_waits_for_ends_no_read)
{
	int stamps = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
	Wait w;

	udppair();
	if(setsockopt(fds[0], SOL_SOCKET, SO_TIMESTAMPING, &stamps,
			sizeof stamps) < 0)
		TEST_SKIP("the kernel stamps no datagrams");
	taskcreate(readdatagram, NULL, 0);
	startwait(&w, fds[0], 'x');
	settle();
	ck_assert_int_eq(write(fds[0], "x", 1), 1);
	for(int i = 0; i < 10; i++)
		taskdelay(1);
	ck_assert_int_eq(write(fds[1], "y", 1), 1);
	settle();
	if(w.nwoken == 0)
		fdclose(fds[0]);
}

TASK_TEST(a_file_with_the_number_of_a_socket_can_be_read_and_written)
{
	char c;

	pair(fds);
	ck_assert_int_eq(fdwrite(fds[0], "x", 1), 1);
	ck_assert_int_eq(close(fds[0]), 0);
	ck_assert_int_eq(open("/dev/zero", O_RDWR | O_CLOEXEC), fds[0]);
	ck_assert_int_eq(fdread(fds[0], &c, 1), 1);
	ck_assert_int_eq(fdwrite(fds[0], "x", 1), 1);
}

TEST_MAIN("requests-are-no-calls",
	fdclose_amid_a_wait_tells_the_peer_at_once,
	fdclose_after_a_wait_was_cut_tells_the_peer_at_once,
	fdclose_amid_a_wait_that_was_just_woken_tells_the_peer,
	fdclose_amid_a_read_tells_the_peer_at_once,
	a_port_can_be_announced_again_after_fdclose,
	after_a_deadline_calls_that_need_not_wait_succeed,
	a_cancelled_task_can_make_calls_that_need_not_wait,
	a_deadline_that_came_too_late_has_ended_nothing,
	a_read_that_was_woken_for_nothing_ends_at_its_deadline,
	an_error_that_another_waits_for_ends_no_read,
	a_file_with_the_number_of_a_socket_can_be_read_and_written)
