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
 * it 64 times, and then again after 10 ms: but of an error that was read, or of
 * another file by that number, they know nothing.
 */
#include "../../fd/fd.h"
#include "../fdtest.h"
#include <arpa/inet.h>
#include <linux/net_tstamp.h>
#include <sys/epoll.h>

static int fds[2];
static struct sockaddr_in peer;
static char got[8];
static ssize_t ngot;
static int err, ended;
static char big[1 << 20];

/* Nothing happens for a while, and nobody does anything, or not often. */
static void
quiet(unsigned int most, int cpums)
{
	unsigned int before = task_proc->nswitch;
	int64_t cpu = cpuns();

	taskdelay(200);
	ck_assert_uint_lt(task_proc->nswitch - before, most);
	ck_assert_int_lt(cpuns() - cpu, cpums * (int64_t)Millisecond);
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
	quiet(1000, 100);
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
	quiet(1000, 100);
	for(all = n + sizeof big, n = 0; n < all; taskdelay(1))
		n += drain(fds[1]);
	ck_assert_uint_eq(n, all);
}

/* One more in the error queue of a socket whose peer's port is closed. */
static void
makeerror(int fd)
{
	struct pollfd pfd = {.fd = fd};

	do	/* the kernel may have a limit of such errors */
		ck_assert_int_eq(send(fd, "x", 1, 0), 1);
	while(poll(&pfd, 1, 100) == 0);
	ck_assert_int_eq(recv(fd, got, sizeof got, 0), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	ck_assert_int_eq(poll(&pfd, 1, 0), 1);
	ck_assert_int_eq(pfd.revents, POLLERR);
}

/* A socket with an error that nobody reads. */
static int
errorsocket(void)
{
	struct sockaddr_in to;
	int one = 1, fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int taken = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t n = sizeof to;

	to = (struct sockaddr_in){.sin_family = AF_INET,
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&to, n), 0);
	ck_assert_int_eq(bind(taken, (struct sockaddr *)&to, n), 0);
	getsockname(taken, (struct sockaddr *)&to, &n);
	close(taken);
	setsockopt(fd, IPPROTO_IP, IP_RECVERR, &one, sizeof one);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, n), 0);
	makeerror(fd);
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

enum { Once = 64 };	/* so many rounds there are at first */

/*
 * There may be two, of one that was long in coming.  Returns whether all have
 * been read: qemu's recvmsg reads the same one for ever.
 */
static int
readall(int fd)
{
	int n = 0;

	while(n < 1000 && readerror(fd))
		n++;
	return n > 0 && n < 1000;
}

#define READALL(fd) \
	if(!readall(fd)) \
		TEST_SKIP("error queues cannot be read here")

static int rounds, r1, rw;

/* What a program does that knows nothing of error queues. */
static void
recvandwait(void *v)
{
	(void)v;
	while((ngot = recv(fds[0], got, sizeof got, 0)) < 0 && r1 == 0){
		rounds++;
		r1 = fdwait(fds[0], rw);
	}
	err = errno;
	ended++;
}

/* It is told again and again, but not without end. */
static void
fewrounds(void)
{
	while(rounds <= Once + 3)
		taskdelay(1);
	quiet(50 * Once, 160);	/* tasks are made, slowly under TSan */
}

static void
beginwaits(int how)
{
	fds[0] = errorsocket();
	rounds = r1 = ended = 0;
	rw = how;
	taskcreate(recvandwait, NULL, 0);
	fewrounds();
}

static void
untilended(void)
{
	while(!ended)
		taskdelay(1);
}

TASK_TEST(fdwait_tells_now_and_then_and_of_data)
{
	beginwaits('r');
	senddata(fds[0]);
	untilended();
	ck_assert_int_eq(ngot, 4);
}

TASK_TEST(fdwait_tells_of_a_close)
{
	beginwaits('h');
	fdclose(fds[0]);
	untilended();
	ck_assert_int_eq(r1, -1);
	ck_assert_int_eq(err, EBADF);
}

TASK_TEST(fdwait_ends_by_its_deadline)
{
	Timeout t;
	int fd = errorsocket();

	for(int i = 0; i < Once; i++)
		ck_assert_int_eq(fdwait(fd, 'r'), 0);
	timeoutstart(&t, 50);
	while(fdwait(fd, 'r') == 0)
		;
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_eq(timeoutstop(&t), 1);
	READALL(fd);
	timeoutstart(&t, 5);	/* it has been read: nothing is told */
	FAILS(fdwait(fd, 'r'), ETIMEDOUT);
	timeoutstop(&t);
}

