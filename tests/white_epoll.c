/* SPDX-License-Identifier: MIT */
/* epoll from the inside: what it costs, and what happens when it fails. */
#include "../taskimpl.h"
#include <sys/epoll.h>
#include "fdtest.h"

static Sys kernel;
static int nctl, nwait, nread, nopen, failctl;

static int
countctl(int epfd, int op, int fd, struct epoll_event *e)
{
	nctl++;
	if(failctl && nctl == failctl){
		errno = ENOSPC;
		return -1;
	}
	return kernel.epollctl(epfd, op, fd, e);
}

static int
countwait(int epfd, struct epoll_event *e, int n, struct timespec *timeout)
{
	nwait++;
	return kernel.epollwait(epfd, e, n, timeout);
}

static ssize_t
countread(int fd, void *buf, size_t n)
{
	nread++;
	return kernel.read(fd, buf, n);
}

static int
noopen(void)
{
	nopen++;
	errno = EMFILE;
	return -1;
}

static int fds[2];

static void
echo(void *v)
{
	char buf[64];
	ssize_t n;

	(void)v;
	while((n = fdread(fds[1], buf, sizeof buf)) > 0)
		fdwrite(fds[1], buf, (size_t)n);
}

TASK_TEST_BY(a_message_costs_one_read_one_wait_and_nothing_else,
	setenv("TASKPOLLER", "epoll", 1);
	kernel = task_sys;
	task_sys.epollctl = countctl;
	task_sys.epollwait = countwait;
	task_sys.read = countread;
	run(body))
{
	enum { Rounds = 1000 };
	char buf[64] = "ping";

	tcppair(fds);
	taskcreate(echo, NULL, 0);
	for(int i = 0; i < Rounds; i++){
		ck_assert_int_eq(fdwrite(fds[0], buf, 4), 4);
		ck_assert_int_eq(fdread(fds[0], buf, sizeof buf), 4);
	}
	fdclose(fds[0]);
	ck_assert_int_le(nctl, 10);
	ck_assert_int_le(nwait, 2 * Rounds + 10);
	ck_assert_int_le(nread, 2 * Rounds + 10);
}

static void
hears(void *v)
{
	(void)v;
	taskdelay(1);
	ck_assert_int_eq(shutdown(fds[0], SHUT_WR), 0);
}

TASK_TEST_BY(a_wait_for_the_end_behind_a_short_read_asks_the_kernel_nothing,
	setenv("TASKPOLLER", "epoll", 1);
	kernel = task_sys;
	task_sys.epollctl = countctl;
	run(body))
{
	enum { Rounds = 100 };
	char buf[64];
	Timeout t;
	int r = 0;

	tcppair(fds);
	for(int i = 0; i < Rounds; i++){
		ck_assert_int_eq(fdwrite(fds[0], "ping", 4), 4);
		ck_assert(i > 0 || fdwait(fds[1], 'r') == 0);
		ck_assert_int_eq(fdread(fds[1], buf, sizeof buf), 4);
		TIMEOUT(&t, 0)
			r = fdwait(fds[1], 'h');
		ck_assert_int_eq(r, -1);
		ck_assert(timeoutfired(&t));
	}
	ck_assert_int_le(nctl, 10);
	ck_assert_int_ge(taskcreate(hears, NULL, 0), 0);
	ck_assert_int_eq(fdwait(fds[1], 'h'), 0);
	ck_assert_int_eq(fdwait(fds[1], 'h'), 0);
	fdclose(fds[0]);
}

/* Waiters enough to move, and each hears of its bytes. */
static void
crowd(void *v)
{
	enum { Pairs = 100 };
	int pairs[Pairs][2];
	Wait w[Pairs];

	(void)v;
	for(int i = 0; i < Pairs; i++){
		pair(pairs[i]);
		startwait(&w[i], pairs[i][0], 'r');
		if(i % 10 == 9)
			settle();
	}
	ck_assert_str_eq(taskpoller(), failctl ? "epoll" : "poll");
	for(int i = 0; i < Pairs; i++)
		ck_assert_int_eq(write(pairs[i][1], "x", 1), 1);
	settle();
	for(int i = 0; i < Pairs; i++)
		woken(&w[i], 0);
}

START_TEST(without_epoll_poll_goes_on_and_does_not_ask_each_time)
{
	unsetenv("TASKPOLLER");
	task_sys.epollopen = noopen;
	run(crowd);
	ck_assert_int_le(nopen, 5);
}
END_TEST

START_TEST(a_move_that_fails_half_way_is_made_again_later)
{
	unsetenv("TASKPOLLER");
	kernel = task_sys;
	task_sys.epollctl = countctl;
	failctl = 4;
	run(crowd);
	ck_assert_int_gt(nctl, failctl);
}
END_TEST

START_TEST(epoll_asked_for_by_name_but_not_there_is_an_error)
{
	setenv("TASKPOLLER", "epoll", 1);
	task_sys.epollopen = noopen;
	FAILS(taskrun(nothing, NULL), EMFILE);
}
END_TEST

static int
refusectl(int epfd, int op, int fd, struct epoll_event *e)
{
	(void)epfd, (void)op, (void)fd, (void)e;
	errno = ENOMEM;
	return -1;
}

/* The second waiter is left when an event has woken the first. */
TASK_TEST_BY(a_waiter_that_cannot_be_armed_for_again_is_woken,
	setenv("TASKPOLLER", "epoll", 1);
	run(body))
{
	Wait w[2];

	pair(fds);
	startwait(&w[0], fds[0], 'r');
	startwait(&w[1], fds[0], 'r');
	settle();
	task_sys.epollctl = refusectl;
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	settle();
	woken(&w[0], 0);
	woken(&w[1], 0);
}

static int
refusewait(int epfd, struct epoll_event *e, int n, struct timespec *timeout)
{
	(void)epfd, (void)e, (void)n, (void)timeout;
	nwait++;
	errno = EINVAL;
	return -1;
}

TASK_TEST_BY(a_kernel_that_refuses_each_set_is_not_asked_in_a_loop,
	setenv("TASKPOLLER", "epoll", 1);
	task_sys.epollwait = refusewait;
	run(body))
{
	int n = openfds();

	ck_assert_uint_ge(taskdelay(100), 100);
	ck_assert_int_ge(nwait, 2);
	ck_assert_int_le(nwait, 15);
	ck_assert_int_eq(openfds(), n);
}

static int
nomark(int fd)
{
	(void)fd;
	return 0;
}

START_TEST(a_set_that_takes_no_mark_is_closed_all_the_same)
{
	int n = openfds();

	setenv("TASKPOLLER", "epoll", 1);
	task_sys.mark = nomark;
	run(nothing);
	ck_assert_int_eq(openfds(), n);
}
END_TEST

TEST_MAIN("epoll inside",
	a_message_costs_one_read_one_wait_and_nothing_else,
	a_wait_for_the_end_behind_a_short_read_asks_the_kernel_nothing,
	without_epoll_poll_goes_on_and_does_not_ask_each_time,
	a_move_that_fails_half_way_is_made_again_later,
	epoll_asked_for_by_name_but_not_there_is_an_error,
	a_waiter_that_cannot_be_armed_for_again_is_woken,
	a_kernel_that_refuses_each_set_is_not_asked_in_a_loop,
	a_set_that_takes_no_mark_is_closed_all_the_same)
