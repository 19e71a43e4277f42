/* SPDX-License-Identifier: MIT */
/* The fdtask, which waits for all descriptors and deadlines. */
#include "fdimpl.h"
#include "task/life.h"
#include "task/newnames.h"
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>

/*
 * poll(2) reads its whole set each time: a request and its answer between two
 * tasks took 5.4 us of CPU beside no other waiter, 6.0 beside 8, 11.9 beside
 * 64; with epoll 4.9 beside any number.  But epoll is one more descriptor, and
 * one more call for each connection: a handful does without.
 */
enum { MoveAt = 8 };

#define Forever ((int64_t)PollForever * Second)	/* 32 years */

static Fdtable *
opentable(const Proc *p)
{
	const Poller *const *at = p->poller ? p->poller : task_pollers;
	Fdtable *table = task_sys.alloc(sizeof *table);

	if(table == NULL)
		return NULL;
	table->moveat = p->poller ? INT_MAX : MoveAt;
	while((table->state = (*at)->open()) == NULL && p->orsimpler &&
			at > task_pollers)
		at--;
	table->poller = *at;
	if(table->state == NULL){
		task_sys.free(table);
		return NULL;
	}
	return table;
}

/*
 * moves to the poller for many descriptors, once.  Where that cannot be, the
 * old one goes on, and it is tried again when twice as many wait.
 */
static void
movetable(Fdtable *table)
{
	const Poller *to = task_largepoller;
	void *state = to ? to->open() : NULL;

	if(state && task_fdarmall(table, to, state) == 0){
		table->poller->close(table->state);
		table->poller = to;
		table->state = state;
		table->moveat = INT_MAX;
		return;
	}
	if(state)
		to->close(state);
	table->moveat *= 2;
}

static void
closetable(Fdtable *table)
{
	table->poller->close(table->state);
	for(int i = 0; i < table->nblock; i++)
		task_sys.free(table->blocks[i]);
	task_sys.free(table->blocks);
	task_sys.free(table);
}

/* When the fdtask has to look at the clock again, at the latest. */
static int64_t
nextdeadline(Proc *p, int64_t now)
{
	int64_t trim = task_stacktrim(&p->pool, now);
	Sleeper *first = task_sleepfirst(&p->sleeping);
	int64_t next = first ? first->deadline_ns : now + Forever;

	if(p->ready.head || p->signalled)
		next = now;
	return trim >= 0 && trim < next ? trim : next;
}

/*
 * waits until something happens, or the deadline.  The timeout lies in the
 * Proc: a signal handler that sets p->signalled after we have looked at it, but
 * before the kernel waits, zeroes the timeout too.
 */
static void
waitfor(Proc *p, int64_t now, int64_t deadline)
{
	Fdtable *table = p->fds;
	int64_t ns = deadline > now ? deadline - now : 0;

	if(ns == 0 && table->nwaiting == 0)
		return;
	if(table->nwaiting > table->moveat)
		movetable(table);
	p->timeout.tv_sec = ns < Forever ? (time_t)(ns / Second) :
		table->poller->forever;
	p->timeout.tv_nsec = (long)(ns % Second);
	atomic_signal_fence(memory_order_seq_cst);
	if(p->signalled)
		p->timeout = (struct timespec){0, 0};
	table->poller->wait(table->state, &p->timeout, task_fdfired, table);
}

/*
 * The fdtask runs on the stack that taskrun was called on, so it costs nothing.
 * One turn: wait for descriptors, no longer than until the first deadline; wake
 * the tasks whose descriptor is ready, then those whose time has come; let them
 * run.
 */
void
fdtask(void *v)
{
	Proc *p = v;

	if(p == NULL || p != task_proc || p->running != &p->fdtask)
		return;
	p->fds = opentable(p);
	if(p->fds == NULL){
		p->failed = errno;
		return;
	}
	taskname("fdtask");
	while(task_rest(p)){
		int64_t now = p->now();
		int64_t deadline = nextdeadline(p, now);

		if(p->ready.head == NULL && p->sleeping.n == 0 &&
				p->fds->nwaiting == 0)
			p->stalled(p);
		else
			waitfor(p, now, deadline);
		if(p->signalled){
			p->signalled = 0;
			p->list(p);
		}
		p->turn_ns = p->now();
		task_wakesleepers(p, p->turn_ns);
	}
	closetable(p->fds);
}

const char *
taskpoller(void)
{
	Proc *p = task_here();

	return p ? p->fds->poller->name : NULL;
}
