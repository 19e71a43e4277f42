/* SPDX-License-Identifier: MIT */
/* Groups: tasks that are waited for, and cancelled, together. */
#include "life.h"
#include "newnames.h"
#include <errno.h>

typedef struct Groupchild Groupchild;

/*
 * A Family is what the library keeps of a group that has children, or has had
 * some and was not waited for.  The program's Group holds only the number of
 * the Family: the Group may lie in a function that has returned.
 *
 * A Family belongs to the task that spawned the first child, or called groupown
 * before that: the owner.  At its end the owner cancels the children and waits
 * for them.
 */
typedef struct Family
{
	Idnode node;	/* in the proc's table of groups, by number */
	Defer end;	/* of the owner: cancels and waits */
	Task *owner;	/* NULL when it has ended */
	struct
	{
		Groupchild *head;
		Groupchild *tail;
	} children;	/* the living ones, the oldest first */
	unsigned int ntaken;	/* children, and tasks that may make one now */
	int users;	/* tasks that wait until there are no children */
	int err;	/* of the first child that failed */
	unsigned char failfast;
	unsigned char cancelled;	/* until all are waited for */
	Tasklist waiting;	/* tasks that wait for all children to end */
	Tasklist room;	/* tasks that wait to make one of limit children */
} Family;

struct Groupchild
{
	Groupchild *next;
	Groupchild *prev;
	Family *family;
	Task *task;
	Defer end;
	Timeout inherited;	/* scope until its maker's nearest deadline */
};

_Static_assert(sizeof(Family) <= BlockBytes, "a Family is a block");
_Static_assert(sizeof(Groupchild) <= BlockBytes, "a Groupchild is a block");

static Family *
knownfamily(Proc *p, const Group *g)
{
	Idnode *n = g->number ? task_idfind(&p->life->groups, g->number) : NULL;

	return n ? structof(Family, node, n) : NULL;
}

/* returns the proc for a call with g; NULL with EPERM if g is of another. */
static Proc *
callergroup(const Group *g)
{
	Proc *p = task_caller(g);

	if(p == NULL || g->number == 0 || g->home == &task_proc)
		return p;
	errno = EPERM;
	return NULL;
}

/* frees f when the last task that waited for the children has gone on. */
static void
releasefamily(Proc *p, Family *f)
{
	if(--f->users > 0 || f->ntaken > 0)
		return;
	if(f->owner)
		task_undefer(f->owner, &f->end);
	task_idremove(&p->life->groups, &f->node);
	task_blockput(&p->life->blocks, f);
}

static void
cancelfamily(Proc *p, Family *f)
{
	f->cancelled = 1;
	while(task_wakefirst(&f->room, ECANCELED))
		;
	for(Groupchild *c = f->children.tail; c; c = c->prev)
		task_cancel(p, c->task);
}

/*
 * gives the room of a child to the task that has waited for it longest, so that
 * nobody overtakes it; without such a task the room is free.
 */
static void
giveroom(Family *f)
{
	if(task_wakefirst(&f->room, 0))
		return;
	if(--f->ntaken == 0)
		while(task_wakefirst(&f->waiting, 0))
			;
}

static void
childended(Defer *d)
{
	Groupchild *c = structof(Groupchild, end, d);
	Family *f = c->family;
	int err = task_outcome(c->task);

	listremove(&f->children, c, prev, next);
	task_blockput(&task_proc->life->blocks, c);
	if(err && err != ECANCELED){
		if(f->err == 0)
			f->err = err;
		if(f->failfast)
			cancelfamily(task_proc, f);
	}
	giveroom(f);
}

static int
ischild(const Task *t, const Family *f)
{
	for(Defer *d = t->defers; d; d = d->next)
		if(d->fn == childended &&
				structof(Groupchild, end, d)->family == f)
			return 1;
	return 0;
}

/*
 * waits until no child is left.  If the wait is cut short, the children are
 * cancelled, and waited for all the same.  Returns the errno of that wait, or
 * of the first child that failed, or 0.
 */
static int
awaitchildren(Family *f)
{
	int64_t deadline_ns = -1;
	int err = 0;

	while(f->ntaken > 0)
		if(task_park(WaitGroup, (Object){&f->ntaken}, &f->waiting,
				NULL, deadline_ns) < 0){
			err = errno;
			cancelfamily(task_proc, f);
			deadline_ns = Uninterrupted;
		}
	return err ? err : f->err;
}

static void
ownerended(Defer *d)
{
	Family *f = structof(Family, end, d);

	f->owner = NULL;
	f->users++;
	cancelfamily(task_proc, f);
	awaitchildren(f);
	releasefamily(task_proc, f);
}

static Family *
needfamily(Proc *p, Group *g)
{
	Family *f = knownfamily(p, g);

	if(f)
		return f;
	if(task_idroom(&p->life->groups) < 0)
		return NULL;
	f = task_blockget(&p->life->blocks);
	if(f == NULL)
		return NULL;
	*f = (Family){.owner = p->running};
	/* random, so that no forgotten Group has the same number */
	do
		g->number = (unsigned int)(task_random(&p->random) >> 32);
	while(g->number == 0 || knownfamily(p, g));
	g->home = &task_proc;
	task_idadd(&p->life->groups, &f->node, g->number);
	task_defer(p->running, &f->end, AtCleanup, ownerended);
	return f;
}

