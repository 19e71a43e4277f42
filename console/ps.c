/* SPDX-License-Identifier: MIT */
/* The console's lists of tasks, and of the calls that they are in. */
#include "console.h"
#include "../inspect/elsewhere.h"
#include "../inspect/gather.h"
#include "rows.h"
#include "../inspect/symbol.h"
#include "../proc/proc.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char *
statename(const Taskinfo *i)
{
	return i->status == TASKRUNNING ? "running" :
		i->status == TASKREADY ? "ready" : "parked";
}

static void
cellid(Rows *r, const Proc *p, const Task *t)
{
	char id[IdBytes];

	task_cell(r, "%s", task_showid(id, p->number, t->id));
}

/* These two are not inline, so that frames stay small. */
__attribute__((noinline)) static void
cellname(Rows *r, const Task *t)
{
	char title[ShownBytes];

	task_cell(r, "%s", t->id ? task_title(title, task_name(t),
		t->entry) : "fdtask");
}

static void
putpsrow(Rows *r, Proc *p, const Task *t)
{
	Taskinfo i;

	task_inform(&i, p, t);
	cellid(r, p, t);
	cellname(r, t);
	task_cell(r, "%s%s", i.cancelled ? "cancel " : "", statename(&i));
	task_cellage(r, i.since_ns >= 0 ? p->now() - i.since_ns : -1);
	task_cell(r, "%s", i.status == TASKPARKED ? i.why : "");
	task_cell(r, "%s", i.object);
}

/* What ps is to do, for other procs too. */
enum { PsJson = 1, PsSystem = 2, PsLater = 4 };

static void
putps(FILE *f, Proc *p, int how)
{
	Rows r = {f, how & PsJson, task_pscolumns, 0, (how & PsLater) != 0};

	if(how & PsSystem)
		putpsrow(&r, p, &p->fdtask);
	for(const Task *t = p->all.head; t; t = t->younger)
		if(!t->system || (how & PsSystem))
			putpsrow(&r, p, t);
}

static void *
textofps(Proc *p, void *arg)
{
	return task_puttext(p, putps, (int)*(size_t *)arg);
}

/*
 * returns what is seen of a proc that does not answer; NULL without memory.  A
 * thread of the pool looks: the caller's is not to wait for the other one.
 */
static Silent *
lookatsilent(int number)
{
	Silent *o = task_sys.alloc(sizeof *o);

	if(o == NULL)
		return NULL;
	o->number = number;
	if(task_offload(task_lookatsilent, o) < 0)
		o->err = errno;
	return o;
}

static void
putpssilent(FILE *f, int number, int how)
{
	Silent *o = lookatsilent(number);

	if(o)
		task_outsideps(f, o, how & PsJson, how & PsLater);
	task_sys.free(o);
}

static int
putbtsilent(FILE *f, int number)
{
	Silent *o = lookatsilent(number);
	int r = o ? task_outsidebt(f, o) : -1;

	task_sys.free(o);
	return r;
}

/* Others go on meanwhile: so this proc's tasks are listed before it waits. */
static void
putpsothers(FILE *f, Proc *p, int how, long start)
{
	for(int n = 0; (n = task_nextproc(n)) > 0; ){
		if(n == p->member->number)
			continue;
		if(ftell(f) > start)
			how |= PsLater;
		if(task_ask(f, n, textofps, how) < 0 && errno == ETIMEDOUT)
			putpssilent(f, n, how);
	}
}

int
task_conps(Proc *p, Session *s, FILE *f, int argc, char **argv)
{
	int every = argc == 2 && strcmp(argv[1], "-a") == 0;
	int how = (s->json ? PsJson : 0) | (every ? PsSystem : 0);
	Rows r = {f, s->json, task_pscolumns, 0, 0};

	if(argc > 1 && !every){
		fputs("ps: -a, or nothing", f);
		return -1;
	}
	task_rowsbegin(&r);
	long start = ftell(f);
	putps(f, p, how);
	putpsothers(f, p, how, start);
	task_rowsend(&r);
	return 0;
}

static void
putbt(FILE *f, Proc *p, int id)
{
	const Task *t = task_find(p, id);

	if(t == NULL){
		fprintf(f, "no such task: %d\n", id);
		return;
	}
	task_putline(f, p, t);
	putc('\n', f);
	task_putstack(f, p, t);
}

static void *
textofbt(Proc *p, void *arg)
{
	return task_puttext(p, putbt, (int)*(size_t *)arg);
}

int
task_conbt(Proc *p, Session *s, FILE *f, int argc, char **argv)
{
	int proc, id;

	(void)s;
	if(argc != 2){
		fputs("bt: of which task, or all?", f);
		return -1;
	}
	if(strcmp(argv[1], "all") == 0){
		task_putall(f, p);
		return 0;
	}
	if(task_conid(f, p, argv[1], &proc, &id) < 0)
		return -1;
	if(proc == p->member->number)
		putbt(f, p, id);
	else if(task_ask(f, proc, textofbt, id) < 0 && (errno != ETIMEDOUT ||
			putbtsilent(f, proc) < 0)){
		fprintf(f, "proc %d: %s", proc, errno == ESRCH ?
			"there is none" : "does not answer");
		return -1;
	}
	return 0;
}

/* Top */

static const Column topcolumns[] = {
	{"id", 7, CellText},
	{"name", -20, CellText},
	{"ran", 5, CellNumber},
	{"longest_ns", 9, CellAge},
	{"ready_ns", 9, CellAge},
	{"switches", 9, CellNumber},
	{"stack", 9, CellNumber},
	{"why", 0, CellText},
	{NULL, 0, 0}
};

