/* SPDX-License-Identifier: MIT */
/* Deadline scopes, results. */
#include "bench.h"

enum { Times = 5000000 };

static Channel *c;

static void *
same(void *v)
{
	return v;
}

void
taskmain(int argc, char **argv)
{
	Timeout t;
	int64_t start;

	(void)argc, (void)argv;
	start = nowns();
	for(int i = 0; i < Times; i++)
		nowns();
	report("clock", each(start, Times), "ns");

	start = nowns();
	for(int i = 0; i < Times; i++){
		timeoutstart(&t, 1000);
		timeoutstop(&t);
	}
	report("scope", each(start, Times), "ns");

	c = chancreate(sizeof(unsigned long), 1);
	start = nowns();
	for(int i = 0; i < Times; i++){
		chansendul(c, 1);
		chanrecvul(c);
	}
	report("chan-nowait", each(start, Times), "ns");
	start = nowns();
	for(int i = 0; i < Times; i++){
		timeoutstart(&t, 1000);
		chansendul(c, 1);
		timeoutstop(&t);
		chanrecvul(c);
	}
	report("scope-nowait", each(start, Times), "ns");
	chanfree(c);

	start = nowns();
	for(int i = 0; i < Times; i++)
		taskwait(taskspawn(same, NULL, 32768), NULL);
	report("spawn-wait", each(start, Times), "ns");
}
