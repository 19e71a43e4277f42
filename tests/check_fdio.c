/* SPDX-License-Identifier: MIT */
/* Reading and writing descriptors, as their users see it. */
#include <sys/ioctl.h>

#include "fdtest.h"

static int others;	/* turns that another task had */

static void
other(void *v)
{
	(void)v;
	tasksystem();
	for(;;){
		others++;
		taskyield();
	}
}

TASK_TEST(fdread_takes_what_is_there_without_waiting)
{
	int fds[2];
	char buf[8];

	nonblockpipe(fds);
	taskcreate(other, NULL, 0);
	ck_assert_int_eq(write(fds[1], "data", 4), 4);
	errno = EDOM;
	ck_assert_int_eq(fdread(fds[0], buf, sizeof buf), 4);
	ck_assert_int_eq(errno, EDOM);
	ck_assert_int_eq(others, 0);
}

static void
writelater(void *v)
{
	taskdelay(2);
	ck_assert_int_eq(fdwrite(*(int *)v, "later", 5), 5);
}

TASK_TEST(fdread_waits_for_data_and_leaves_errno_alone)
{
	int fds[2];
	char buf[8];

	nonblockpipe(fds);
	taskcreate(writelater, &fds[1], 0);
	errno = EDOM;
	ck_assert_int_eq(fdread(fds[0], buf, sizeof buf), 5);
	ck_assert_int_eq(errno, EDOM);
	ck_assert_mem_eq(buf, "later", 5);
}

TASK_TEST(fdread_gives_0_at_the_end_of_file)
{
	int fds[2];
	char c;

	nonblockpipe(fds);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	close(fds[1]);
	ck_assert_int_eq(fdread(fds[0], &c, 1), 1);
	ck_assert_int_eq(fdread(fds[0], &c, 1), 0);
	ck_assert_int_eq(fdread1(fds[0], &c, 1), 0);
	ck_assert_int_eq(fdreadn(fds[0], &c, 1), 0);
}

TASK_TEST(fdread_fails_as_read_does)
{
	int dir = open("/", O_RDONLY | O_DIRECTORY);
	char c = 0;

	FAILS(fdread(dir, &c, 1), EISDIR);
	FAILS(fdreadn(dir, &c, 1), EISDIR);
	FAILS(fdwrite(dir, &c, 1), EBADF);
}

TASK_TEST(fdread1_does_not_block_the_others_on_a_blocking_pipe)
{
	int fds[2];
	char buf[8];

	ck_assert_int_eq(pipe(fds), 0);
	taskcreate(writelater, &fds[1], 0);
	ck_assert_int_eq(fdread1(fds[0], buf, sizeof buf), 5);
}

static void
drip(void *v)
{
	int fd = *(int *)v;

	for(int i = 0; i < 1024; i++){
		char c = (char)i;
		ck_assert_int_eq(fdwrite(fd, &c, 1), 1);
		if(i % 100 == 0)
			taskdelay(0);
	}
}

TASK_TEST(fdreadn_gathers_a_thousand_writes_of_one_byte)
{
	int fds[2];
	char buf[1024];

	nonblockpipe(fds);
	taskcreate(drip, &fds[1], 0);
	ck_assert_int_eq(fdreadn(fds[0], buf, sizeof buf), sizeof buf);
	for(int i = 0; i < 1024; i++)
		ck_assert_int_eq(buf[i], (char)i);
}

TASK_TEST(fdreadn_gives_less_only_at_the_end)
{
	int fds[2];
	char buf[8];

	nonblockpipe(fds);
	ck_assert_int_eq(write(fds[1], "abc", 3), 3);
	close(fds[1]);
	ck_assert_int_eq(fdreadn(fds[0], buf, 0), 0);
	ck_assert_int_eq(fdreadn(fds[0], buf, sizeof buf), 3);
}

enum { Large = 10 << 20 };

static unsigned char
byteat(size_t i)
{
	return (unsigned char)(i * 31 + i / 4096);
}

