/* SPDX-License-Identifier: MIT */
/* Stacks from the inside: guards, pool, trimming, every call that may fail. */
#include "test.h"
#include "watched.h"
#include "../machine/machine.h"
#include <limits.h>
#include <pthread.h>

enum { Many = 40000 };

static Stackpool pool;
static Stack *stacks[Many];
static Sys sys;	/* as it was */

/* Whether both ends of the guard below s are there. */
static int
guarded(const Stack *s)
{
	return unreadable(s->low - 1) && unreadable(s->low - GuardBytes);
}

/* takes n stacks, or as many as there are; all must be guarded. */
static int
take(int n, size_t bytes)
{
	for(int i = 0; i < n; i++){
		stacks[i] = task_stackget(&pool, bytes);
		if(stacks[i] == NULL)
			return i;
		if(!guarded(stacks[i]))
			ck_abort_msg("stack %d has no guard", i);
	}
	return n;
}

static void
putback(int n)
{
	for(int i = 0; i < n; i++)
		task_stackput(&pool, stacks[i]);
}

static int
noguard(struct iovec *v, int n)
{
	(void)v, (void)n;
	errno = EINVAL;
	return -1;
}

START_TEST(forty_thousand_guards_need_few_map_entries)
{
	if(watched() || !cheapguards())
		TEST_SKIP("guards need a map entry each here");
	int before = countmaps();
	ck_assert_int_eq(take(Many, StackMin), Many);
	ck_assert_int_lt(countmaps() - before, 200);
	putback(Many);
	task_stackfree(&pool);
	ck_assert_int_le(countmaps(), before + 2);
}
END_TEST

static int
maxmaps(void)
{
	int n = 0;
	FILE *f = fopen("/proc/sys/vm/max_map_count", "r");

	if(f == NULL || fscanf(f, "%d", &n) != 1)
		n = 0;
	if(f)
		fclose(f);
	return n;
}

static void *
same(void *v)
{
	return v;
}

START_TEST(where_each_guard_is_a_map_entry_their_limit_is_ENOMEM)
{
	if(watched())
		TEST_SKIP("a sanitizer or Valgrind needs map entries too");
	if(maxmaps() == 0 || maxmaps() / 2 >= Many)
		TEST_SKIP("the limit of map entries is too high, or unknown");
	int before = countmaps();
	task_sys.guard = noguard;
	int n = take(Many, StackMin);
	ck_assert_int_lt(n, Many);
	ck_assert_int_gt(n, 1000);
	ck_assert_int_eq(errno, ENOMEM);
	/* others can have memory and threads still, and with it all goes on */
	for(int i = 0; i < 20; i++){
		pthread_t t;
		void *v = malloc(1 << 20);
		ck_assert_ptr_nonnull(v);
		ck_assert_int_eq(pthread_create(&t, NULL, same, NULL), 0);
		pthread_join(t, NULL);
		free(v);
	}
	putback(n);
	ck_assert_int_eq(take(n, StackMin), n);
	putback(n);
	task_stackfree(&pool);
	ck_assert_int_le(countmaps(), before + 10);	/* threads leave some */
	pool = (Stackpool){0};
	ck_assert_int_eq(take(100, StackMin), 100);
	task_stackfree(&pool);
}
END_TEST

/* Faults: of the calls counted, the nth fails, perhaps all later ones too. */
static int ncalls, failat, failafter, live;

static int
fails(void)
{
	int n = ++ncalls;

	if(n != failat && !(failafter && n > failat))
		return 0;
	errno = ENOMEM;
	return 1;
}

static void *
countalloc(size_t bytes)
{
	void *v = fails() ? NULL : sys.alloc(bytes);

	live += v != NULL;
	return v;
}

static void *
countresize(void *old, size_t bytes)
{
	void *v = fails() ? NULL : sys.resize(old, bytes);

	live += v != NULL && old == NULL;
	return v;
}

static void
countfree(void *v)
{
	live -= v != NULL;
	sys.free(v);
}

static void *
countmap(size_t bytes)
{
	void *v = fails() ? NULL : sys.map(bytes);

	live += v != NULL;
	return v;
}

static int
countunmap(void *low, size_t bytes)
{
	live--;
	return sys.unmap(low, bytes);
}

