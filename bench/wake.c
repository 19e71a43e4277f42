/* SPDX-License-Identifier: MIT */
/* wake N: N tasks wait for one thing, are woken all at once, and wait again. */
#include "bench.h"

enum { Wakes = 5000000 };

static Rendez thing;

static void
await(void *v)
{
	(void)v;
	for(;;)
		tasksleep(&thing);
}

void
taskmain(int argc, char **argv)
{
	int n = number(argc, argv, 1, 1000);
	long rounds = Wakes / n;

	for(int i = 0; i < n; i++)
		if(taskcreate(await, NULL, StackBytes) < 0)
			taskexitall(1);
	taskyield();
	int64_t start = nowns();
	for(long i = 0; i < rounds; i++){
		taskwakeupall(&thing);
		taskyield();
	}
	reportn("wake", n, each(start, rounds * n), "ns");
	taskexitall(0);
}
