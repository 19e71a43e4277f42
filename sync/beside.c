/* SPDX-License-Identifier: MIT */
/* What alts wait for besides channels. */
#include "../fd/fd.h"
#include "../task/life.h"
#include "sync.h"
#include <errno.h>

/*
 * returns whether the descriptor of a is ready, as one that is not open is:
 * that is an error, at once.  If the kernel cannot say, who reads finds out.
 */
static int
fdready(Alt *a)
{
	struct timespec now = {0, 0};
	struct pollfd pfd = {.fd = a->fd,
		.events = a->op == ALTREAD ? POLLIN : POLLOUT};
	int err = errno;

	if(a->fd < 0)
		pfd.revents = POLLNVAL;
	else if(task_sys.poll(&pfd, 1, &now) == 0)
		return 0;
	errno = err;
	a->err = pfd.revents & POLLNVAL ? EBADF : 0;
	return 1;
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

Alt *
task_shortest(Alt *a)
{
	Alt *first = NULL;

	for(; !isend(a); a++)
		if(a->op == ALTDELAY && (first == NULL || a->ms < first->ms))
			first = a;
	return first;
}
