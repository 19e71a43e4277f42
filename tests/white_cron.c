/* SPDX-License-Identifier: MIT */
/* Crons on a clock on the wall that the tests move, and set. */
#include "../cron/cron.h"
#include "../machine/machine.h"
#include "fault.h"
#include "test.h"
#include <sys/eventfd.h>
#include <sys/timerfd.h>

/* A run begins so long after its second, for time(2) may be late. */
enum { Tick = 10 * Millisecond, Hour = 3600, Today = 24 * Hour };

/*
 * The clock stands still between two calls of runto and setto.  An eventfd is
 * the timerfd: it is written when that could be read.  After setto a read of it
 * fails with ECANCELED once, as the kernel has it.
 */
static int64_t wall_ns, armed_ns;
static int clockfd, wasset, nclocks;
static ssize_t (*realread)(int fd, void *buf, size_t n);

static int64_t
testwall(void)
{
	return wall_ns;
}

/* The id of the task that waits; -1: there is none. */
static int
waiter(void)
{
	for(Task *t = task_proc->all.head; t; t = t->younger)
		if(strcmp(t->name, "cron") == 0)
			return (int)t->id;
	return -1;
}

static void
telltimer(void)
{
	static const uint64_t one = 1;

	if(waiter() >= 0)
		ck_assert_int_eq(write(clockfd, &one, sizeof one),
			sizeof one);
}

static int
testopen(void)
{
	nclocks++;
	clockfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return clockfd;
}

static int
testset(int fd, int64_t ns)
{
	uint64_t n;

	ck_assert_int_gt(ns, 0);
	wasset = 0;
	clockfd = fd;
	if(read(fd, &n, sizeof n) < 0)
		ck_assert_int_eq(errno, EAGAIN);
	armed_ns = ns;
	if(ns <= wall_ns)
		telltimer();
	return 0;
}

static ssize_t
testread(int fd, void *buf, size_t n)
{
	ssize_t r = realread(fd, buf, n);

	if(fd != clockfd || !wasset)
		return r;
	wasset = 0;
	return task_fail(ECANCELED);
}

/* 2023-11-14 00:00:00 UTC, a Tuesday; times below are seconds from there. */
static int64_t begin_s = 1699920000;

static void
startclock(void)
{
	setenv("TZ", "UTC", 1);
	tzset();
	wall_ns = begin_s * Second + Tick;
	realread = task_sys.read;
	task_sys.wallnow = testwall;
	task_sys.wallopen = testopen;
	task_sys.wallset = testset;
	task_sys.read = testread;
}

/* lets the clock run until s, with a look at each minute; or a bit less. */
static void
runto(int64_t s)
{
	int64_t end_ns = (begin_s + s) * Second + Tick;

	while(wall_ns < end_ns){
		wall_ns += 60 * (int64_t)Second;
		if(wall_ns > end_ns)
			wall_ns = end_ns;
		if(armed_ns <= wall_ns)
			telltimer();
		settle();
	}
}

/* sets the clock to s. */
static void
setto(int64_t s)
{
	wall_ns = (begin_s + s) * Second + Tick;
	wasset = 1;
	telltimer();
	settle();
}

static void
runclocked(void (*fn)(void *))
{
	startclock();
	ck_assert_int_eq(taskrun(fn, NULL), 0);
}

#define CRON_TEST(name) TASK_TEST_BY(name, runclocked(body))

static int ncalls;
static int64_t called_s;

static void
call(void *v)
{
	(void)v;
	ncalls++;
	called_s = wall_ns / Second - begin_s;
}


CRON_TEST(a_cron_calls_at_each_time_and_never_early)
{
	Cron *c = cronstart("*/20 * * * *", call, NULL);

	settle();
	ck_assert_int_eq(ncalls, 0);
	ck_assert_int_eq(armed_ns, (begin_s + 1200) * Second +
		Tick);
	wall_ns = armed_ns - 1;
	telltimer();
	settle();
	ck_assert_int_eq(ncalls, 0);
	for(int i = 1; i <= 10; i++){
		runto(i * 1200);
		ck_assert_int_eq(ncalls, i);
		ck_assert_int_eq(called_s, i * 1200);
	}
	ck_assert_int_eq(cronstop(c), 0);
	runto(Today);
	ck_assert_int_eq(ncalls, 10);
}

