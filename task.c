/* SPDX-License-Identifier: MIT */
/* Tasks and their scheduler: create, yield, park, ready, exit. */
#include "task/ready.h"
#include "taskimpl.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * A task is running, ready, or parked.  There is no scheduler between them: a
 * task that stops takes the next one from the ready queue and switches to it.
 *
 *	taskcreate --> ready --switch--> running --taskexit-->
 *	                 ^  <--taskyield--'   |
 *	                 |                    |
 *	             task_ready           task_park
 *	                 |                    |
 *	                 '------ parked <-----'
 *
 * When nothing is ready the fdtask runs.  It waits for descriptors and
 * deadlines, and so makes tasks ready again.  So that it is not kept from that
 * by tasks that are always ready, it has its turn every TurnNs in any case: see
 * task/ready.h.
 */
/*
 * exchanges what t and next have of their own, so that the switch can be the
 * last thing a function does.  It returns when somebody switches back to t,
 * with the value that the other side gets from here.
 */
static inline uintptr_t
beforeswitch(Proc *p, Task *t, Task *next)
{
	unsigned int n = p->nswitch++;

	PROBE(switch, 3, p->number, t->id, next->id);
	t->err = *p->err;
	*p->err = next->err;
	if(p->exceptions){
		t->exceptions = *p->exceptions;
		*p->exceptions = next->exceptions;
	}
	p->running = next;
	return next->stopped == InYield ? n - next->nswitch : next->result;
}

static inline int
switchto(Proc *p, Task *t, Task *next)
{
	return task_contextswitch(&t->context, &next->context,
		beforeswitch(p, t, next));
}

static int lookand(Proc *p, int (*stop)(Proc *));

static inline int
depart(Proc *p)
{
	return switchto(p, p->running, nextready(p));
}

/* switches from a task that is not ready to the next one or the fdtask. */
static inline int
runnext(Proc *p)
{
	if(--p->credit <= 0)
		return lookand(p, depart);
	return depart(p);
}

/* writes down what the running task waits for; returns it. */
static inline Task *
beginwait(Proc *p, enum Why why, Object object, Tasklist *queue,
	void (*unlink)(Task *), int64_t deadline_ns)
{
	Task *t = p->running;

	if(t == &p->fdtask || t->wait.number)
		task_misuse("a function called by the library itself "
			"must not block");
	t->wait.number = ++p->nparks;
	t->wait.why = why;
	t->wait.object = object;
	t->wait.unlink = unlink;
	t->wait.queue = queue;
	t->nfast = 0;
	t->stopped = InPark;
	t->wait.cut = NotCut;
	t->wait.since_ns = p->turn_ns;
	t->wait.sleeper.deadline_ns = deadline_ns;
	if(queue)
		listadd(queue, t, prev, next);
	PROBE(park, 3, p->number, t->id, why);
	return t;
}

/* arranges for the end of a wait that is limited; -1 if it has failed. */
static inline int
limitwait(Proc *p, int64_t deadline_ns)
{
	Task *t = p->running;

	if(t->limits.bounds && (deadline_ns = t->limits.bounds->until(t,
			deadline_ns)) == Refused)
		return -1;
	if(deadline_ns >= 0)
		task_sleepinsert(&p->sleeping, &t->wait.sleeper, deadline_ns);
	return 0;
}

/* Not inline, or task_park would save registers for it each time. */
__attribute__((noinline)) static int
parklimited(Proc *p, int64_t deadline_ns)
{
	return limitwait(p, deadline_ns) < 0 ? -1 : runnext(p);
}

int
task_park(enum Why why, Object object, Tasklist *queue,
	void (*unlink)(Task *), int64_t deadline_ns)
{
	Proc *p = task_proc;
	Task *t = beginwait(p, why, object, queue, unlink, deadline_ns);

	if(t->limits.bounds || deadline_ns >= 0)
		return parklimited(p, deadline_ns);
	return runnext(p);
}

/* The word lies here, for hooks around the stop may receive words too. */
__attribute__((noinline)) static void *
lookandword(Proc *p)
{
	void *word = NULL;

	p->running->alt.v = &word;
	lookand(p, depart);
	return word;
}

static inline void *
runnextword(Proc *p)
{
	Task *t = p->running;

	if(--p->credit <= 0)
		return lookandword(p);
	Task *next = nextready(p);
	return task_contextpass(&t->context, &next->context,
		beforeswitch(p, t, next));
}

