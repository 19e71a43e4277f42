/* SPDX-License-Identifier: MIT */
/*
 * A report of a call through a null pointer named no function that had made it:
 * the unwinder had nothing noted of a code address 0, and took that for rules.
 */
#include "../test.h"
#include "../watched.h"

static void (*volatile nowhere)(void);
static volatile int sink;

int outer(void);
int inner(void);

__attribute__((noinline)) int
inner(void)
{
	nowhere();
	return ++sink;
}

__attribute__((noinline)) int
outer(void)
{
	return inner() + ++sink;
}

static void
caller(void *v)
{
	(void)v;
	outer();
}

START_TEST(who_has_called_nothing_is_named)
{
	static char err[65536];

	if(watched())
		TEST_SKIP("who watches handles signals");
	test_places = 1;
	int status = childtask(caller, err, sizeof err);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	ck_assert_msg(strstr(err, "inner") && strstr(err, "outer"), "%s", err);
}
END_TEST

TEST_MAIN("call-of-nothing", who_has_called_nothing_is_named)
