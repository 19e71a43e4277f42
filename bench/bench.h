/* SPDX-License-Identifier: MIT */
/* What our own benchmarks share. */
#ifndef BENCH_H
#define BENCH_H

#include "measure.h"
#include <task.h>

enum { StackBytes = 64 * 1024 };	/* for the peers too, where they ask */

/*
 * raises a floating-point flag, as a task that computes has it.  Where half of
 * the tasks do, the flags differ at each switch, as in real programs.
 */
static inline void
roundsomething(void)
{
	static volatile double tenth = 0.1;
	volatile float f = (float)tenth;

	(void)f;
}

#endif
