/* SPDX-License-Identifier: MIT */
/* What our own benchmarks share. */
#ifndef BENCH_H
#define BENCH_H

#include "measure.h"
#include <task.h>

enum { StackBytes = 64 * 1024 };	/* for the peers too, where they ask */

#endif
