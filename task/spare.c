/* SPDX-License-Identifier: MIT */
/* Memory for buffers, which come and go: a few of the last are kept. */
#include "life.h"

/*
 * A stream has a buffer from when something comes until it waits again, which
 * is for each request.  What was used last is in the caches, and malloc takes
 * longer to find something.
 */
enum { SparesMost = 4 };

struct Spare
{
	Spare *next;
};

/* Where memory is watched none is kept, so that uses of freed memory show. */
void
task_sparebegin(Spares *s)
{
	s->n = task_told() ? SparesMost : 0;
}

void *
task_spareget(Spares *s)
{
	Spare *first = s->first;

	if(first == NULL)
		return task_sys.resize(NULL, SpareBytes);
	s->first = first->next;
	s->n--;
	return first;
}

void
task_spareput(Spares *s, void *v)
{
	Spare *first = v;

	if(s->n == SparesMost){
		task_sys.free(v);
		return;
	}
	first->next = s->first;
	s->first = first;
	s->n++;
}

void
task_sparefree(Spares *s)
{
	Spare *first;

	while((first = s->first)){
		s->first = first->next;
		s->n--;
		task_sys.free(first);
	}
}
