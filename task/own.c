/* SPDX-License-Identifier: MIT */
/* What few tasks have: values by key, hooks around each stop and the body. */
#include "life.h"
#include "newnames.h"
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

/*
 * A task gets an Own when it first sets a value or a hook, so others pay for
 * neither.  Keys belong to the program, for its threads and their tasks are
 * made by the same code; values belong to the task.
 *
 * A task that has hooks has no credit while it runs.  So it always stops in the
 * slow way, which calls them, and the fast way need not ask for them.
 */
enum
{
	Keys = 128,
	Rounds = 4	/* of destroyers that set values again */
};

static atomic_int nkeys;
static void (*destroyers[Keys])(void *);
static void *(*copiers[Keys])(void *);	/* of values that children inherit */

/* What belongs to the key is stored before anybody can know the key. */
static int
newkey(void *(*copy)(void *), void (*destroy)(void *))
{
	int key = atomic_load(&nkeys);

	do
		if(key == Keys)
			return task_fail(EAGAIN);
	while(!atomic_compare_exchange_weak(&nkeys, &key, key + 1));
	destroyers[key] = destroy;
	copiers[key] = copy;
	return key;
}

int
task_keyinherit(void *(*copy)(void *), void (*destroy)(void *))
{
	return newkey(copy, destroy);
}

int
taskkey(void (*destroy)(void *))
{
	return newkey(NULL, destroy);
}

int
taskkeyinherit(void *(*copy)(void *), void (*destroy)(void *))
{
	return copy ? newkey(copy, destroy) : task_fail(EINVAL);
}

/* returns 0, or the errno for a call with this key. */
static int
wrong(int key)
{
	if(task_proc == NULL || task_proc->running == &task_proc->fdtask)
		return EPERM;
	return key >= 0 && key < atomic_load(&nkeys) ? 0 : EINVAL;
}

static int around(Proc *p, int (*stop)(Proc *));
static Task *born(Proc *p, Task *t);
static void ownended(Defer *d);

static Own *
own(Task *t)
{
	if(t->own == NULL && (t->own = task_sys.alloc(sizeof *t->own))){
		t->own->around = around;
		task_defer(t, &t->own->end, AtValues, ownended);
	}
	return t->own;
}

void *
task_local(int key)
{
	int err = wrong(key);

	if(err){
		errno = err;
		return NULL;
	}
	Own *o = task_proc->running->own;
	return o && key < o->nlocal ? o->local[key] : NULL;
}

void *
tasklocal(int key)
{
	return task_local(key);
}

/* makes room for values of all keys that there are: few are made later. */
static int
growlocal(Own *o)
{
	int n = atomic_load(&nkeys);
	void **local = task_sys.resize(o->local, (size_t)n * sizeof *local);

	if(local == NULL)
		return -1;
	memset(local + o->nlocal, 0, (size_t)(n - o->nlocal) * sizeof *local);
	o->local = local;
	o->nlocal = n;
	return 0;
}

int
task_setlocal(int key, void *v)
{
	int err = wrong(key);

	if(err)
		return task_fail(err);
	Own *o = own(task_proc->running);
	if(o == NULL || (key >= o->nlocal && growlocal(o) < 0))
		return -1;
	o->local[key] = v;
	if(copiers[key])
		task_proc->born = born;
	return 0;
}

int
tasksetlocal(int key, void *v)
{
	return task_setlocal(key, v);
}

/*
 * calls hook, with no credit: so a hook that blocks comes to around, which does
 * not let it.
 */
static void
callhook(Proc *p, Own *o, void (*hook)(void *))
{
	int err = *p->err, credit = p->credit;

	if(hook == NULL)
		return;
	p->credit = 0;
	o->inhook = 1;
	hook(o->arg);
	o->inhook = 0;
	p->credit = p->seen ? 0 : credit;
	*p->err = err;
}

/* Own.around: stops the running task, its hooks being called. */
static int
around(Proc *p, int (*stop)(Proc *))
{
	Own *o = p->running->own;

	if(o->inhook)
		task_misuse("a hook of tasksetswitch must not block");
	if(o->in == NULL && o->out == NULL)
		return stop(p);
	callhook(p, o, o->out);
	int r = stop(p);
	callhook(p, o, o->in);
	p->credit = 0;
	return r;
}

int
tasksetswitch(void (*in)(void *), void (*out)(void *), void *arg)
{
	Proc *p = task_here();

	if(p == NULL || p->running == &p->fdtask)
		return task_fail(EPERM);
	Own *o = own(p->running);
	if(o == NULL)
		return -1;
	if(o->inhook)
		return task_fail(EBUSY);
	callhook(p, o, o->out);
	o->in = in;
	o->out = out;
	o->arg = arg;
	callhook(p, o, in);
	p->credit = 0;
	return 0;
}

/*
 * calls the destroyers of the values in the order of keys; returns whether
 * there were any.  A round that a destroyer has left, by ending the task, goes
 * on behind it: so each is called once in a round, whatever it does.
 */
