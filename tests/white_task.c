/* SPDX-License-Identifier: MIT */
/* The core from inside, without descriptors, on a clock that the tests move. */
#include "virtual.h"
#include <limits.h>

/* Delays. */

TASK_TEST_BY(delays_last_as_long_as_they_say_even_seven_weeks,
	int64_t begin = nowns();

	startwell(body);
	ck_assert_int_lt(nowns() - begin, 10 * (int64_t)Second))
{
	static const unsigned int delays[] = {0, 1, 20, 86400000, INT_MAX,
		UINT_MAX};

	for(size_t i = 0; i < sizeof delays / sizeof delays[0]; i++){
		int64_t begin = now_ns;
		ck_assert_uint_eq(taskdelay(delays[i]), delays[i]);
		ck_assert_int_eq(now_ns - begin,
			delays[i] * (int64_t)Millisecond);
	}
}

enum { Sleepers = 2000 };

static struct
{
	int64_t deadline_ns;
	int index;
} woken[Sleepers];
static int nwoken;
static Random dice;

/* Few different deadlines, so that many are equal. */
static void
sleepshortly(void *v)
{
	unsigned int ms = randombelow(&dice, 50);
	int64_t deadline_ns = now_ns + ms * (int64_t)Millisecond;

	taskdelay(ms);
	if(now_ns < deadline_ns)
		ck_abort_msg("woken %lld ns early, seed %lu",
			(long long)(deadline_ns - now_ns), dice.seed);
	woken[nwoken].deadline_ns = deadline_ns;
	woken[nwoken++].index = (int)(intptr_t)v;
}

TASK_TEST_BY(sleepers_wake_by_deadline_and_those_of_one_in_the_order_they_came,
	dice = randomstart();
	startwell(body);
	ck_assert_int_eq(nwoken, Sleepers);
	for(int i = 1; i < nwoken; i++)
		if(woken[i].deadline_ns < woken[i - 1].deadline_ns ||
				(woken[i].deadline_ns ==
				woken[i - 1].deadline_ns &&
				woken[i].index < woken[i - 1].index))
			ck_abort_msg("sleeper %d woke after %d, seed %lu",
				woken[i].index, woken[i - 1].index, dice.seed))
{
	for(intptr_t i = 0; i < Sleepers; i++){
		taskcreate(sleepshortly, (void *)i, 0);
		if(i % 100 == 0)
			taskdelay(randombelow(&dice, 10));
	}
}

static int
parkuntil(int64_t deadline_ns)
{
	return task_park(WaitDelay, (Object){NULL}, NULL, NULL, deadline_ns);
}

static Task *sleeper;
static int result, err;

static void
parkforever(void *v)
{
	sleeper = p.running;
	result = parkuntil(*(int64_t *)v);
	err = errno;
}

/* Neither ends by itself in a hundred years. */
TASK_TEST(a_negative_deadline_and_the_largest_are_never)
{
	int64_t never[] = {-1, INT64_MIN, INT64_MAX};

	for(int i = 0; i < 3; i++){
		result = 17;
		taskcreate(parkforever, &never[i], 0);
		for(int year = 0; year < 100; year++)
			taskdelay(365 * 86400 * 100u);
		ck_assert_int_eq(result, 17);
		ck_assert_int_eq(task_ready(sleeper, sleeper->wait.number, 0),
			1);
		taskyield();
		ck_assert_int_eq(result, 0);
	}
}

TASK_TEST(a_deadline_that_has_passed_is_now)
{
	int64_t begin = now_ns;
	int64_t past[] = {0, 1, begin - 1, begin};

	for(int i = 0; i < 4; i++){
		errno = 0;
		ck_assert_int_eq(parkuntil(past[i]), -1);
		ck_assert_int_eq(errno, ETIMEDOUT);
		ck_assert_int_eq(now_ns, begin);
	}
}

/* Turns. */

TASK_TEST(taskyield_returns_exactly_how_many_others_ran)
{
	ck_assert_int_eq(taskyield(), 0);
	for(int n = 1; n < 50; n++){
		for(int i = 0; i < n; i++)
			taskcreate(nothing, NULL, 0);
		ck_assert_int_eq(taskyield(), n);
	}
	now_ns += 2 * Millisecond;
	int n;
	while((n = taskyield()) == 0)
		;
	ck_assert_int_eq(n, 1);
}

