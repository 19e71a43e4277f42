/* SPDX-License-Identifier: MIT */
/* What a descriptor has in place of tasks that are yet to be made: see on.c. */
#include "fd.h"

static void
countevents(Fd *f)
{
	f->onevents = 0;
	for(const Fdon *o = f->on; o; o = o->next)
		f->onevents |= (unsigned char)o->event;
}

void
task_fdonadd(Fdtable *table, Fd *f, Fdon *o)
{
	o->next = f->on;
	f->on = o;
	table->nwaiting++;
	countevents(f);
}

int
task_fdonremove(Fdtable *table, Fd *f, const Fdon *o)
{
	Fdon **at = &f->on;

	while(*at && *at != o)
		at = &(*at)->next;
	if(*at == NULL)
		return 0;
	*at = o->next;
	table->nwaiting--;
	countevents(f);
	return 1;
}

/* Of an o that has been called nothing is touched any more. */
void
task_fdonready(Fdtable *table, Fd *f, int events)
{
	Fdon **at = &f->on;

	while(*at){
		Fdon *o = *at, *next = o->next;
		if((events & (o->event | PollErr)) == 0 || !o->fn(o, 1))
			at = &o->next;
		else{
			*at = next;
			table->nwaiting--;
		}
	}
	countevents(f);
}

void
task_fdonnone(Fdtable *table, Fd *f, int events)
{
	Fdon **at = &f->on;

	while(*at){
		Fdon *o = *at;
		if((o->event & events) == 0){
			at = &o->next;
			continue;
		}
		*at = o->next;
		table->nwaiting--;
		o->fn(o, 0);
	}
	countevents(f);
}
