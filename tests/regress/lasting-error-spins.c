/* SPDX-License-Identifier: MIT */
/* An error that no call clears is no news: who waits takes no CPU. */
/*
 * Cause: what a socket has in its error queue (IP_RECVERR, MSG_ZEROCOPY, time
 * stamps) is POLLERR until somebody reads that queue.  The task that it woke
 * found nothing to do and waited again, and was told of it again, at once and
 * for ever: with poll, and with io_uring in fdwrite; and on each poller by
 * fdwait, chanalt and fdon.
 * Cure: if the error is there still when a call finds nothing to do, the poller
 * is asked for changes only; the one on poll, which cannot tell, looks every
 * 10 ms, and gives way to epoll where it may.  fdwait, chanalt and fdon tell of
 * it 64 times, and then again after 10 ms.
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

/* A socket with an error that nobody reads; peer's port is closed. */
static int
errorsocket(void)
{
	struct sockaddr_in to;
	int one = 1, fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int taken = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t n = sizeof to;
	struct pollfd pfd = {.fd = fd};

	to = (struct sockaddr_in){.sin_family = AF_INET,
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	ck_assert_int_eq(bind(taken, (struct sockaddr *)&to, n), 0);
	getsockname(taken, (struct sockaddr *)&to, &n);
	close(taken);
	setsockopt(fd, IPPROTO_IP, IP_RECVERR, &one, sizeof one);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, n), 0);
	ck_assert_int_eq(send(fd, "x", 1, 0), 1);
	ck_assert_int_eq(poll(&pfd, 1, 5000), 1);
	ck_assert_int_eq(recv(fd, got, sizeof got, 0), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	ck_assert_int_eq(poll(&pfd, 1, 0), 1);
	ck_assert_int_eq(pfd.revents, POLLERR);
	return fd;
}

static void
senddata(int fd)
{
	struct sockaddr_in me;
	socklen_t n = sizeof me;
	int from = socket(AF_INET, SOCK_DGRAM, 0);

	getsockname(fd, (struct sockaddr *)&me, &n);
	getpeername(fd, (struct sockaddr *)&peer, &n);
	ck_assert_int_eq(bind(from, (struct sockaddr *)&peer, n), 0);
	ck_assert_int_eq(sendto(from, "data", 4, 0, (struct sockaddr *)&me,
		sizeof me), 4);
	close(from);
}

static int
readerror(int fd)
{
	char control[512];
	struct msghdr m = {.msg_control = control,
		.msg_controllen = sizeof control};

	return recvmsg(fd, &m, MSG_ERRQUEUE) >= 0;
}

static int rounds, wait1, rw;

/* What a program does that knows nothing of error queues. */
static void
recvandwait(void *v)
{
	(void)v;
	while((ngot = recv(fds[0], got, sizeof got, 0)) < 0 && wait1 == 0){
		rounds++;
		wait1 = fdwait(fds[0], rw);
	}
	err = errno;
	ended++;
}

/* It is told in each 10 ms, or 20, but takes little of a CPU. */
static void
fewrounds(void)
{
	ck_assert_int_gt(rounds, 64 + 3);
	ck_assert_int_lt(rounds, 64 * 60);
}

static void
beginwaits(int how)
{
	fds[0] = errorsocket();
	rounds = wait1 = ended = 0;
	rw = how;
	taskcreate(recvandwait, NULL, 0);
	int64_t cpu = cpuns();
	taskdelay(300);
	ck_assert_int_lt(cpuns() - cpu, 150 * (int64_t)Millisecond);
	fewrounds();
}

TASK_TEST(fdwait_tells_now_and_then_and_of_data)
{
	beginwaits('r');
	senddata(fds[0]);
	while(!ended)
		taskdelay(1);
	ck_assert_int_eq(ngot, 4);
}

TASK_TEST(fdwait_tells_of_a_close)
{
	beginwaits('h');
	fdclose(fds[0]);
	while(!ended)
		taskdelay(1);
	ck_assert_int_eq(wait1, -1);
	ck_assert_int_eq(err, EBADF);
}

TASK_TEST(fdwait_ends_by_its_deadline)
{
	Timeout t;
	int n = 0, fd = errorsocket();

	timeoutstart(&t, 50);
	while(fdwait(fd, 'r') == 0)
		n++;
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_eq(timeoutstop(&t), 1);
	ck_assert_int_ge(n, 64);
	ck_assert_int_eq(readerror(fd), 1);
	timeoutstart(&t, 5);	/* it has been read: nothing is told */
	FAILS(fdwait(fd, 'r'), ETIMEDOUT);
	timeoutstop(&t);
}

