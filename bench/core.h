/* SPDX-License-Identifier: MIT */
/* Threads on different cores, where the kernel might put them on one. */
#ifndef CORE_H
#define CORE_H

#include <sched.h>

/* keeps the calling thread on the nth core, from 0, that this process had. */
static inline void
ontocore(int nth)
{
	static cpu_set_t all;
	cpu_set_t one;

	if(CPU_COUNT(&all) == 0)
		sched_getaffinity(0, sizeof all, &all);
	if(CPU_COUNT(&all) <= nth)
		return;
	CPU_ZERO(&one);
	for(int i = 0; i < CPU_SETSIZE; i++)
		if(CPU_ISSET(i, &all) && nth-- == 0)
			CPU_SET(i, &one);
	sched_setaffinity(0, sizeof one, &one);
}

#endif
