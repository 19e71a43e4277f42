/* SPDX-License-Identifier: MIT */
/* What can be said of a proc whose thread a task keeps. */
#include "console.h"
#include "../inspect/gather.h"
#include <string.h>

const Column task_pscolumns[] = {
	{"id", 7, CellText},
	{"name", -20, CellText},
	{"state", -7, CellText},
	{"age_ns", 9, CellAge},
	{"why", 0, CellText},
	{"object", 0, CellText},
	{NULL, 0, 0}
};

/* The last look at the clock was up to 64 switches before. */
static void
putcomputes(FILE *f, const Silent *o)
{
	fprintf(f, "proc %d computes in ", o->number);
	task_putshot(f, &o->s);
	fprintf(f, " for %.1f s\n",
		(double)(task_sys.now() - o->s.since_ns) / Second);
}

static void
putoutsiderow(Rows *r, const Silent *o, const Seentask *t)
{
	char id[IdBytes], title[ShownBytes];
	int runs = t->id == o->s.id;

	task_cell(r, "%s", task_showid(id, o->s.number, t->id));
	task_cell(r, "%s", task_title(title, t->name, t->entry));
	task_cell(r, "%s", runs ? "running" : t->waits ? "parked" : "ready");
	task_cellage(r, t->waits ? task_sys.now() - t->since_ns : -1);
	task_cell(r, "%s", t->waits ? task_whyname((int)t->why) : "");
	task_cell(r, "%s", "");
}

static int
isseen(FILE *f, const Silent *o)
{
	if(o->err)
		fprintf(f, "proc %d: does not answer, and %s\n", o->number,
			o->err == ESRCH ? "has ended" : o->err == ETIMEDOUT ?
			"SIGURG is blocked there, or handled otherwise" :
			strerror(o->err));
	return o->err == 0;
}

int
task_outsideps(FILE *f, const Silent *o, int json, int later)
{
	Rows r = {f, json, task_pscolumns, 0, later};

	if(json ? o->err != 0 : !isseen(f, o))
		return -1;
	if(!json)
		putcomputes(f, o);
	for(int i = 0; i < o->s.nseen; i++)
		if(!o->tasks[i].system)
			putoutsiderow(&r, o, &o->tasks[i]);
	if(!json && o->s.ntask > o->s.nseen)
		fprintf(f, "%7s and %d more\n", "", o->s.ntask - o->s.nseen);
	return 0;
}

int
task_outsidebt(FILE *f, const Silent *o)
{
	if(!isseen(f, o))
		return -1;
	putcomputes(f, o);
	task_putshotcalls(f, &o->s, o->pc, o->ncall);
	return 0;
}
