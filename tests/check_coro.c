/* SPDX-License-Identifier: MIT */
/* Coroutines, as users see them. */
#include "corotest.h"
#include <fenv.h>
#include <pthread.h>

static Co *gr1, *gr2;

static void *
says12(void *v)
{
	char line[64];

	snprintf(line, sizeof line, v ? "12 %s" : "12", (char *)v);
	say(line);
	coswitch(gr2, NULL);
	say("34");
	return NULL;
}

static void *
says56(void *v)
{
	(void)v;
	say("56");
	coswitch(gr1, NULL);
	say("78");
	return NULL;
}

TASK_TEST(S0_5_greenlet_12_56_34)
{
	gr1 = newco(says12);
	gr2 = newco(says56);
	coswitch(gr1, NULL);
	ck_assert_str_eq(trace, "12\n56\n34\n");
}

static void
mains(void *v)
{
	(void)v;
	ck_assert_ptr_nonnull(cocurrent());
	ck_assert_ptr_eq(cocurrent(), comain());
	errno = 0;
	ck_assert_ptr_null(coparent(comain()));
	ck_assert_int_eq(errno, 0);
	ck_assert_int_eq(costate(comain()), CORUNNING);
	if(v == NULL)
		taskcreate(mains, comain(), 0);
	else
		ck_assert_ptr_ne(comain(), v);
	taskyield();
}

TASK_TEST(S0_6_each_task_has_a_main_coroutine_without_parent)
{
	mains(v);
}

TASK_TEST(S0_7_the_end_gives_its_result_to_the_parent)
{
	int x;

	errno = 0;
	ck_assert_ptr_eq(coswitch(newco(same), &x), &x);
	ck_assert_int_eq(errno, 0);
}

static void *
hello(void *v)
{
	char **words = v, text[64];

	snprintf(text, sizeof text, "%s%s", words[0], words[1]);
	say(coswitch(gr2, text));
	return NULL;
}

static void *
answers(void *v)
{
	say(v);
	coswitch(gr1, "42");
	return NULL;
}

TASK_TEST(S0_8_values_travel_both_ways)
{
	gr1 = newco(hello);
	gr2 = newco(answers);
	coswitch(gr1, (char *[]){"hello", " world"});
	ck_assert_str_eq(trace, "hello world\n42\n");
}

static void *
outer(void *v)
{
	Co *inner = newco(same), *self = cocurrent();

	ck_assert_ptr_eq(coswitch(inner, v), v);
	ck_assert_int_eq(costate(inner), CODEAD);
	ck_assert_ptr_null(coswitch(inner, NULL));
	ck_assert_ptr_eq(cocurrent(), self);
	ck_assert_ptr_eq(coswitch(inner, v), v);
	ck_assert_ptr_eq(cocurrent(), self);
	return inner;
}

TASK_TEST(S0_9_a_dead_target_means_its_nearest_living_ancestor)
{
	int x;

	Co *c = newco(outer);
	Co *inner = coswitch(c, &x);
	ck_assert_ptr_eq(coparent(inner), c);
	ck_assert_int_eq(costate(c), CODEAD);
	/* two dead ones up is the caller itself */
	ck_assert_ptr_eq(coswitch(inner, &x), &x);
	/* whoever lives further up gets the value */
	Co *other = newco(same);
	ck_assert_int_eq(cosetparent(c, other), 0);
	ck_assert_ptr_eq(coswitch(inner, &x), &x);
	ck_assert_int_eq(costate(other), CODEAD);
}

static void *
spoils(void *v)
{
	ck_assert_int_eq(errno, 0);
	ck_assert_int_eq(fegetround(), FE_TONEAREST);
	errno = EPIPE;
	fesetround(FE_UPWARD);
	coswitch(comain(), v);
	ck_assert_int_eq(errno, EPIPE);
	ck_assert_int_eq(fegetround(), FE_UPWARD);
	return v;
}

TASK_TEST(S0_10_errno_and_rounding_belong_to_the_coroutine)
{
	Co *c = newco(spoils);
	for(int i = 0; i < 2; i++){
		errno = EINTR;
		fesetround(FE_DOWNWARD);
		coswitch(c, NULL);
		ck_assert_int_eq(errno, EINTR);
		ck_assert_int_eq(fegetround(), FE_DOWNWARD);
	}
	fesetround(FE_TONEAREST);
}

