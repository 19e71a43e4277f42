/* SPDX-License-Identifier: MIT */
/*
 * Tasks that hold a lock each and wait for the other's were reported only when
 * nothing else could ever run: beside a listener, as any server has one, they
 * stood for ever without a word.  Now whoever closes such a cycle reports it, as
 * it begins to wait, and the list of tasks marks those that are in one.
 */
#include "../test.h"

static char err[1 << 16];
static QLock a, b, c;
static RecLock ra;
static RWLock rw;

/* runs fn, which goes on in spite of cycles; n of them are reported. */
static void
reports(void (*fn)(void *), int n)
{
	int status = childtask(fn, err, sizeof err);

	ck_assert_msg(status == 0, "status %#x: %s", (unsigned)status, err);
	ck_assert_msg(occurs(err, "a cycle: ") == n, "%s", err);
}

/* A task that locks first, lets all others do so, and then locks second. */
typedef struct Locker
{
	const char *name;
	int (*lockfirst)(void *);
	void *first;
	int (*locksecond)(void *);
	void *second;
} Locker;

static int
lockq(void *v)
{
	return qlock(v);
}

static int
lockrec(void *v)
{
	return reclock(v);
}

static int
lockr(void *v)
{
	return rlock(v);
}

static int
lockw(void *v)
{
	return wlock(v);
}

static void
locker(void *v)
{
	const Locker *l = v;

	taskname("%s", l->name);
	l->lockfirst(l->first);
	taskyield();
	l->locksecond(l->second);
}

/* runs n lockers beside a task that goes on; and at last a look at the list. */
static void
lockall(const Locker *l, int n)
{
	for(int i = 0; i < n; i++)
		taskcreate(locker, (void *)(uintptr_t)&l[i], 0);
	settle();
	raise(SIGQUIT);
	taskdelay(0);
	taskexitall(0);
}

TASK_TEST_BY(who_closes_a_cycle_reports_it_at_once,
	reports(body, 1);
	ck_assert_int_eq(strncmp(err,
		"a cycle: 2 tasks wait for one another\n"
		"    task 3 (two\\n): qlock held by task 2 (one)\n"
		"    task 2 (one): qlock held by task 3 (two\\n)\n"
		"task list:\n", 138), 0);
	ck_assert_int_eq(occurs(err, " in a cycle of 2\n"), 2))
{
	static const Locker l[] = {
		{"one", lockq, &a, lockq, &b},
		{"two\n", lockq, &b, lockq, &a},
	};

	lockall(l, 2);
}

TASK_TEST_BY(locks_of_all_kinds_make_cycles,
	reports(body, 1);
	ck_assert_int_eq(occurs(err, "a cycle: 3 tasks "), 1);
	ck_assert_int_eq(occurs(err, "task 3 (two): reclock held by task 4 (three)"),
		1);
	ck_assert_int_eq(occurs(err, "task 2 (one): wlock held by task 3 (two)"), 1);
	ck_assert_int_eq(occurs(err, "task 4 (three): qlock held by task 2 (one)"),
		1);
	ck_assert_int_eq(occurs(err, " in a cycle of 3\n"), 3))
{
	static const Locker l[] = {
		{"one", lockq, &a, lockw, &rw},
		{"two", lockw, &rw, lockrec, &ra},
		{"three", lockrec, &ra, lockq, &a},
	};

	lockall(l, 3);
}

TASK_TEST_BY(so_does_a_reader_behind_a_writer,
	reports(body, 1);
	ck_assert_int_eq(occurs(err, "task 2 (one): rlock held by task 3 (two)"), 1))
{
	static const Locker l[] = {
		{"one", lockq, &a, lockr, &rw},
		{"two", lockw, &rw, lockq, &a},
	};

	lockall(l, 2);
}

/* Readers are not known one by one: another than this one may have it. */
TASK_TEST_BY(a_lock_held_for_reading_ends_the_walk,
	reports(body, 0))
{
	static const Locker l[] = {
		{"one", lockr, &rw, lockq, &a},
		{"two", lockq, &a, lockw, &rw},
	};

	lockall(l, 2);
}

TASK_TEST_BY(who_waits_for_a_cycle_is_not_in_it,
	reports(body, 1);
	ck_assert_int_eq(occurs(err, " in a cycle of 2\n"), 2);
	ck_assert_int_eq(occurs(err, "(three): "), 0))
{
	static const Locker l[] = {
		{"one", lockq, &a, lockq, &b},
		{"two", lockq, &b, lockq, &a},
		{"three", lockq, &c, lockq, &a},
		{"four", lockrec, &ra, lockq, &c},
	};

	lockall(l, 4);
}

