/* SPDX-License-Identifier: MIT */
/* Groups, on a clock that the tests move. */
#include "virtual.h"

static int alive, most, ended, ncancelled, ntimedout;

static void
enter(void)
{
	if(++alive > most)
		most = alive;
}

/* sleeps, and tells how that went. */
static void
job(void *v)
{
	enter();
	errno = 0;
	taskdelay((unsigned int)(uintptr_t)v);
	ncancelled += errno == ECANCELED;
	ntimedout += errno == ETIMEDOUT;
	alive--;
	ended++;
}

static void *
ms(uintptr_t n)
{
	return (void *)n;
}

static Group pool = {.limit = 3};

TASK_TEST(S1_17_a_pool_of_three_never_has_more_alive)
{
	begin();
	for(int i = 0; i < 10; i++)
		ck_assert_int_gt(groupspawn(&pool, job, ms(10), 0), 0);
	ck_assert_int_eq(elapsed(), 30);
	ck_assert_int_eq(groupwait(&pool), 0);
	ck_assert_int_eq(elapsed(), 40);
	ck_assert_int_eq(ended, 10);
	ck_assert_int_eq(most, 3);
	ck_assert_uint_eq(p.life->groups.n, 0);
	ck_assert_ptr_null(p.running->defers);
}

static void
spawnfrominside(void *v)
{
	(void)v;
	enter();
	taskdelay(1);
	FAILS(groupspawn(&pool, job, ms(10), 0), EDEADLK);
	FAILS(groupwait(&pool), EDEADLK);
	taskdelay(1);
	alive--;
	ended++;
}

TASK_TEST(S1_17_to_spawn_from_inside_a_full_pool_does_not_hang)
{
	for(int i = 0; i < 3; i++)
		groupspawn(&pool, spawnfrominside, NULL, 0);
	ck_assert_int_eq(groupwait(&pool), 0);
	ck_assert_int_eq(ended, 3);
}

static void
spawnsibling(void *v)
{
	enter();
	ck_assert_int_gt(groupspawn(v, job, ms(20), 0), 0);
	alive--;
	ended++;
}

TASK_TEST(a_child_may_spawn_siblings_which_are_waited_for)
{
	Group g = {0};

	begin();
	groupspawn(&g, spawnsibling, &g, 0);
	ck_assert_int_eq(groupwait(&g), 0);
	ck_assert_int_eq(ended, 2);
	ck_assert_int_eq(elapsed(), 20);
}

static void
quiet(void)
{
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
}

static void
failafter(void *v)
{
	taskdelay((unsigned int)(uintptr_t)v);
	quiet();
	taskfail((int)(uintptr_t)v, NULL);
}

TASK_TEST(a_failing_child_is_told_of_and_stops_nobody)
{
	Group g = {0};

	begin();
	groupspawn(&g, job, ms(100), 0);
	groupspawn(&g, failafter, ms(20), 0);
	groupspawn(&g, failafter, ms(10), 0);
	FAILS(groupwait(&g), 10);
	ck_assert_int_eq(elapsed(), 100);
	ck_assert_int_eq(ncancelled, 0);
	ck_assert_int_eq(groupwait(&g), 0);
}

TASK_TEST(a_failing_child_cancels_its_siblings_if_the_group_says_so)
{
	Group g = {.failfast = 1};

	begin();
	groupspawn(&g, job, ms(100), 0);
	groupspawn(&g, failafter, ms(10), 0);
	groupspawn(&g, job, ms(100), 0);
	taskdelay(50);
	ck_assert_int_eq(ncancelled, 2);
	FAILS(groupspawn(&g, job, ms(1), 0), ECANCELED);
	FAILS(groupspawn(&g, job, ms(1), 0), ECANCELED);
	FAILS(groupwait(&g), 10);
	ck_assert_int_eq(elapsed(), 50);
	/* and then it is as new */
	ck_assert_int_gt(groupspawn(&g, job, ms(1), 0), 0);
	ck_assert_int_eq(groupwait(&g), 0);
	ck_assert_int_eq(ended, 3);
}

