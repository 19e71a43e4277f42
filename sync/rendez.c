/* SPDX-License-Identifier: MIT */
/* Rendezvous: sleep until another task says that something has changed. */
#include "sync.h"
#include <errno.h>

/*
 * To join the queue and release the lock is one step: no wake-up is missed.
 * The lock is taken again however the sleep ends, for the caller unlocks it.
 */
int
tasksleep(Rendez *r)
{
	Proc *p = task_caller(r);

	if(p == NULL)
		return -1;
	QLock *l = r->l;
	if(l && (l->owner != p->running || l->ownerid != p->running->id))
		task_misuse("tasksleep: the lock r->l is not held by "
			"the caller");
	if(task_foreign(p, r->waiting.head))
		return task_fail(EPERM);
	if(l)
		qunlock(l);
	int result = task_park(WaitRendez, (Object){r}, &r->waiting, NULL, -1);
	if(l)
		task_relock(l);
	return result;
}

/* Whether the tasks at r may be woken here; if not, errno says why. */
static int
wakeable(const Rendez *r)
{
	const Proc *p = task_caller(r);

	if(p && task_foreign(p, r->waiting.head))
		errno = EPERM;
	else if(p)
		return 1;
	return 0;
}

int
taskwakeup(Rendez *r)
{
	return wakeable(r) ? task_wakefirst(&r->waiting, 0) != NULL : -1;
}

int
taskwakeupall(Rendez *r)
{
	int n = 0;

	if(!wakeable(r))
		return -1;
	while(task_wakefirst(&r->waiting, 0))
		n++;
	return n;
}
