/* SPDX-License-Identifier: MIT */
/* Semaphores, events and locks that can be taken again, as users see them. */
#include "test.h"
#include <limits.h>

/* Zeroed: nothing free, not set, unlocked. */
static Sem sem;
static Event event;
static RecLock rec;

/* Sem */

static int inside;

static void
useone(void *v)
{
	(void)v;
	for(int i = 0; i < 100; i++){
		ck_assert_int_eq(semacquire(&sem), 0);
		if(++inside > 3)
			ck_abort_msg("%d tasks share three units", inside);
		taskyield();
		inside--;
		ck_assert_int_eq(semrelease(&sem), 0);
		if(i % 3 == 0)
			taskyield();
	}
}

TASK_TEST_BY(S3_17_a_semaphore_guards_n_equal_resources,
	run(body);
	ck_assert_uint_eq(sem.n, 3))
{
	ck_assert_int_eq(seminit(&sem, 3, 3), 0);
	for(int i = 0; i < 10; i++)
		taskcreate(useone, NULL, 0);
	taskyield();
	ck_assert_int_eq(inside, 3);
}

static void
acquireandnote(void *v)
{
	ck_assert_int_eq(semacquire(&sem), 0);
	note(*(char *)v);
}

TASK_TEST(semrelease_hands_to_the_first_waiter_and_does_not_switch)
{
	taskcreate(acquireandnote, "a", 0);
	taskcreate(acquireandnote, "b", 0);
	settle();
	ck_assert_str_eq(trace, "");
	ck_assert_int_eq(semrelease(&sem), 0);
	/* it is a's already, although a has not run */
	ck_assert_str_eq(trace, "");
	ck_assert_uint_eq(sem.n, 0);
	ck_assert_int_eq(cansemacquire(&sem), 0);
	taskcreate(acquireandnote, "c", 0);
	settle();
	ck_assert_str_eq(trace, "a");
	semrelease(&sem);
	semrelease(&sem);
	semrelease(&sem);
	settle();
	ck_assert_str_eq(trace, "abc");
	ck_assert_uint_eq(sem.n, 1);
	ck_assert_int_eq(cansemacquire(&sem), 1);
	ck_assert_int_eq(cansemacquire(&sem), 0);
}

/*
 * One who releases and acquires again at once must not overtake the one who
 * waits.
 */
static int nhog, npatient;

static void
hog(void *v)
{
	(void)v;
	tasksystem();
	for(;;){
		semacquire(&sem);
		nhog++;
		taskyield();
		semrelease(&sem);
	}
}

static void
patient(void *v)
{
	(void)v;
	for(int i = 0; i < 100; i++){
		semacquire(&sem);
		npatient++;
		semrelease(&sem);
	}
}

TASK_TEST_BY(S3_17_who_releases_and_acquires_again_does_not_overtake,
	run(body);
	ck_assert_int_eq(npatient, 100);
	ck_assert_int_le(nhog, 102))
{
	seminit(&sem, 1, 1);
	taskcreate(hog, NULL, 0);
	taskcreate(patient, NULL, 0);
}

TASK_TEST(S3_17_a_release_too_many_is_EOVERFLOW)
{
	ck_assert_int_eq(seminit(&sem, 1, 2), 0);
	ck_assert_int_eq(semrelease(&sem), 0);
	errno = 0;
	ck_assert_int_eq(semrelease(&sem), -1);
	ck_assert_int_eq(errno, EOVERFLOW);
	ck_assert_uint_eq(sem.n, 2);
	ck_assert_int_eq(cansemacquire(&sem), 1);
	ck_assert_int_eq(cansemacquire(&sem), 1);
	ck_assert_int_eq(cansemacquire(&sem), 0);

	ck_assert_int_eq(seminit(&sem, UINT_MAX, 0), 0);
	errno = 0;
	ck_assert_int_eq(semrelease(&sem), -1);
	ck_assert_int_eq(errno, EOVERFLOW);
	ck_assert_uint_eq(sem.n, UINT_MAX);
}

/* Event */

static void
waitandnote(void *v)
{
	ck_assert_int_eq(eventwait(&event), 0);
	note(*(char *)v);
}

