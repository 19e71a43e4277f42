/* SPDX-License-Identifier: MIT */
/* Tasks that are made in a thread before its scheduler runs: kept for that. */
#include "../taskimpl.h"

static _Thread_local struct
{
	Early *head;
	Early *tail;
	int n;	/* bounded by the memory that each takes */
} kept;

_Thread_local int (*task_earlyhost)(void (*fn)(void *), void *arg,
	size_t stack);

/* 1 is the id of the first function, whoever was made before it. */
int
task_early(void (*fn)(void *), void *arg, size_t stack)
{
	if(task_earlyhost)
		return task_earlyhost(fn, arg, stack);
	Early *e = task_sys.alloc(sizeof *e);
	if(e == NULL)
		return -1;
	*e = (Early){NULL, fn, arg, stack};
	if(kept.head)
		kept.tail->next = e;
	else
		kept.head = e;
	kept.tail = e;
	return 1 + ++kept.n;
}

const Early *
task_earlyfirst(void)
{
	return kept.head;
}

void
task_earlyclear(void)
{
	for(Early *e = kept.head, *next; e; e = next){
		next = e->next;
		task_sys.free(e);
	}
	kept.head = NULL;
	kept.n = 0;
}
