/* SPDX-License-Identifier: MIT */
/* Signals that the process handles while a scheduler runs in it. */
#ifndef TASK_SIGNAL_H
#define TASK_SIGNAL_H

#include <signal.h>
#include <stdatomic.h>

#pragma GCC visibility push(hidden)

/*
 * What is arranged for a signal.  The first who asks for it sets the handler,
 * the last who needs it no longer puts back what was there: both only if nobody
 * has arranged otherwise.  A signal that is ignored stays so, for the programs
 * that this one executes are to ignore it too; but not if the program asks for
 * the signal itself.
 */
typedef struct Arranged
{
	int sig;
	const char *name;
	void (*fn)(int sig, siginfo_t *info, void *ucontext);
	int chains;	/* fn calls the handler that was there, if any */
	int takes;	/* fn stands in for what was there, SIG_IGN too */
	int placed;	/* old is what was there before fn */
	struct sigaction old;
	atomic_int users;
} Arranged;

void task_arrange(Arranged *a, int n);
void task_unarrange(Arranged *a, int n);

/* Whether sig would be ignored, had it not been arranged. */
int task_arrangedignored(const Arranged *a);

/* A fork(2)'s child has nusers of them: this thread's scheduler, or none. */
void task_arrangeforked(Arranged *a, int n, int nusers);

/*
 * For fn: what was there before is to happen.  Returns whether that was a
 * handler, which has been called; if not it is what a next signal does.
 */
int task_passon(const Arranged *a, siginfo_t *info, void *ucontext);

#pragma GCC visibility pop
#endif
