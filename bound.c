/* SPDX-License-Identifier: MIT */
/* What ends a wait before its time: deadline scopes and cancellation. */
#include "taskimpl.h"
#include "task/newnames.h"
#include <errno.h>

/*
 * A task keeps its open scopes in a list, the innermost first; they lie in the
 * program's memory.  task_park comes here if the task is bounded, and waits no
 * longer than until the nearest of them:
 *
 *	a scope		its deadline
 *	a cancel	at once
 *	a shield	none itself, but what is outside of it, the scopes
 *			opened before and a cancel, is held off until its end
 *
 * To find out costs no look at the clock.  What is over since the last turn of
 * the fdtask is told by the sleeping queue, in its next turn; what was over
 * then already is not waited for.  So a task whose waits are all short, and end
 * before the fdtask has seen them, is stopped too.
 */

/* When what is outside of a shield begins to count: 0 if there is none. */
static int64_t
shieldend(const Task *t)
{
	return t->bounded & Shielded ? t->shield.deadline_ns : 0;
}

/*
 * finds the nearest bound of t, if it is not after least.  Of two that are
 * equal the outer one counts, for it ends more.
 */
static int64_t
nearest(Task *t, int64_t least)
{
	int64_t from = 0;

	t->nearest = NULL;
	for(Timeout *s = t->scopes; s; s = s->outer){
		int64_t d = s->deadline_ns > from ? s->deadline_ns : from;
		if(s == &t->shield)
			from = d;
		else if(d <= least){
			t->nearest = s;
			least = d;
		}
	}
	if((t->bounded & Cancelled) && from <= least){
		t->nearest = &t->shield;
		least = from;
	}
	return least;
}

/* t is not to be found any longer in what it waits for. */
static void
leavewait(Task *t)
{
	if(t->queue)
		task_listremove(t->queue, t);
	if(t->unlink)
		t->unlink(t);
}

void
task_giveup(Task *t, int err)
{
	leavewait(t);
	task_ready(t, t->park, err);
}

/* One that tries again and again must not keep others from running. */
static int64_t
refusewait(Task *t, int err)
{
	leavewait(t);
	t->park = 0;
	taskyield();
	errno = err;
	return Refused;
}

int64_t
task_bound(Proc *p, Task *t, int64_t deadline_ns)
{
	t->nearest = NULL;
	if(deadline_ns == Uninterrupted)
		return deadline_ns;
	int64_t d = nearest(t, deadline_ns < 0 ? INT64_MAX : deadline_ns);
	if(t->nearest == NULL)
		return deadline_ns;
	return d <= p->turn_ns ? refusewait(t, task_expire(t)) : d;
}

int
task_expire(Task *t)
{
	if(!t->bounded || t->nearest == NULL)
		return ETIMEDOUT;
	t->cut = 1;
	if(t->nearest != &t->shield){
		t->nearest->fired = 1;
		return ETIMEDOUT;
	}
	t->bounded |= Knows;
	return ECANCELED;
}

void
task_unexpire(Task *t, Timeout *by, int knew)
{
	if(by != &t->shield)
		by->fired = 0;
	else if(!knew)
		t->bounded &= ~Knows;
}

int
task_boundnow(Proc *p)
{
	Task *t = p->running;

	return t->bounded && nearest(t, INT64_MAX) <= p->turn_ns;
}

int64_t
task_bounddeadline(Proc *p)
{
	Task *t = p->running;
	unsigned char bounded = t->bounded;

	t->bounded &= ~Cancelled;
	int64_t d = nearest(t, INT64_MAX);
	t->bounded = bounded;
	return t->nearest ? d : -1;
}

/* Scopes */

void
task_unscope(Task *t, Timeout *s)
{
	Timeout **at = &t->scopes;

	while(*at && *at != s)
		at = &(*at)->outer;
	if(*at)
		*at = s->outer;
	if(t->scopes == NULL)
		t->bounded &= ~Scoped;
}

/* They lay in functions that have returned: they are not looked at. */
void
task_unscopeall(Task *t)
{
	t->scopes = NULL;
	t->bounded &= Cancelled | Knows;
}