static int
countguard(struct iovec *v, int n)
{
	return fails() ? -1 : sys.guard(v, n);
}

static int
countprotect(void *low, size_t bytes)
{
	return fails() ? -1 : sys.protect(low, bytes);
}

static int
countgiveback(void *low, size_t bytes)
{
	return fails() ? -1 : sys.giveback(low, bytes);
}

static void
count(int n, int after)
{
	sys = task_sys;
	task_sys.alloc = countalloc;
	task_sys.resize = countresize;
	task_sys.free = countfree;
	task_sys.map = countmap;
	task_sys.unmap = countunmap;
	task_sys.guard = countguard;
	task_sys.protect = countprotect;
	task_sys.giveback = countgiveback;
	ncalls = live = 0;
	failat = n;
	failafter = after;
}

/* Stacks of three sizes come, go, cool down, and come again. */
static void
scenario(void)
{
	int n = 0;

	for(int i = 0; i < 60; i++){
		size_t bytes = (size_t)StackMin << i % 3;
		Stack *s = task_stackget(&pool, bytes);
		if(s == NULL){
			ck_assert_int_eq(errno, ENOMEM);
			continue;
		}
		ck_assert(guarded(s));
		ck_assert_uint_ge((size_t)(s->top - s->low), bytes);
		s->low[0] = 1;
		stacks[n++] = s;
	}
	putback(n);
	for(int64_t now = 0; now < 5 * (int64_t)Second; now += Second)
		task_stacktrim(&pool, now);
	for(int i = 0; i < n; i++)
		if(task_stackget(&pool, StackMin) == NULL)
			ck_assert_int_eq(errno, ENOMEM);
	task_stackfree(&pool);
	pool = (Stackpool){0};
}

static void
sweep(int (*guard)(struct iovec *, int), int after)
{
	int n = 0;

	if(guard)
		task_sys.guard = guard;
	Sys real = task_sys;
	do{
		count(++n, after);
		scenario();
		task_sys = real;
		ck_assert_msg(live == 0, "%d live after failure %d", live, n);
	}while(ncalls >= n && n < 1000);
	ck_assert_int_gt(n, 5);
}

START_TEST(each_call_that_fails_is_an_error_and_leaks_nothing)
{
	sweep(NULL, 0);
	sweep(NULL, 1);
}
END_TEST

START_TEST(each_call_that_fails_without_cheap_guards_too)
{
	sweep(noguard, 0);
	sweep(noguard, 1);
}
END_TEST

static void *
nomap(size_t bytes)
{
	(void)bytes;
	task_sys.map = sys.map;	/* the next time it works */
	errno = ENOMEM;
	return NULL;
}

START_TEST(errno_stays_when_a_smaller_slab_has_to_do)
{
	sys = task_sys;
	task_sys.map = nomap;
	errno = 123;
	Stack *s = task_stackget(&pool, StackMin);
	ck_assert(task_sys.map == sys.map);
	ck_assert_ptr_nonnull(s);
	ck_assert_int_eq(errno, 123);
	ck_assert(guarded(s));
	task_stackfree(&pool);
}
END_TEST

START_TEST(a_stack_is_never_smaller_than_asked_for)
{
	uint64_t seed = 1;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	for(int i = 0; i < 20000; i++){
		seed = seed * 6364136223846793005U + 1442695040888963407U;
		int k = (int)(seed >> 33) % 200;
		size_t bytes = (size_t)(seed >> 13) % (1 << 20) >> (seed >> 60);

		if(stacks[k]){
			task_stackput(&pool, stacks[k]);
			stacks[k] = NULL;
			continue;
		}
		Stack *s = task_stackget(&pool, bytes);
		ck_assert_ptr_nonnull(s);
		if(s->bytes < bytes || s->top < s->low + s->bytes ||
				s->top > s->low + s->bytes + page ||
				s->bytes < StackMin)
			ck_abort_msg("%zu bytes for %zu", s->bytes, bytes);
		stacks[k] = s;
	}
	for(int k = 0; k < 200; k++)
		for(int i = 0; i < k; i++)
			if(stacks[k] && stacks[i])
				ck_assert(stacks[k]->low >= stacks[i]->low +
						stacks[i]->bytes ||
					stacks[i]->low >= stacks[k]->low +
						stacks[k]->bytes);
	task_stackfree(&pool);
}
END_TEST

