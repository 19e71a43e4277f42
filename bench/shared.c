/* SPDX-License-Identifier: MIT */
/* Messages between two schedulers that are both busy, one and 16 at a time. */
#include "bench.h"

enum { Messages = 2000000, Room = 128, Most = 16 };

static Channel *c;
static int batch;

static void
sending(void *v)
{
	unsigned long out[Most] = {0};

	(void)v;
	for(int i = 0, n; i < Messages; i += n){
		n = batch == 1 ? chansend(c, out) : chansendn(c, out, batch);
		if(n < 1)
			abort();
	}
	chanclose(c);
}

static void
measure(const char *what, int n)
{
	unsigned long in[Most];
	int64_t got = 0, start = nowns();

	batch = n;
	c = chanshared(sizeof in[0], Room);
	int proc = proccreate(sending, NULL, 0);
	do{
		n = batch == 1 ? chanrecv(c, in) : chanrecvn(c, in, batch);
		got += n;
	}while(n > 0);
	report(what, each(start, got), "ns");
	procwait(proc, NULL);
	chanfree(c);
}

void
taskmain(int argc, char **argv)
{
	(void)argc, (void)argv;
	measure("shared", 1);
	measure("shared-16", Most);
}
