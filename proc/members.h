/* SPDX-License-Identifier: MIT */
/* The list of all schedulers, for those who make them and wait for them. */
#ifndef TASK_MEMBERS_H
#define TASK_MEMBERS_H

#include "proc.h"

#pragma GCC visibility push(hidden)

/* One task in procwait. */
struct Waiter
{
	Errand errand;
	Waiter *next;
	int status;
	int told;	/* the note has been sent */
};

/* returns a new one, of those that root has made, counted; NULL with ENOMEM. */
Member *task_membernew(Member *root);

/* The list of all, for debuggers: the youngest first, linked by next. */
extern Member *const *const task_members;

/* What follows is called under this lock. */
void task_memberslock(void);
void task_membersunlock(void);
int task_memberstrylock(void);	/* returns whether it could */

Member *task_memberfind(int number);	/* NULL: there is none */

/* the number of the one whose ids are shown without it; 0: it has ended. */
int task_memberfirst(void);

/* the next that lives and can be reached, after m, or the first; NULL. */
Member *task_memberafter(Member *m);

/* m has ended: tells who waits for it. */
void task_memberover(Member *m, int status);

/* nobody finds m any more; it is freed when its thread has gone too. */
void task_memberforget(Member *m);

/* m has ended, if it has not, without having begun; takes the lock itself. */
void task_memberfailed(Member *m);

/* a task of m is in taskshutdown; -1 with EBUSY: another is. */
int task_membershuts(Member *m);

/* the thread of m, which was made, has gone. */
void task_memberunmade(Member *m);

void task_memberrelease(Member *m);	/* one user less: the last frees it */

/*
 * thread.c.  task_memberstart has a thread begin with fn(arg), m's, and takes
 * the lock itself; returns 0, or why there is none.
 */
int task_memberstart(Member *m, void *(*fn)(void *), void *arg);

/* takes those that root has made and that are over, to be joined. */
Member *task_memberended(Member *root);

/* joins them, without the lock. */
void task_memberjoin(Member *list);

#pragma GCC visibility pop
#endif
