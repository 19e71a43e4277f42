/* SPDX-License-Identifier: MIT */
/* The sleeping queue: who is to be woken when, the earliest first. */
#include "machine.h"
#include <assert.h>
#include <errno.h>

/*
 * A heap in which each entry has four children, so that it is half as deep as
 * one with two, and four children share a cache line:
 *
 *	                  1
 *	      2       3       4       5
 *	    6 7 8 9 10 ...
 *
 * The children of i are 4i-2 to 4i+1, its parent is (i+2)/4.  Equal deadlines
 * are kept apart by a number that counts up: first in, first out.  A sleeper
 * knows its index, and so can be taken out from the middle.
 */

static int
before(Sleepentry a, Sleepentry b)
{
	if(a.deadline_ns != b.deadline_ns)
		return a.deadline_ns < b.deadline_ns;
	return a.s->seq < b.s->seq;
}

static void
putsleeper(Sleepqueue *q, size_t i, Sleepentry e)
{
	q->heap[i] = e;
	e.s->index = i;
}

/* moves the hole at i up to where e belongs. */
static void
up(Sleepqueue *q, size_t i, Sleepentry e)
{
	while(i > 1 && before(e, q->heap[(i + 2) / 4])){
		putsleeper(q, i, q->heap[(i + 2) / 4]);
		i = (i + 2) / 4;
	}
	putsleeper(q, i, e);
}

/* moves the hole at i down to where e belongs. */
static void
down(Sleepqueue *q, size_t i, Sleepentry e)
{
	for(;;){
		size_t first = 4 * i - 2, least = first;
		size_t end = first + 4 > q->n + 1 ? q->n + 1 : first + 4;

		if(first > q->n)
			break;
		for(size_t k = first + 1; k < end; k++)
			if(before(q->heap[k], q->heap[least]))
				least = k;
		if(!before(q->heap[least], e))
			break;
		putsleeper(q, i, q->heap[least]);
		i = least;
	}
	putsleeper(q, i, e);
}

static int
setcap(Sleepqueue *q, size_t cap)
{
	Sleepentry *heap = task_sys.resize(q->heap, (cap + 1) * sizeof *heap);
	if(heap == NULL)
		return -1;
	q->heap = heap;
	q->cap = cap;
	return 0;
}

/* The capacity at least doubles: n calls cost O(n). */
int
task_sleepreserve(Sleepqueue *q, size_t n)
{
	if(n <= q->cap)
		return 0;
	return setcap(q, n > 2 * q->cap ? n + 14 : 2 * q->cap);
}

void
task_sleepshrink(Sleepqueue *q, size_t n)
{
	int err = errno;

	if(n < q->cap / 2)
		setcap(q, n);
	errno = err;
}

void
task_sleepinsert(Sleepqueue *q, Sleeper *s, int64_t deadline_ns)
{
	assert(s->index == 0 && q->n < q->cap);
	s->deadline_ns = deadline_ns;
	s->seq = q->seq++;
	up(q, ++q->n, (Sleepentry){deadline_ns, s});
}

void
task_sleepremove(Sleepqueue *q, Sleeper *s)
{
	size_t i = s->index;
	Sleepentry last = q->heap[q->n--];

	assert(i > 0 && i <= q->n + 1 && q->heap[i].s == s);
	s->index = 0;
	if(last.s == s)
		return;
	if(i > 1 && before(last, q->heap[(i + 2) / 4]))
		up(q, i, last);
	else
		down(q, i, last);
}

Sleeper *
task_sleepfirst(Sleepqueue *q)
{
	return q->n ? q->heap[1].s : NULL;
}
