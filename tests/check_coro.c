/* SPDX-License-Identifier: MIT */
/* Coroutines, as users see them. */
#include "test.h"
#include "watched.h"
#include <fenv.h>
#include <pthread.h>

static Co *gr1, *gr2;

static Co *
make(void *(*fn)(void *))
{
	Co *c = cocreate(fn, NULL, 0);

	ck_assert_ptr_nonnull(c);
	return c;
}

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
	gr1 = make(says12);
	gr2 = make(says56);
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

static void *
same(void *v)
{
	return v;
}

TASK_TEST(S0_7_the_end_gives_its_result_to_the_parent)
{
	int x;

	errno = 0;
	ck_assert_ptr_eq(coswitch(make(same), &x), &x);
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
	gr1 = make(hello);
	gr2 = make(answers);
	coswitch(gr1, (char *[]){"hello", " world"});
	ck_assert_str_eq(trace, "hello world\n42\n");
}

static void *
outer(void *v)
{
	Co *inner = make(same), *self = cocurrent();

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

	Co *c = make(outer);
	Co *inner = coswitch(c, &x);
	ck_assert_ptr_eq(coparent(inner), c);
	ck_assert_int_eq(costate(c), CODEAD);
	/* two dead ones up is the caller itself */
	ck_assert_ptr_eq(coswitch(inner, &x), &x);
	/* whoever lives further up gets the value */
	Co *other = make(same);
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
	Co *c = make(spoils);
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
	gr1 = make(says12);
	gr2 = make(says56);
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
	say(coswitch(make(bar), "bar return value"));
	return NULL;
}

TASK_TEST(S2_2_the_parent_is_who_made_it)
{
	coswitch(make(makesbar), NULL);
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
	gr1 = make(asksbar);
	gr2 = make(bar);
	say(coswitch(gr1, NULL));
	ck_assert_str_eq(trace, "coroutine foo\ncoroutine bar\n"
		"coroutine bar return value\n");
}

/* Of another task. */
static Co *foreign;

static void *
waits(void *v)
{
	return coswitch(coparent(cocurrent()), v);
}

static void
stays(void *v)
{
	foreign = make(waits);
	coswitch(foreign, NULL);
	while(*(int *)v == 0)
		taskyield();
}

TASK_TEST(S2_4_a_cycle_or_a_foreign_parent_is_refused)
{
	static int done;

	Co *a = make(same), *b = cocreate(same, a, 0);
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
	Co *c = make(looks);
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
	coswitch(make(same), NULL);
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

	foreign = make(waits);
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
	coswitch(make(same), NULL);
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

	foreign = make(waits);
	coswitch(foreign, NULL);
	taskcreate(refusedtask, NULL, 0);
	taskyield();
	foreign = make(blocks);
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

	Co *c = make(catches);
	ck_assert_ptr_eq(coswitch(c, &x), &x);
	errno = 0;
	ck_assert_ptr_eq(cothrow(c, ETIMEDOUT), (void *)ETIMEDOUT);
	ck_assert_int_eq(errno, 0);
	ck_assert_int_eq(costate(c), CODEAD);

	/* it is dead: the error is its parent's, which is the caller */
	ck_assert_ptr_null(cothrow(c, EIO));
	ck_assert_int_eq(errno, EIO);

	/* one that has not started never does */
	Co *fresh = make(catches);
	errno = 0;
	ck_assert_ptr_null(cothrow(fresh, ENOLINK));
	ck_assert_int_eq(errno, ENOLINK);
	ck_assert_int_eq(costate(fresh), CODEAD);

	/* and its parent gets the error */
	Co *parent = make(passesto);
	fresh = cocreate(catches, parent, 0);
	ck_assert_ptr_null(coswitch(parent, comain()));
	ck_assert_ptr_eq(cothrow(fresh, ECHILD), (void *)ECHILD);
	ck_assert_str_eq(coswitch(parent, NULL), "went on");

	errno = 0;
	ck_assert_ptr_null(cothrow(make(same), 0));
	ck_assert_int_eq(errno, EINVAL);
}

TASK_TEST(a_result_starts_a_parent_that_is_new)
{
	int x;

	Co *parent = make(same);
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
	Co *c = make(holds);
	ck_assert_int_eq(cofree(c), 0);
	ck_assert_ptr_eq(make(holds), c);
	coswitch(c, comain());
	ck_assert_int_eq(cofree(c), 0);
	ck_assert_ptr_eq(make(same), c);
	coswitch(c, NULL);
	ck_assert_int_eq(cofree(c), 0);
	ck_assert_ptr_eq(make(holds), c);

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
	coswitch(make(freesitself), NULL);
}

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
		c[i] = make(sleeper);
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
	make(same);
	coswitch(make(waits), v);
	taskexit(*(int *)v);
	return v;
}

static void *
deeper(void *v)
{
	return coswitch(make(exits), v);
}

TASK_TEST_BY(taskexit_ends_the_task_from_any_coroutine,
	ck_assert_int_eq(taskrun(body, NULL), 7))
{
	int x = 7;
	coswitch(make(deeper), &x);
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
	Co *c = make(keeps);
	coswitch(c, NULL);
	cocreate(same, c, 0);
	coswitch(cocreate(same, c, 0), NULL);
	coswitch(c, NULL);
	coswitch(make(waits), NULL);
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
	coswitch(make(waits), NULL);
	make(same);
	coswitch(make(blocksforever), v);
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
		ring[i] = make(passon);
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
	void *below = coswitch(make(nest), (void *)(depth - 1));
	return (void *)((intptr_t)below + 1);
}

TASK_TEST(coroutines_nest)
{
	ck_assert_ptr_eq(nest((void *)500), (void *)500);
}

UNWATCHED static int
recurse(int n)
{
	volatile char frame[256];

	__asm__ volatile("" : : "r"(frame) : "memory");
	frame[0] = (char)n;
	return n < 0 ? 0 : recurse(n + 1) + frame[0];
}

static void *
overflows(void *v)
{
	taskyield();
	coswitch(make(same), NULL);
	return (void *)(intptr_t)recurse(v != NULL);
}

TASK_TEST_BY(an_overflow_names_the_task_and_says_that_it_is_a_coroutine,
	char err[65536];
	int status = childtask(body, err, sizeof err);

	ck_assert_int_ne(status, 0);
	ck_assert_msg(strstr(err, "task 1 (deep): stack overflow in ") &&
		strstr(err, "create the coroutine with a larger stack"),
		"%s", err))
{
	taskname("deep");
	coswitch(make(overflows), NULL);
}

/* After it has ended, and been left, the task's own stack counts again. */
TASK_TEST_BY(an_overflow_of_the_main_coroutine_is_the_tasks,
	char err[65536];
	int status = childtask(body, err, sizeof err);

	ck_assert_int_ne(status, 0);
	ck_assert_msg(strstr(err, "task 1 (deep): stack overflow in ") &&
		strstr(err, "create the task with a larger stack"), "%s", err))
{
	taskname("deep");
	coswitch(make(same), NULL);
	coswitch(make(waits), NULL);
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
	coswitch(make(needs), &n);
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
	coswitch(make(blocksforever), c);
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
			c[k] = make(wanders);
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

TEST_MAIN("coro",
	a_task_with_coroutines_may_end_with_open_scopes,
	cofree_closes_the_scopes_that_are_open_there,
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
	cofree_frees_all_but_the_running_and_the_main_one,
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
