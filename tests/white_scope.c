/* SPDX-License-Identifier: MIT */
/* Deadline scopes, on a clock that the tests move. */
#include "virtual.h"

TASK_TEST(S1_14_timeout_object_fires_only_in_a_call_that_blocks)
{
	Timeout t;

	timeoutstart(&t, 1000);
	ck_assert_int_eq(timeoutpending(&t), 1);
	compute(2000);
	ck_assert_int_ge(taskyield(), 0);
	ck_assert_int_eq(timeoutfired(&t), 0);
	ck_assert_int_eq(timeoutpending(&t), 1);
	begin();
	FAILS(sleepfor(100), ETIMEDOUT);
	ck_assert_int_eq(elapsed(), 0);
	ck_assert_int_eq(timeoutfired(&t), 1);
	ck_assert_int_eq(timeoutpending(&t), 0);
	ck_assert_int_eq(timeoutstop(&t), 1);
	ck_assert_int_eq(timeoutstop(&t), 1);
	ck_assert_int_eq(sleepfor(100), 0);
	ck_assert_int_eq(elapsed(), 100);
}

TASK_TEST(S1_15_of_nested_scopes_only_the_earliest_reports)
{
	Timeout outer, inner;

	begin();
	timeoutstart(&outer, 20);
	timeoutstart(&inner, 50);
	FAILS(sleepfor(1000), ETIMEDOUT);
	ck_assert_int_eq(elapsed(), 20);
	ck_assert_int_eq(timeoutstop(&inner), 0);
	FAILS(sleepfor(1000), ETIMEDOUT);
	ck_assert_int_eq(timeoutstop(&outer), 1);

	begin();
	timeoutstart(&outer, 50);
	timeoutstart(&inner, 20);
	FAILS(waitforever(), ETIMEDOUT);
	ck_assert_int_eq(elapsed(), 20);
	FAILS(waitforever(), ETIMEDOUT);
	ck_assert_int_eq(timeoutstop(&inner), 1);
	FAILS(waitforever(), ETIMEDOUT);
	ck_assert_int_eq(elapsed(), 50);
	ck_assert_int_eq(timeoutstop(&outer), 1);
	ck_assert_int_eq(timeoutfired(&inner), 1);
}

enum { Overdue = 4711 };

TASK_TEST(S1_14_a_timeout_may_have_an_errno_of_the_programs)
{
	Timeout outer, inner;

	begin();
	ck_assert_int_eq(timeoutstartas(&outer, 20, Overdue), 0);
	ck_assert_int_eq(timeoutstart(&inner, 10), 0);
	FAILS(sleepfor(1000), ETIMEDOUT);
	ck_assert_int_eq(timeoutstop(&inner), 1);
	FAILS(waitforever(), Overdue);
	FAILS(waitforever(), Overdue);
	ck_assert_int_eq(elapsed(), 20);
	ck_assert_int_eq(timeoutstop(&outer), 1);
	ck_assert_int_eq(timeoutstart(&outer, 0), 0);	/* not any more */
	FAILS(waitforever(), ETIMEDOUT);
	ck_assert_int_eq(timeoutstop(&outer), 1);
	FAILS(timeoutstartas(&outer, 1, 0), EINVAL);
	FAILS(timeoutstartas(NULL, 1, 1), EINVAL);
	ck_assert_int_eq(timeoutfired(&outer), 0);
}

TASK_TEST(S1_15_a_block_may_be_left_in_every_way)
{
	Timeout t;
	int n = 0;

	begin();
	TIMEOUT(&t, 20){
		FAILS(waitforever(), ETIMEDOUT);
		n++;
	}
	ck_assert_int_eq(timeoutfired(&t), 1);
	ck_assert_int_eq(elapsed(), 20);
	for(int i = 0; i < 3; i++)
		TIMEOUT(&t, 20){
			n++;
			if(i == 0)
				break;
			if(i == 1)
				continue;
			ck_assert_int_eq(sleepfor(5), 0);
		}
	ck_assert_int_eq(n, 4);
	TIMEOUT(&t, 20)
		goto out;
out:
	ck_assert_int_eq(timeoutfired(&t), 0);
	ck_assert_int_eq(sleepfor(100), 0);
	ck_assert_ptr_null(p.running->limits.scopes);
}

