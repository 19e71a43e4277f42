/* SPDX-License-Identifier: MIT */
/*
 * A scope on the stack of a coroutine stayed in the task's list when cofree gave
 * that stack back: it ended the task's waits from then on, and the list led
 * through memory that was another's.  A generator that was left in the middle
 * did the same to all that had asked it.  Both now take their scopes along.
 */
#include "../test.h"

static void
unbounded(void)
{
	errno = 0;
	ck_assert_uint_ge(taskdelay(5), 5);
	ck_assert_int_eq(errno, 0);
}

static void *
inscope(void *v)
{
	Timeout t;

	TIMEOUT(&t, 1)
		coswitch(comain(), v);
	return NULL;
}

TASK_TEST(cofree_closes_the_scopes_that_lie_on_the_stack)
{
	Co *c = cocreate(inscope, NULL, 0);
	Timeout t;

	timeoutstart(&t, 5000);
	coswitch(c, NULL);
	ck_assert_int_eq(cofree(c), 0);
	unbounded();
	ck_assert_int_eq(timeoutpending(&t), 1);
}

static void *
freedinside(void *v)
{
	gennext(v, NULL);
	return NULL;
}

/* The coroutine is in the generator, which is in a scope. */
TASK_TEST(cofree_closes_the_scopes_of_generators_too)
{
	Gen *g = gencreate(inscope, NULL, 0);
	Co *c = cocreate(freedinside, NULL, 0);

	coswitch(c, g);
	ck_assert_int_eq(cofree(c), 0);
	unbounded();
	ck_assert_int_eq(genclose(g), 0);
	unbounded();
}

TEST_MAIN("scope-on-freed-stack",
	cofree_closes_the_scopes_that_lie_on_the_stack,
	cofree_closes_the_scopes_of_generators_too)
