/* SPDX-License-Identifier: MIT */
/* Create, run and end a task whose stack comes from the pool. */
#include "bench.h"

enum { Spawns = 5000000, Many = 100 };

static void
nothing(void *v)
{
	(void)v;
}

void
taskmain(int argc, char **argv)
{
	(void)argc, (void)argv;
	int64_t start = nowns();
	for(int i = 0; i < Spawns; i++){
		taskcreate(nothing, NULL, 32768);
		taskyield();
	}
	report("spawn", start, Spawns);

	start = nowns();
	for(int i = 0; i < Spawns / Many; i++){
		for(int k = 0; k < Many; k++)
			taskcreate(nothing, NULL, 32768);
		while(taskyield() > 1)
			;
	}
	report("spawn-100", start, Spawns);
}
