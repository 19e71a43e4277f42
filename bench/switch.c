/* SPDX-License-Identifier: MIT */
/*
 * The bare switch between two contexts, without queue and errno.  No program
 * can call it by itself: this benchmark is the only one that looks inside.
 */
#include "bench.h"
#include "machine/machine.h"

enum { Switches = 10000000 };

static Context here, there;

static void
back(void *v)
{
	(void)v;
	for(;;)
		task_contextswitch(&there, &here, 0);
}

static int
start(char *low, size_t bytes)
{
	Fpenv fp;

	task_contextfp(&fp);
	task_contextmake(&there, low, low + bytes, back, NULL, &fp);
	return task_contextswitch(&here, &there, 0);
}

int
main(void)
{
	char *low = malloc(StackBytes);

	if(low == NULL || start(low, StackBytes) < 0)
		return 1;
	int64_t began = nowns();
	for(long i = 0; i < Switches / 2; i++)
		task_contextswitch(&here, &there, 0);
	report("switch", each(began, Switches), "ns");
	return 0;
}
