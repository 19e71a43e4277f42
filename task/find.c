/* SPDX-License-Identifier: MIT */
/* Finds tasks, and what is left of them, by their ids. */
#include "life.h"
#include <errno.h>

enum { SizeFirst = 64 };	/* chains */

/*
 * doubles the table.  If there is no memory for that the chains just grow
 * longer: an insertion cannot fail, once there is a table.  Ids count up, so
 * their low bits spread them well.  Not inline, for task_idadd ends in it.
 */
__attribute__((noinline)) static void
growtable(Idtable *table)
{
	unsigned int size = table->size ? 2 * table->size : SizeFirst;
	int err = errno;
	Idnode **chains = task_sys.alloc(size * sizeof *chains);

	if(chains == NULL){
		errno = table->size ? err : errno;
		return;
	}
	for(unsigned int i = 0; i < table->size; i++)
		for(Idnode *n = table->chains[i], *next; n; n = next){
			next = n->next;
			n->next = chains[n->id & (size - 1)];
			chains[n->id & (size - 1)] = n;
		}
	task_sys.free(table->chains);
	table->chains = chains;
	table->size = size;
}

int
task_idroom(Idtable *table)
{
	if(table->size == 0)
		growtable(table);
	return table->size ? 0 : -1;
}

void
task_idadd(Idtable *table, Idnode *n, unsigned int id)
{
	Idnode **chain = &table->chains[id & (table->size - 1)];
	n->id = id;
	n->next = *chain;
	*chain = n;
	if(++table->n > table->size)
		growtable(table);
}

void
task_idremove(Idtable *table, Idnode *n)
{
	Idnode **at = &table->chains[n->id & (table->size - 1)];

	while(*at != n)
		at = &(*at)->next;
	*at = n->next;
	table->n--;
}

static void
unlist(Defer *d)
{
	Task *t = structof(Task, unlist, d);

	task_idremove(&task_proc->life->tasks, &t->node);
}

int
task_finddrop(Proc *p, Defer *d)
{
	if(d->fn != unlist)
		return 0;
	task_idremove(&p->life->tasks, &structof(Task, unlist, d)->node);
	return 1;
}

/*
 * enters into the table the tasks that are not in it yet.  This is done when
 * somebody looks for a task, not when tasks are made: a program that looks for
 * none pays nothing.  New tasks are last in the list of all, so those to be
 * entered are all behind the last one that is listed already.
 */
static void
list(Proc *p)
{
	for(Task *t = p->all.tail; t && !t->listed; t = t->older){
		task_idadd(&p->life->tasks, &t->node, t->id);
		t->listed = 1;
		task_defer(t, &t->unlist, AtEnd, unlist);
	}
}

Task *
task_find(Proc *p, int id)
{
	if(task_idroom(&p->life->tasks) < 0)
		return NULL;
	list(p);
	Idnode *n = task_idfind(&p->life->tasks, (unsigned int)id);
	if(n == NULL){
		errno = ESRCH;
		return NULL;
	}
	return structof(Task, node, n);
}

int
task_lives(const Proc *p, const Task *t, unsigned int id)
{
	const Task *u = p->all.head;

	while(u && !(u == t && u->id == id))
		u = u->younger;
	return u != NULL;
}
