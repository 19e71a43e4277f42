/* SPDX-License-Identifier: MIT */
/* C++ in tasks: exceptions while others are in the middle of theirs. */
#include "test.h"
#include <exception>
#include <stdexcept>
#include <string>

static int done;

static void
thrower(int depth, int what)
{
	std::string text = "task " + std::to_string(what);

	taskyield();
	if(depth > 0)
		thrower(depth - 1, what);
	throw std::runtime_error(text);
}

/* catches one after the other, and lets others run while it holds each. */
static void
catcher(void *v)
{
	int i = (int)(intptr_t)v;
	std::string want = "task " + std::to_string(i);

	for(int k = 0; k < 50; k++){
		try{
			thrower(k % 7, i);
			ck_abort_msg("nothing was thrown");
		}catch(const std::exception &e){
			for(int n = 0; n < i % 5 + 1; n++)
				taskyield();
			ck_assert_str_eq(e.what(), want.c_str());
		}
	}
	done++;
}

TASK_TEST_BY(tasks_throw_and_catch_while_others_are_in_catch_blocks,
	run(body);
	ck_assert_int_eq(done, 10))
{
	for(intptr_t i = 0; i < 10; i++)
		taskcreate(catcher, (void *)i, 65536);
}

/* Two leave their catch blocks in the order in which they came in. */
static void
holder(void *v)
{
	int i = (int)(intptr_t)v;
	std::string want = std::to_string(i);

	try{
		throw want;
	}catch(const std::string &s){
		taskyield();
		if(i == 1)
			taskyield();
		ck_assert_str_eq(s.c_str(), want.c_str());
	}
	done++;
}

/* rethrows what it caught, after another task has caught something else. */
static void
rethrower(void *)
{
	std::string got;

	try{
		try{
			throw std::string("mine");
		}catch(...){
			taskyield();
			throw;
		}
	}catch(const std::string &s){
		got = s;
	}
	ck_assert_str_eq(got.c_str(), "mine");
	done++;
}

TASK_TEST_BY(each_task_has_its_own_exception_in_its_catch_block,
	run(body);
	ck_assert_int_eq(done, 3))
{
	taskcreate(holder, (void *)0, 65536);
	taskcreate(holder, (void *)1, 65536);
	taskcreate(rethrower, NULL, 65536);
}

/* uncaught_exception of C++98, which the later ones call deprecated or lack. */
static int
uncaught()
{
#if __cplusplus >= 201703L
	return std::uncaught_exceptions() > 0;
#else
	return std::uncaught_exception();
#endif
}

/* While one unwinds, another must not think that it does. */
struct Yielder
{
	~Yielder()
	{
		taskyield();
		done += uncaught();
	}
};

static void
unwinder(void *)
{
	try{
		Yielder y;
		throw 1;
	}catch(int){
	}
}

static void
bystander(void *)
{
	for(int i = 0; i < 3; i++){
		ck_assert(!uncaught());
		taskyield();
	}
}

TASK_TEST_BY(unwinding_is_the_business_of_one_task,
	run(body);
	ck_assert_int_eq(done, 1))
{
	taskcreate(unwinder, NULL, 65536);
	taskcreate(bystander, NULL, 65536);
}

static Co *coroutine[2];

/* The same among coroutines: they leave their catch blocks in turns. */
static void *
cocatcher(void *v)
{
	int i = (int)(intptr_t)v;

	for(int k = 0; k < 50; k++){
		std::string want = std::to_string(i) + std::to_string(k);
		try{
			try{
				throw want;
			}catch(...){
				coswitch(coroutine[!i], (void *)(intptr_t)!i);
				if(k % 3 == 0)
					taskyield();
				throw;
			}
		}catch(const std::string &s){
			ck_assert_str_eq(s.c_str(), want.c_str());
		}
	}
	done++;
	return NULL;
}

TASK_TEST_BY(each_coroutine_has_its_own_exception_in_its_catch_block,
	run(body);
	ck_assert_int_eq(done, 2))
{
	coroutine[0] = cocreate(cocatcher, NULL, 0);
	coroutine[1] = cocreate(cocatcher, NULL, 0);
	coswitch(coroutine[0], NULL);
	while(costate(coroutine[1]) != CODEAD)
		coswitch(coroutine[1], NULL);
}

