/* SPDX-License-Identifier: MIT */
/* The poller on io_uring: what it keeps, and what it asks the kernel for. */
#ifndef TASK_URING_H
#define TASK_URING_H

#include "poller.h"
#include <liburing.h>

/*
 * Op.state.  Noted: the call is to be handed to the kernel; Underway: it has
 * been; Unwanted: its cancel is to be handed over; Leaving: it has been.
 */
enum { Noted, Underway, Unwanted, Leaving };

enum
{
	Cancel = 2,	/* added to an Op's name: names its cancel */
	First = 4	/* added to a Sending's address: names its send */
};

/* What a descriptor is armed for, and what the kernel was asked about it. */
typedef struct Watch
{
	uint64_t cookie;
	uint32_t number;	/* of the last request */
	unsigned char events;	/* armed */
	unsigned char asked;	/* the events of the request under way, or 0 */
	unsigned char stale;	/* the request under way is to be cancelled */
	unsigned char changes;	/* the next request is to report changes only */
	unsigned char calm;	/* its first report is no news, if an error */
	unsigned char changed;	/* its descriptor is in Uring.changed */
} Watch;

typedef struct Uring
{
	struct io_uring ring;
	Watch *watches;	/* by descriptor */
	int *changed;	/* whose request is to be made or cancelled */
	int nwatch;	/* room in both */
	int nchanged;
	Oplist noted;	/* Ops to be handed over or cancelled */
	Oplist underway;	/* Ops that the kernel has */
	Sending *sending;	/* written to the ring, and not reported yet */
	int refused;	/* the kernel failed a poll request: do not spin */
	int lost;	/* the ring must not be used */
	int mapped;	/* ring is valid, lost or not */
	int mark;	/* that of the ring's descriptor */
	int event;	/* an eventfd, told of reports; valid if eventmark */
	int eventmark;	/* its mark, or 0: there is none */
} Uring;

#pragma GCC visibility push(hidden)

/* ask.c: the functions of the poller that note what is to be asked for */

int task_uringarm(void *state, int fd, int were, int events, uint64_t cookie);
void task_uringdisarm(void *state, int fd);
void task_uringsubmit(void *state, Op *op);
int task_uringcancel(void *state, Op *op);
int task_uringholds(void *state, int fd);

/* notes that the kernel is to be asked anew about w's descriptor. */
void task_uringnote(Uring *u, Watch *w);

/* writes the notes to the ring, as far as there is room. */
void task_uringwrite(Uring *u);

#pragma GCC visibility pop
#endif
