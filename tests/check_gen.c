/* SPDX-License-Identifier: MIT */
/* Generators, as users see them. */
#include "corotest.h"
#include <pthread.h>
#include <sys/resource.h>

/* runs fn as the first task, which must say this. */
static void
says(void (*fn)(void *), const char *what)
{
	trace[0] = '\0';
	run(fn);
	ck_assert_str_eq(trace, what);
}

static void *
grep(void *v)
{
	const char *pattern = v, *line;
	char text[64];

	snprintf(text, sizeof text, "Looking for %s", pattern);
	say(text);
	while((line = genyield(NULL)))
		if(strstr(line, pattern))
			say(line);
	ck_assert_int_eq(errno, ECANCELED);
	return NULL;
}

TASK_TEST(S0_19_grep)
{
	Gen *g = newgen(grep, "hello");

	ck_assert_int_eq(gennext(g, &v), 1);
	ck_assert_ptr_null(v);
	ck_assert_int_eq(gensend(g, "hello world", NULL), 1);
	ck_assert_int_eq(gensend(g, "test hello", &v), 1);
	ck_assert_int_eq(gensend(g, "filtered", &v), 1);
	ck_assert_int_eq(genclose(g), 0);
	ck_assert_str_eq(trace, "Looking for hello\nhello world\ntest hello\n");
}

/* tail -> grep -> print, by pulling. */
static void *
tail(void *v)
{
	for(char **line = v; *line; line++)
		if(genyield(*line) == NULL)
			return NULL;
	return NULL;
}

static void *
match(void *v)
{
	GENFOR(line, v)
		if(strstr(line, "hello") && genyield(line) == NULL)
			break;
	genclose(v);
	return NULL;
}

static char *lines[] = {"hello world", "python", "test hello", NULL};

static void
pull(void *v)
{
	Gen *g = newgen(match, newgen(tail, lines));

	(void)v;
	GENFOR(line, g)
		say(line);
	genclose(g);
}

/* The same with channels, a task for each stage. */
static Channel *all, *some;

static void
tailtask(void *v)
{
	char **line = v;

	do
		chansendp(all, *line);
	while(*line++);
}

static void
matchtask(void *v)
{
	char *line;

	while((line = chanrecvp(all)))
		if(strstr(line, v))
			chansendp(some, line);
	chansendp(some, NULL);
}

static void
channels(void *v)
{
	char *line;

	(void)v;
	all = chancreate(sizeof(char *), 0);
	some = chancreate(sizeof(char *), 0);
	taskcreate(tailtask, lines, 0);
	taskcreate(matchtask, "hello", 0);
	while((line = chanrecvp(some)))
		say(line);
	chanfree(all);
	chanfree(some);
}

START_TEST(S0_19_pipeline_by_generators_and_by_channels)
{
	says(pull, "hello world\ntest hello\n");
	says(channels, "hello world\ntest hello\n");
}
END_TEST

static Gen *self;
static int entered;

static void *
asksitself(void *v)
{
	void *out = v;

	entered++;
	errno = 0;
	fails(gensend(self, v, &out), EBUSY);
	ck_assert_ptr_eq(out, v);
	fails(gennext(self, &out), EBUSY);
	fails(genthrow(self, EIO, &out), EBUSY);
	fails(genclose(self), EBUSY);
	fails(gendelegate(self, &out), EBUSY);
	genyield(v);
	return &entered;
}

TASK_TEST(S0_20_not_entered_before_the_first_value_and_never_twice)
{
	self = newgen(asksitself, &entered);
	ck_assert_int_eq(entered, 0);
	taskyield();
	ck_assert_int_eq(entered, 0);
	ck_assert_ptr_eq((void *)next(self), &entered);
	ck_assert_int_eq(entered, 1);
	ended(self, &entered);
	ck_assert_int_eq(entered, 1);
	genclose(self);
}

/* Yields v and the one after it, v being odd, and inner ones before. */
static void *
levels(void *v)
{
	intptr_t n = (intptr_t)v;
	void *below = NULL;

	genyield((void *)n);
	genyield((void *)(n + 1));
	if(n < 5)
		ck_assert_int_eq(gendelegate(newgen(levels, (void *)(n + 2)),
			&below), 0);
	return (void *)((intptr_t)below + n);
}

