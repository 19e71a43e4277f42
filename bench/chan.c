/* SPDX-License-Identifier: MIT */
/*
 * chan N: messages from one sender to one receiver through a buffer of N.
 * chan 0 pairs N: the same with N tasks in pairs, each with a channel.
 */
#include "bench.h"
#include <string.h>

enum { Messages = 5000000 };

typedef struct Pair
{
	Channel *c;
	long n;	/* messages */
} Pair;

static Rendez start;	/* for all, once each pair has sent one to warm up */
static Rendez end;
static int busy;

static void
sender(void *v)
{
	Pair *p = v;
	unsigned long first = 0;

	roundsomething();
	chansend(p->c, &first);
	tasksleep(&start);
	for(unsigned long i = 0; i < (unsigned long)p->n; i++)
		chansend(p->c, &i);
}

static void
receiver(void *v)
{
	Pair *p = v;
	unsigned long got;

	chanrecv(p->c, &got);
	tasksleep(&start);
	for(unsigned long i = 0; i < (unsigned long)p->n; i++)
		if(chanrecv(p->c, &got) < 0 || got != i)
			abort();
	if(--busy == 0)
		taskwakeup(&end);
}

static void
measure(Pair *pairs, int n, int buffer)
{
	for(int i = 0; i < n; i++){
		pairs[i] = (Pair){chancreate(sizeof(unsigned long), buffer),
			Messages / n};
		if(pairs[i].c == NULL ||
				taskcreate(sender, &pairs[i], StackBytes) < 0 ||
				taskcreate(receiver, &pairs[i], StackBytes) < 0)
			taskexitall(1);
	}
	busy = n;
	while(taskyield() > 0)
		;
	taskwakeupall(&start);
}

void
taskmain(int argc, char **argv)
{
	int buffer = number(argc, argv, 1, 0);
	int ntask = number(argc, argv, 3, 2);
	Pair *pairs = calloc((size_t)ntask / 2, sizeof *pairs);

	measure(pairs, ntask / 2, buffer);
	int64_t began = nowns();
	tasksleep(&end);
	double ns = each(began, Messages / (ntask / 2) * (ntask / 2));
	if(argc > 3)
		reportn("chan-0-pairs", ntask, ns, "ns");
	else
		reportn("chan", buffer, ns, "ns");
	taskexitall(0);
}
