/* SPDX-License-Identifier: MIT */
/* A switch between coroutines. */
#include "bench.h"

enum { Switches = 10000000 };

static void *
back(void *v)
{
	Co *from = comain();

	for(;;)
		v = coswitch(from, v);
	return NULL;
}

void
taskmain(int argc, char **argv)
{
	(void)argc, (void)argv;
	Co *c = cocreate(back, NULL, 0);
	void *v = NULL;

	int64_t start = nowns();
	for(long i = 0; i < Switches / 2; i++)
		v = coswitch(c, v);
	report("coswitch", start, Switches);

	cofree(c);
}
