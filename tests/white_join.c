/* SPDX-License-Identifier: MIT */
/* Results of tasks, links and failures, on a clock that the tests move. */
#include "virtual.h"

static void *
same(void *v)
{
	return v;
}

static void *
sleepandreturn(void *v)
{
	taskdelay(20);
	return v;
}

/* "async def compute(x, y)" */
static void *
computes(void *v)
{
	int *xy = v;

	sprintf(trace + strlen(trace), "Compute %d + %d ...\n", xy[0], xy[1]);
	taskdelay(1000);
	return (void *)(intptr_t)(xy[0] + xy[1]);
}

static void *
printsum(void *v)
{
	int *xy = v;
	void *sum;

	ck_assert_int_eq(taskwait(taskspawn(computes, v, 0), &sum), 0);
	sprintf(trace + strlen(trace), "%d + %d = %d\n", xy[0], xy[1],
		(int)(intptr_t)sum);
	return NULL;
}

TASK_TEST(S0_22_a_task_waits_for_the_result_of_another)
{
	int xy[] = {1, 2};

	begin();
	ck_assert_int_eq(taskwait(taskspawn(printsum, xy, 0), NULL), 0);
	ck_assert_str_eq(trace, "Compute 1 + 2 ...\n1 + 2 = 3\n");
	ck_assert_int_eq(elapsed(), 1000);
}

static void *
nest(void *v)
{
	int n = *(int *)v - 1;
	void *depth;

	if(n == 0)
		return (void *)1;
	ck_assert_int_eq(taskwait(taskspawn(nest, &n, 0), &depth), 0);
	return (void *)((uintptr_t)depth + 1);
}

TASK_TEST(S1_6_tasks_spawned_1000_deep_all_end)
{
	int n = fewer(1000);
	void *depth;

	ck_assert_int_eq(taskwait(taskspawn(nest, &n, 0), &depth), 0);
	ck_assert_int_eq((int)(uintptr_t)depth, n);
}

static int waitedfor, nwaited;

static void
waiter(void *v)
{
	void *result;

	ck_assert_int_eq(taskwait(waitedfor, &result), 0);
	ck_assert_ptr_eq(result, v);
	nwaited++;
}

TASK_TEST(S1_8_results_for_any_number_until_they_are_collected)
{
	void *result = &nwaited;
	Timeout t;
	int id = waitedfor = taskspawn(sleepandreturn, "x", 0);

	/* one that runs, without waiting */
	timeoutstart(&t, 0);
	FAILS(taskwait(id, &result), ETIMEDOUT);
	timeoutstop(&t);
	ck_assert_ptr_eq(result, &nwaited);
	for(int i = 0; i < 3; i++)
		taskcreate(waiter, "x", 0);
	taskdelay(100);
	ck_assert_int_eq(nwaited, 3);
	FAILS(taskwait(id, &result), ESRCH);

	id = taskspawn(same, "y", 0);
	taskdelay(100);
	FAILS(taskcancel(id), ESRCH);
	errno = EDOM;
	ck_assert_int_eq(taskwait(id, &result), 0);
	ck_assert_str_eq(result, "y");
	ck_assert_int_eq(errno, EDOM);
	FAILS(taskwait(id, &result), ESRCH);
	FAILS(taskwait(id + 1, &result), ESRCH);
	FAILS(taskwait(0, &result), ESRCH);
	FAILS(taskwait(-1, &result), ESRCH);
	FAILS(taskwait((int)taskid(), &result), EDEADLK);
	FAILS(taskspawn(NULL, NULL, 0), EINVAL);
}

static void
create(void *v)
{
	taskdelay(10);
	strcat(trace, v);
}

TASK_TEST(a_task_without_result_can_be_waited_for_while_it_lives)
{
	void *result = trace;
	int id = taskcreate(create, "a", 0);

	ck_assert_int_eq(taskwait(id, &result), 0);
	ck_assert_ptr_null(result);
	ck_assert_str_eq(trace, "a");
	FAILS(taskwait(id, &result), ESRCH);
	ck_assert_uint_eq(p.life->joins.n, 0);
	/* one that gives up leaves nothing */
	Timeout t;
	id = taskcreate(create, "b", 0);
	TIMEOUT(&t, 5)
		FAILS(taskwait(id, NULL), ETIMEDOUT);
	taskdelay(10);
	ck_assert_uint_eq(p.life->joins.n, 0);
	ck_assert_str_eq(trace, "ab");
}