/* A look that finds nothing is between them: they are not the same error. */
TASK_TEST(errors_that_are_read_are_all_told_of_at_once)
{
	int fd = errorsocket();

	READALL(fd);
	makeerror(fd);
	for(int i = 0; i < 5 * Once; i++){
		Alt a[] = {{.op = ALTREAD, .fd = fd}, {.op = CHANNOBLK}};
		ck_assert_int_eq(chanalt(a), 0);
		ck_assert_int_eq(readall(fd), 1);
		ck_assert_int_eq(chanalt(a), -1);
		makeerror(fd);
	}
	for(int i = 0; i < 5 * Once; i++){
		Timeout t;
		ck_assert_int_eq(fdwait(fd, 'r'), 0);
		ck_assert_int_eq(readall(fd), 1);
		timeoutstart(&t, 0);
		FAILS(fdwait(fd, 'r'), ETIMEDOUT);
		timeoutstop(&t);
		makeerror(fd);
	}
	ck_assert_int_eq(task_proc->fds->nquiet, 0);
}

/* Nobody is told before the other, but both are, without a delay. */
static void
readerrors(void *v)
{
	(void)v;
	while(fdwait(fds[0], 'r') == 0)
		rounds += readerror(fds[0]);
}

TASK_TEST(who_finds_nothing_does_not_keep_errors_from_others)
{
	int left = 20;

	fds[0] = errorsocket();
	READALL(fds[0]);
	rounds = ended = 0;
	taskcreate(readerrors, NULL, 0);
	taskcreate(read1, NULL, 0);
	taskdelay(1);
	for(; left > 0; taskyield())
		left -= send(fds[0], "x", 1, 0) == 1;
	while(rounds < 10)
		taskyield();
	fdclose(fds[0]);
}

static void
altloop(int beside)
{
	Channel *c = chancreate(sizeof(int), 1);
	int k[2] = {errorsocket(), errorsocket()}, n[4] = {0, 0, 0, 0}, v;
	int64_t start = task_proc->now(), ns = 0;

	while(ns < 300 * (int64_t)Millisecond || n[0] <= Once || n[1] <= Once){
		Alt a[] = {{.op = ALTREAD, .fd = k[0]},
			{.op = ALTHANGUP, .fd = k[1]},
			{.op = beside ? ALTDELAY : CHANNOP, .ms = 5},
			{.op = CHANRCV, .c = c, .v = &v}, {.op = CHANEND}};
		int r = chanalt(a);
		n[r]++;
		ck_assert_int_eq(a[r].err, 0);
		ns = task_proc->now() - start;
	}
	ck_assert_int_lt(n[0] + n[1],
		2 * Once * (2 + ns / (10 * Millisecond)));
	if(beside)
		ck_assert_int_gt(n[2], 0);
	ck_assert_int_eq(n[3], 0);
	senddata(k[0]);
	Alt a[] = {{.op = ALTREAD, .fd = k[0]}, {.op = CHANEND}};
	while(recv(k[0], got, sizeof got, 0) != 4)
		ck_assert_int_eq(chanalt(a), 0);
	fdclose(k[0]);
	fdclose(k[1]);
	chanfree(c);
}

TASK_TEST(alts_are_told_now_and_then)
{
	altloop(0);
	altloop(1);
}

TASK_TEST(alts_that_do_not_wait_are_told_always)
{
	int fd = errorsocket();
	Alt a[] = {{.op = ALTREAD, .fd = fd}, {.op = CHANNOBLK}};

	for(int i = 0; i < 5 * Once; i++)
		ck_assert_int_eq(chanalt(a), 0);
}

/* A pipe that nobody reads any more has such an error too, but it is true. */
TASK_TEST(who_waits_for_a_hang_up_is_told_always)
{
	ck_assert_int_eq(pipe(fds), 0);
	fdnoblock(fds[1]);
	close(fds[0]);
	for(int i = 0; i < 5 * Once; i++)
		ck_assert_int_eq(fdwait(fds[1], 'h'), 0);
	ck_assert_int_eq(task_proc->fds->nquiet, 0);
}

static void
keepfull(void *c)
{
	while(chansendul(c, 1) > 0)
		;
	ended = 1;
}

TASK_TEST(an_alt_beside_a_busy_channel_is_told_of_errors)
{
	Channel *c = chancreate(sizeof(unsigned long), 1);
	unsigned long word;
	int n[2] = {0, 0}, fd = errorsocket();
	int64_t start = task_proc->now();

	ended = 0;
	taskcreate(keepfull, c, 0);
	while(n[0] < 5 * Once){
		Alt a[] = {{.op = ALTREAD, .fd = fd},
			{.op = CHANRCV, .c = c, .v = &word}, {.op = CHANEND}};
		n[chanalt(a)]++;
	}
	ck_assert_int_gt(task_proc->now() - start, 30 * (int64_t)Millisecond);
	chanclose(c);
	untilended();
	chanfree(c);
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
	taskcreate(maderead, NULL, 0);
	fewrounds();
	senddata(fds[0]);
	untilended();
	ck_assert_int_eq(ngot, 4);
}

/* so often that nobody is told of it any more, for 10 ms */
static void
makequiet(int fd)
{
	Alt a[] = {{.op = ALTREAD, .fd = fd}, {.op = ALTDELAY, .ms = 0},
		{.op = CHANEND}};

	int r;

	while((r = chanalt(a)) == 0)
		;
	ck_assert_int_eq(r, 1);
	ck_assert_int_eq(task_proc->fds->nquiet, 1);
}

