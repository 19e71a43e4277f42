/* SPDX-License-Identifier: MIT */
/* taskyield, round-robin among 2, 100 and 10 000 tasks. */
#include "bench.h"

enum { Yields = 10000000 };

static int stop;

static void
spin(void *v)
{
	(void)v;
	while(!stop)
		taskyield();
}

static void
among(int ntask, const char *name)
{
	long rounds = Yields / ntask;

	stop = 0;
	for(int i = 1; i < ntask; i++)
		taskcreate(spin, NULL, 0);
	taskyield();
	int64_t start = nowns();
	for(long i = 0; i < rounds; i++)
		taskyield();
	report(name, start, rounds * ntask);
	stop = 1;
	taskyield();
}

void
taskmain(int argc, char **argv)
{
	(void)argc, (void)argv;
	among(2, "yield-2");
	among(100, "yield-100");
	among(10000, "yield-10000");
}