TASK_TEST(S0_21_delegation_three_deep)
{
	Gen *g = newgen(levels, (void *)1);

	for(int i = 1; i <= 6; i++)
		ck_assert_int_eq(next(g), i);
	ended(g, (void *)(1 + 3 + 5));
	genclose(g);
}

static void *
compute(void *v)
{
	int *x = v;
	char line[64];

	snprintf(line, sizeof line, "Compute %d + %d ...", x[0], x[1]);
	say(line);
	taskdelay(1000);
	return (void *)(intptr_t)(x[0] + x[1]);
}

static int cleaned;

static void *
printsum(void *v)
{
	int *x = v;
	char line[64];
	void *sum;

	ck_assert_int_eq(gendelegate(newgen(compute, x), &sum), 0);
	snprintf(line, sizeof line, "%d + %d = %d", x[0], x[1],
		(int)(intptr_t)sum);
	say(line);
	while(genyield(NULL))
		;
	cleaned++;
	return NULL;
}

TASK_TEST(S0_22_a_generator_waits_and_cleans_up_when_closed)
{
	Gen *g = newgen(printsum, (int[]){1, 2});
	int64_t start = nowns();

	ck_assert_int_eq(gennext(g, v), 1);
	ck_assert_int_ge(nowns() - start, 1000000000);
	ck_assert_int_eq(cleaned, 0);
	ck_assert_int_eq(genclose(g), 0);
	ck_assert_int_eq(cleaned, 1);
	ck_assert_str_eq(trace, "Compute 1 + 2 ...\n1 + 2 = 3\n");
}

TASK_TEST(S3_12_ten_fibonacci_numbers_of_infinitely_many)
{
	const int want[] = {0, 1, 1, 2, 3, 5, 8, 13, 21, 34};
	Gen *g = gencreate(fibonacci, v, 0);
	int i = 0;

	GENFOR(a, g){
		ck_assert_int_eq((intptr_t)a, want[i]);
		if(++i == 10)
			break;
	}
	ck_assert_int_eq(i, 10);
	ck_assert_int_eq(genclose(g), 0);
	/* its stack is free for the next one */
	ck_assert_ptr_eq(newgen(fibonacci, NULL), g);
}

TASK_TEST(S3_12_a_million_values_take_no_memory)
{
	struct rusage before, after;
	uintptr_t sum = 0, n = watched() ? 100000 : 1000000;
	Gen *g = newgen(counts, NULL);

	ck_assert_int_eq(next(g), 1);
	getrusage(RUSAGE_SELF, &before);
	for(uintptr_t i = 1; i < n; i++){
		void *x;
		ck_assert(gennext(g, &x) == 1);
		sum += (uintptr_t)x;
	}
	getrusage(RUSAGE_SELF, &after);
	ck_assert_uint_eq(sum, n * (n + 1) / 2 - 1);
	if(!watched())
		ck_assert_int_le(after.ru_maxrss - before.ru_maxrss, 64);
	genclose(g);
}

/* Hands out what it is sent. */
static void *
echoes(void *v)
{
	void *in = v;

	do
		errno = 0;
	while((in = genyield(in)));
	return (void *)(intptr_t)errno;
}

static void
ranges(intptr_t first, intptr_t end, intptr_t step, intptr_t n, intptr_t last)
{
	Gen *g = genrange(first, end, step);
	intptr_t i = 0, at = 0;

	GENFOR(v, g){
		at = (intptr_t)v;
		ck_assert((uintptr_t)at == (uintptr_t)first +
			(uintptr_t)i * (uintptr_t)step);
		i++;
	}
	ck_assert_int_eq(i, n);
	if(n > 0)
		ck_assert(at == last);
	ck_assert_int_eq(genclose(g), 0);
}

