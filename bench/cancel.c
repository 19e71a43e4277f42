/* SPDX-License-Identifier: MIT */
/* Deadline scopes. */
#include "bench.h"

enum { Times = 5000000 };

static Channel *c;

void
taskmain(int argc, char **argv)
{
	Timeout t;
	int64_t start;

	(void)argc, (void)argv;
	start = nowns();
	for(int i = 0; i < Times; i++)
		nowns();
	report("clock", start, Times);

	start = nowns();
	for(int i = 0; i < Times; i++){
		timeoutstart(&t, 1000);
		timeoutstop(&t);
	}
	report("scope", start, Times);

	c = chancreate(sizeof(unsigned long), 1);
	start = nowns();
	for(int i = 0; i < Times; i++){
		chansendul(c, 1);
		chanrecvul(c);
	}
	report("chan-nowait", start, Times);
	start = nowns();
	for(int i = 0; i < Times; i++){
		timeoutstart(&t, 1000);
		chansendul(c, 1);
		timeoutstop(&t);
		chanrecvul(c);
	}
	report("scope-nowait", start, Times);
	chanfree(c);
}
