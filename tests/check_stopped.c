/* SPDX-License-Identifier: MIT */
/* Threads that stop in the midst of anything, and go on. */
#include "../task.h"
#include "test.h"
#include "watched.h"
#include <sys/wait.h>
#include <unistd.h>

enum { Messages = 100000, Stops = 40 };

static Channel *there, *back;

static int
plusone(void *v)
{
	return ++*(int *)v;
}

/* sends what it gets back. */
static void
echo(void *v)
{
	unsigned long n;

	(void)v;
	while(chanrecv(there, &n) == 1)
		if(chansend(back, &n) != 1)
			abort();
	chanclose(back);
}

static void
sender(void *v)
{
	unsigned long n;

	for(n = 0; n < (unsigned long)*(int *)v; n++)
		if(chansend(there, &n) != 1)
			abort();
	chanclose(there);
}

/* calls another thread all the time, with deadlines that may pass. */
static void *
caller(void *v)
{
	int n = 0, made = 0;
	Timeout t;

	while(*(int *)v == 0){
		TIMEOUT(&t, 1)
			if(offload(plusone, &n) > 0)
				made++;
		if(n != made)
			abort();
		taskdelay(1);
	}
	return NULL;
}

/* Every message comes back, once, in order; 0 is the exit status then. */
static void
busy(void *v)
{
	int over = 0;
	unsigned long n, next = 0;

	there = chanshared(sizeof n, 3);
	back = chanshared(sizeof n, 0);
	int e = proccreate(echo, NULL, 0), s = proccreate(sender, v, 0);
	int c = taskspawn(caller, &over, 0);
	while(chanrecv(back, &n) == 1)
		if(n != next++)
			abort();
	over = 1;
	taskwait(c, NULL);
	procwait(e, NULL);
	procwait(s, NULL);
	taskexit(next == (unsigned long)*(int *)v ? 0 : 1);
}

START_TEST(what_stops_at_any_time_goes_on)
{
	int n = fewer(watched() ? Messages / 10 : Messages), status = -1;
	pid_t pid = fork();

	if(pid == 0)
		_exit(taskrun(busy, &n));
	for(int i = 0; i < Stops; i++){
		usleep(1000 + 500 * (useconds_t)(i % 7));
		ck_assert_int_eq(kill(pid, SIGSTOP), 0);
		usleep(3000);
		ck_assert_int_eq(kill(pid, SIGCONT), 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

TEST_MAIN("stopped", what_stops_at_any_time_goes_on)
