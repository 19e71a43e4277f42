/* SPDX-License-Identifier: MIT */
/* What happens when no task can ever go on. */
#include "inspect.h"
#include "../task/newnames.h"
#include <errno.h>
#include <stdlib.h>

/* tasksetdeadlock's, of this thread; NULL: print the report and exit. */
static _Thread_local void (*takenover)(const char *printreport);

void
tasksetdeadlock(void (*fn)(const char *printreport))
{
	takenover = fn;
}

static void
printreport(FILE *f, Proc *p)
{
	fprintf(f, "no runnable tasks! %d tasks stalled\n",
		p->ntask - p->nsystem);
	task_putlist(f, p);
}

void
task_deadlock(Proc *p, int more)
{
	if(takenover == NULL){
		task_report(p, printreport);
		if(more)
			return;
		exit(1);
	}
	char *text = task_text(p, printreport);
	/*
	 * if takenover yields, the fdtask is in the ready queue, and stays due
	 */
	p->due = 1;
	takenover(text ? text :
		"no runnable tasks! no memory for the list of them\n");
	free(text);
	if(p->ready.head == NULL && !(p->door && task_doorfull(p->door)))
		p->failed = EDEADLK;
}
