/* SPDX-License-Identifier: MIT */
/* What alts wait for besides channels. */
#include "../fd/fd.h"
#include "../task/life.h"
#include "sync.h"
#include <errno.h>

/* returns whether the alt that a is an entry of waits if it must. */
static int
willwait(const Alt *a)
{
	while(!isend(a))
		a++;
	return a->op == CHANEND;
}

/*
 * returns whether the descriptor of a is ready, as one that is not open is:
 * that is an error, at once.  If the kernel cannot say, who reads finds out.
 * Who waits is told of an error that no call clears for a while only.
 */
static int
fdready(Alt *a)
{
	struct timespec now = {0, 0};
	struct pollfd pfd = {.fd = a->fd,
		.events = a->op == ALTREAD ? POLLIN :
		a->op == ALTWRITE ? POLLOUT : POLLRDHUP};
	int err = errno, r = a->fd < 0 ? -1 : task_sys.poll(&pfd, 1, &now);

	if(r >= 0)
		r = task_fdnews(task_proc->fds, a->fd, pfd.revents,
			willwait(a));
	errno = err;
	a->err = a->fd < 0 || pfd.revents & POLLNVAL ? EBADF : 0;
	return r != 0;
}

/* returns whether the task of a has ended, or cannot be waited for. */
static int
taskready(Alt *a)
{
	int err = errno, r = task_ended(a->id);

	a->err = r < 0 ? errno : 0;
	errno = err;
	return r;
}

int
task_watched(Alt *a)
{
	if(isfd(a))
		return fdready(a);
	if(a->op == ALTTASK)
		return taskready(a);
	a->err = 0;
	return a->op == ALTEVENT && a->e->set;
}

/* returns which entry of a has the shortest delay; -1 if none has one. */
static int
shortest(const Alt *a)
{
	int first = -1;

	for(int i = 0; !isend(&a[i]); i++)
		if(a[i].op == ALTDELAY && (first < 0 || a[i].ms < a[first].ms))
			first = i;
	return first;
}

int64_t
task_altdeadline(const Alt *a)
{
	int i = shortest(a);

	return i < 0 ? -1 : task_proc->now() + a[i].ms * (int64_t)Millisecond;
}

int
task_altwaited(Alt *a, int r, int err)
{
	if(r < 0 && (errno != ETIMEDOUT || task_proc->running->wait.cut))
		return r;
	errno = err;
	if(r < 0)
		a[r = shortest(a)].err = 0;
	/* it may have been closed before this task ran */
	if(isfd(&a[r]) && !task_fdsame(&a[r]))
		a[r].err = EBADF;
	return r;
}