/* takes room for one more child, and waits for room if there is none. */
static int
takeroom(Proc *p, Family *f, unsigned int limit)
{
	if(f->cancelled)
		return task_fail(ECANCELED);
	if(limit == 0 || f->ntaken < limit){
		f->ntaken++;
		return 0;
	}
	if(ischild(p->running, f))
		return task_fail(EDEADLK);
	return task_park(WaitRoom, (Object){&f->ntaken}, &f->room, NULL, -1);
}

/* makes a child, for which room has been taken. */
static Task *
spawn(Proc *p, Family *f, void (*fn)(void *), void *arg, unsigned int stack)
{
	int64_t deadline_ns = task_scopesdeadline(p);
	Groupchild *c = task_blockget(&p->life->blocks);

	if(c == NULL)
		return NULL;
	Task *t = task_create(p, fn, arg, stack);
	if(t == NULL){
		task_blockput(&p->life->blocks, c);
		return NULL;
	}
	*c = (Groupchild){.family = f, .task = t};
	listadd(&f->children, c, prev, next);
	task_defer(t, &c->end, AtEnd, childended);
	if(deadline_ns >= 0)
		task_scope(t, &c->inherited, deadline_ns);
	return t;
}

int
groupown(Group *g)
{
	Proc *p = callergroup(g);
	Family *f = p ? needfamily(p, g) : NULL;

	if(f == NULL)
		return -1;
	return f->owner == p->running ? 0 : task_fail(EBUSY);
}

/* makes a child, once there is room; NULL and errno. */
static Task *
spawnchild(Proc *p, Group *g, void (*fn)(void *), void *arg, unsigned int stack)
{
	Family *f = needfamily(p, g);

	if(f == NULL)
		return NULL;
	f->failfast = g->failfast != 0;
	/* f may have been freed when a wait for room fails */
	if(takeroom(p, f, g->limit) < 0)
		return NULL;
	Task *t = NULL;
	if(f->cancelled)	/* while it waited for room */
		errno = ECANCELED;
	else
		t = spawn(p, f, fn, arg, stack);
	if(t == NULL)
		giveroom(f);
	return t;
}

int
groupspawn(Group *g, void (*fn)(void *), void *arg, unsigned int stack)
{
	Proc *p = callergroup(g);

	if(p == NULL)
		return -1;
	if(fn == NULL)
		return task_fail(EINVAL);
	Task *t = spawnchild(p, g, fn, arg, stack);
	return t ? task_madeat(t, __builtin_return_address(0)) : -1;
}

/* groupwait; returns 0, or the errno for it to fail with. */
static int
awaitgroup(Proc *p, Group *g)
{
	Family *f = knownfamily(p, g);

	if(f == NULL)
		return 0;
	if(ischild(p->running, f))
		return EDEADLK;
	f->users++;
	int err = awaitchildren(f);
	releasefamily(p, f);
	return err;
}

int
groupwait(Group *g)
{
	Proc *p = callergroup(g);

	if(p == NULL)
		return -1;
	int err = awaitgroup(p, g);
	return err ? task_fail(err) : 0;
}

/*
 * A child that cannot be made is why the others are cancelled; but if that is
 * because one of them has failed, it is that one.
 */
int
groupmap(Group *g, void (*fn)(void *), void *base, size_t n, size_t size,
	unsigned int stack)
{
	Proc *p = callergroup(g);
	int err = 0;

	if(p == NULL)
		return -1;
	if(fn == NULL || (base == NULL && n > 0))
		return task_fail(EINVAL);
	Family *f = knownfamily(p, g);
	if(f && ischild(p->running, f))
		return task_fail(EDEADLK);
	for(size_t i = 0; i < n && err == 0; i++){
		Task *t = spawnchild(p, g, fn, (char *)base + i * size, stack);
		if(t)
			t->made = __builtin_return_address(0);
		else
			err = errno;
	}
	if(err && (f = knownfamily(p, g)))
		cancelfamily(p, f);
	int waited = awaitgroup(p, g);
	if(err == 0 || (err == ECANCELED && waited))
		err = waited;
	return err ? task_fail(err) : 0;
}

/* leaves f to the running task, if it is its owner, or a child of it. */
static void
dropfamily(Proc *p, Family *f)
{
	f->users = 0;
	f->ntaken = 0;
	for(Groupchild *c = f->children.head, *next; c; c = next){
		next = c->next;
		if(c->task == p->running){
			f->ntaken = 1;
			continue;
		}
		listremove(&f->children, c, prev, next);
		task_blockput(&p->life->blocks, c);
	}
	if(f->owner != p->running)
		f->owner = NULL;
	if(f->owner || f->ntaken > 0)
		return;
	task_idremove(&p->life->groups, &f->node);
	task_blockput(&p->life->blocks, f);
}

void
task_groupsdrop(Proc *p)
{
	const Idtable *all = &p->life->groups;

	for(unsigned int i = 0; i < all->size; i++)
		for(Idnode *n = all->chains[i], *next; n; n = next){
			next = n->next;
			dropfamily(p, structof(Family, node, n));
		}
}

int
groupcancel(Group *g)
{
	Proc *p = callergroup(g);

	if(p == NULL)
		return -1;
	Family *f = knownfamily(p, g);
	if(f)
		cancelfamily(p, f);
	return 0;
}
