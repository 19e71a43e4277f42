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
 * times between two looks that found no error, or fewer if many descriptors are
 * so.  Then it is quiet for CalmNs at most.  Who does not wait is told always.
 */
enum { CalmNs = 10 * Millisecond, ToldMost = 64 };

/* takes note of what poll(2) says; returns whether that is just an error. */
static int
justerror(Fd *f, int revents)
{
	if(!(revents & POLLERR))
		f->erred = f->ntold = 0;
	return revents == POLLERR;
}

static int
lasting(Fd *f, int fd, int event)
{
	struct timespec now = {0, 0};
	struct pollfd pfd = {.fd = fd, .events = (short)task_pollmask(event)};

	task_sys.poll(&pfd, 1, &now);
	return justerror(f, pfd.revents);
}

/* has f armed anew after CalmNs, or before that with others. */
static void
quieten(Fdtable *table, Fd *f, int fd)
{
	if(f->quiet)
		return;
	if(table->nquiet++ == 0)
		table->recall_ns = task_proc->now() + CalmNs;
	f->quiet = 1;
	f->nextquiet = table->quiet;
	table->quiet = fd;
}

/* has those who wait for f told of it again, if it is the same file still. */
static void
recall(Fdtable *table, Fd *f, int fd)
{
	if(task_fdwanted(f))
		task_fdjoin(table, f, fd, 1, 1);
	int wanted = task_fdwanted(f);
	if(wanted == 0 || f->interest.armed == 0 || task_arm(&table->polling,
			&f->interest, fd, wanted) == 0)
		return;
	task_fdwakeall(f, 0);
	task_fdonready(table, f, PollErr);
}

int64_t
task_fdrecall(Fdtable *table, int64_t now)
{
	if(table->recall_ns > now)
		return table->recall_ns;
	table->nrecalled = table->nquiet;
	for(; table->nquiet > 0; table->nquiet--){
		int fd = table->quiet;
		Fd *f = task_fdknown(table, fd);
		table->quiet = f->nextquiet;
		f->quiet = f->ntold = 0;
		recall(table, f, fd);
	}
	return -1;
}

static int
tells(Fdtable *table, Fd *f, int fd)
{
	if(f->ntold == 0 || f->ntold < ToldMost / (table->nrecalled + 1)){
		f->ntold++;
		return 1;
	}
	if(!task_fdissocket(fd))	/* a pipe that nobody reads */
		return 1;
	quieten(table, f, fd);
	return 0;
}

int
task_fdnews(Fdtable *table, int fd, int revents, int waits)
{
	Fd *f = revents == POLLERR ? task_fdneed(table, fd) :
		task_fdknown(table, fd);

	if(f == NULL || !justerror(f, revents) || !waits)
		return revents != 0;
	f->erred = 1;
	return tells(table, f, fd);
}

/*
 * returns whether a wait for fd must be told of all that is true: because the
 * poller knows another file by that number, or is going to tell somebody of an
 * error, which who comes later must not keep from him.
 */
static int
mustbetold(const Polling *in, const Fd *f, int fd)
{
	if(in->poller->edge)
		return f->interest.armed && in->poller->another &&
			in->poller->another(in->state, fd);
	return f->interest.armed && !(f->interest.armed & PollCalm);
}

int
task_fdtellof(Fdtable *table, Fd *f, int fd, int event, int found)
{
	const Polling *in = &table->polling;
	const Poller *poller = in->poller;
	int changes = found && poller->edge;	/* it tells of these only */

	if(f->erred && !changes && lasting(f, fd, event) &&
			(found || !tells(table, f, fd)) &&
			!mustbetold(in, f, fd)){
		if(poller->omits)
			quieten(table, f, fd);
		if(!poller->edge)
			event |= PollCalm;
		/* where edges can be had, nothing need be late */
		if(table->moveat != INT_MAX)
			table->moveat = 0;
		found = 1;
	}
	return task_armfor(in, &f->interest, fd, task_fdwanted(f), event,
		found);
}