TASK_TEST(S3_18_set_wakes_all_and_clear_arms_again)
{
	taskcreate(waitandnote, "a", 0);
	taskcreate(waitandnote, "b", 0);
	taskcreate(waitandnote, "c", 0);
	settle();
	ck_assert_str_eq(trace, "");
	ck_assert_int_eq(eventset(&event), 3);
	ck_assert_str_eq(trace, "");	/* without a switch */
	settle();
	ck_assert_str_eq(trace, "abc");
	ck_assert_int_eq(event.set, 1);
	ck_assert_int_eq(eventwait(&event), 0);	/* at once, and again */
	ck_assert_int_eq(eventwait(&event), 0);
	ck_assert_int_eq(eventset(&event), 0);

	ck_assert_int_eq(eventclear(&event), 0);
	ck_assert_int_eq(eventclear(&event), 0);
	taskcreate(waitandnote, "d", 0);
	settle();
	ck_assert_str_eq(trace, "abc");
	ck_assert_int_eq(eventset(&event), 1);
	settle();
	ck_assert_str_eq(trace, "abcd");
}

/* A pulse: who waited when it was set goes on, who comes later waits. */
TASK_TEST_BY(S1_17_an_event_cleared_at_once_has_woken_all_that_waited,
	run(body);
	ck_assert_str_eq(trace, "abc"))
{
	taskcreate(waitandnote, "a", 0);
	taskcreate(waitandnote, "b", 0);
	taskyield();
	eventset(&event);
	eventclear(&event);
	taskcreate(waitandnote, "c", 0);
	settle();
	ck_assert_str_eq(trace, "ab");
	eventset(&event);
}

/* RecLock */

static void
lockandnote(void *v)
{
	ck_assert_int_eq(reclock(&rec), 0);
	note(*(char *)v);
	ck_assert_int_eq(canreclock(&rec), 1);
	recunlock(&rec);
	recunlock(&rec);
}

static void
failtolock(void *v)
{
	(void)v;
	ck_assert_int_eq(canreclock(&rec), 0);
	note('x');
}

TASK_TEST(S3_15_depth_three_needs_three_unlocks)
{
	ck_assert_int_eq(reclock(&rec), 0);
	ck_assert_int_eq(reclock(&rec), 0);
	ck_assert_int_eq(canreclock(&rec), 1);
	taskcreate(lockandnote, "a", 0);
	taskcreate(lockandnote, "b", 0);
	taskcreate(failtolock, NULL, 0);
	settle();
	ck_assert_str_eq(trace, "x");
	recunlock(&rec);
	settle();
	recunlock(&rec);
	settle();
	ck_assert_str_eq(trace, "x");
	recunlock(&rec);
	ck_assert_int_eq(canreclock(&rec), 0);	/* it is a's */
	settle();
	ck_assert_str_eq(trace, "xab");
	ck_assert_ptr_null(rec.l.owner);
	ck_assert_uint_eq(rec.again, 0);
	ck_assert_int_eq(canreclock(&rec), 1);
	recunlock(&rec);
}

TASK_TEST(a_lock_taken_too_often_is_EOVERFLOW)
{
	reclock(&rec);
	rec.again = UINT_MAX;
	ck_assert_int_eq(reclock(&rec), -1);
	ck_assert_int_eq(errno, EOVERFLOW);
	ck_assert_int_eq(canreclock(&rec), 0);
	ck_assert_uint_eq(rec.again, UINT_MAX);
}

static void
unlockfree(void *v)
{
	(void)v;
	recunlock(&rec);
}

static void
unlocktheirs(void *v)
{
	(void)v;
	taskname("owner");
	reclock(&rec);
	reclock(&rec);
	taskcreate(unlockfree, NULL, 0);
	taskyield();
}

static void
unlockonemore(void *v)
{
	(void)v;
	reclock(&rec);
	reclock(&rec);
	recunlock(&rec);
	recunlock(&rec);
	recunlock(&rec);
}

START_TEST(unlocking_what_one_does_not_hold_aborts_with_a_line_that_says_so)
{
	abortstask(unlockfree, "recunlock: the lock is not locked\n");
	abortstask(unlockonemore, "recunlock: the lock is not locked\n");
	abortstask(unlocktheirs, "recunlock: the lock is held by task 1\n");
}
END_TEST