TASK_TEST(errors_that_are_read_are_all_told_of)
{
	int fd = errorsocket();

	for(int i = 0; i < 1000; i++){
		ck_assert_int_eq(fdwait(fd, 'r'), 0);
		ck_assert_int_eq(readerror(fd), 1);
		ck_assert_int_eq(send(fd, "x", 1, 0), 1);
		if(i % 2)
			continue;
		ck_assert_int_eq(fdwait(fd, 'r'), 0);
		recv(fd, got, sizeof got, 0);
	}
}

static void
altloop(int end, int beside)
{
	Channel *c = chancreate(sizeof(int), 1);
	int k[2] = {errorsocket(), errorsocket()}, n[5] = {0, 0, 0, 0, 0}, v;
	int64_t cpu = cpuns(), start = task_proc->now();
	int noblk = end == CHANNOBLK;

	while(task_proc->now() - start < 300 * (int64_t)Millisecond){
		Alt a[] = {{.op = ALTREAD, .fd = k[0]},
			{.op = ALTHANGUP, .fd = k[1]},
			{.op = beside ? ALTDELAY : CHANNOP, .ms = 5},
			{.op = CHANRCV, .c = c, .v = &v}, {.op = end}};
		int r = chanalt(a);
		n[r < 0 ? 4 : r]++;
		if(r >= 0)
			ck_assert_int_eq(a[r].err, 0);
		if(noblk)
			taskdelay(1);
	}
	ck_assert_int_gt(n[0], 5);
	ck_assert_int_gt(n[1], 5);
	ck_assert_int_lt(n[0] + n[1], 2 * 64 * 60);
	ck_assert_int_eq(n[2] > 0, beside);
	ck_assert_int_eq(n[3], 0);
	ck_assert_int_eq(n[4] > 0, noblk);
	ck_assert_int_lt(cpuns() - cpu, 150 * (int64_t)Millisecond);
	senddata(k[0]);
	Alt a[] = {{.op = ALTREAD, .fd = k[0]}, {.op = CHANEND}};
	ck_assert_int_eq(chanalt(a), 0);
	ck_assert_int_eq(recv(k[0], got, sizeof got, 0), 4);
	close(k[0]), close(k[1]), chanfree(c);
}

TASK_TEST(alts_are_told_now_and_then)
{
	altloop(CHANEND, 0);
	altloop(CHANEND, 1);
	altloop(CHANNOBLK, 0);
}

static void
keepfull(void *c)
{
	while(chansendul(c, 1) > 0)
		;
}

TASK_TEST(an_alt_beside_a_busy_channel_is_told_of_errors)
{
	Channel *c = chancreate(sizeof(unsigned long), 1);
	unsigned long word;
	int n[2] = {0, 0}, fd = errorsocket();
	int64_t start = task_proc->now();

	taskcreate(keepfull, c, 0);
	for(int i = 1; n[0] < 500; i++){
		Alt a[] = {{.op = ALTREAD, .fd = fd},
			{.op = CHANRCV, .c = c, .v = &word}, {.op = CHANEND}};
		n[chanalt(a)]++;
	}
	ck_assert_int_gt(n[1], n[0]);
	/* 64 at most are found in 10 ms, with one that comes late */
	ck_assert_int_gt(task_proc->now() - start, 30 * (int64_t)Millisecond);
	chanclose(c);
}

static void
maderead(void *v)
{
	(void)v;
	rounds++;
	if((ngot = recv(fds[0], got, sizeof got, 0)) < 0)
		fdon(fds[0], 'r', maderead, NULL);
	else
		ended = 1;
}

TASK_TEST(tasks_are_made_for_it_now_and_then)
{
	fds[0] = errorsocket();
	rounds = ended = 0;
	int64_t cpu = cpuns();
	taskcreate(maderead, NULL, 0);
	taskdelay(300);
	fewrounds();
	ck_assert_int_lt(cpuns() - cpu, 150 * (int64_t)Millisecond);
	senddata(fds[0]);
	while(!ended)
		taskdelay(1);
	ck_assert_int_eq(ngot, 4);
}

TEST_MAIN("lasting-error-spins",
	a_reader_waits_without_CPU_and_is_told_of_data,
	a_reader_is_told_of_the_next_error,
	a_reader_is_told_of_a_close,
	a_reader_is_told_of_its_deadline,
	a_writer_waits_without_CPU_and_is_told_of_room,
	fdwait_tells_now_and_then_and_of_data,
	fdwait_tells_of_a_close,
	fdwait_ends_by_its_deadline,
	errors_that_are_read_are_all_told_of,
	alts_are_told_now_and_then,
	an_alt_beside_a_busy_channel_is_told_of_errors,
	tasks_are_made_for_it_now_and_then)
