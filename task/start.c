/* SPDX-License-Identifier: MIT */
/* How a scheduler begins, and what is left when it has ended. */
#include "ready.h"
#include <errno.h>

int
task_begin(Proc *p, void (*fn)(void *), void *arg, size_t stack)
{
	p->err = &errno;
	p->exceptions = task_exceptions();
	task_contextfp(&p->fp);
	p->running = &p->fdtask;
	p->fdtask.system = 1;
	p->fdtask.stopped = InYield;
	/* has taskexit come to finishtask, which does not let the fdtask end */
	p->fdtask.defers = &p->fdtask.unlist;
	task_firstids(p);
	p->credit = p->period = 1;
	p->few = p->seen ? ManyReady - Seeing : ManyReady;
	p->turn_ns = p->look_ns = p->now();
	if(p->random == 0)
		p->random = (uint64_t)p->turn_ns | 1;
	task_proc = p;
	Task *t = task_create(p, fn, arg, stack);
	for(const Early *e = task_earlyfirst(); t && e; e = e->next)
		t = task_create(p, e->fn, e->arg, e->stack);
	if(t)
		task_earlyclear();
	else
		p->failed = errno;
	return t ? 0 : -1;
}

int
task_start(Proc *p, void (*fn)(void *), void *arg, size_t stack)
{
	if(task_begin(p, fn, arg, stack) == 0)
		p->idle(p);
	return p->failed ? -1 : p->status;
}

void
task_stop(Proc *p)
{
	for(Task *t = p->all.head; t; t = t->younger)
		task_contextfree(&t->context);
	task_contextfree(&p->fdtask.context);
	task_stackfree(&p->pool);
	task_sys.free(p->sleeping.heap);
	task_proc = NULL;
}

void
tasksystem(void)
{
	Proc *p = task_here();

	if(p && !p->running->system){
		p->running->system = 1;
		p->nsystem++;
		endcheck(p);
	}
}
