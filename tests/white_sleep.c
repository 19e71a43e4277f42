/* SPDX-License-Identifier: MIT */
/* The sleeping queue against a sorted list that is too simple to be wrong. */
#include "test.h"
#include "watched.h"
#include "../machine/machine.h"

enum { Sleepers = 256, Many = 100000 };

/* The reference: sleepers in the order in which they are to wake. */
static Sleeper *sorted[Sleepers];
static size_t nsorted;

static Sleeper sleepers[Sleepers];
static uint64_t seed;

static uint64_t
random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void
newseed(void)
{
	const char *s = getenv("TESTSEED");

	seed = s ? strtoull(s, NULL, 0) : (uint64_t)nowns() | 1;
}

/* Many equal ones, and those at which arithmetic goes wrong. */
static int64_t
randomdeadline(void)
{
	static const int64_t odd[] = {0, -1, 1, INT64_MIN, INT64_MAX,
		INT64_MAX - 1};
	uint64_t r = random64();

	switch(r >> 60 & 3){
	case 0:
		return odd[r % (sizeof odd / sizeof odd[0])];
	case 1:
		return (int64_t)random64();
	default:
		return (int64_t)(r % 16);
	}
}

/* behind all that are not later: equal deadlines are first in, first out */
static void
refinsert(Sleeper *s, int64_t deadline)
{
	size_t i = nsorted++;

	for(; i > 0 && sorted[i-1]->deadline_ns > deadline; i--)
		sorted[i] = sorted[i-1];
	sorted[i] = s;
}

static void
refremove(Sleeper *s)
{
	size_t i = 0;

	while(sorted[i] != s)
		i++;
	memmove(&sorted[i], &sorted[i+1], (--nsorted - i) * sizeof sorted[0]);
}

START_TEST(random_inserts_and_removals_keep_the_order_of_a_sorted_list)
{
	Sleepqueue q = {0};
	int n = watched() ? 50000 : 1000000;

	newseed();
	uint64_t first = seed;
	ck_assert_int_eq(task_sleepreserve(&q, Sleepers), 0);
	for(int i = 0; i < n; i++){
		Sleeper *s = &sleepers[random64() % Sleepers];

		if(s->index == 0){
			int64_t deadline = randomdeadline();
			task_sleepinsert(&q, s, deadline);
			refinsert(s, deadline);
		}else{
			if(random64() % 2)	/* expire, rather than cancel */
				s = task_sleepfirst(&q);
			task_sleepremove(&q, s);
			refremove(s);
			if(s->index != 0)
				ck_abort_msg("removed, but has an index");
		}
		if(task_sleepfirst(&q) != (nsorted ? sorted[0] : NULL))
			ck_abort_msg("step %d, TESTSEED=%#jx", i,
				(uintmax_t)first);
	}
	for(size_t i = 0; nsorted > 0; i++){
		Sleeper *s = task_sleepfirst(&q);
		ck_assert_msg(s == sorted[0], "TESTSEED=%#jx",
			(uintmax_t)first);
		task_sleepremove(&q, s);
		refremove(s);
	}
	ck_assert_ptr_null(task_sleepfirst(&q));
	free(q.heap);
}
END_TEST

START_TEST(many_sleepers_expire_in_order)
{
	Sleepqueue q = {0};
	Sleeper *all = calloc(Many, sizeof *all);
	int left = Many, n = 0;

	newseed();
	for(int i = 0; i < Many; i++){
		ck_assert_int_eq(task_sleepreserve(&q, (size_t)i + 1), 0);
		task_sleepinsert(&q, &all[i], (int64_t)(random64() % 1000));
	}
	/* from anywhere in it */
	for(int i = 0; i < Many; i += 3, left--)
		task_sleepremove(&q, &all[i]);
	int64_t deadline = 0;
	Sleeper *before = NULL, *s;
	for(; (s = task_sleepfirst(&q)) != NULL; n++){
		if(s->deadline_ns < deadline || (s - all) % 3 == 0)
			ck_abort_msg("out of order");
		if(before && s->deadline_ns == deadline && s < before)
			ck_abort_msg("equal deadlines out of order");
		deadline = s->deadline_ns;
		before = s;
		task_sleepremove(&q, s);
	}
	ck_assert_int_eq(n, left);
	free(all);
	free(q.heap);
}
END_TEST

START_TEST(equal_deadlines_wake_first_in_first_out_after_removals)
{
	Sleepqueue q = {0};

	ck_assert_int_eq(task_sleepreserve(&q, Sleepers), 0);
	for(int i = 0; i < Sleepers; i++)
		task_sleepinsert(&q, &sleepers[i], 7);
	for(int i = 0; i < Sleepers; i += 2)
		task_sleepremove(&q, &sleepers[i]);
	for(int i = 0; i < Sleepers; i += 2)
		task_sleepinsert(&q, &sleepers[i], 7);
	for(int i = 0; i < Sleepers; i++){
		int k = i < Sleepers / 2 ? 2 * i + 1 : 2 * i - Sleepers;
		ck_assert_ptr_eq(task_sleepfirst(&q), &sleepers[k]);
		task_sleepremove(&q, &sleepers[k]);
	}
	free(q.heap);
}
END_TEST

START_TEST(a_removed_sleeper_can_be_used_at_once_for_another_deadline)
{
	Sleepqueue q = {0};
	Sleeper a = {0}, b = {0};

	ck_assert_int_eq(task_sleepreserve(&q, 2), 0);
	task_sleepinsert(&q, &a, 1);
	task_sleepinsert(&q, &b, 2);
	task_sleepremove(&q, &a);
	task_sleepinsert(&q, &a, 3);
	ck_assert_ptr_eq(task_sleepfirst(&q), &b);
	task_sleepremove(&q, &b);
	ck_assert_ptr_eq(task_sleepfirst(&q), &a);
	ck_assert_int_eq(task_sleepfirst(&q)->deadline_ns, 3);
	task_sleepremove(&q, &a);
	ck_assert_ptr_null(task_sleepfirst(&q));
	free(q.heap);
}
END_TEST

static void *
nomemory(void *v, size_t bytes)
{
	(void)v, (void)bytes;
	errno = ENOMEM;
	return NULL;
}

START_TEST(without_memory_the_queue_stays_as_it_was)
{
	Sleepqueue q = {0};
	void *(*resize)(void *, size_t) = task_sys.resize;

	task_sys.resize = nomemory;
	errno = 0;
	ck_assert_int_eq(task_sleepreserve(&q, 1), -1);
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_ptr_null(task_sleepfirst(&q));
	task_sys.resize = resize;
	ck_assert_int_eq(task_sleepreserve(&q, 2), 0);
	task_sleepinsert(&q, &sleepers[0], 5);
	task_sleepinsert(&q, &sleepers[1], 4);
	task_sys.resize = nomemory;
	ck_assert_int_eq(task_sleepreserve(&q, 1000000), -1);
	ck_assert_int_eq(task_sleepreserve(&q, 2), 0);
	ck_assert_ptr_eq(task_sleepfirst(&q), &sleepers[1]);
	task_sleepremove(&q, &sleepers[1]);
	task_sleepinsert(&q, &sleepers[1], 6);
	ck_assert_ptr_eq(task_sleepfirst(&q), &sleepers[0]);
	free(q.heap);
}
END_TEST

TEST_MAIN("sleep",
	random_inserts_and_removals_keep_the_order_of_a_sorted_list,
	many_sleepers_expire_in_order,
	equal_deadlines_wake_first_in_first_out_after_removals,
	a_removed_sleeper_can_be_used_at_once_for_another_deadline,
	without_memory_the_queue_stays_as_it_was)
