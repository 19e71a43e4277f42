/* SPDX-License-Identifier: MIT */
/* Calls in a signal handler that interrupts the wait for descriptors. */
#define TEST_POLLER "poll"
#include "../machine/machine.h"
#include "fdtest.h"

/* Each time that the thread waits a signal comes, before anything else does. */
enum { Signals = 200000 };

static Sys real;
static int nsignals, most = Signals;

static int
interrupted(struct pollfd *fds, nfds_t nfds, struct timespec *timeout)
{
	if(nsignals == most || (timeout->tv_sec == 0 && timeout->tv_nsec == 0))
		return real.poll(fds, nfds, timeout);
	nsignals++;
	raise(SIGUSR1);
	return 0;	/* as after EINTR */
}

static void
onsignal(void (*fn)(int))
{
	real = task_sys;
	task_sys.poll = interrupted;
	signal(SIGUSR1, fn);
}

static Channel *numbers, *extras;
static Rendez rendez;
static int nslept;

static void
call(int sig)
{
	(void)sig;
	chansendul(numbers, (unsigned long)nsignals);	/* there is room */
	channbsendul(extras, 1);
	taskwakeup(&rendez);
}

static void
sleeper(void *v)
{
	(void)v;
	tasksystem();
	for(;;){
		tasksleep(&rendez);
		nslept++;
	}
}

static void
receiver(void *v)
{
	tasksystem();
	for(;;)
		*(unsigned long *)v += chanrecvul(extras);
}

/* Beside them a task waits for a descriptor, and another for its time. */
static void
ticker(void *v)
{
	(void)v;
	tasksystem();
	for(;;)
		taskdelay(1);
}

TASK_TEST(calls_that_need_not_wait_are_heard_while_the_thread_waits)
{
	static unsigned long nextras;
	static Wait w;
	int fds[2];

	pair(fds);
	numbers = chancreate(sizeof(unsigned long), 4);
	extras = chancreate(sizeof(unsigned long), 0);
	taskcreate(sleeper, NULL, 0);
	taskcreate(receiver, &nextras, 0);
	taskcreate(ticker, NULL, 0);
	startwait(&w, fds[0], 'r');
	taskyield();
	onsignal(call);
	for(unsigned long i = 1; i <= Signals; i++)
		ck_assert_uint_eq(chanrecvul(numbers), i);
	settle();
	ck_assert_int_eq(nslept, Signals);
	ck_assert_uint_eq(nextras, Signals);
	fdclose(fds[0]);
	taskyield();
	woken(&w, EBADF);
}

static void
exits(int sig)
{
	(void)sig;
	taskexitall(7);
}

static void
waitforexit(void *v)
{
	(void)v;
	onsignal(exits);
	taskdelay(1000);
}

START_TEST(taskexitall_ends_the_program_from_there)
{
	char err[256];
	int status = childtask(waitforexit, err, sizeof err);

	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 7);
}
END_TEST

static void
sendstoomuch(int sig)
{
	(void)sig;
	chansendul(numbers, 1);
}

static void
waitfull(void *v)
{
	(void)v;
	numbers = chancreate(sizeof(unsigned long), 1);
	onsignal(sendstoomuch);
	for(;;)
		taskdelay(1000);
}

START_TEST(a_call_that_would_have_to_wait_there_is_misuse)
{
	abortstask(waitfull, "must not block");
}
END_TEST

TEST_MAIN("handler",
	calls_that_need_not_wait_are_heard_while_the_thread_waits,
	taskexitall_ends_the_program_from_there,
	a_call_that_would_have_to_wait_there_is_misuse)
