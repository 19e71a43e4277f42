/* SPDX-License-Identifier: MIT */
/* What the tests share: a main for Check, schedulers, children, clocks. */
#ifndef TEST_H
#define TEST_H

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../task.h"

/* Seconds for one test; CK_TIMEOUT_MULTIPLIER stretches it for slow tools. */
enum { TestSeconds = 20 };

/*
 * What the sanitizers are to do otherwise: to fail like malloc, and not to wait
 * for a second at each exit.
 */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);

const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

const char *
__tsan_default_options(void)
{
	return "allocator_may_return_null=1:atexit_sleep_ms=0";
}

/* TSan takes a hundred microseconds and more to make a task. */
#if defined(__SANITIZE_THREAD__)
enum { TestFewer = 50 };
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
enum { TestFewer = 50 };
#else
enum { TestFewer = 1 };
#endif
#else
enum { TestFewer = 1 };
#endif

/* How many tasks to make in a test that would like n. */
static inline int
fewer(int n)
{
	return n / TestFewer;
}

/*
 * A test that plays the kernel for one poller defines TEST_POLLER as its name
 * before it includes this; the others run with each.
 */
#ifndef TEST_POLLER
#define TEST_POLLER ""
#endif

/* A test file ends with TEST_MAIN("its name", test, test, ...). */
#define TEST_MAIN(name, ...) \
	int \
	main(void) \
	{ \
		const TTest *const tests[] = {__VA_ARGS__}; \
		return test_main(name, tests, sizeof tests / sizeof tests[0]); \
	}

static inline int
test_main(const char *name, const TTest *const *tests, size_t n)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner = srunner_create(suite);

	signal(SIGQUIT, SIG_DFL);	/* background jobs ignore it */
	if(*TEST_POLLER)
		setenv("TASKPOLLER", TEST_POLLER, 1);
	tcase_set_timeout(tcase, TestSeconds);
	for(size_t i = 0; i < n; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

/* how often what stands in text. */
static inline int
occurs(const char *text, const char *what)
{
	int n = 0;

	while((text = strstr(text, what)) != NULL){
		text++;
		n++;
	}
	return n;
}

/* A machine without what a test needs: says why; tests/run counts these. */
#define TEST_SKIP(reason) \
	do{ \
		fprintf(stderr, "skipped: %s: %s\n", __func__, reason); \
		return; \
	}while(0)

/* runs fn as the first task; the program must end with status 0. */
static inline void
run(void (*fn)(void *))
{
	ck_assert_int_eq(taskrun(fn, NULL), 0);
}

/* What a TASK_TEST is run by; virtual.h has another scheduler. */
#ifndef TEST_RUN
#define TEST_RUN run
#endif

/*
 * The usual test: its body is the first task, and the status at the end is 0.
 *
 *	TASK_TEST(a_task_can_yield)
 *	{
 *		ck_assert_int_ge(taskyield(), 0);
 *	}
 *
 * TASK_TEST_BY has the statements that run the body, if they are others.  It is
 * called body there, and v in it is the argument that they give to it.
 *
 *	TASK_TEST_BY(the_status_is_that_of_the_last_taskexit,
 *		ck_assert_int_eq(taskrun(body, NULL), 5))
 *	{
 *		taskexit(5);
 *	}
 *
 * A START_TEST is what has no first task, or several; these stand before it.
 */
#define TASK_TEST(name) TASK_TEST_BY(name, TEST_RUN(body))

#define TASK_TEST_BY(name, ...) \
	static void name##_task(void *v); \
	START_TEST(name) \
	{ \
		void (*body)(void *) = name##_task; \
		__VA_ARGS__; \
	} \
	END_TEST \
	static void \
	name##_task(__attribute__((unused)) void *v)

/* The errno of a call that must fail. */
#define FAILS(call, err) \
	do{ \
		errno = 0; \
		ck_assert_int_eq(call, -1); \
		ck_assert_int_eq(errno, err); \
	}while(0)

/* A task that does just that. */
static inline void
nothing(void *v)
{
	(void)v;
}

/* One that counts how often it could run while a test did something else. */
static int nbeats;

static inline void
beat(void *v)
{
	(void)v;
	tasksystem();
	while(taskdelay(1) > 0)
		nbeats++;
}

/* What tasks did, in the order in which they did it. */
static char trace[4096];

static inline void
note(char what)
{
	size_t n = strlen(trace);

	ck_assert_uint_lt(n + 1, sizeof trace);
	trace[n] = what;
	trace[n + 1] = '\0';
}

/* A whole text; also a task's function, or a hook's. */
static inline void
notes(void *text)
{
	for(const char *s = (const char *)text; *s; s++)
		note(*s);
}

/* A line, as a program would print it. */
static inline void
say(const char *line)
{
	notes((void *)(uintptr_t)line);
	note('\n');
}

/* lets everybody run, and the poller be looked at, until no more happens. */
static inline void
settle(void)
{
	for(int i = 0; i < 8; i++)
		taskdelay(0);
	while(taskyield() > 0)
		;
}

static inline int64_t
nowns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * (int64_t)1000000000 + ts.tv_nsec;
}

