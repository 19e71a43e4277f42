/* SPDX-License-Identifier: MIT */
/* Semaphores count what is free; events tell that something has happened. */
#include "sync.h"
#include "../task/newnames.h"
#include "../task/share.h"
#include <errno.h>
#include <limits.h>

/*
 * A unit that is released goes to the first task that waits, before that task
 * runs, and is not counted meanwhile.  So tasks wait only while nothing is
 * counted, and a task that comes later cannot be faster.
 */

/*
 * fails a call without an object, or in a thread without a scheduler.  Not
 * inline: to find errno is a call, for which the callers would save registers
 * at each entry.
 */
__attribute__((noinline)) static int
refusesem(const void *object)
{
	return task_fail(task_proc && object == NULL ? EINVAL : EPERM);
}

static inline int
usable(const void *object)
{
	return task_proc && object;
}

int
seminit(Sem *s, unsigned int n, unsigned int most)
{
	if(s == NULL || (most > 0 && n > most))
		return task_fail(EINVAL);
	*s = (Sem){.n = n, .most = most};
	return 0;
}

/* takes a unit of s, or waits in line for one. */
static inline int
takeunit(Sem *s)
{
	if(s->n > 0){
		s->n--;
		return 0;
	}
	if(task_foreign(task_proc, s->waiting.head))
		return refusesem(s);
	return task_park(WaitSem, (Object){s}, &s->waiting, NULL, -1);
}

/* shares before it takes: others need not wait for the unit meanwhile. */
__attribute__((noinline)) static int
shareandtake(Sem *s)
{
	task_share(0);
	return takeunit(s);
}

int
semacquire(Sem *s)
{
	if(!usable(s))
		return refusesem(s);
	if(sharetime(task_proc->running, TakeWeight))
		return shareandtake(s);
	return takeunit(s);
}

int
cansemacquire(Sem *s)
{
	if(!usable(s) || s->n == 0)
		return 0;
	s->n--;
	return 1;
}

/* makes a unit free that nobody waits for. */
static int
count(Sem *s)
{
	if(s->n == (s->most > 0 ? s->most : UINT_MAX))
		return task_fail(EOVERFLOW);
	s->n++;
	return 0;
}

int
semrelease(Sem *s)
{
	if(!usable(s))
		return refusesem(s);
	if(s->waiting.head == NULL)
		return count(s);
	if(task_foreign(task_proc, s->waiting.head))
		return refusesem(s);
	task_wakefirst(&s->waiting, 0);
	return 0;
}

/*
 * The tasks that wait now are woken, whether or not the event is cleared soon.
 */
int
eventset(Event *e)
{
	int n = 0;

	if(!usable(e) || foreignevent(e))
		return refusesem(e);
	e->set = 1;
	for(; e->waiting.head; n++)
		tellfirst(&e->waiting, 0);
	return n;
}

int
eventclear(Event *e)
{
	if(!usable(e) || foreignevent(e))
		return refusesem(e);
	e->set = 0;
	return 0;
}

int
eventwait(Event *e)
{
	if(!usable(e))
		return refusesem(e);
	Task *t = task_proc->running;
	if(e->set)
		return sharetime(t, TakeWeight) ? task_share(0) : 0;
	if(foreignevent(e))
		return refusesem(e);
	enqueue(&e->waiting, &t->alt, t);
	return task_park(WaitEvent, (Object){e}, NULL, leaveone, -1);
}
