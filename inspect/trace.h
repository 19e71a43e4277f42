/* SPDX-License-Identifier: MIT */
/* What a trace consists of: see trace.c, and trace(3) for the file. */
#ifndef TASK_TRACE_H
#define TASK_TRACE_H

#include "inspect.h"

#pragma GCC visibility push(hidden)

enum Tracekind
{
	TraceTime = 1,	/* aux: ns to be added, where 32 bits are too few */
	TraceCreate,	/* aux: id of its creator */
	TraceSwitch,	/* task: who goes on; why the other stopped; on what */
	TraceReady,	/* aux: id of who woke it */
	TraceName,	/* aux: a string */
	TraceMark,	/* the same */
	TraceBegin,
	TraceEnd,
	TraceSnapshot,	/* aux: so many states follow */
	TraceState,	/* why it is parked, and on what */
	TraceCounter,
	TraceLost	/* aux: so much is not here */
};

enum { TraceYielded = 254, TraceEnded = 255, TraceReadyNow = 254,
	TraceRunning = 255 };	/* in place of a reason */

typedef struct Event
{
	uint32_t dt;	/* ns since the last one */
	uint32_t task;
	uint8_t kind;
	uint8_t why;
	uint16_t high;	/* of aux */
	uint32_t low;
} Traceevent;

/* Strings by their numbers, from 1 on. */
typedef struct Strings
{
	char *text;	/* all, each with its 0 */
	size_t used;
	uint32_t *at;	/* where each begins */
	uint32_t n;
	uint32_t *slots;	/* a hash table of numbers; 0: free */
	uint32_t others;	/* number of "...", for what has no room */
} Strings;

/* A ring of whole parts, each of which begins with a snapshot. */
enum { TraceParts = 8, TraceLeast = 64 * 1024 };

typedef struct Tracer
{
	Seer seer;
	Traceevent *ring;
	size_t nring;	/* events that it holds */
	uint64_t n;	/* that were ever written */
	int64_t last_ns;
	int64_t part_ns[TraceParts];	/* when the part began */
	Strings strings;
} Tracer;

/* What is kept of one proc for a file. */
typedef struct Traced
{
	struct Traced *next;
	int proc;
	int64_t start_ns;
	Traceevent *events;
	size_t n;
	Strings strings;	/* text and at only */
} Traced;

/* begins and ends recording in p; -1 with ENOMEM. */
int task_tracebegin(Proc *p, size_t bytes);
void task_traceend(Proc *p);

/* records a mark, or the begin or end of a section. */
void task_tracetext(Proc *p, enum Tracekind kind, const char *text);

/* p's trace ends, which may have to be in a file. */
void task_tracekeep(Proc *p);

/*
 * copies what p has recorded, from its oldest whole part on; NULL with ENOMEM,
 * or if nothing is recorded.
 */
Traced *task_traced(Proc *p);
void task_tracedfree(void *t);

/*
 * tracesave.c: returns what all procs have recorded, as a file has it, in
 * memory of the system's; NULL with EINVAL (p records nothing) or ENOMEM.
 * Blocks: until they have answered.
 */
char *task_tracefile(Proc *p, size_t *n);

#pragma GCC visibility pop
#endif
