/* SPDX-License-Identifier: MIT */
/* Timers, on a clock that the tests move. */
#include "virtual.h"

static int ncalls;
static int64_t calledat[1000];
static Timer *timer;

static void
call(void *v)
{
	(void)v;
	calledat[ncalls++] = elapsed();
}

static void
callfor3ms(void *v)
{
	call(v);
	compute(3);
}

static void
callandsleep3ms(void *v)
{
	call(v);
	taskdelay(3);
}

TASK_TEST(S1_18_a_timer_does_not_drift)
{
	void (*fns[])(void *) = {call, callfor3ms, callandsleep3ms};

	for(int i = 0; i < 3; i++){
		begin();
		ncalls = 0;
		timer = timerstart(10, 10, fns[i], NULL);
		while(ncalls < 100)
			taskdelay(10);
		for(int k = 0; k < 100; k++){
			ck_assert_int_ge(calledat[k], 10 * (k + 1));
			ck_assert_int_le(calledat[k], 10 * (k + 1) + 5);
		}
		ck_assert_int_eq(timermissed(timer), 0);
		ck_assert_int_eq(timerstop(timer), 1);
	}
}

/* The one after the start takes 25 ms. */
static void
callandoverrun(void *v)
{
	call(v);
	if(ncalls == 2)
		compute(25);
}

TASK_TEST(S1_18_an_overrun_is_one_late_call_and_what_was_missed_is_counted)
{
	static const int want[] = {10, 20, 45, 50, 60};

	begin();
	timer = timerstart(10, 10, callandoverrun, NULL);
	taskdelay(65);
	ck_assert_int_eq(ncalls, 5);
	for(int i = 0; i < 5; i++)
		ck_assert_int_eq(calledat[i], want[i]);
	ck_assert_int_eq(timermissed(timer), 1);
	timerstop(timer);
}

static void
callandstop(void *v)
{
	call(v);
	if(ncalls == 3)
		ck_assert_int_eq(timerstop(timer), 1);
	taskdelay(50);
}

TASK_TEST(S1_18_a_timer_may_be_stopped_from_its_own_function)
{
	timer = timerstart(1, 100, callandstop, NULL);
	taskdelay(1000);
	ck_assert_int_eq(ncalls, 3);
	FAILS(timerstop(timer), EINVAL);
}

TASK_TEST(after_is_the_first_delay_and_every_the_others)
{
	begin();
	timer = timerstart(5, 20, call, NULL);
	ck_assert_int_eq(timerremaining(timer), 5);
	taskdelay(50);
	ck_assert_int_eq(ncalls, 3);
	ck_assert_int_eq(calledat[0], 5);
	ck_assert_int_eq(calledat[1], 25);
	ck_assert_int_eq(calledat[2], 45);
	ck_assert_int_eq(timerremaining(timer), 15);
	timerstop(timer);
	timer = timerstart(0, 0, call, NULL);
	ck_assert_int_eq(timerremaining(timer), 0);
	ck_assert_int_eq(ncalls, 3);
	taskdelay(1);
	ck_assert_int_eq(ncalls, 4);
	timerstop(timer);
}

TASK_TEST(a_timer_for_once_is_called_once_and_may_be_started_again)
{
	begin();
	timer = timerstart(10, 0, call, NULL);
	taskdelay(100);
	ck_assert_int_eq(ncalls, 1);
	FAILS(timerremaining(timer), ENOENT);
	ck_assert_int_eq(timeragain(timer), 0);
	taskdelay(5);
	ck_assert_int_eq(timeragain(timer), 0);
	ck_assert_int_eq(timerremaining(timer), 10);
	taskdelay(100);
	ck_assert_int_eq(ncalls, 2);
	ck_assert_int_eq(calledat[1], 115);
	ck_assert_int_eq(timerstop(timer), 0);
}

static void
callandagain(void *v)
{
	call(v);
	taskdelay(3);
	if(ncalls < 4)
		ck_assert_int_eq(timeragain(timer), 0);
}

TASK_TEST(a_timer_may_be_started_again_from_its_own_function)
{
	begin();
	timer = timerstart(10, 0, callandagain, NULL);
	taskdelay(100);
	ck_assert_int_eq(ncalls, 4);
	ck_assert_int_eq(calledat[3], 10 + 3 * 13);
	ck_assert_int_eq(timerstop(timer), 0);
}

static void
sleepandagain(void *v)
{
	(void)v;
	taskdelay(10);
	ck_assert_int_eq(timerremaining(timer), 0);
	ck_assert_int_eq(timeragain(timer), 0);
}

TASK_TEST(timeragain_moves_a_call_that_is_due)
{
	begin();
	taskcreate(sleepandagain, NULL, 0);
	taskyield();
	timer = timerstart(10, 0, call, NULL);
	taskdelay(15);
	ck_assert_int_eq(ncalls, 0);
	taskdelay(10);
	ck_assert_int_eq(ncalls, 1);
	ck_assert_int_eq(calledat[0], 20);
	timerstop(timer);
}

static void
sleepandstop(void *v)
{
	(void)v;
	taskdelay(10);
	ck_assert_int_eq(timerstop(timer), 1);
}

TASK_TEST(one_that_wakes_in_the_same_turn_can_still_stop_it)
{
	taskcreate(sleepandstop, NULL, 0);
	taskyield();
	timer = timerstart(10, 10, call, NULL);
	taskdelay(100);
	ck_assert_int_eq(ncalls, 0);
}

