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

/* Proc.turns: reports that the running task takes no notice of its cancel. */
void task_turns(Proc *p);

/* Proc.stalled: reports that no task can go on. */
void task_deadlock(Proc *p);

/* Wing, see run.c: a signal that ends the program is told with its task. */
int task_faultbegin(Proc *p);	/* -1 with ENOMEM */
void task_faultend(Proc *p);
void task_faultforked(Proc *p);

#pragma GCC visibility pop
#endif
