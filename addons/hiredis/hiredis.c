/* SPDX-License-Identifier: MIT */
/* Asynchronous contexts of hiredis: what they want is waited for by a task. */
#include "taskhiredis.h"
#include <errno.h>
#include <hiredis/async.h>
#include <stdlib.h>

enum { Read, Write };
enum { StackBytes = 256 * 1024 };	/* it calls the program */

/* What hiredis knows as ev.data; its task frees it, or cleanup after that. */
typedef struct Driven
{
	redisAsyncContext *ac;	/* NULL: hiredis has freed it */
	int fd;
	int wants[2];	/* to be told when fd can be read, and written */
	Event changed;	/* ac or these have */
	int over;	/* its task has ended */
} Driven;

static void
want(Driven *d, int rw, int on)
{
	if(d->wants[rw] != on)
		eventset(&d->changed);
	d->wants[rw] = on;
}

static void
addread(void *v)
{
	want(v, Read, 1);
}

static void
delread(void *v)
{
	want(v, Read, 0);
}

static void
addwrite(void *v)
{
	want(v, Write, 1);
}

static void
delwrite(void *v)
{
	want(v, Write, 0);
}

/* fd will be closed, without the library, before the task runs again. */
static void
cleanup(void *v)
{
	Driven *d = v;

	d->ac = NULL;
	if(d->over)
		free(d);
	else
		eventset(&d->changed);
}

/*
 * Whether ac is there, and no other task is about to free it, in a function
 * that it calls for that and that blocks.
 */
static int
usable(const Driven *d)
{
	return d->ac && !(d->ac->c.flags & (REDIS_FREEING | REDIS_IN_CALLBACK));
}

/* waits for what hiredis wants, and lets it do that; -1 if it cannot wait. */
static int
turn(Driven *d)
{
	int on = usable(d);
	Alt a[] = {{.op = ALTEVENT, .e = &d->changed},
		{.op = on && d->wants[Read] ? ALTREAD : CHANNOP, .fd = d->fd},
		{.op = on && d->wants[Write] ? ALTWRITE : CHANNOP, .fd = d->fd},
		{.op = CHANEND}};

	eventclear(&d->changed);
	int i = chanalt(a);
	if(i == 1 && usable(d))
		redisAsyncHandleRead(d->ac);
	if(i == 2 && usable(d))
		redisAsyncHandleWrite(d->ac);
	return i;
}

static void
drive(void *v)
{
	Driven *d = v;

	tasksystem();
	taskname("hiredis %d", d->fd);
	while(d->ac && turn(d) >= 0)
		;
}

/* The task may have been cancelled before it ran. */
static void
ended(void *v)
{
	Driven *d = v;

	if(d->ac)
		redisAsyncFree(d->ac);
	d->over = 1;
	if(d->ac == NULL)	/* else another task frees it just now */
		free(d);
}

/* makes its task: 0, or -1 and errno. */
static int
start(Driven *d)
{
	int id = taskcreate(drive, d, StackBytes);

	if(id < 0 || tasklink(id, ended, d) == 0)
		return id < 0 ? -1 : 0;
	int err = errno;
	taskcancel(id);	/* it will not run */
	errno = err;
	return -1;
}

int
hiredisattach(redisAsyncContext *ac)
{
	int err = errno;

	errno = taskid() == 0 ? EPERM : ac == NULL || ac->err ? EINVAL :
		ac->ev.data ? EBUSY : 0;
	Driven *d = errno ? NULL : malloc(sizeof *d);
	if(d == NULL)
		return -1;
	/* it may be connecting: whether it can be written will tell */
	*d = (Driven){ac, ac->c.fd, {1, 1}, {0}, 0};
	fdnoblock(d->fd);
	if(start(d) < 0){
		free(d);
		return -1;
	}
	ac->ev.addRead = addread;
	ac->ev.delRead = delread;
	ac->ev.addWrite = addwrite;
	ac->ev.delWrite = delwrite;
	ac->ev.cleanup = cleanup;
	ac->ev.data = d;
	errno = err;
	return 0;
}
