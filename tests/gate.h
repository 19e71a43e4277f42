/* SPDX-License-Identifier: MIT */
/* Functions for other threads that stay at a gate until a test opens it. */
#ifndef GATE_H
#define GATE_H

#include <stdatomic.h>

#include "test.h"

/* How many have begun, are there now, and were there at most. */
static atomic_int nbegun, nnow, nmost, gate;

static inline void
sleepms(int ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000L};

	nanosleep(&ts, NULL);
}

static inline int
atgate(void *v)
{
	int now = atomic_fetch_add(&nnow, 1) + 1, most = nmost;

	(void)v;
	atomic_fetch_add(&nbegun, 1);
	while(most < now && !atomic_compare_exchange_weak(&nmost, &most, now))
		;
	while(!gate)
		sleepms(1);
	atomic_fetch_sub(&nnow, 1);
	return 0;
}

/* Tasks that have one run there, and how many are through. */
static int nended;

static inline void
passgate(void *v)
{
	(void)v;
	ck_assert_int_eq(offload(atgate, NULL), 0);
	nended++;
}

static inline void
begun(int n)
{
	while(nbegun < n)
		taskdelay(1);
}

static inline void
ended(int n)
{
	gate = 1;
	while(nended < n)
		taskdelay(1);
}

#endif
