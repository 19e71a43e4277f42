/* SPDX-License-Identifier: MIT */
/* Tasks for other schedulers: posts, which nobody waits for, and calls. */
#include "proc.h"
#include "../task/newnames.h"
#include <errno.h>

/* A function on its way to become a task. */
struct Post
{
	Note note;
	Post *next;	/* in Member.posts */
	Post *prev;
	void (*fn)(void *);
	void *arg;
	size_t stack;
	const void *made;	/* where procpost was called */
};

/* A proc that has failed runs nothing more: as if it had gone. */
static Proc *
living(void *owner)
{
	Proc *p = owner;

	return p && !p->failed ? p : NULL;
}

static void
droppost(Member *m, Post *post)
{
	listremove(&m->posts, post, prev, next);
	task_sys.free(post);
}

static int
makeposted(Proc *p, const Post *post)
{
	Task *t = task_create(p, post->fn, post->arg, post->stack);

	return t ? task_madeat(t, post->made) : 0;
}

static void runagain(Note *n, void *owner);

/*
 * makes the tasks of m's posts, as long as there is memory.  One that must wait
 * for it keeps those behind it waiting, and has another note told for the next
 * turn.
 */
static void
runposts(Proc *p, Member *m)
{
	struct timespec nap = {0, 10 * Millisecond};
	Post *post;

	while((post = m->posts.head) && (p == NULL || makeposted(p, post)))
		droppost(m, post);
	if(post == NULL || m->again.fn)
		return;
	if(p->ready.head == NULL)
		task_sys.poll(NULL, 0, &nap);
	m->again.fn = runagain;
	task_doortell(p->door, &m->again);
}

static void
runagain(Note *n, void *owner)
{
	Member *m = structof(Member, again, n);

	m->again.fn = NULL;
	runposts(living(owner), m);
}

static void
posted(Note *n, void *owner)
{
	Post *post = structof(Post, note, n);
	Proc *p = owner;	/* NULL: it has ended */

	if(p == NULL){
		task_sys.free(post);
		return;
	}
	listadd(&p->member->posts, post, prev, next);
	runposts(living(p), p->member);
}

int
procpost(int proc, void (*fn)(void *), void *arg, unsigned int stack)
{
	if(fn == NULL)
		return task_fail(EINVAL);
	Post *post = task_sys.alloc(sizeof *post);
	if(post == NULL)
		return -1;
	*post = (Post){.note = {NULL, posted}, .fn = fn, .arg = arg,
		.stack = stack, .made = __builtin_return_address(0)};
	if(task_membertell(proc, &post->note) == 0)
		return 0;
	task_sys.free(post);
	return task_fail(ESRCH);
}

/*
 * A call lies on the stack of the task that waits for it.  Its two notes go
 * there and come back: ask, which is over when the function has ended, and
 * cancel, if the caller is cancelled or interrupted meanwhile.  When both are
 * back proccall returns.
 */
struct Call
{
	Errand errand;	/* the way back */
	Note ask;
	int (*fn)(void *);
	void *arg;
	const void *made;	/* where proccall was called */
	size_t stack;	/* bytes, as the caller's */
	int64_t deadline_ns;	/* the caller's nearest, or -1 */
	int timeouterr;	/* what calls fail with then; 0: ETIMEDOUT */
	int result;
	int err;	/* errno, if result is -1 */

	/* for the proc that is called */
	Call *next;
	Call *prev;
	Task *task;	/* NULL: not begun, or ended */
	Timeout scope;
	Defer end;

	/* seldom used, so that the others lie together */
	int cut;	/* the errno of what was last sent by cancel, or 0 */
	Note cancel;
	Errand cancelled;	/* the way back of cancel */
};

/* Nothing of c is touched after that: it is the caller's again. */
static void
tellback(Call *c, Errand *e)
{
	if(c->errand.home)	/* NULL: the caller is in a fork(2)'s parent */
		task_doortell(e->home, &e->note);
}

static void
answercall(Call *c, int err)
{
	c->task = NULL;
	c->err = err;
	tellback(c, &c->errand);
}

static void
callended(Defer *d)
{
	Call *c = structof(Call, end, d);

	listremove(&task_proc->member->calls, c, prev, next);
	answercall(c, c->err);
}

static void
called(void *v)
{
	Call *c = v;

	c->result = c->fn(c->arg);
	c->err = errno;
	task_quit();
}

