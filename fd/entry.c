/* SPDX-License-Identifier: MIT */
/* The entries of alts that wait for descriptors. */
#include "fd.h"

/* returns the Fd that a waits for, which stays where it is. */
static Fd *
fdofentry(const Alt *a)
{
	return task_fdknown(task_proc->fds, a->fd);
}

int
task_fdenter(Alt *a)
{
	Fdtable *table = task_proc->fds;
	int i = a->op == ALTREAD ? Read : a->op == ALTWRITE ? Write : Hangup;
	const int events[] = {PollIn, PollOut, 0, PollHup};
	Fd *f = task_fdneed(table, a->fd);

	if(f == NULL)
		return -1;
	int others = task_fdwanted(f) || f->waiting[Close].head;
	task_fdjoin(table, f, a->fd, others, 1);
	if(task_fdtellof(table, f, a->fd, events[i], !f->erred) < 0)
		return -1;
	a->generation = f->interest.generation;
	table->nwaiting++;
	enqueue(&f->waiting[i], a, task_proc->running);
	return 0;
}

void
task_fdleave(Alt *a)
{
	Fdtable *table = task_proc->fds;
	Fd *f = fdofentry(a);

	dequeue(a);
	table->nwaiting--;
	task_relax(&table->polling, &f->interest, a->fd, task_fdwanted(f));
}

int
task_fdsame(const Alt *a)
{
	return fdofentry(a)->interest.generation == a->generation;
}