/* A generator hands out what it has caught, and more while it handles that. */
static void *
gencatcher(void *v)
{
	try{
		throw std::string("kept");
	}catch(const std::string &s){
		while(genyield((void *)&s))
			;
		ck_assert_str_eq(s.c_str(), "kept");
	}
	return v;
}

TASK_TEST_BY(a_generator_has_its_own_exception_in_its_catch_block,
	run(body);
	ck_assert_int_eq(done, 10))
{
	Gen *g = gencreate(gencatcher, NULL, 0);
	int n = 0;

	done = 0;
	GENFOR(v, g){
		try{
			throw std::runtime_error("mine");
		}catch(const std::exception &e){
			void *w;
			ck_assert_int_eq(gennext(g, &w), 1);
			ck_assert_ptr_eq(v, w);
			ck_assert_str_eq(e.what(), "mine");
		}
		ck_assert_str_eq(static_cast<std::string *>(v)->c_str(),
			"kept");
		if(++n == 10)
			break;
	}
	genclose(g);
	done = n;
}

static void
escapes(void *)
{
	throw std::runtime_error("escaped");
}

static void
runescapes()
{
	std::set_terminate([]{
		fprintf(stderr, "terminated in task %u\n", taskid());
		abort();
	});
	taskrun(escapes, NULL);
}

START_TEST(an_exception_that_leaves_a_task_terminates)
{
	aborts(runescapes, "terminated in task 1");
}
END_TEST

static void
namedescapes(void *v)
{
	taskname("parser");
	escapes(v);
}

static void
createsescapes(void *)
{
	taskcreate(namedescapes, NULL, 0);
	taskcreate(nothing, NULL, 0);
}

START_TEST(an_exception_that_nobody_catches_names_the_task)
{
	abortstask(escapes, "task 1: SIGABRT\n");
	abortstask(escapes, "escaped");
	abortstask(createsescapes, "task 2 (parser): SIGABRT\n");
}
END_TEST

/* The text of task(3), with what it does to destructors. */
static int alive;

struct Counted
{
	Counted() { alive++; }
	~Counted() { alive--; }
};

struct Exit { int v; };

static void
serve()
{
	Counted c;

	taskyield();
	throw Exit{3};
}

static void
work(void *)
{
	int v = 0;

	try{
		serve();	// throw Exit{3}, in place of taskexit(3)
	}catch(const Exit &e){
		v = e.v;
	}
	taskexit(v);	// not in the catch block: e would be lost
}

static void
exits(void *)
{
	Counted c;

	taskexit(4);
}

static void
drops(void *)
{
	alive--;
}

static void
defers(void *)
{
	Counted c;

	taskdefer(drops, NULL);
	taskexit(5);
}

START_TEST(taskexit_runs_no_destructors_but_an_exception_or_taskdefer_does)
{
	ck_assert_int_eq(taskrun(work, NULL), 3);
	ck_assert_int_eq(alive, 0);
	ck_assert_int_eq(taskrun(defers, NULL), 5);
	ck_assert_int_eq(alive, 0);
	ck_assert_int_eq(taskrun(exits, NULL), 4);
	ck_assert_int_eq(alive, 1);
}
END_TEST

TASK_TEST(a_scope_is_left_by_an_exception_too)
{
	Timeout t;
	int thrown = 0;

	for(int i = 0; i < 3; i++)
		try{
			TIMEOUT(&t, 1){
				ck_assert_int_eq(timeoutpending(&t), 1);
				if(i == 0)
					throw std::runtime_error("left");
				if(i == 1)
					break;
			}
		}catch(const std::exception &e){
			thrown++;
		}
	ck_assert_int_eq(timeoutpending(&t), 0);
	ck_assert_int_eq(thrown, 1);
	errno = 0;
	taskdelay(2);
	ck_assert_int_eq(errno, 0);
}

TEST_MAIN("cxx",
	tasks_throw_and_catch_while_others_are_in_catch_blocks,
	each_task_has_its_own_exception_in_its_catch_block,
	unwinding_is_the_business_of_one_task,
	each_coroutine_has_its_own_exception_in_its_catch_block,
	a_generator_has_its_own_exception_in_its_catch_block,
	an_exception_that_leaves_a_task_terminates,
	an_exception_that_nobody_catches_names_the_task,
	taskexit_runs_no_destructors_but_an_exception_or_taskdefer_does,
	a_scope_is_left_by_an_exception_too)