static int nlater;

static void
calllater(void *v)
{
	(void)v;
	nlater++;
}

CRON_TEST(many_crons_take_one_task_and_one_descriptor)
{
	Cron *c[101];

	for(int i = 0; i < 100; i++)
		c[i] = cronstart("30 * * * *", call, NULL);
	c[100] = cronstart("0 * * * *", calllater, NULL);
	settle();
	ck_assert_int_eq(task_proc->ntask, 2);
	ck_assert_int_eq(nclocks, 1);
	runto(Hour - 1);
	ck_assert_int_eq(ncalls, 100);
	ck_assert_int_eq(nlater, 0);
	runto(Hour);
	ck_assert_int_eq(ncalls, 100);
	ck_assert_int_eq(nlater, 1);
	for(int i = 0; i < 101; i++)
		ck_assert_int_eq(cronstop(c[i]), 0);
}

CRON_TEST(an_earlier_cron_does_not_wait_for_a_later_one)
{
	Cron *c = cronstart("@daily", calllater, NULL);

	settle();
	Cron *d = cronstart("@hourly", call, NULL);
	runto(Hour);
	ck_assert_int_eq(ncalls, 1);
	ck_assert_int_eq(nlater, 0);
	cronstop(d);
	runto(Today);
	ck_assert_int_eq(ncalls, 1);
	ck_assert_int_eq(nlater, 1);
	cronstop(c);
}

CRON_TEST(a_clock_set_ahead_makes_one_call_at_once_and_then_goes_on)
{
	Cron *c = cronstart("*/10 * * * *", call, NULL);

	settle();
	setto(5 * Hour + 61);
	ck_assert_int_eq(ncalls, 1);
	ck_assert_int_eq(armed_ns, (begin_s + 5 * Hour + 600) * Second +
		Tick);
	setto(400 * (int64_t)Today + 1);
	ck_assert_int_eq(ncalls, 2);
	/* over no time at all */
	setto(400 * (int64_t)Today + 599);
	ck_assert_int_eq(ncalls, 2);
	runto(400 * (int64_t)Today + 600);
	ck_assert_int_eq(ncalls, 3);
	cronstop(c);
}

CRON_TEST(P17_what_has_run_does_not_run_again_when_the_clock_is_set_back)
{
	Cron *c = cronstart("0 * * * *", call, NULL);

	runto(4 * Hour + 60);
	ck_assert_int_eq(ncalls, 4);
	setto(2 * Hour - 60);
	runto(5 * Hour - 1);
	ck_assert_int_eq(ncalls, 4);
	runto(5 * Hour);
	ck_assert_int_eq(ncalls, 5);
	/* and what has not run does */
	setto(5 * Hour - 30 * 60);
	setto(6 * Hour);
	ck_assert_int_eq(ncalls, 6);
	cronstop(c);
}

CRON_TEST(what_was_made_up_for_does_not_run_again_either)
{
	Cron *c = cronstart("0 * * * *", call, NULL);

	settle();
	setto(3 * Hour + 1);
	ck_assert_int_eq(ncalls, 1);
	setto(Hour - 1);
	runto(4 * Hour - 1);
	ck_assert_int_eq(ncalls, 1);
	runto(4 * Hour);
	ck_assert_int_eq(ncalls, 2);
	cronstop(c);
}

CRON_TEST(a_clock_that_was_wrong_by_more_than_three_hours_begins_anew)
{
	Cron *c = cronstart("0 * * * *", call, NULL);

	settle();
	setto(3000 * (int64_t)Today);
	ck_assert_int_eq(ncalls, 1);
	setto(60);
	runto(Hour - 1);
	ck_assert_int_eq(ncalls, 1);
	ck_assert_int_eq(armed_ns, (begin_s + Hour) * Second +
		Tick);
	runto(2 * Hour);
	ck_assert_int_eq(ncalls, 3);
	cronstop(c);
}

CRON_TEST(a_clock_set_back_before_the_first_call_delays_it)
{
	runto(Hour);
	Cron *c = cronstart("0 2 * * *", call, NULL);
	settle();
	setto(0);
	runto(2 * Hour - 1);
	ck_assert_int_eq(ncalls, 0);
	runto(2 * Hour);
	ck_assert_int_eq(ncalls, 1);
	cronstop(c);
}