static void
holdandwait(void *v)
{
	qlock(&a);
	taskyield();
	taskwait(*(int *)v, NULL);
}

static void
lockandend(void *v)
{
	(void)v;
	taskyield();
	qlock(&a);
}

TASK_TEST_BY(to_wait_for_the_end_of_a_task_is_part_of_a_cycle,
	reports(body, 1);
	ck_assert_int_eq(occurs(err, "taskwait task 3"), 2))
{
	int id;

	taskcreate(holdandwait, &id, 0);
	id = taskcreate(lockandend, NULL, 0);
	settle();
	raise(SIGQUIT);
	taskdelay(0);
	taskexitall(0);
}

static int ntried;

/* Deadlines end the waits: in the next round it is the same cycle. */
static void
tryagain(void *v)
{
	QLock *mine = v ? &a : &b, *other = v ? &b : &a;

	qlock(mine);
	for(int i = 0; i < 5; i++){
		Timeout t;
		taskyield();
		timeoutstart(&t, 2);
		errno = 42;
		if(qlock(other) == 0)
			ck_abort();
		ck_assert_int_eq(errno, ETIMEDOUT);
		timeoutstop(&t);
	}
	for(ntried++; ntried < 2; )	/* else the other one gets it */
		taskyield();
	qunlock(mine);
}

TASK_TEST_BY(a_cycle_that_a_deadline_opens_is_reported_once,
	reports(body, 1))
{
	taskcreate(tryagain, NULL, 0);
	taskcreate(tryagain, &a, 0);
}

static void
holdandcancel(void *v)
{
	qlock(&a);
	taskyield();
	taskcancel(*(int *)v);
	qlock(&b);
}

static void
lockcancelled(void *v)
{
	(void)v;
	qlock(&b);
	while(!taskcancelled())
		taskyield();
	FAILS(qlock(&a), ECANCELED);
	qunlock(&b);
}

TASK_TEST_BY(a_wait_that_is_refused_closes_none,
	reports(body, 0))
{
	int id;

	taskcreate(holdandcancel, &id, 0);
	id = taskcreate(lockcancelled, NULL, 0);
	settle();
}

static void
lockandleave(void *v)
{
	qlock(v);
}

/* The memory of the owner is another task's by now, or nobody's. */
TASK_TEST_BY(an_owner_that_has_ended_ends_the_walk,
	taskrun(lockandleave, &a);
	reports(body, 0))
{
	static const Locker l[] = {
		{"one", lockq, &c, lockq, &a},
		{"two", lockq, &b, lockq, &c},
	};

	taskcreate(lockandleave, &b, 0);
	taskyield();
	lockall(l, 2);
}

static void
waitforever(void *v)
{
	(void)v;
	lockr(&rw);
}

/* Nothing else can run: the report comes as well. */
TASK_TEST_BY(the_report_of_a_deadlock_marks_cycles_too,
	ck_assert_int_ne(childtask(body, err, sizeof err), 0);
	ck_assert_int_eq(occurs(err, "a cycle: "), 1);
	ck_assert_int_eq(occurs(err, "no runnable tasks! 3 tasks stalled"), 1);
	ck_assert_int_eq(occurs(err, " in a cycle of 2\n"), 2))
{
	static Locker l[] = {
		{"one", lockw, &rw, lockq, &b},
		{"two", lockq, &b, lockw, &rw},
	};

	taskcreate(locker, &l[0], 0);
	taskcreate(locker, &l[1], 0);
	taskcreate(waitforever, NULL, 0);
}

TEST_MAIN("cycle-beside-a-listener",
	who_closes_a_cycle_reports_it_at_once,
	locks_of_all_kinds_make_cycles,
	so_does_a_reader_behind_a_writer,
	a_lock_held_for_reading_ends_the_walk,
	who_waits_for_a_cycle_is_not_in_it,
	to_wait_for_the_end_of_a_task_is_part_of_a_cycle,
	a_cycle_that_a_deadline_opens_is_reported_once,
	a_wait_that_is_refused_closes_none,
	an_owner_that_has_ended_ends_the_walk,
	the_report_of_a_deadlock_marks_cycles_too)