TASK_TEST(groupcancel_cancels_children_and_who_is_about_to_make_one)
{
	Group g = {0};

	ck_assert_int_eq(groupcancel(&g), 0);
	groupspawn(&g, job, ms(100), 0);
	groupspawn(&g, job, ms(100), 0);
	taskyield();
	groupspawn(&g, job, ms(100), 0);	/* which never runs */
	ck_assert_int_eq(groupcancel(&g), 0);
	ck_assert_int_eq(groupcancel(&g), 0);
	begin();
	ck_assert_int_eq(groupwait(&g), 0);
	ck_assert_int_eq(elapsed(), 0);
	ck_assert_int_eq(ncancelled, 2);
	ck_assert_int_eq(ended, 2);
}

static int spawned;

static void
spawninpool(void *v)
{
	int id = groupspawn(&pool, job, v, 0);

	spawned = id > 0 ? 1 : errno;
}

TASK_TEST(who_waits_for_a_place_is_cancelled_with_the_group)
{
	for(int i = 0; i < 3; i++)
		groupspawn(&pool, job, ms(100), 0);
	taskcreate(spawninpool, ms(10), 0);
	taskyield();
	ck_assert_int_eq(spawned, 0);
	groupcancel(&pool);
	ck_assert_int_eq(groupwait(&pool), 0);
	ck_assert_int_eq(spawned, ECANCELED);
}

TASK_TEST(a_place_is_not_lost_to_one_that_gave_up)
{
	Timeout t;

	begin();
	for(int i = 0; i < 3; i++)
		groupspawn(&pool, job, ms(100), 0);
	TIMEOUT(&t, 10)
		FAILS(groupspawn(&pool, job, ms(1), 0), ETIMEDOUT);
	taskcreate(spawninpool, ms(10), 0);
	ck_assert_int_gt(groupspawn(&pool, job, ms(10), 0), 0);
	ck_assert_int_eq(elapsed(), 100);
	ck_assert_int_eq(groupwait(&pool), 0);
	ck_assert_int_eq(elapsed(), 110);
	ck_assert_int_eq(spawned, 1);
	ck_assert_int_eq(ended, 5);
	ck_assert_int_eq(most, 3);
}

/* Who cleans up for 30 ms when it is cancelled. */
static void
cleanup(void *v)
{
	enter();
	errno = 0;
	taskdelay(1000);
	ck_assert_int_eq(errno, v ? ETIMEDOUT : ECANCELED);
	taskshield(500);
	taskdelay(30);
	taskunshield();
	alive--;
	ended++;
}

TASK_TEST(a_groupwait_that_is_cut_short_leaves_no_child_alive)
{
	Group g = {0};
	Timeout t;

	groupspawn(&g, cleanup, NULL, 0);
	groupspawn(&g, cleanup, NULL, 0);
	begin();
	TIMEOUT(&t, 20)
		FAILS(groupwait(&g), ETIMEDOUT);
	ck_assert_int_eq(timeoutfired(&t), 1);
	ck_assert_int_eq(elapsed(), 50);
	ck_assert_int_eq(alive, 0);
	ck_assert_int_eq(ended, 2);
	ck_assert_int_eq(groupwait(&g), 0);
}

TASK_TEST(children_inherit_the_nearest_deadline_and_others_do_not)
{
	Group g = {0};
	Timeout outer, inner;

	begin();
	timeoutstart(&outer, 100);
	timeoutstart(&inner, 40);
	groupspawn(&g, job, ms(1000), 0);
	groupspawn(&g, cleanup, "times out", 0);
	groupspawn(&g, job, ms(39), 0);
	taskcreate(job, ms(200), 0);
	timeoutstop(&inner);
	ck_assert_int_eq(groupwait(&g), 0);
	ck_assert_int_eq(elapsed(), 70);
	ck_assert_int_eq(ntimedout, 1);
	ck_assert_int_eq(timeoutstop(&outer), 0);
	taskdelay(200);
	ck_assert_int_eq(ntimedout, 1);
	ck_assert_int_eq(ended, 4);
}

