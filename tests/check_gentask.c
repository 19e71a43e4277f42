/* SPDX-License-Identifier: MIT */
/* Generators and the tasks and coroutines that ask them, stacks, scopes. */
#include "corotest.h"

static int entered, cleaned;

/* Shared by tasks: one that waits within it keeps the others out. */
static Channel *gate;

static void *
slow(void *v)
{
	for(intptr_t i = 1; ; i++){
		chanrecv(gate, NULL);
		if(genyield((void *)i) == NULL)
			return v;
	}
}

static void
other(void *v)
{
	errno = 0;
	fails(gennext(v, NULL), EBUSY);
	fails(genclose(v), EBUSY);
	chansend(gate, NULL);
	taskyield();
	chansend(gate, NULL);
}

static void
shares(void *v)
{
	(void)v;
	gate = chancreate(1, 0);
	Gen *g = newgen(slow, NULL);
	taskcreate(other, g, 0);
	ck_assert_int_eq(next(g), 1);
	ck_assert_int_eq(next(g), 2);
	genclose(g);
	chanfree(gate);
}

static void
takes(void *v)
{
	for(int i = 0; i < 10; i++){
		entered += (int)next(v);
		taskyield();
	}
}

static void
inturns(void *v)
{
	(void)v;
	entered = 0;
	Gen *g = newgen(counts, NULL);
	for(int i = 0; i < 10; i++)
		taskcreate(takes, g, 0);
	while(taskyield() > 0)
		;
	ck_assert_int_eq(entered, 100 * 101 / 2);
	genclose(g);
}

START_TEST(tasks_share_a_generator_but_not_at_once)
{
	run(shares);
	run(inturns);
}
END_TEST

/* A generator is part of the coroutine that asks it. */
static void *
echo(void *v)
{
	for(;;)
		v = coswitch(coparent(cocurrent()), v);
	return NULL;
}

static void *
switches(void *v)
{
	ck_assert_ptr_eq(cocurrent(), v);
	Co *c = cocreate(echo, NULL, 0);
	ck_assert_ptr_eq(coparent(c), v);
	for(intptr_t i = 1; i < 4; i++){
		void *back = coswitch(c, (void *)i);
		if(genyield(back) == NULL)
			break;
	}
	cofree(c);
	/* one that ends gives its result here too */
	c = cocreate(same, NULL, 0);
	cofree(c);
	return NULL;
}

static void *
consumes(void *v)
{
	Gen *g = newgen(switches, cocurrent());
	intptr_t sum = 0;

	(void)v;
	GENFOR(x, g)
		sum += (intptr_t)x;
	genclose(g);
	return (void *)sum;
}

/* The coroutine is left in the middle of a generator, and entered again. */
static void *
wanders(void *v)
{
	for(;;){
		v = coswitch(coparent(cocurrent()), v);
		if(genyield(v) == NULL)
			return "closed";
	}
}

static void *
wanderer(void *v)
{
	Gen *g = v;
	void *x;

	ck_assert_int_eq(gennext(g, &x), 1);
	ck_assert_ptr_eq(x, &trace);
	ck_assert_int_eq(gennext(g, &x), 1);
	return x;
}

TASK_TEST(generators_and_coroutines_mix)
{
	ck_assert_ptr_eq(consumes(v), (void *)6);
	Co *c = cocreate(consumes, NULL, 0);
	ck_assert_ptr_eq(coswitch(c, NULL), (void *)6);

	Gen *g = newgen(wanders, &entered);
	c = cocreate(wanderer, NULL, 0);
	ck_assert_ptr_eq(coswitch(c, g), &entered);
	errno = 0;
	fails(gennext(g, NULL), EBUSY);
	ck_assert_ptr_eq(coswitch(c, &trace), &trace);
	ck_assert_ptr_eq(coswitch(c, &cleaned), &cleaned);
	ck_assert_int_eq(costate(c), CODEAD);
	ck_assert_int_eq(genclose(g), 0);
}

static void *
asks(void *v)
{
	next(v);
	ck_abort_msg("it was freed in there");
	return NULL;
}

static void *
asksthrough(void *v)
{
	GENFOR(x, v)
		genyield(x);
	return NULL;
}

TASK_TEST(cofree_ends_the_generators_that_the_coroutine_is_in)
{
	Gen *g = newgen(wanders, &entered), *outer = newgen(asksthrough, g);
	Co *c = cocreate(asks, NULL, 0);

	ck_assert_ptr_eq(coswitch(c, outer), &entered);
	errno = 0;
	fails(genclose(g), EBUSY);
	fails(genclose(outer), EBUSY);
	ck_assert_int_eq(cofree(c), 0);
	ended(g, NULL);
	ended(outer, NULL);
	ck_assert_int_eq(genclose(g), 0);
	ck_assert_int_eq(genclose(outer), 0);
}