__attribute__((noinline)) static void *
parklimitedword(Proc *p)
{
	return limitwait(p, -1) < 0 ? NULL : runnextword(p);
}

void *
task_parkword(void (*unlink)(Task *))
{
	Proc *p = task_proc;
	Task *t = p->running;

	beginwait(p, WaitWord, (Object){&t->alt}, NULL, unlink, -1);
	return t->limits.bounds ? parklimitedword(p) : runnextword(p);
}

/* Not inline, or task_ready would save registers for it each time. */
__attribute__((noinline)) static void
appendsleeper(Proc *p, Task *t)
{
	task_sleepremove(&p->sleeping, &t->wait.sleeper);
	appendready(p, t);
}

int
task_ready(Task *t, uint64_t number, int err)
{
	Proc *p = task_proc;

	if(number == 0 || t->wait.number != number)
		return 0;
	t->wait.number = 0;
	t->result = 0;
	if(err){
		t->result = t->wait.why == WaitWord ? 0 : (uintptr_t)-1;
		t->err = err;
	}
	if(t->wait.sleeper.index)
		appendsleeper(p, t);
	else
		appendready(p, t);
	return 1;
}

Task *
task_wakefirst(Tasklist *queue, int err)
{
	Task *t = queue->head;

	if(t){
		listshift(queue, t, prev, next);
		task_ready(t, t->wait.number, err);
	}
	return t;
}

int
task_unwait(Task *t)
{
	if(t->wait.queue)
		listremove(t->wait.queue, t, prev, next);
	if(t->wait.unlink)
		t->wait.unlink(t);
	return t->wait.cut != CutLate;
}

/* flatten: else a deadline that passes costs 30 instructions more. */
__attribute__((flatten)) void
task_giveup(Task *t, int err)
{
	if(task_unwait(t))
		task_ready(t, t->wait.number, err);
}

static inline int
yield(Proc *p)
{
	Task *t = p->running, *next = p->ready.head;

	if(next == NULL)
		return 0;
	p->ready.head = next->next;
	replaceready(p, t);
	t->stopped = InYield;
	t->nswitch = p->nswitch;
	return switchto(p, t, next);
}

int
taskyield(void)
{
	Proc *p = task_proc;

	if(p == NULL)
		return task_fail(EPERM);
	if(--p->credit <= 0)
		return lookand(p, yield);
	return yield(p);
}

/* look, where each stop is to come to lookand. */
static void
lookeach(Proc *p)
{
	if((p->nswitch & (p->period - 1u)) == 0)
		look(p);
	p->credit = 0;
}

/* The same where many are ready, and what task/ready.h has them do. */
static void
lookmany(Proc *p, int (*stop)(Proc *))
{
	fetchlater(p->ready.head);
	if(stop == yield)
		noteready(p, p->running);
	lookeach(p);
}

static int
seendepart(Proc *p)
{
	p->seen->stops(p, p->ready.head ? p->ready.head : &p->fdtask);
	return depart(p);
}

static int
seenyield(Proc *p)
{
	if(p->ready.head)
		p->seen->stops(p, p->ready.head);
	return yield(p);
}

/*
 * stops the running task, by yield or depart, when no credit is left: the slow
 * way, which looks at the clock and calls hooks.  Not inline, or the fast way
 * would need a stack frame before its tail call.
 */
__attribute__((noinline)) static int
lookand(Proc *p, int (*stop)(Proc *))
{
	if(p->seen){
		lookeach(p);
		stop = stop == yield ? seenyield : seendepart;
	}else if(p->few < 0)
		lookmany(p, stop);
	else
		look(p);
	return p->running->own ? p->running->own->around(p, stop) : stop(p);
}

/*
 * takes the tasks that are left when the program is over off what they wait in:
 * channels and locks may outlive it, and the next scheduler must not find them
 * there.
 */
static void
abandonwaits(Proc *p)
{
	for(Task *t = p->all.head; t; t = t->younger)
		if(t->wait.number)
			task_giveup(t, ECANCELED);
}

static inline int
over(Proc *p)
{
	return p->failed || (p->ntask == p->nsystem &&
		(p->leaves == NULL || p->leaves(p)));
}

int
task_rest(Proc *p)
{
	p->due = 0;
	if(p->ready.head && !over(p)){
		p->seen ? seendepart(p) : depart(p);
		p->due = 0;
	}
	if(!over(p))
		return 1;
	abandonwaits(p);
	return 0;
}

