/* SPDX-License-Identifier: MIT */
/* Cancelling and shields, on a clock that the tests move. */
#include "virtual.h"

static Channel *c;
static unsigned long got;

static int stage;
static unsigned int other;

static void
worker(void *v)
{
	(void)v;
	other = taskid();
	stage = 1;
	ck_assert_int_eq(taskcancelled(), 0);
	FAILS(waitforever(), ECANCELED);
	stage = 2;
	ck_assert_int_eq(taskcancelled(), 1);
	begin();
	FAILS(waitforever(), ECANCELED);
	FAILS(sleepfor(10), ECANCELED);
	ck_assert_int_eq(elapsed(), 0);
	ck_assert_int_ge(taskyield(), 0);
	stage = 3;
}

TASK_TEST(a_cancel_is_for_good)
{
	int id = taskcreate(worker, NULL, 0);

	taskyield();
	ck_assert_int_eq(stage, 1);
	ck_assert_int_eq(taskcancel(id), 0);
	ck_assert_int_eq(taskcancel(id), 0);
	ck_assert_int_eq(stage, 1);
	taskdelay(1);
	ck_assert_int_eq(stage, 3);
	FAILS(taskcancel(id), ESRCH);
	FAILS(taskcancel(id + 1), ESRCH);
	FAILS(taskcancel(0), ESRCH);
	FAILS(taskcancel(-1), ESRCH);
	FAILS(taskcancel(1000000), ESRCH);
}

TASK_TEST(a_task_may_cancel_itself)
{
	ck_assert_int_eq(taskcancel((int)taskid()), 0);
	ck_assert_int_eq(taskcancelled(), 1);
	FAILS(waitforever(), ECANCELED);
}

static void
never(void *v)
{
	(void)v;
	ck_abort_msg("it ran");
}

TASK_TEST(S1_7_a_task_cancelled_before_its_first_run_never_runs)
{
	int id = taskcreate(never, NULL, 0);

	ck_assert_int_eq(taskcancel(id), 0);
	ck_assert_int_eq(taskcancel(id), 0);
	taskyield();
	FAILS(taskcancel(id), ESRCH);
}

static void
yieldtwice(void *v)
{
	taskyield();
	taskyield();
	++*(int *)v;
}

TASK_TEST(one_that_has_run_and_yields_goes_on)
{
	int ran = 0, id = taskcreate(yieldtwice, &ran, 0);

	taskyield();
	ck_assert_int_eq(taskcancel(id), 0);
	taskdelay(1);
	ck_assert_int_eq(ran, 1);
}

static void
receive(void *v)
{
	(void)v;
	ck_assert_int_eq(chanrecv(c, &got), 1);
	FAILS(chanrecv(c, &got), ECANCELED);
	stage++;
}

TASK_TEST(what_was_handed_over_before_the_cancel_is_received)
{
	c = chancreate(sizeof(unsigned long), 0);
	int id = taskcreate(receive, NULL, 0);
	taskyield();
	chansendul(c, 9);
	taskcancel(id);
	taskdelay(1);
	ck_assert_uint_eq(got, 9);
	ck_assert_int_eq(stage, 1);
	chanfree(c);
}

static void
receivenot(void *v)
{
	(void)v;
	FAILS(chanrecv(c, &got), ECANCELED);
}

TASK_TEST(what_is_sent_after_the_cancel_goes_to_another)
{
	c = chancreate(sizeof(unsigned long), 0);
	int id = taskcreate(receivenot, NULL, 0);
	taskyield();
	taskcancel(id);
	ck_assert_int_eq(channbsend(c, &got), -1);
	taskdelay(1);
	chanfree(c);
}

/* Random senders and receivers, cancelled at random: none lost, none twice. */
enum { Items = 3000 };

static int sent, received[Items];
static Random dice;

static void
sender(void *v)
{
	(void)v;
	unsigned long i = (unsigned long)sent++;

	if(chansendul(c, i) == 1)
		received[i] += 100;
}

static void
receiver(void *v)
{
	unsigned long i;
	Timeout t;

	(void)v;
	timeoutstart(&t, randombelow(&dice, 4));
	if(chanrecv(c, &i) == 1)
		received[i]++;
	timeoutstop(&t);
}

TASK_TEST(no_item_is_lost_or_doubled_by_cancels_and_deadlines)
{
	dice = randomstart();
	for(unsigned int cap = 0; cap < 4; cap++){
		c = chancreate(sizeof(unsigned long), (int)cap);
		memset(received, 0, sizeof received);
		sent = 0;
		for(int i = 0; i < Items; i++){
			int id = taskcreate(randombelow(&dice, 2) && sent <
				Items - 1 ? sender : receiver, NULL, 0);
			if(randombelow(&dice, 3) == 0)
				taskdelay(randombelow(&dice, 3));
			id -= (int)randombelow(&dice, 5);
			if(id > 1 && randombelow(&dice, 3) == 0)
				taskcancel(id);
		}
		for(unsigned long i; channbrecv(c, &i) == 1;)
			received[i]++;
		taskdelay(10);
		for(unsigned long i; channbrecv(c, &i) == 1; taskdelay(0))
			received[i]++;
		for(int i = 0; i < Items; i++)
			if(received[i] != 0 && received[i] != 101)
				ck_abort_msg("item %d: %d, seed %lu", i,
					received[i], dice.seed);
		chanfree(c);
	}
}