TASK_TEST(S3_22_a_range_is_made_number_by_number)
{
	ranges(0, 5, 1, 5, 4);
	ranges(0, 10, 3, 4, 9);
	ranges(0, 9, 3, 3, 6);
	ranges(5, 0, -2, 3, 1);
	ranges(-3, 3, 2, 3, 1);
	ranges(3, 3, 1, 0, 0);
	ranges(3, 3, -1, 0, 0);
	ranges(3, 2, 1, 0, 0);
	ranges(2, 3, -1, 0, 0);
	ranges(INTPTR_MAX - 1, INTPTR_MAX, 5, 1, INTPTR_MAX - 1);
	ranges(INTPTR_MIN, INTPTR_MAX, INTPTR_MAX, 3, INTPTR_MAX - 1);
	ranges(INTPTR_MAX, INTPTR_MIN, INTPTR_MIN, 2, -1);
	ck_assert_ptr_null(genrange(0, 1, 0));
	ck_assert_int_eq(errno, EINVAL);
}

TASK_TEST(S3_22_a_range_of_a_thousand_million_takes_no_memory)
{
	struct rusage before, after;
	Gen *g = genrange(0, 1000 * 1000 * 1000, 1);

	ck_assert_int_eq(gennext(g, &v), 1);
	getrusage(RUSAGE_SELF, &before);
	for(int i = fewer(1000000); i > 0; i--)
		if(gennext(g, &v) != 1)
			ck_abort_msg("%d are missing", i);
	getrusage(RUSAGE_SELF, &after);
	if(!watched())
		ck_assert_int_le(after.ru_maxrss - before.ru_maxrss, 64);
	ck_assert_int_eq(genclose(g), 0);
	g = genrange(0, 1000 * 1000 * 1000, 1);
	ck_assert_int_eq(genclose(g), 0);	/* not entered */
}

TASK_TEST(gensend_is_what_genyield_returns)
{
	int x;
	void *out = &x;
	Gen *g = newgen(echoes, &x);

	/* nothing waits for it yet */
	errno = 0;
	fails(gensend(g, &x, &out), EINVAL);
	ck_assert_ptr_eq(out, &x);
	ck_assert_int_eq(gensend(g, NULL, &out), 1);
	ck_assert_ptr_eq(out, &x);
	ck_assert_int_eq(gensend(g, &out, &out), 1);
	ck_assert_ptr_eq(out, &out);
	/* to send nothing is gennext: genyield tells by the generator itself */
	ck_assert_int_eq(gensend(g, NULL, &out), 1);
	ck_assert_ptr_eq(out, g);
	ck_assert_int_eq(gennext(g, NULL), 1);
	ck_assert_int_eq(errno, 0);
	ck_assert_int_eq(genthrow(g, ENOTTY, &out), 0);
	ck_assert_ptr_eq(out, (void *)ENOTTY);
	ck_assert_int_eq(errno, 0);
	ended(g, NULL);
	genclose(g);
}

static void *
forgives(void *v)
{
	errno = 0;
	for(;;)
		if(genyield(v) == NULL){
			if(errno == EXDEV)
				return "enough";
			v = (void *)(intptr_t)errno;
		}
	return NULL;
}

TASK_TEST(genthrow_is_the_errno_of_genyield)
{
	Gen *g = newgen(forgives, NULL);
	ck_assert_int_eq(next(g), 0);
	ck_assert_int_eq(genthrow(g, EPIPE, &v), 1);
	ck_assert_ptr_eq(v, (void *)EPIPE);
	ck_assert_int_eq(next(g), EPIPE);
	ck_assert_int_eq(genthrow(g, EXDEV, &v), 0);
	ck_assert_str_eq(v, "enough");
	ended(g, NULL);
	genclose(g);

	/* one that was not entered never is */
	g = newgen(asksitself, NULL);
	ck_assert_int_eq(genthrow(g, EPIPE, &v), 0);
	ck_assert_ptr_null(v);
	ended(g, NULL);
	errno = 0;
	fails(genthrow(g, 0, NULL), EINVAL);
	fails(genthrow(g, -EIO, NULL), EINVAL);
	genclose(g);
}