/* Summer time, as the clock runs through it. */
CRON_TEST(a_night_in_spring_makes_one_call_of_what_it_skips)
{
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	wall_ns = (begin_s = 1711836000) * Second;	/* 2024-03-30 23:00 */
	Cron *c = cronstart("*/15 2 * * *", call, NULL);
	Cron *d = cronstart("45 * * * *", calllater, NULL);

	runto(3 * Hour - 1);
	ck_assert_int_eq(ncalls, 0);
	ck_assert_int_eq(nlater, 3);
	runto(3 * Hour);
	ck_assert_int_eq(ncalls, 1);
	runto(24 * Hour);
	ck_assert_int_eq(ncalls, 1);
	ck_assert_int_eq(nlater, 24);
	cronstop(c);
	cronstop(d);
}

/* Runs */

static Rendez hold;
static int held;

static void
callandhold(void *v)
{
	call(v);
	held++;
	tasksleep(&hold);
	held--;
}

CRON_TEST(a_run_that_goes_on_has_the_next_left_out)
{
	Cron *c = cronstart("*/10 * * * *", callandhold, NULL);
	Cron *d = cronstart("*/10 * * * *", calllater, NULL);

	runto(3600);
	ck_assert_int_eq(ncalls, 1);
	ck_assert_int_eq(held, 1);
	ck_assert_int_eq(nlater, 6);
	taskwakeup(&hold);
	settle();
	ck_assert_int_eq(ncalls, 1);	/* not made up for */
	runto(4200);
	ck_assert_int_eq(ncalls, 2);
	ck_assert_int_eq(cronstop(c), 1);
	taskwakeup(&hold);
	settle();
	ck_assert_int_eq(held, 0);
	ck_assert_int_eq(cronstop(d), 0);
}

static int key, nvalues;
static unsigned int lastid;

static void
callwithvalue(void *v)
{
	call(v);
	nvalues += tasklocal(key) != NULL;
	tasksetlocal(key, v);
	ck_assert_str_eq(taskgetname(), "cron */10 * * * *");
	ck_assert_uint_ne(lastid, taskid());
	lastid = taskid();
	if(ncalls % 2)
		taskexit(3);
}

CRON_TEST(each_run_is_a_task_of_its_own_named_after_the_spec)
{
	int unused;

	key = taskkey(NULL);
	Cron *c = cronstart("*/10 * * * *", callwithvalue, &unused);
	runto(6000);
	ck_assert_int_eq(ncalls, 10);
	ck_assert_int_eq(nvalues, 0);
	cronstop(c);
	taskexit(0);
}

static Cron *self;

static void
callandstop(void *v)
{
	call(v);
	ck_assert_int_eq(cronstop(self), 1);
	FAILS(cronstop(self), EINVAL);
}

CRON_TEST(a_run_may_stop_its_own_cron)
{
	self = cronstart("* * * * *", callandstop, NULL);
	runto(600);
	ck_assert_int_eq(ncalls, 1);
}

/* The first one stops the second, whose run is ready by then. */
CRON_TEST(no_run_begins_after_cronstop)
{
	Cron *late = cronstart("* * * * *", call, NULL);

	settle();
	wall_ns += 60 * (int64_t)Second;
	telltimer();
	while(task_proc->ntask < 3)
		taskyield();
	ck_assert_int_eq(ncalls, 0);
	ck_assert_int_eq(cronstop(late), 0);
	settle();
	ck_assert_int_eq(ncalls, 0);
}

static void
callandshow(void *v)
{
	call(v);
	taskdelay(1);
}

CRON_TEST(a_cron_may_be_started_while_a_run_of_a_stopped_one_goes_on)
{
	Cron *c = cronstart("* * * * *", callandhold, NULL);

	runto(60);
	ck_assert_int_eq(cronstop(c), 1);
	Cron *d = cronstart("* * * * *", callandshow, NULL);
	ck_assert_ptr_ne(c, d);
	FAILS(cronstop(c), EINVAL);
	runto(120);
	ck_assert_int_eq(ncalls, 2);
	taskwakeup(&hold);
	cronstop(d);
}

