/* SPDX-License-Identifier: MIT */
/* Entries: what waits for channels, descriptors, events and tasks' ends. */
#ifndef TASK_ENTRY_H
#define TASK_ENTRY_H

#include "../taskimpl.h"

/*
 * A task can be in one queue.  An entry is an Alt: of the array of a task in
 * chanalt, which has one in each queue that it waits in; or the one in the Task
 * of who waits for one thing only.  Whoever serves an entry takes all those of
 * its task off their queues first, so one that is found in a queue is of a task
 * that still waits.  To wait needs no memory: entries are where they are.
 */

static inline void
enqueue(Altlist *q, Alt *a, Task *t)
{
	a->task = t;
	a->queue = q;
	listadd(q, a, prev, next);
}

static inline void
dequeue(Alt *a)
{
	Altlist *q = a->queue;

	listremove(q, a, prev, next);
}

/* takes t, which waits by the one entry in it, off that when it is given up. */
static inline void
leaveone(Task *t)
{
	dequeue(&t->alt);
}

/* What the call of t returns, if it is chanalt or returns a word. */
static inline intptr_t
altvalue(const Task *t, const Alt *a, int err)
{
	if(t->wait.why == WaitAlt)
		return err ? -1 : a - (const Alt *)t->wait.object.v;
	return err ? 0 : *(const intptr_t *)a->v;
}

/*
 * has the task of a go on.  Its call returns result, or, if it is chanalt, the
 * index of a, or the word that it received; or it fails with err if that is not
 * 0, and result is -1.
 */
static inline void
finishalt(Alt *a, int result, int err)
{
	Task *t = a->task;
	intptr_t value = result;

	if(t->wait.why <= WaitWord){
		t->wait.unlink(t);
		value = altvalue(t, a, err);
	}else
		dequeue(a);
	task_ready(t, t->wait.number, err);
	t->result = (uintptr_t)value;
}

/* has t go on, whose entry, the first of q, is for all that it waits for. */
static inline void
tellalone(Altlist *q, Task *t, int err)
{
	Alt *a = q->head;

	listshift(q, a, prev, next);
	task_ready(t, t->wait.number, err);
}

/*
 * The same for a, an entry of chanalt, whose t may have been served by another
 * thread: then a just leaves its queue.  Not inline, or most would pay for it.
 */
__attribute__((noinline, unused)) static void
tellalt(Alt *a, Task *t, int err)
{
	if(!task_unwait(t))
		return;
	a->err = err;
	task_ready(t, t->wait.number, 0);
	t->result = (uintptr_t)(a - (const Alt *)t->wait.object.v);
}

/*
 * has the task of the first entry of q go on.  Its call returns 0, or fails
 * with err if that is not 0; chanalt returns the index, and err in the entry.
 */
static inline void
tellfirst(Altlist *q, int err)
{
	Task *t = q->head->task;

	if(t->wait.why == WaitAlt)
		tellalt(q->head, t, err);
	else
		tellalone(q, t, err);
}

#endif
