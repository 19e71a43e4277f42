/* SPDX-License-Identifier: MIT */
/* One wait ended and no more, on a clock that the tests move. */
#include "virtual.h"

static QLock ql;
static Rendez rendez = {.l = &ql};
static Group group;
static int ncalled;

/* waits twice, for 10 ms; says how that went by two letters. */
static void
waittwice(void *v)
{
	(void)v;
	for(int i = 0; i < 2; i++)
		note(sleepfor(10) == 0 ? '.' : errno == EINTR ? 'i' :
			errno == ECANCELED ? 'c' : 't');
}

TASK_TEST(the_wait_that_a_task_is_in_fails_once)
{
	int id = taskcreate(waittwice, NULL, 0);

	begin();
	ck_assert_uint_eq(taskdelay(1), 1);
	ck_assert_int_eq(taskinterrupt(id), 0);
	ck_assert_int_eq(taskinterrupt(id), 0);
	ck_assert_int_eq(taskwait(id, NULL), 0);
	ck_assert_int_eq(elapsed(), 11);
	ck_assert_str_eq(trace, "i.");
	FAILS(taskinterrupt(id), ESRCH);
}

TASK_TEST(or_the_next_one_that_would_wait)
{
	begin();
	ck_assert_int_eq(taskinterrupt((int)taskid()), 0);
	ck_assert_int_ge(taskyield(), 0);
	ck_assert_int_eq(qlock(&ql), 0);
	qunlock(&ql);
	waittwice(NULL);
	ck_assert_int_eq(elapsed(), 10);
	int id = taskcreate(waittwice, NULL, 0);
	ck_assert_int_eq(taskinterrupt(id), 0);	/* it has not run yet */
	ck_assert_int_eq(taskwait(id, NULL), 0);
	ck_assert_str_eq(trace, "i.i.");
	ck_assert_ptr_null(p.running->limits.bounds);
}

TASK_TEST(a_scope_around_it_has_not_fired_and_goes_on)
{
	Timeout t;

	begin();
	timeoutstart(&t, 15);
	taskinterrupt((int)taskid());
	waittwice(NULL);
	ck_assert_int_eq(timeoutfired(&t), 0);
	waittwice(NULL);
	ck_assert_int_eq(elapsed(), 15);
	ck_assert_int_eq(timeoutstop(&t), 1);
	ck_assert_str_eq(trace, "i.tt");
}

TASK_TEST(to_be_cancelled_is_final)
{
	int id = taskcreate(waittwice, NULL, 0);

	taskdelay(1);
	taskcancel(id);
	taskinterrupt(id);
	FAILS(taskwait(id, NULL), ECANCELED);
	taskinterrupt((int)taskid());
	taskcancel((int)taskid());
	waittwice(NULL);
	ck_assert_str_eq(trace, "cccc");
}

static void
waitshielded(void *v)
{
	taskshield(15);
	waittwice(v);
	taskunshield();
	waittwice(v);
}

TASK_TEST(a_shield_holds_it_off)
{
	int id = taskcreate(waitshielded, NULL, 0);

	begin();
	taskdelay(1);
	taskinterrupt(id);
	ck_assert_int_eq(taskwait(id, NULL), 0);
	/* the first wait is over before the shield, the second is not */
	ck_assert_str_eq(trace, ".i..");
	ck_assert_int_eq(elapsed(), 15 + 20);
}

static void
sleeplocked(void *v)
{
	(void)v;
	qlock(&ql);
	FAILS(tasksleep(&rendez), EINTR);
	ck_assert_ptr_eq(ql.owner, p.running);
	qunlock(&ql);
}

TASK_TEST(tasksleep_has_its_lock_again)
{
	int id = taskcreate(sleeplocked, NULL, 0);

	taskyield();
	qlock(&ql);
	taskinterrupt(id);
	taskdelay(1);
	qunlock(&ql);
	ck_assert_int_eq(taskwait(id, NULL), 0);
	ck_assert_ptr_null(rendez.waiting.head);
}

TASK_TEST(children_do_not_inherit_it)
{
	begin();
	taskinterrupt((int)taskid());
	ck_assert_int_gt(groupspawn(&group, waittwice, NULL, 0), 0);
	FAILS(taskdelayuntil(INT64_MAX), EINTR);
	ck_assert_int_eq(groupwait(&group), 0);
	ck_assert_int_eq(elapsed(), 20);
	ck_assert_str_eq(trace, "..");
}

TASK_TEST(groupwait_cancels_the_children)
{
	begin();
	groupspawn(&group, waittwice, NULL, 0);
	taskdelay(1);
	taskinterrupt((int)taskid());
	FAILS(groupwait(&group), EINTR);
	ck_assert_str_eq(trace, "cc");
	ck_assert_int_eq(elapsed(), 1);
	ck_assert_uint_eq(p.life->groups.n, 0);
}

static void
call(void *v)
{
	(void)v;
	ck_assert_int_eq(elapsed(), 10 * ++ncalled);
}

TASK_TEST(timers_are_neither_early_nor_ended)
{
	begin();
	Timer *t = timerstart(10, 10, call, NULL);
	int timer = (int)p.all.tail->id, after = taskafter(30, call, NULL);
	taskdelay(1);
	for(int i = 0; i < 2; i++){
		ck_assert_int_eq(taskinterrupt(timer), 0);
		ck_assert_int_eq(taskinterrupt(after), 0);
		taskdelay(10);
	}
	timerstop(t);
	ck_assert_int_eq(ncalled, 2);
	taskdelay(20);
	ck_assert_int_eq(ncalled, 3);
}

TEST_MAIN("interrupt",
	the_wait_that_a_task_is_in_fails_once,
	or_the_next_one_that_would_wait,
	a_scope_around_it_has_not_fired_and_goes_on,
	to_be_cancelled_is_final,
	a_shield_holds_it_off,
	tasksleep_has_its_lock_again,
	children_do_not_inherit_it,
	groupwait_cancels_the_children,
	timers_are_neither_early_nor_ended)