/* Shields */

static void
cleanup(void *v)
{
	(void)v;
	stage = 1;
	FAILS(waitforever(), ECANCELED);
	ck_assert_int_eq(taskshield(100), 0);
	begin();
	ck_assert_int_eq(sleepfor(40), 0);
	ck_assert_int_eq(taskshield(1000), 0);	/* prolongs nothing */
	ck_assert_int_eq(sleepfor(40), 0);
	ck_assert_int_eq(taskunshield(), 0);
	FAILS(sleepfor(40), ECANCELED);
	ck_assert_int_eq(elapsed(), 100);
	FAILS(sleepfor(40), ECANCELED);
	ck_assert_int_eq(elapsed(), 100);
	ck_assert_int_eq(taskunshield(), 0);
	FAILS(taskunshield(), EINVAL);
	FAILS(sleepfor(40), ECANCELED);
	stage = 2;
}

TASK_TEST(a_shield_gives_a_cancelled_task_time_to_clean_up)
{
	int id = taskcreate(cleanup, NULL, 0);

	taskyield();
	taskcancel(id);
	taskdelay(1000);
	ck_assert_int_eq(stage, 2);
}

static void
shielded(void *v)
{
	begin();
	taskshield(100);
	stage = 1;
	if(v == NULL)
		FAILS(waitforever(), ECANCELED);
	else
		FAILS(sleepfor(500), ECANCELED);
	ck_assert_int_eq(elapsed(), 100);
	taskunshield();
	stage = 2;
}

TASK_TEST(a_cancel_of_one_that_waits_in_a_shield_comes_at_its_end)
{
	for(int i = 0; i < 2; i++){
		int id = taskcreate(shielded, i ? &stage : NULL, 0);
		taskdelay(10);
		taskcancel(id);
		taskdelay(10);
		ck_assert_int_eq(stage, 1);
		taskcancel(id);
		taskdelay(200);
		ck_assert_int_eq(stage, 2);
	}
}

static void
delayshielded(void *v)
{
	(void)v;
	begin();
	taskshield(100);
	ck_assert_int_eq(sleepfor(50), 0);
	ck_assert_int_eq(elapsed(), 50);
	taskunshield();
	FAILS(sleepfor(50), ECANCELED);
	stage = 2;
}

TASK_TEST(a_cancel_does_not_prolong_a_wait_in_a_shield)
{
	int id = taskcreate(delayshielded, NULL, 0);

	taskdelay(10);
	taskcancel(id);
	taskdelay(200);
	ck_assert_int_eq(stage, 2);
}

TASK_TEST(a_shield_holds_off_the_scopes_outside_and_not_those_inside)
{
	Timeout outer, inner;

	timeoutstart(&outer, 10);
	FAILS(waitforever(), ETIMEDOUT);
	begin();
	taskshield(100);
	timeoutstart(&inner, 20);
	FAILS(waitforever(), ETIMEDOUT);
	ck_assert_int_eq(elapsed(), 20);
	ck_assert_int_eq(timeoutstop(&inner), 1);
	ck_assert_int_eq(sleepfor(30), 0);
	FAILS(waitforever(), ETIMEDOUT);
	ck_assert_int_eq(elapsed(), 100);
	taskunshield();
	ck_assert_int_eq(timeoutstop(&outer), 1);
}

TASK_TEST(a_shield_alone_ends_nothing)
{
	begin();
	taskshield(10);
	ck_assert_int_eq(sleepfor(50), 0);
	taskunshield();
	ck_assert_int_eq(elapsed(), 50);
}

static void
firm(void *v)
{
	Timeout t;

	timeoutstart(&t, 10);
	stage = 1;
	ck_assert_int_eq(task_park(WaitRendez, (Object){NULL}, v, NULL,
		Uninterrupted), 0);
	stage = 2;
	FAILS(sleepfor(1), ECANCELED);
	ck_assert_int_eq(timeoutstop(&t), 0);
	stage = 3;
}

TASK_TEST(a_wait_that_must_not_be_cut_short_is_not)
{
	Tasklist queue = {0};
	int id = taskcreate(firm, &queue, 0);

	taskdelay(100);
	taskcancel(id);
	taskdelay(100);
	ck_assert_int_eq(stage, 1);
	task_wakefirst(&queue, 0);
	taskdelay(1);
	ck_assert_int_eq(stage, 3);
}

TEST_MAIN("cancel, inside",
	a_cancel_is_for_good,
	a_task_may_cancel_itself,
	S1_7_a_task_cancelled_before_its_first_run_never_runs,
	one_that_has_run_and_yields_goes_on,
	what_was_handed_over_before_the_cancel_is_received,
	what_is_sent_after_the_cancel_goes_to_another,
	no_item_is_lost_or_doubled_by_cancels_and_deadlines,
	a_shield_gives_a_cancelled_task_time_to_clean_up,
	a_cancel_of_one_that_waits_in_a_shield_comes_at_its_end,
	a_cancel_does_not_prolong_a_wait_in_a_shield,
	a_shield_holds_off_the_scopes_outside_and_not_those_inside,
	a_shield_alone_ends_nothing,
	a_wait_that_must_not_be_cut_short_is_not)
