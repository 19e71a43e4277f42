/* SPDX-License-Identifier: MIT */
/* A pool of threads, for functions that stop theirs. */
#ifndef TASK_POOL_H
#define TASK_POOL_H

#include <stdint.h>

#pragma GCC visibility push(hidden)

/*
 * Jobs of one lane never wait for those of another: each lane has a number of
 * threads that may be at work for it.
 */
enum { Functions, Names, Lanes };

/* Something to be done by a thread.  It lies in what it is about. */
typedef struct Job Job;
struct Job
{
	Job *next;	/* in its lane, while queued */
	Job *prev;
	void (*run)(Job *j);	/* on a thread */
	/*
	 * the same after that, when the thread is free again: tells of it, and
	 * j is not looked at any more
	 */
	void (*done)(Job *j);
	int lane;
	int queued;	/* no thread has taken it yet */
};

/* gives j, whose functions are set, to the pool; -1 with EAGAIN. */
int task_poolput(Job *j, int lane);

/* takes j back; returns whether it was queued still: it will not run. */
int task_pooltake(Job *j);

/* has so many threads at most be at work for a lane. */
void task_poolmost(int lane, int most);

/* after that time idle a thread ends; tests change it */
extern _Atomic(int64_t) task_poolidle_ns;

#pragma GCC visibility pop
#endif
