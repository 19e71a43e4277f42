/* SPDX-License-Identifier: MIT */
/* Semaphores, events and recursive locks, when a task stops waiting for one. */
#include "../taskimpl.h"
#include "test.h"

static Sem sem;
static Event event;
static RecLock rec;

/* A parked task is given a deadline from outside. */
static void
limit(Task *t, int64_t ns)
{
	Proc *p = task_proc;

	task_sleepinsert(&p->sleeping, &t->wait.sleeper, p->now() + ns);
}

static int
acquire(void)
{
	return semacquire(&sem);
}

static int
await(void)
{
	return eventwait(&event);
}

static int
lock(void)
{
	return reclock(&rec);
}

static const struct
{
	int (*wait)(void);
	Tasklist *queue;	/* NULL: entries, those of event */
} calls[] = {
	{acquire, &sem.waiting},
	{await, NULL},
	{lock, &rec.l.waiting},
};

/* The first that waits in calls[i], or the second; NULL if there is none. */
static Task *
waiting(int i, int second)
{
	Tasklist *queue = calls[i].queue;
	Task *t = queue ? queue->head : NULL;
	Alt *a = queue ? NULL : event.waiting.head;

	if(second)
		return queue ? t->next : a->next->task;
	return queue ? t : a ? a->task : NULL;
}

static int ndone;

static void
timesout(void *v)
{
	int i = *(int *)v;

	errno = 0;
	ck_assert_int_eq(calls[i].wait(), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ndone++;
}

TASK_TEST(who_stops_waiting_leaves_nothing_behind)
{
	reclock(&rec);
	for(int i = 0; i < 3; i++){
		for(int k = 0; k < 3; k++)
			taskcreate(timesout, &i, 0);
		taskyield();
		Task *t = waiting(i, 1);	/* from the middle */
		limit(t, 0);
		taskdelay(1);
		ck_assert_ptr_ne(waiting(i, 1), t);
		while(waiting(i, 0)){
			limit(waiting(i, 0), 0);
			taskdelay(1);
		}
	}
	ck_assert_int_eq(ndone, 9);
	semrelease(&sem);
	ck_assert_uint_eq(sem.n, 1);
	ck_assert_int_eq(eventset(&event), 0);
	recunlock(&rec);
	ck_assert_ptr_null(rec.l.owner);
}

/* Deadlines and releases in one turn: a unit is taken, or still there. */
enum { Takers = 20, Rounds = 20000 };

static Random dice;
static int taken, missed, over;

static void
take(void *v)
{
	(void)v;
	while(!over){
		for(unsigned int n = randombelow(&dice, 3); n > 0; n--)
			taskyield();
		if(semacquire(&sem) == 0)
			taken++;
		else{
			ck_assert_int_eq(errno, ETIMEDOUT);
			missed++;
		}
	}
}

TASK_TEST_BY(a_unit_that_was_released_is_never_lost,
	dice = randomstart();
	run(body))
{
	int given = 0;

	for(int i = 0; i < Takers; i++)
		taskcreate(take, NULL, 0);
	for(int i = 0; i < Rounds; i++){
		Task *t = sem.waiting.head;

		if(t && randombelow(&dice, 2) == 0 &&
				t->wait.sleeper.index == 0)
			limit(t, 0);
		if(randombelow(&dice, 2) == 0){
			semrelease(&sem);
			given++;
		}
		if(randombelow(&dice, 4) == 0)
			taskdelay(0);
		else if(randombelow(&dice, 2) == 0)
			taskyield();
	}
	over = 1;
	while(sem.waiting.head){
		semrelease(&sem);
		given++;
		taskyield();
	}
	while(taskyield() > 0)
		;
	ck_assert_msg(taken + (int)sem.n == given,
		"%d taken and %u left of %d given, seed %lu", taken, sem.n,
		given, dice.seed);
	ck_assert_int_gt(missed, 0);
}

TEST_MAIN("sem, inside", who_stops_waiting_leaves_nothing_behind,
	a_unit_that_was_released_is_never_lost)
