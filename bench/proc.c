/* SPDX-License-Identifier: MIT */
/* Two schedulers: side by side; calls and posts from one to the other. */
#include "bench.h"

enum { Calls = 200000, Posts = 1000000, Row = 100, Yields = 5000000 };

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

static void
yielding(void *v)
{
	tasksystem();
	for(;;)
		taskyield();
	(void)v;
}

/* What of the CPU a yield among two takes, in ns. */
static void
yieldns(void *v)
{
	int64_t start = clockns(CLOCK_THREAD_CPUTIME_ID);

	for(int i = 0; i < Yields; i++)
		taskyield();
	*(double *)v = (double)(clockns(CLOCK_THREAD_CPUTIME_ID) - start) /
		Yields;
}

static void
yieldthere(void *v)
{
	taskcreate(yielding, NULL, 0);
	yieldns(v);
}

/* Schedulers that have nothing to do with each other share nothing. */
static void
besides(int nproc, const char *name)
{
	double ns[2];
	int proc[2];

	for(int i = 0; i < nproc; i++)
		proc[i] = proccreate(yieldthere, &ns[i], 0);
	for(int i = 0; i < nproc; i++)
		procwait(proc[i], NULL);
	report(name, ns[0], "ns");
}

void
taskmain(int argc, char **argv)
{
	int proc = proccreate(staying, NULL, 0);

	(void)argc, (void)argv;
	besides(1, "yield-1-proc");
	besides(2, "yield-2-procs");
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
