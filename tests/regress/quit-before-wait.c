/* SPDX-License-Identifier: MIT */
/*
 * A SIGQUIT that came after the fdtask had looked for one, but before the
 * kernel waited, was served only at the next event.  The handler also zeroes
 * the timeout that the kernel is about to read.  Here the first wait begins
 * with such a signal.  On epoll that failed still where epoll_pwait2 is unknown
 * or forbidden.
 */
#include "../test.h"
#ifdef __linux__
#include "../before.h"
#include "../forbid.h"
#include <sys/epoll.h>

static int fds[2];
static char list[4096];
static int calm = 1;
static long forbidden = -1;

static void
quit(void)
{
	if(!calm)
		raise(SIGQUIT);
	calm = 1;
}

/* libc's functions by which the library waits, with a signal before each. */
static void
beforecall(long number, const long *arg)
{
	(void)arg;
	if(number == SYS_ppoll ||
			(number == SYS_epoll_pwait2 && number != forbidden))
		quit();
}

int
epoll_wait(int set, struct epoll_event *e, int n, int ms)
{
	int (*real)(int, struct epoll_event *, int, int) =
		(int (*)(int, struct epoll_event *, int, int))dlsym(RTLD_NEXT,
		"epoll_wait");

	quit();
	return real(set, e, n, ms);
}

/* Nothing but the list itself ends this wait. */
static void
readlist(void *v)
{
	(void)v;
	calm = 0;
	ck_assert_int_gt(fdread1(fds[0], list, sizeof list - 1), 0);
}

static void
quitbeforewait(const char *poller)
{
	setenv("TASKPOLLER", poller, 1);
	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(dup2(fds[1], 2), 2);
	run(readlist);
	ck_assert_int_eq(strncmp(list, "task list:\n", 11), 0);
}

START_TEST(a_signal_just_before_poll_is_served_at_once)
{
	quitbeforewait("poll");
}
END_TEST

START_TEST(a_signal_just_before_epoll_is_served_at_once)
{
	quitbeforewait("epoll");
}
END_TEST

START_TEST(a_signal_just_before_an_old_epoll_is_served_at_once)
{
	if(!forbid(SYS_epoll_pwait2))
		TEST_SKIP("no seccomp filters here");
	forbidden = SYS_epoll_pwait2;
	quitbeforewait("epoll");
}
END_TEST

TEST_MAIN("quit-before-wait",
	a_signal_just_before_poll_is_served_at_once,
	a_signal_just_before_epoll_is_served_at_once,
	a_signal_just_before_an_old_epoll_is_served_at_once)
#else
TEST_MAIN("quit-before-wait")
#endif
