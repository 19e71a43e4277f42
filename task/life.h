/* SPDX-License-Identifier: MIT */
/* One task's life: its scopes, its end, who finds it and who waits for that. */
#ifndef TASK_LIFE_H
#define TASK_LIFE_H

#include "../taskimpl.h"

#pragma GCC visibility push(hidden)

/* scope.c */

extern const Bounds task_bounds;	/* those of all tasks that have any */

/* opens s on t: waits end at deadline_ns. */
void task_scope(Task *t, Timeout *s, int64_t deadline_ns);

/* closes s, if it is open on t; and all that are. */
static inline void
task_unscope(Task *t, Timeout *s)
{
	Timeout **at = &t->limits.scopes;

	while(*at && *at != s)
		at = &(*at)->outer;
	if(*at)
		*at = s->outer;
}

void task_unscopeall(Task *t);

/*
 * takes the scopes off t that the coroutine or generator called opener has
 * opened; returns them, the innermost first; and puts them back, before all
 * others.
 */
Timeout *task_scopesof(Task *t, const void *opener);
void task_rescope(Task *t, Timeout *first);

/* When the scopes of the running task end its waits; -1: never. */
int64_t task_scopesdeadline(Proc *p);

/* Whether a wait of the running task would be refused. */
int task_refused(Proc *p);

/* wakes the tasks whose deadline is not after now. */
void task_wakesleepers(Proc *p, int64_t now);

/*
 * The wait of t has reached its deadline, or t was cancelled in it: notes what
 * cut it, and returns the errno for it to fail with.
 */
int task_cut(Task *t);

/*
 * The call of t that by has cut succeeded all the same, so by has cut nothing.
 * knew says whether t knew before that call that it is cancelled.
 */
void task_uncut(Task *t, Timeout *by, int knew);

/* cancel.c */

/* taskcancel, for a task that lives. */
void task_cancel(Proc *p, Task *t);

/* end.c */

/* First the program's functions, then what they use, then others hear of it. */
enum Stage { AtCleanup, AtValues, AtEnd };

/* has fn called at the end of t, first of all of its stage; takes that back. */
void task_defer(Task *t, Defer *d, enum Stage stage, void (*fn)(Defer *));
void task_undefer(Task *t, const Defer *d);

/* What t made of itself: 0, the errno it failed with, or ECANCELED. */
int task_outcome(const Task *t);

/* own.c: t is over. */
void task_ownfree(Task *t);

/* find.c */

typedef struct Idtable
{
	Idnode **chains;	/* NULL until there is one to find */
	unsigned int size;	/* a power of two */
	unsigned int n;	/* nodes */
} Idtable;

/* makes room for a first one; -1 with ENOMEM.  Later ones need none. */
int task_idroom(Idtable *table);
void task_idadd(Idtable *table, Idnode *n, unsigned int id);
Idnode *task_idfind(const Idtable *table, unsigned int id);
void task_idremove(Idtable *table, Idnode *n);

/* The task that lives and has the id; NULL with ESRCH or ENOMEM. */
Task *task_find(Proc *p, int id);

/* blocks.c */

/* Small things of one size, given out and taken back. */
typedef struct Blocks
{
	struct Block *free;
	struct Block *slabs;
} Blocks;

enum { BlockBytes = 128 };

/* gives BlockBytes; NULL with ENOMEM.  All are freed with the proc at last. */
void *task_blockget(Blocks *b);
void task_blockput(Blocks *b, void *v);
void task_blockfree(Blocks *b);

/* join.c */

/* taskwait, but the result is kept; and whether it would not wait. */
int task_await(int id);
int task_ended(int id);	/* 1, 0, or -1: it would fail */

/* life.c: what the proc has for all this. */
typedef struct Life
{
	Idtable tasks;	/* the older ones, by id: find.c's */
	Idtable joins;	/* by the id of the task */
	Idtable groups;	/* by their numbers */
	Blocks blocks;
	Blocks timers;	/* for nothing else: see timer.c */
} Life;

int task_lifebegin(Proc *p);	/* -1 with ENOMEM */
void task_lifeend(Proc *p);

#pragma GCC visibility pop
#endif
