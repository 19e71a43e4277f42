/* SPDX-License-Identifier: MIT */
/* State Threads.  It has no channels. */
#include "../measure.h"
#include <st.h>
#include <string.h>

enum { StackBytes = 64 * 1024 };

static st_cond_t end, *turn;
static int nturn;
static long left;	/* turns */
static int asleep;

static st_thread_t
create(void *(*fn)(void *), void *arg, int joinable)
{
	st_thread_t t = st_thread_create(fn, arg, joinable, StackBytes);

	if(t == NULL){
		fprintf(stderr, "st: no more threads\n");
		exit(1);
	}
	return t;
}

/*
 * There is no yield.  Sleeping for 0 takes 40 to 60 ns, handing the turn around
 * with a condition variable for each task is faster.
 */
static void *
taketurns(void *v)
{
	int i = (int)(intptr_t)v;

	for(;;){
		st_cond_wait(turn[i]);
		st_cond_signal(--left > 0 ? turn[(i + 1) % nturn] : end);
	}
	return NULL;
}

static void
yield(int n)
{
	long yields = 4000000;

	nturn = n;
	turn = calloc((size_t)n, sizeof *turn);
	end = st_cond_new();
	for(int i = 0; i < n; i++){
		turn[i] = st_cond_new();
		create(taketurns, (void *)(intptr_t)i, 0);
	}
	st_usleep(0);
	int64_t start = nowns();
	left = yields;
	st_cond_signal(turn[0]);
	st_cond_wait(end);
	reportn("yield", n, each(start, yields), "ns");
}

static void *
nothing(void *v)
{
	return v;
}

static void
spawn(int n)
{
	enum { Spawns = 1000000, Most = 100 };
	st_thread_t t[Most];
	int64_t start = nowns();

	for(int i = 0; i < Spawns / n; i++){
		for(int k = 0; k < n; k++)
			t[k] = create(nothing, NULL, 1);
		for(int k = 0; k < n; k++)
			st_thread_join(t[k], NULL);
	}
	if(n == 1)
		report("spawn", each(start, Spawns), "ns");
	else
		reportn("spawn", n, each(start, Spawns), "ns");
}

static void *
sleeper(void *v)
{
	st_usleep((st_utime_t)(uintptr_t)v * 1000);
	if(--asleep == 0)
		st_cond_signal(end);
	return NULL;
}

static void
sleepers(int n)
{
	int64_t start = cpuns();

	end = st_cond_new();
	asleep = n;
	for(int i = 0; i < n; i++)
		create(sleeper, (void *)(uintptr_t)nextdelay(), 0);
	st_cond_wait(end);
	reportn("sleep", n, (double)(cpuns() - start) / 1e9, "s");
}

static void *
waiter(void *v)
{
	(void)v;
	st_cond_wait(end);
	return NULL;
}

static void
memory(int n)
{
	double before = residentkib();

	end = st_cond_new();
	for(int i = 0; i < n; i++)
		create(waiter, NULL, 0);
	st_usleep(0);
	reportn("memory", n, (residentkib() - before) / n, "KiB");
}

static void *
spin(void *v)
{
	(void)v;
	for(;;)
		st_usleep(0);
	return NULL;
}

static void
lateness(void)
{
	int64_t worst = 0;

	for(int i = 0; i < 100; i++)
		create(spin, NULL, 0);
	for(int i = 0; i < 200; i++){
		int64_t start = nowns();
		st_usleep(2000);
		int64_t late = nowns() - start - 2000000;
		if(late > worst)
			worst = late;
	}
	report("lateness-worst", (double)worst / 1e6, "ms");
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int n = number(argc, argv, 2, 1);

	st_set_eventsys(ST_EVENTSYS_ALT);
	if(st_init() < 0)
		return 1;
	if(strcmp(what, "yield") == 0)
		yield(n);
	else if(strcmp(what, "spawn") == 0)
		spawn(n);
	else if(strcmp(what, "sleep") == 0)
		sleepers(n);
	else if(strcmp(what, "memory") == 0)
		memory(n);
	else if(strcmp(what, "lateness") == 0)
		lateness();
	return 0;
}
