/* SPDX-License-Identifier: MIT */
/* The core from inside, without descriptors, on a clock that the tests move. */
#ifndef VIRTUAL_H
#define VIRTUAL_H

#define TEST_RUN startwell

#include "../coro/coro.h"
#include "../task/life.h"
#include "fault.h"
#include "test.h"

/*
 * A scheduler of the tests': its clock stands still until nothing is ready, and
 * then is at the next deadline.  Nothing here depends on how fast the machine
 * is.
 */
static Proc p;
static int64_t now_ns;
static int nlooks, nturns, nstalled;

static inline int64_t
virtualnow(void)
{
	nlooks++;
	return now_ns;
}

static inline void
idle(void *v)
{
	ck_assert_ptr_eq(v, &p);
	while(task_rest(&p)){
		Sleeper *first = task_sleepfirst(&p.sleeping);

		nturns++;
		if(p.ready.head == NULL && first == NULL){
			nstalled++;
			p.failed = EDEADLK;
			continue;
		}
		if(p.ready.head == NULL && first->deadline_ns > now_ns)
			now_ns = first->deadline_ns;
		p.turn_ns = now_ns;
		task_wakesleepers(&p, now_ns);
	}
}

static inline void
listnothing(Proc *q)
{
	(void)q;
}

static inline int
start(void (*fn)(void *), void *arg)
{
	p = (Proc){.now = virtualnow, .idle = idle, .list = listnothing};
	now_ns = Second;
	nlooks = nturns = nstalled = 0;
	ck_assert_int_eq(task_lifebegin(&p), 0);
	task_cobegin(&p);
	int status = task_start(&p, fn, arg, 64 * 1024);
	task_coend(&p);
	task_lifeend(&p);
	task_stop(&p);
	return status;
}

static inline void
startwell(void (*fn)(void *))
{
	ck_assert_int_eq(start(fn, NULL), 0);
}

/*
 * runs fn again and again, each time with memory that runs out one call later,
 * until it is not asked for so often.  Errors are allowed, losses are not.
 */
static inline void
startshort(void (*fn)(void *))
{
	faultstart();
	for(long n = 3; ; n++){
		faultarm(n, n % 2 ? 1 : 20, 0);
		int status = start(fn, NULL);
		ck_assert(status == 0 || p.failed);
		ck_assert_int_eq(fault.nlive, 0);
		ck_assert_int_eq(fault.mapped_bytes, 0);
		if(fault.nfailed == 0)
			break;
	}
}

static int64_t begin_ns;

/* Milliseconds since begin. */
static inline int64_t
elapsed(void)
{
	return (now_ns - begin_ns) / Millisecond;
}

static inline void
begin(void)
{
	begin_ns = now_ns;
}

/* taskdelay, as a call that fails: how gevent's sleep behaves. */
static inline int
sleepfor(unsigned int ms)
{
	errno = 0;
	taskdelay(ms);
	return errno ? -1 : 0;
}

/* waits for ever at a rendezvous. */
static inline int
waitforever(void)
{
	Rendez r = {0};
	int result = tasksleep(&r);

	ck_assert_ptr_null(r.waiting.head);
	return result;
}

static inline void
compute(unsigned int ms)
{
	now_ns += ms * (int64_t)Millisecond;
}

#endif
