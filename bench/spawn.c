/* SPDX-License-Identifier: MIT */
/* spawn N: create, run and end tasks, N at a time, on stacks from the pool. */
#include "bench.h"

enum { Spawns = 5000000 };

static void
nothing(void *v)
{
	if(v)
		roundsomething();
}

void
taskmain(int argc, char **argv)
{
	int n = number(argc, argv, 1, 1);
	int64_t start = nowns();

	if(n == 1)
		roundsomething();	/* the one that makes them */
	for(int i = 0; i < Spawns / n; i++){
		for(int k = 0; k < n; k++)
			if(taskcreate(nothing, k % 2 ? &n : NULL,
					StackBytes) < 0)
				taskexitall(1);
		taskyield();
	}
	if(n == 1)
		report("spawn", each(start, Spawns), "ns");
	else
		reportn("spawn", n, each(start, Spawns), "ns");
}
