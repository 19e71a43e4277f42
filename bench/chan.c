/* SPDX-License-Identifier: MIT */
/*
 * chan N: messages from one sender to one receiver through a buffer of N; and
 * again with chansendul and chanrecvul, which most programs use.
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
static int values;	/* chansendul and chanrecvul are used */

static void
sender(void *v)
{
	Pair *p = v;
	unsigned long first = 0;

	roundsomething();
	chansend(p->c, &first);
	tasksleep(&start);
	if(values)
		for(unsigned long i = 0; i < (unsigned long)p->n; i++)
			chansendul(p->c, i);
	else
		for(unsigned long i = 0; i < (unsigned long)p->n; i++)
			chansend(p->c, &i);
}

static void
receive(Channel *c, unsigned long n)
{
	unsigned long got;

	for(unsigned long i = 0; i < n; i++)
		if(chanrecv(c, &got) < 0 || got != i)
			abort();
}

static void
receivevalues(Channel *c, unsigned long n)
{
	for(unsigned long i = 0; i < n; i++)
		if(chanrecvul(c) != i)
			abort();
}

static void
receiver(void *v)
{
	Pair *p = v;
	unsigned long got;

	chanrecv(p->c, &got);
	tasksleep(&start);
	(values ? receivevalues : receive)(p->c, (unsigned long)p->n);
	if(--busy == 0)
		taskwakeup(&end);
}

/* ns for a message. */
static double
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
	int64_t began = nowns();
	tasksleep(&end);
	return each(began, Messages / n * n);
}

void
taskmain(int argc, char **argv)
{
	int buffer = number(argc, argv, 1, 0);
	int ntask = number(argc, argv, 3, 2);
	Pair *pairs = calloc((size_t)ntask / 2, sizeof *pairs);
	double ns = measure(pairs, ntask / 2, buffer);

	if(argc > 3)
		reportn("chan-0-pairs", ntask, ns, "ns");
	else{
		reportn("chan", buffer, ns, "ns");
		values = 1;
		reportn("chanul", buffer, measure(pairs, 1, buffer), "ns");
	}
	taskexitall(0);
}