static unsigned char *
large(void)
{
	unsigned char *bytes = malloc(Large);

	for(size_t i = 0; i < Large; i++)
		bytes[i] = byteat(i);
	return bytes;
}

static size_t nread;
static int finished;

static void
compare(void *v)
{
	static unsigned char buf[100000];
	ssize_t r;

	while((r = fdread(*(int *)v, buf, sizeof buf)) > 0)
		for(ssize_t i = 0; i < r; i++)
			if(buf[i] != byteat(nread++))
				ck_abort_msg("byte %zu", nread - 1);
	ck_assert_int_eq(r, 0);
	finished = 1;
}

TASK_TEST(fdwrite_writes_all_in_order_each_byte_once)
{
	unsigned char *bytes = large();
	int fds[2];

	pair(fds);
	taskcreate(compare, &fds[1], 0);
	errno = EDOM;
	ck_assert_int_eq(fdwrite(fds[0], bytes, Large), Large);
	ck_assert_int_eq(errno, EDOM);
	ck_assert_uint_eq(fdwritten(), Large);
	fdclose(fds[0]);
	while(!finished)
		taskdelay(1);
	ck_assert_uint_eq(nread, Large);
	free(bytes);
}

TASK_TEST(fdwrite_of_nothing_is_0)
{
	int fds[2];

	nonblockpipe(fds);
	ck_assert_int_eq(fdwrite(fds[1], "", 1), 1);
	ck_assert_int_eq(fdwrite(fds[1], NULL, 0), 0);
	ck_assert_uint_eq(fdwritten(), 0);
}

/* reads some and goes away. */
static void
vanish(void *v)
{
	static char buf[300000];
	int fd = *(int *)v;

	ck_assert_int_eq(fdreadn(fd, buf, sizeof buf), sizeof buf);
	fdclose(fd);
}

static void
pingpong(void *v)
{
	int *fds = v;
	char c;

	tasksystem();
	for(;;){
		ck_assert_int_eq(fdwrite(fds[0], "p", 1), 1);
		ck_assert_int_eq(fdread(fds[1], &c, 1), 1);
		others++;
		taskdelay(0);
	}
}

static void
writetovanishing(int fds[2])
{
	unsigned char *bytes = large();
	int own[2];

	pair(own);
	taskcreate(pingpong, own, 0);
	taskcreate(vanish, &fds[1], 0);
	errno = 0;
	ck_assert_int_eq(fdwrite(fds[0], bytes, Large), -1);
	ck_assert_int_eq(errno, EPIPE);
	ck_assert_uint_ge(fdwritten(), 300000);
	ck_assert_uint_lt(fdwritten(), Large);
	FAILS(fdwrite(fds[0], bytes, 1), EPIPE);
	ck_assert_uint_eq(fdwritten(), 0);
	int before = others;
	while(others < before + 5)
		taskdelay(0);
	free(bytes);
}

TASK_TEST(fdwrite_to_a_socket_whose_peer_vanishes_is_EPIPE)
{
	int fds[2];

	pair(fds);
	writetovanishing(fds);
}

TASK_TEST(fdwrite_to_a_pipe_whose_reader_vanishes_is_EPIPE)
{
	int fds[2], ends[2];

	nonblockpipe(fds);
	ends[0] = fds[1];
	ends[1] = fds[0];
	writetovanishing(ends);
}

static void
stall(void *v)
{
	static char bytes[1 << 20];

	FAILS(fdwrite(*(int *)v, bytes, sizeof bytes), EBADF);
	nread = fdwritten();
	finished = 1;
}

TASK_TEST(fdwritten_tells_what_went_before_the_descriptor_was_closed)
{
	int fds[2];

	pair(fds);
	taskcreate(stall, &fds[0], 0);
	settle();
	ck_assert_int_eq(finished, 0);
	fdclose(fds[0]);
	settle();
	ck_assert_int_eq(finished, 1);
	ck_assert_uint_gt(nread, 0);
	ck_assert_uint_eq(drain(fds[1]), nread);
}