/*
 * A switch takes a microsecond here.  The bound: the fdtask has its turn every
 * millisecond, or when somebody looks at the clock next, 64 switches later.
 */
enum { Switch = 1000, Late = Millisecond + 64 * Switch };

static int64_t lateness;
static int over;

static void
delayandmeasure(void *v)
{
	(void)v;
	for(int i = 0; i < 50; i++){
		int64_t deadline_ns = now_ns + 3 * Millisecond;
		taskdelay(3);
		if(now_ns - deadline_ns > lateness)
			lateness = now_ns - deadline_ns;
	}
	over = 1;
}

static void
yieldalways(void *v)
{
	(void)v;
	while(!over){
		now_ns += Switch;
		taskyield();
	}
}

static Channel *c, *d;

static void
sendalways(void *v)
{
	(void)v;
	while(!over){
		now_ns += Switch;
		chansendul(c, 1);
		chanrecvul(d);
	}
}

static void
recvalways(void *v)
{
	tasksystem();
	for(;;){
		now_ns += Switch;
		chanrecvul(c);
		chansendul(d, 1);
	}
	(void)v;
}

static void
spinbeside(void *v)
{
	(void)v;
	taskcreate(delayandmeasure, NULL, 0);
	taskcreate(yieldalways, NULL, 0);
	yieldalways(v);
}

static void
pingpongbeside(void *v)
{
	c = chancreate(sizeof(unsigned long), 0);
	d = chancreate(sizeof(unsigned long), 0);
	taskcreate(delayandmeasure, NULL, 0);
	taskcreate(recvalways, NULL, 0);
	sendalways(v);
}

START_TEST(no_task_keeps_the_fdtask_from_its_turn_for_longer_than_promised)
{
	startwell(spinbeside);
	ck_assert_int_gt(lateness, 0);
	ck_assert_int_le(lateness, Late);
	ck_assert_int_lt(nlooks, 4000);	/* of 150 000 switches */
	lateness = over = 0;
	startwell(pingpongbeside);
	ck_assert_int_le(lateness, Late);
	chanfree(c);
	chanfree(d);
}
END_TEST

/* Tasks that were quick, then run for half a millisecond between switches. */
TASK_TEST_BY(slow_tasks_are_each_followed_by_a_look_at_the_clock,
	startwell(body);
	ck_assert_int_le(lateness, 2 * Millisecond))
{
	for(int i = 0; i < 1000; i++)
		taskyield();
	for(int i = 0; i < 100; i++){
		now_ns += Millisecond / 2;
		taskyield();
	}
	taskcreate(delayandmeasure, NULL, 0);
	while(!over){
		now_ns += Millisecond / 2;
		taskyield();
	}
}

/* Ids. */

static unsigned int lastid;

static void
tellid(void *v)
{
	(void)v;
	lastid = taskid();
}

static void
stay(void *v)
{
	(void)v;
	taskdelay(1000);
}

/* returns the id of a new task, which has ended by then. */
static int
newid(void)
{
	int id = taskcreate(tellid, NULL, 0);

	taskyield();
	ck_assert_uint_eq(lastid, (unsigned)id);
	return id;
}

TASK_TEST(ids_start_again_after_INT_MAX_and_pass_over_those_that_live)
{
	for(int i = 2; i <= 5; i++)
		ck_assert_int_eq(taskcreate(stay, NULL, 0), i);
	ck_assert_int_eq(newid(), 6);
	ck_assert_int_eq(taskcreate(stay, NULL, 0), 7);
	p.nextid = INT_MAX - 1;
	ck_assert_int_eq(taskcreate(stay, NULL, 0), INT_MAX - 1);
	ck_assert_int_eq(newid(), INT_MAX);
	ck_assert_int_eq(newid(), 6);
	ck_assert_int_eq(newid(), 8);
	ck_assert_int_eq(newid(), 9);
	/* as after another round: who stays is passed over */
	p.nextid = INT_MAX - 1;
	p.idlimit = INT_MAX - 1;
	ck_assert_int_eq(newid(), INT_MAX);
	ck_assert_int_eq(newid(), 6);
	ck_assert_int_eq(newid(), 8);
}

