/* SPDX-License-Identifier: MIT */
/* A note that wakes nobody, again and again, and a task that wants to read. */
#ifndef CHATTER_H
#define CHATTER_H

#include "../machine/door.h"
#include "../proc/proc.h"
#include "test.h"

enum { SendAt = 1000 };

typedef struct Chatter
{
	Note note;
	int fd;	/* is written to at the note SendAt */
	int n;
	int enough;
} Chatter;

static inline void
chatters(Note *n, void *owner)
{
	Chatter *c = structof(Chatter, note, n);
	Proc *p = owner;

	if(++c->n == SendAt)
		ck_assert_int_eq(write(c->fd, "x", 1), 1);
	if(!c->enough)
		task_doortell(p->door, n);
}

/*
 * A task that is never told of the byte if nobody looks at the descriptors.
 * Returns in *v how many notes came before it was.
 */
static inline void
readsamongnotes(void *v)
{
	Chatter c = {.note = {NULL, chatters}};
	int fds[2];
	char b;

	ck_assert_int_eq(pipe(fds), 0);
	fdnoblock(fds[0]);
	c.fd = fds[1];
	ck_assert_int_eq(task_doortell(task_door(task_proc), &c.note), 0);
	ck_assert_int_eq(fdread(fds[0], &b, 1), 1);
	*(int *)v = c.n;
	c.enough = 1;
	taskdelay(1);	/* the last one is heard */
	fdclose(fds[0]);
	close(fds[1]);
}

#endif