static void
spawncancelled(void *v)
{
	Group g = {0};

	begin();
	taskcancel((int)taskid());
	ck_assert_int_gt(groupspawn(&g, job, ms(30), 0), 0);
	taskshield(1000);
	ck_assert_int_eq(groupwait(&g), 0);
	ck_assert_int_eq(elapsed(), 30);
	taskunshield();
	++*(int *)v;
}

TASK_TEST(children_do_not_inherit_that_their_maker_is_cancelled)
{
	int n = 0;

	taskcreate(spawncancelled, &n, 0);
	taskdelay(100);
	ck_assert_int_eq(n, 1);
	ck_assert_int_eq(ntimedout + ncancelled, 0);
}

static Group outside;

/* leaves children behind, and its Group is not there any more. */
static void
leavechildren(void *v)
{
	Group g = {0};

	groupspawn(&g, cleanup, NULL, 0);
	groupspawn(v, cleanup, NULL, 0);
	groupspawn(v, job, ms(1000), 0);
	taskyield();
}

TASK_TEST(before_its_owner_ends_a_group_has_no_children)
{
	begin();
	for(int i = 1; i <= 2; i++){
		int id = taskcreate(leavechildren, &outside, 0);
		ck_assert_int_eq(taskwait(id, NULL), 0);
		ck_assert_int_eq(alive, 0);
		ck_assert_int_eq(ended, 3 * i);
		ck_assert_int_eq(elapsed(), 60 * i);
		ck_assert_uint_eq(p.life->groups.n, 0);
	}
	/* its number is not known any more */
	ck_assert_int_eq(groupwait(&outside), 0);
	ck_assert_int_eq(groupcancel(&outside), 0);
	ck_assert_int_gt(groupspawn(&outside, job, ms(1), 0), 0);
	ck_assert_int_eq(groupwait(&outside), 0);
}

static void
waitfor(void *v)
{
	FAILS(groupwait(v), ENOENT);
	ended++;
}

static void
failnow(void *v)
{
	(void)v;
	quiet();
	taskfail(ENOENT, "%s", "gone");
}

TASK_TEST(any_number_may_wait_for_a_group)
{
	Group g = {0};

	groupspawn(&g, job, ms(10), 0);
	groupspawn(&g, failnow, NULL, 0);
	for(int i = 0; i < 3; i++)
		taskcreate(waitfor, &g, 0);
	taskdelay(100);
	ck_assert_int_eq(ended, 4);
	ck_assert_uint_eq(p.life->groups.n, 0);
	ck_assert_ptr_null(p.running->defers);
}

static void
nested(void *v)
{
	Group g = {0};

	(void)v;
	groupspawn(&g, cleanup, NULL, 0);
	groupspawn(&g, cleanup, NULL, 0);
	FAILS(groupwait(&g), ECANCELED);
	ck_assert_int_eq(alive, 0);
}

TASK_TEST(to_cancel_the_owner_cancels_the_children)
{
	Group g = {0};

	groupspawn(&g, nested, NULL, 0);
	taskdelay(10);
	ck_assert_int_eq(alive, 2);
	begin();
	groupcancel(&g);
	ck_assert_int_eq(groupwait(&g), 0);
	ck_assert_int_eq(elapsed(), 30);
	ck_assert_int_eq(ended, 2);
}

TASK_TEST(no_group_or_no_function_is_EINVAL)
{
	Group g = {0};

	FAILS(groupspawn(NULL, job, NULL, 0), EINVAL);
	FAILS(groupspawn(&g, NULL, NULL, 0), EINVAL);
	FAILS(groupwait(NULL), EINVAL);
	FAILS(groupcancel(NULL), EINVAL);
	FAILS(groupown(NULL), EINVAL);
	ck_assert_int_eq(groupwait(&g), 0);
}

static void
stalled(void *v)
{
	Rendez r = {0};

	(void)v;
	tasksleep(&r);
}

TASK_TEST_BY(the_report_of_a_deadlock_knows_groups,
	char err[4096];

	childtask(body, err, sizeof err);
	ck_assert_msg(strstr(err, "groupwait, 1 child alive") != NULL, "%s",
		err))
{
	groupspawn(&pool, stalled, NULL, 0);
	groupwait(&pool);
}