static void
callasked(Note *n, void *owner)
{
	Call *c = structof(Call, ask, n);
	Proc *p = living(owner);
	Task *t = p ? task_create(p, called, c, c->stack) : NULL;

	if(t == NULL){
		answercall(c, p ? errno : ESRCH);
		return;
	}
	c->task = t;
	t->entry = (const void *)(uintptr_t)c->fn;
	t->made = c->made;
	task_defer(t, &c->end, AtEnd, callended);
	if(c->deadline_ns >= 0){
		task_scope(t, &c->scope, c->deadline_ns);
		c->scope.err = c->timeouterr;
	}
	listadd(&p->member->calls, c, prev, next);
}

static void
cancelasked(Note *n, void *owner)
{
	Call *c = structof(Call, cancel, n);

	if(owner && c->task && c->cut == EINTR)
		task_interruptwait(owner, c->task);
	else if(owner && c->task)
		task_cancel(owner, c->task);
	tellback(c, &c->cancelled);
}

/* sends a cancel or an interrupt after c: cut is the errno that says which. */
static void
sendcancel(Proc *p, Call *c, int cut)
{
	c->cut = cut;
	if(task_errandbegin(p, &c->cancelled, "proccall", c->errand.proc) ==
			0 && task_membertell(c->errand.proc, &c->cancel) < 0)
		task_erranddone(p, &c->cancelled);
}

/* The same, and waits until it is back. */
static void
cancelcall(Proc *p, Call *c, int cut)
{
	sendcancel(p, c, cut);
	task_errandwait(&c->cancelled, Uninterrupted);
}

/*
 * The caller's wait was cut.  By a deadline: then it ends the function's waits
 * too, as its scope.  After an interrupt another may come, or a cancel.
 */
static void
cutcall(Proc *p, Call *c, Cut cut)
{
	while(cut.how == CutOnce){
		cancelcall(p, c, EINTR);
		if(task_errandwait(&c->errand, -1) == 0)
			return;
		cut = task_lastcut(p->running);
	}
	if(cut.by == &p->running->limits.shield)
		cancelcall(p, c, ECANCELED);
	task_errandwait(&c->errand, Uninterrupted);
}

/* The task that called is gone, and c with it when this proc has ended. */
static void
abandoncall(Proc *p, Errand *e)
{
	Call *c = structof(Call, errand, e);

	int underway = c->cancelled.home && !c->cancelled.done;
	if(!underway && c->cut != ECANCELED)
		sendcancel(p, c, ECANCELED);
}

int
task_proccall(int proc, int (*fn)(void *), void *arg, const void *made)
{
	Proc *p = task_caller(fn);
	Call c = {.ask = {NULL, callasked}, .cancel = {NULL, cancelasked},
		.fn = fn, .arg = arg, .made = made, .result = -1,
		.err = ECANCELED};

	if(p == NULL || task_door(p) == NULL)
		return -1;
	if(proc == p->member->number)
		return fn(arg);
	c.deadline_ns = task_scopesdeadline(p);
	Timeout *nearest = p->running->limits.nearest;
	c.timeouterr = c.deadline_ns >= 0 ? nearest->err : 0;
	c.stack = p->running->stack->bytes;
	if(task_errandbegin(p, &c.errand, "proccall", proc) < 0)
		return -1;
	c.errand.abandon = abandoncall;
	if(task_membertell(proc, &c.ask) < 0){
		task_erranddone(p, &c.errand);
		return -1;
	}
	if(task_errandwait(&c.errand, -1) < 0){
		Cut cut = task_lastcut(p->running);
		cutcall(p, &c, cut);
		if(c.result != -1)
			task_uncut(p->running, cut);
	}
	if(c.errand.lost)
		return task_fail(ESRCH);
	if(c.result == -1 && c.scope.fired)	/* there it was over first */
		nearest->fired = 1;
	return c.result == -1 ? task_fail(c.err) : c.result;
}

int
proccall(int proc, int (*fn)(void *), void *arg)
{
	return task_proccall(proc, fn, arg, __builtin_return_address(0));
}

void
task_callsend(Proc *p)
{
	Call *c;

	while((c = p->member->calls.head)){
		listremove(&p->member->calls, c, prev, next);
		answercall(c, ECANCELED);
	}
}

void
task_callsalone(Member *m, const Task *t)
{
	for(Call *c = m->calls.head, *next; c; c = next){
		next = c->next;
		if(c->task != t)
			listremove(&m->calls, c, prev, next);
	}
}

void
task_callsforked(Member *m)
{
	for(Call *c = m->calls.head; c; c = c->next)
		c->errand.home = NULL;
}
