/* SPDX-License-Identifier: MIT */
/* Reports of tasks that get nowhere, though others go on. */
#include "inspect.h"
#include "../task/life.h"
#include <errno.h>
#include <string.h>

static void
printtask(FILE *f, const Proc *p, const Task *t)
{
	char name[ShownBytes];

	fputs(task_showtask(name, sizeof name, p, t), f);
}

static void
printturns(FILE *f, Proc *p)
{
	printtask(f, p, p->running);
	fprintf(f, " was cancelled and goes on: %d waits in a row have "
		"failed, the last is ", RefusedMost);
	task_putwait(f, p, p->running);
	putc('\n', f);
}

void
task_turns(Proc *p)
{
	task_report(p, printturns);
}

static void
printcycle(FILE *f, Proc *p)
{
	const Task *t = p->running;

	fprintf(f, "a cycle: %d tasks wait for one another\n",
		task_cycle(p, t));
	do{
		fputs("    ", f);
		printtask(f, p, t);
		fputs(": ", f);
		task_putwait(f, p, t);
		putc('\n', f);
		t = task_waitsfor(p, t);
	}while(t != p->running);
}

/*
 * returns a number that is the same whichever task of the cycle closes it; the
 * tasks are taken for others if they wait for something else.
 */
static uint64_t
nameofcycle(Proc *p, const Task *first)
{
	const Task *t = first;
	uint64_t sum = 0;

	do{
		uint64_t x = (uintptr_t)t->wait.object.v * 31 + t->id;
		sum += task_random(&x);
		t = task_waitsfor(p, t);
	}while(t != first);
	return sum;
}

/*
 * returns whether cycle has been told of, and notes it.  A deadline may open a
 * cycle and a loop close it again: that is no news.
 */
static int
knowncycle(Proc *p, uint64_t cycle)
{
	enum { Cycles = sizeof p->cycles / sizeof p->cycles[0] };

	for(int i = 0; i < Cycles; i++)
		if(p->cycles[i] == cycle)
			return 1;
	memmove(p->cycles + 1, p->cycles, sizeof p->cycles - sizeof cycle);
	p->cycles[0] = cycle;
	return 0;
}

/* A wait that will be refused closes no cycle.  task_park sets these too. */
void
task_locks(Proc *p, enum Why why, const void *lock)
{
	Task *t = p->running;
	int err = errno;

	t->wait.why = why;
	t->wait.object.v = lock;
	if(task_cycle(p, t) > 0 && !task_refused(p) &&
			!knowncycle(p, nameofcycle(p, t)))
		task_report(p, printcycle);
	errno = err;
}