TASK_TEST(a_result_whose_waiter_gave_up_is_kept)
{
	int id = taskspawn(sleepandreturn, "z", 0);
	void *result;
	Timeout t;

	TIMEOUT(&t, 5)
		FAILS(taskwait(id, &result), ETIMEDOUT);
	taskdelay(100);
	ck_assert_int_eq(taskwait(id, &result), 0);
	ck_assert_str_eq(result, "z");
	ck_assert_uint_eq(p.life->joins.n, 0);
}

static void *
waitsforever(void *v)
{
	Rendez r = {0};

	tasksleep(&r);
	return v;
}

static void *
never(void *v)
{
	(void)v;
	ck_abort_msg("it ran");
	return NULL;
}

static void *
overlook(void *v)
{
	taskyield();
	return v;
}

TASK_TEST(S1_7_waiters_of_a_cancelled_task_are_told)
{
	void *result;
	int id = taskspawn(never, "a", 0);

	taskcancel(id);
	FAILS(taskwait(id, &result), ECANCELED);
	ck_assert_ptr_null(result);
	/* one that was told, and says what it still had to say */
	id = taskspawn(waitsforever, "b", 0);
	taskyield();
	taskcancel(id);
	FAILS(taskwait(id, &result), ECANCELED);
	ck_assert_str_eq(result, "b");
	/* one that was over before it noticed */
	id = taskspawn(overlook, "c", 0);
	taskyield();
	taskcancel(id);
	ck_assert_int_eq(taskwait(id, &result), 0);
	ck_assert_str_eq(result, "c");
}

static int linkid;

static void
linkandunlink(void *v)
{
	strcat(trace, v);
	ck_assert_int_eq(taskunlink(linkid, notes, "c"), 0);
	FAILS(taskunlink(linkid, notes, "c"), ESRCH);
	ck_assert_int_eq(tasklink(linkid, notes, "g"), 0);
}

static void
noteandexit(void *v)
{
	strcat(trace, v);
	taskdelay(5);
	taskexit(0);
}

TASK_TEST(S1_9_links_are_called_once_in_order_and_may_unlink_later_ones)
{
	for(int i = 0; i < 2; i++){
		*trace = '\0';
		linkid = i ? taskspawn(sleepandreturn, NULL, 0) :
			taskcreate(create, "-", 0);
		ck_assert_int_eq(tasklink(linkid, notes, "a"), 0);
		ck_assert_int_eq(tasklink(linkid, linkandunlink, "b"), 0);
		ck_assert_int_eq(tasklink(linkid, notes, "c"), 0);
		ck_assert_int_eq(tasklink(linkid, noteandexit, "d"), 0);
		ck_assert_int_eq(tasklink(linkid, notes, "e"), 0);
		ck_assert_int_eq(tasklink(linkid, notes, "f"), 0);
		ck_assert_int_eq(taskunlink(linkid, notes, "f"), 0);
		FAILS(taskunlink(linkid, notes, "x"), ESRCH);
		ck_assert_int_eq(taskwait(linkid, NULL), 0);
		taskdelay(50);
		/* one that comes while they are called is another task's */
		if(i == 0)
			ck_assert_str_eq(trace, "-abdge");
		else
			ck_assert_str_eq(trace, "abdge");
		FAILS(tasklink(linkid, notes, "x"), ESRCH);
	}
	ck_assert_uint_eq(p.life->joins.n, 0);
	FAILS(tasklink(1, NULL, NULL), EINVAL);
	FAILS(taskunlink(12345, notes, NULL), ESRCH);
}

TASK_TEST(S1_9_a_link_made_after_the_end_is_called_too)
{
	int id = taskspawn(same, NULL, 0);

	taskdelay(1);
	ck_assert_int_eq(tasklink(id, notes, "a"), 0);
	ck_assert_int_eq(tasklink(id, notes, "b"), 0);
	ck_assert_str_eq(trace, "");
	taskyield();
	ck_assert_str_eq(trace, "ab");
	ck_assert_int_eq(taskwait(id, NULL), 0);
	FAILS(tasklink(id, notes, "c"), ESRCH);
}

TASK_TEST(a_link_is_called_after_all_that_was_deferred)
{
	int id = taskcreate(create, "x", 0);

	tasklink(id, notes, "l");
	taskdelay(1);
	taskdefer(notes, "d");	/* of this task */
	ck_assert_int_eq(taskwait(id, NULL), 0);
	ck_assert_str_eq(trace, "xl");
}

static void *
failwith(void *v)
{
	taskname("failing");
	taskfail(ENOENT, "no %s", (char *)v);
	return v;
}

static void *
failsilently(void *v)
{
	taskfail(*(int *)v, NULL);
	return v;
}

