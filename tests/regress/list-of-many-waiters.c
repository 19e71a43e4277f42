/* SPDX-License-Identifier: MIT */
/*
 * The list of tasks and the report of a deadlock walked all tasks to find the
 * name of each lock's owner: 20 000 tasks took 3 s, 50 000 took 17, in which
 * nothing else ran.  Now they look in the table of ids: each line takes the
 * same time however many there are.
 */
#include "../test.h"
#include "../watched.h"
#include <fcntl.h>

/* Sixteen times the tasks took 256 times as long; 64 is between. */
enum { Few = 1000, Many = 16 * Few, Most = 64 };

static QLock l;
static Event go, done, never;
static int64_t listed_ns;

static void
waiter(void *v)
{
	(void)v;
	eventwait(&go);
	qlock(&l);
	qunlock(&l);
}

/* The newest of all tasks is found last by who begins with the oldest. */
static void
owner(void *v)
{
	(void)v;
	qlock(&l);
	eventwait(&done);
	qunlock(&l);
}

static void
fill(int n)
{
	eventclear(&go);
	eventclear(&done);
	for(int i = 0; i < n; i++)
		ck_assert_int_gt(taskcreate(waiter, NULL, 0), 0);
	taskcreate(owner, NULL, 0);
	taskyield();
	eventset(&go);
	taskyield();
	taskyield();
}

static void
list(void *v)
{
	fill((int)(intptr_t)v);
	raise(SIGQUIT);
	int64_t start = cpuns();
	taskdelay(0);
	listed_ns = cpuns() - start;
	eventset(&done);
	taskyield();
}

static int64_t began_ns;

static void
told(const char *report)
{
	(void)report;
	listed_ns = cpuns() - began_ns;
}

static void
stall(void *v)
{
	fill((int)(intptr_t)v);
	tasksystem();
	began_ns = cpuns();
	eventwait(&never);
}

static int64_t
listing(void (*fn)(void *), int n)
{
	taskrun(fn, (void *)(intptr_t)n);
	l = (QLock){0};
	return listed_ns;
}

static void
eachlinetakesthesame(void (*fn)(void *))
{
	/* Valgrind keeps 30 000 map entries at most, and a guard needs two */
	int less = valgrind() ? 4 : 1;
	int few = fewer(Few) / less, many = fewer(Many) / less;

	dup2(open("/dev/null", O_WRONLY), 2);
	tasksetdeadlock(told);
	int64_t a = listing(fn, few), b = listing(fn, many);
	ck_assert_msg(b < a * Most, "%d: %lld ns, %d: %lld ns", few,
		(long long)a, many, (long long)b);
}

START_TEST(the_list_takes_the_same_for_each_of_many_tasks)
{
	eachlinetakesthesame(list);
}
END_TEST

START_TEST(the_report_of_a_deadlock_does_too)
{
	eachlinetakesthesame(stall);
}
END_TEST

TEST_MAIN("list-of-many-waiters",
	the_list_takes_the_same_for_each_of_many_tasks,
	the_report_of_a_deadlock_does_too)
