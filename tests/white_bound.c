/* SPDX-License-Identifier: MIT */
/* Deadline scopes, cancelling and shields, on a clock that the tests move. */
#include "virtual.h"

/* taskdelay, as a call that fails: how gevent's sleep behaves. */
static int
sleepfor(unsigned int ms)
{
	errno = 0;
	taskdelay(ms);
	return errno ? -1 : 0;
}

/* waits for ever at a rendezvous. */
static int
waitforever(void)
{
	Rendez r = {0};
	int result = tasksleep(&r);

	ck_assert_ptr_null(r.waiting.head);
	return result;
}

static void
compute(unsigned int ms)
{
	now_ns += ms * (int64_t)Millisecond;
}

/* Scopes */

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

/* Cancelling */

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

/* A wait is ended by those who mean it only. */

static Task *sleeper;

static void
sleeptwoseconds(void *v)
{
	(void)v;
	sleeper = p.running;
	ck_assert_uint_eq(taskdelay(2000), 2000);
	stage++;
}

TASK_TEST(S1_5_a_wakeup_that_is_meant_for_another_wait_is_refused)
{
	taskcreate(sleeptwoseconds, NULL, 0);
	taskyield();
	ck_assert_int_eq(task_ready(sleeper, sleeper->wait.number - 1, 0), 0);
	ck_assert_int_eq(task_ready(sleeper, 0, 0), 0);
	ck_assert_int_eq(task_ready(sleeper, sleeper->wait.number + 1, 0), 0);
	taskdelay(1999);
	ck_assert_int_eq(stage, 0);
	taskdelay(1);
	ck_assert_int_eq(stage, 1);
	ck_assert_uint_eq(p.sleeping.n, 0);
}

/* Ends */

static void
noteandsleep(void *v)
{
	notes(v);
	ck_assert_int_eq(sleepfor(5), taskcancelled() ? -1 : 0);
	notes(v);
}

static void
noteandexit(void *v)
{
	notes(v);
	taskexit(0);
}

static void
deferring(void *v)
{
	Timeout t;

	timeoutstart(&t, 3);
	taskdefer(notes, "a");
	taskdefer(noteandsleep, "b");
	taskdefer(noteandexit, "c");
	taskdefer(notes, "d");
	if(v)
		((void (*)(void))(uintptr_t)v)();
}

static void
exitnow(void)
{
	taskexit(0);
}

static void
waitandreturn(void)
{
	waitforever();
}

TASK_TEST(what_is_deferred_is_done_last_first_however_the_task_ends)
{
	void (*ends[])(void) = {NULL, exitnow, waitandreturn};

	for(int i = 0; i < 3; i++){
		*trace = '\0';
		int id = taskcreate(deferring, (void *)(uintptr_t)ends[i], 0);
		taskyield();
		if(i == 2)
			taskcancel(id);
		taskdelay(50);
		ck_assert_str_eq(trace, "dcbba");
	}
	FAILS(taskdefer(NULL, NULL), EINVAL);
}

static QLock ql;

static void
unlock(void *v)
{
	qunlock(v);
}

static void
lockandwait(void *v)
{
	qlock(v);
	taskdefer(unlock, v);
	waitforever();
}

TASK_TEST(S3_24_a_cancelled_owner_with_deferred_qunlock_frees_the_lock)
{
	int id = taskcreate(lockandwait, &ql, 0);

	taskyield();
	ck_assert_ptr_nonnull(ql.owner);
	taskcancel(id);
	ck_assert_int_eq(qlock(&ql), 0);
	qunlock(&ql);
}

static QLock lock;
static Rendez rendez = {.l = &lock};
static int nslept, ntimedout;

static void
sleepatrendez(void *v)
{
	Timeout t;

	(void)v;
	qlock(&lock);
	timeoutstart(&t, 1 + randombelow(&dice, 3));
	if(tasksleep(&rendez) == 0)
		nslept++;
	else{
		ck_assert_int_eq(errno, ETIMEDOUT);
		ntimedout++;
	}
	timeoutstop(&t);
	qunlock(&lock);	/* it has it in any case */
}