/* Park and ready. */

static Tasklist queue;
static int nunlinked, nparks;

static void
countunlink(Task *t)
{
	(void)t;
	nunlinked++;
}

/* parks in queue, again and again; each time until this moment, or for ever. */
static int64_t deadline;

static void
parkinqueue(void *v)
{
	(void)v;
	tasksystem();
	sleeper = p.running;
	for(;;){
		result = task_park(WaitRendez, (Object){&queue}, &queue,
			countunlink, deadline);
		err = errno;
		nparks++;
	}
}

TASK_TEST_BY(a_stale_wakeup_does_nothing,
	startwell(body);
	ck_assert_ptr_null(queue.head))
{
	deadline = -1;
	taskcreate(parkinqueue, NULL, 0);
	taskyield();
	uint64_t first = sleeper->wait.number;
	ck_assert_int_eq(task_ready(sleeper, 0, 0), 0);
	ck_assert_int_eq(task_ready(sleeper, first + 1, 0), 0);
	ck_assert_ptr_eq(task_wakefirst(&queue, 0), sleeper);
	/* ready already */
	ck_assert_int_eq(task_ready(sleeper, first, 0), 0);
	ck_assert_int_eq(task_ready(sleeper, 0, 0), 0);
	taskyield();
	ck_assert_int_eq(nparks, 1);
	/* waits again */
	ck_assert_int_eq(task_ready(sleeper, first, EIO), 0);
	taskyield();
	ck_assert_int_eq(nparks, 1);
	ck_assert_ptr_eq(queue.head, sleeper);
	ck_assert_ptr_eq(task_wakefirst(&queue, EIO), sleeper);
	taskyield();
	ck_assert_int_eq(nparks, 2);
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(err, EIO);
	ck_assert_int_eq(nunlinked, 0);
	ck_assert_uint_gt(sleeper->wait.number, first + 1);
}

TASK_TEST(a_deadline_takes_the_task_off_its_queue_and_calls_unlink_once)
{
	deadline = now_ns + 10 * Millisecond;
	taskcreate(parkinqueue, NULL, 0);
	taskyield();
	deadline = -1;
	uint64_t first = sleeper->wait.number;
	taskdelay(9);
	ck_assert_int_eq(nparks + nunlinked, 0);
	taskdelay(1);
	ck_assert_int_eq(nparks, 1);
	ck_assert_int_eq(nunlinked, 1);
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(err, ETIMEDOUT);
	ck_assert_int_eq(task_ready(sleeper, first, 0), 0);
	ck_assert_ptr_eq(queue.head, sleeper);	/* by its second wait only */
	ck_assert_ptr_eq(queue.tail, sleeper);
	ck_assert_uint_eq(p.sleeping.n, 0);
}

TASK_TEST(who_wakes_a_task_first_decides)
{
	deadline = now_ns + 10 * Millisecond;
	taskcreate(parkinqueue, NULL, 0);
	taskyield();
	deadline = -1;
	now_ns += 20 * Millisecond;	/* late, but nobody has noticed yet */
	ck_assert_ptr_eq(task_wakefirst(&queue, 0), sleeper);
	ck_assert_uint_eq(p.sleeping.n, 0);
	taskdelay(50);
	ck_assert_int_eq(nparks, 1);
	ck_assert_int_eq(result, 0);
	ck_assert_int_eq(nunlinked, 0);
}

/*
 * Takers wait with deadlines for a giver who comes at random.  What it hands to
 * the task that it found waiting must be what that one goes on with.
 */
enum { Takers = 10, Gifts = 20000 };

static unsigned char hands[Takers];
static int given, taken, timedout;

