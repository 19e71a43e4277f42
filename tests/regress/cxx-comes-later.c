/* SPDX-License-Identifier: MIT */
/*
 * A host in C loads a plugin in C++ while tasks run; those of its tasks that
 * stopped in catch blocks got each other's exceptions.
 * Cause: what is to be exchanged was looked for once, when the scheduler
 * started, and there was no C++ then.
 * Fix: the library has the function by which C++ finds a thread's exceptions,
 * and so hears of the first one.
 */
#include "../test.h"
#include "../watched.h"
#include <dlfcn.h>
#include <pthread.h>

typedef int Plugin(void);

static char err[65536];
static void *plugin;
static int how = RTLD_NOW | RTLD_LOCAL;

static int
load(void)
{
	const char *o = getenv("O");
	char path[4096];

	/* UBSan brings it */
	if(dlsym(RTLD_DEFAULT, "__cxa_throw"))
		return 0;
	snprintf(path, sizeof path, "./%s/tests/regress/plugin-in-cxx.so",
		o ? o : "build/cc-asm");
	plugin = access(path, R_OK) == 0 ? dlopen(path, how) : NULL;
	return plugin != NULL;
}

/* Sanitizers want C++ to be there from the start. */
#define LOAD() \
	do{ \
		if(SANITIZED || !load()) \
			TEST_SKIP("no C++ can come later here"); \
	}while(0)

static int
call(const char *name)
{
	Plugin *fn;

	*(void **)&fn = dlsym(plugin, name);
	return fn();
}

/* The clock is looked at seldom by then. */
static void
switchoften(void)
{
	taskcreate(nothing, NULL, 0);
	for(int i = 0; i < 1000; i++){
		taskcreate(nothing, NULL, 0);
		taskyield();
	}
}

TASK_TEST(tasks_of_a_plugin_have_their_own_exceptions)
{
	switchoften();
	LOAD();
	ck_assert_int_eq(call("plugincatches"), 0);
	ck_assert_int_eq(call("plugincoroutines"), 0);
}

TASK_TEST(coroutines_of_a_plugin_have_their_own_exceptions)
{
	switchoften();
	LOAD();
	ck_assert_int_eq(call("plugincoroutines"), 0);
	ck_assert_int_eq(call("plugincatches"), 0);
}

TASK_TEST(so_have_those_of_one_that_all_can_see)
{
	how = RTLD_LAZY | RTLD_GLOBAL;
	LOAD();
	ck_assert_int_eq(call("plugincatches"), 0);
}

TASK_TEST(a_plugin_may_go_and_come_again)
{
	LOAD();
	ck_assert_int_eq(call("plugincatches"), 0);
	ck_assert_int_eq(dlclose(plugin), 0);
	taskdelay(1);
	LOAD();
	ck_assert_int_eq(call("plugincatches"), 0);
}

static void
catches(void *v)
{
	(void)v;
	ck_assert_int_eq(call("plugincatches"), 0);
}

START_TEST(so_have_those_of_one_that_was_there_before)
{
	LOAD();
	run(catches);
	run(catches);
}
END_TEST

START_TEST(a_scheduler_may_run_in_a_catch_block)
{
	int (*fn)(void (*)(void *));

	LOAD();
	*(void **)&fn = dlsym(plugin, "pluginruns");
	ck_assert_int_eq(fn(nothing), 0);
	ck_assert_int_eq(fn(catches), 0);
}
END_TEST

static void *
catchthread(void *v)
{
	run(catches);
	return v;
}

TASK_TEST(each_thread_has_its_own)
{
	pthread_t t;

	LOAD();
	ck_assert_int_eq(call("plugincatches"), 0);
	ck_assert_int_eq(pthread_create(&t, NULL, catchthread, NULL), 0);
	pthread_join(t, NULL);
	ck_assert_int_eq(call("plugincatches"), 0);
}

static void
throws(void *v)
{
	void (*fn)(void *);

	taskname("parser");
	*(void **)&fn = dlsym(plugin, "pluginthrows");
	fn(v);
}

TASK_TEST_BY(an_exception_that_nobody_catches_names_the_task,
	LOAD();
	test_aborted(childtask(body, err, sizeof err), err,
		"task 2 (parser): SIGABRT\n"))
{
	taskcreate(throws, NULL, 0);
}

static void
thrownatonce(void *v)
{
	void (*fn)(void *);

	(void)v;
	*(void **)&fn = dlsym(plugin, "pluginthrows");
	taskcreate(fn, NULL, 0);
}

START_TEST(so_does_one_that_leaves_the_first_function_of_a_task)
{
	LOAD();
	test_aborted(childtask(thrownatonce, err, sizeof err), err,
		"task 2: SIGABRT\n");
	ck_assert_ptr_nonnull(strstr(err, "nobody catches this"));
}
END_TEST

/* As a program finds it that opens what is not there. */
TASK_TEST(the_error_of_dlopen_stays_the_programs)
{
	ck_assert_ptr_null(dlerror());
	taskyield();
	ck_assert_ptr_null(dlopen("./there/is/none.so", RTLD_NOW));
	ck_assert_ptr_nonnull(dlerror());
}

TEST_MAIN("cxx-comes-later",
	tasks_of_a_plugin_have_their_own_exceptions,
	coroutines_of_a_plugin_have_their_own_exceptions,
	so_have_those_of_one_that_all_can_see,
	a_plugin_may_go_and_come_again,
	so_have_those_of_one_that_was_there_before,
	a_scheduler_may_run_in_a_catch_block,
	each_thread_has_its_own,
	an_exception_that_nobody_catches_names_the_task,
	so_does_one_that_leaves_the_first_function_of_a_task,
	the_error_of_dlopen_stays_the_programs)
