/* SPDX-License-Identifier: MIT */
/* What the benchmarks share.  Each prints lines of `name value unit`. */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <task.h>
#include <time.h>

static inline int64_t
clockns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * (int64_t)1000000000 + ts.tv_nsec;
}

static inline int64_t
nowns(void)
{
	return clockns(CLOCK_MONOTONIC);
}

static inline int64_t
cpuns(void)
{
	return clockns(CLOCK_PROCESS_CPUTIME_ID);
}

/* What one of n operations took since start. */
static inline void
report(const char *name, int64_t start, long n)
{
	printf("%s %.2f ns\n", name, (double)(nowns() - start) / (double)n);
}

#endif