static void
callandexit(void *v)
{
	Timeout t;

	call(v);
	timeoutstart(&t, 1);	/* nobody will stop it */
	if(ncalls == 2)
		taskexit(0);
}

TASK_TEST(what_its_function_leaves_behind_does_not_end_a_timer)
{
	begin();
	timer = timerstart(10, 10, callandexit, NULL);
	taskdelay(45);
	ck_assert_int_eq(ncalls, 4);
	ck_assert_int_eq(calledat[3], 40);
	ck_assert_int_eq(timerstop(timer), 1);
	timer = timerstart(10, 0, callandexit, NULL);
	ncalls = 1;
	taskdelay(20);
	FAILS(timerremaining(timer), ENOENT);
	ck_assert_int_eq(timeragain(timer), 0);
	taskdelay(20);
	ck_assert_int_eq(ncalls, 3);
	ck_assert_int_eq(timerstop(timer), 0);
}

static int timertask;

static void
callandtell(void *v)
{
	call(v);
	timertask = (int)taskid();
}

TASK_TEST(to_cancel_the_task_of_a_timer_ends_what_is_pending)
{
	timer = timerstart(10, 10, callandtell, NULL);
	taskdelay(15);
	ck_assert_int_eq(taskcancel(timertask), 0);
	taskdelay(100);
	ck_assert_int_eq(ncalls, 1);
	FAILS(timerremaining(timer), ENOENT);
	ck_assert_int_eq(timeragain(timer), 0);
	taskdelay(15);
	ck_assert_int_eq(ncalls, 2);
	timerstop(timer);
}

TASK_TEST(no_timer_is_EINVAL)
{
	FAILS(timerstop(NULL), EINVAL);
	FAILS(timeragain(NULL), EINVAL);
	FAILS(timerremaining(NULL), EINVAL);
	FAILS(timermissed(NULL), EINVAL);
	errno = 0;
	ck_assert_ptr_null(timerstart(1, 1, NULL, NULL));
	ck_assert_int_eq(errno, EINVAL);
	timer = timerstart(1, 1, call, NULL);
	ck_assert_int_eq(timerstop(timer), 1);
	FAILS(timerstop(timer), EINVAL);
	FAILS(timeragain(timer), EINVAL);
	taskdelay(10);
	FAILS(timerremaining(timer), EINVAL);
	ck_assert_int_eq(ncalls, 0);
}

TASK_TEST_BY(a_program_waits_for_its_timers,
	startwell(body);
	ck_assert_int_eq(ncalls, 3))
{
	timer = timerstart(10, 10, callandstop, v);
}

TASK_TEST(S0_27_taskafter_calls_later_unless_it_is_cancelled)
{
	begin();
	ck_assert_int_gt(taskafter(30, call, NULL), 0);
	int id = taskafter(20, call, NULL), fresh = taskafter(0, call, NULL);
	ck_assert_int_eq(taskcancel(fresh), 0);
	taskdelay(10);
	ck_assert_int_eq(taskcancel(id), 0);
	taskdelay(10);
	ck_assert_int_eq(ncalls, 0);
	taskdelay(10);
	ck_assert_int_eq(ncalls, 1);
	ck_assert_int_eq(calledat[0], 30);
	FAILS(taskafter(1, NULL, NULL), EINVAL);
}

TASK_TEST(taskdelayuntil_is_absolute)
{
	Timeout t;

	begin();
	ck_assert_int_eq(tasknow(), now_ns);
	int64_t ns = tasknow() + 10 * Millisecond;
	compute(4);
	errno = EDOM;
	ck_assert_int_eq(taskdelayuntil(ns), 0);
	ck_assert_int_eq(elapsed(), 10);
	ck_assert_int_eq(taskdelayuntil(ns), 0);
	ck_assert_int_eq(taskdelayuntil(-5), 0);
	ck_assert_int_eq(elapsed(), 10);
	ck_assert_int_eq(errno, EDOM);
	timeoutstart(&t, 5);
	FAILS(taskdelayuntil(INT64_MAX), ETIMEDOUT);
	timeoutstop(&t);
	ck_assert_int_eq(elapsed(), 15);
}

TASK_TEST_BY(memory_that_runs_out_is_an_error_and_nothing_is_lost,
	startshort(body))
{
	Timer *t[20];

	ncalls = 0;
	for(int i = 0; i < 20; i++){
		t[i] = timerstart(1, 1, call, NULL);
		if(t[i] == NULL)
			ck_assert_int_eq(errno, ENOMEM);
		taskafter(1, call, NULL);
	}
	taskdelay(5);
	for(int i = 0; i < 20; i++)
		if(t[i])
			ck_assert_int_eq(timerstop(t[i]), 1);
}

TEST_MAIN("timer",
	S1_18_a_timer_does_not_drift,
	S1_18_an_overrun_is_one_late_call_and_what_was_missed_is_counted,
	S1_18_a_timer_may_be_stopped_from_its_own_function,
	after_is_the_first_delay_and_every_the_others,
	a_timer_for_once_is_called_once_and_may_be_started_again,
	a_timer_may_be_started_again_from_its_own_function,
	timeragain_moves_a_call_that_is_due,
	one_that_wakes_in_the_same_turn_can_still_stop_it,
	what_its_function_leaves_behind_does_not_end_a_timer,
	to_cancel_the_task_of_a_timer_ends_what_is_pending,
	no_timer_is_EINVAL,
	a_program_waits_for_its_timers,
	S0_27_taskafter_calls_later_unless_it_is_cancelled,
	taskdelayuntil_is_absolute,
	memory_that_runs_out_is_an_error_and_nothing_is_lost)