CRON_TEST(who_cancels_the_task_cron_ends_all_and_new_ones_begin)
{
	Cron *c = cronstart("* * * * *", call, NULL);

	settle();
	ck_assert_int_eq(taskcancel(waiter()), 0);
	settle();
	ck_assert_int_eq(waiter(), -1);
	runto(600);
	ck_assert_int_eq(ncalls, 0);
	Cron *d = cronstart("* * * * *", calllater, NULL);
	runto(660);
	ck_assert_int_eq(ncalls, 0);
	ck_assert_int_eq(nlater, 1);
	ck_assert_int_eq(cronstop(c), 0);
	ck_assert_int_eq(cronstop(d), 0);
}

CRON_TEST(an_interrupt_changes_nothing)
{
	Cron *c = cronstart("* * * * *", call, NULL);

	settle();
	ck_assert_int_eq(taskinterrupt(waiter()), 0);
	runto(60);
	ck_assert_int_eq(ncalls, 1);
	cronstop(c);
}

/* What is short */

static int
refuse(void)
{
	return task_fail(EMFILE);
}

CRON_TEST(without_a_descriptor_a_cron_does_not_start)
{
	task_sys.wallopen = refuse;
	errno = 0;
	ck_assert_ptr_null(cronstart("* * * * *", call, NULL));
	ck_assert_int_eq(errno, EMFILE);
	settle();
	ck_assert_int_eq(task_proc->ntask, 1);
	task_sys.wallopen = testopen;
	Cron *c = cronstart("* * * * *", call, NULL);
	runto(60);
	ck_assert_int_eq(ncalls, 1);
	cronstop(c);
}

TASK_TEST_BY(without_memory_a_cron_does_not_start,
	startclock();
	faultstart();
	ck_assert_int_eq(taskrun(body, NULL), 0);
	ck_assert_int_eq(fault.nlive, 0))
{
	Cron *c = NULL;
	int n = 0;

	while(c == NULL){
		ck_assert_int_lt(n, 20);
		faultarm(++n, 1, 0);
		errno = 0;
		c = cronstart("* * * * *", call, NULL);
		ck_assert(c || errno == ENOMEM);
		faultarm(0, 0, 0);
	}
	ck_assert_int_ge(n, 2);
	runto(60);
	ck_assert_int_eq(ncalls, 1);
	cronstop(c);
}

static void *
nomap(size_t bytes)
{
	(void)bytes;
	return NULL;
}

static void
keepstack(void *v)
{
	(void)v;
	tasksystem();
	tasksleep(&hold);
}

/* A stack for the run: there is none, and then there is. */
CRON_TEST(a_run_that_cannot_begin_is_tried_again)
{
	Cron *c = cronstart("* * * * *", call, NULL);
	void *(*map)(size_t bytes) = task_sys.map;

	settle();
	task_sys.map = nomap;
	while(taskcreate(keepstack, NULL, 0) >= 0)	/* those there are */
		;
	ck_assert_int_eq(errno, ENOMEM);
	wall_ns += 60 * (int64_t)Second;
	telltimer();
	settle();
	ck_assert_int_eq(ncalls, 0);
	task_sys.map = map;
	for(int i = 0; i < 300 && ncalls == 0; i++)
		taskdelay(10);
	ck_assert_int_eq(ncalls, 1);
	cronstop(c);
}

static int nrefused;

static int
refuseset(int fd, int64_t ns)
{
	if(nrefused++ == 0)
		return task_fail(EINVAL);
	return testset(fd, ns);
}

CRON_TEST(a_timer_that_cannot_be_set_is_tried_again)
{
	task_sys.wallset = refuseset;
	Cron *c = cronstart("* * * * *", call, NULL);

	settle();
	ck_assert_int_eq(nrefused, 1);
	while(nrefused < 2)
		taskdelay(10);
	runto(60);
	ck_assert_int_eq(ncalls, 1);
	cronstop(c);
}

/* Other processes */

