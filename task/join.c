/* SPDX-License-Identifier: MIT */
/* A task's result, who waits for it, and what is called at the task's end. */
#include "entry.h"
#include "life.h"
#include "newnames.h"
#include <errno.h>

/* One call of tasklink. */
typedef struct Link Link;
struct Link
{
	Link *next;
	void (*fn)(void *);
	void *arg;
};

/*
 * A Join is what outlives a task.  A task made by taskspawn has one from the
 * beginning, which stays until the result is collected.  Other tasks get one
 * when somebody waits for them or links to them; it goes when they have ended.
 *
 * A task that waits is handed the result when the other one ends, and has
 * nothing left to do then: so taskwait ends in task_park, for the reason that
 * sync/chan.c gives.
 */
typedef struct Join
{
	Idnode node;	/* in Life.joins, by the id of the task */
	Defer end;	/* of the task: the last thing it does */
	Task *task;	/* NULL when it has ended */
	int err;	/* when task is NULL: 0, or why it has no result */
	int users;	/* 1 until the task has called the links, and kept */
	int kept;	/* 1: the result is to be collected yet */
	void *(*fn)(void *);
	void *arg;
	void *value;	/* what fn returned */
	Altlist waiting;	/* entries: see entry.h */
	Link *links;	/* the oldest first */
	Link *lastlink;	/* valid if there are links */
} Join;

_Static_assert(sizeof(Join) <= BlockBytes, "a Join is a block");

static void
releasejoin(Proc *p, Join *j)
{
	if(--j->users > 0)
		return;
	task_idremove(&p->life->joins, &j->node);
	task_blockput(&p->life->blocks, j);
}

/* hands out the result, which need not be kept any longer. */
static void
collect(Join *j, void **result)
{
	if(result)
		*result = j->value;
	j->users -= j->kept;
	j->kept = 0;
}

/* tells the first who waits of j's end; taskwait gets the result too. */
static inline void
tellresult(Join *j)
{
	Task *t = j->waiting.head->task;

	if(t->wait.why == WaitAlt){
		tellfirst(&j->waiting, 0);
		return;
	}
	collect(j, t->value);
	tellalone(&j->waiting, t, j->err);
}

/*
 * wakes those who wait, when it is called first, and calls one link each time.
 * While links are left it defers itself anew: so a link may end the task, and
 * the others are called all the same.
 */
static void
joinended(Defer *d)
{
	Join *j = structof(Join, end, d);
	Proc *p = task_proc;

	if(j->task){
		j->err = task_outcome(j->task);
		j->task = NULL;
		while(j->waiting.head)
			tellresult(j);
	}
	if(j->links == NULL){
		releasejoin(p, j);
		return;
	}
	Link link = *j->links;
	task_blockput(&p->life->blocks, j->links);
	j->links = link.next;
	task_defer(p->running, d, AtEnd, joinended);
	link.fn(link.arg);
}

/* Of a task that had ended, and was in a link, the result stays. */
int
task_joindrop(Proc *p, Defer *d)
{
	Join *j = structof(Join, end, d);
	Link *l;

	if(d->fn != joinended)
		return 0;
	while((l = j->links)){
		j->links = l->next;
		task_blockput(&p->life->blocks, l);
	}
	if(j->task)
		collect(j, NULL);
	releasejoin(p, j);
	return 1;
}

/* makes a Join that keeps no result; NULL with ENOMEM. */
static inline Join *
newjoin(Proc *p)
{
	if(p->life->joins.size == 0 && task_idroom(&p->life->joins) < 0)
		return NULL;
	Join *j = task_blockget(&p->life->blocks);
	if(j){	/* clearing the whole would take as long as all else */
		j->users = j->kept = 0;
		j->value = NULL;
		j->waiting.head = j->waiting.tail = NULL;
		j->links = NULL;
	}
	return j;
}

static void
joinwith(Proc *p, Join *j, Task *t)
{
	j->task = t;
	j->users++;
	task_idadd(&p->life->joins, &j->node, t->id);
	task_defer(t, &j->end, AtEnd, joinended);
}

static void
spawned(void *v)
{
	Join *j = v;

	j->value = j->fn(j->arg);
}

