/* SPDX-License-Identifier: MIT */
/* All tasks of all procs, with the calls that they are in. */
#include "elsewhere.h"
#include "gather.h"
#include "snapshot.h"
#include "symbol.h"
#include "../fd/fd.h"
#include "../proc/proc.h"
#include "../task/newnames.h"
#include <stdlib.h>
#include <string.h>

/* Ids are put as runs, "2-4 7"; of more than so many the first. */
enum { RunsMost = 12 };

static void
putids(FILE *f, const Proc *p, const Alike *a)
{
	char id[IdBytes];

	fputs("    these are", f);
	for(int n = 0; a && n < RunsMost; n++){
		unsigned int first = a->task->id, last = first;
		while((a = a->next) && a->task->id == last + 1)
			last++;
		fprintf(f, " %s", task_showid(id, p->number, first));
		if(last > first)
			fprintf(f, "-%u", last);
	}
	fputs(a ? " ...\n" : "\n", f);
}

static void
putages(FILE *f, const Proc *p, const Alike *a)
{
	int64_t least = INT64_MAX, most = 0, now = p->now();

	for(; a; a = a->next){
		int64_t ns = now - a->task->wait.since_ns;
		least = ns < least ? ns : least;
		most = ns > most ? ns : most;
	}
	fputs(", for ", f);
	task_putage(f, least);
	if(most / Second > least / Second){
		fputs(" to ", f);
		task_putage(f, most);
	}
}

/*
 * How the library came to call a task's function nobody wants to know, nor how
 * it came to stop it: the call that it waits in is in the line before.
 */
void
task_putstack(FILE *f, Proc *p, const Task *t)
{
	char line[MakerBytes];
	void *pc[StackFrames];
	int n = task_calls(pc, task_walk(p, t, pc, StackFrames)), i = 0;

	while(i < n && !task_outside(pc[i]))
		i++;
	while(i < n){
		i = task_frameline(line, sizeof line, pc, n, i,
			t->stopped == NotYet);
		fputs(line, f);
	}
	if(n == StackFrames)
		fputs("    ...\n", f);
	if(*task_maker(line, p->number, t->made, t->creator))
		fprintf(f, "    %s\n", line);
}

static void
putkind(FILE *f, Proc *p, const Alike *a)
{
	const Kind *k = a->kind;

	task_putline(f, p, a->task);
	if(a->task->wait.number)
		putages(f, p, a);
	if(k->n > 1)
		fprintf(f, ", and %u more like it", k->n - 1);
	putc('\n', f);
	task_putstack(f, p, a->task);
	if(k->n > 1)
		putids(f, p, a);
}

/* If there is no memory, there is room for a line about each. */
static void
putproc(FILE *f, Proc *p)
{
	Gathered g;

	fprintf(f, "proc %d: %d task%s\n", p->member->number, p->ntask,
		p->ntask == 1 ? "" : "s");
	task_gather(&g, p);
	for(size_t i = 0; i < g.n; i++)
		if(g.all[i].kind->first == &g.all[i])
			putkind(f, p, &g.all[i]);
	if(g.all == NULL)
		task_putlist(f, p);
	task_gatherend(&g);
}

static void *
textofproc(Proc *p, void *arg)
{
	(void)arg;
	return task_text(p, putproc);
}

static void
putseen(FILE *f, const Silent *o, const Seentask *t, int64_t now)
{
	char shown[ShownBytes], id[IdBytes];

	fprintf(f, "%6s%c %-20s ", task_showid(id, o->s.number, t->id),
		t->system ? 's' : ' ', task_title(shown, t->name, t->entry));
	if(t->waits){
		fprintf(f, "%s, for ", task_whyname((int)t->why));
		task_putage(f, now - t->since_ns);
		putc('\n', f);
	}else
		fputs(t->id == o->s.id ? "(running)\n" : "(ready)\n", f);
}

/* A thread of the pool looks: the caller's is not to wait for the other one. */
static void
putsilent(FILE *f, int number)
{
	Silent *o = task_sys.alloc(sizeof *o);

	fprintf(f, "proc %d: does not answer: ", number);
	if(o)
		o->number = number;
	if(o == NULL || task_offload(task_lookatsilent, o) != 0 ||
			o->s.id == 0){
		fputs("a task of it lets no other run\n", f);
		task_sys.free(o);
		return;
	}
	task_putshot(f, &o->s);
	fputs(" lets no other run\n", f);
	task_putshotcalls(f, &o->s, o->pc, o->ncall);
	int64_t now = task_sys.now();
	for(int i = 0; i < o->s.nseen; i++)
		putseen(f, o, &o->tasks[i], now);
	if(o->s.ntask > o->s.nseen)
		fprintf(f, "        %d more\n", o->s.ntask - o->s.nseen);
	task_sys.free(o);
}

static void
putother(FILE *f, int number)
{
	int silent;
	char *text = task_elsewhere(number, textofproc, 0, free, &silent);

	if(silent)
		putsilent(f, number);
	else if(text)
		fputs(text, f);
	free(text);
}

void
task_putall(FILE *f, Proc *p)
{
	putproc(f, p);
	for(int n = 0; (n = task_nextproc(n)) > 0; )
		if(n != p->member->number)
			putother(f, n);
}

int
taskdump(int fd)
{
	Proc *p = task_here();

	if(p == NULL)
		return -1;
	char *text = task_text(p, task_putall);
	if(text == NULL)
		return task_fail(ENOMEM);
	size_t n = strlen(text);
	int r = fdwrite(fd, text, (int)n) == (ssize_t)n ? 0 : -1;
	free(text);
	return r;
}