/* Each process has a clock here, for each has a copy of wall_ns. */
CRON_TEST(the_child_of_a_fork_has_a_timer_of_its_own)
{
	if(TestFewer > 1)
		TEST_SKIP("TSan does not follow what a child does");
	Cron *c = cronstart("* * * * *", call, NULL);
	int status;

	settle();
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if(pid == 0){
		runto(180);
		_exit(ncalls == 3 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	settle();
	ck_assert_int_eq(ncalls, 0);
	runto(60);
	ck_assert_int_eq(ncalls, 1);
	cronstop(c);
}

CRON_TEST(in_the_child_of_taskfork_no_cron_makes_a_call)
{
	if(TestFewer > 1)
		TEST_SKIP("TSan does not follow what a child does");
	Cron *c = cronstart("* * * * *", call, NULL);
	int status;

	runto(60);
	pid_t pid = taskfork();
	ck_assert_int_ge(pid, 0);
	if(pid == 0){
		wall_ns += 60 * (int64_t)Second;
		settle();
		int wrong = ncalls != 1 || cronstop(c) != 0;
		Cron *d = cronstart("* * * * *", calllater, NULL);
		settle();
		wall_ns += 60 * (int64_t)Second;
		telltimer();
		settle();
		wrong |= ncalls != 1 || nlater != 1 || cronstop(d) != 0;
		_exit(wrong);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	runto(120);
	ck_assert_int_eq(ncalls, 2);
	cronstop(c);
}

/* The kernel's own */
START_TEST(the_real_timer_tells_of_a_time_that_has_passed)
{
	int fd = task_syswallopen();
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	int64_t now_ns = task_syswallnow();
	uint64_t n;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_lt(llabs(now_ns / Second - (int64_t)time(NULL)), 60);
	ck_assert_int_eq(task_syswallset(fd, now_ns + 3600 * (int64_t)Second),
		0);
	ck_assert_int_eq(poll(&pfd, 1, 0), 0);
	ck_assert_int_eq(task_syswallset(fd, now_ns + 20000000), 0);
	ck_assert_int_eq(poll(&pfd, 1, -1), 1);
	ck_assert_int_ge(task_syswallnow(), now_ns + 20000000);
	ck_assert_int_eq(read(fd, &n, sizeof n), sizeof n);
	close(fd);
}
END_TEST

/* What the kernel says of a timerfd: its clock, and how it was set last. */
START_TEST(the_real_timer_is_told_when_the_clock_is_set)
{
	int fd = task_syswallopen(), clock = -1;
	unsigned int flags = 0;
	char path[64], line[128];

	ck_assert_int_eq(task_syswallset(fd, task_syswallnow() +
		3600 * (int64_t)Second), 0);
	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	FILE *f = fopen(path, "r");
	while(f && fgets(line, sizeof line, f)){
		sscanf(line, "clockid: %d", &clock);
		sscanf(line, "settime flags: %o", &flags);
	}
	if(f)
		fclose(f);
	close(fd);
	if(clock < 0)
		TEST_SKIP("there is no /proc/self/fdinfo for timers");
	ck_assert_int_eq(clock, CLOCK_REALTIME);
	ck_assert_uint_eq(flags, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET);
}
END_TEST

TEST_MAIN("cron inside",
	a_cron_calls_at_each_time_and_never_early,
	many_crons_take_one_task_and_one_descriptor,
	an_earlier_cron_does_not_wait_for_a_later_one,
	a_clock_set_ahead_makes_one_call_at_once_and_then_goes_on,
	P17_what_has_run_does_not_run_again_when_the_clock_is_set_back,
	what_was_made_up_for_does_not_run_again_either,
	a_clock_that_was_wrong_by_more_than_three_hours_begins_anew,
	a_clock_set_back_before_the_first_call_delays_it,
	a_night_in_spring_makes_one_call_of_what_it_skips,
	a_run_that_goes_on_has_the_next_left_out,
	each_run_is_a_task_of_its_own_named_after_the_spec,
	a_run_may_stop_its_own_cron,
	no_run_begins_after_cronstop,
	a_cron_may_be_started_while_a_run_of_a_stopped_one_goes_on,
	who_cancels_the_task_cron_ends_all_and_new_ones_begin,
	an_interrupt_changes_nothing,
	without_a_descriptor_a_cron_does_not_start,
	without_memory_a_cron_does_not_start,
	a_run_that_cannot_begin_is_tried_again,
	a_timer_that_cannot_be_set_is_tried_again,
	the_child_of_a_fork_has_a_timer_of_its_own,
	in_the_child_of_taskfork_no_cron_makes_a_call,
	the_real_timer_tells_of_a_time_that_has_passed,
	the_real_timer_is_told_when_the_clock_is_set)
