/* SPDX-License-Identifier: MIT */
/* A function offloaded, beside what two threads need to wake each other. */
#include "bench.h"
#include <pthread.h>

enum { Calls = 50000, Many = 100 };

static int
nothing(void *v)
{
	(void)v;
	return 0;
}

static void *
several(void *v)
{
	for(int i = 0; i < Calls / Many; i++)
		offload(nothing, NULL);
	return v;
}

/* Two threads that hand a turn to each other. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static int turn;

static void
taketurns(int mine)
{
	pthread_mutex_lock(&lock);
	for(int i = 0; i < Calls; i++){
		while(turn != mine)
			pthread_cond_wait(&turned, &lock);
		turn = !mine;
		pthread_cond_signal(&turned);
	}
	pthread_mutex_unlock(&lock);
}

static void *
other(void *v)
{
	taketurns(1);
	return v;
}

void
taskmain(int argc, char **argv)
{
	int tasks[Many];
	pthread_t t;

	(void)argc, (void)argv;
	several(NULL);
	int64_t start = nowns();
	for(int i = 0; i < Calls; i++)
		offload(nothing, NULL);
	report("offload", each(start, Calls), "ns");
	start = nowns();
	for(int i = 0; i < Many; i++)
		tasks[i] = taskspawn(several, NULL, 0);
	for(int i = 0; i < Many; i++)
		taskwait(tasks[i], NULL);
	report("offload-100", each(start, Calls), "ns");
	start = nowns();
	pthread_create(&t, NULL, other, NULL);
	taketurns(0);
	pthread_join(t, NULL);
	report("two-threads", each(start, Calls), "ns");
}