int
taskspawn(void *(*fn)(void *), void *arg, unsigned int stack)
{
	Proc *p = task_proc;

	if(p == NULL || fn == NULL)
		return task_fail(p ? EINVAL : EPERM);
	Join *j = newjoin(p);
	if(j == NULL)
		return -1;
	Task *t = task_create(p, spawned, j, stack);
	if(t == NULL){
		task_blockput(&p->life->blocks, j);
		return -1;
	}
	j->fn = fn;
	j->arg = arg;
	j->kept = j->users = 1;
	t->entry = (const void *)(uintptr_t)fn;
	joinwith(p, j, t);
	return task_madeat(t, __builtin_return_address(0));
}

static Join *
knownjoin(Proc *p, int id)
{
	Idnode *n = task_idfind(&p->life->joins, (unsigned int)id);

	return n ? structof(Join, node, n) : NULL;
}

/*
 * returns the Join of a task, made if the task lives and has none; NULL with
 * errno.
 */
static Join *
needjoin(Proc *p, int id)
{
	Join *j = knownjoin(p, id);

	if(j)
		return j;
	Task *t = task_find(p, id);
	if(t && (j = newjoin(p)))
		joinwith(p, j, t);
	return j;
}

/*
 * taskwait for a task that has ended.  Not inline, or taskwait would save
 * registers at each entry, for finding errno is a call.
 */
__attribute__((noinline)) static int
collected(Join *j, const Task *t)
{
	int err = j->err;

	j->users++;
	collect(j, t->value);
	releasejoin(task_proc, j);
	return err ? task_fail(err) : 0;
}

static inline int
waitjoin(Join *j, Task *t)
{
	if(j->task == NULL)
		return collected(j, t);
	enqueue(&j->waiting, &t->alt, t);
	return task_park(WaitTask, (Object){.id = j->node.id}, NULL, leaveone,
		-1);
}

/* taskwait for a task that has no Join yet.  Not inline, as above. */
__attribute__((noinline)) static int
waitfirst(Proc *p, int id)
{
	Join *j = needjoin(p, id);

	return j ? waitjoin(j, p->running) : -1;
}

int
taskwait(int id, void **result)
{
	Proc *p = task_proc;

	if(p == NULL)
		return task_fail(EPERM);
	Task *t = p->running;
	if((unsigned int)id == t->id)
		return task_fail(EDEADLK);
	t->value = result;
	Join *j = knownjoin(p, id);
	return j ? waitjoin(j, t) : waitfirst(p, id);
}

int
task_ended(int id)
{
	Proc *p = task_proc;

	if((unsigned int)id == p->running->id)
		return task_fail(EDEADLK);
	Join *j = knownjoin(p, id);
	if(j)
		return j->task == NULL;
	return task_find(p, id) ? 0 : -1;
}

int
task_joinenter(Alt *a)
{
	Join *j = needjoin(task_proc, a->id);

	if(j == NULL)
		return -1;
	enqueue(&j->waiting, a, task_proc->running);
	return 0;
}

int
tasklink(int id, void (*fn)(void *), void *arg)
{
	Proc *p = task_here();

	if(p == NULL)
		return -1;
	if(fn == NULL)
		return task_fail(EINVAL);
	Join *j = needjoin(p, id);
	if(j == NULL)
		return -1;
	if(j->task == NULL)
		return taskcreate(fn, arg, 0) < 0 ? -1 : 0;
	Link *l = task_blockget(&p->life->blocks);
	if(l == NULL)
		return -1;
	*l = (Link){NULL, fn, arg};
	if(j->links)
		j->lastlink->next = l;
	else
		j->links = l;
	j->lastlink = l;
	return 0;
}

int
taskunlink(int id, void (*fn)(void *), void *arg)
{
	Proc *p = task_here();
	Link *l, *before = NULL;

	if(p == NULL)
		return -1;
	Join *j = knownjoin(p, id);
	for(l = j ? j->links : NULL; l; before = l, l = l->next)
		if(l->fn == fn && l->arg == arg)
			break;
	if(l == NULL)
		return task_fail(ESRCH);
	if(before)
		before->next = l->next;
	else
		j->links = l->next;
	if(j->lastlink == l)
		j->lastlink = before;
	task_blockput(&p->life->blocks, l);
	return 0;
}
