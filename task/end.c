/* SPDX-License-Identifier: MIT */
/* A task's end: what is left to do then, and how it went. */
#include "life.h"
#include "newnames.h"
#include "show.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
task_defer(Task *t, Defer *d, enum Stage stage, void (*fn)(Defer *))
{
	Defer **at = &t->defers;

	while(*at && (*at)->stage < (int)stage)
		at = &(*at)->next;
	d->fn = fn;
	d->stage = stage;
	d->next = *at;
	*at = d;
}

void
task_undefer(Task *t, const Defer *d)
{
	Defer **at = &t->defers;

	while(*at && *at != d)
		at = &(*at)->next;
	if(*at)
		*at = d->next;
}

/* One call of taskdefer. */
typedef struct Deferred
{
	Defer d;
	void (*fn)(void *);
	void *arg;
} Deferred;

static void
calldeferred(Defer *d)
{
	Deferred f = *structof(Deferred, d, d);

	task_blockput(&task_proc->life->blocks, d);
	f.fn(f.arg);
}

/* What is left of a program that ends while its task does what it has to. */
typedef struct Exit
{
	Defer d;
	int status;
} Exit;

static void
exitprogram(Defer *d)
{
	exit(structof(Exit, d, d)->status);
}

/*
 * The task's groups and values end with the program.  A function that calls
 * taskexit does not keep it from ending: that is left to do behind the others.
 */
void
taskexitall(int v)
{
	Proc *p = task_proc;
	Exit e = {.status = v};
	Defer *d;

	if(p == NULL || p->running == &p->fdtask)
		exit(v);
	Task *t = p->running;
	task_defer(t, &e.d, AtValues, exitprogram);
	while((d = t->defers) != &e.d){
		task_undefer(t, d);
		if(d->fn != calldeferred)
			continue;
		if(t->limits.bounds)
			t->limits.bounds->drop(t);
		d->fn(d);
	}
	exit(v);
}

int
taskdefer(void (*fn)(void *), void *arg)
{
	Proc *p = task_here();

	if(p == NULL)
		return -1;
	if(fn == NULL)
		return task_fail(EINVAL);
	Deferred *f = task_blockget(&p->life->blocks);
	if(f == NULL)
		return -1;
	f->fn = fn;
	f->arg = arg;
	task_defer(p->running, &f->d, AtCleanup, calldeferred);
	return 0;
}

int
taskundefer(void (*fn)(void *), void *arg)
{
	Proc *p = task_here();

	if(p == NULL)
		return -1;
	for(Defer *d = p->running->defers; d; d = d->next){
		const Deferred *f = structof(Deferred, d, d);
		if(d->fn != calldeferred || f->fn != fn || f->arg != arg)
			continue;
		task_undefer(p->running, d);
		task_blockput(&p->life->blocks, d);
		return 0;
	}
	return task_fail(ENOENT);
}

int
task_deferdrop(Proc *p, Defer *d)
{
	if(d->fn != calldeferred)
		return 0;
	task_blockput(&p->life->blocks, d);
	return 1;
}

int
task_outcome(const Task *t)
{
	return t->failed ? t->failed : t->limits.knows ? ECANCELED : 0;
}

void
taskfail(int err, const char *fmt, ...)
{
	Proc *p = task_proc;
	char name[ShownBytes];
	va_list args;

	if(err <= 0)
		err = EINVAL;
	va_start(args, fmt);
	flockfile(stderr);
	if(p)
		fprintf(stderr, "%s failed: ", task_showtask(name, sizeof name,
			p, p->running));
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