START_TEST(sizes_beyond_all_are_ENOMEM)
{
	errno = 0;
	ck_assert_ptr_null(task_stackget(&pool, SIZE_MAX));
	ck_assert_int_eq(errno, ENOMEM);
	errno = 0;
	ck_assert_ptr_null(task_stackget(&pool, SIZE_MAX / 2));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_ptr_null(pool.slabs);
}
END_TEST

START_TEST(free_stacks_are_reused_last_in_first_out)
{
	ck_assert_int_eq(take(3, StackMin), 3);
	Stack *other = task_stackget(&pool, 2 * StackMin);
	putback(3);
	task_stackput(&pool, other);
	for(int i = 2; i >= 0; i--)
		ck_assert_ptr_eq(task_stackget(&pool, 1), stacks[i]);
	ck_assert_ptr_eq(task_stackget(&pool, StackMin + 1), other);
	task_stackfree(&pool);
}
END_TEST

/* The pages of the first n stacks that are in memory. */
static size_t
resident(int n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), sum = 0;
	unsigned char in[64];

	for(int i = 0; i < n; i++){
		size_t bytes = stacks[i]->bytes;
		ck_assert_uint_le(bytes / page, sizeof in);
		ck_assert_int_eq(mincore(stacks[i]->low, bytes, in), 0);
		for(size_t k = 0; k < bytes / page; k++)
			sum += in[k] & 1;
	}
	return sum;
}

START_TEST(idle_stacks_are_given_back_with_time_and_keep_their_guards)
{
	enum { N = 200, Warm = 8 };
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int64_t now = 1000 * (int64_t)Second, next;

	ck_assert_int_eq(task_stacktrim(&pool, now), -1);
	ck_assert_int_eq(take(N, StackMin), N);
	size_t pages = stacks[0]->bytes / page;
	for(int i = 0; i < N; i++)
		memset(stacks[i]->low, 1, stacks[i]->bytes);
	/* all in use */
	ck_assert_int_eq(task_stacktrim(&pool, now + Second / 2), -1);
	putback(N);
	ck_assert_uint_eq(resident(N), N * pages);
	for(int i = 0; i < 1000; i++){
		next = task_stacktrim(&pool, now);
		if(next < 0)
			break;
		ck_assert_int_ge(next, now);
		ck_assert_int_le(next, now + Second);
		now = next;
	}
	ck_assert_int_eq(next, -1);
	ck_assert_int_le(now, 1015 * (int64_t)Second);
	ck_assert_uint_le(resident(N), Warm * pages);
	for(int i = 0; i < N; i++)
		ck_assert(guarded(stacks[i]));
	ck_assert_int_eq(take(N, StackMin), N);
	for(int i = 0; i < N; i++)
		memset(stacks[i]->low, 2, stacks[i]->bytes);
	task_stackfree(&pool);
}
END_TEST

START_TEST(what_is_needed_again_and_again_stays)
{
	enum { N = 100 };
	int64_t now = 0;

	for(int round = 0; round < 10; round++, now += Second){
		ck_assert_int_eq(take(N, StackMin), N);
		for(int i = 0; i < N; i++)
			stacks[i]->low[0] = 1;
		putback(N);
		task_stacktrim(&pool, now);
	}
	ck_assert_uint_ge(resident(N), N);
	task_stackfree(&pool);
}
END_TEST

TEST_MAIN("stack",
	forty_thousand_guards_need_few_map_entries,
	where_each_guard_is_a_map_entry_their_limit_is_ENOMEM,
	each_call_that_fails_is_an_error_and_leaks_nothing,
	each_call_that_fails_without_cheap_guards_too,
	errno_stays_when_a_smaller_slab_has_to_do,
	a_stack_is_never_smaller_than_asked_for,
	sizes_beyond_all_are_ENOMEM,
	free_stacks_are_reused_last_in_first_out,
	idle_stacks_are_given_back_with_time_and_keep_their_guards,
	what_is_needed_again_and_again_stays)
