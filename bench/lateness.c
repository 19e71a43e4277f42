/* SPDX-License-Identifier: MIT */
/* lateness: how late a timer of 2 ms is at worst beside 100 that yield. */
#include "bench.h"

enum { Spinners = 100, Timers = 200 };

static void
spin(void *v)
{
	(void)v;
	for(;;)
		taskyield();
}

void
taskmain(int argc, char **argv)
{
	int64_t worst = 0;

	(void)argc, (void)argv;
	for(int i = 0; i < Spinners; i++)
		taskcreate(spin, NULL, StackBytes);
	for(int i = 0; i < Timers; i++){
		int64_t start = nowns();
		taskdelay(2);
		int64_t late = nowns() - start - 2000000;
		if(late > worst)
			worst = late;
	}
	report("lateness-worst", (double)worst / 1e6, "ms");
	taskexitall(0);
}
