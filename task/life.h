/* SPDX-License-Identifier: MIT */
/*
 * One task's life: its scopes, its end, who finds it and who waits for its end.
 */
#ifndef TASK_LIFE_H
#define TASK_LIFE_H

#include "../taskimpl.h"

#pragma GCC visibility push(hidden)

/* scope.c */

/* A task of which so many waits were refused in a row looks at none of them. */
enum { RefusedMost = 1000 };

extern const Bounds task_bounds;	/* of all tasks that have any */

/* opens s on t: its waits end at deadline_ns. */
void task_scope(Task *t, Timeout *s, int64_t deadline_ns);

/* closes s, if it is open on t. */
static inline void
task_unscope(Task *t, Timeout *s)
{
	Timeout **at = &t->limits.scopes;

	while(*at && *at != s)
		at = &(*at)->outer;
	if(*at)
		*at = s->outer;
}

/* closes all scopes of t. */
void task_unscopeall(Task *t);

/*
 * task_scopesof takes off t the scopes that a coroutine or generator, opener,
 * has opened; it returns them, the innermost first.  task_rescope puts such a
 * list back, before all others of t.
 */
Timeout *task_scopesof(Task *t, const void *opener);
void task_rescope(Task *t, Timeout *first);

/* returns when the scopes of the running task end its waits; -1: never. */
int64_t task_scopesdeadline(Proc *p);

/*
 * returns whether a wait of the running task would fail at once, because a
 * scope has ended or the task is cancelled.
 */
int task_refused(Proc *p);

/* wakes the tasks whose deadline is not after now. */
void task_wakesleepers(Proc *p, int64_t now);

/*
 * notes what cuts the wait of t short, which has reached its deadline or was
 * cancelled in it.
 * Returns the errno for the wait to fail with.
 */
int task_cut(Task *t);

/* What has cut the last wait of t, until the next one. */
typedef struct Cut
{
	int how;	/* NotCut, CutFirst, CutAgain, CutOnce */
	Timeout *by;	/* if it was cut: the scope, else the shield */
} Cut;

static inline Cut
task_lastcut(const Task *t)
{
	return (Cut){t->wait.cut, t->limits.nearest};
}

/*
 * takes back what task_cut has noted, as cut: the call of t that waited has
 * succeeded all the same.
 */
void task_uncut(Task *t, Cut cut);

/* t is interrupted, in its next wait. */
void task_interrupt(Task *t);

/* cancel.c */

/* cancels t, which lives; interrupts the wait that it is in, or its next. */
void task_cancel(Proc *p, Task *t);
void task_interruptwait(Proc *p, Task *t);

/* taskshield and taskunshield, by names that no program has. */
void task_shield(Proc *p, unsigned int ms);
void task_unshield(Proc *p);

/* end.c */

/*
 * The order in which the things left to do at a task's end are done: first the
 * program's functions, then the values they use, then the news to others.
 */
enum Stage { AtCleanup, AtAfter, AtValues, AtEnd };

/*
 * task_defer has fn called at the end of t, before all others of its stage;
 * task_undefer takes that back.
 */
void task_defer(Task *t, Defer *d, enum Stage stage, void (*fn)(Defer *));
void task_undefer(Task *t, const Defer *d);

/* returns how t has ended: 0, the errno of its taskfail, or ECANCELED. */
int task_outcome(const Task *t);

/* own.c: taskkeyinherit, tasklocal, tasksetlocal. */
int task_keyinherit(void *(*copy)(void *), void (*destroy)(void *));
void *task_local(int key);
int task_setlocal(int key, void *v);

/* own.c: frees the values of t, and its hooks. */
void task_ownfree(Task *t);

/* find.c */

/* A hash table of Idnodes by their ids. */
typedef struct Idtable
{
	Idnode **chains;	/* NULL until task_idroom */
	unsigned int size;	/* a power of two */
	unsigned int n;	/* nodes */
} Idtable;

/* makes room for the first node; -1 with ENOMEM.  Adding cannot fail then. */
int task_idroom(Idtable *table);
void task_idadd(Idtable *table, Idnode *n, unsigned int id);
void task_idremove(Idtable *table, Idnode *n);

static inline Idnode *
task_idfind(const Idtable *table, unsigned int id)
{
	if(table->n == 0)
		return NULL;
	Idnode *n = table->chains[id & (table->size - 1)];
	while(n && n->id != id)
		n = n->next;
	return n;
}

/* returns the task that has the id, if it lives; NULL with ESRCH or ENOMEM. */
Task *task_find(Proc *p, int id);

/*
 * Whether t, which had that id, is a task of p still, and not another one in
 * its place: in the child of taskfork, where most are gone without an end.
 */
int task_lives(const Proc *p, const Task *t, unsigned int id);

/* blocks.c */

/* A store of memory blocks of one size. */
typedef struct Blocks
{
	struct Block *free;
	struct Block *slabs;
} Blocks;

enum { BlockBytes = 128 };

/*
 * returns BlockBytes, or NULL with ENOMEM; task_blockfree frees all there are.
 */
void *task_blockget(Blocks *b);
void task_blockput(Blocks *b, void *v);
void task_blockfree(Blocks *b);

/* spare.c */

/* Memory of SpareBytes each, from malloc, that nobody uses now. */
typedef struct Spare Spare;
typedef struct Spares
{
	Spare *first;
	int n;
} Spares;

enum { SpareBytes = 1024 };	/* malloc has such blocks at hand */

/*
 * task_spareget returns SpareBytes, with whatever is in them; NULL with ENOMEM.
 * They may be resized; then they are not put back here, but freed.
 */
void task_sparebegin(Spares *s);
void *task_spareget(Spares *s);
void task_spareput(Spares *s, void *v);
void task_sparefree(Spares *s);	/* all that are kept */

/* join.c */

/* returns 1 if taskwait would not wait, 0 if it would, -1 if it would fail. */
int task_ended(int id);

/*
 * has a, of the running task, wait for the end of the task that it names, which
 * lives.  Returns 0; -1 with ENOMEM.
 */
int task_joinenter(Alt *a);

/*
 * alone.c: in the child of taskfork: drops all tasks but the running one, which
 * are in no queue then.  Their descriptors are fd/table.c's.
 */
void task_alone(Proc *p);

/*
 * These give back what d is part of, if it is of their file, and return whether
 * it was; and the same for all groups.
 */
int task_deferdrop(Proc *p, Defer *d);
int task_wrapdrop(Proc *p, Defer *d);
int task_finddrop(Proc *p, Defer *d);
int task_joindrop(Proc *p, Defer *d);
int task_timerdrop(Proc *p, Defer *d);
void task_groupsdrop(Proc *p);

/* life.c: what a proc keeps for the lives of its tasks. */
typedef struct Life
{
	Idtable tasks;	/* those that find.c has listed */
	Idtable joins;	/* join.c's, by the id of the task */
	Idtable groups;	/* group.c's, by their numbers */
	Blocks blocks;	/* of all but timers */
	struct Wrapper *wrappers;	/* own.c's, the outermost first */
	Blocks timers;	/* of nothing else: see timer.c */
	Spares spares;
} Life;

int task_lifebegin(Proc *p);	/* -1 with ENOMEM */
void task_lifeend(Proc *p);

#pragma GCC visibility pop
#endif