static void *
exits(void *v)
{
	genyield(v);
	taskexit(3);
	return NULL;
}

static void
exitsinside(void *v)
{
	Gen *g = newgen(asksthrough, v);

	next(g);
	next(g);
	ck_abort_msg("the task has ended");
}

TASK_TEST(taskexit_in_a_generator_ends_it)
{
	Gen *g = newgen(exits, &entered);

	taskcreate(exitsinside, g, 0);
	while(taskyield() > 0)
		;
	ended(g, NULL);
	ck_assert_int_eq(genclose(g), 0);
}

static void *
blocks(void *v)
{
	chanrecv(v, NULL);
	return NULL;
}

static void
systemtask(void *v)
{
	tasksystem();
	next(newgen(fibonacci, NULL));
	newgen(fibonacci, NULL);
	gennext(newgen(asksthrough, newgen(blocks, v)), NULL);
}

TASK_TEST_BY(generators_that_are_left_are_no_leak,
	Channel *c = chancreate(1, 0);

	ck_assert_int_eq(taskrun(body, c), 0);
	ck_assert_int_eq(taskrun(body, c), 0);
	chanfree(c))
{
	next(newgen(fibonacci, NULL));
	taskcreate(systemtask, v, 0);
	taskyield();
}

static void *
recurses(void *v)
{
	genyield(v);
	return (void *)(intptr_t)recurse(v != NULL);
}

TASK_TEST_BY(an_overflow_says_that_it_is_a_generator,
	overflows(body, "create the generator with a larger stack"))
{
	Gen *g = newgen(recurses, v);

	taskname("deep");
	next(g);
	next(g);
}

static void *
needs(void *v)
{
	genyield(v);
	needstack(100000);
	return NULL;
}

TASK_TEST_BY(needstack_knows_the_stack_of_the_generator,
	abortstask(body, "needstack: 100000 bytes are not left of a stack "
		"of 65536; create the generator with a larger one"))
{
	Gen *g = newgen(needs, v);

	next(g);
	needstack(200000);
	next(g);
}

/* Scopes */

static Timeout inside;

static void *
yieldinscope(void *v)
{
	(void)v;
	for(int i = 0; i < 3; i++){
		timeoutstart(&inside, 1);
		genyield("y");
		timeoutstop(&inside);
	}
	timeoutstart(&inside, 1);
	genyield("y");
	return taskdelay(1000 * 1000) < 1000 && timeoutstop(&inside) ?
		"cut" : "not cut";
}

static Gen *shared;

static void
asktotheend(void *v)
{
	void *r;

	while(gennext(shared, &r) == 1)
		ck_assert_uint_ge(taskdelay(3), 3);
	ck_assert_str_eq(r, "cut");
	ck_assert_uint_ge(taskdelay(3), 3);
	*(int *)v = 1;
}

TASK_TEST(a_scope_that_a_generator_opens_is_that_of_whoever_runs_it)
{
	int done = 0;

	shared = newgen(yieldinscope, NULL);
	next(shared);
	taskcreate(asktotheend, &done, 0);
	while(!done)
		ck_assert_uint_ge(taskdelay(3), 3);
	ck_assert_int_eq(genclose(shared), 0);
	ck_assert_uint_ge(taskdelay(3), 3);
}

TASK_TEST(a_scope_does_not_outlive_the_generator_that_opened_it)
{
	Timeout t;

	Gen *g = newgen(yieldinscope, NULL);
	next(g);
	ck_assert_int_eq(timeoutpending(&inside), 0);
	ck_assert_uint_ge(taskdelay(3), 3);
	timeoutstart(&t, 1000 * 1000);
	next(g);
	ck_assert_int_eq(timeoutpending(&t), 1);
	timeoutstop(&t);
	ck_assert_int_eq(genclose(g), 0);
	memset(&inside, 0xff, sizeof inside);
	ck_assert_uint_ge(taskdelay(3), 3);
}

TEST_MAIN("gentask",
	a_scope_that_a_generator_opens_is_that_of_whoever_runs_it,
	a_scope_does_not_outlive_the_generator_that_opened_it,
	tasks_share_a_generator_but_not_at_once,
	generators_and_coroutines_mix,
	cofree_ends_the_generators_that_the_coroutine_is_in,
	taskexit_in_a_generator_ends_it,
	generators_that_are_left_are_no_leak,
	an_overflow_says_that_it_is_a_generator,
	needstack_knows_the_stack_of_the_generator)