/* The report of a deadlock. */

static void
waitforevent(void *v)
{
	(void)v;
	eventwait(&event);
}

static void
waitforlock(void *v)
{
	(void)v;
	taskname("third");
	reclock(&rec);
}

TASK_TEST_BY(the_report_of_a_deadlock_says_who_waits_for_what,
	char err[4096], line[128];
	int status = childtask(body, err, sizeof err);

	ck_assert_int_eq(WEXITSTATUS(status), 1);
	snprintf(line, sizeof line, "semacquire s %p\n", (void *)&sem);
	ck_assert_msg(strstr(err, line) != NULL, "%s", err);
	snprintf(line, sizeof line, "eventwait e %p\n", (void *)&event);
	ck_assert_msg(strstr(err, line) != NULL, "%s", err);
	ck_assert_msg(strstr(err, "reclock held by task 1 (first)\n") != NULL,
		"%s", err))
{
	taskname("first");
	reclock(&rec);
	taskcreate(waitforlock, NULL, 0);
	taskcreate(waitforevent, NULL, 0);
	semacquire(&sem);
}

/* Arguments. */

TASK_TEST(no_object_is_EINVAL)
{
	Sem s;

	errno = 0;
	ck_assert_int_eq(seminit(NULL, 0, 0), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(seminit(&s, 3, 2), -1);
	ck_assert_int_eq(semacquire(NULL), -1);
	ck_assert_int_eq(semrelease(NULL), -1);
	ck_assert_int_eq(cansemacquire(NULL), 0);
	ck_assert_int_eq(eventwait(NULL), -1);
	ck_assert_int_eq(eventset(NULL), -1);
	ck_assert_int_eq(eventclear(NULL), -1);
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_int_eq(reclock(NULL), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(canreclock(NULL), 0);
	recunlock(NULL);
}

START_TEST(without_a_scheduler_the_calls_fail_with_EPERM)
{
	int (*const calls[])(Event *) = {eventwait, eventset, eventclear};

	seminit(&sem, 1, 0);	/* this works anywhere */
	for(size_t i = 0; i < 3; i++){
		errno = 0;
		ck_assert_int_eq(calls[i](&event), -1);
		ck_assert_int_eq(errno, EPERM);
	}
	errno = 0;
	ck_assert_int_eq(semacquire(&sem), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(semrelease(&sem), -1);
	ck_assert_int_eq(cansemacquire(&sem), 0);
	ck_assert_int_eq(reclock(&rec), -1);
	ck_assert_int_eq(canreclock(&rec), 0);
	recunlock(&rec);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_uint_eq(sem.n, 1);
}
END_TEST

TASK_TEST(calls_that_succeed_leave_errno_alone)
{
	errno = E2BIG;
	seminit(&sem, 1, 0);
	semacquire(&sem);
	cansemacquire(&sem);
	taskcreate(acquireandnote, "a", 0);
	taskyield();
	semrelease(&sem);
	eventset(&event);
	eventwait(&event);
	eventclear(&event);
	reclock(&rec);
	reclock(&rec);
	canreclock(&rec);
	recunlock(&rec);
	int err = errno;
	ck_assert_int_eq(err, E2BIG);
}

TEST_MAIN("sem", S3_17_a_semaphore_guards_n_equal_resources,
	semrelease_hands_to_the_first_waiter_and_does_not_switch,
	S3_17_who_releases_and_acquires_again_does_not_overtake,
	S3_17_a_release_too_many_is_EOVERFLOW,
	S3_18_set_wakes_all_and_clear_arms_again,
	S1_17_an_event_cleared_at_once_has_woken_all_that_waited,
	S3_15_depth_three_needs_three_unlocks,
	a_lock_taken_too_often_is_EOVERFLOW,
	unlocking_what_one_does_not_hold_aborts_with_a_line_that_says_so,
	the_report_of_a_deadlock_says_who_waits_for_what,
	no_object_is_EINVAL,
	without_a_scheduler_the_calls_fail_with_EPERM,
	calls_that_succeed_leave_errno_alone)
