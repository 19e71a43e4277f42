/* SPDX-License-Identifier: MIT */
/* Tasks as data. */
#include "inspect.h"
#include "../fd/fd.h"
#include "../proc/proc.h"
#include "../task/life.h"
#include "../task/newnames.h"
#include <string.h>

/* writes what t waits for into i->object, without the words before it. */
static void
putwaited(Taskinfo *i, Proc *p, const Task *t)
{
	char text[sizeof i->object] = "";
	FILE *f = fmemopen(text, sizeof text, "w");

	if(f == NULL)
		return;
	task_putobject(f, p, t);
	fclose(f);
	text[sizeof text - 1] = '\0';
	strcpy(i->object, text + strspn(text, ", "));
}

static void
parked(Taskinfo *i, Proc *p, const Task *t)
{
	i->status = TASKPARKED;
	i->why = task_why(t);
	putwaited(i, p, t);
	i->since_ns = t->wait.since_ns;
	if(t->wait.sleeper.index)
		i->deadline_ns = t->wait.sleeper.deadline_ns;
}

/* Of the running task and of the fdtask it is here that they are. */
static size_t
stackused(const Proc *p, const Task *t)
{
	const char *sp = t == p->running ? __builtin_frame_address(0) :
		t->context.sp;

	if(t->stack == NULL || sp < t->stack->low || sp > t->stack->top)
		return 0;
	return (size_t)(t->stack->top - sp);
}

void
task_inform(Taskinfo *i, Proc *p, const Task *t)
{
	Ran ran = task_ran(p, t);

	*i = (Taskinfo){
		.id = (int)t->id,
		.proc = p->member->number,
		.status = t == p->running ? TASKRUNNING : TASKREADY,
		.system = t->system,
		.cancelled = t->limits.cancelled,
		.why = t == p->running ? "running" : "ready",
		.since_ns = -1,
		.deadline_ns = -1,
		.ran_ns = ran.ns,
		.longest_ns = ran.longest_ns,
		.switches = ran.nswitch,
		.ready_ns = ran.ready_ns,
		.stack = t->stack ? t->stack->bytes : 0,
		.stackused = stackused(p, t),
		.entry = t->entry,
		.creator = (int)t->creator,
		.made = t->made && task_outside(t->made) ? t->made : NULL,
	};
	strcpy(i->name, task_name(t));
	strcpy(i->state, task_state(t));
	if(t->wait.number && t != p->running)
		parked(i, p, t);
}

int
taskinfo(int id, Taskinfo *info, size_t size)
{
	Proc *p = task_here();
	Taskinfo i;

	if(p == NULL)
		return -1;
	if(info == NULL || size == 0 || size > sizeof i)
		return task_fail(EINVAL);
	const Task *t = id ? task_find(p, id) : &p->fdtask;
	if(t == NULL)
		return -1;
	task_inform(&i, p, t);
	memcpy(info, &i, size);
	return 0;
}

/* fn must not block, so no task comes or goes meanwhile but those it makes. */
int
tasklist(int (*fn)(const Taskinfo *info, void *arg), void *arg)
{
	Proc *p = task_here();
	Taskinfo i;
	int r = 0;

	if(p == NULL || fn == NULL)
		return task_fail(p ? EINVAL : EPERM);
	const Task *t = &p->fdtask;
	do{
		task_inform(&i, p, t);
		r = fn(&i, arg);
		t = t == &p->fdtask ? p->all.head : t->younger;
	}while(r == 0 && t);
	return r;
}

/* counts a wait of t. */
static void
countwait(Taskstats *s, const Task *t)
{
	switch(t->wait.why){
	case WaitAlt: case WaitWord: case WaitSend: case WaitRecv:
		s->channels++;
		break;
	case WaitDelay:
		s->delays++;
		break;
	case WaitQlock: case WaitRlock: case WaitWlock: case WaitReclock:
		s->locks++;
		break;
	case WaitRead: case WaitWrite: case WaitExcept:
	case WaitHangup: case WaitPause:
		s->descriptors++;
		break;
	case WaitRendez: case WaitSem: case WaitEvent:
		s->events++;
		break;
	case WaitTask: case WaitGroup: case WaitRoom:
		s->tasksends++;
		break;
	default:
		s->others++;
	}
}

static void
countstacks(Taskstats *s, const Stackpool *stacks)
{
	for(int i = 0; i < stacks->nclass; i++){
		const Stackclass *c = &stacks->class[i];
		s->warm += (unsigned int)(c->nfree - c->ncold);
		s->cold += (unsigned int)c->ncold;
	}
	s->bytes = task_stackbytes(stacks);
}

Taskstats
task_numbers(const Proc *p)
{
	Taskstats s = {
		.tasks = (unsigned int)p->ntask,
		.system = (unsigned int)p->nsystem,
		.waits = p->nparks,
		.switches = p->nswitch,
		.turns = p->nturn,
		.waiting = (unsigned int)p->fds->nwaiting,
		.timers = (unsigned int)p->sleeping.n,
	};
	for(const Task *t = p->all.head; t; t = t->younger)
		if(t->wait.number)
			countwait(&s, t);
		else if(t != p->running)
			s.ready++;
	countstacks(&s, &p->pool);
	return s;
}

int
taskstats(Taskstats *stats, size_t size)
{
	Proc *p = task_here();
	Taskstats s;

	if(p == NULL)
		return -1;
	if(stats == NULL || size == 0 || size > sizeof s)
		return task_fail(EINVAL);
	s = task_numbers(p);
	memcpy(stats, &s, size);
	return 0;
}

size_t
taskstackused(int id)
{
	Proc *p = task_here();
	const Task *t = p ? task_find(p, id) : NULL;

	return t ? task_stackmark(t->stack) : 0;
}