/* A connection over TCP that the peer resets with bytes in the queue here. */
static int
resetwith(const char *bytes, int n)
{
	int listener = netannounce(TCP, "127.0.0.1", 0);
	int to = netdial(TCP, "127.0.0.1", portof(listener));
	int from = netaccept(listener, NULL, NULL);
	int have = 0;

	ck_assert_int_eq(fdwrite(to, bytes, (size_t)n), n);
	while(have < n){
		ck_assert_int_eq(ioctl(from, FIONREAD, &have), 0);
		taskdelay(1);
	}
	setsockopt(to, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
		sizeof(struct linger));
	fdclose(to);
	return from;
}

TASK_TEST(what_came_before_a_reset_is_read_before_the_error)
{
	static char sent[20000], got[20000];

	memset(sent, 'x', sizeof sent);
	int fd = resetwith(sent, sizeof sent);
	ck_assert_int_eq(fdwait(fd, 'r'), 0);
	ck_assert_int_eq(fdreadn(fd, got, sizeof got), sizeof got);
	ck_assert_mem_eq(got, sent, sizeof got);
	FAILS(fdread(fd, got, sizeof got), ECONNRESET);
}

TASK_TEST(fdnoblock_sets_the_flag_and_keeps_the_others)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	int before = fcntl(fds[1], F_GETFL);
	errno = EDOM;
	ck_assert_int_eq(fdnoblock(fds[1]), 0);
	ck_assert_int_eq(errno, EDOM);
	ck_assert_int_eq(fcntl(fds[1], F_GETFL), before | O_NONBLOCK);
	ck_assert_int_eq(fcntl(fds[1], F_GETFD), FD_CLOEXEC);
}

static int std[2];

static void
unblockstd(void *v)
{
	(void)v;
	ck_assert_int_eq(fdnoblock(0), 0);
	ck_assert_int_eq(fdnoblock(1), 0);
	ck_assert_int_eq(fdnoblock(2), 0);
	if((fcntl(0, F_GETFL) & fcntl(1, F_GETFL) & O_NONBLOCK) == 0)
		taskexitall(3);
}

static void
unblock(void)
{
	dup2(std[0], 0);
	dup2(std[1], 1);
	run(unblockstd);
}

START_TEST(flags_of_the_standard_descriptors_are_put_back_at_exit)
{
	char err[1000];

	ck_assert_int_eq(pipe(std), 0);
	ck_assert_int_eq(fcntl(std[1], F_SETFL, O_NONBLOCK), 0);
	int in = fcntl(std[0], F_GETFL), out = fcntl(std[1], F_GETFL);
	ck_assert_int_eq(child(unblock, err, sizeof err), 0);
	ck_assert_int_eq(fcntl(std[0], F_GETFL), in);
	ck_assert_int_eq(fcntl(std[1], F_GETFL), out);
}
END_TEST

TEST_MAIN("fdio",
	fdread_takes_what_is_there_without_waiting,
	fdread_waits_for_data_and_leaves_errno_alone,
	fdread_gives_0_at_the_end_of_file,
	fdread_fails_as_read_does,
	fdread1_does_not_block_the_others_on_a_blocking_pipe,
	fdreadn_gathers_a_thousand_writes_of_one_byte,
	fdreadn_gives_less_only_at_the_end,
	fdwrite_writes_all_in_order_each_byte_once,
	fdwrite_of_nothing_is_0,
	fdwrite_to_a_socket_whose_peer_vanishes_is_EPIPE,
	fdwrite_to_a_pipe_whose_reader_vanishes_is_EPIPE,
	fdwritten_tells_what_went_before_the_descriptor_was_closed,
	what_came_before_a_reset_is_read_before_the_error,
	fdnoblock_sets_the_flag_and_keeps_the_others,
	flags_of_the_standard_descriptors_are_put_back_at_exit)
