/* SPDX-License-Identifier: MIT */
/* Coroutines and their task: waiting in them, its end, stacks, scopes. */
#include "corotest.h"

enum { Rounds = 20 };

static void *
sleeper(void *v)
{
	unsigned char buf[256];

	for(int i = 0; i < Rounds; i++){
		memset(buf, i, sizeof buf);
		taskdelay(1);
		chansendul(v, (unsigned long)i);
		ck_assert_int_eq(buf[i], i);
		coswitch(comain(), NULL);
	}
	return "done";
}

static void
sums(void *v)
{
	unsigned long sum = 0;

	for(int i = 0; i < 3 * Rounds; i++)
		sum += chanrecvul(v);
	ck_assert_uint_eq(sum, 3 * Rounds * (Rounds - 1) / 2);
	chanfree(v);
}

static void
blocking(void *v)
{
	Co *c[3];
	void *r = NULL;

	for(int i = 0; i < 3; i++)
		c[i] = newco(sleeper);
	for(int n = 0; n < Rounds; n++)
		for(int i = 0; i < 3; i++)
			ck_assert_ptr_null(coswitch(c[i], v));
	for(int i = 0; i < 3; i++){
		r = coswitch(c[i], v);
		ck_assert_str_eq(r, "done");
	}
}

TASK_TEST(a_coroutine_blocks_its_task_and_goes_on_in_it)
{
	for(int i = 0; i < 10; i++){
		Channel *c = chancreate(sizeof(unsigned long), 0);
		ck_assert_int_gt(taskcreate(blocking, c, 0), 0);
		ck_assert_int_gt(taskcreate(sums, c, 0), 0);
	}
}

static void *
exits(void *v)
{
	newco(same);
	coswitch(newco(waits), v);
	taskexit(*(int *)v);
	return v;
}

static void *
deeper(void *v)
{
	return coswitch(newco(exits), v);
}

TASK_TEST_BY(taskexit_ends_the_task_from_any_coroutine,
	ck_assert_int_eq(taskrun(body, NULL), 7))
{
	int x = 7;
	coswitch(newco(deeper), &x);
	ck_abort_msg("the task has ended");
}

static void *
keeps(void *v)
{
	char buf[2000];

	memset(buf, 1, sizeof buf);
	coswitch(comain(), buf);
	return v;
}

static void
leaves(void *v)
{
	(void)v;
	Co *c = newco(keeps);
	coswitch(c, NULL);
	cocreate(same, c, 0);
	coswitch(cocreate(same, c, 0), NULL);
	coswitch(c, NULL);
	coswitch(newco(waits), NULL);
}

TASK_TEST(coroutines_end_with_their_task)
{
	int maps = 0;

	for(int i = 0; i < fewer(2000); i++){
		taskcreate(leaves, NULL, 0);
		taskyield();
		if(i == 10)
			maps = countmaps();
	}
	if(maps > 0)
		ck_assert_int_le(countmaps(), maps + 8);
}

static void *
blocksforever(void *v)
{
	chanrecv(v, NULL);
	ck_abort_msg("nobody sends");
	return NULL;
}

static void
systemtask(void *v)
{
	tasksystem();
	coswitch(newco(waits), NULL);
	newco(same);
	coswitch(newco(blocksforever), v);
}

TASK_TEST_BY(system_tasks_that_are_left_leave_no_coroutines,
	Channel *c = chancreate(1, 0);

	ck_assert_int_eq(taskrun(body, c), 0);
	ck_assert_int_eq(taskrun(body, c), 0);
	chanfree(c))
{
	taskcreate(systemtask, v, 0);
	taskcreate(systemtask, v, 0);
	taskyield();
}

/* A ring: each passes on one more than it got. */
enum { Ring = 10000 };

static Co **ring;

static void *
passon(void *v)
{
	for(;;){
		uintptr_t i = (uintptr_t)v;
		v = coswitch(ring[i + 1], (void *)(i + 1));
	}
	return NULL;
}

TASK_TEST(ten_thousand_coroutines_in_a_ring)
{
	int n = watched() ? 100 : Ring;

	ring = calloc((size_t)n + 1, sizeof *ring);
	for(int i = 0; i < n; i++)
		ring[i] = newco(passon);
	ring[n] = comain();
	for(int i = 0; i < 10; i++)
		ck_assert_ptr_eq(coswitch(ring[0], 0), (void *)(intptr_t)n);
	for(int i = 0; i < n; i += 2)
		cofree(ring[i]);
	free(ring);
}

/* Each the child of the one before. */
static void *
nest(void *v)
{
	intptr_t depth = (intptr_t)v;

	if(depth == 0)
		return NULL;
	void *below = coswitch(newco(nest), (void *)(depth - 1));
	return (void *)((intptr_t)below + 1);
}

TASK_TEST(coroutines_nest)
{
	ck_assert_ptr_eq(nest((void *)500), (void *)500);
}

static void *
recurses(void *v)
{
	taskyield();
	coswitch(newco(same), NULL);
	return (void *)(intptr_t)recurse(v != NULL);
}

TASK_TEST_BY(an_overflow_names_the_task_and_says_that_it_is_a_coroutine,
	overflows(body, "create the coroutine with a larger stack"))
{
	taskname("deep");
	coswitch(newco(recurses), NULL);
}

/* After it has ended, and been left, the task's own stack counts again. */
TASK_TEST_BY(an_overflow_of_the_main_coroutine_is_the_tasks,
	overflows(body, "create the task with a larger stack"))
{
	taskname("deep");
	coswitch(newco(same), NULL);
	coswitch(newco(waits), NULL);
	recurse(v != NULL);
}

static void *
needs(void *v)
{
	needstack(60000);
	needstack(*(int *)v);
	return v;
}

