/* SPDX-License-Identifier: MIT */
/* Coroutines from inside: where their stacks go, and want of memory. */
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

static void
counts(void *v)
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
}

START_TEST(all_stacks_of_a_task_go_back_to_the_pool)
{
	run(counts);
}
END_TEST

/* Whatever cannot be made, what there is works. */
static void
scenario(void *v)
{
	Co *c[40];
	int n = 0;

	errno = 0;
	while(n < 40 && (c[n] = cocreate(n % 2 ? waits : ends, NULL, 0)))
		n++;
	ck_assert_int_eq(errno, n < 40 ? ENOMEM : 0);
	ck_assert_ptr_null(comain()->parent);
	for(int i = 0; i < n; i++)
		ck_assert_ptr_eq(coswitch(c[i], &n), &n);
	for(int i = 0; i < n; i += 3)
		ck_assert_int_eq(cofree(c[i]), 0);
	(void)v;
}

START_TEST(cocreate_fails_with_ENOMEM_and_changes_nothing)
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
	cocreate_fails_with_ENOMEM_and_changes_nothing)
