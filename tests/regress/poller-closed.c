/* SPDX-License-Identifier: MIT */
/* A program that closes all descriptors, as daemons do, closes the poller's. */
/*
 * Cause: that the number was not the poller's any more was taken for an error
 * of the call, or for one of the kernel that passes.  With epoll calls failed
 * for good descriptors; with io_uring nothing woke ever again, deadlines
 * neither.  At the end the number was closed, whoever had it by then.
 * Fix: the poller makes another of what it had in the kernel, and all that is
 * waited for is armed anew.  If that cannot be, those who wait get the errno.
 * A mark on the open file tells whether a number is the poller's still.
 */
#include <sys/epoll.h>
#include "../fdtest.h"

/* The poller's descriptor; -1 if it has none. */
static int
pollerfd(void)
{
	char path[64], to[64];

	for(int fd = 3; fd < CountedFds; fd++){
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		ssize_t n = readlink(path, to, sizeof to - 1);
		if(n < 0)
			continue;
		to[n] = '\0';
		if(strstr(to, "[eventpoll]") || strstr(to, "[io_uring]"))
			return fd;
	}
	return -1;
}

typedef struct Reader
{
	int fds[2];
	ssize_t n;
	int err;
} Reader;

static void
reader(void *v)
{
	Reader *r = v;
	char c;

	r->n = fdread(r->fds[0], &c, 1);
	r->err = errno;
}

static int
startread(Reader *r)
{
	r->n = -2;
	pair(r->fds);
	int id = taskcreate(reader, r, 0);
	settle();
	return id;
}

static void
ended(const Reader *r, ssize_t n)
{
	while(r->n == -2)
		taskdelay(1);
	ck_assert_int_eq(r->n, n);
}

/* The number is free, or another file's: a pipe, or a set of the program's. */
enum { Nothing, Pipe, Pair, Others };

static int theirs[2];	/* what has the number, and where that leads */

static void
closepoller(int other)
{
	int fd = pollerfd();

	if(other == Pipe)
		ck_assert_int_eq(pipe(theirs), 0);
	if(other == Pair)
		pair(theirs);
	if(fd < 0)
		return;
	if(other == Nothing)
		close(fd);
	else{
		ck_assert_int_eq(dup2(theirs[0], fd), fd);
		close(theirs[0]);
		theirs[0] = fd;
	}
}

static void
goeson(void *v)
{
	Reader before, after, own;
	Timeout t;
	char c;

	startread(&before);
	closepoller(*(int *)v);
	startread(&after);
	ck_assert_int_eq(write(before.fds[1], "x", 1), 1);
	ended(&before, 1);
	ck_assert_int_eq(fdwrite(after.fds[1], "x", 1), 1);
	ended(&after, 1);
	startread(&own);
	timeoutstart(&t, 1);
	FAILS(fdread(own.fds[1], &c, 1), ETIMEDOUT);
	timeoutstop(&t);
	fdclose(own.fds[0]);
	ended(&own, -1);
	ck_assert_int_eq(own.err, EBADF);
}

/* The number may be that of a descriptor which tasks wait for. */
static void
waitsforit(void *v)
{
	Timeout t;
	char c;

	closepoller(*(int *)v);
	if(*(int *)v != Pair)
		return;
	fdnoblock(theirs[0]);
	ck_assert_int_eq(write(theirs[1], "x", 1), 1);
	ck_assert_int_eq(fdread(theirs[0], &c, 1), 1);
	fdnoblock(theirs[1]);
	timeoutstart(&t, 1);
	FAILS(fdread(theirs[0], &c, 1), ETIMEDOUT);
	timeoutstop(&t);
}

START_TEST(tasks_go_on)
{
	for(int other = Nothing; other < Others; other++)
		ck_assert_int_eq(taskrun(goeson, &other), 0);
}
END_TEST

START_TEST(the_number_can_be_waited_for)
{
	int other = Pair;

	ck_assert_int_eq(taskrun(waitsforit, &other), 0);
}
END_TEST

static void
closeonly(void *v)
{
	closepoller(*(int *)v);
}

START_TEST(a_number_that_is_another_files_is_not_closed)
{
	for(int other = Pipe; other < Others; other++){
		ck_assert_int_eq(taskrun(closeonly, &other), 0);
		ck_assert_int_ge(fcntl(theirs[0], F_GETFD), 0);
		ck_assert_int_eq(taskrun(goeson, &other), 0);
		ck_assert_int_ge(fcntl(theirs[0], F_GETFD), 0);
		ck_assert_int_eq(taskrun(waitsforit, &other), 0);
		ck_assert_int_ge(fcntl(theirs[0], F_GETFD), 0);
	}
}
END_TEST

static void
replacebyset(void *v)
{
	int fd = pollerfd(), set = epoll_create1(0);

	(void)v;
	if(fd < 0)
		fd = set;
	ck_assert_int_eq(dup2(set, fd), fd);
	theirs[0] = fd;
}

START_TEST(not_even_if_it_is_a_set_too)
{
	run(replacebyset);
	ck_assert_int_ge(fcntl(theirs[0], F_GETFD), 0);
}
END_TEST

TASK_TEST(what_is_left_open_does_not_add_up)
{
	Reader r;
	int n = openfds();

	for(int i = 0; i < 10; i++){
		startread(&r);
		closepoller(Nothing);
		ck_assert_int_eq(fdwrite(r.fds[1], "x", 1), 1);
		ended(&r, 1);
		fdclose(r.fds[0]);
		fdclose(r.fds[1]);
	}
	ck_assert_int_eq(openfds(), n);
}

static void
limitto(rlim_t n)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = n;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

TASK_TEST(without_another_the_waiters_get_the_errno_and_deadlines_go_on)
{
	Reader r[2];
	Wait w;
	struct rlimit limit;
	int fd = pollerfd();

	if(fd < 0)
		return;	/* poll needs none */
	for(int i = 0; i < 2; i++)
		startread(&r[i]);
	startwait(&w, r[1].fds[1], 'r');
	settle();
	getrlimit(RLIMIT_NOFILE, &limit);
	limitto((rlim_t)fd);
	closepoller(Nothing);
	for(int i = 0; i < 2; i++){
		ended(&r[i], -1);
		ck_assert_int_eq(r[i].err, EMFILE);
	}
	woken(&w, EMFILE);
	int64_t start = nowns(), cpu = cpuns();
	ck_assert_uint_ge(taskdelay(200), 200);
	ck_assert_int_ge(nowns() - start, 200 * (int64_t)1000000);
	ck_assert_int_lt(cpuns() - cpu, 100 * (int64_t)1000000);
	limitto(limit.rlim_cur);
	startread(&r[0]);
	ck_assert_int_eq(fdwrite(r[0].fds[1], "x", 1), 1);
	ended(&r[0], 1);
}

TASK_TEST(a_descriptor_that_was_closed_too_fails_with_EBADF)
{
	Reader r;

	startread(&r);
	close(r.fds[0]);
	closepoller(Nothing);
	if(strcmp(taskpoller(), "uring") == 0)	/* it may have the file still */
		fdclose(r.fds[0]);
	ended(&r, -1);
	ck_assert_int_eq(r.err, EBADF);
}

TEST_MAIN("poller-closed",
	tasks_go_on,
	the_number_can_be_waited_for,
	a_number_that_is_another_files_is_not_closed,
	not_even_if_it_is_a_set_too,
	what_is_left_open_does_not_add_up,
	without_another_the_waiters_get_the_errno_and_deadlines_go_on,
	a_descriptor_that_was_closed_too_fails_with_EBADF)
