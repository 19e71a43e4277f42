/* SPDX-License-Identifier: MIT */
/* Timers: functions called later, once or again and again. */
#include "life.h"
#include "newnames.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/*
 * A timer has a task while it is pending or its function runs, so the function
 * may block and disturbs nobody but itself.  The periods are counted from the
 * start and not from the end of a call: they do not drift.
 *
 * The blocks of timers are used for nothing else.  So a timer that was stopped
 * is known as such, until its block is another timer.
 */
struct Timer
{
	void (*fn)(void *);	/* not valid in a free block */
	void *arg;
	Task *task;	/* NULL: not pending, nor is fn running */
	Defer end;	/* of task, for fn may end it */
	unsigned int proc;	/* the number of the scheduler it is in */
	int64_t next_ns;	/* when fn is to be called, if pending */
	int64_t after_ns;
	int64_t every_ns;	/* 0: once */
	int64_t nmissed;	/* calls left out, being overdue */
	unsigned char live;	/* from timerstart to timerstop */
	unsigned char pending;
	unsigned char waiting;	/* task is parked until next_ns */
	char name[32];	/* for the list of tasks; "": timer */
};

_Static_assert(sizeof(Timer) <= BlockBytes, "a Timer is a block");

/* waits until fn is to be called; returns 0 if it is not to be any more. */
static int
awaitnext(Timer *t)
{
	while(t->pending){
		int64_t next_ns = t->next_ns;
		t->waiting = 1;
		int r = task_park(WaitDelay, (Object){NULL}, NULL, NULL,
			next_ns);
		t->waiting = 0;
		if(t->task->wait.cut == CutOnce)
			continue;	/* that is for calls of fn */
		if(t->task->wait.cut)
			t->pending = 0;
		else if(r < 0 && t->pending && t->next_ns == next_ns)
			return 1;	/* the deadline passed, unmoved */
	}
	return 0;
}

/* sets the next call after now.  Calls that are overdue count as one. */
static void
advance(Timer *t, int64_t now)
{
	if(t->every_ns == 0){
		t->pending = 0;
		return;
	}
	int64_t n = (now - t->next_ns) / t->every_ns;
	t->nmissed += n;
	t->next_ns += (n + 1) * t->every_ns;
}

/* Also while fn runs, if it has not set another. */
static void
showname(Timer *t)
{
	Task *task = t->task;

	task->name[TextBytes - 1] = '\0';
	strcpy(task->name, *t->name ? t->name : "timer");
	task->named = 1;
}

static void
runtimer(void *v)
{
	Timer *t = v;
	Proc *p = task_proc;
	Task *task = p->running;

	while(awaitnext(t)){
		advance(t, p->now());
		t->fn(t->arg);
		task_unscopeall(task);
	}
	t->task = NULL;
	task_undefer(task, &t->end);
	if(!t->live)
		task_blockput(&p->life->timers, t);
	task_quit();
}

static int begintimer(Proc *p, Timer *t);

/* runs when fn has ended the task: a new one makes the calls to come. */
static void
timerended(Defer *d)
{
	Timer *t = structof(Timer, end, d);
	Proc *p = task_proc;

	if(task_outcome(t->task) == ECANCELED)
		t->pending = 0;
	t->task = NULL;
	if(!t->live)
		task_blockput(&p->life->timers, t);
	else if(t->pending && begintimer(p, t) < 0)
		t->pending = 0;
}

/* makes the task of a timer; -1 and errno. */
static int
begintimer(Proc *p, Timer *t)
{
	t->task = task_create(p, runtimer, t, 0);
	if(t->task == NULL)
		return -1;
	t->task->entry = (const void *)(uintptr_t)t->fn;
	showname(t);
	task_defer(t->task, &t->end, AtEnd, timerended);
	return 0;
}

Timer *
timerstart(unsigned int after, unsigned int every, void (*fn)(void *),
	void *arg)
{
	Proc *p = task_here();

	if(p == NULL || fn == NULL){
		errno = p ? EINVAL : EPERM;
		return NULL;
	}
	Timer *t = task_blockget(&p->life->timers);
	if(t == NULL)
		return NULL;
	*t = (Timer){.fn = fn, .arg = arg, .proc = p->next.proc,
		.after_ns = after * (int64_t)Millisecond,
		.every_ns = every * (int64_t)Millisecond, .pending = 1};
	t->next_ns = p->now() + t->after_ns;
	if(begintimer(p, t) < 0){
		task_blockput(&p->life->timers, t);
		return NULL;
	}
	t->live = 1;
	return t;
}