/* Will not be told to end. */
static void *
stubborn(void *v)
{
	char buf[2000];

	for(;;){
		memset(buf, 1, sizeof buf);
		entered++;
		genyield(v);
	}
	return NULL;
}

TASK_TEST(genclose_of_a_new_an_ended_and_a_stubborn_one)
{
	entered = 0;
	errno = EDOM;
	ck_assert_int_eq(genclose(NULL), 0);
	Gen *g = newgen(stubborn, NULL);
	ck_assert_int_eq(genclose(g), 0);
	ck_assert_int_eq(entered, 0);
	g = newgen(stubborn, NULL);
	next(g);
	errno = EDOM;
	ck_assert_int_eq(genclose(g), 0);
	ck_assert_int_eq(entered, 2);
	ck_assert_int_eq(errno, EDOM);
	Gen *other = newgen(tail, lines + 3);
	ck_assert_ptr_eq(other, g);
	ended(other, NULL);
	ck_assert_int_eq(genclose(other), 0);
	ck_assert_ptr_eq(newgen(tail, lines), g);
}

static void *
foreign(void *v)
{
	errno = 0;
	fails(gennext(v, NULL), EPERM);
	return NULL;
}

static void
inthread(void *v)
{
	errno = 0;
	fails(gennext(v, NULL), EPERM);
	fails(gensend(v, v, NULL), EPERM);
	fails(genthrow(v, EIO, NULL), EPERM);
	fails(genclose(v), EPERM);
}

static void *
thread(void *v)
{
	foreign(v);
	ck_assert_int_eq(taskrun(inthread, v), 0);
	return NULL;
}

TASK_TEST_BY(what_cannot_be_is_an_error,
	errno = 0;
	ck_assert_ptr_null(gencreate(fibonacci, NULL, 0));
	fails(-1, EPERM);
	ck_assert_ptr_null(genyield(NULL));
	fails(-1, EPERM);
	fails(gendelegate(NULL, NULL), EPERM);
	fails(gennext(NULL, NULL), EPERM);
	run(body))
{
	pthread_t t;
	Gen *g = newgen(fibonacci, NULL);

	errno = 0;
	ck_assert_ptr_null(gencreate(NULL, v, 0));
	fails(-1, EINVAL);
	fails(gennext(NULL, &v), EINVAL);
	fails(gensend(NULL, g, &v), EINVAL);
	fails(genthrow(NULL, EIO, &v), EINVAL);
	ck_assert_ptr_null(genyield(g));
	fails(-1, EPERM);
	fails(gendelegate(g, &v), EPERM);
	ck_assert_int_eq(pthread_create(&t, NULL, thread, g), 0);
	ck_assert_int_eq(pthread_join(t, NULL), 0);
	ck_assert_int_eq(next(g), 0);
	genclose(g);
}

static void *
keepserrno(void *v)
{
	ck_assert_int_eq(errno, 0);
	errno = ENOTDIR;
	genyield(v);
	ck_assert_int_eq(errno, ENOTDIR);
	return v;
}

TASK_TEST(errno_belongs_to_the_generator)
{
	Gen *g = newgen(keepserrno, v);

	ck_assert_int_eq(next(g), 0);
	ended(g, NULL);
	genclose(g);
}

/* A tree in order: each node delegates to those of its subtrees. */
typedef struct Node
{
	struct Node *left, *right;
	int value;
} Node;

static Node *
plant(Node *n, int low, int high)
{
	int mid = low + (high - low) / 2;

	if(low >= high)
		return NULL;
	n[mid] = (Node){plant(n, low, mid), plant(n, mid + 1, high), mid};
	return &n[mid];
}

static void *
inorder(void *v)
{
	Node *n = v;

	if(n->left && gendelegate(newgen(inorder, n->left), NULL) < 0)
		return NULL;
	if(genyield(&n->value) == NULL)
		return NULL;
	if(n->right)
		gendelegate(newgen(inorder, n->right), NULL);
	return NULL;
}

