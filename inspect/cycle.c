/* SPDX-License-Identifier: MIT */
/* Finds tasks that wait for one another in a cycle. */
#include "inspect.h"
#include "../task/life.h"

/* Longer cycles are not found: a wait must not take long, nor a list. */
enum { CycleMost = 1024 };

/* An owner that has ended is known by its id: see sync/lock.c. */
static const Task *
alive(Proc *p, const Task *owner, unsigned int id)
{
	return owner && task_find(p, (int)id) == owner ? owner : NULL;
}

const Task *
task_waitsfor(Proc *p, const Task *t)
{
	const void *v = t->wait.object.v;

	switch(t->wait.why){
	case WaitQlock:
		return alive(p, ((const QLock *)v)->owner,
			((const QLock *)v)->ownerid);
	case WaitReclock:
		return alive(p, ((const RecLock *)v)->l.owner,
			((const RecLock *)v)->l.ownerid);
	case WaitRlock:
	case WaitWlock:
		return alive(p, ((const RWLock *)v)->writer,
			((const RWLock *)v)->writerid);
	case WaitTask:
		return task_find(p, (int)t->wait.object.id);
	default:
		return NULL;
	}
}

/*
 * Who waits for a cycle without being in it would go round for ever: the walk
 * ends where it comes to a task again that it has met 1, 2, 4, 8, ... steps
 * after its start.
 */
int
task_cycle(Proc *p, const Task *t)
{
	const Task *u = task_waitsfor(p, t), *met = u;

	for(int n = 1; u && n <= CycleMost; n++){
		if(u == t)
			return n;
		if(u->wait.number == 0)
			return 0;
		if((n & (n - 1)) == 0)
			met = u;
		u = task_waitsfor(p, u);
		if(u == met)
			return 0;
	}
	return 0;
}
