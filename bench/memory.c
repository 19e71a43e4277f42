/* SPDX-License-Identifier: MIT */
/* memory N: what one of N tasks holds that wait for a message. */
#include "bench.h"

static void
waiter(void *v)
{
	unsigned long got;

	chanrecv(v, &got);
}

void
taskmain(int argc, char **argv)
{
	int n = number(argc, argv, 1, 100000);
	Channel *c = chancreate(sizeof(unsigned long), 0);
	double before = residentkib();

	for(int i = 0; i < n; i++)
		if(taskcreate(waiter, c, StackBytes) < 0)
			taskexitall(1);
	taskyield();
	reportn("memory", n, (residentkib() - before) / n, "KiB");
	taskexitall(0);
}
