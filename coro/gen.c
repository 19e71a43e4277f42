/* SPDX-License-Identifier: MIT */
/* Generators: functions that stop in the middle to hand out a value. */
#include "../task/life.h"
#include "coro.h"
#include "../task/newnames.h"
#include <errno.h>
#include <stdlib.h>

/*
 * Whoever asks a generator for a value switches to it, and the generator
 * switches back: it is a part of the caller that has a stack of its own.  What
 * the generator does, waiting and coroutines included, the caller does.  So any
 * task of the thread may ask.
 *
 * The answer to gennext is an int, that to genyield a pointer; each call ends
 * in a tail call of the switch and returns what the other side has computed.
 */

enum { Ended, Yielded };	/* what gennext returns */

/* switches to g, whose genyield returns in; the answer is to go to *v. */
static inline int
resumegen(Proc *p, Co *co, Gen *g, void *in, void **v)
{
	g->out = v;
	g->outer = co->gen;
	g->state = GenRunning;
	co->gen = g;
	if(g->scopes){
		task_rescope(p->running, g->scopes);
		g->scopes = NULL;
	}
	task_exchange(p, p->running, &g->caller, &g->place);
	return task_contextswitch(&g->caller.context, &g->place.context,
		(uintptr_t)in);
}

/* does the first half of an answer: all but the switch back to the caller. */
static inline void
answergen(Proc *p, Gen *g, Genstate state, void *v)
{
	if(p->running->limits.scopes)
		g->scopes = task_scopesof(p->running, g);
	if(g->out)
		*g->out = v;
	g->state = state;
	p->running->co->gen = g->outer;
	task_exchange(p, p->running, &g->place, &g->caller);
}

/* runs first in a generator: its function, whose result ends it. */
static void
begingen(void *v)
{
	Gen *g = v;
	void *result = g->fn(g->arg);
	Proc *p = task_proc;

	p->running->context.sp = NULL;
	answergen(p, g, GenEnded, result);
	task_contextswitch(&g->place.context, &g->caller.context, Ended);
	abort();	/* not reached: nobody switches back */
}

/*
 * asks g, in whatever state it is; err, if not 0, is for genyield to fail with.
 */
static int
slowask(Gen *g, void *in, int err, void **v)
{
	Co *co = task_cocurrent();

	if(co == NULL)
		return -1;
	if(g && g->proc != task_proc)
		return task_fail(EPERM);
	if(g == NULL || err < 0 || (in && g->state == GenNew))
		return task_fail(EINVAL);
	if(g->state == GenRunning)
		return task_fail(EBUSY);
	if(err && g->state == GenNew){
		g->state = GenEnded;
		task_contextfree(&g->place.context);
	}
	if(g->state == GenEnded){
		if(v)
			*v = NULL;
		return Ended;
	}
	if(err){
		g->place.err = err;
		return resumegen(task_proc, co, g, NULL, v);
	}
	return resumegen(task_proc, co, g, in ? in : g, v);
}

static inline int
asknext(Gen *g, void *in, void **v)
{
	Proc *p = task_proc;

	if(p == NULL || g == NULL || g->proc != p || g->state != GenYielded ||
			p->running->co == NULL)
		return slowask(g, in, 0, v);
	return resumegen(p, p->running->co, g, in ? in : g, v);
}

/* returns the generator that the caller runs in; NULL with EPERM. */
static inline Gen *
current(void)
{
	Proc *p = task_proc;

	if(p && p->running->co && p->running->co->gen)
		return p->running->co->gen;
	errno = EPERM;
	return NULL;
}

static inline void *
yieldvalue(void *v)
{
	Gen *g = current();

	if(g == NULL)
		return NULL;
	answergen(task_proc, g, GenYielded, v);
	return task_contextpass(&g->place.context, &g->caller.context, Yielded);
}

/*
 * ends g, by ECANCELED, and frees it.  A generator that yields all the same
 * never goes on from there.
 */
static int
closegen(Gen *g)
{
	if(slowask(g, NULL, ECANCELED, NULL) < 0)
		return -1;
	if(g->state != GenEnded)
		task_contextfree(&g->place.context);
	task_stackput(&task_proc->pool, g->stack);
	return 0;
}

static Gen *
newgen(void *(*fn)(void *), void *arg, unsigned int stack)
{
	Co *co = task_cocurrent();

	if(co == NULL)
		return NULL;
	if(fn == NULL){
		errno = EINVAL;
		return NULL;
	}
	Proc *p = task_proc;
	Stack *s = task_stackget(&p->pool, stack);
	if(s == NULL)
		return NULL;
	Gen *g = task_block(s);
	*g = (Gen){.place.stack = s, .proc = p, .stack = s, .fn = fn,
		.arg = arg};
	task_contextmake(&g->place.context, s->low, g, begingen, g, &p->fp);
	return g;
}

Gen *
gencreate(void *(*fn)(void *), void *arg, unsigned int stack)
{
	return newgen(fn, arg, stack);
}

/* How many numbers there are; they are counted, so that none overflows. */
static uintptr_t
nrange(const Range *r)
{
	uintptr_t from = (uintptr_t)r->first, end = (uintptr_t)r->end;

	if(r->step > 0)
		return r->first < r->end ?
			(end - from - 1) / (uintptr_t)r->step + 1 : 0;
	return r->first > r->end ?
		(from - end - 1) / (0 - (uintptr_t)r->step) + 1 : 0;
}

/* The numbers are in the Gen, which outlives who made it. */
static void *
yieldrange(void *v)
{
	const Range *r = v;
	uintptr_t at = (uintptr_t)r->first;

	for(uintptr_t n = nrange(r); n > 0; n--, at += (uintptr_t)r->step)
		if(yieldvalue((void *)at) == NULL)
			break;
	return NULL;
}

Gen *
genrange(intptr_t first, intptr_t end, intptr_t step)
{
	Gen *g = newgen(step ? yieldrange : NULL, NULL, 0);

	if(g){
		g->range = (Range){first, end, step};
		g->arg = &g->range;
	}
	return g;
}

int
gennext(Gen *g, void **v)
{
	return asknext(g, NULL, v);
}

int
gensend(Gen *g, void *in, void **v)
{
	return asknext(g, in, v);
}

int
genthrow(Gen *g, int err, void **v)
{
	return slowask(g, NULL, err > 0 ? err : -1, v);
}

void *
genyield(void *v)
{
	return yieldvalue(v);
}

int
genclose(Gen *g)
{
	return g ? closegen(g) : 0;
}

/*
 * ECANCELED here comes from genclose: then other is closed too, so that it is
 * not left behind if this generator does not end.
 */
int
gendelegate(Gen *other, void **result)
{
	Gen *g = current();
	void *v = NULL;

	if(g == NULL)
		return -1;
	int r = asknext(other, NULL, &v);
	while(r == Yielded){
		void *in = yieldvalue(v);
		if(in){
			r = asknext(other, in == g ? NULL : in, &v);
			continue;
		}
		int err = errno;
		if(err != ECANCELED)
			r = slowask(other, NULL, err, &v);
		if(err == ECANCELED || r == Ended){
			closegen(other);
			return task_fail(err);
		}
	}
	if(r < 0)
		return -1;
	if(result)
		*result = v;
	return closegen(other);
}