TASK_TEST(the_next_file_knows_nothing_of_it)
{
	Timeout t;
	int fd = errorsocket();

	makequiet(fd);
	fdclose(fd);
	ck_assert_int_eq(open("/dev/null", O_RDONLY), fd);
	timeoutstart(&t, 50);
	FAILS(fdwait(fd, 'h'), ETIMEDOUT);
	timeoutstop(&t);
	ck_assert_int_eq(task_proc->fds->nquiet, 0);
	fdclose(fd);
	ck_assert_int_eq(errorsocket(), fd);
	makequiet(fd);
}

static void
countdone(void *v)
{
	(void)v;
	ended++;
}

/* Nobody waits for the first file when the second, with an error, comes. */
static int
replaced(void)
{
	int fd = errorsocket(), other = errorsocket();

	makequiet(fd);
	ck_assert_int_eq(dup2(other, fd), fd);
	ended = 0;
	return fd;
}

TASK_TEST(a_new_file_can_be_waited_for_at_once)
{
	int fd = replaced();

	ck_assert_int_eq(fdwait(fd, 'r'), 0);
	fdclose(fd);
	fd = replaced();
	Alt a[] = {{.op = ALTREAD, .fd = fd}, {.op = CHANEND}};
	ck_assert_int_eq(chanalt(a), 0);
	ck_assert_int_eq(a[0].err, 0);
	fdclose(fd);
	fd = replaced();
	ck_assert_int_eq(fdon(fd, 'r', countdone, NULL), 0);
	untilended();
	fdclose(fd);
}

/* On poll it cannot be told, for that looks at numbers. */
TASK_TEST(nor_does_one_that_comes_behind_our_back)
{
	int other = errorsocket();

	fds[0] = errorsocket();
	ended = 0;
	taskcreate(read1, NULL, 0);
	do
		taskdelay(1);
	while(task_proc->ready.head);	/* read1 has been told and waits again */
	makequiet(fds[0]);
	if(strcmp(taskpoller(), "poll") == 0){
		fdclose(fds[0]);
		TEST_SKIP("poll(2) tells numbers, not files");
	}
	ck_assert_int_eq(dup2(other, fds[0]), fds[0]);
	senddata(other);
	while(task_proc->fds->nquiet)
		taskdelay(1);
	do
		ck_assert_int_eq(fdwait(fds[0], 'r'), 0);
	while(recv(fds[0], got, sizeof got, 0) != 4);
	untilended();
	ck_assert_int_eq(ngot, -1);
	ck_assert_int_eq(err, EBADF);
}

static int
nomemory(int set, int op, int fd, struct epoll_event *e)
{
	(void)set, (void)op, (void)fd, (void)e;
	errno = ENOMEM;
	return -1;
}

/* Who cannot be told of what comes is woken, and sees for himself. */
TASK_TEST(without_memory_nobody_is_forgotten)
{
	int (*ctl)(int, int, int, struct epoll_event *) = task_sys.epollctl;

	if(strcmp(taskpoller(), "epoll") != 0)
		TEST_SKIP("only epoll asks the kernel for memory");
	fds[0] = errorsocket();
	makequiet(fds[0]);
	rounds = r1 = ended = 0;
	rw = 'r';
	taskcreate(recvandwait, NULL, 0);
	taskyield();
	ck_assert_int_eq(rounds, 1);
	task_sys.epollctl = nomemory;
	untilended();
	task_sys.epollctl = ctl;
	ck_assert_int_eq(r1, -1);
}

enum { Many = 100 };

static int nmany;

static void
waitforever(void *v)
{
	while(fdwait(*(int *)v, 'r') == 0)
		nmany++;
}

TASK_TEST(many_share_what_is_told)
{
	static int fd[Many];

	for(int i = 0; i < Many; i++){
		fd[i] = errorsocket();
		taskcreate(waitforever, &fd[i], 0);
	}
	while(task_proc->fds->nrecalled < Many)
		taskdelay(1);
	nmany = 0;
	taskdelay(100);
	ck_assert_int_gt(nmany, 0);
	ck_assert_int_lt(nmany, 100 * Many);
	for(int i = 0; i < Many; i++)
		fdclose(fd[i]);
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
	errors_that_are_read_are_all_told_of_at_once,
	who_finds_nothing_does_not_keep_errors_from_others,
	alts_are_told_now_and_then,
	alts_that_do_not_wait_are_told_always,
	who_waits_for_a_hang_up_is_told_always,
	an_alt_beside_a_busy_channel_is_told_of_errors,
	tasks_are_made_for_it_now_and_then,
	the_next_file_knows_nothing_of_it,
	a_new_file_can_be_waited_for_at_once,
	nor_does_one_that_comes_behind_our_back,
	without_memory_nobody_is_forgotten,
	many_share_what_is_told)
