/* SPDX-License-Identifier: MIT */
/* The plugin of cxx-comes-later.c: tasks that stop amid their exceptions. */
#include "../../task.h"
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>

static int bad;

static void
expect(int good)
{
	bad += !good;
}

/* The others stop in their catch blocks too, and leave them in other orders. */
static void
catcher(void *v)
{
	int i = (int)(intptr_t)v;
	std::string mine = "task " + std::to_string(i);

	try{
		throw std::runtime_error(mine);
	}catch(const std::exception &e){
		taskyield();
		if(i % 2)
			taskdelay((unsigned int)i % 5);
		expect(mine == e.what());
		try{
			throw;
		}catch(const std::exception &f){
			expect(mine == f.what());
			taskyield();
		}
		expect(std::uncaught_exceptions() == 0);
	}
	expect(!std::current_exception());
}

/* While one unwinds, another must not think that it does. */
struct Yielder
{
	~Yielder()
	{
		taskyield();
		expect(std::uncaught_exceptions() == 1);
	}
};

static void
unwinder(void *)
{
	expect(std::uncaught_exceptions() == 0);
	try{
		Yielder y;
		throw 1;
	}catch(int){
	}
}

static Co *coroutine[2];

static void *
cocatcher(void *v)
{
	int i = (int)(intptr_t)v;

	for(int k = 0; k < 20; k++){
		std::string want = std::to_string(i) + std::to_string(k);
		try{
			try{
				throw want;
			}catch(...){
				coswitch(coroutine[!i], (void *)(intptr_t)!i);
				throw;
			}
		}catch(const std::string &s){
			expect(s == want);
		}
	}
	return NULL;
}

extern "C"{

int plugincatches(void);
int plugincoroutines(void);
int pluginruns(void (*fn)(void *));
void pluginthrows(void *v);

/* Called in a task, as the next one: how much was wrong. */
int
plugincatches(void)
{
	for(intptr_t i = 0; i < 20; i++)
		taskcreate(catcher, (void *)i, 0);
	for(int i = 0; i < 5; i++)
		taskcreate(unwinder, NULL, 0);
	catcher(NULL);
	taskdelay(50);
	return bad;
}

int
plugincoroutines(void)
{
	coroutine[0] = cocreate(cocatcher, NULL, 0);
	coroutine[1] = cocreate(cocatcher, NULL, 0);
	coswitch(coroutine[0], NULL);
	while(costate(coroutine[1]) != CODEAD)
		coswitch(coroutine[1], NULL);
	return bad;
}

/* runs a scheduler in a catch block, whose exception is there afterwards. */
int
pluginruns(void (*fn)(void *))
{
	try{
		throw std::runtime_error("outside");
	}catch(const std::exception &e){
		expect(taskrun(fn, NULL) == 0);
		try{
			throw;
		}catch(const std::exception &f){
			expect(std::string("outside") == f.what());
		}
	}
	expect(!std::current_exception());
	return bad;
}

void
pluginthrows(void *)
{
	throw std::runtime_error("nobody catches this");
}

}
