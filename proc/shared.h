/* SPDX-License-Identifier: MIT */
/* Channels for all threads: what waits on them, and who may serve it. */
#ifndef TASK_SHARED_H
#define TASK_SHARED_H

#include "../machine/door.h"
#include "../task/entry.h"

/* The bits of Channel.owned; above them mixed alts count their entries. */
enum
{
	ChanOwned = 1,	/* chanfree frees the Channel too */
	ChanShared = 2,	/* it is the first member of a Shared */
	ChanLent = 4
};

/* In generation, of an alt's entry for a channel while it waits by a Claim. */
enum
{
	EntryShared = 1,	/* of its channel */
	EntryLocks = 2	/* its alt has locked the channel for it */
};

/*
 * One wait of a task, or of a thread without scheduler, for which other threads
 * may do something.  It lies on the stack of who waits; in an entry of a shared
 * channel, task is the address of this.
 *
 * Several may find entries of one Claim at once, each in a channel it has
 * locked.  Who changes taken from 0 to 1 serves the wait, and nobody else
 * touches it; then it tells note, and touches it no more itself.  A deadline, a
 * cancel, and what is local to the thread that waits, must win taken too.
 */
typedef struct Claim Claim;
struct Claim
{
	atomic_int taken;
	Note note;
	Door *door;	/* where to tell it; NULL: a thread, see told */
	atomic_int told;	/* for a thread: what it waits for */
	unsigned int n;	/* elements that may be moved at once */

	/* who has won writes these; valid once the note has come */
	const Alt *won;	/* the entry; NULL: none */
	unsigned int moved;	/* elements */
	int end;	/* 0; or why none was moved: EndClosed, ... */

	/* for the one who waits only */
	Task *task;
	Alt *entries;
	void (*leave)(Claim *);	/* takes it off all that is local, or NULL */
	unsigned int generation;	/* of the process that it waits in */
	int mine;	/* taken by itself */
	int done;	/* served */
	const char *name;	/* of the channel, if entries is one */
	Claim *prev;	/* in its proc */
	Claim *next;
	Alt one[2];	/* entries, of who waits for one channel */
};

enum { EndClosed = 1, EndFreed, EndLost };

/* Notes to be told when no lock is held any more. */
typedef struct Notes
{
	Note *head;
	Note *tail;
} Notes;

static inline int
isshared(const Channel *c)
{
	return (c->owned & ChanShared) != 0;
}

#pragma GCC visibility push(hidden)

/*
 * chansend and the like, of up to n elements, on c that is shared.  Returns how
 * many it has moved.
 */
int task_shareop(Channel *c, void *v, unsigned int op, int n, int block);

/* returns a Channel that is zeroed, and shared except that it is not open. */
Channel *task_sharealloc(void);

/* chanclose, chanfree, chanlen, chancap of the same. */
int task_shareclose(Channel *c);
void task_sharefree(Channel *c);
int task_sharelen(const Channel *c);

/* returns 0; EPERM if c is of the process that this one is a fork(2) of. */
int task_sharewrong(const Channel *c);

/*
 * For chanalt.  task_sharelock locks the channels of all entries that are
 * EntryShared; meanwhile task_sharetry does one if it can go, and returns
 * whether so it was, and task_shareenter has all of them wait by w.  Then
 * task_shareunlock, and last of all task_sharetell.
 */
void task_sharelock(Alt *a);
void task_shareunlock(Alt *a);
int task_sharetry(Alt *a, Notes *told);
void task_shareenter(Claim *w);
void task_sharetell(Notes *told);

/*
 * task_sharebegin begins w, of the thread or its running task; the proc's door
 * is open.  task_shareforget ends it, if it has not entered any queue.
 */
void task_sharebegin(Claim *w, Alt *entries);
void task_shareforget(Claim *w);

/*
 * parks the running task until w is served, and returns what task_park does; w
 * tells by done whether it was.
 */
int task_sharepark(Claim *w, enum Why why, int64_t deadline_ns);

/* Task.wait.unlink of those. */
void task_shareunlink(Task *t);

/*
 * returns whether t, which is in a local queue, can be served: if it waits by a
 * Claim nobody else will do so from now on.  If not, it is in no local queue
 * any more.
 */
int task_sharewins(Task *t);

/*
 * returns the name of the channel of a, an entry of w, or NULL; it may be put
 * into text, cut to n bytes.  The channel is there as long as the task waits,
 * if that is an alt; else it may be gone once w was served, and its name was
 * noted before.
 */
const char *task_sharename(const Claim *w, const Alt *a, char *text,
	size_t n);

/* waits until those are told that were served when their proc ended. */
void task_shareend(Proc *p);

/* In the child of a fork(2): those that wait fail with EPERM. */
void task_sharelost(Proc *p);

#pragma GCC visibility pop
#endif