static void
begin(void *v)
{
	Task *t = v;

	t->fn(t->arg);
	taskexit(0);
}

static inline void
zero(Task *t, size_t from, size_t to)
{
	memset((char *)t + from, 0, to - from);
}

/* clears t.  Of short parts gcc makes stores, not rep stos: 3 ns less. */
static inline void
clear(Task *t)
{
	zero(t, offsetof(Task, own), offsetof(Task, wait));
	zero(t, offsetof(Task, wait.sleeper.index), offsetof(Task, key));
	zero(t, offsetof(Task, limits), offsetof(Task, limits.nearest));
}

/*
 * makes a task that is not in the ready queue yet.  Always inline, or who makes
 * one would save registers twice.
 */
__attribute__((always_inline)) static inline Task *
newtask(Proc *p, void (*fn)(void *), void *arg, size_t bytes)
{
	size_t n = (size_t)p->ntask + 1;

	if(n > p->sleeping.cap && task_sleepreserve(&p->sleeping, n) < 0)
		return NULL;
	Stack *s = task_stackget(&p->pool, bytes);
	if(s == NULL)
		return NULL;
	Task *t = task_block(s);
	clear(t);
	t->stack = s;
	t->fn = fn;
	t->entry = (const void *)(uintptr_t)fn;
	t->arg = arg;
	t->creator = p->running->id;
	if(p->nextid == p->idlimit)
		task_findids(p);
	t->key = p->next;
	p->nextid++;
	listadd(&p->all, t, older, younger);
	p->ntask++;
	PROBE(create, 4, p->number, t->id, fn, t->creator);
	task_contextmake(&t->context, s->low, t, begin, t, &p->fp);
	return t;
}

Task *
task_create(Proc *p, void (*fn)(void *), void *arg, size_t stack)
{
	Task *t = newtask(p, fn, arg, stack);

	if(t && p->born)
		t = p->born(p, t);
	if(t)
		appendready(p, t);
	return t;
}

Task *
task_createfirst(Proc *p, void (*fn)(void *), void *arg, size_t stack)
{
	Task *t = newtask(p, fn, arg, stack);

	if(t && p->born)
		t = p->born(p, t);
	if(t)
		prependnew(p, t);
	return t;
}

Task *
task_createsystem(Proc *p, const char *name, void (*fn)(void *), void *arg,
	size_t stack)
{
	Task *t = newtask(p, fn, arg, stack);

	if(t == NULL)
		return NULL;
	appendready(p, t);
	t->system = t->named = 1;
	p->nsystem++;
	t->name[TextBytes - 1] = '\0';
	strncpy(t->name, name, TextBytes - 1);
	return t;
}

int
taskcreate(void (*fn)(void *), void *arg, unsigned int stack)
{
	Proc *p = task_proc;

	if(fn == NULL)
		return task_fail(EINVAL);
	if(p == NULL)
		return task_early(fn, arg, stack);
	Task *t = task_create(p, fn, arg, stack);
	return t ? task_madeat(t, __builtin_return_address(0)) : -1;
}

/*
 * does what t has left to do at its end.  A function called here may block, or
 * call taskexit, which goes on with what is still left.
 */
static void
finishtask(Proc *p, Task *t)
{
	Defer *d;

	if(t == &p->fdtask)
		task_misuse("taskexit was called outside a task");
	while((d = t->defers)){
		if(t->limits.bounds)
			t->limits.bounds->drop(t);
		t->defers = d->next;
		d->fn(d);
	}
}

/*
 * The stack goes back to the pool while it is still in use.  That is safe:
 * nobody takes it from there before the switch, and the switch is the last to
 * touch it.
 */
void
taskexit(int v)
{
	Proc *p = task_proc;

	if(p == NULL)
		exit(v);
	Task *t = p->running;
	if(t->defers)
		finishtask(p, t);
	p->status = v;
	PROBE(exit, 2, p->number, t->id);
	listremove(&p->all, t, older, younger);
	p->ntask--;
	if(t->co)
		p->coend(t);
	task_stackput(&p->pool, t->stack);
	t->context.sp = NULL;
	p->nsystem -= t->system;
	endcheck(p);
	runnext(p);
	abort();	/* not reached: nobody switches back */
}

void
task_quit(void)
{
	taskexit(task_proc->status);
}
