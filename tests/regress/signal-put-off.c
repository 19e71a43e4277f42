/* SPDX-License-Identifier: MIT */
/*
 * TSan puts a signal off until the thread calls libc, unless it is waiting
 * there; the system calls by which the fdtask waits it does not see.  A signal
 * just before such a wait was handled only when something else ended it.
 */
#include "../test.h"
#ifdef __linux__
#include "../before.h"
#include <pthread.h>
#include <stdatomic.h>

static pthread_t waiter;
static int fds[2], began, sent;
static atomic_int computes;

static void
handler(int sig)
{
	int err = errno;

	if(write(fds[1], "", 1) < 0)
		_exit(128 + sig);
	errno = err;
}

static void *
sendsignal(void *v)
{
	while(!computes)
		;
	pthread_kill(waiter, SIGUSR1);
	return v;
}

/* The signal comes while the thread computes, on its way to the kernel. */
static void
besignalled(void)
{
	pthread_t thread;

	sent = 1;
	pthread_create(&thread, NULL, sendsignal, NULL);
	pthread_detach(thread);
	computes = 1;
	for(volatile int i = 0; i < 50000000; i++)
		;	/* it comes now, and nothing of libc is called */
}

static void
beforecall(long number, const long *arg)
{
	const struct timespec *timeout = number == SYS_ppoll ?
		(void *)arg[2] : number == SYS_epoll_pwait2 ? (void *)arg[3] :
		NULL;

	if(began && !sent && timeout && timeout->tv_sec + timeout->tv_nsec > 0)
		besignalled();
}

static void
awaitsignal(void *v)
{
	char c;

	(void)v;
	ck_assert_int_eq(pipe(fds), 0);
	fdnoblock(fds[0]);
	waiter = pthread_self();
	signal(SIGUSR1, handler);
	began = 1;
	ck_assert_int_eq(fdread(fds[0], &c, 1), 1);
}

START_TEST(a_signal_just_before_poll_is_handled_soon)
{
	setenv("TASKPOLLER", "poll", 1);
	run(awaitsignal);
}
END_TEST

START_TEST(a_signal_just_before_epoll_is_handled_soon)
{
	setenv("TASKPOLLER", "epoll", 1);
	run(awaitsignal);
}
END_TEST

TEST_MAIN("signal-put-off",
	a_signal_just_before_poll_is_handled_soon,
	a_signal_just_before_epoll_is_handled_soon)
#else
TEST_MAIN("signal-put-off")
#endif
