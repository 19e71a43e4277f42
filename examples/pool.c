/* SPDX-License-Identifier: MIT */
/*
 * Jobs for a few workers: pool [jobs [workers [ms]]].
 * Look at taskmain: in a group with a limit, groupspawn waits until a worker is
 * free, so there is no queue to be kept.  The scope around it ends the waiting
 * and the work, and groupwait comes back when nobody works any more.
 */
#include <stdio.h>
#include <stdlib.h>
#include <task.h>

static int nworking, nmost, ndone;

static void
work(void *v)
{
	(void)v;
	if(++nworking > nmost)
		nmost = nworking;
	if(taskdelay(20) >= 20)	/* it was not cut short */
		ndone++;
	nworking--;
}

void
taskmain(int argc, char **argv)
{
	int njobs = argc > 1 ? atoi(argv[1]) : 10;
	unsigned int ms = argc > 3 ? (unsigned int)atoi(argv[3]) : 60000;
	Group pool = {.limit = argc > 2 ? (unsigned int)atoi(argv[2]) : 3};
	Timeout all;

	TIMEOUT(&all, ms){
		for(int i = 0; i < njobs; i++)
			if(groupspawn(&pool, work, NULL, 0) < 0)
				break;
		groupwait(&pool);
	}
	printf("%d of %d jobs, at most %d at a time%s\n", ndone, njobs, nmost,
		timeoutfired(&all) ? ", and no time for more" : "");
}