TASK_TEST(S2_1_the_first_value_is_the_argument)
{
	gr1 = newco(says12);
	gr2 = newco(says56);
	coswitch(gr1, "foo bar");
	ck_assert_str_eq(trace, "12 foo bar\n56\n34\n");
}

static void *
bar(void *v)
{
	say("coroutine bar");
	return v;
}

static void *
makesbar(void *v)
{
	(void)v;
	say("coroutine foo");
	say(coswitch(newco(bar), "bar return value"));
	return NULL;
}

TASK_TEST(S2_2_the_parent_is_who_made_it)
{
	coswitch(newco(makesbar), NULL);
	ck_assert_str_eq(trace, "coroutine foo\ncoroutine bar\n"
		"bar return value\n");
}

static void *
asksbar(void *v)
{
	(void)v;
	say("coroutine foo");
	coswitch(gr2, "coroutine bar return value");
	say("coroutine end");
	return NULL;
}

TASK_TEST(S2_3_the_end_goes_to_the_parent_not_to_who_switched)
{
	gr1 = newco(asksbar);
	gr2 = newco(bar);
	say(coswitch(gr1, NULL));
	ck_assert_str_eq(trace, "coroutine foo\ncoroutine bar\n"
		"coroutine bar return value\n");
}

/* Of another task. */
static Co *foreign;

static void
stays(void *v)
{
	foreign = newco(waits);
	coswitch(foreign, NULL);
	while(*(int *)v == 0)
		taskyield();
}

