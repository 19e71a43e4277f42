/* SPDX-License-Identifier: MIT */
/* Values by key and hooks, while memory runs out. */
#include "fault.h"
#include "test.h"

static int key, ndestroyed, nin, nout;

static void
destroy(void *v)
{
	(void)v;
	ndestroyed++;
}

static void
in(void *v)
{
	(void)v;
	nin++;
}

static void
out(void *v)
{
	(void)v;
	nout++;
}

/* A call of these that fails has changed nothing, and can be made again. */
static void
work(void *v)
{
	(void)v;
	if(tasksetlocal(key, "x") < 0){
		ck_assert_int_eq(errno, ENOMEM);
		ck_assert_ptr_null(tasklocal(key));
		ck_assert_int_eq(tasksetlocal(key, "x"), 0);
	}
	if(tasksetswitch(in, out, NULL) < 0){
		ck_assert_int_eq(errno, ENOMEM);
		ck_assert_int_eq(nin, 0);
		ck_assert_int_eq(tasksetswitch(in, out, NULL), 0);
	}
	taskyield();
	ck_assert_str_eq(tasklocal(key), "x");
}

static void
hookalone(void *v)
{
	(void)v;
	if(tasksetswitch(in, out, NULL) < 0){
		ck_assert_int_eq(errno, ENOMEM);
		ck_assert_int_eq(nin, 0);
	}
}

static long
tryall(void (*fn)(void *))
{
	long n = 0;

	do{
		ndestroyed = nin = nout = 0;
		faultarm(++n, 1, 0);
		int status = taskrun(fn, NULL);
		ck_assert_int_eq(fault.nlive, 0);
		ck_assert_int_eq(nin, nout);
		if(status == 0 && fn == work)
			ck_assert_int_eq(ndestroyed, 1);
	}while(fault.nfailed > 0);
	return n;
}

START_TEST(no_memory_for_a_value_or_a_hook_is_ENOMEM)
{
	key = taskkey(destroy);
	faultstart();
	ck_assert_int_gt(tryall(work), tryall(hookalone));
}
END_TEST

TEST_MAIN("local, inside", no_memory_for_a_value_or_a_hook_is_ENOMEM)
