/* SPDX-License-Identifier: MIT */
/* Inside shared channels: their lock, and claims on those who wait. */
#ifndef TASK_CLAIMS_H
#define TASK_CLAIMS_H

#include "proc.h"
#include "shared.h"
#include "../sync/sync.h"

typedef struct Shared
{
	Channel c;
	atomic_int lock;	/* 0: free, 1: held, 2: and waited for */

	/* under the lock */
	unsigned int users;	/* calls of chanfree to come */
	unsigned int nentry;	/* entries that have not been left */
	unsigned int generation;	/* of the process that made it; stays */
} Shared;

static inline Shared *
sharedof(const Channel *c)
{
	return (Shared *)(uintptr_t)c;
}

static inline int
isentry(const Alt *a)
{
	return isop(a) && (a->generation & EntryShared);
}

static inline Claim *
claimof(const Alt *a)
{
	return (Claim *)(void *)a->task;
}

#pragma GCC visibility push(hidden)

/* shared.c */

void task_sharedlock(Shared *s);

/* unlocks s, and frees it if nobody has it any more. */
void task_sharedleave(Shared *s);

/* claim.c */

/*
 * In the child of a fork(2) the channels of the parent are of no use: another
 * thread may have been in the midst of one.
 */
extern unsigned int task_sharegeneration;

/* puts an entry of w into its queue; s, its channel, is locked. */
void task_claimenter(Shared *s, Claim *w, Alt *a);

/*
 * wins the first who waits in q, a queue of s, which is locked; returns the
 * entry, or NULL.  Once it is unlocked told is to be told.
 */
Alt *task_claimfirst(Shared *s, Altlist *q, Notes *told);

/* has a thread without scheduler wait until it is served. */
void task_claimawait(Claim *w);

#pragma GCC visibility pop
#endif
