/* SPDX-License-Identifier: MIT */
/* Tasks that are alike. */
#ifndef TASK_GATHER_H
#define TASK_GATHER_H

#include "inspect.h"

#pragma GCC visibility push(hidden)

typedef struct Kind Kind;

/* A task among those like it. */
typedef struct Alike Alike;
struct Alike
{
	const Task *task;
	Kind *kind;
	Alike *next;	/* a younger one, or NULL */
};

struct Kind
{
	uint64_t key;	/* 0: there is none here */
	unsigned int n;	/* how many tasks are of it */
	unsigned int shown;	/* for who prints them */
	Alike *first;
	Alike *last;
};

typedef struct Gathered
{
	Alike *all;	/* the oldest first; NULL: there was no memory */
	size_t n;
	Kind *kinds;	/* a hash table */
	size_t mask;
} Gathered;

/* finds the kinds of all tasks of p, which must not run before the end. */
void task_gather(Gathered *g, Proc *p);
void task_gatherend(Gathered *g);

/* list.c: puts a line about t without its end, and for how long it waits. */
void task_putline(FILE *f, Proc *p, const Task *t);
void task_putage(FILE *f, int64_t ns);

/* puts what a task is called into buf, of ShownBytes; returns that. */
const char *task_title(char *buf, const char *name, const void *entry);

#pragma GCC visibility pop
#endif
