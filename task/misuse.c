/* SPDX-License-Identifier: MIT */
/* The proc of this thread, and the end of a program that misuses it. */
#include "show.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

_Thread_local Proc *task_proc, *task_hosted;

Proc *
task_here(void)
{
	if(task_proc == NULL)
		errno = EPERM;
	return task_proc;
}

Proc *
task_caller(const void *object)
{
	Proc *p = task_here();

	if(p && object)
		return p;
	if(p)
		errno = EINVAL;
	return NULL;
}

void
task_misuse(const char *fmt, ...)
{
	Proc *p = task_proc;
	char name[ShownBytes];
	va_list args;

	va_start(args, fmt);
	flockfile(stderr);
	if(p)
		fprintf(stderr, "%s: ", task_showtask(name, sizeof name, p,
			p->running));
	vfprintf(stderr, fmt, args);
	putc('\n', stderr);
	funlockfile(stderr);
	va_end(args);
	if(p){
		p->list(p);
		p->told = 1;
	}
	abort();
}
