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

static inline FILE *
openof(const char *pid, const char *thread, const char *name)
{
	char path[512];

	snprintf(path, sizeof path, "/proc/%s/task/%s/%s", pid, thread, name);
	return *thread != '.' ? fopen(path, "r") : NULL;
}

/* ns that all threads of process pid have run, and of those it has forked. */
static inline double
ranof(const char *pid)
{
	char path[64], child[16];
	double ns, sum = 0;
	struct dirent *e;

	snprintf(path, sizeof path, "/proc/%s/task", pid);
	DIR *dir = opendir(path);
	while(dir && (e = readdir(dir))){
		FILE *f = openof(pid, e->d_name, "schedstat");
		if(f && fscanf(f, "%lf", &ns) == 1)
			sum += ns;
		if(f)
			fclose(f);
		f = openof(pid, e->d_name, "children");
		while(f && fscanf(f, "%15s", child) == 1)
			sum += ranof(child);
		if(f)
			fclose(f);
	}
	if(dir)
		closedir(dir);
	return sum;
}

static inline double
cpuof(const char *pid)
{
	pausefor(SettleMs);
	return ranof(pid);
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
