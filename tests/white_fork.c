/* SPDX-License-Identifier: MIT */
/* taskfork when there is no process to be had, or nothing to wait with. */
#include "../machine/machine.h"
#include "fdtest.h"
#include "watched.h"
#include <pthread.h>

static int refusal;

static pid_t
refuse(void)
{
	return task_fail(refusal);
}

static int n;

static void
count(void *v)
{
	(void)v;
	tasksystem();
	for(;;){
		n++;
		taskdelay(1);
	}
}

/* Nothing has changed then: others go on, and signals come. */
TASK_TEST(without_a_process_all_is_as_it_was)
{
	static const int errs[] = {EAGAIN, ENOMEM, ENOSYS};
	pid_t (*real)(void) = task_sys.fork;
	Channel *c = chancreate(sizeof(int), 1);
	sigset_t mask;
	int sig = 0;

	ck_assert_int_eq(signalwatch(SIGUSR1, c), 0);
	taskcreate(count, NULL, 0);
	taskdelay(1);
	task_sys.fork = refuse;
	for(int i = 0; i < 3; i++){
		refusal = errs[i];
		FAILS(taskfork(), errs[i]);
	}
	task_sys.fork = real;
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	ck_assert(!sigismember(&mask, SIGTERM));
	int before = n;
	taskdelay(5);
	ck_assert_int_gt(n, before);
	raise(SIGUSR1);
	ck_assert_int_eq(chanrecv(c, &sig), 1);
	ck_assert_int_eq(sig, SIGUSR1);
	chanfree(c);
}

/* Delays end; who waits for a descriptor is told, or told of it later. */
static int
waitswithout(int fd)
{
	struct rlimit none;
	Timeout t;
	char c;

	getrlimit(RLIMIT_NOFILE, &none);
	none.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &none);
	if(taskdelay(20) < 20)
		return 1;
	timeoutstart(&t, 50);
	int r = fdread(fd, &c, 1) == -1 && (errno == EMFILE ||
		errno == ETIMEDOUT);
	timeoutstop(&t);
	none.rlim_cur = none.rlim_max;
	setrlimit(RLIMIT_NOFILE, &none);
	return !r || fdwait(fd, 'w') < 0;
}

static void
reads(void *v)
{
	char c;

	fdread(*(int *)v, &c, 1);
}

TASK_TEST(a_child_without_descriptors_goes_on)
{
	int fds[2], status;

	if(TestFewer > 1)
		TEST_SKIP("TSan does not follow what a child of several does");
	pair(fds);
	taskcreate(reads, &fds[0], 0);
	settle();
	pid_t pid = taskfork();
	if(pid == 0)
		_exit(waitswithout(fds[0]));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	fdwrite(fds[1], "x", 1);
}

TEST_MAIN("fork, without",
	without_a_process_all_is_as_it_was,
	a_child_without_descriptors_goes_on)
