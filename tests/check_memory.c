/* SPDX-License-Identifier: MIT */
/* The program's allocator, and memory that goes back. */
#include "fdtest.h"
#include "watched.h"
#ifdef __GLIBC__
#include <malloc.h>
#endif

static long nalloc, nrelease, left;

/* Fills what it gives, so that nobody takes it for zeroed. */
static void *
countalloc(size_t bytes)
{
	if(left == 0)
		return NULL;
	left--;
	nalloc++;
	void *v = malloc(bytes);
	return v ? memset(v, 0xa5, bytes) : NULL;
}

static void *
countresize(void *v, size_t bytes)
{
	if(left == 0)
		return NULL;
	left--;
	nalloc += v == NULL;
	return realloc(v, bytes);
}

static void
countrelease(void *v)
{
	nrelease += v != NULL;
	free(v);
}

static int
count(long n)
{
	nalloc = nrelease = 0;
	left = n;
	return tasksetalloc(countalloc, countresize, countrelease);
}

static void *
nothingtoo(void *v)
{
	return v;
}

static void
makethousand(void *v)
{
	Channel *c = chancreate(1, 1);

	(void)v;
	for(int i = 0; i < 1000; i++){
		ck_assert_int_gt(taskcreate(nothing, NULL, 0), 0);
		ck_assert_int_eq(taskwait(taskspawn(nothingtoo, v, 0), NULL),
			0);
	}
	chanfree(c);
}

START_TEST(S0_1_what_is_allocated_for_a_thousand_tasks_is_released)
{
	ck_assert_int_eq(count(1000000), 0);
	ck_assert_int_gt(taskcreate(nothing, NULL, 0), 0);
	run(makethousand);
	ck_assert_int_gt(nalloc, 10);
	ck_assert_int_eq(nrelease, nalloc);
	ck_assert_int_eq(tasksetalloc(NULL, NULL, NULL), 0);
	run(makethousand);
	ck_assert_int_eq(nrelease, nalloc);
}
END_TEST

static int nran;

static void
countrun(void *v)
{
	(void)v;
	taskyield();
	nran++;
}

static void
makeuntilfull(void *v)
{
	int n = 0;

	(void)v;
	left = 2;
	while(taskcreate(countrun, NULL, 0) > 0)
		n++;
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_int_gt(n, 0);
	settle();
	ck_assert_int_eq(nran, n);
	left = 1000;
	ck_assert_int_gt(taskcreate(countrun, NULL, 0), 0);
}

START_TEST(S0_1_an_allocator_that_fails_is_ENOMEM_and_others_go_on)
{
	count(0);
	FAILS(taskrun(nothing, NULL), ENOMEM);
	count(1000);
	run(makeuntilfull);
	ck_assert_int_eq(nrelease, nalloc);
}
END_TEST

static void
settoolate(void *v)
{
	(void)v;
	FAILS(tasksetalloc(NULL, NULL, NULL), EBUSY);
}

START_TEST(an_allocator_is_whole_and_set_in_time)
{
	FAILS(tasksetalloc(countalloc, countresize, NULL), EINVAL);
	FAILS(tasksetalloc(NULL, countresize, countrelease), EINVAL);
	run(settoolate);
	FAILS(tasktrim(), EPERM);
}
END_TEST

/* But for what libc keeps of what was freed. */
static long
residentkib(void)
{
	long pages = 0;

#ifdef __GLIBC__
	malloc_trim(0);
#endif
	FILE *f = fopen("/proc/self/statm", "r");

	if(f == NULL || fscanf(f, "%*d %ld", &pages) != 1)
		pages = 0;
	if(f)
		fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void
sleeplittle(void *v)
{
	(void)v;
	taskdelay(1);
}

TASK_TEST(S3_23_after_a_burst_tasktrim_leaves_no_more_than_before)
{
	int n = fewer(10000);

	taskwait(taskspawn(nothingtoo, NULL, 0), NULL);
	tasktrim();
	long before = residentkib();
	if(before == 0 || watched() || emulated())
		TEST_SKIP("what is in memory is not known here");
	for(int i = 0; i < n; i++)
		ck_assert_int_gt(taskcreate(sleeplittle, NULL, 0), 0);
	taskyield();
	ck_assert_int_ge(residentkib(), before + 4 * n);
	taskdelay(100);
	ck_assert_int_ge(tasktrim(), n / 2);
	/* libc's and the poller's share is not more than a stack's */
	ck_assert_int_le(residentkib(), before + before / 10 + 256);
	ck_assert_int_eq(tasktrim(), 0);
	for(int i = 0; i < 100; i++)
		ck_assert_int_gt(taskcreate(sleeplittle, NULL, 0), 0);
}

TASK_TEST(S3_23_stacks_in_use_stay)
{
	int kept = taskcreate(sleeplittle, NULL, 0);

	for(int i = 0; i < 100; i++)
		taskcreate(nothing, NULL, i % 2 ? 0 : 200000);
	taskyield();
	ck_assert_int_eq(tasktrim(), 100);
	ck_assert_int_eq(taskwait(kept, NULL), 0);
	ck_assert_int_eq(tasktrim(), 1);
	for(int i = 0; i < 200; i++)
		ck_assert_int_gt(taskcreate(sleeplittle, NULL, 0), 0);
}

TEST_MAIN("memory",
	S0_1_what_is_allocated_for_a_thousand_tasks_is_released,
	S0_1_an_allocator_that_fails_is_ENOMEM_and_others_go_on,
	an_allocator_is_whole_and_set_in_time,
	S3_23_after_a_burst_tasktrim_leaves_no_more_than_before,
	S3_23_stacks_in_use_stay)
