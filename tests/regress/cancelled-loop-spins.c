/* SPDX-License-Identifier: MIT */
/*
 * A cancelled task that does not look at what its calls return turns for ever,
 * for all its waits fail at once: nothing said why the program used a whole CPU
 * and did not end.  The list of tasks now says that it is cancelled, and after
 * a thousand refused waits in a row a line on stderr names it, once.
 */
#include "../fdtest.h"

static char err[8192];
static int rounds;

static void
loop(void *v)
{
	(void)v;
	taskname("beat\n");
	while(rounds-- > 0)
		taskdelay(100000);
}

static void
cancelloop(int n)
{
	rounds = n;
	int id = taskcreate(loop, NULL, 0);
	taskyield();
	taskcancel(id);
	while(rounds > 0)
		taskyield();
}

TASK_TEST_BY(a_thousand_refused_waits_are_told_once,
	ck_assert_int_eq(childtask(body, err, sizeof err), 0);
	ck_assert_msg(strncmp(err, "task 2 (beat\\n) was cancelled and goes "
		"on: 1000 waits in a row have failed, the last is taskdelay, ",
		99) == 0, "%s", err);
	ck_assert_int_eq(occurs(err, "\n"), 1))
{
	cancelloop(5000);
}

TASK_TEST_BY(less_than_that_are_not,
	ck_assert_int_eq(childtask(body, err, sizeof err), 0);
	ck_assert_str_eq(err, ""))
{
	cancelloop(900);
}

static void
cleanup(void *v)
{
	char c;
	int *fds = v;

	while(rounds-- > 0){
		FAILS((int)fdread(fds[0], &c, 1), ECANCELED);
		taskshield(10000);
		taskdelay(0);
		taskunshield();
	}
}

static void
cancelcleanup(int n)
{
	int fds[2];

	pair(fds);
	rounds = n;
	int id = taskcreate(cleanup, fds, 0);
	taskyield();
	taskcancel(id);
	while(rounds > 0)
		taskdelay(0);
}

/* Its waits under the shield succeed: they are not in a row. */
TASK_TEST_BY(who_cleans_up_between_them_is_not_told,
	ck_assert_int_eq(childtask(body, err, sizeof err), 0);
	ck_assert_str_eq(err, ""))
{
	cancelcleanup(2000);
}

static void
readloop(void *v)
{
	char c;

	while(rounds-- > 0)
		fdread(*(int *)v, &c, 1);
}

TASK_TEST_BY(reads_are_told_as_what_they_wait_for,
	ck_assert_int_eq(childtask(body, err, sizeof err), 0);
	ck_assert_int_eq(occurs(err, "the last is fdwait fd "), 1))
{
	int fds[2];

	pair(fds);
	rounds = 2000;
	int id = taskcreate(readloop, fds, 0);
	taskyield();
	taskcancel(id);
	while(rounds > 0)
		taskyield();
}

static void
cancelled(void *v)
{
	(void)v;
	taskname("one");
	taskdelay(100000);
	while(rounds == 0)
		taskyield();
	taskname("shielded");
	taskstate("cleaning up");
	taskshield(100000);
	taskdelay(100000);
}

TASK_TEST_BY(the_list_says_that_a_task_is_cancelled,
	ck_assert_int_eq(childtask(body, err, sizeof err), 0);
	ck_assert_int_eq(occurs(err, "     2  one                  cancelled "
		"(ready)\n"), 1);
	ck_assert_int_eq(occurs(err, "     2  shielded             cleaning up  "
		"cancelled  taskdelay, 99"), 1))
{
	int id = taskcreate(cancelled, NULL, 0);

	taskyield();
	taskcancel(id);
	raise(SIGQUIT);
	taskdelay(1);
	rounds = 1;
	taskdelay(1);
	raise(SIGQUIT);
	taskdelay(1);
	taskexitall(0);
}

TEST_MAIN("cancelled-loop-spins",
	a_thousand_refused_waits_are_told_once,
	less_than_that_are_not,
	who_cleans_up_between_them_is_not_told,
	reads_are_told_as_what_they_wait_for,
	the_list_says_that_a_task_is_cancelled)
