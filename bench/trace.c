/* SPDX-License-Identifier: MIT */
/* trace: what a recorded event takes, and taskprofile for a switch. */
#include "bench.h"

enum { Tasks = 100, Yields = 200000, Rounds = 15 };

static void
spin(void *v)
{
	(void)v;
	for(;;)
		taskyield();
}

static double
yields(void)
{
	int64_t start = nowns();

	for(int i = 0; i < Yields / Tasks; i++)
		taskyield();
	return each(start, Yields);
}

/* A yield is one event: who goes on. */
void
taskmain(int argc, char **argv)
{
	double event[Rounds], profile[Rounds];

	(void)argc, (void)argv;
	for(int i = 1; i < Tasks; i++)
		if(taskcreate(spin, NULL, StackBytes) < 0)
			taskexitall(1);
	yields();
	for(int i = 0; i < Rounds; i++){
		double off = yields();
		if(tracestart(1 << 20) < 0)
			taskexitall(1);
		yields();	/* the ring is in memory */
		event[i] = yields() - off;
		tracestop();
		taskprofile(1);
		profile[i] = yields() - off;
		taskprofile(0);
	}
	report("trace-event", median(event, Rounds), "ns");
	report("trace-profile", median(profile, Rounds), "ns");
	taskexitall(0);
}
