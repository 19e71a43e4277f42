/* SPDX-License-Identifier: MIT */
/* Boost.Fiber, with its default scheduler and stacks from a pool. */
#include "../measure.h"
#include <boost/fiber/all.hpp>
#include <chrono>
#include <cstring>
#include <vector>

using namespace boost::fibers;
using namespace boost::this_fiber;
using std::chrono::milliseconds;

enum { StackBytes = 64 * 1024 };

static pooled_fixedsize_stack stacks{StackBytes};

template<typename F> static fiber
create(F f)
{
	return fiber(launch::post, std::allocator_arg, stacks, f);
}

static void
spin()
{
	for(;;)
		boost::this_fiber::yield();
}

static void
measureyield(int n)
{
	long rounds = 5000000 / n;

	for(int i = 1; i < n; i++)
		create(spin).detach();
	boost::this_fiber::yield();
	int64_t start = nowns();
	for(long i = 0; i < rounds; i++)
		boost::this_fiber::yield();
	reportn("yield", n, each(start, rounds * n), "ns");
}

static void
spawn(int n)
{
	const int spawns = 1000000;
	int64_t start = nowns();

	for(int i = 0; i < spawns / n; i++){
		for(int k = 0; k < n; k++)
			create([]{}).detach();
		boost::this_fiber::yield();
	}
	if(n == 1)
		report("spawn", each(start, spawns), "ns");
	else
		reportn("spawn", n, each(start, spawns), "ns");
}

template<typename C> static void
channels(const char *name, int number, std::vector<C *> c)
{
	const int npairs = static_cast<int>(c.size());
	const unsigned long n = 2000000 / npairs;
	barrier start(2 * npairs + 1), end(npairs + 1);

	for(C *ch : c){
		create([&, ch]{
			ch->push(0);
			start.wait();
			for(unsigned long i = 0; i < n; i++)
				ch->push(i);
		}).detach();
		create([&, ch]{
			unsigned long got;
			ch->pop(got);
			start.wait();
			for(unsigned long i = 0; i < n; i++){
				ch->pop(got);
				if(got != i)
					abort();
			}
			end.wait();
		}).detach();
	}
	start.wait();
	int64_t began = nowns();
	end.wait();
	reportn(name, number, each(began, n * npairs), "ns");
}

static void
unbuffered(const char *name, int number, int npairs)
{
	std::vector<unbuffered_channel<unsigned long> *> c;

	for(int i = 0; i < npairs; i++)
		c.push_back(new unbuffered_channel<unsigned long>);
	channels(name, number, c);
}

/* Its size is a power of two, and one place of it stays empty. */
static void
buffered(int n)
{
	channels("chan", n, std::vector<buffered_channel<unsigned long> *>{
		new buffered_channel<unsigned long>(n)});
}

static void
sleepers(int n)
{
	int64_t start = cpuns();
	barrier end(n + 1);

	for(int i = 0; i < n; i++){
		unsigned int ms = nextdelay();
		create([&end, ms]{
			sleep_for(milliseconds(ms));
			end.wait();
		}).detach();
	}
	end.wait();
	reportn("sleep", n, static_cast<double>(cpuns() - start) / 1e9, "s");
}

static void
memory(int n)
{
	unbuffered_channel<int> c;
	double before = residentkib();

	for(int i = 0; i < n; i++)
		create([&]{
			int got;
			c.pop(got);
		}).detach();
	boost::this_fiber::yield();
	reportn("memory", n, (residentkib() - before) / n, "KiB");
	fflush(stdout);
	_exit(0);
}

static void
lateness()
{
	int64_t worst = 0;

	for(int i = 0; i < 100; i++)
		create(spin).detach();
	for(int i = 0; i < 200; i++){
		int64_t start = nowns();
		sleep_for(milliseconds(2));
		int64_t late = nowns() - start - 2000000;
		if(late > worst)
			worst = late;
	}
	report("lateness-worst", static_cast<double>(worst) / 1e6, "ms");
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int n = number(argc, argv, 2, 1);

	if(strcmp(what, "yield") == 0)
		measureyield(n);
	else if(strcmp(what, "spawn") == 0)
		spawn(n);
	else if(strcmp(what, "chan") == 0 && argc == 5)
		unbuffered("chan-0-pairs", number(argc, argv, 4, 2),
			number(argc, argv, 4, 2) / 2);
	else if(strcmp(what, "chan") == 0 && n == 0)
		unbuffered("chan", 0, 1);
	else if(strcmp(what, "chan") == 0)
		buffered(n);
	else if(strcmp(what, "sleep") == 0)
		sleepers(n);
	else if(strcmp(what, "memory") == 0)
		memory(n);
	else if(strcmp(what, "lateness") == 0)
		lateness();
	fflush(stdout);
	_exit(0);	/* the fibers that are left go on for ever */
}