TASK_TEST_BY(S1_10_a_failed_task_says_so_and_stops_nobody,
	char err[4096], want[256];
	int status = childtask(body, err, sizeof err);

	snprintf(want, sizeof want, "task 2 (failing) failed: no milk: %s\n"
		"task 4 failed: %s\n", strerror(ENOENT), strerror(EINVAL));
	ck_assert_str_eq(err, want);
	ck_assert_int_eq(WEXITSTATUS(status), 0))
{
	void *result = v = "x";
	int err = 0;
	int id = taskspawn(failwith, "milk", 0);

	taskcreate(create, "others go on", 0);
	FAILS(taskwait(id, &result), ENOENT);
	ck_assert_ptr_null(result);
	FAILS(taskwait(taskspawn(failsilently, &err, 0), NULL), EINVAL);
	taskdelay(100);
	ck_assert_str_eq(trace, "others go on");
}

static void
waitforeachother(void *v)
{
	taskname("one");
	taskwait(v ? (int)(intptr_t)v : taskcreate(waitforeachother,
		(void *)(intptr_t)taskid(), 0), NULL);
}

START_TEST(tasks_that_wait_for_each_other_are_told_of)
{
	char err[4096];
	int status = childtask(waitforeachother, err, sizeof err);

	ck_assert_int_eq(WEXITSTATUS(status), 1);
	ck_assert_msg(strstr(err, "taskwait task 2 (one), in a cycle of 2\n") &&
		strstr(err, "taskwait task 1 (one), in a cycle of 2\n"), "%s",
		err);
}
END_TEST

/* Many at once, waited for in another order. */
TASK_TEST(no_result_is_lost_or_mistaken_among_many)
{
	enum { Many = 1000 };
	static struct
	{
		int id;
		intptr_t value;
	} a[Many];
	int n = fewer(Many);
	Random dice = randomstart();

	for(int round = 0; round < 3; round++){
		for(int i = 0; i < n; i++){
			a[i].value = i + 1;
			a[i].id = taskspawn(i % 3 ? same : sleepandreturn,
				(void *)a[i].value, 0);
		}
		for(int left = n; left > 0; left--){
			int k = (int)randombelow(&dice, (unsigned)left);
			void *result = NULL;
			ck_assert_int_eq(taskwait(a[k].id, &result), 0);
			ck_assert_int_eq((intptr_t)result, a[k].value);
			a[k] = a[left - 1];
		}
		ck_assert_uint_eq(p.life->joins.n, 0);
	}
}

/* With every allocation failing in its turn. */

static int nnoted;

static void
countone(void *v)
{
	(void)v;
	nnoted++;
}

static void
briefly(void *v)
{
	(void)v;
	taskdefer(notes, "");
	taskyield();
}

static int
ok(int r)
{
	if(r < 0)
		ck_assert_int_eq(errno, ENOMEM);
	return r >= 0;
}

TASK_TEST_BY(memory_that_runs_out_is_an_error_and_nothing_is_lost,
	startshort(body))
{
	for(int i = 0; i < 100; i++){
		int id = taskspawn(same, "s", 0), other;
		int links = id > 0 && ok(tasklink(id, countone, NULL));
		void *result = NULL;
		nnoted = 0;
		if(ok(id) && ok(taskwait(id, &result)))
			ck_assert_str_eq(result, "s");
		ck_assert_int_eq(nnoted, links);
		if(ok(other = taskcreate(briefly, NULL, 0)))
			ok(i % 2 ? taskwait(other, NULL) : taskcancel(other));
		if(id > 0)
			taskcancel(id);
	}
	fault.first = 0;
	taskdelay(1);
	ck_assert_uint_eq(p.life->joins.n, 0);
	ck_assert_uint_le(p.life->tasks.n, 1);
}

TEST_MAIN("join",
	memory_that_runs_out_is_an_error_and_nothing_is_lost,
	S0_22_a_task_waits_for_the_result_of_another,
	S1_6_tasks_spawned_1000_deep_all_end,
	S1_8_results_for_any_number_until_they_are_collected,
	a_task_without_result_can_be_waited_for_while_it_lives,
	a_result_whose_waiter_gave_up_is_kept,
	S1_7_waiters_of_a_cancelled_task_are_told,
	S1_9_links_are_called_once_in_order_and_may_unlink_later_ones,
	S1_9_a_link_made_after_the_end_is_called_too,
	a_link_is_called_after_all_that_was_deferred,
	S1_10_a_failed_task_says_so_and_stops_nobody,
	tasks_that_wait_for_each_other_are_told_of,
	no_result_is_lost_or_mistaken_among_many)
