/* SPDX-License-Identifier: MIT */
/* How a task is named in what the library prints. */
#ifndef TASK_SHOW_H
#define TASK_SHOW_H

#include "../taskimpl.h"

#pragma GCC visibility push(hidden)

/* Room for "task" and a name or state of which every other byte is escaped. */
enum { ShownBytes = 640 };

/*
 * copies s into buf and returns that.  What a terminal would obey is escaped,
 * as \n or \033: names may come from clients, who could so forge lines of a
 * list.  What is longer than n allows is cut.  Handlers of signals may call it.
 */
const char *task_show(char *buf, size_t n, const char *s);

/*
 * puts "task 4 (writer)", or "task 4" if it has no name, into buf likewise;
 * "task 2.4" if other procs are there.
 */
const char *task_showtask(char *buf, size_t n, const Proc *p, const Task *t);

/* puts a task's id, "4" or "2.4" by Proc.number; room for both. */
enum { IdBytes = 24 };
const char *task_showid(char *buf, int number, unsigned int id);

/* A task's texts, "" if they were never set. */
static inline const char *
task_name(const Task *t)
{
	return t->named ? t->name : "";
}

static inline const char *
task_state(const Task *t)
{
	return t->stated ? t->state : "";
}

/* names what runs on t's stack; for messages. */
static inline const char *
task_kind(const Task *t)
{
	if(t->co && t->co->gen)
		return "generator";
	return t->co && t->co->parent ? "coroutine" : "task";
}

#pragma GCC visibility pop
#endif