TASK_TEST_BY(memory_that_runs_out_is_an_error_and_nothing_is_lost,
	startshort(body))
{
	for(int i = 0; i < 100; i++){
		Group g = {.limit = 2};
		for(int k = 0; k < 4; k++){
			int id = groupspawn(&g, job, ms(1), 0);
			if(id < 0)
				ck_assert_int_eq(errno, ENOMEM);
		}
		ended = 0;
		groupwait(&g);
		ck_assert_int_eq(alive, 0);
	}
	ck_assert_ptr_null(p.running->defers);
}

static void
cancelpool(void *v)
{
	(void)v;
	groupcancel(&pool);
}

/* Whoever is to cancel is ready before the one that gets the place. */
static void
leavebehindacancel(void *v)
{
	(void)v;
	taskdelay(1);
	taskcreate(cancelpool, NULL, 0);
}

static void
spawnlast(void *v)
{
	(void)v;
	errno = 0;
	FAILS(groupspawn(&pool, job, ms(10), 0), ECANCELED);
}

TASK_TEST(who_has_a_place_but_no_child_yet_is_cancelled_with_the_group)
{
	begin();
	pool.limit = 1;
	groupspawn(&pool, leavebehindacancel, NULL, 0);
	taskcreate(spawnlast, NULL, 0);
	taskyield();
	ck_assert_int_eq(groupwait(&pool), 0);
	ck_assert_int_eq(elapsed(), 1);
	ck_assert_int_eq(ended, 0);
	ck_assert_uint_eq(p.life->groups.n, 0);
	ck_assert_ptr_null(p.running->defers);
}

static void
spawnandend(void *ids)
{
	*(int *)ids = groupspawn(&pool, job, ms(10), 0);
	FAILS(groupown(&pool), EBUSY);
}

TASK_TEST(a_group_that_is_owned_outlives_who_made_the_first_child)
{
	int id = 0;

	begin();
	ck_assert_int_eq(groupown(&pool), 0);
	ck_assert_int_eq(groupown(&pool), 0);
	taskcreate(spawnandend, &id, 0);
	taskdelay(1);
	ck_assert_int_gt(id, 0);
	ck_assert_int_eq(groupwait(&pool), 0);
	ck_assert_int_eq(elapsed(), 10);
	ck_assert_int_eq(ncancelled, 0);
	ck_assert_int_eq(ended, 1);
	ck_assert_uint_eq(p.life->groups.n, 0);
	ck_assert_ptr_null(p.running->defers);
}

static void
ownandend(void *v)
{
	(void)v;
	ck_assert_int_eq(groupown(&pool), 0);
	taskdelay(5);
}

TASK_TEST(its_children_end_with_the_owner)
{
	begin();
	taskcreate(ownandend, NULL, 0);
	taskyield();
	FAILS(groupown(&pool), EBUSY);
	ck_assert_int_gt(groupspawn(&pool, job, ms(100), 0), 0);
	taskdelay(6);
	ck_assert_int_eq(ended, 1);
	ck_assert_int_eq(ncancelled, 1);
	ck_assert_int_eq(groupown(&pool), 0);	/* it is as new */
	ck_assert_int_eq(groupwait(&pool), 0);
	ck_assert_uint_eq(p.life->groups.n, 0);
}

typedef struct Element
{
	unsigned int ms;
	int err;	/* to fail with */
	int result;
} Element;

static void
work(void *v)
{
	Element *e = v;

	enter();
	if(sleepfor(e->ms) < 0)
		ncancelled++;
	else
		e->result = (int)e->ms + 1;
	alive--;
	ended++;
	if(e->err)
		taskfail(e->err, "work");
}

/* groupmap of ten elements, the last three of which take longest. */
static Element *
elements(void)
{
	static Element e[10];

	alive = most = ended = ncancelled = 0;
	for(int i = 0; i < 10; i++)
		e[i] = (Element){.ms = i < 7 ? 10 : 20};
	begin();
	return e;
}

static int
mapten(Element *e)
{
	return groupmap(&pool, work, e, 10, sizeof *e, 0);
}

