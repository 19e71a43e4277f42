/* SPDX-License-Identifier: MIT */
/* yield N: taskyield, round-robin among N tasks. */
#include "bench.h"

enum { Yields = 10000000 };

static void
spin(void *v)
{
	if(v)
		roundsomething();
	for(;;)
		taskyield();
}

void
taskmain(int argc, char **argv)
{
	int n = number(argc, argv, 1, 100);
	long rounds = Yields / n;

	for(int i = 1; i < n; i++)
		if(taskcreate(spin, i % 2 ? &rounds : NULL, StackBytes) < 0)
			taskexitall(1);
	taskyield();
	int64_t start = nowns();
	for(long i = 0; i < rounds; i++)
		taskyield();
	reportn("yield", n, each(start, rounds * n), "ns");
	taskexitall(0);
}
