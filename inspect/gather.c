/* SPDX-License-Identifier: MIT */
/* Finds tasks that are alike, so that a thousand of them take a few lines. */
#include "gather.h"
#include <ctype.h>

static uint64_t
mix(uint64_t key, uint64_t x)
{
	key ^= x;
	return task_random(&key) * 0x9e3779b97f4a7c15;
}

/* Of "client 17" and "client 18" each is one of the clients. */
static uint64_t
mixtext(uint64_t key, const char *s)
{
	for(; *s; s++)
		if(!isdigit((unsigned char)*s))
			key = mix(key, (unsigned char)*s);
	return key;
}

/*
 * Tasks are alike if they have the same function, were made at the same place
 * and stand at the same place in the same calls; how the library came to park
 * them does not matter.  What they wait for may be others of the same kind.
 */
static uint64_t
likeness(Proc *p, const Task *t)
{
	void *pc[StackFrames];
	int n = task_walk(p, t, pc, StackFrames);
	uint64_t key = 1;

	for(int i = 0; i < n; i++)
		if(task_outside(pc[i]))
			key = mix(key, (uintptr_t)pc[i]);
	key = mix(key, (uintptr_t)t->entry);
	key = mix(key, (uintptr_t)t->made);
	key = mix(key, t->wait.number ? t->wait.why + 1u : 0);
	key = mix(key, t->system + 2u * t->limits.cancelled);
	key = mixtext(key, task_name(t));
	return mixtext(key, task_state(t)) | 1;
}

static Kind *
kindof(Gathered *g, uint64_t key)
{
	size_t i = key & g->mask;

	while(g->kinds[i].key && g->kinds[i].key != key)
		i = (i + 1) & g->mask;
	g->kinds[i].key = key;
	return &g->kinds[i];
}

/* There is room for twice as many kinds as there are tasks. */
void
task_gather(Gathered *g, Proc *p)
{
	size_t size = 16;

	while(size < 2 * (size_t)p->ntask)
		size *= 2;
	*g = (Gathered){.mask = size - 1};
	g->kinds = task_sys.alloc(size * sizeof *g->kinds);
	g->all = task_sys.alloc((size_t)p->ntask * sizeof *g->all);
	if(g->kinds == NULL || g->all == NULL){
		task_gatherend(g);
		return;
	}
	for(const Task *t = p->all.head; t; t = t->younger){
		Alike *a = &g->all[g->n++];
		*a = (Alike){t, kindof(g, likeness(p, t)), NULL};
		if(a->kind->n++ == 0)
			a->kind->first = a;
		else
			a->kind->last->next = a;
		a->kind->last = a;
	}
}

void
task_gatherend(Gathered *g)
{
	task_sys.free(g->kinds);
	task_sys.free(g->all);
	*g = (Gathered){.mask = 0};
}
