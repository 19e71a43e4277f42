/* SPDX-License-Identifier: MIT */
/* What waits for descriptors tells the poller; entries of alts among it. */
#include "fd.h"
#include <limits.h>

/* returns the Fd that a waits for, which stays where it is. */
static Fd *
fdofentry(const Alt *a)
{
	return task_fdknown(task_proc->fds, a->fd);
}

int
task_fdlasts(Fd *f, int fd, int i)
{
	struct timespec now = {0, 0};

	if(!f->erred)
		return 0;
	struct pollfd pfd = {.fd = fd,
		.events = (short)task_pollmask(task_fdevents[i])};
	f->erred = task_sys.poll(&pfd, 1, &now) > 0 &&
		task_pollevents(pfd.revents) == PollErr;
	return f->erred;
}

int
task_fdtellof(Fdtable *table, Fd *f, int fd, int i, int found)
{
	int asked = f->interest.armed & (task_fdevents[i] | PollCalm);
	int again = f->erred && !table->polling.poller->edge;

	if(found && !again && asked && asked == task_fdevents[i])
		return 0;
	int calm = found && again && task_fdlasts(f, fd, i) ? PollCalm : 0;

	/* where edges can be had, nothing need be late */
	if(calm && table->moveat != INT_MAX)
		table->moveat = 0;
	return task_armfor(&table->polling, &f->interest, fd,
		task_fdwanted(f), task_fdevents[i] | calm, found);
}

int
task_fderred(int fd)
{
	Fd *f = task_fdneed(task_proc->fds, fd);
	int known = f && f->erred;

	if(f)
		f->erred = 1;
	return known;
}

int
task_fdenter(Alt *a)
{
	Fdtable *table = task_proc->fds;
	int i = a->op == ALTREAD ? Read : a->op == ALTWRITE ? Write : Hangup;
	Fd *f = task_fdneed(table, a->fd);

	if(f == NULL)
		return -1;
	int others = task_fdwanted(f) || f->waiting[Close].head;
	task_fdjoin(table, f, a->fd, others, 1);
	if(task_fdtellof(table, f, a->fd, i, 1) < 0)
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
