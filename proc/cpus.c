/* SPDX-License-Identifier: MIT */
/* How many processors this process may use. */
#include "proc.h"
#include "../task/newnames.h"
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int
affinity(void)
{
	cpu_set_t *set;
	int n = 0;

	for(int most = CPU_SETSIZE; most <= 1 << 20 && n == 0; most *= 4){
		size_t bytes = CPU_ALLOC_SIZE(most);
		if((set = task_sys.alloc(bytes)) == NULL)
			break;
		if(sched_getaffinity(0, bytes, set) == 0)
			n = CPU_COUNT_S(bytes, set);
		task_sys.free(set);
	}
	return n > 0 ? n : (int)sysconf(_SC_NPROCESSORS_ONLN);
}

/*
 * returns how many processors the group may keep busy, rounded up; 0 if it has
 * no limit.  cpu.max is "quota period" in us, or "max period".
 */
static int
limitof(const char *group)
{
	char path[256];
	long quota, period;
	int n = 0;

	snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", group);
	FILE *f = fopen(path, "re");
	if(f && fscanf(f, "%ld %ld", &quota, &period) == 2 && period > 0)
		n = (int)((quota + period - 1) / period);
	if(f)
		fclose(f);
	return n;
}

/* The groups around this one limit it too. */
static int
quota(void)
{
	char group[200], *slash;
	int least = 0;
	FILE *f = fopen("/proc/self/cgroup", "re");

	if(f == NULL || fscanf(f, "0::%199s", group) != 1)
		strcpy(group, "");
	if(f)
		fclose(f);
	do{
		int n = limitof(group);
		if(n > 0 && (least == 0 || n < least))
			least = n;
		slash = strrchr(group, '/');
		if(slash)
			*slash = '\0';
	}while(slash);
	return least;
}

int
task_cpus(void)
{
	int err = errno, n = affinity(), most = quota();

	errno = err;	/* there may be no files to read */
	return most > 0 && most < n ? most : n;
}

int
proccpus(void)
{
	return task_cpus();
}
