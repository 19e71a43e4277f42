/* SPDX-License-Identifier: MIT */
/* Snapshots in words. */
#include "snapshot.h"
#include "symbol.h"

int
task_lookatsilent(void *v)
{
	Silent *o = v;

	task_snapshotarrange(1);
	const Snapshot *s = task_snapshot(o->number, o->tasks, SeenMost);
	o->err = s ? 0 : errno;
	if(s){
		o->s = *s;
		o->ncall = task_snapshotstack(s, o->pc, StackFrames);
		task_snapshotend();
	}
	task_snapshotarrange(0);
	return o->err;
}

void
task_putshot(FILE *f, const Snapshot *s)
{
	char id[IdBytes];

	fprintf(f, "task %s", task_showid(id, s->number, s->id));
	if(*s->name)
		fprintf(f, " (%s)", s->name);
}

void
task_putshotcalls(FILE *f, const Snapshot *s, void *const *pc, int n)
{
	char line[MakerBytes];

	n = task_calls(pc, n);
	for(int i = 0; i < n; ){
		i = task_frameline(line, sizeof line, pc, n, i, 1);
		fputs(line, f);
	}
	if(*task_maker(line, s->number, s->made, s->creator))
		fprintf(f, "    %s\n", line);
}