TASK_TEST(S1_17_a_pool_maps_an_array_three_elements_at_a_time)
{
	Element *e = elements();

	ck_assert_int_eq(mapten(e), 0);
	for(int i = 0; i < 10; i++)
		ck_assert_int_eq(e[i].result, (int)e[i].ms + 1);
	ck_assert_int_eq(most, 3);
	ck_assert_int_eq(ended, 10);
	ck_assert_int_eq(elapsed(), 50);
	ck_assert_uint_eq(p.life->groups.n, 0);
	ck_assert_ptr_null(p.running->defers);
	ck_assert_int_eq(groupmap(&pool, work, NULL, 0, 1, 0), 0);
	FAILS(groupmap(&pool, work, NULL, 1, 1, 0), EINVAL);
	FAILS(groupmap(&pool, NULL, e, 1, 1, 0), EINVAL);
	FAILS(groupmap(NULL, work, e, 1, 1, 0), EINVAL);
}

TASK_TEST(groupmap_tells_of_the_first_that_failed)
{
	Element *e = elements();

	e[1].err = EDOM;
	e[5].err = ERANGE;
	FAILS(mapten(e), EDOM);
	ck_assert_int_eq(ended, 10);
	e = elements();
	e[1].err = EDOM;
	pool.failfast = 1;
	FAILS(mapten(e), EDOM);
	pool.failfast = 0;
	ck_assert_int_lt(ended, 10);
	ck_assert_int_eq(alive, 0);
}

TASK_TEST(of_a_groupmap_that_is_cut_short_nobody_is_left)
{
	Timeout t;

	for(unsigned int ms = 0; ms < 50; ms += 5){
		Element *e = elements();
		timeoutstart(&t, ms);
		FAILS(mapten(e), ETIMEDOUT);
		timeoutstop(&t);
		ck_assert_int_eq(elapsed(), ms);
		ck_assert_int_eq(alive, 0);
		ck_assert_uint_eq(p.life->groups.n, 0);
	}
}

static void
mapinside(void *v)
{
	FAILS(mapten(v), EDEADLK);
}

TASK_TEST(a_child_that_maps_in_its_own_group_does_not_hang)
{
	ck_assert_int_gt(groupspawn(&pool, mapinside, elements(), 0), 0);
	ck_assert_int_eq(groupwait(&pool), 0);
	ck_assert_int_eq(ended, 0);
}

TASK_TEST_BY(groupmap_without_memory_leaves_nobody,
	startshort(body))
{
	Element *e = elements();

	if(mapten(e) < 0)
		ck_assert_int_eq(errno, ENOMEM);
	ck_assert_int_eq(alive, 0);
}

TEST_MAIN("group",
	S1_17_a_pool_maps_an_array_three_elements_at_a_time,
	groupmap_tells_of_the_first_that_failed,
	of_a_groupmap_that_is_cut_short_nobody_is_left,
	a_child_that_maps_in_its_own_group_does_not_hang,
	groupmap_without_memory_leaves_nobody,
	a_group_that_is_owned_outlives_who_made_the_first_child,
	its_children_end_with_the_owner,
	S1_17_a_pool_of_three_never_has_more_alive,
	S1_17_to_spawn_from_inside_a_full_pool_does_not_hang,
	a_child_may_spawn_siblings_which_are_waited_for,
	a_failing_child_is_told_of_and_stops_nobody,
	a_failing_child_cancels_its_siblings_if_the_group_says_so,
	groupcancel_cancels_children_and_who_is_about_to_make_one,
	who_waits_for_a_place_is_cancelled_with_the_group,
	who_has_a_place_but_no_child_yet_is_cancelled_with_the_group,
	a_place_is_not_lost_to_one_that_gave_up,
	a_groupwait_that_is_cut_short_leaves_no_child_alive,
	children_inherit_the_nearest_deadline_and_others_do_not,
	children_do_not_inherit_that_their_maker_is_cancelled,
	before_its_owner_ends_a_group_has_no_children,
	any_number_may_wait_for_a_group,
	to_cancel_the_owner_cancels_the_children,
	no_group_or_no_function_is_EINVAL,
	the_report_of_a_deadlock_knows_groups,
	memory_that_runs_out_is_an_error_and_nothing_is_lost)
