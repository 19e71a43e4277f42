/* SPDX-License-Identifier: MIT */
/* Coroutines and generators from inside: stacks, and want of memory. */
#include "test.h"
#include "../taskimpl.h"
#include "fault.h"

static void *
waits(void *v)
{
	return coswitch(coparent(cocurrent()), v);
}

static void *
ends(void *v)
{
	return v;
}

/* Free stacks of the smallest size. */
static int
nfree(void)
{
	return task_proc->pool.class[0].nfree;
}

/* leaves a tree of all states behind, in the midst of one of its leaves. */
static void *
endsthere(void *v)
{
	coswitch(cocreate(ends, NULL, 0), v);
	coswitch(cocreate(waits, NULL, 0), v);
	cocreate(ends, cocreate(waits, comain(), 0), 0);
	taskexit(0);
	return v;
}

static void
leaves(void *v)
{
	coswitch(cocreate(endsthere, NULL, 0), v);
}

static void *
yields(void *v)
{
	while(genyield(v))
		;
	return v;
}

static void *
asks(void *v)
{
	Gen *g = gencreate(yields, &v, 0);

	gennext(g, &v);
	genclose(g);
	coswitch(comain(), v);
	return v;
}

static void *
delegates(void *v)
{
	for(int i = 0; i < 3; i++)
		gendelegate(gencreate(ends, v, 0), NULL);
	return v;
}

TASK_TEST(all_stacks_of_a_task_go_back_to_the_pool)
{
	int before = -1;

	for(int i = 0; i < 10; i++){
		taskcreate(leaves, v, 0);
		taskyield();
		if(before >= 0)
			ck_assert_int_eq(nfree(), before);
		before = nfree();
	}
	ck_assert_int_eq(before, 6);	/* what each of them had */
	Co *c = cocreate(waits, NULL, 0);
	ck_assert_int_eq(nfree(), before - 1);
	coswitch(c, NULL);
	cofree(c);
	ck_assert_int_eq(nfree(), before);
	c = cocreate(asks, NULL, 0);
	coswitch(c, NULL);
	ck_assert_int_eq(nfree(), before - 1);
	cofree(c);
	Gen *g = gencreate(delegates, NULL, 0);
	ck_assert_int_eq(gennext(g, NULL), 0);
	ck_assert_int_eq(nfree(), before - 1);
	genclose(g);
	ck_assert_int_eq(nfree(), before);
}

enum { Many = 12 };	/* of each: together more than one slab has */

/* Whatever cannot be made, what there is works. */
static void
scenario(void *v)
{
	Co *c[Many];
	Gen *g[Many];
	int n = 0, m = 0;

	errno = 0;
	while(n < Many && (c[n] = cocreate(n % 2 ? waits : ends, NULL, 0)))
		n++;
	ck_assert_int_eq(errno, n < Many ? ENOMEM : 0);
	errno = 0;
	while(m < Many && (g[m] = gencreate(yields, &n, 0)))
		m++;
	ck_assert_int_eq(errno, m < Many ? ENOMEM : 0);
	for(int i = 0; i < n; i++)
		ck_assert_ptr_eq(coswitch(c[i], &n), &n);
	for(int i = 0; i < m; i++){
		ck_assert_int_eq(gennext(g[i], &v), 1);
		ck_assert_ptr_eq(v, &n);
	}
	for(int i = 0; i < n; i += 3)
		ck_assert_int_eq(cofree(c[i]), 0);
	for(int i = 0; i < m; i += 2)
		ck_assert_int_eq(genclose(g[i]), 0);
}

START_TEST(they_fail_with_ENOMEM_and_nothing_leaks)
{
	faultstart();
	ck_assert_int_eq(taskrun(scenario, NULL), 0);
	fault.nlive = fault.mapped_bytes = 0;
	for(int kind = 0; kind < FaultKinds; kind++)
		for(long n = 1; ; n++){
			faultarm(n, 1000, kind);
			int r = taskrun(scenario, NULL);
			long nfailed = fault.nfailed;
			faultarm(0, 0, 0);
			ck_assert(r == 0 || errno == ENOMEM);
			ck_assert_int_eq(fault.nlive, 0);
			ck_assert_int_eq(fault.mapped_bytes, 0);
			if(nfailed == 0)
				break;
		}
}
END_TEST

TEST_MAIN("coro, inside",
	all_stacks_of_a_task_go_back_to_the_pool,
	they_fail_with_ENOMEM_and_nothing_leaks)
