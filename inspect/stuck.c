/* SPDX-License-Identifier: MIT */
/* Reports of tasks that get nowhere, though others go on. */
#include "inspect.h"
#include "../task/life.h"

static void
printturns(FILE *f, Proc *p)
{
	const Task *t = p->running;
	char name[ShownBytes];

	fprintf(f, "task %u (%s) was cancelled and goes on: %d waits in a row "
		"have failed, the last is ", t->id,
		task_show(name, sizeof name, task_name(t)), RefusedMost);
	task_listwait(f, p, t);
	putc('\n', f);
}

void
task_turns(Proc *p)
{
	task_report(p, printturns);
}
