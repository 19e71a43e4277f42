/* SPDX-License-Identifier: MIT */
/* Has another proc look at its own tasks, if it answers. */
#include "elsewhere.h"
#include "../proc/members.h"
#include "../task/life.h"
#include <stdatomic.h>
#include <stdlib.h>

/* Freed by who is done with it last. */
typedef struct Asked
{
	Note note;
	atomic_int done;	/* by one of the two */
	void *(*fn)(Proc *p, void *arg);
	void (*dispose)(void *);
	size_t arg;
	void *result;
} Asked;

enum { Pending, Answered, Abandoned };

static void
answerasked(Note *n, void *owner)
{
	Asked *a = structof(Asked, note, n);
	int pending = Pending;

	a->result = owner ? a->fn(owner, &a->arg) : NULL;
	if(!atomic_compare_exchange_strong(&a->done, &pending, Answered)){
		if(a->result)
			a->dispose(a->result);
		task_sys.free(a);
	}
}

enum { AskedMs = 1000 };	/* for another proc to answer */

void *
task_elsewhere(int number, void *(*fn)(Proc *p, void *arg), size_t arg,
	void (*dispose)(void *), int *silent)
{
	Asked *a = task_sys.alloc(sizeof *a);
	int pending = Pending;
	void *result = NULL;

	if(silent)
		*silent = 0;
	if(a == NULL)
		return NULL;
	a->note.fn = answerasked;
	a->fn = fn;
	a->dispose = dispose;
	a->arg = arg;
	if(task_membertell(number, &a->note) == 0){
		for(int ms = 0; ms < AskedMs && atomic_load(&a->done) ==
				Pending && !task_refused(task_proc); ms++)
			taskdelay(1);
		if(atomic_compare_exchange_strong(&a->done, &pending,
				Abandoned)){
			if(silent)
				*silent = 1;
			return NULL;
		}
		result = a->result;
	}
	task_sys.free(a);
	return result;
}

int
task_nextproc(int n)
{
	int next = 0;

	task_memberslock();
	for(Member *m = task_memberafter(NULL); m; m = task_memberafter(m))
		if(m->number > n && (next == 0 || m->number < next))
			next = m->number;
	task_membersunlock();
	return next;
}

char *
task_puttext(Proc *p, Putproc *fn, int arg)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	if(f == NULL)
		return NULL;
	fn(f, p, arg);
	int lost = ferror(f);
	if(fclose(f) == 0 && !lost)
		return text;
	free(text);
	return NULL;
}

int
task_ask(FILE *f, int number, void *(*fn)(Proc *p, void *arg), int arg)
{
	int silent;
	char *text = task_elsewhere(number, fn, (size_t)arg, free, &silent);

	if(text == NULL)
		return task_fail(silent ? ETIMEDOUT : ESRCH);
	fputs(text, f);
	free(text);
	return 0;
}
