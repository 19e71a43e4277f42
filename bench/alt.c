/* SPDX-License-Identifier: MIT */
/* alt N: a receiver alts over N channels, each with a sender. */
#include "bench.h"

enum { Messages = 2000000 };

static void
sender(void *v)
{
	Channel *c = v;

	for(unsigned long i = 0;; i++)
		chansend(c, &i);
}

void
taskmain(int argc, char **argv)
{
	int n = number(argc, argv, 1, 4);
	Alt *alts = calloc((size_t)n + 1, sizeof *alts);
	unsigned long got;

	for(int i = 0; i < n; i++){
		alts[i] = (Alt){.c = chancreate(sizeof got, 0), .v = &got,
			.op = CHANRCV};
		taskcreate(sender, alts[i].c, StackBytes);
	}
	alts[n].op = CHANEND;
	int64_t start = nowns();
	for(int i = 0; i < Messages; i++)
		if(chanalt(alts) < 0)
			abort();
	reportn("alt", n, each(start, Messages), "ns");
	taskexitall(0);
}
