/* SPDX-License-Identifier: MIT */
/* The list of tasks: what each is doing or waiting for. */
#include "gather.h"
#include "symbol.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* puts "1200 ms" or "37 s". */
void
task_putage(FILE *f, int64_t ns)
{
	if(ns < 10 * (int64_t)Second)
		fprintf(f, "%lld ms", (long long)(ns / Millisecond));
	else
		fprintf(f, "%lld s", (long long)(ns / Second));
}

/* puts for how long t has waited, where, and who made it. */
static void
putwhere(FILE *f, Proc *p, const Task *t)
{
	char text[MakerBytes];
	const void *pc = task_place(p, t);
	int64_t ns = t->wait.number ? p->now() - t->wait.since_ns : 0;

	if(ns >= Millisecond){
		fputs(", for ", f);
		task_putage(f, ns);
	}
	if(pc)
		fprintf(f, ", in %s", task_symbol(text, sizeof text, pc, 1));
	if(*task_maker(text, p->number, t->made, t->creator))
		fprintf(f, ", %s", text);
}

/* A task without a name has its function's. */
const char *
task_title(char *buf, const char *name, const void *entry)
{
	if(*name || entry == NULL || !task_outside(entry))
		return task_show(buf, ShownBytes, name);
	task_function(buf, SymbolBytes, entry);
	return strchr(buf, '(') ? buf : strcat(buf, "()");
}

/*
 * A line has the columns of libtask, and then what the task waits for, and
 * where.
 */
void
task_putline(FILE *f, Proc *p, const Task *t)
{
	const char *extra = t->wait.number ? "" : " (ready)";
	const char *gap = *task_state(t) ? "  " : "";
	char shown[ShownBytes], id[IdBytes];

	if(t == p->running)
		extra = " (running)";
	fprintf(f, "%6s%c %-20s ", task_showid(id, p->number, t->id),
		t->system ? 's' : ' ', task_title(shown, task_name(t),
		t->entry));
	fputs(task_show(shown, sizeof shown, task_state(t)), f);
	if(t->limits.cancelled){
		fprintf(f, "%scancelled", gap);
		gap = "  ";
	}
	fputs(extra, f);
	if(t->wait.number){
		int n = task_cycle(p, t);
		fputs(gap, f);
		task_putwait(f, p, t);
		if(n > 0)
			fprintf(f, ", in a cycle of %d", n);
	}
}

static void
putplaced(FILE *f, Proc *p, const Task *t)
{
	task_putline(f, p, t);
	putwhere(f, p, t);
	putc('\n', f);
}

/* Of more than AlikeMost that are alike one less is printed, and how many. */
enum { AlikeMost = 4 };

static void
putgathered(FILE *f, Proc *p, const Alike *a)
{
	Kind *k = a->kind;

	if(k->n > AlikeMost && k->shown == AlikeMost - 1)
		return;
	putplaced(f, p, a->task);
	if(++k->shown == AlikeMost - 1 && k->n > AlikeMost)
		fprintf(f, "        %u more like these\n", k->n - k->shown);
}

void
task_putlist(FILE *f, Proc *p)
{
	Gathered g;

	task_gather(&g, p);
	for(size_t i = 0; i < g.n; i++)
		putgathered(f, p, &g.all[i]);
	for(const Task *t = g.all ? NULL : p->all.head; t; t = t->younger)
		putplaced(f, p, t);
	task_gatherend(&g);
}

char *
task_text(Proc *p, void (*print)(FILE *, Proc *))
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	if(f == NULL)
		return NULL;
	print(f, p);
	int lost = fflush(f) != 0 || ferror(f);
	if(fclose(f) == 0 && !lost && text)
		return text;
	free(text);
	return NULL;
}

void
task_report(Proc *p, void (*print)(FILE *, Proc *))
{
	int err = errno;
	char *text = task_text(p, print);

	if(text)
		fputs(text, stderr);
	else
		print(stderr, p);
	free(text);
	errno = err;
}

static void
printlist(FILE *f, Proc *p)
{
	fputs("task list:\n", f);
	putplaced(f, p, &p->fdtask);
	task_putlist(f, p);
}

void
task_list(Proc *p)
{
	task_report(p, printlist);
}
