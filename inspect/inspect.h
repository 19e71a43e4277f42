/* SPDX-License-Identifier: MIT */
/* Seeing in: what run.c hooks into a proc. */
#ifndef TASK_INSPECT_H
#define TASK_INSPECT_H

#include "../task/show.h"
#include <stdio.h>

#pragma GCC visibility push(hidden)

/* Proc.list: prints the list of tasks on stderr. */
void task_list(Proc *p);

/* returns what print writes, in memory of malloc's; NULL if that ran out. */
char *task_text(Proc *p, void (*print)(FILE *f, Proc *p));

/* prints on stderr: in one write if there is memory, lest lines be mixed. */
void task_report(Proc *p, void (*print)(FILE *f, Proc *p));

/* prints one line about t, for the list and for the report of a deadlock. */
void task_listline(FILE *f, Proc *p, const Task *t);

/* prints what t waits for; the end of that line. */
void task_listwait(FILE *f, Proc *p, const Task *t);

/* Wing, see run.c: SIGQUIT asks the proc for its list of tasks. */
int task_quitbegin(Proc *p);
void task_quitend(Proc *p);
void task_quitforked(Proc *p);	/* in the child of a fork(2) */

/*
 * returns the one task that can end the wait of t: who holds the lock for
 * itself, or is to end.  NULL if there is none; t waits, or is about to.
 */
const Task *task_waitsfor(Proc *p, const Task *t);

/* returns how many tasks are in the cycle that t waits in; 0: in none. */
int task_cycle(Proc *p, const Task *t);

/* Proc.locks: reports it if this wait of the running task closes a cycle. */
void task_locks(Proc *p, enum Why why, const void *lock);

/* Proc.turns: reports that the running task takes no notice of its cancel. */
void task_turns(Proc *p);

/*
 * Proc.deadlock: reports that no task can go on.  more: other procs are to say
 * so after it, before the program ends.
 */
void task_deadlock(Proc *p, int more);

/* Wing, see run.c: a signal that ends the program is told with its task. */
int task_faultbegin(Proc *p);	/* -1 with ENOMEM */
void task_faultend(Proc *p);
void task_faultforked(Proc *p);

#pragma GCC visibility pop
#endif
