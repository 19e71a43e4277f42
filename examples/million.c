/* SPDX-License-Identifier: MIT */
/*
 * Parks a million tasks, each on a guarded stack of 64 KiB, and wakes them all:
 * million [tasks].  Says what that takes.
 * Look at what is not here: no pool, no limits to raise.  A task that waits
 * touches one page of its stack, and the guards need no map entries.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <task.h>
#include <time.h>
#include <unistd.h>

static Rendez all;
static long parked;

static double
seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Resident memory, page tables not counted. */
static double
kibibytes(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long size, resident;

	if(f == NULL || fscanf(f, "%ld %ld", &size, &resident) != 2)
		return 0;
	fclose(f);
	return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1024;
}

static int
mapentries(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	int c, n = 0;

	if(f == NULL)
		return 0;
	while((c = getc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

static void
waiter(void *v)
{
	(void)v;
	parked++;
	tasksleep(&all);
	parked--;
}

void
taskmain(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 1000000;
	double before = kibibytes(), start = seconds();

	for(long i = 0; i < n; i++)
		if(taskcreate(waiter, NULL, 65536) < 0){
			perror("taskcreate");
			taskexitall(1);
		}
	while(parked < n)
		taskyield();
	printf("%ld tasks parked in %.2f s, %.2f KiB each, %d map entries\n",
		n, seconds() - start, (kibibytes() - before) / (double)n,
		mapentries());
	start = seconds();
	taskwakeupall(&all);
	while(parked > 0)
		taskyield();
	printf("all awake and gone in %.2f s\n", seconds() - start);
}