/* returns this thread's proc for a call on t; NULL with errno. */
static Proc *
callertimer(const Timer *t)
{
	Proc *p = task_caller(t);

	if(p == NULL || (t->live && t->proc == p->next.proc))
		return p;
	errno = t->live ? EPERM : EINVAL;
	return NULL;
}

/* has the task of t look at t again; in fn it will do so in any case. */
static void
waketimer(Timer *t)
{
	if(t->waiting)
		task_ready(t->task, t->task->wait.number, 0);
}

int
timeragain(Timer *t)
{
	Proc *p = callertimer(t);

	if(p == NULL || (t->task == NULL && begintimer(p, t) < 0))
		return -1;
	t->next_ns = p->now() + (t->every_ns ? t->every_ns : t->after_ns);
	t->pending = 1;
	waketimer(t);
	return 0;
}

int
timerstop(Timer *t)
{
	Proc *p = callertimer(t);

	if(p == NULL)
		return -1;
	int was = t->pending;
	t->pending = t->live = 0;
	waketimer(t);
	if(t->task == NULL)
		task_blockput(&p->life->timers, t);
	return was;
}

int
timername(Timer *t, const char *fmt, ...)
{
	int err = errno;
	va_list args;

	if(callertimer(t) == NULL)
		return -1;
	va_start(args, fmt);
	t->name[0] = '\0';
	if(fmt)
		vsnprintf(t->name, sizeof t->name, fmt, args);
	va_end(args);
	if(t->task)
		showname(t);
	errno = err;
	return 0;
}

int64_t
timerremaining(const Timer *t)
{
	Proc *p = callertimer(t);

	if(p == NULL)
		return -1;
	if(!t->pending)
		return task_fail(ENOENT);
	int64_t ns = t->next_ns - p->now();
	return ns > 0 ? (ns + Millisecond - 1) / Millisecond : 0;
}

int64_t
timermissed(const Timer *t)
{
	return callertimer(t) ? t->nmissed : -1;
}

/* Single calls, and the clock */

/* One call of taskafter. */
typedef struct After
{
	Defer end;	/* first, so that it has the address of the block */
	int64_t deadline_ns;
	void (*fn)(void *);
	void *arg;
} After;

static int
sleepuntil(Proc *p, int64_t deadline_ns)
{
	int err = errno;

	task_park(WaitDelay, (Object){NULL}, NULL, NULL,
		deadline_ns > 0 ? deadline_ns : 0);
	if(p->running->wait.cut)
		return -1;
	errno = err;
	return 0;
}

static void
callafter(void *v)
{
	After *a = v;

	while(sleepuntil(task_proc, a->deadline_ns) < 0)
		if(errno != EINTR)
			task_quit();
	a->fn(a->arg);
}

static void
afterended(Defer *d)
{
	task_blockput(&task_proc->life->blocks, d);
}

/* The timer is the program's still: it is as one that timerstop has stopped. */
int
task_timerdrop(Proc *p, Defer *d)
{
	Timer *t = structof(Timer, end, d);

	if(d->fn == afterended)
		task_blockput(&p->life->blocks, d);
	if(d->fn != timerended)
		return d->fn == afterended;
	t->task = NULL;
	t->pending = t->waiting = 0;
	if(!t->live)
		task_blockput(&p->life->timers, t);
	return 1;
}

int
taskafter(unsigned int ms, void (*fn)(void *), void *arg)
{
	Proc *p = task_here();

	if(p == NULL)
		return -1;
	if(fn == NULL)
		return task_fail(EINVAL);
	After *a = task_blockget(&p->life->blocks);
	if(a == NULL)
		return -1;
	Task *t = task_create(p, callafter, a, 0);
	if(t == NULL){
		task_blockput(&p->life->blocks, a);
		return -1;
	}
	a->deadline_ns = p->now() + ms * (int64_t)Millisecond;
	a->fn = fn;
	a->arg = arg;
	t->entry = (const void *)(uintptr_t)fn;
	task_defer(t, &a->end, AtEnd, afterended);
	return task_madeat(t, __builtin_return_address(0));
}

int64_t
tasknow(void)
{
	return task_proc ? task_proc->now() : task_sys.now();
}

int
taskdelayuntil(int64_t ns)
{
	Proc *p = task_here();

	return p ? sleepuntil(p, ns) : -1;
}
