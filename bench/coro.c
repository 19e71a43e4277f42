/* SPDX-License-Identifier: MIT */
/* A switch between coroutines, a value from a generator, a million of them. */
#include "bench.h"
#include <sys/resource.h>

enum { Switches = 10000000, Values = 10000000, Million = 1000000 };

static void *
back(void *v)
{
	Co *from = comain();

	roundsomething();
	for(;;)
		v = coswitch(from, v);
	return NULL;
}

static void *
same(void *v)
{
	void *in = v;

	roundsomething();
	while((in = genyield(in)))
		;
	return NULL;
}

static long
rsskib(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return ru.ru_maxrss;
}

void
taskmain(int argc, char **argv)
{
	(void)argc, (void)argv;
	Co *c = cocreate(back, NULL, 0);
	Gen *g = gencreate(same, NULL, 0);
	void *v = g;

	int64_t start = nowns();
	for(long i = 0; i < Switches / 2; i++)
		v = coswitch(c, v);
	report("coswitch", each(start, Switches), "ns");

	gennext(g, &v);
	long before = rsskib();
	for(long i = 0; i < Million; i++)
		gensend(g, g, &v);
	printf("gen-million %ld KiB\n", rsskib() - before);
	start = nowns();
	for(long i = 0; i < Values; i++)
		gensend(g, g, &v);
	report("gensend", each(start, Values), "ns");
	genclose(g);
	cofree(c);
}
