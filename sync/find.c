/* SPDX-License-Identifier: MIT */
/* Finds tasks, and what is left of them, by their ids; and memory for that. */
#include "../taskimpl.h"
#include <errno.h>

enum { SizeFirst = 64 };	/* chains, and blocks of a slab */

/*
 * Ids count up, so their low bits spread them well.  Chains grow long before
 * the table is doubled, if there is no memory for that: an insertion cannot
 * fail, once there is a table.
 */
static void
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
	if(table->n >= table->size)
		growtable(table);
	Idnode **chain = &table->chains[id & (table->size - 1)];
	n->id = id;
	n->next = *chain;
	*chain = n;
	table->n++;
}

Idnode *
task_idfind(const Idtable *table, unsigned int id)
{
	if(table->n == 0)
		return NULL;
	Idnode *n = table->chains[id & (table->size - 1)];
	while(n && n->id != id)
		n = n->next;
	return n;
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

	task_idremove(&task_proc->tasks, &t->node);
}

/*
 * Tasks enter the table when somebody is looked for, not when they are made: a
 * program that looks for nobody pays nothing.  New ones are last in the list,
 * so those to be entered are all behind the last one that is listed already.
 */
static void
list(Proc *p)
{
	for(Task *t = p->all.tail; t && !t->listed; t = t->older){
		task_idadd(&p->tasks, &t->node, t->id);
		t->listed = 1;
		task_defer(t, &t->unlist, AtEnd, unlist);
	}
}

Task *
task_find(Proc *p, int id)
{
	if(task_idroom(&p->tasks) < 0)
		return NULL;
	list(p);
	Idnode *n = task_idfind(&p->tasks, (unsigned int)id);
	if(n == NULL){
		errno = ESRCH;
		return NULL;
	}
	return structof(Task, node, n);
}

/* Blocks */

typedef struct Block Block;
struct Block
{
	Block *next;	/* free, or the next slab */
	char rest[BlockBytes - sizeof(Block *)];
};

/* The first block of a slab holds only the list of slabs. */
static int
addblocks(Blocks *b)
{
	Block *slab = task_sys.alloc(SizeFirst * sizeof *slab);

	if(slab == NULL)
		return -1;
	slab->next = b->slabs;
	b->slabs = slab;
	for(int i = SizeFirst - 1; i > 0; i--){
		slab[i].next = b->free;
		b->free = &slab[i];
	}
	return 0;
}

void *
task_blockget(Blocks *b)
{
	if(b->free == NULL && addblocks(b) < 0)
		return NULL;
	Block *block = b->free;
	b->free = block->next;
	return block;
}

void
task_blockput(Blocks *b, void *v)
{
	Block *block = v;

	block->next = b->free;
	b->free = block;
}

static void
freeblocks(Blocks *b)
{
	for(Block *slab = b->slabs, *next; slab; slab = next){
		next = slab->next;
		task_sys.free(slab);
	}
}

void
task_syncend(Proc *p)
{
	task_sys.free(p->tasks.chains);
	task_sys.free(p->joins.chains);
	task_sys.free(p->groups.chains);
	freeblocks(&p->blocks);
	freeblocks(&p->timers);
}