static int
sleepandtell(void *v)
{
	taskdelay(*(unsigned int *)v);
	return 7;
}

TASK_TEST(S1_16_withtimeout_gives_the_result_or_the_default)
{
	unsigned int slow = 2000, quick = 10;
	Timeout t;

	begin();
	FAILS(withtimeout(1000, sleepandtell, &slow), ETIMEDOUT);
	ck_assert_int_eq(elapsed(), 1000);
	ck_assert_int_eq(withtimeout(1000, sleepandtell, &quick), 7);
	errno = 0;
	ck_assert_int_eq(withtimeoutdef(1000, sleepandtell, &slow, 10), 10);
	ck_assert_int_eq(errno, 0);
	ck_assert_int_eq(elapsed(), 2010);
	/* one that is not its own passes through */
	timeoutstart(&t, 100);
	ck_assert_int_eq(withtimeoutdef(1000, sleepandtell, &slow, 10), 7);
	ck_assert_int_eq(timeoutstop(&t), 1);
	ck_assert_int_eq(elapsed(), 2110);
	FAILS(withtimeout(10, NULL, NULL), EINVAL);
	FAILS(withtimeoutdef(10, NULL, NULL, 5), EINVAL);
}

TASK_TEST(equal_deadlines_are_the_outer_scopes)
{
	Timeout outer, inner;

	timeoutstart(&outer, 20);
	timeoutstart(&inner, 20);
	FAILS(waitforever(), ETIMEDOUT);
	ck_assert_int_eq(timeoutstop(&inner), 0);
	ck_assert_int_eq(timeoutstop(&outer), 1);
}

TASK_TEST(a_delay_within_its_scope_is_no_timeout)
{
	Timeout t;

	timeoutstart(&t, 30);
	errno = EDOM;
	for(int i = 0; i < 2; i++){
		ck_assert_uint_eq(taskdelay(10), 10);
		ck_assert_int_eq(errno, EDOM);
	}
	ck_assert_uint_eq(taskdelay(11), 10);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_eq(timeoutstop(&t), 1);
}

TASK_TEST(a_scope_stopped_in_time_has_not_fired)
{
	Timeout t;

	timeoutstart(&t, 20);
	ck_assert_int_eq(sleepfor(19), 0);
	ck_assert_int_eq(timeoutstop(&t), 0);
	ck_assert_int_eq(timeoutfired(&t), 0);
	ck_assert_int_eq(sleepfor(100), 0);
}

TASK_TEST(scopes_may_be_stopped_in_any_order_and_started_again)
{
	Timeout a, b, c, zero = {0};

	timeoutstart(&a, 10);
	timeoutstart(&b, 20);
	timeoutstart(&c, 30);
	ck_assert_int_eq(timeoutstop(&a), 0);
	begin();
	timeoutstart(&c, 5);	/* while it is open */
	FAILS(waitforever(), ETIMEDOUT);
	ck_assert_int_eq(elapsed(), 5);
	ck_assert_int_eq(timeoutfired(&b), 0);
	ck_assert_int_eq(timeoutstop(&c), 1);
	FAILS(waitforever(), ETIMEDOUT);
	ck_assert_int_eq(elapsed(), 20);
	ck_assert_int_eq(timeoutstop(&b), 1);
	ck_assert_ptr_null(p.running->limits.scopes);
	ck_assert_int_eq(sleepfor(1), 0);
	ck_assert_ptr_null(p.running->limits.bounds);
	ck_assert_int_eq(timeoutstop(&zero), 0);
	ck_assert_int_eq(timeoutfired(&zero), 0);
	ck_assert_int_eq(timeoutpending(&zero), 0);
	ck_assert_int_eq(timeoutfired(NULL), 0);
	ck_assert_int_eq(timeoutpending(NULL), 0);
	errno = 0;
	ck_assert_int_eq(timeoutstop(NULL), 0);
	ck_assert_int_eq(errno, EINVAL);
	FAILS(timeoutstart(NULL, 1), EINVAL);
	ck_assert_int_eq(timeoutstart(&zero, 1), 0);
	ck_assert_int_eq(timeoutstop(&zero), 0);
}

