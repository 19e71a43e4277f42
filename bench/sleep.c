/* SPDX-License-Identifier: MIT */
/* sleep N: the CPU that N tasks take which each sleep up to a second. */
#include "bench.h"

static Rendez end;
static int asleep;

static void
sleeper(void *v)
{
	taskdelay((unsigned int)(uintptr_t)v);
	if(--asleep == 0)
		taskwakeup(&end);
}

void
taskmain(int argc, char **argv)
{
	int n = number(argc, argv, 1, 1000);
	int64_t start = cpuns();

	asleep = n;
	for(int i = 0; i < n; i++)
		if(taskcreate(sleeper, (void *)(uintptr_t)nextdelay(),
				StackBytes) < 0)
			taskexitall(1);
	tasksleep(&end);
	reportn("sleep", n, (double)(cpuns() - start) / 1e9, "s");
	taskexitall(0);
}
