/* SPDX-License-Identifier: MIT */
/* Timeouts: the scopes that a program opens and closes. */
#include "life.h"
#include "newnames.h"
#include <errno.h>

static inline void
startscope(Proc *p, Timeout *t, unsigned int ms)
{
	task_scope(p->running, t, p->now() + ms * (int64_t)Millisecond);
}

int
timeoutstart(Timeout *t, unsigned int ms)
{
	Proc *p = task_proc;

	if(p && t){
		startscope(p, t, ms);
		return 0;
	}
	if(t)
		t->fired = 0;
	return task_fail(t ? EPERM : EINVAL);
}

int
timeoutstartas(Timeout *t, unsigned int ms, int err)
{
	Proc *p = task_proc;

	if(p && t && err > 0){
		startscope(p, t, ms);
		t->err = err;
		return 0;
	}
	if(t)
		t->fired = 0;
	return task_fail(t && err > 0 ? EPERM : EINVAL);
}

static inline int
stopscope(Proc *p, Timeout *t)
{
	task_unscope(p->running, t);
	return t->fired;
}

int
timeoutstop(Timeout *t)
{
	Proc *p = task_proc;

	if(p && t)
		return stopscope(p, t);
	errno = t ? EPERM : EINVAL;
	return 0;
}

int
timeoutfired(const Timeout *t)
{
	return t && t->fired;
}

int
timeoutpending(const Timeout *t)
{
	const Timeout *s = task_proc ? task_proc->running->limits.scopes : NULL;

	while(s && s != t)
		s = s->outer;
	return s && !s->fired;
}

/* runs fn in a scope; returns whether the scope has cut short a wait of fn. */
static int
within(unsigned int ms, int (*fn)(void *), void *arg, int *result)
{
	Proc *p = task_here();
	Timeout t;

	*result = -1;
	if(p == NULL || fn == NULL){
		if(p)
			errno = EINVAL;
		return 0;
	}
	startscope(p, &t, ms);
	*result = fn(arg);
	return stopscope(p, &t);
}

int
withtimeout(unsigned int ms, int (*fn)(void *), void *arg)
{
	int result;

	return within(ms, fn, arg, &result) ? task_fail(ETIMEDOUT) : result;
}

int
withtimeoutdef(unsigned int ms, int (*fn)(void *), void *arg, int otherwise)
{
	int result, err = errno;

	if(!within(ms, fn, arg, &result))
		return result;
	errno = err;
	return otherwise;
}
