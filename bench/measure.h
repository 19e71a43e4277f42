/* SPDX-License-Identifier: MIT */
/* Clocks, memory and pseudo-random delays, the same for ours and the peers. */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

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

/* What this process has used, in user mode and in the kernel. */
static inline int64_t
cpuns(void)
{
	return clockns(CLOCK_PROCESS_CPUTIME_ID);
}

static inline double
residentkib(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if(f == NULL || fscanf(f, "%*s %ld", &pages) != 1)
		abort();
	fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1024;
}

/* The next delay of a fixed sequence, 0 to 999 ms. */
static inline unsigned int
nextdelay(void)
{
	static uint32_t x = 1;

	x = x * 1664525 + 1013904223;
	return (x >> 16) % 1000;
}

/* The i-th argument as a number. */
static inline int
number(int argc, char **argv, int i, int otherwise)
{
	return i < argc ? atoi(argv[i]) : otherwise;
}

/* What is printed: lines of `name value unit`. */
static inline void
report(const char *name, double value, const char *unit)
{
	printf("%s %.6g %s\n", name, value, unit);
}

static inline void
reportn(const char *name, int n, double value, const char *unit)
{
	printf("%s-%d %.6g %s\n", name, n, value, unit);
}

static inline int
smaller(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The median of n values, which are sorted. */
static inline double
median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof *v, smaller);
	return v[n / 2];
}

/* ns for one of n operations since start. */
static inline double
each(int64_t start, long n)
{
	return (double)(nowns() - start) / (double)n;
}

#endif
