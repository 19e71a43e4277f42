/* SPDX-License-Identifier: MIT */
/*
 * A call on an object for which tasks of another thread waited woke them in the
 * scheduler of the caller: an assertion of the sleeping queue failed, or tasks
 * ran in the wrong thread.  A task that waited for a lock held elsewhere was
 * woken there.  A group of another thread was started anew, so its owner waited
 * for nobody.  Now a task's key names its scheduler, and is looked at where a
 * queue is not empty, or the caller would have to wait.
 */
#include "../test.h"
#include <pthread.h>

static QLock ql;
static RWLock rw;
static RecLock rec;
static Sem sem;
static Event ev;
static Rendez bare, locked = {.l = &ql};
static Group group;
static Timer *timer;

static void *
runthere(void *fn)
{
	run(*(void (**)(void *))fn);
	return NULL;
}

/* runs fn in the scheduler of another thread, while this one stands still. */
static void
elsewhere(void (*fn)(void *))
{
	pthread_t t;

	ck_assert_int_eq(pthread_create(&t, NULL, runthere, &fn), 0);
	ck_assert_int_eq(pthread_join(t, NULL), 0);
}

static void
waitsem(void *v)
{
	ck_assert_int_eq(semacquire(&sem), 0);
	notes(v);
}

static void
waitevent(void *v)
{
	ck_assert_int_eq(eventwait(&ev), 0);
	notes(v);
}

static void
waitbare(void *v)
{
	ck_assert_int_eq(tasksleep(&bare), 0);
	notes(v);
}

static void
refusewaits(void *v)
{
	(void)v;
	FAILS(semrelease(&sem), EPERM);
	FAILS(semacquire(&sem), EPERM);
	FAILS(eventset(&ev), EPERM);
	FAILS(eventclear(&ev), EPERM);
	FAILS(eventwait(&ev), EPERM);
	Alt a[] = {{.e = &ev, .op = ALTEVENT}, {.op = CHANNOBLK}};
	FAILS(chanalt(a), EPERM);
	FAILS(taskwakeup(&bare), EPERM);
	FAILS(taskwakeupall(&bare), EPERM);
	FAILS(tasksleep(&bare), EPERM);
}

TASK_TEST(what_waits_elsewhere_is_not_woken_here)
{
	taskcreate(waitsem, "s", 0);
	taskcreate(waitevent, "e", 0);
	taskcreate(waitbare, "b", 0);
	taskyield();
	elsewhere(refusewaits);
	ck_assert_str_eq(trace, "");
	ck_assert_int_eq(ev.set, 0);
	ck_assert_int_eq(taskwakeup(&bare), 1);
	ck_assert_int_eq(eventset(&ev), 1);
	ck_assert_int_eq(semrelease(&sem), 0);
	settle();
	ck_assert_str_eq(trace, "bes");
}

static void
refuselocks(void *v)
{
	(void)v;
	FAILS(qlock(&ql), EPERM);
	ck_assert_int_eq(canqlock(&ql), 0);
	FAILS(reclock(&rec), EPERM);
	ck_assert_int_eq(canreclock(&rec), 0);
	FAILS(rlock(&rw), EPERM);
	FAILS(wlock(&rw), EPERM);
	ck_assert_int_eq(canrlock(&rw), 0);
	ck_assert_int_eq(canwlock(&rw), 0);
}

TASK_TEST(a_lock_held_elsewhere_is_not_waited_for)
{
	ck_assert_int_eq(qlock(&ql), 0);
	ck_assert_int_eq(reclock(&rec), 0);
	ck_assert_int_eq(wlock(&rw), 0);
	elsewhere(refuselocks);
	qunlock(&ql);
	recunlock(&rec);
	wunlock(&rw);
}

static void
takelocks(void *v)
{
	(void)v;
	ck_assert_int_eq(qlock(&ql), 0);
	qunlock(&ql);
	ck_assert_int_eq(wlock(&rw), 0);
	wunlock(&rw);
	ck_assert_int_eq(rlock(&rw), 0);
	runlock(&rw);
}

