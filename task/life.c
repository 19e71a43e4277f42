/* SPDX-License-Identifier: MIT */
/* What a proc has for the lives of its tasks. */
#include "life.h"

int
task_lifebegin(Proc *p)
{
	p->life = task_sys.alloc(sizeof *p->life);
	if(p->life == NULL)
		return -1;
	task_sparebegin(&p->life->spares);
	return 0;
}

void
task_lifeend(Proc *p)
{
	for(Task *t = p->all.head; t; t = t->younger)
		task_ownfree(t);
	task_sys.free(p->life->tasks.chains);
	task_sys.free(p->life->joins.chains);
	task_sys.free(p->life->groups.chains);
	task_blockfree(&p->life->blocks);
	task_blockfree(&p->life->timers);
	task_sparefree(&p->life->spares);
	task_sys.free(p->life);
}
