/* SPDX-License-Identifier: MIT */
/* Reports of tasks that do not let others run. */
#include "offence.h"
#include "inspect.h"
#include "snapshot.h"
#include <stdarg.h>
#include <string.h>

enum { TellMost = 5 };	/* reports in a second */

/*
 * Places that it has told of: again of the 2nd, 4th, 8th run, and of one that
 * lasts twice as long as any before.
 */
enum { Places = 64 };

static struct
{
	const void *pc;
	unsigned int n;	/* runs */
	int64_t most_ns;	/* the longest that was told of */
} places[Places];

/* The kernel's letter for what a thread does; 0 where it is not told. */
static int
stateof(int tid)
{
	char path[64], line[256], *at = line;
	int state = 0;

	snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
	FILE *f = fopen(path, "re");
	if(f == NULL)
		return 0;
	if(fgets(line, sizeof line, f) && (at = strrchr(line, ')')) &&
			at[1] == ' ')
		state = at[2];
	fclose(f);
	return state;
}

static const char *
whatitdoes(const Offence *o, int state)
{
	if(o->computes)
		return "computes";
	if(state == 0)
		return "is blocked in a call, or was not given a CPU";
	return state == 'R' ? "was not given a CPU" : "is blocked in a call";
}

static int
toldof(const Offence *o, const void *pc)
{
	size_t i = ((uintptr_t)pc >> 2) % Places;

	if(places[i].pc != pc){
		places[i].pc = pc;
		places[i].n = 0;
		places[i].most_ns = 0;
	}
	unsigned int n = places[i].n += o->first;
	int longer = o->ns / 2 >= places[i].most_ns;
	if(o->ns > places[i].most_ns)
		places[i].most_ns = o->ns;
	return !longer && (!o->first || (n & (n - 1)) != 0);
}

/* Not by stdio: a task may be stuck in there, with stderr locked. */
static void
say(const char *text)
{
	task_sys.write(2, text, strlen(text));
}

static void TASK_PRINTF(1, 2)
sayf(const char *fmt, ...)
{
	char line[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	say(line);
}

/* No more than some reports in a second; the next one says how many. */
static int
enough(int64_t now)
{
	static int64_t second_ns;
	static int told;

	if(now - second_ns >= Second){
		if(told > TellMost)
			sayf("taskwatchdog: %d more of these in a second\n",
				told - TellMost);
		second_ns = now;
		told = 0;
	}
	return ++told > TellMost;
}

/* The place by which it is known again: the call in the task's own function. */
static const void *
placeof(const Snapshot *s, void *const *pc, int n)
{
	n = task_calls(pc, n);
	return n > 1 ? pc[n - 1] : s->entry;
}

/* In one write; what helps is said once. */
static void
putreport(const Offence *o, const Snapshot *s, int state, void *const *pc,
	int n)
{
	static const char *advice = "    taskyield(3) and offload(3) let "
		"others run; taskbusy(1) says that this is meant to be\n";
	static char buf[8192];
	FILE *f = fmemopen(buf, sizeof buf, "w");

	if(f == NULL){
		sayf("task %u has not let others run; no memory to say more\n",
			s->id);
		return;
	}
	task_putshot(f, s);
	fprintf(f, " has not let others run for %lld ms: it %s (%lld ms of "
		"CPU)\n", (long long)(o->ns / Millisecond),
		whatitdoes(o, state), (long long)(o->cpu_ns / Millisecond));
	task_putshotcalls(f, s, pc, n);
	fputs(advice, f);
	advice = "";
	fclose(f);
	buf[sizeof buf - 1] = '\0';
	say(buf);
}

/*
 * Busy tasks, and what has let others run since, are none of our business; nor
 * is what a debugger holds.
 */
void
task_blame(const Offence *o)
{
	void *pc[StackFrames];
	int state = stateof(o->tid);

	if(state == 'T' || state == 't')
		return;
	const Snapshot *s = task_snapshot(o->number, NULL, 0);
	if(s == NULL){
		if(errno == ETIMEDOUT && !enough(task_sys.now()))
			sayf("proc %d: a task has not let others run for %lld "
				"ms, and SIGURG is not answered\n", o->number,
				(long long)(o->ns / Millisecond));
		return;
	}
	int n = task_snapshotstack(s, pc, StackFrames);
	if(s->nswitch == o->nswitch && s->id != 0 && !s->busy &&
			!toldof(o, placeof(s, pc, n)) &&
			!enough(task_sys.now()))
		putreport(o, s, state, pc, n);
	task_snapshotend();
}
