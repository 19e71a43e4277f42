/* SPDX-License-Identifier: MIT */
/* Numbers of schedulers, and the ids of their tasks: which are free. */
#include "../taskimpl.h"
#include <limits.h>
#include <stdatomic.h>

/* A number is enough to tell that a task is another scheduler's. */
void
task_firstids(Proc *p)
{
	static atomic_uint last;

	p->next.proc = atomic_fetch_add(&last, 1) + 1;
	p->nextid = 1;
	p->idlimit = INT_MAX + 1U;
}

/*
 * finds the next run of free ids.  Ids count up; after INT_MAX of them they
 * start again, and those that are taken are left out.  Two thousand million
 * tasks have come and gone since the last time, so it may take a look at all
 * tasks for each id that is taken.
 */
void
task_findids(Proc *p)
{
	unsigned int id = p->nextid, limit;

	do{
		if(id == 0 || id > INT_MAX)
			id = 1;
		limit = INT_MAX + 1U;
		for(Task *t = p->all.head; t; t = t->younger)
			if(t->id >= id && t->id < limit)
				limit = t->id;
	}while(limit == id++);
	p->nextid = id - 1;
	p->idlimit = limit;
}
