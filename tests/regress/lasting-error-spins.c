/* SPDX-License-Identifier: MIT */
/* An error that no call clears is no news: who waits takes no CPU. */
/*
 * Cause: what a socket has in its error queue (IP_RECVERR, MSG_ZEROCOPY, time
 * stamps) is POLLERR until somebody reads that queue.  The task that it woke
 * found nothing to do and waited again, and was told of it again, at once and
 * for ever: with poll, and with io_uring in fdwrite.
 * Cure: if the error is there still when a call finds nothing to do, the poller
 * is asked for changes only; the one on poll, which cannot tell, looks every
 * 10 ms, and gives way to epoll where it may.
 */
#include "../../fd/fd.h"
#include "../fdtest.h"
#include <arpa/inet.h>
#include <linux/net_tstamp.h>

static int fds[2];
static struct sockaddr_in peer;
static char got[8];
static ssize_t ngot;
static int err, ended;
static char big[1 << 20];

/* Nothing happens for a while, and nobody does anything. */
static void
quiet(void)
{
	unsigned int before = task_proc->nswitch;
	int64_t cpu = cpuns();

	taskdelay(200);
	ck_assert_uint_lt(task_proc->nswitch - before, 1000);
	ck_assert_int_lt(cpuns() - cpu, 100 * (int64_t)Millisecond);
}

static void
read1(void *v)
{
	(void)v;
	ngot = fdread(fds[0], got, sizeof got);
	err = errno;
	ended++;
}

/* A socket with an error in its queue, which has been returned once. */
static void
prepare(void)
{
	socklen_t n = sizeof peer;
	int one = 1;

	peer = (struct sockaddr_in){.sin_family = AF_INET,
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	ended = 0;
	fds[0] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	fds[1] = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_eq(bind(fds[1], (struct sockaddr *)&peer, n), 0);
	getsockname(fds[1], (struct sockaddr *)&peer, &n);
	close(fds[1]);
	setsockopt(fds[0], IPPROTO_IP, IP_RECVERR, &one, sizeof one);
	ck_assert_int_eq(connect(fds[0], (struct sockaddr *)&peer, n), 0);
	taskcreate(read1, NULL, 0);
	taskyield();
	ck_assert_int_eq(send(fds[0], "x", 1, 0), 1);
	while(!ended)
		taskdelay(1);
	ck_assert_int_eq(err, ECONNREFUSED);
	ended = 0;
	taskcreate(read1, NULL, 0);
	taskdelay(1);
	quiet();
}

TASK_TEST(a_reader_waits_without_CPU_and_is_told_of_data)
{
	socklen_t n = sizeof peer;
	struct sockaddr_in me;

	prepare();
	fds[1] = socket(AF_INET, SOCK_DGRAM, 0);
	getsockname(fds[0], (struct sockaddr *)&me, &n);
	ck_assert_int_eq(bind(fds[1], (struct sockaddr *)&peer, n), 0);
	ck_assert_int_eq(sendto(fds[1], "data", 4, 0, (struct sockaddr *)&me, n),
		4);
	while(!ended)
		taskdelay(1);
	ck_assert_int_eq(ngot, 4);
}

TASK_TEST(a_reader_is_told_of_the_next_error)
{
	prepare();
	ck_assert_int_eq(send(fds[0], "x", 1, 0), 1);
	while(!ended)
		taskdelay(1);
	ck_assert_int_eq(ngot, -1);
	ck_assert_int_eq(err, ECONNREFUSED);
}

TASK_TEST(a_reader_is_told_of_a_close)
{
	prepare();
	fdclose(fds[0]);
	while(!ended)
		taskdelay(1);
	ck_assert_int_eq(err, EBADF);
}

TASK_TEST(a_reader_is_told_of_its_deadline)
{
	Timeout t;

	prepare();
	timeoutstart(&t, 20);
	FAILS(fdread(fds[0], got, sizeof got), ETIMEDOUT);
	ck_assert_int_eq(timeoutstop(&t), 1);
	fdclose(fds[0]);
}

static void
writebig(void *v)
{
	(void)v;
	ck_assert_int_eq(fdwrite(fds[0], big, sizeof big), sizeof big);
	ended = 1;
}

TASK_TEST(a_writer_waits_without_CPU_and_is_told_of_room)
{
	int stamps = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
	size_t n, all;

	tcppair(fds);
	if(setsockopt(fds[0], SOL_SOCKET, SO_TIMESTAMPING, &stamps,
			sizeof stamps) < 0)
		TEST_SKIP("there are no time stamps here");
	ck_assert_int_eq(send(fds[0], "x", 1, 0), 1);
	n = fill(fds[0]) + 1;
	taskcreate(writebig, NULL, 0);
	taskdelay(5);
	struct pollfd pfd = {.fd = fds[0]};
	ck_assert_int_eq(poll(&pfd, 1, 0), 1);
	ck_assert_int_eq(pfd.revents, POLLERR);
	ck_assert_int_eq(ended, 0);
	quiet();
	for(all = n + sizeof big, n = 0; n < all; taskdelay(1))
		n += drain(fds[1]);
	ck_assert_uint_eq(n, all);
}

TEST_MAIN("lasting-error-spins",
	a_reader_waits_without_CPU_and_is_told_of_data,
	a_reader_is_told_of_the_next_error,
	a_reader_is_told_of_a_close,
	a_reader_is_told_of_its_deadline,
	a_writer_waits_without_CPU_and_is_told_of_room)
