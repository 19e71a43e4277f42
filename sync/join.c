/* SPDX-License-Identifier: MIT */
/* What becomes of a task: its result, who waits for it, how it fails. */
#include "../taskimpl.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One call of tasklink. */
typedef struct Link Link;
struct Link
{
	Link *next;
	void (*fn)(void *);
	void *arg;
};

/*
 * What outlives a task.  One of taskspawn has it from the beginning, and it
 * stays until its result is collected.  Others get one when somebody asks for
 * them, and it goes when they have ended and those have heard of it.
 */
typedef struct Join
{
	Idnode node;	/* in the proc's table of these, by the task's id */
	Defer end;	/* of the task: the last thing that it does */
	Task *task;	/* NULL when it has ended */
	int err;	/* then: 0, or why it has no result */
	int users;	/* the task, each that waits, an uncollected result */
	int kept;	/* the last of these */
	void *(*fn)(void *);
	void *arg;
	void *value;	/* what fn returned */
	Tasklist waiting;
	Link *links;	/* to be called, the oldest first */
	Link *lastlink;
} Join;

_Static_assert(sizeof(Join) <= BlockBytes, "a Join is a block");

static void
release(Proc *p, Join *j)
{
	if(--j->users > 0)
		return;
	task_idremove(&p->joins, &j->node);
	task_blockput(&p->blocks, j);
}

/*
 * Once for the end itself, and then once for each link.  The end comes back as
 * what is left to do, so that a link may end the task: the others are called.
 */
static void
ended(Defer *d)
{
	Join *j = (Join *)((char *)d - offsetof(Join, end));
	Proc *p = task_proc;

	if(j->task){
		j->err = task_outcome(j->task);
		j->task = NULL;
		while(j->waiting.head)
			task_wakefirst(&j->waiting, 0);
	}
	if(j->links == NULL){
		release(p, j);
		return;
	}
	Link link = *j->links;
	task_blockput(&p->blocks, j->links);
	j->links = link.next;
	task_defer(p->running, d, AtEnd, ended);
	link.fn(link.arg);
}

/* Nobody has asked for its result, so it is not kept. */
static inline Join *
newjoin(Proc *p)
{
	if(p->joins.size == 0 && task_idroom(&p->joins) < 0)
		return NULL;
	Join *j = task_blockget(&p->blocks);
	if(j)
		*j = (Join){.err = 0};
	return j;
}

static void
join(Proc *p, Join *j, Task *t)
{
	j->task = t;
	j->users++;
	task_idadd(&p->joins, &j->node, t->id);
	task_defer(t, &j->end, AtEnd, ended);
}

static void
spawned(void *v)
{
	Join *j = v;

	j->value = j->fn(j->arg);
}

NEWNAME int
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
		task_blockput(&p->blocks, j);
		return -1;
	}
	j->fn = fn;
	j->arg = arg;
	j->kept = j->users = 1;
	join(p, j, t);
	return (int)t->id;
}

static Join *
known(Proc *p, int id)
{
	Idnode *n = task_idfind(&p->joins, (unsigned int)id);

	return n ? (Join *)((char *)n - offsetof(Join, node)) : NULL;
}

/* The Join of a task, made if it lives and has none; NULL with errno. */
static Join *
need(Proc *p, int id)
{
	Join *j = known(p, id);

	if(j)
		return j;
	Task *t = task_find(p, id);
	if(t && (j = newjoin(p)))
		join(p, j, t);
	return j;
}

/* waits for the end, and collects the result if that is asked for. */
static int
await(Proc *p, int id, int collect, void **result)
{
	int err = 0;

	if((unsigned int)id == p->running->id)
		return task_fail(EDEADLK);
	Join *j = need(p, id);
	if(j == NULL)
		return -1;
	j->users++;
	if(j->task && task_park(WaitTask, (Object){.fd = id}, &j->waiting,
			NULL, -1) < 0)
		err = errno;
	else if(collect){
		err = j->err;
		if(result)
			*result = j->value;
		j->users -= j->kept;
		j->kept = 0;
	}
	release(p, j);
	return err ? task_fail(err) : 0;
}

NEWNAME int
taskwait(int id, void **result)
{
	Proc *p = task_proc;

	return p ? await(p, id, 1, result) : task_fail(EPERM);
}

int
task_await(int id)
{
	return await(task_proc, id, 0, NULL);
}

int
task_ended(int id)
{
	Proc *p = task_proc;

	if((unsigned int)id == p->running->id)
		return task_fail(EDEADLK);
	Join *j = known(p, id);
	if(j)
		return j->task == NULL;
	return task_find(p, id) ? 0 : -1;
}

NEWNAME int
tasklink(int id, void (*fn)(void *), void *arg)
{
	Proc *p = task_here();

	if(p == NULL)
		return -1;
	if(fn == NULL)
		return task_fail(EINVAL);
	Join *j = need(p, id);
	if(j == NULL)
		return -1;
	if(j->task == NULL)
		return taskcreate(fn, arg, 0) < 0 ? -1 : 0;
	Link *l = task_blockget(&p->blocks);
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

NEWNAME int
taskunlink(int id, void (*fn)(void *), void *arg)
{
	Proc *p = task_here();
	Link *l, *before = NULL;

	if(p == NULL)
		return -1;
	Join *j = known(p, id);
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
	task_blockput(&p->blocks, l);
	return 0;
}

NEWNAME void
taskfail(int err, const char *fmt, ...)
{
	Proc *p = task_proc;
	va_list args;

	if(err <= 0)
		err = EINVAL;
	va_start(args, fmt);
	flockfile(stderr);
	if(p)
		fprintf(stderr, "task %u (%s) failed: ", p->running->id,
			task_name(p->running));
	if(fmt){
		vfprintf(stderr, fmt, args);
		fputs(": ", stderr);
	}
	fprintf(stderr, "%s\n", strerror(err));
	funlockfile(stderr);
	va_end(args);
	if(p && p->running->failed == 0)
		p->running->failed = err;
	taskexit(1);
}
