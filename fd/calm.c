/* SPDX-License-Identifier: MIT */
/* Errors that no call clears, and how often they are told of. */
#include "fd.h"
#include <limits.h>

/*
 * What a socket has in its error queue is an error to all who wait for it until
 * somebody reads that queue.  A task that is told of it, finds nothing to do
 * and waits again would be told at once, for ever.
 *
 * To who has just found, by a call, that there is nothing to do it is no news:
 * the poller is asked for changes only.  Who waits without having tried, as by
 * fdwait and chanalt, may be about to read that queue, so it is told, ToldMost
 * times; then the descriptor is quiet for CalmNs: that stands for as many
 * tasks, and such errors as they read one by one.  What else happens, and the
 * next error, ends their waits at once, where the poller can tell.
 */
enum { CalmNs = 10 * Millisecond, ToldMost = 64 };

/* returns whether an error is all there is, of what was told or besides. */
static int
lasting(Fd *f, int fd, int event)
{
	struct timespec now = {0, 0};
	struct pollfd pfd = {.fd = fd, .events = (short)task_pollmask(event)};

	f->erred = task_sys.poll(&pfd, 1, &now) > 0 && pfd.revents == POLLERR;
	if(!f->erred)
		f->ntold = 0;
	return f->erred;
}

/* has f armed anew after CalmNs, or before that with others. */
static void
quieten(Fdtable *table, Fd *f, int fd)
{
	if(f->quiet)
		return;
	if(table->quiet == 0)
		table->recall_ns = task_proc->now() + CalmNs;
	f->quiet = 1;
	f->nextquiet = table->quiet;
	table->quiet = fd + 1;
}

static int
tells(Fdtable *table, Fd *f, int fd)
{
	if(f->ntold < ToldMost){
		f->ntold++;
		return 1;
	}
	quieten(table, f, fd);
	return 0;
}

int
task_fdtells(Fdtable *table, int fd)
{
	Fd *f = task_fdneed(table, fd);

	if(f == NULL)
		return 1;
	f->erred = 1;
	return tells(table, f, fd);
}

int
task_fdtellof(Fdtable *table, Fd *f, int fd, int event, int found)
{
	const Poller *poller = table->polling.poller;

	if(f->erred && !(found && poller->edge) && lasting(f, fd, event) &&
			(found || !tells(table, f, fd))){
		if(poller->omits)
			quieten(table, f, fd);
		if(!poller->edge)
			event |= PollCalm;
		/* where edges can be had, nothing need be late */
		if(table->moveat != INT_MAX)
			table->moveat = 0;
		found = 1;
	}
	return task_armfor(&table->polling, &f->interest, fd, task_fdwanted(f),
		event, found);
}

int64_t
task_fdrecall(Fdtable *table, int64_t now)
{
	if(table->recall_ns > now)
		return table->recall_ns;
	while(table->quiet){
		int fd = table->quiet - 1;
		Fd *f = task_fdknown(table, fd);
		int wanted = task_fdwanted(f);
		table->quiet = f->nextquiet;
		f->quiet = f->ntold = 0;
		if(wanted == 0 || task_arm(&table->polling, &f->interest, fd,
				wanted) == 0)
			continue;
		task_fdwakeall(f, 0);
		task_fdonready(table, f, PollErr);
	}
	return -1;
}
