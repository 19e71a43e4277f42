/* SPDX-License-Identifier: MIT */
/* Between two schedulers: calls there and back, and posts in a row. */
#include "bench.h"

enum { Calls = 200000, Posts = 1000000, Row = 100 };

static int nposts;

static int
nothing(void *v)
{
	(void)v;
	return 0;
}

static void
counting(void *v)
{
	(void)v;
	nposts++;
}

static int
howmany(void *v)
{
	(void)v;
	return nposts;
}

static void
staying(void *v)
{
	(void)v;
	while(!taskcancelled())
		taskdelay(1000);
}

static int
ending(void *v)
{
	(void)v;
	return taskcancel(1);
}

void
taskmain(int argc, char **argv)
{
	int proc = proccreate(staying, NULL, 0);

	(void)argc, (void)argv;
	for(int i = 0; i < Calls / 10; i++)
		proccall(proc, nothing, NULL);
	int64_t start = nowns();
	for(int i = 0; i < Calls; i++)
		proccall(proc, nothing, NULL);
	report("proccall", each(start, Calls), "ns");
	start = nowns();
	for(int i = 0; i < Posts; i += Row){
		for(int k = 0; k < Row; k++)
			procpost(proc, counting, NULL, 0);
		proccall(proc, nothing, NULL);
	}
	if(proccall(proc, howmany, NULL) < Posts)
		abort();
	report("procpost", each(start, Posts), "ns");
	proccall(proc, ending, NULL);
	procwait(proc, NULL);
}