TASK_TEST(a_free_lock_may_be_taken_by_one_thread_after_another)
{
	takelocks(v);
	elsewhere(takelocks);
	takelocks(v);
}

static void
unlockit(void *v)
{
	(void)v;
	qunlock(&ql);
}

static void
unlockelsewhere(void *v)
{
	(void)v;
	qlock(&ql);
	elsewhere(unlockit);
}

static void
waitforreader(void *v)
{
	Timeout t;

	(void)v;
	TIMEOUT(&t, 10)
		FAILS(wlock(&rw), ETIMEDOUT);
}

static void
writeit(void *v)
{
	(void)v;
	wlock(&rw);
}

/* The scheduler there is left in the middle, by a task that stops its thread. */
static pthread_barrier_t waiting;

static void
holdthread(void *v)
{
	(void)v;
	pthread_barrier_wait(&waiting);
	for(;;)
		pause();
}

static void
waitthenhold(void *v)
{
	taskcreate(writeit, v, 0);
	taskcreate(holdthread, v, 0);
}

static void
runlocklast(void *v)
{
	static void (*fn)(void *) = waitthenhold;
	pthread_t t;

	(void)v;
	rlock(&rw);
	pthread_barrier_init(&waiting, NULL, 2);
	pthread_create(&t, NULL, runthere, &fn);
	pthread_barrier_wait(&waiting);
	runlock(&rw);
}

START_TEST(unlocking_for_another_thread_is_misuse)
{
	abortstask(unlockelsewhere,
		"qunlock: the lock is held by task 1 of another thread");
	abortstask(runlocklast,
		"runlock: a task of another thread waits for the lock");
}
END_TEST

TASK_TEST(a_reader_elsewhere_is_waited_for_within_a_deadline)
{
	ck_assert_int_eq(rlock(&rw), 0);
	elsewhere(waitforreader);
	runlock(&rw);
	ck_assert_int_eq(canwlock(&rw), 1);
	wunlock(&rw);
}

static void
takeandhold(void *v)
{
	(void)v;
	qlock(&ql);
}

static void
sleeplocked(void *v)
{
	(void)v;
	qlock(&ql);
	tasksleep(&locked);
}

static void
relockelsewhere(void *v)
{
	taskcreate(sleeplocked, v, 0);
	taskyield();
	elsewhere(takeandhold);
	taskwakeup(&locked);
	taskyield();
}

START_TEST(a_lock_that_tasksleep_cannot_take_again_is_misuse)
{
	abortstask(relockelsewhere,
		"tasksleep: the lock r->l is held by another thread");
}
END_TEST

static void
refusegroup(void *v)
{
	(void)v;
	FAILS(groupspawn(&group, nothing, NULL, 0), EPERM);
	FAILS(groupwait(&group), EPERM);
	FAILS(groupcancel(&group), EPERM);
}

TASK_TEST(a_group_elsewhere_keeps_its_children)
{
	groupspawn(&group, waitevent, "e", 0);
	elsewhere(refusegroup);
	eventset(&ev);
	ck_assert_int_eq(groupwait(&group), 0);
	ck_assert_str_eq(trace, "e");
}

static void
refusetimer(void *v)
{
	(void)v;
	FAILS(timerstop(timer), EPERM);
	FAILS(timeragain(timer), EPERM);
	FAILS(timerremaining(timer), EPERM);
	FAILS(timermissed(timer), EPERM);
}

TASK_TEST(a_timer_elsewhere_goes_on)
{
	timer = timerstart(1000, 0, nothing, NULL);
	elsewhere(refusetimer);
	ck_assert_int_eq(timerstop(timer), 1);
}

TEST_MAIN("objects-of-another-thread",
	what_waits_elsewhere_is_not_woken_here,
	a_lock_held_elsewhere_is_not_waited_for,
	a_free_lock_may_be_taken_by_one_thread_after_another,
	unlocking_for_another_thread_is_misuse,
	a_reader_elsewhere_is_waited_for_within_a_deadline,
	a_lock_that_tasksleep_cannot_take_again_is_misuse,
	a_group_elsewhere_keeps_its_children,
	a_timer_elsewhere_goes_on)
