/* SPDX-License-Identifier: MIT */
/* Rendezvous, as their users see them. */
#include "test.h"

/* Zeroed is empty. */
static Rendez r;
static QLock lock;

static void
sleepandnote(void *v)
{
	if(r.l)
		qlock(r.l);
	ck_assert_int_eq(tasksleep(&r), 0);
	note(*(char *)v);
	if(r.l){
		taskyield();	/* with the lock: nobody comes between */
		note(*(char *)v);
		qunlock(r.l);
	}
}

static void
putthreetosleep(void)
{
	taskcreate(sleepandnote, "a", 0);
	taskcreate(sleepandnote, "b", 0);
	taskcreate(sleepandnote, "c", 0);
	while(taskyield() > 0)
		;
	ck_assert_str_eq(trace, "");
}

TASK_TEST(taskwakeup_wakes_the_first_sleeper_and_does_not_switch)
{
	ck_assert_int_eq(taskwakeup(&r), 0);
	putthreetosleep();
	for(int i = 0; i < 3; i++){
		ck_assert_int_eq(taskwakeup(&r), 1);
		ck_assert_uint_eq(strlen(trace), (unsigned)i);
		taskyield();
		ck_assert_uint_eq(strlen(trace), (unsigned)i + 1);
	}
	ck_assert_int_eq(taskwakeup(&r), 0);
	ck_assert_str_eq(trace, "abc");
}

static void
wakeall(void *v)
{
	(void)v;
	ck_assert_int_eq(taskwakeupall(&r), 0);
	putthreetosleep();
	ck_assert_int_eq(taskwakeupall(&r), 3);
	ck_assert_str_eq(trace, "");
	ck_assert_int_eq(taskwakeupall(&r), 0);
	while(taskyield() > 0)
		;
}

START_TEST(taskwakeupall_wakes_all_in_their_order)
{
	run(wakeall);
	ck_assert_str_eq(trace, "abc");
}
END_TEST

START_TEST(the_lock_is_released_while_tasks_sleep_and_held_when_they_go_on)
{
	r.l = &lock;
	run(wakeall);
	ck_assert_str_eq(trace, "aabbcc");
	ck_assert_ptr_null(lock.owner);
}
END_TEST

TASK_TEST_BY(woken_tasks_wait_for_the_lock_if_the_waker_holds_it,
	r.l = &lock;
	run(body))
{
	putthreetosleep();
	qlock(&lock);
	ck_assert_int_eq(taskwakeupall(&r), 3);
	while(taskyield() > 0)
		;
	ck_assert_str_eq(trace, "");
	qunlock(&lock);
	while(taskyield() > 0)
		;
	ck_assert_str_eq(trace, "aabbcc");
}

/* A bounded buffer of conditions: a missed wake-up stops it for good. */
enum { Room = 3, Makers = 4, Each = 2000 };

static Rendez full, empty;
static int stored, made, used;
static Random dice;

static void
make(void *v)
{
	(void)v;
	for(int i = 0; i < Each; i++){
		if(randombelow(&dice, 3) == 0)
			taskyield();
		qlock(&lock);
		while(stored == Room)
			tasksleep(&full);
		stored++;
		made++;
		taskwakeup(&empty);
		qunlock(&lock);
	}
}

static void
use(void *v)
{
	(void)v;
	for(int i = 0; i < Each; i++){
		if(randombelow(&dice, 3) == 0)
			taskyield();
		qlock(&lock);
		while(stored == 0)
			tasksleep(&empty);
		stored--;
		used++;
		qunlock(&lock);
		taskwakeup(&full);	/* without the lock */
	}
}

TASK_TEST_BY(no_wakeup_is_lost,
	dice = randomstart();
	full.l = empty.l = &lock;
	run(body);
	ck_assert_int_eq(made, Makers * Each);
	ck_assert_int_eq(used, Makers * Each))
{
	for(int i = 0; i < Makers; i++){
		taskcreate(make, NULL, 0);
		taskcreate(use, NULL, 0);
	}
}

TASK_TEST(no_rendez_is_EINVAL)
{
	ck_assert_int_eq(tasksleep(NULL), -1);
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_int_eq(taskwakeup(NULL), -1);
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_int_eq(taskwakeupall(NULL), -1);
	ck_assert_int_eq(errno, EINVAL);
}

TASK_TEST_BY(sleeping_without_the_lock_aborts_with_a_line_that_says_so,
	abortstask(body,
		"tasksleep: the lock r->l is not held by the caller\n"))
{
	r.l = &lock;
	tasksleep(&r);
}

TEST_MAIN("rendez",
	taskwakeup_wakes_the_first_sleeper_and_does_not_switch,
	taskwakeupall_wakes_all_in_their_order,
	the_lock_is_released_while_tasks_sleep_and_held_when_they_go_on,
	woken_tasks_wait_for_the_lock_if_the_waker_holds_it,
	no_wakeup_is_lost,
	no_rendez_is_EINVAL,
	sleeping_without_the_lock_aborts_with_a_line_that_says_so)