static void
take(void *v)
{
	unsigned char *hand = v;

	while(given < Gifts){
		int64_t when =
			now_ns + randombelow(&dice, 5) * (int64_t)Millisecond;
		*taskdata() = hand;
		if(task_park(WaitRendez, (Object){&queue}, &queue, NULL,
				when) == 0)
			taken += *hand == 1;
		else
			timedout += *hand == 0;
		*hand = 0;
		if(randombelow(&dice, 4) == 0)
			taskyield();
	}
}

static void
give(void *v)
{
	(void)v;
	while(given < Gifts){
		Task *t = task_wakefirst(&queue, 0);
		if(t){
			*(unsigned char *)t->data = 1;
			given++;
		}
		if(randombelow(&dice, 3) == 0)
			taskdelay(randombelow(&dice, 4));
		else if(randombelow(&dice, 2) == 0)
			taskyield();
	}
}

TASK_TEST_BY(what_is_handed_to_a_waiting_task_is_never_lost,
	dice = randomstart();
	startwell(body);
	ck_assert_msg(taken == given, "%d taken of %d given, seed %lu", taken,
		given, dice.seed);
	ck_assert_int_gt(timedout, 0);
	ck_assert_ptr_null(queue.head))
{
	for(int i = 0; i < Takers; i++)
		taskcreate(take, &hands[i], 0);
	taskcreate(give, NULL, 0);
}

/*
 * The public calls take no deadline yet; a parked task is given one from
 * outside, as a scope will do.
 */
static void
limit(Task *t, int ms)
{
	task_sleepinsert(&p.sleeping, &t->wait.sleeper,
		now_ns + ms * (int64_t)Millisecond);
}

static RWLock rw;
static QLock ql;
static Rendez rz;
static int nreading;

static void
trywrite(void *v)
{
	(void)v;
	sleeper = p.running;
	result = wlock(&rw);
	err = errno;
}

static void
readbehind(void *v)
{
	(void)v;
	ck_assert_int_eq(rlock(&rw), 0);
	nreading++;
	taskdelay(100);
	nreading--;
	runlock(&rw);
}

TASK_TEST(a_writer_that_stops_waiting_lets_the_readers_behind_it_in)
{
	rlock(&rw);
	taskcreate(trywrite, NULL, 0);
	taskcreate(readbehind, NULL, 0);
	taskcreate(readbehind, NULL, 0);
	taskdelay(1);
	limit(sleeper, 10);
	taskdelay(9);
	ck_assert_int_eq(nreading, 0);
	taskdelay(2);
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(err, ETIMEDOUT);
	ck_assert_int_eq(nreading, 2);
	ck_assert_int_eq(rw.readers, 3);
	runlock(&rw);
	taskdelay(200);
	ck_assert_int_eq(canwlock(&rw), 1);
	wunlock(&rw);
}

TASK_TEST(readers_behind_a_writer_that_gives_up_still_wait_for_the_one_inside)
{
	wlock(&rw);
	taskcreate(trywrite, NULL, 0);
	taskcreate(readbehind, NULL, 0);
	taskdelay(1);
	limit(sleeper, 10);
	taskdelay(20);
	ck_assert_int_eq(err, ETIMEDOUT);
	ck_assert_int_eq(nreading, 0);
	wunlock(&rw);
	taskdelay(1);
	ck_assert_int_eq(nreading, 1);
}

static void
trylock(void *v)
{
	(void)v;
	sleeper = p.running;
	result = qlock(&ql);
	err = errno;
}

TASK_TEST(a_task_that_stops_waiting_for_a_qlock_is_not_given_it)
{
	qlock(&ql);
	taskcreate(trylock, NULL, 0);
	taskyield();
	limit(sleeper, 10);
	taskdelay(20);
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(err, ETIMEDOUT);
	ck_assert_ptr_null(ql.waiting.head);
	qunlock(&ql);
	ck_assert_ptr_null(ql.owner);
}

static void
trysleep(void *v)
{
	(void)v;
	sleeper = p.running;
	qlock(&ql);
	result = tasksleep(&rz);
	err = errno;
	ck_assert_ptr_eq(ql.owner, p.running);
	qunlock(&ql);
}

