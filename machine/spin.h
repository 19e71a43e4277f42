/* SPDX-License-Identifier: MIT */
/* Whether a thread looks for what is to come for a while before it sleeps. */
#ifndef TASK_SPIN_H
#define TASK_SPIN_H

#include "machine.h"
#include <stdatomic.h>

/*
 * To wake a thread takes 20 us or more.  Two that answer each other both spin
 * only if each spins longer than the other takes to wake up once.  It is worth
 * it if the last thing came soon, and there are processors for all who would.
 */
enum { SpinNs = 50000, SoonNs = 200000, MostVain = 63 };

typedef struct Spin
{
	int soon;	/* the last thing came soon */
	int vain;	/* grows when it was in vain */
	int skip;	/* so often it is left out, though soon */
} Spin;

#pragma GCC visibility push(hidden)
extern atomic_int task_mayspin;	/* there are processors: see proc/member.c */
#pragma GCC visibility pop

/* returns whether to look now, for SpinNs; after that spun says if it came. */
static inline int
spins(Spin *s)
{
	return s->soon && atomic_load(&task_mayspin) && s->skip-- <= 0;
}

static inline void
spun(Spin *s, int came)
{
	if(came)
		s->vain = s->skip = 0;
	else{
		s->soon = 0;
		s->vain = s->vain < MostVain ? 2 * s->vain + 1 : MostVain;
		s->skip = s->vain;
	}
}

/* What was waited for since then has come. */
static inline void
came(Spin *s, int64_t since_ns)
{
	s->soon = task_sys.now() - since_ns < SoonNs;
}

static inline void
relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

#endif