/* For programs, which look again and again and subtract. */
static const Column topjson[] = {
	{"id", 0, CellText},
	{"name", 0, CellText},
	{"ran", 0, CellNumber},
	{"longest_ns", 0, CellAge},
	{"ready_ns", 0, CellAge},
	{"switches", 0, CellNumber},
	{"stack", 0, CellNumber},
	{"why", 0, CellText},
	{"object", 0, CellText},
	{"state", 0, CellText},
	{"age_ns", 0, CellAge},
	{"ran_ns", 0, CellAge},
	{"stacksize", 0, CellNumber},
	{"location", 0, CellText},
	{NULL, 0, 0}
};

/* How long a task had run before, and since. */
typedef struct Spent
{
	unsigned int id;
	const Task *task;
	uint64_t ns;
} Spent;

/* in the order of their ids, but for ids that have come round */
static int
byid(const void *a, const void *b)
{
	const Spent *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int
byspent(const void *a, const void *b)
{
	const Spent *x = a, *y = b;

	return (x->ns < y->ns) - (x->ns > y->ns);
}

/* returns what all have spent, in memory of alloc's; NULL. */
static Spent *
spentsofar(Proc *p, size_t *n)
{
	Spent *spent = task_sys.alloc(((size_t)p->ntask + 1) * sizeof *spent);

	if(spent == NULL)
		return NULL;
	*n = 0;
	spent[(*n)++] = (Spent){0, &p->fdtask, task_ran(p, &p->fdtask).ns};
	for(const Task *t = p->all.head; t; t = t->younger)
		spent[(*n)++] = (Spent){t->id, t, task_ran(p, t).ns};
	return spent;
}

__attribute__((noinline)) static void
cellplace(Rows *r, Proc *p, const Task *t)
{
	char text[SymbolBytes];
	const void *pc = t->id ? task_place(p, t) : NULL;

	task_cell(r, "%s", pc ? task_symbol(text, sizeof text, pc, 1) : "");
}

/* JSON has a point in any locale. */
static void
cellshare(Rows *r, uint64_t ns, int64_t of)
{
	double percent = of > 0 ? 100.0 * (double)ns / (double)of : 0;
	long long thousandth = (long long)(1000 * percent);

	if(r->json)
		task_cell(r, "%lld.%03lld", thousandth / 1000,
			thousandth % 1000);
	else
		task_cell(r, "%.1f%%", percent);
}

__attribute__((noinline)) static void
puttoprow(Rows *r, Proc *p, const Spent *s, int64_t ns)
{
	Taskinfo i;
	const Task *t = s->task;

	task_inform(&i, p, t);
	cellid(r, p, t);
	cellname(r, t);
	cellshare(r, s->ns, ns);
	task_cellage(r, (int64_t)i.longest_ns);
	task_cellage(r, (int64_t)i.ready_ns);
	task_cell(r, "%u", i.switches);
	task_cell(r, "%zu", i.stackused);
	task_cell(r, "%s%s%s", i.why, *i.object && !r->json ? " " : "",
		r->json ? "" : i.object);
	if(!r->json)
		return;
	task_cell(r, "%s", i.object);
	task_cell(r, "%s", statename(&i));
	task_cellage(r, i.since_ns >= 0 ? p->now() - i.since_ns : -1);
	task_cellage(r, (int64_t)i.ran_ns);
	task_cell(r, "%zu", i.stack);
	cellplace(r, p, t);
}

/* What was before is subtracted; a task that has come since has none. */
static void
puttop(FILE *f, Proc *p, int json, const Spent *before, size_t nbefore,
	int64_t ns)
{
	Rows r = {f, json, json ? topjson : topcolumns, 0, 0};
	size_t n;
	Spent *spent = spentsofar(p, &n);

	if(spent == NULL){
		fputs("no memory for the list of tasks\n", f);
		return;
	}
	for(size_t i = 0; i < n; i++){
		const Spent *was = bsearch(&spent[i], before, nbefore,
			sizeof *before, byid);
		if(was && was->ns <= spent[i].ns)
			spent[i].ns -= was->ns;
	}
	qsort(spent, n, sizeof *spent, byspent);
	task_rowsbegin(&r);
	for(size_t i = 0; i < n; i++)
		puttoprow(&r, p, &spent[i], ns);
	task_rowsend(&r);
	task_sys.free(spent);
}

/* It is on until the last session that has asked ends. */
static int
profilefor(Proc *p, Session *s)
{
	if(s->profiles)
		return 0;
	if(task_setprofile(p, ByConsole, 1) < 0)
		return -1;
	s->profiles = 1;
	p->console->nprofile++;
	return 0;
}

enum { TopMs = 1000, TopMostMs = 60000 };

/* Blocks: for so many ms. */
int
task_contop(Proc *p, Session *s, FILE *f, int argc, char **argv)
{
	unsigned long ms = TopMs;
	size_t n;

	if(argc > 2 || (argc == 2 && !task_isnumber(argv[1], TopMostMs, &ms))){
		fprintf(f, "top: for how many ms? %d at most", TopMostMs);
		return -1;
	}
	Spent *before = profilefor(p, s) < 0 ? NULL : spentsofar(p, &n);
	if(before == NULL){
		fputs("no memory for it", f);
		return -1;
	}
	qsort(before, n, sizeof *before, byid);
	int64_t from = p->now();
	if(ms > 0)
		taskdelay((unsigned int)ms);
	puttop(f, p, s->json, before, ms > 0 ? n : 0, p->now() - from);
	task_sys.free(before);
	return 0;
}
