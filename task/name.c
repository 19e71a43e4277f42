/* SPDX-License-Identifier: MIT */
/* What a task knows and says of itself: id, data, stack left, name, state. */
#include "show.h"
#include <errno.h>
#include <stdio.h>

enum { StackMargin = 2048 };	/* bytes that a call may take besides */

unsigned int
taskid(void)
{
	Proc *p = task_here();

	return p ? p->running->id : 0;
}

int
anyready(void)
{
	return task_proc && task_proc->ready.head;
}

void **
taskdata(void)
{
	Proc *p = task_here();

	return p ? &p->running->data : NULL;
}

void
needstack(int n)
{
	Proc *p = task_proc;
	char here;

	if(p == NULL || p->running->stack == NULL)
		return;
	Stack *s = p->running->stack;
	intptr_t left = (intptr_t)&here - (intptr_t)s->low - StackMargin;
	if(n > left)
		task_misuse("needstack: %d bytes are not left of a stack of "
			"%zu; create the %s with a larger one", n, s->bytes,
			task_kind(p->running));
}

/*
 * returns a text of a task, which becomes valid when it is first asked for: so
 * taskcreate need not clear it.
 */
static char *
text(char *buf, unsigned char *valid)
{
	if(!*valid)	/* the last byte too: for signal handlers */
		buf[0] = buf[TextBytes - 1] = '\0';
	*valid = 1;
	return buf;
}

char *
taskgetname(void)
{
	Proc *p = task_here();

	if(p == NULL)
		return NULL;
	p->running->traced = 0;
	return text(p->running->name, &p->running->named);
}

char *
taskgetstate(void)
{
	Proc *p = task_here();

	return p ? text(p->running->state, &p->running->stated) : NULL;
}

static void
settext(char *buf, const char *fmt, va_list args)
{
	int err = errno;

	if(buf)
		vsnprintf(buf, TextBytes, fmt ? fmt : "", args);
	errno = err;
}

void
taskname(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	settext(taskgetname(), fmt, args);
	va_end(args);
}

void
taskstate(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	settext(taskgetstate(), fmt, args);
	va_end(args);
}
