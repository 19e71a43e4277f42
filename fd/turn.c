/* SPDX-License-Identifier: MIT */
/* The turn of a descriptor's direction, for calls of several steps. */
#include "fd.h"

/*
 * While a call has the turn, others of its direction wait for that, so that
 * what it reads or writes is not mixed with theirs.  The turn is handed over
 * like a lock: to the task that has waited longest, before that one runs.  When
 * the number becomes another file's nobody has the turn, and those who wait for
 * it fail with EBADF; whoever had it finds that out by what it means by fd.
 */
static void
settaken(Fd *f, int i, unsigned int taken)
{
	if(i == Read)
		f->reading = taken & 1;
	else
		f->writing = taken & 1;
}

int
task_fdtake(Proc *p, int fd, int i, Meant *m)
{
	int err = *p->err;
	Fd *f = task_fdneed(p->fds, fd);

	if(f == NULL || !task_fdstill(p->fds, fd, m))
		return -1;
	if(!task_fdtaken(f, i))
		settaken(f, i, 1);
	else if(task_park(i == Read ? WaitRead : WaitWrite, (Object){.fd = fd},
			&f->turns[i], NULL, -1) < 0 ||
			!task_fdstill(p->fds, fd, m))
		return -1;
	*p->err = err;
	return 0;
}

void
task_fdgive(Proc *p, int fd, int i, Meant *m)
{
	int err = *p->err;
	Fd *f = task_fdknown(p->fds, fd);

	if(task_fdstill(p->fds, fd, m) &&
			task_wakefirst(&f->turns[i], 0) == NULL)
		settaken(f, i, 0);
	*p->err = err;
}

void
task_fdnoturns(Fd *f)
{
	for(int i = Read; i <= Write; i++){
		while(task_wakefirst(&f->turns[i], EBADF))
			;
		settaken(f, i, 0);
	}
}