TASK_TEST(a_task_that_stops_sleeping_has_the_lock_again)
{
	rz.l = &ql;
	taskcreate(trysleep, NULL, 0);
	taskyield();
	limit(sleeper, 10);
	taskdelay(5);
	ck_assert_int_eq(canqlock(&ql), 1);
	taskdelay(20);
	qunlock(&ql);
	taskyield();
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(err, ETIMEDOUT);
	ck_assert_int_eq(taskwakeup(&rz), 0);
}

static void
tryalt(void *v)
{
	unsigned long u = 0;
	Alt a[] = {
		{.c = c, .v = &u, .op = CHANRCV},
		{.c = d, .v = &u, .op = CHANRCV},
		{.c = d, .v = &u, .op = CHANSND},
		{.op = CHANEND},
	};

	sleeper = p.running;
	result = chanalt(a);
	err = errno;
	(void)v;
}

TASK_TEST(an_alt_that_stops_waiting_is_off_all_its_channels)
{
	c = chancreate(sizeof(unsigned long), 0);
	d = chancreate(sizeof(unsigned long), 0);
	taskcreate(tryalt, NULL, 0);
	taskyield();
	limit(sleeper, 10);
	taskdelay(20);
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(err, ETIMEDOUT);
	ck_assert_ptr_null(c->arecv.head);
	ck_assert_ptr_null(d->arecv.head);
	ck_assert_ptr_null(d->asend.head);

	/* served in time, although nobody has noticed that it is late */
	taskcreate(tryalt, NULL, 0);
	taskyield();
	limit(sleeper, 10);
	now_ns += 20 * Millisecond;
	ck_assert_int_eq(channbsendul(d, 1), 1);
	taskdelay(20);
	ck_assert_int_eq(result, 1);
	chanfree(c);
	chanfree(d);
}

/* The end. */

TASK_TEST_BY(who_is_left_at_the_end_is_in_no_queue,
	startwell(body);
	ck_assert_ptr_null(queue.head);
	ck_assert_ptr_null(queue.tail);
	ck_assert_int_eq(nunlinked, 2))
{
	deadline = -1;
	taskcreate(parkinqueue, NULL, 0);
	taskcreate(parkinqueue, NULL, 0);
	taskyield();
}

TASK_TEST_BY(the_scheduler_tells_when_nothing_can_happen_any_more,
	ck_assert_int_eq(start(body, NULL), -1);
	ck_assert_int_eq(nstalled, 1);
	ck_assert_int_eq(p.failed, EDEADLK);
	ck_assert_ptr_null(task_proc))
{
	parkuntil(-1);
}

TASK_TEST_BY(an_idle_program_has_one_turn_for_each_deadline,
	startwell(body);
	ck_assert_int_le(nturns, 4))
{
	taskdelay(1000);
	taskdelay(1000);
	taskdelay(1000);
}

TEST_MAIN("task, inside",
	delays_last_as_long_as_they_say_even_seven_weeks,
	sleepers_wake_by_deadline_and_those_of_one_in_the_order_they_came,
	a_negative_deadline_and_the_largest_are_never,
	a_deadline_that_has_passed_is_now,
	taskyield_returns_exactly_how_many_others_ran,
	no_task_keeps_the_fdtask_from_its_turn_for_longer_than_promised,
	slow_tasks_are_each_followed_by_a_look_at_the_clock,
	ids_start_again_after_INT_MAX_and_pass_over_those_that_live,
	a_stale_wakeup_does_nothing,
	a_deadline_takes_the_task_off_its_queue_and_calls_unlink_once,
	who_wakes_a_task_first_decides,
	what_is_handed_to_a_waiting_task_is_never_lost,
	a_writer_that_stops_waiting_lets_the_readers_behind_it_in,
	readers_behind_a_writer_that_gives_up_still_wait_for_the_one_inside,
	a_task_that_stops_waiting_for_a_qlock_is_not_given_it,
	a_task_that_stops_sleeping_has_the_lock_again,
	an_alt_that_stops_waiting_is_off_all_its_channels,
	who_is_left_at_the_end_is_in_no_queue,
	the_scheduler_tells_when_nothing_can_happen_any_more,
	an_idle_program_has_one_turn_for_each_deadline)