TASK_TEST(a_tree_in_order)
{
	static Node nodes[100];
	int i = 0;

	Node *root = plant(nodes, 0, 100);
	Gen *g = newgen(inorder, root);
	GENFOR(n, g)
		ck_assert_int_eq(*(int *)n, i++);
	ck_assert_int_eq(i, 100);
	genclose(g);

	/* left in the middle, all stacks come back */
	Gen *first = newgen(inorder, root);
	for(i = 0; i < 30; i++)
		ck_assert_int_eq(*(int *)next(first), i);
	genclose(first);
}

/* Says what its genyield fails with, and ends. */
static void *
tells(void *v)
{
	while(genyield(v))
		;
	say(strerror(errno));
	return v;
}

static void *
delegatesto(void *v)
{
	void *result = &result;

	errno = 0;
	int r = gendelegate(v, &result);
	ck_assert_int_eq(r, -1);
	ck_assert_ptr_eq(result, &result);
	say(strerror(errno));
	return "ended too";
}

TASK_TEST_BY(what_is_thrown_goes_to_the_innermost_and_comes_out,
	char want[256];

	snprintf(want, sizeof want, "%s\n%s\n%s\n%s\n%s\n", strerror(ENOSPC),
		strerror(ENOSPC), strerror(ECANCELED), strerror(ECANCELED),
		strerror(ECANCELED));
	says(body, want))
{
	Gen *g = newgen(delegatesto, newgen(tells, NULL));
	ck_assert_int_eq(next(g), 0);
	ck_assert_int_eq(genthrow(g, ENOSPC, &v), 0);
	ck_assert_str_eq(v, "ended too");
	genclose(g);

	g = newgen(delegatesto, newgen(tells, NULL));
	ck_assert_int_eq(next(g), 0);
	ck_assert_int_eq(genclose(g), 0);

	g = newgen(delegatesto, newgen(stubborn, NULL));
	ck_assert_int_eq(next(g), 0);
	ck_assert_int_eq(genthrow(g, ENOSPC, &v), 1);
	ck_assert_int_eq(genclose(g), 0);
}

static void *
sendsthrough(void *v)
{
	void *result;

	errno = 0;
	fails(gendelegate(NULL, &result), EINVAL);
	return gendelegate(v, &result) < 0 ? NULL : result;
}

static void *
sums(void *v)
{
	intptr_t sum = 0;
	void *in;

	(void)v;
	while((in = genyield((void *)sum)) != &entered)
		sum += (intptr_t)in;
	return (void *)sum;
}

TASK_TEST(what_is_sent_goes_to_the_innermost)
{
	Gen *g = newgen(sendsthrough, newgen(sums, NULL));

	ck_assert_int_eq(next(g), 0);
	ck_assert_int_eq(gensend(g, (void *)20, &v), 1);
	ck_assert_int_eq(gensend(g, (void *)22, &v), 1);
	ck_assert_ptr_eq(v, (void *)42);
	ck_assert_int_eq(gensend(g, &entered, &v), 0);
	ck_assert_ptr_eq(v, (void *)42);
	genclose(g);

	/* nothing is nothing there too */
	Gen *inner = newgen(echoes, NULL);
	g = newgen(sendsthrough, inner);
	ck_assert_int_eq(next(g), 0);
	ck_assert_ptr_eq((void *)next(g), inner);
	genclose(g);
}

TEST_MAIN("gen",
	S0_19_grep,
	S0_19_pipeline_by_generators_and_by_channels,
	S0_20_not_entered_before_the_first_value_and_never_twice,
	S0_21_delegation_three_deep,
	S0_22_a_generator_waits_and_cleans_up_when_closed,
	S3_12_ten_fibonacci_numbers_of_infinitely_many,
	S3_12_a_million_values_take_no_memory,
	S3_22_a_range_is_made_number_by_number,
	S3_22_a_range_of_a_thousand_million_takes_no_memory,
	gensend_is_what_genyield_returns,
	genthrow_is_the_errno_of_genyield,
	genclose_of_a_new_an_ended_and_a_stubborn_one,
	what_cannot_be_is_an_error,
	errno_belongs_to_the_generator,
	a_tree_in_order,
	what_is_thrown_goes_to_the_innermost_and_comes_out,
	what_is_sent_goes_to_the_innermost)
