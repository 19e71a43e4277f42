/* SPDX-License-Identifier: MIT */
/* 100 000 tasks sleep up to 1 s each; how late a timer is among spinners. */
#include "bench.h"

enum { Sleepers = 100000, Spinners = 100, Timers = 200 };

static int64_t worst;
static int timing;

static void
sleeper(void *v)
{
	taskdelay((unsigned int)(intptr_t)v);
}

static void
spin(void *v)
{
	(void)v;
	while(timing)
		taskyield();
}

static void
sleepers(void)
{
	int64_t cpu = cpuns();

	for(int i = 0; i < Sleepers; i++)
		taskcreate(sleeper, (void *)(intptr_t)(rand() % 1000), 0);
	taskdelay(1100);
	printf("sleep-100000 %.3f s CPU\n", (double)(cpuns() - cpu) / 1e9);
}

static void
lateness(void)
{
	timing = 1;
	for(int i = 0; i < Spinners; i++)
		taskcreate(spin, NULL, 0);
	for(int i = 0; i < Timers; i++){
		int64_t start = nowns();
		taskdelay(2);
		int64_t late = nowns() - start - 2000000;
		if(late > worst)
			worst = late;
	}
	timing = 0;
	printf("lateness-worst %.3f ms\n", (double)worst / 1e6);
}

void
taskmain(int argc, char **argv)
{
	(void)argc, (void)argv;
	sleepers();
	lateness();
}
