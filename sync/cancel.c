/* SPDX-License-Identifier: MIT */
/* Cancelling tasks, and what they do at their end. */
#include "../taskimpl.h"
#include "../task/newnames.h"
#include <errno.h>

int
taskcancel(int id)
{
	Proc *p = task_here();
	Task *t = p ? task_find(p, id) : NULL;

	if(t == NULL)
		return -1;
	task_cancel(p, t);
	return 0;
}

typedef struct Deferred
{
	Defer d;
	void (*fn)(void *);
	void *arg;
} Deferred;

static void
calldeferred(Defer *d)
{
	Deferred f = *(Deferred *)d;

	task_blockput(&task_proc->blocks, d);
	f.fn(f.arg);
}

int
taskdefer(void (*fn)(void *), void *arg)
{
	Proc *p = task_here();

	if(p == NULL)
		return -1;
	if(fn == NULL)
		return task_fail(EINVAL);
	Deferred *f = task_blockget(&p->blocks);
	if(f == NULL)
		return -1;
	f->fn = fn;
	f->arg = arg;
	task_defer(p->running, &f->d, AtCleanup, calldeferred);
	return 0;
}