TASK_TEST_BY(needstack_knows_the_stack_of_the_coroutine,
	abortstask(body, "needstack: 100000 bytes are not left of a stack "
		"of 65536; create the coroutine with a larger one"))
{
	int n = 100000;
	needstack(n);
	coswitch(newco(needs), &n);
}

TASK_TEST_BY(a_deadlock_in_a_coroutine_is_the_tasks,
	char err[4096];
	int status = childtask(body, err, sizeof err);

	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 1, "%s", err);
	ck_assert_msg(strstr(err, "stuck") && strstr(err, "chanrecv c "),
		"%s", err))
{
	Channel *c = chancreate(1, 0);
	taskname("stuck");
	coswitch(newco(blocksforever), c);
}

/* Many coroutines of many tasks, switched to, freed and ended at random. */
enum { Pool = 8 };

static Random dice;

static void *
wanders(void *v)
{
	unsigned char buf[64];

	memset(buf, (int)(intptr_t)v, sizeof buf);
	while(randombelow(&dice, 8) > 0){
		if(randombelow(&dice, 4) == 0)
			taskyield();
		coswitch(coparent(cocurrent()), NULL);
	}
	for(size_t i = 0; i < sizeof buf; i++)
		ck_assert_int_eq(buf[i], (unsigned char)(intptr_t)v);
	return NULL;
}

static void
wandering(void *v)
{
	Co *c[Pool] = {NULL};

	(void)v;
	for(int i = 0; i < fewer(2000); i++){
		unsigned int k = randombelow(&dice, Pool);
		if(c[k] == NULL)
			c[k] = newco(wanders);
		else if(costate(c[k]) == CODEAD || randombelow(&dice, 9) == 0){
			ck_assert_int_eq(cofree(c[k]), 0);
			c[k] = NULL;
		}else{
			Co *up = c[randombelow(&dice, Pool)];
			if(up && randombelow(&dice, 3) == 0)
				cosetparent(c[k], up);
			if(randombelow(&dice, 10) == 0)
				cothrow(c[k], EIO);
			else
				coswitch(c[k], (void *)(intptr_t)i);
		}
	}
}

TASK_TEST_BY(coroutines_at_random,
	dice = randomstart();
	fprintf(stderr, "TEST_SEED=%lu\n", dice.seed);
	run(body))
{
	for(int i = 0; i < 8; i++)
		taskcreate(wandering, NULL, 0);
}

/* Scopes */

static Timeout inside, besides;

static void *
geninscope(void *v)
{
	timeoutstart(&inside, 1);
	coswitch(comain(), v);
	return NULL;
}

static void *
switchinscope(void *v)
{
	Gen *g = gencreate(geninscope, NULL, 0);

	(void)v;
	timeoutstart(&besides, 1);
	gennext(g, NULL);
	return NULL;
}

TASK_TEST(cofree_closes_the_scopes_that_are_open_there)
{
	Timeout t;

	timeoutstart(&t, 1000 * 1000);
	Co *co = cocreate(switchinscope, NULL, 0);
	coswitch(co, NULL);
	ck_assert_int_eq(timeoutpending(&inside), 1);
	ck_assert_int_eq(timeoutpending(&besides), 1);
	ck_assert_int_eq(cofree(co), 0);
	memset(&inside, 0xff, sizeof inside);
	memset(&besides, 0xff, sizeof besides);
	ck_assert_int_eq(timeoutpending(&t), 1);
	ck_assert_uint_ge(taskdelay(3), 3);
	timeoutstop(&t);
}

TASK_TEST(a_task_with_coroutines_may_end_with_open_scopes)
{
	cocreate(switchinscope, NULL, 0);
	timeoutstart(&inside, 1000);
	memset(&inside, 0xff, sizeof inside);	/* as if it lay in a function */
}

static Co *sleepers;

static void
sleepsasmain(void *v)
{
	(void)v;
	taskname("f");
	sleepers = comain();
	ck_assert_uint_ge(taskdelay(20), 20);
}

static void
switchesinto(void *v)
{
	(void)v;
	int id = taskcreate(sleepsasmain, NULL, 0);
	taskyield();
	errno = 0;
	ck_assert_ptr_null(coswitch(sleepers, "hello"));
	ck_assert_int_eq(errno, EPERM);
	taskwait(id, NULL);
}

START_TEST(S1_5_a_switch_into_another_tasks_coroutine_is_told)
{
	char err[4096];

	ck_assert_int_eq(childtask(switchesinto, err, sizeof err), 0);
	ck_assert_str_eq(err, "");
	setenv("TASKDEBUG", "1", 1);
	ck_assert_int_eq(childtask(switchesinto, err, sizeof err), 0);
	ck_assert_msg(strstr(err, ": invalid switch into task 2 (f), whose "
		"coroutine it is\n") != NULL, "%s", err);
	unsetenv("TASKDEBUG");
}
END_TEST

TEST_MAIN("corotask",
	S1_5_a_switch_into_another_tasks_coroutine_is_told,
	a_task_with_coroutines_may_end_with_open_scopes,
	cofree_closes_the_scopes_that_are_open_there,
	a_coroutine_blocks_its_task_and_goes_on_in_it,
	taskexit_ends_the_task_from_any_coroutine,
	coroutines_end_with_their_task,
	system_tasks_that_are_left_leave_no_coroutines,
	ten_thousand_coroutines_in_a_ring,
	coroutines_nest,
	an_overflow_names_the_task_and_says_that_it_is_a_coroutine,
	an_overflow_of_the_main_coroutine_is_the_tasks,
	needstack_knows_the_stack_of_the_coroutine,
	a_deadlock_in_a_coroutine_is_the_tasks,
	coroutines_at_random)
