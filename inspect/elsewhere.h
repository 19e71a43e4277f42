/* SPDX-License-Identifier: MIT */
/* What is asked of other procs. */
#ifndef TASK_ELSEWHERE_H
#define TASK_ELSEWHERE_H

#include "inspect.h"

#pragma GCC visibility push(hidden)

/*
 * has fn called in the proc with that number, between its tasks, with where arg
 * is, and returns what it returned; NULL if it has ended, or does not answer
 * within a second: then *silent is set, unless silent is NULL, and what it
 * returns later is given to dispose.  Blocks.
 */
void *task_elsewhere(int number, void *(*fn)(Proc *p, void *arg), size_t arg,
	void (*dispose)(void *), int *silent);

/* the next living proc's number after n, in their order; 0: there is none. */
int task_nextproc(int n);

/* puts something about p, in whose thread it runs, into f; does not block. */
typedef void Putproc(FILE *f, Proc *p, int arg);

/* returns what fn puts, in memory of malloc's; NULL if that ran out. */
char *task_puttext(Proc *p, Putproc *fn, int arg);

/*
 * puts into f what fn returns, in the proc of that number: a text of malloc's.
 * Returns 0; -1 with ESRCH (it has ended, or there was no memory), ETIMEDOUT: a
 * task of it lets no other run, or the caller's wait was cut.
 */
int task_ask(FILE *f, int number, void *(*fn)(Proc *p, void *arg), int arg);

#pragma GCC visibility pop
#endif