Timeout *
task_scopesof(Task *t, const void *opener)
{
	Timeout *first = NULL, **end = &first;

	for(Timeout **at = &t->scopes, *s; (s = *at); )
		if(s->opener == opener){
			*at = s->outer;
			*end = s;
			end = &s->outer;
		}else
			at = &s->outer;
	*end = NULL;
	if(t->scopes == NULL)
		t->bounded &= ~Scoped;
	return first;
}

void
task_rescope(Task *t, Timeout *first)
{
	Timeout **at = &first;

	while(*at)
		at = &(*at)->outer;
	*at = t->scopes;
	t->scopes = first;
	t->bounded |= Scoped;
}

static const void *
opener(const Task *t)
{
	return t->co && t->co->gen ? (void *)t->co->gen : (void *)t->co;
}

/* One that is open already begins anew. */
void
task_scope(Task *t, Timeout *s, int64_t deadline_ns)
{
	task_unscope(t, s);
	s->outer = t->scopes;
	s->deadline_ns = deadline_ns;
	s->opener = opener(t);
	s->fired = 0;
	t->scopes = s;
	t->bounded |= Scoped;
}

static inline void
startscope(Proc *p, Timeout *t, unsigned int ms)
{
	task_scope(p->running, t, p->now() + ms * (int64_t)Millisecond);
}

void
timeoutstart(Timeout *t, unsigned int ms)
{
	Proc *p = task_proc;

	if(p && t)
		startscope(p, t, ms);
	else
		errno = t ? EPERM : EINVAL;
	if(p == NULL && t)
		t->fired = 0;
}

static inline int
closescope(Proc *p, Timeout *t)
{
	task_unscope(p->running, t);
	return t->fired;
}

int
timeoutstop(Timeout *t)
{
	Proc *p = task_proc;

	if(p && t)
		return closescope(p, t);
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
	const Timeout *s = task_proc ? task_proc->running->scopes : NULL;

	while(s && s != t)
		s = s->outer;
	return s && !s->fired;
}

/* runs fn in a scope; returns whether that has ended a call of it. */
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
	return closescope(p, &t);
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

/* Cancellation */

/* What a task does that was cancelled before it ran: that is no taskexit(0). */
static void
nothing(void *v)
{
	(void)v;
	taskexit(task_proc->status);
}

/* t waits, perhaps behind a shield. */
static void
interrupt(Proc *p, Task *t)
{
	int64_t from = shieldend(t);

	if(t->sleeper.index && t->sleeper.deadline_ns < from)
		return;
	t->nearest = &t->shield;
	if(from <= p->turn_ns){
		task_giveup(t, task_expire(t));
		return;
	}
	if(t->sleeper.index)
		task_sleepremove(&p->sleeping, &t->sleeper);
	task_sleepinsert(&p->sleeping, &t->sleeper, from);
}

void
task_cancel(Proc *p, Task *t)
{
	t->bounded |= Cancelled;
	if(t->stopped == NotYet && t != p->running){
		t->fn = nothing;
		t->bounded |= Knows;
	}else if(t->park && t->sleeper.deadline_ns != Uninterrupted)
		interrupt(p, t);
}

int
task_outcome(const Task *t)
{
	return t->failed ? t->failed : t->bounded & Knows ? ECANCELED : 0;
}

void
task_finish(Proc *p, Task *t)
{
	Defer *d;

	if(t == &p->fdtask)
		task_misuse("taskexit was called outside a task");
	while((d = t->defers)){
		task_unscopeall(t);
		t->defers = d->next;
		d->fn(d);
	}
}

int
taskcancelled(void)
{
	Proc *p = task_here();

	if(p == NULL || !(p->running->bounded & Cancelled))
		return 0;
	p->running->bounded |= Knows;
	return 1;
}

int
taskshield(unsigned int ms)
{
	Proc *p = task_here();

	if(p == NULL)
		return -1;
	Task *t = p->running;
	if(t->bounded & Shielded){
		t->nshield++;
		return 0;
	}
	startscope(p, &t->shield, ms);
	t->shield.opener = NULL;	/* the task's, whoever opened it */
	t->bounded |= Shielded;
	t->nshield = 1;
	return 0;
}

int
taskunshield(void)
{
	Proc *p = task_here();

	if(p == NULL)
		return -1;
	Task *t = p->running;
	if(!(t->bounded & Shielded))
		return task_fail(EINVAL);
	if(--t->nshield == 0){
		task_unscope(t, &t->shield);
		t->bounded &= ~Shielded;
	}
	return 0;
}
