/* SPDX-License-Identifier: MIT */
/* What wakes a wait, and what is left to do at the end of a task. */
#include "virtual.h"

static int stage;
static Random dice;

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

static Co *main1;

static void
sleepasmain(void *v)
{
	main1 = comain();
	sleeptwoseconds(v);
}

/* gevent: AssertionError: Invalid switch into f, got 'hello'. */
TASK_TEST(S1_5_an_invalid_switch_into_a_sleeping_task_is_refused)
{
	int id = taskcreate(sleepasmain, NULL, 0);
	int64_t start = now_ns;

	taskdelay(500);
	errno = 0;
	ck_assert_ptr_null(coswitch(main1, "hello"));
	ck_assert_int_eq(errno, EPERM);
	errno = 0;
	ck_assert_ptr_null(cothrow(main1, EINVAL));
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(stage, 0);
	ck_assert_uint_eq(p.sleeping.n, 1);
	ck_assert_int_eq(taskwait(id, NULL), 0);
	ck_assert_int_eq(stage, 1);
	ck_assert_int_eq(now_ns - start, 2000 * (int64_t)Millisecond);
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

TEST_MAIN("end, inside",
	S1_5_a_wakeup_that_is_meant_for_another_wait_is_refused,
	S1_5_an_invalid_switch_into_a_sleeping_task_is_refused,
	what_is_deferred_is_done_last_first_however_the_task_ends,
	S3_24_a_cancelled_owner_with_deferred_qunlock_frees_the_lock,
	S3_16_no_wakeup_is_lost_to_one_whose_time_is_up,
	S3_16_who_slept_has_the_lock_again_however_that_ended,
	tasks_are_found_by_their_ids_among_many)