static inline int64_t
cpuns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * (int64_t)1000000000 + ts.tv_nsec;
}

/*
 * takes off the lines of lists of tasks where and for how long each waits, and
 * where it was made: what a test expects ends before that.
 */
static inline char *
unplaced(char *list)
{
	static const char *const places[] = {", for ", ", made ", ", in "};
	char *to = list;

	for(const char *from = list; *from; ){
		int place = 0;
		for(size_t i = 0; i < 3; i++)
			place |= strncmp(from, places[i],
				strlen(places[i])) == 0 &&
				strncmp(from, ", in a cycle", 12) != 0;
		if(place)
			from += strcspn(from, "\n");
		else
			*to++ = *from++;
	}
	*to = '\0';
	return list;
}

/*
 * runs fn in a child process and waits for it.  What the child writes on stderr
 * is put into err, unplaced unless test_places is set.  Returns the status that
 * waitpid gives; a child whose fn returns exits with 0.
 */
static int test_places;

static inline int
child(void (*fn)(void), char *err, size_t n)
{
	int fds[2], status;
	size_t have = 0;
	ssize_t r;

	ck_assert_int_eq(pipe(fds), 0);
	fflush(NULL);
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if(pid == 0){
		dup2(fds[1], 2);
		close(fds[0]);
		close(fds[1]);
		fn();
		exit(0);
	}
	close(fds[1]);
	while((r = read(fds[0], err + have, n - 1 - have)) > 0)
		have += (size_t)r;
	err[have] = '\0';
	if(!test_places)
		unplaced(err);
	close(fds[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

/* The same for a fn run as the first task; exits with what taskrun returns. */
static void (*test_first)(void *);

static inline void
test_runfirst(void)
{
	exit(taskrun(test_first, NULL));
}

static inline int
childtask(void (*fn)(void *), char *err, size_t n)
{
	test_first = fn;
	return child(test_runfirst, err, n);
}

/* A child with this status has died by abort, after writing text. */
static inline void
test_aborted(int status, const char *err, const char *text)
{
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
		"status %#x, stderr: %s", (unsigned)status, err);
	ck_assert_msg(strstr(err, text) != NULL, "no \"%s\" in: %s", text, err);
}

static inline void
aborts(void (*fn)(void), const char *text)
{
	char err[8192];
	int status = child(fn, err, sizeof err);

	test_aborted(status, err, text);
}

static inline void
abortstask(void (*fn)(void *), const char *text)
{
	char err[8192];
	int status = childtask(fn, err, sizeof err);

	test_aborted(status, err, text);
}

/*
 * Random numbers of a test that tries many cases.  TEST_SEED in the environment
 * repeats the run whose seed a failure has told.
 */
typedef struct Random
{
	unsigned long seed;
	uint64_t x;
} Random;

static inline Random
randomstart(void)
{
	const char *s = getenv("TEST_SEED");
	Random r;

	r.seed = s ? strtoul(s, NULL, 0) : (unsigned long)nowns() % 1000000000;
	r.x = (r.seed + 1) * 0x9e3779b97f4a7c15;
	return r;
}

/* A number from 0 to n - 1. */
static inline unsigned int
randombelow(Random *r, unsigned int n)
{
	r->x ^= r->x << 13;
	r->x ^= r->x >> 7;
	r->x ^= r->x << 17;
	return (unsigned int)((r->x >> 32) % n);
}

#endif
