/* SPDX-License-Identifier: MIT */
/*
 * A clock that ticks beside slow work: ticker [ms [ticks]].
 * Look at tick: it takes longer and longer.  As long as that fits between two
 * ticks nothing is late, for times are counted from the start.  Then one comes
 * as soon as the one before is over; those in between are left out and counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <task.h>

static unsigned int ms = 20;
static int nticks, want = 5;
static int64_t start;
static Timer *timer;

static void
tick(void *v)
{
	(void)v;
	int64_t now = (tasknow() - start) / 1000000;
	printf("tick at %lld ms\n", (long long)now);
	if(++nticks == want){
		printf("%lld left out\n", (long long)timermissed(timer));
		timerstop(timer);
	}
	taskdelay(ms / 2 * (unsigned int)nticks);
}

void
taskmain(int argc, char **argv)
{
	if(argc > 1)
		ms = (unsigned int)atoi(argv[1]);
	if(argc > 2)
		want = atoi(argv[2]);
	start = tasknow();
	timer = timerstart(ms, ms, tick, NULL);
	if(timer == NULL){
		perror("ticker");
		taskexitall(1);
	}
}
