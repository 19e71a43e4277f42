/* SPDX-License-Identifier: MIT */
/* What a number means: which open file, and what if it is another by now. */
#include "fd.h"
#include <errno.h>

/*
 * The kernel gives the number of a closed file to the next one that is opened.
 * Whoever waits for the old one then, or has been woken for it, must not go on
 * with the new one: its generation counts up, and they fail with EBADF.  That
 * the number has changed hands is certain after fdclose and when the kernel has
 * just returned it.  fdnoblock asks, and so does who comes to wait where others
 * wait already.  epoll knows files by more than their number and can tell.
 * Elsewhere their device and inode are compared with those of when somebody
 * first waited for the number: that is asked once for each file, for it is a
 * system call.  The first to wait may so be of the next file without our
 * knowledge, and who comes then is no proof against it: see sure.
 */

void
task_fdwakeall(Fd *f, int err)
{
	for(int i = 0; i < (err ? Queues : Close); i++)
		while(f->waiting[i].head)
			tellfirst(&f->waiting[i], err);
}

int
task_fdforget(Fdtable *table, int fd)
{
	Fd *f = task_fdknown(table, fd);

	if(f == NULL)
		return 0;
	int held = task_fdopsstop(table, f);
	task_fdonnone(table, f, f->onevents);
	task_fdwakeall(f, EBADF);
	task_fdnoturns(f);
	task_fdunknown(f);
	return task_forget(&table->polling, &f->interest, fd) || held;
}

/* returns whether fd is another file than the one that f is about. */
static int
another(const Fdtable *table, const Fd *f, int fd)
{
	const Polling *in = &table->polling;
	Fileid now;

	if(in->poller->another && f->interest.armed)
		return in->poller->another(in->state, fd);
	if(!f->known || task_sys.fileid(fd, &now) < 0)
		return f->known;
	return now.device != f->file.device || now.inode != f->file.inode;
}

void
task_fdjoin(Fdtable *table, Fd *f, int fd, int others, int arms)
{
	int asks = table->polling.poller->another != NULL;

	if(others && (f->sure || (asks && f->interest.armed)) &&
			another(table, f, fd)){
		task_fdforget(table, fd);
		others = 0;
	}
	if(others || (asks && arms))
		return;
	f->sure = !f->known;
	if(f->sure)
		f->known = task_sys.fileid(fd, &f->file) == 0;
}

void
task_fddoubt(Fdtable *table, int fd)
{
	Fd *f = task_fdknown(table, fd);

	if(f == NULL)
		return;
	if(another(table, f, fd))
		task_fdforget(table, fd);
	else if(!f->known && f->interest.armed == 0)
		task_fdunknown(f);
}
