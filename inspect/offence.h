/* SPDX-License-Identifier: MIT */
/* What the watchdog has found, and is to say. */
#ifndef TASK_OFFENCE_H
#define TASK_OFFENCE_H

#include <stdint.h>

#pragma GCC visibility push(hidden)

/* A task has not let others run. */
typedef struct Offence
{
	int number;	/* of the proc */
	unsigned int nswitch;	/* Proc's, all the while */
	int64_t ns;	/* how long already */
	int64_t cpu_ns;	/* that its thread has had of it */
	int first;	/* of this run */
	int computes;	/* it has had most of the last part */
	int tid;
} Offence;

/* reports it on stderr, if it has not been told of; for one thread only. */
void task_blame(const Offence *o);

#pragma GCC visibility pop
#endif
