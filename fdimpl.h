/* SPDX-License-Identifier: MIT */
/* The table of descriptors that are waited for: fd.c's, and the fdtask's. */
#ifndef TASK_FDIMPL_H
#define TASK_FDIMPL_H

#include "poll/poller.h"
#include "taskimpl.h"

#pragma GCC visibility push(hidden)

enum { Read, Write, Except, Pause, Queues };

typedef struct Fd
{
	Tasklist waiting[Queues];
	uint32_t generation;
	unsigned char armed;	/* events the poller watches for */

	/* of this generation */
	unsigned char notsocket;	/* send(2) said so */
	unsigned char tcp;	/* a TCP socket: 1; not: 2; unknown: 0 */
	unsigned char drained;	/* the last read took all there was */
	unsigned char hup;	/* an edge has come that will not again */
} Fd;

/* Blocks do not move when the table grows: parked tasks point into them. */
enum { BlockFds = 64 };

struct Fdtable
{
	const Poller *poller;
	void *state;	/* the poller's */
	Fd **blocks;
	int nblock;
	int nwaiting;	/* tasks that wait */
	int moveat;	/* with more of them it is time for another poller */
};

/* The poller's news of one descriptor: Fired, with the table. */
void task_fdfired(void *table, uint64_t cookie, int events);

/* arms in the state of another poller what is armed now; -1 and errno. */
int task_fdarmall(Fdtable *table, const Poller *to, void *state);

#pragma GCC visibility pop
#endif