static Timeout shared;

static void
leaveopen(void *v)
{
	timeoutstart(v, 10);
	ck_assert_int_eq(sleepfor(5), 0);
}

static void
startandreturn(void *v)
{
	Timeout t;

	(void)v;
	timeoutstart(&t, 10);
	taskyield();
}

TASK_TEST(a_task_may_end_with_its_scopes_open)
{
	taskcreate(leaveopen, &shared, 0);
	taskcreate(startandreturn, NULL, 0);
	taskdelay(1);
	/* another task's: nothing happens to it */
	ck_assert_int_eq(timeoutpending(&shared), 0);
	ck_assert_int_eq(timeoutstop(&shared), 0);
	taskdelay(100);
	ck_assert_int_eq(timeoutpending(&shared), 0);
	timeoutstart(&shared, 10);
	FAILS(sleepfor(50), ETIMEDOUT);
	ck_assert_int_eq(timeoutstop(&shared), 1);
}

static Channel *c;
static unsigned long got;

static void
sendonce(void *v)
{
	taskdelay(*(unsigned int *)v);
	chansendul(c, 5);
}

TASK_TEST(an_event_and_a_deadline_in_one_turn_are_one_wakeup)
{
	unsigned int ms = 20;
	Timeout t;

	/* the delay ends first, but its task has not run when the scope ends */
	begin();
	c = chancreate(sizeof(unsigned long), 0);
	taskcreate(sendonce, &ms, 0);
	taskyield();
	timeoutstart(&t, 20);
	ck_assert_int_eq(chanrecv(c, &got), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_eq(timeoutstop(&t), 1);
	ck_assert_uint_eq(chanrecvul(c), 5);
	ck_assert_int_eq(elapsed(), 20);
	chanfree(c);
}

static void
sendnow(void *v)
{
	(void)v;
	chansendul(c, 5);
}

/* Although somebody would have come before the next turn of the fdtask. */
TASK_TEST(a_call_in_a_scope_that_is_over_does_not_wait_at_all)
{
	Timeout t;

	c = chancreate(sizeof(unsigned long), 0);
	timeoutstart(&t, 20);
	FAILS(chanrecv(c, &got), ETIMEDOUT);
	taskcreate(sendnow, NULL, 0);
	FAILS(chanrecv(c, &got), ETIMEDOUT);
	ck_assert_int_eq(chanrecv(c, &got), 1);	/* who sends is there now */
	ck_assert_int_eq(timeoutstop(&t), 1);
	chanfree(c);
}

/* Another that never waits must not be kept from running. */
static int counted;

static void
count(void *v)
{
	(void)v;
	while(counted < 100){
		counted++;
		taskyield();
	}
}

TASK_TEST(one_that_tries_again_lets_others_run)
{
	Timeout t;

	taskcreate(count, NULL, 0);
	timeoutstart(&t, 0);
	FAILS(waitforever(), ETIMEDOUT);
	while(counted < 100)
		FAILS(waitforever(), ETIMEDOUT);
	timeoutstop(&t);
}

TEST_MAIN("scope, inside",
	S1_14_timeout_object_fires_only_in_a_call_that_blocks,
	S1_15_of_nested_scopes_only_the_earliest_reports,
	S1_14_a_timeout_may_have_an_errno_of_the_programs,
	S1_15_a_block_may_be_left_in_every_way,
	S1_16_withtimeout_gives_the_result_or_the_default,
	equal_deadlines_are_the_outer_scopes,
	a_delay_within_its_scope_is_no_timeout,
	a_scope_stopped_in_time_has_not_fired,
	scopes_may_be_stopped_in_any_order_and_started_again,
	a_task_may_end_with_its_scopes_open,
	an_event_and_a_deadline_in_one_turn_are_one_wakeup,
	a_call_in_a_scope_that_is_over_does_not_wait_at_all,
	one_that_tries_again_lets_others_run)