TASK_TEST(S3_16_no_wakeup_is_lost_to_one_whose_time_is_up)
{
	int nwoken = 0;

	dice = randomstart();
	for(int i = 0; i < 3000; i++){
		taskcreate(sleepatrendez, NULL, 0);
		if(randombelow(&dice, 2))
			taskdelay(randombelow(&dice, 2));
		if(randombelow(&dice, 2))
			nwoken += taskwakeup(&rendez);
	}
	taskdelay(10);
	ck_assert_ptr_null(rendez.waiting.head);
	ck_assert_int_eq(nslept, nwoken);
	ck_assert_int_eq(nslept + ntimedout, 3000);
	ck_assert_int_gt(nslept, 0);
	ck_assert_int_gt(ntimedout, 0);
}

static void
waitorbedone(void *v)
{
	++*(int *)v;
	waitforever();
	--*(int *)v;
}

static void
holdfor(void *v)
{
	qlock(&lock);
	taskdelay(*(unsigned int *)v);
	qunlock(&lock);
}

TASK_TEST(S3_16_who_slept_has_the_lock_again_however_that_ended)
{
	unsigned int ms = 50;
	Timeout t;

	begin();
	qlock(&lock);
	taskcreate(holdfor, &ms, 0);
	timeoutstart(&t, 20);
	FAILS(tasksleep(&rendez), ETIMEDOUT);
	ck_assert_int_eq(elapsed(), 50);
	ck_assert_ptr_eq(lock.owner, p.running);
	timeoutstop(&t);
	qunlock(&lock);
}

TASK_TEST(tasks_are_found_by_their_ids_among_many)
{
	enum { Many = 500 };
	static int id[Many];
	int alive = 0;

	for(int round = 0; round < 3; round++){
		for(int i = 0; i < Many; i++){
			id[i] = taskcreate(waitorbedone, &alive, 0);
			if(i % 7 == 0)
				FAILS(taskcancel(id[i] + 1), ESRCH);
		}
		taskyield();
		ck_assert_int_eq(alive, Many);
		for(int i = 0; i < Many; i += 2)
			ck_assert_int_eq(taskcancel(id[i]), 0);
		taskyield();
		ck_assert_int_eq(alive, Many / 2);
		for(int i = 0; i < Many; i++)
			ck_assert_int_eq(taskcancel(id[i]), i % 2 ? 0 : -1);
		taskyield();
		ck_assert_int_eq(alive, 0);
	}
}

TEST_MAIN("bound",
	S1_14_timeout_object_fires_only_in_a_call_that_blocks,
	S1_15_of_nested_scopes_only_the_earliest_reports,
	S1_15_a_block_may_be_left_in_every_way,
	S1_16_withtimeout_gives_the_result_or_the_default,
	equal_deadlines_are_the_outer_scopes,
	a_delay_within_its_scope_is_no_timeout,
	a_scope_stopped_in_time_has_not_fired,
	scopes_may_be_stopped_in_any_order_and_started_again,
	a_task_may_end_with_its_scopes_open,
	an_event_and_a_deadline_in_one_turn_are_one_wakeup,
	a_call_in_a_scope_that_is_over_does_not_wait_at_all,
	one_that_tries_again_lets_others_run,
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
	a_wait_that_must_not_be_cut_short_is_not,
	S1_5_a_wakeup_that_is_meant_for_another_wait_is_refused,
	what_is_deferred_is_done_last_first_however_the_task_ends,
	S3_24_a_cancelled_owner_with_deferred_qunlock_frees_the_lock,
	S3_16_no_wakeup_is_lost_to_one_whose_time_is_up,
	S3_16_who_slept_has_the_lock_again_however_that_ended,
	tasks_are_found_by_their_ids_among_many)
