/* SPDX-License-Identifier: MIT */
/* Coroutines: several stacks of one task, switched by the program itself. */
#include "../task/life.h"
#include "coro.h"
#include "../task/newnames.h"
#include <errno.h>
#include <stdlib.h>

/*
 * The coroutines of a task are a tree.  Its root is the main one, which is what
 * the task itself does on its own stack.
 *
 * To the scheduler all of them are one task, which it resumes where it stopped.
 * So any of them may block, and goes on when the task does; the others cannot
 * run meanwhile.  Coroutines end with their task, as its stack does.
 */

static void
joinparent(Co *c, Co *parent)
{
	c->parent = parent;
	listadd(&parent->children, c, older, newer);
}

static void
partparent(Co *c)
{
	listremove(&c->parent->children, c, older, newer);
}

/*
 * forgets what c has begun, for it will not run again.  gone says that c has
 * ended, or is about to end, by itself, and its context with it.  The scopes
 * that are open in c lie in memory that others will use, so they are closed.
 */
static void
abandonco(Co *c, int gone)
{
	task_scopesof(c->task, c);
	for(Gen *g = c->gen; g; g = g->outer)
		task_scopesof(c->task, g);
	if(!gone)
		task_contextfree(&c->place.context);
	for(Gen *g = c->gen; g; g = g->outer){
		task_contextfree(&g->caller.context);
		g->state = GenEnded;
	}
}

/*
 * ends the coroutines of a task that ends, children first.  The running one
 * uses its stack until the last switch, as a task does in taskexit.
 */
static void
coend(Task *t)
{
	Co *c = &t->main;

	task_unscopeall(t);
	for(;;){
		while(c->children.tail)
			c = c->children.tail;
		abandonco(c, c->dead || c == t->co);
		Co *parent = c->parent;
		if(parent == NULL)
			break;
		partparent(c);
		task_stackput(&task_proc->pool, c->stack);
		c = parent;
	}
	t->stack = t->main.stack;
}

int
task_cobegin(Proc *p)
{
	p->coend = coend;
	return 0;
}

/* ends the coroutines of the tasks that are left, which never run again. */
void
task_coend(Proc *p)
{
	for(Task *t = p->all.head; t; t = t->younger)
		if(t->co)
			coend(t);
}

Co *
task_cocurrent(void)
{
	Proc *p = task_here();

	if(p == NULL)
		return NULL;
	Task *t = p->running;
	if(t->co)
		return t->co;
	if(t == &p->fdtask){
		errno = EPERM;
		return NULL;
	}
	t->main = (Co){.task = t, .stack = t->stack, .started = 1};
	t->co = &t->main;
	return t->co;
}

/*
 * returns the running coroutine, if c is one of its task; else NULL with errno.
 */
static Co *
callerco(const Co *c)
{
	Co *co = task_cocurrent();

	if(co == NULL || (c && c->task == co->task))
		return co;
	if(c && task_proc->seen)
		task_proc->seen->refuses(task_proc, c->task);
	errno = c ? EPERM : EINVAL;
	return NULL;
}

static inline void *
switchco(Proc *p, Co *from, Co *to, void *v)
{
	Task *t = p->running;

	t->co = to;
	task_exchange(p, t, &from->place, &to->place);
	return task_contextpass(&from->place.context, &to->place.context,
		(uintptr_t)v);
}

/*
 * switches to c, or its nearest living ancestor, and hands over v or err.  An
 * error ends a coroutine that has not started: nothing there could receive it.
 */
static void *
goco(Co *from, Co *c, void *v, int err)
{
	while(c->dead || (err && !c->started)){
		if(!c->dead)
			abandonco(c, 0);
		c->dead = 1;
		c = c->parent;
	}
	if(c == from){
		if(err)
			errno = err;
		return v;
	}
	if(err)
		c->place.err = err;
	if(!c->started){
		c->started = 1;
		c->arg = v;
	}
	return switchco(task_proc, from, c, v);
}

/* runs first in a coroutine: its function, whose result goes to its parent. */
static void
begincoro(void *v)
{
	Co *c = v;
	void *result = c->fn(c->arg);

	c->dead = 1;
	c->task->context.sp = NULL;
	goco(c, c->parent, result, 0);
	abort();	/* not reached: nobody switches back */
}

Co *
cocreate(void *(*fn)(void *), Co *parent, unsigned int stack)
{
	Co *co = task_cocurrent();

	if(co == NULL)
		return NULL;
	if(parent == NULL)
		parent = co;
	if(fn == NULL || parent->task != co->task){
		errno = EINVAL;
		return NULL;
	}
	Proc *p = task_proc;
	Stack *s = task_stackget(&p->pool, stack);
	if(s == NULL)
		return NULL;
	Co *c = task_block(s);
	*c = (Co){.task = co->task, .stack = s, .place.stack = s, .fn = fn};
	task_contextmake(&c->place.context, s->low, c, begincoro, c, &p->fp);
	joinparent(c, parent);
	return c;
}

/*
 * does coswitch where something is unusual or wrong.  Not inline, or coswitch
 * would need a stack frame before its tail call.
 */
__attribute__((noinline)) static void *
slowswitch(Co *c, void *v)
{
	Co *co = callerco(c);

	return co ? goco(co, c, v, 0) : NULL;
}

void *
coswitch(Co *c, void *v)
{
	Proc *p = task_proc;

	if(p == NULL || c == NULL || c->task != p->running || !c->started ||
			c->dead || c == p->running->co)
		return slowswitch(c, v);
	return switchco(p, p->running->co, c, v);
}

void *
cothrow(Co *c, int err)
{
	Co *co = callerco(c);

	if(co && err <= 0){
		errno = EINVAL;
		return NULL;
	}
	return co ? goco(co, c, NULL, err) : NULL;
}

int
cofree(Co *c)
{
	if(c == NULL)
		return 0;
	Co *co = callerco(c);
	if(co == NULL)
		return -1;
	if(c->parent == NULL)
		return task_fail(EINVAL);
	if(c == co)
		return task_fail(EBUSY);
	while(c->children.head){
		Co *child = c->children.head;
		partparent(child);
		joinparent(child, c->parent);
	}
	partparent(c);
	abandonco(c, c->dead);
	task_stackput(&task_proc->pool, c->stack);
	return 0;
}

Co *
cocurrent(void)
{
	return task_cocurrent();
}

Co *
comain(void)
{
	Co *co = task_cocurrent();

	return co ? &co->task->main : NULL;
}

Co *
coparent(const Co *c)
{
	return callerco(c) ? c->parent : NULL;
}

int
cosetparent(Co *c, Co *parent)
{
	if(task_cocurrent() == NULL)
		return -1;
	if(c == NULL || parent == NULL || c->task != parent->task ||
			c->parent == NULL)
		return task_fail(EINVAL);
	if(callerco(c) == NULL)
		return -1;
	for(const Co *up = parent; up; up = up->parent)
		if(up == c)
			return task_fail(EINVAL);
	partparent(c);
	joinparent(c, parent);
	return 0;
}

int
costate(const Co *c)
{
	Co *co = callerco(c);

	if(co == NULL)
		return -1;
	if(c == co)
		return CORUNNING;
	if(c->dead)
		return CODEAD;
	return c->started ? COWAITING : CONEW;
}
