/* SPDX-License-Identifier: MIT */
/*
 * A task blocked a signal, to read it from a signalfd, and died of it.
 * Cause: with libc's contexts each switch put back the mask that the next
 * context had been left with.
 * Fix: the switch hands on the mask that is in force; it is the thread's, as
 * with the switches in assembly.
 */
#include "../test.h"
#include <signal.h>

static int ncaught;

static int
blocked(int sig)
{
	sigset_t now;

	sigprocmask(SIG_BLOCK, NULL, &now);
	return sigismember(&now, sig);
}

static void
mask(int how, int sig)
{
	sigset_t s;

	sigemptyset(&s);
	sigaddset(&s, sig);
	sigprocmask(how, &s, NULL);
}

static void
caught(int sig)
{
	(void)sig;
	ncaught++;
}

static void
other(void *v)
{
	(void)v;
	ck_assert(blocked(SIGUSR1));
	kill(getpid(), SIGUSR1);
	while(blocked(SIGUSR1))
		taskyield();
	mask(SIG_BLOCK, SIGUSR2);
}

/* Across yields, the fdtask, and a task's beginning and end. */
TASK_TEST(the_signal_mask_is_the_thread_s)
{
	signal(SIGUSR1, caught);
	mask(SIG_BLOCK, SIGUSR1);
	taskcreate(other, NULL, 0);
	taskdelay(1);
	ck_assert_int_eq(ncaught, 0);
	ck_assert(blocked(SIGUSR1));
	mask(SIG_UNBLOCK, SIGUSR1);
	ck_assert_int_eq(ncaught, 1);
	while(taskyield())
		;
	ck_assert(!blocked(SIGUSR1));
	ck_assert(blocked(SIGUSR2));
}

TEST_MAIN("signal-mask-switched", the_signal_mask_is_the_thread_s)
