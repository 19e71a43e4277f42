/* SPDX-License-Identifier: MIT */
/* What another process has used, once it sleeps. */
#ifndef PROCESS_H
#define PROCESS_H

#include <dirent.h>
#include <stdio.h>
#include <time.h>

enum { SettleMs = 50 };	/* for it to have gone to sleep */

static inline void
pausefor(int ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
}

/* ns that all threads of process pid have run. */
static inline double
cpuof(const char *pid)
{
	char path[512];
	double ns, sum = 0;
	struct dirent *e;

	pausefor(SettleMs);
	snprintf(path, sizeof path, "/proc/%s/task", pid);
	DIR *dir = opendir(path);
	while(dir && (e = readdir(dir))){
		snprintf(path, sizeof path, "/proc/%s/task/%s/schedstat", pid,
			e->d_name);
		FILE *f = *e->d_name != '.' ? fopen(path, "r") : NULL;
		if(f && fscanf(f, "%lf", &ns) == 1)
			sum += ns;
		if(f)
			fclose(f);
	}
	if(dir)
		closedir(dir);
	return sum;
}

/* KiB of memory that it has. */
static inline long
residentof(const char *pid)
{
	char line[256];
	long kib = 0;

	pausefor(SettleMs);
	snprintf(line, sizeof line, "/proc/%s/status", pid);
	FILE *f = fopen(line, "r");
	while(f && fgets(line, sizeof line, f))
		sscanf(line, "VmRSS: %ld", &kib);
	if(f)
		fclose(f);
	return kib;
}

#endif