static int
destroy(Own *o)
{
	while(o->key < o->nlocal){
		int key = o->key++;
		void *v = o->local[key];
		o->local[key] = NULL;
		if(v && destroyers[key]){
			task_unscopeall(task_proc->running);
			o->any = 1;
			destroyers[key](v);
		}
	}
	int any = o->any;
	o->key = o->any = 0;
	return any;
}

/*
 * calls the destroyers and the last hook at the end of a task.  It defers
 * itself anew for each round of destroyers, also because one of them may end
 * the task, and the others are to be called all the same.
 */
static void
ownended(Defer *d)
{
	Own *o = structof(Own, end, d);
	Proc *p = task_proc;

	if(o->inhook)
		task_misuse("a hook of tasksetswitch must not end the task");
	task_defer(p->running, d, AtValues, ownended);
	if(o->nround < Rounds && destroy(o)){
		o->nround++;
		return;
	}
	callhook(p, o, o->out);
	task_undefer(p->running, d);
	task_ownfree(p->running);
}

/* What taskwrap was called with. */
typedef struct Wrapper
{
	struct Wrapper *inner;
	void (*before)(void *);
	void (*after)(void *);
	void *arg;
} Wrapper;

/* One of these around one body; the innermost ends first. */
typedef struct Wrap Wrap;
struct Wrap
{
	Defer end;	/* of the task */
	const Wrapper *wrapper;
	Wrap *inner;
	int begun;	/* before has been called */
	void (*fn)(void *);	/* the body */
	void *arg;
};

static void
runwrapped(void *v)
{
	Wrap *w = v;
	void (*fn)(void *) = w->fn;
	void *arg = w->arg;

	for(; w; w = w->inner){
		w->begun = 1;
		if(w->wrapper->before)
			w->wrapper->before(w->wrapper->arg);
	}
	fn(arg);
}

static void
wrapended(Defer *d)
{
	Wrap w = *structof(Wrap, end, d);

	task_blockput(&task_proc->life->blocks, d);
	if(w.begun && w.wrapper->after)
		w.wrapper->after(w.wrapper->arg);
}

int
task_wrapdrop(Proc *p, Defer *d)
{
	if(d->fn != wrapended)
		return 0;
	task_blockput(&p->life->blocks, d);
	return 1;
}

static void
unwrap(Proc *p, Wrap *outer)
{
	for(Wrap *w = outer, *inner; w; w = inner){
		inner = w->inner;
		task_blockput(&p->life->blocks, w);
	}
}

/* makes the wraps for t; outer gets the outermost.  Returns 0 or -1. */
static int
wrap(Proc *p, const Task *t, Wrap **outer)
{
	Wrap **at = outer;

	*outer = NULL;
	for(const Wrapper *r = p->life->wrappers; r; r = r->inner){
		Wrap *w = task_blockget(&p->life->blocks);
		if(w == NULL){
			unwrap(p, *outer);
			return -1;
		}
		*w = (Wrap){.wrapper = r, .fn = t->fn, .arg = t->arg};
		*at = w;
		at = &w->inner;
	}
	return 0;
}

/* Nothing fails after the first value has been copied. */
static int
inherit(const Own *from, Task *t)
{
	int n = from ? from->nlocal : 0, key = 0;

	while(key < n && !(copiers[key] && from->local[key]))
		key++;
	if(key == n)
		return 0;
	Own *o = own(t);
	if(o == NULL || growlocal(o) < 0)
		return -1;
	for(; key < n; key++)
		if(copiers[key] && from->local[key])
			o->local[key] = copiers[key](from->local[key]);
	return 0;
}

/* Proc.born, from the first inherited value or wrapper on. */
static Task *
born(Proc *p, Task *t)
{
	Wrap *outer;

	if(wrap(p, t, &outer) == 0){
		if(inherit(p->running->own, t) == 0){
			for(Wrap *w = outer; w; w = w->inner)
				task_defer(t, &w->end, AtAfter, wrapended);
			if(outer){
				t->fn = runwrapped;
				t->arg = outer;
			}
			return t;
		}
		unwrap(p, outer);
		task_ownfree(t);
	}
	listremove(&p->all, t, older, younger);
	p->ntask--;
	p->nextid = t->id;
	task_contextfree(&t->context);
	task_stackput(&p->pool, t->stack);
	return NULL;
}

int
taskwrap(void (*pre)(void *), void (*post)(void *), void *arg)
{
	Proc *p = task_here();

	if(p == NULL)
		return -1;
	if(pre == NULL && post == NULL)
		return task_fail(EINVAL);
	Wrapper *r = task_blockget(&p->life->blocks);
	if(r == NULL)
		return -1;
	*r = (Wrapper){p->life->wrappers, pre, post, arg};
	p->life->wrappers = r;
	p->born = born;
	return 0;
}

void
task_ownfree(Task *t)
{
	if(t->own)
		task_sys.free(t->own->local);
	task_sys.free(t->own);
	t->own = NULL;
}
