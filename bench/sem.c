/* SPDX-License-Identifier: MIT */
/*
 * A unit handed to a task that waits for it, switch included, and one that is
 * taken at once.
 */
#include "bench.h"

enum { Rounds = 5000000 };

static Sem ping, pong;

static void
answer(void *v)
{
	(void)v;
	for(long i = 0; i < Rounds; i++){
		semacquire(&ping);
		semrelease(&pong);
	}
}

void
taskmain(int argc, char **argv)
{
	(void)argc, (void)argv;
	taskcreate(answer, NULL, 0);
	taskyield();
	int64_t start = nowns();
	for(long i = 0; i < Rounds; i++){
		semrelease(&ping);
		semacquire(&pong);
	}
	report("sem-handover", each(start, 2L * Rounds), "ns");

	start = nowns();
	for(long i = 0; i < Rounds; i++){
		semrelease(&ping);
		semacquire(&ping);
	}
	report("sem-free", each(start, Rounds), "ns");
}
