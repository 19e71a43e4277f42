/* SPDX-License-Identifier: MIT */
/* A thread's door: how other threads tell it something. */
#ifndef TASK_DOOR_H
#define TASK_DOOR_H

#include "spin.h"
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A note is what one thread tells another: fn is called there with the note and
 * what the owner of the door has given.  It lies in what it is about, so that
 * to tell needs no memory and cannot fail.  It may be told anew once fn runs.
 */
typedef struct Note Note;
struct Note
{
	Note *next;
	void (*fn)(Note *n, void *owner);
};

/*
 * inbox is a list, the newest note first; or it says that there is none and the
 * owner sleeps, or that the owner has gone.  One word is all of these: whoever
 * puts a note in learns by the same exchange that the owner is to be woken, and
 * an owner that finds a note does not fall asleep.
 */
typedef struct Door Door;
struct Door
{
	_Atomic(Note *) inbox;
	int fd;	/* of an eventfd: written to wake the owner */
	int mark;	/* that of the open file */
	int rung;	/* fd is to be read; from here on the owner's */
	Spin spin;
	int64_t since_ns;	/* when it last had none, if it had to wait */
	Door *next;	/* among those that have none */
};

#pragma GCC visibility push(hidden)

/*
 * returns a door, that no thread but the caller knows; NULL with ENOMEM, EMFILE
 * or ENFILE.  task_doorleave gives it up: what notes there are are called with
 * no owner, and those told later are refused.
 * Neither its memory nor its descriptor is ever given back, for a thread that
 * has just told something may be about to write there.  They are used again.
 */
Door *task_dooropen(void);
void task_doorleave(Door *d);

/* The child of a fork(2) gets a descriptor of its own, and an empty door. */
void task_doorforked(Door *d);	/* NULL: those without an owner */

/* makes another descriptor if the number is not that of the door's any more. */
int task_doorrenew(Door *d);	/* -1 with EMFILE or ENFILE */

/* puts n into d, from any thread; -1 if the owner has gone. */
int task_doortell(Door *d, Note *n);

/*
 * is called before the owner waits for something for ns.  Returns whether it is
 * to: d is empty, and whoever tells something now wakes the owner.  Else there
 * is something, perhaps after some 50 us that it was worth waiting for.  Where
 * that was in vain it does so less often, until it is not.
 */
int task_doorawait(Door *d, int64_t ns);

/* returns whether d is empty: then who tells something wakes the owner. */
int task_doorsleep(Door *d);

/* reads what has woken the owner, or pollers may tell of it again and again. */
void task_doorread(Door *d);

/*
 * calls what notes there are, in the order in which they were told, when the
 * owner does not sleep any more; returns how many.
 */
int task_dooranswer(Door *d, void *owner);

/* wakes the owner without a note; a signal handler may do that. */
void task_doorring(const Door *d);

int task_doorsleeps(Door *d);	/* whether the owner sleeps, untold */

/* Whether there are notes; the owner does not sleep. */
static inline int
task_doorfull(Door *d)
{
	return atomic_load_explicit(&d->inbox, memory_order_relaxed) != NULL;
}

#pragma GCC visibility pop

#endif
