/* SPDX-License-Identifier: MIT */
/*
 * A program that used makecontext and swapcontext itself got libtask's.
 * Cause: libtask defined functions of these names, with less than libc's can
 * do.
 * Fix: names of the library that are not in task.h begin with task_.
 */
#include "../test.h"
#include "../watched.h"
#include <dlfcn.h>
#include <ucontext.h>

static ucontext_t caller, callee;
static int sum;

static void
six(int a, int b, int c, int d, int e, int f)
{
	sum = a + 10 * b + 100 * c + 1000 * d + 10000 * e + 100000 * f;
}

static void
usecontext(void *v)
{
	char *stack = malloc(64 * 1024);

	getcontext(&callee);
	callee.uc_stack.ss_sp = stack;
	callee.uc_stack.ss_size = 64 * 1024;
	callee.uc_link = &caller;
	makecontext(&callee, (void (*)(void))six, 6, 1, 2, 3, 4, 5, 6);
	swapcontext(&caller, &callee);
	free(stack);
	taskyield();
	(void)v;
}

START_TEST(makecontext_and_swapcontext_are_libc_s)
{
	Dl_info info;

	if(SANITIZED)
		TEST_SKIP("sanitizers put functions of theirs in between");
	ck_assert(dladdr((void *)(uintptr_t)makecontext, &info));
	ck_assert_msg(strstr(info.dli_fname, "libc") != NULL, "%s",
		info.dli_fname);
	ck_assert(dladdr((void *)(uintptr_t)swapcontext, &info));
	ck_assert_msg(strstr(info.dli_fname, "libc") != NULL, "%s",
		info.dli_fname);
	run(usecontext);
	ck_assert_int_eq(sum, 654321);
}
END_TEST

TEST_MAIN("exported-makecontext", makecontext_and_swapcontext_are_libc_s)