TASK_TEST(S2_4_a_cycle_or_a_foreign_parent_is_refused)
{
	static int done;

	Co *a = newco(same), *b = cocreate(same, a, 0);
	Co *c = cocreate(same, b, 0);
	ck_assert_ptr_eq(coparent(a), comain());
	ck_assert_ptr_eq(coparent(c), b);
	errno = 0;
	ck_assert_int_eq(cosetparent(a, c), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(cosetparent(a, a), -1);
	ck_assert_int_eq(cosetparent(comain(), a), -1);
	ck_assert_int_eq(cosetparent(a, NULL), -1);
	ck_assert_int_eq(cosetparent(NULL, a), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_eq(coparent(a), comain());
	ck_assert_ptr_eq(coparent(b), a);
	ck_assert_ptr_eq(coparent(c), b);
	ck_assert_int_eq(cosetparent(c, comain()), 0);
	ck_assert_int_eq(cosetparent(a, c), 0);
	ck_assert_ptr_eq(coparent(b), a);
	ck_assert_ptr_eq(coparent(a), c);

	taskcreate(stays, &done, 0);
	taskyield();
	errno = 0;
	ck_assert_int_eq(cosetparent(a, foreign), -1);
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_int_eq(cosetparent(foreign, a), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_eq(coparent(a), c);
	done = 1;
}

static void *
looks(void *v)
{
	Co *c = v;

	ck_assert_int_eq(costate(c), CORUNNING);
	ck_assert_int_eq(costate(comain()), COWAITING);
	coswitch(comain(), NULL);
	ck_assert_int_eq(costate(c), CORUNNING);
	return NULL;
}

TASK_TEST(S2_7_the_state_at_each_step)
{
	Co *c = newco(looks);
	ck_assert_int_eq(costate(c), CONEW);
	coswitch(c, c);
	ck_assert_int_eq(costate(c), COWAITING);
	ck_assert_int_eq(costate(comain()), CORUNNING);
	coswitch(c, NULL);
	ck_assert_int_eq(costate(c), CODEAD);
	ck_assert_int_eq(cofree(c), 0);
	errno = 0;
	ck_assert_int_eq(costate(NULL), -1);
	ck_assert_int_eq(errno, EINVAL);
}

TASK_TEST(S2_8_a_function_is_required)
{
	errno = 0;
	ck_assert_ptr_null(cocreate(NULL, NULL, 0));
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_ptr_null(coswitch(NULL, NULL));
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_ptr_null(cothrow(NULL, EIO));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_null(coparent(NULL));
	ck_assert_int_eq(errno, EINVAL);
}

/* Every call on foreign, which is another's, fails with EPERM. */
static void
refused(void)
{
	errno = 0;
	ck_assert_ptr_null(coswitch(foreign, NULL));
	ck_assert_int_eq(errno, EPERM);
	errno = 0;
	ck_assert_ptr_null(cothrow(foreign, EIO));
	ck_assert_int_eq(errno, EPERM);
	errno = 0;
	ck_assert_int_eq(cofree(foreign), -1);
	ck_assert_int_eq(errno, EPERM);
	errno = 0;
	ck_assert_int_eq(costate(foreign), -1);
	ck_assert_int_eq(errno, EPERM);
	errno = 0;
	ck_assert_ptr_null(coparent(foreign));
	ck_assert_int_eq(errno, EPERM);
	errno = 0;
	ck_assert_int_eq(cosetparent(foreign, foreign), -1);
	ck_assert_int_eq(errno, EPERM);
}

static void
inthread(void *v)
{
	(void)v;
	refused();
	errno = 0;
	ck_assert_ptr_null(cocreate(same, foreign, 0));
	ck_assert_int_eq(errno, EINVAL);
	coswitch(newco(same), NULL);
	refused();
}

static void *
thread(void *v)
{
	refused();
	ck_assert_int_eq(taskrun(inthread, v), 0);
	return NULL;
}

TASK_TEST(S2_9_another_threads_coroutine_is_EPERM)
{
	pthread_t t;
	int x;

	foreign = newco(waits);
	ck_assert_ptr_eq(coswitch(foreign, &x), &x);
	ck_assert_int_eq(pthread_create(&t, NULL, thread, NULL), 0);
	ck_assert_int_eq(pthread_join(t, NULL), 0);
	ck_assert_int_eq(costate(foreign), COWAITING);
	ck_assert_ptr_eq(coswitch(foreign, v), v);
}

static void
refusedtask(void *v)
{
	(void)v;
	refused();
	coswitch(newco(same), NULL);
	refused();
}

/* Also while that task waits in the very coroutine. */
static void *
blocks(void *v)
{
	chanrecv(v, NULL);
	return v;
}

TASK_TEST(another_tasks_coroutine_is_EPERM)
{
	Channel *c = chancreate(1, 0);

	foreign = newco(waits);
	coswitch(foreign, NULL);
	taskcreate(refusedtask, NULL, 0);
	taskyield();
	foreign = newco(blocks);
	taskcreate(refusedtask, NULL, 0);
	taskcreate((void (*)(void *))chanfree, c, 0);
	ck_assert_ptr_eq(coswitch(foreign, c), c);
}

static void
outside(void)
{
	errno = 0;
	ck_assert_ptr_null(cocurrent());
	ck_assert_int_eq(errno, EPERM);
	errno = 0;
	ck_assert_ptr_null(comain());
	ck_assert_int_eq(errno, EPERM);
	errno = 0;
	ck_assert_ptr_null(cocreate(same, NULL, 0));
	ck_assert_int_eq(errno, EPERM);
	errno = 0;
	ck_assert_ptr_null(coswitch(NULL, NULL));
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(cosetparent(NULL, NULL), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(cofree(NULL), 0);
}

static void
stalled(const char *report)
{
	(void)report;
	outside();
}

TASK_TEST_BY(outside_a_task_there_are_no_coroutines,
	Channel *c = chancreate(1, 0);

	outside();
	ck_assert_int_eq(taskrun(body, c), -1);
	chanfree(c))
{
	tasksetdeadlock(stalled);
	chanrecv(v, NULL);
}

TASK_TEST(a_switch_to_itself_returns_at_once)
{
	int x;

	ck_assert_ptr_eq(coswitch(cocurrent(), &x), &x);
	errno = 0;
	ck_assert_ptr_null(cothrow(cocurrent(), EIO));
	ck_assert_int_eq(errno, EIO);
}

/* Returns what errno its coswitch failed with. */
static void *
catches(void *v)
{
	errno = 0;
	ck_assert_ptr_null(coswitch(comain(), v));
	return (void *)(intptr_t)errno;
}

static void *
passesto(void *v)
{
	errno = 0;
	if(coswitch(v, NULL) == NULL && errno)
		coswitch(comain(), (void *)(intptr_t)errno);
	return "went on";
}

TASK_TEST(cothrow_is_the_errno_of_the_pending_coswitch)
{
	int x;

	Co *c = newco(catches);
	ck_assert_ptr_eq(coswitch(c, &x), &x);
	errno = 0;
	ck_assert_ptr_eq(cothrow(c, ETIMEDOUT), (void *)ETIMEDOUT);
	ck_assert_int_eq(errno, 0);
	ck_assert_int_eq(costate(c), CODEAD);

	/* it is dead: the error is its parent's, which is the caller */
	ck_assert_ptr_null(cothrow(c, EIO));
	ck_assert_int_eq(errno, EIO);

	/* one that has not started never does */
	Co *fresh = newco(catches);
	errno = 0;
	ck_assert_ptr_null(cothrow(fresh, ENOLINK));
	ck_assert_int_eq(errno, ENOLINK);
	ck_assert_int_eq(costate(fresh), CODEAD);

	/* and its parent gets the error */
	Co *parent = newco(passesto);
	fresh = cocreate(catches, parent, 0);
	ck_assert_ptr_null(coswitch(parent, comain()));
	ck_assert_ptr_eq(cothrow(fresh, ECHILD), (void *)ECHILD);
	ck_assert_str_eq(coswitch(parent, NULL), "went on");

	errno = 0;
	ck_assert_ptr_null(cothrow(newco(same), 0));
	ck_assert_int_eq(errno, EINVAL);
}

TASK_TEST(a_result_starts_a_parent_that_is_new)
{
	int x;

	Co *parent = newco(same);
	Co *c = cocreate(same, parent, 0);
	ck_assert_ptr_eq(coswitch(c, &x), &x);
	ck_assert_int_eq(costate(parent), CODEAD);
}

static void *
freesparent(void *v)
{
	ck_assert_int_eq(cofree(v), 0);
	ck_assert_ptr_eq(coparent(cocurrent()), comain());
	return "done";
}

static void *
holds(void *v)
{
	char buf[4000];

	memset(buf, 1, sizeof buf);
	coswitch(v, buf);
	ck_abort_msg("it was freed");
	return NULL;
}

static void
frees(void *v)
{
	(void)v;
	ck_assert_int_eq(cofree(NULL), 0);
	errno = 0;
	ck_assert_int_eq(cofree(comain()), -1);
	ck_assert_int_eq(errno, EINVAL);

	/* new, waiting, dead: each one's stack is the next one's */
	Co *c = newco(holds);
	ck_assert_int_eq(cofree(c), 0);
	ck_assert_ptr_eq(newco(holds), c);
	coswitch(c, comain());
	ck_assert_int_eq(cofree(c), 0);
	ck_assert_ptr_eq(newco(same), c);
	coswitch(c, NULL);
	ck_assert_int_eq(cofree(c), 0);
	ck_assert_ptr_eq(newco(holds), c);

	/* children are the grandparent's then, also the one that does it */
	coswitch(c, comain());
	Co *one = cocreate(freesparent, c, 0), *two = cocreate(same, c, 0);
	Co *three = cocreate(same, c, 0);
	cofree(two);
	ck_assert_str_eq(coswitch(one, c), "done");
	ck_assert_ptr_eq(coparent(three), comain());
	ck_assert_ptr_eq(coswitch(three, v), v);
	errno = 0;
	ck_assert_int_eq(cofree(cocurrent()), -1);
	ck_assert_int_eq(errno, EINVAL);
}

static void *
freesitself(void *v)
{
	errno = 0;
	ck_assert_int_eq(cofree(cocurrent()), -1);
	ck_assert_int_eq(errno, EBUSY);
	ck_assert_int_eq(cofree(comain()), -1);
	ck_assert_int_eq(errno, EINVAL);
	return v;
}

TASK_TEST(cofree_frees_all_but_the_running_and_the_main_one)
{
	frees(v);
	coswitch(newco(freesitself), NULL);
}

TEST_MAIN("coro",
	S0_5_greenlet_12_56_34,
	S0_6_each_task_has_a_main_coroutine_without_parent,
	S0_7_the_end_gives_its_result_to_the_parent,
	S0_8_values_travel_both_ways,
	S0_9_a_dead_target_means_its_nearest_living_ancestor,
	S0_10_errno_and_rounding_belong_to_the_coroutine,
	S2_1_the_first_value_is_the_argument,
	S2_2_the_parent_is_who_made_it,
	S2_3_the_end_goes_to_the_parent_not_to_who_switched,
	S2_4_a_cycle_or_a_foreign_parent_is_refused,
	S2_7_the_state_at_each_step,
	S2_8_a_function_is_required,
	S2_9_another_threads_coroutine_is_EPERM,
	another_tasks_coroutine_is_EPERM,
	outside_a_task_there_are_no_coroutines,
	a_switch_to_itself_returns_at_once,
	cothrow_is_the_errno_of_the_pending_coswitch,
	a_result_starts_a_parent_that_is_new,
	cofree_frees_all_but_the_running_and_the_main_one)
