/* SPDX-License-Identifier: MIT */
/* Records what the tasks of a proc do, the last of it. */
#include "trace.h"
#include "symbol.h"
#include "../fd/fd.h"
#include "../proc/proc.h"
#include <errno.h>
#include <string.h>

/*
 * The ring is written by its proc only, so there is no lock.  It consists of
 * parts; whenever a new one begins, over the oldest, a snapshot goes first: who
 * there is, and why each waits.  So what is left of the ring can be read from
 * its oldest whole part on, whatever has been lost before.
 */

enum
{
	StringBytes = 64 * 1024,	/* of names and marks, of each proc */
	StringsMost = 4096,
	StringMost = 128	/* of one; more is cut */
};

static uint32_t
hash(const char *text)
{
	uint32_t h = 2166136261;

	for(; *text; text++)
		h = (h ^ (unsigned char)*text) * 16777619;
	return h;
}

static uint32_t
add(Strings *s, const char *text, size_t n)
{
	memcpy(s->text + s->used, text, n);
	s->at[s->n++] = (uint32_t)s->used;
	s->used += n;
	return s->n;
}

/*
 * returns the number of text, which is escaped already; where there is no room
 * for it that of "...".
 */
static uint32_t
intern(Strings *s, const char *text)
{
	uint32_t i = hash(text) % (2 * StringsMost);
	size_t n = strlen(text) + 1;

	for(; s->slots[i]; i = (i + 1) % (2 * StringsMost))
		if(strcmp(s->text + s->at[s->slots[i] - 1], text) == 0)
			return s->slots[i];
	if(s->n + 1 < StringsMost && s->used + n + sizeof "..." <= StringBytes)
		return s->slots[i] = add(s, text, n);
	if(s->others == 0)
		s->others = add(s, "...", sizeof "...");
	return s->others;
}

static void
put(Tracer *t, uint32_t dt, uint32_t task, enum Tracekind kind,
	unsigned int why, uint64_t aux)
{
	t->ring[t->n++ % t->nring] = (Traceevent){dt, task, (uint8_t)kind,
		(uint8_t)why, (uint16_t)(aux >> 32), (uint32_t)aux};
}

static void snapshot(Tracer *t, Proc *p);

/* records an event, where need be one that tells the time, or a snapshot. */
static void
record(Tracer *t, Proc *p, int64_t now, uint32_t task, enum Tracekind kind,
	unsigned int why, uint64_t aux)
{
	size_t part = t->nring / TraceParts;

	/* a hook before it may have put a mark, which is later */
	now = now > t->last_ns ? now : t->last_ns;
	uint64_t dt = (uint64_t)(now - t->last_ns);

	/* room for both is left in the part, or another one begins */
	if(t->n % part == 0 || t->n % part == part - 1){
		while(t->n % part)
			put(t, 0, 0, TraceTime, 0, 0);
		t->part_ns[t->n / part % TraceParts] = now;
		t->last_ns = now;
		dt = 0;
		snapshot(t, p);
	}
	t->last_ns = now;
	if(dt > UINT32_MAX){
		put(t, 0, 0, TraceTime, 0, dt - UINT32_MAX);
		dt = UINT32_MAX;
	}
	put(t, (uint32_t)dt, task, kind, why, aux);
}

static uint64_t
objectof(const Task *t)
{
	enum Why why = t->wait.why;

	if(why == WaitTask)
		return t->wait.object.id;
	if((why >= WaitRead && why <= WaitPause) || why == WaitSignal)
		return (uint32_t)t->wait.object.fd;
	return (uintptr_t)t->wait.object.v & 0xffffffffffff;
}

static uint32_t
titleof(Tracer *t, const Task *u)
{
	char text[ShownBytes];

	if(*task_name(u))
		task_show(text, StringMost, task_name(u));
	else if(u->entry && task_outside(u->entry))
		task_function(text, StringMost, u->entry);
	else
		strcpy(text, u->id ? "task" : "fdtask");
	return intern(&t->strings, text);
}

/* A part has room for some tasks only: it is said how many are not there. */
static void
snapshot(Tracer *t, Proc *p)
{
	size_t most = t->nring / TraceParts / 4, n = 0;
	uint64_t total = (uint64_t)p->ntask + 1;

	put(t, 0, 0, TraceSnapshot, 0, total < most ? total : most);
	for(Task *u = &p->fdtask; u && n < most; n++){
		int runs = u == p->running;
		unsigned int why = runs ? TraceRunning :
			u->wait.number ? u->wait.why : TraceReadyNow;
		put(t, 0, u->id, TraceState, why, runs ||
			!u->wait.number ? 0 : objectof(u));
		put(t, 0, u->id, TraceName, 0, titleof(t, u));
		u->traced = 1;
		u = u == &p->fdtask ? p->all.head : u->younger;
	}
	if(total > most)
		put(t, 0, 0, TraceLost, 0, total - most);
	put(t, 0, 0, TraceCounter, 0, (uint64_t)p->ntask);
	put(t, 0, 0, TraceCounter, 2, (uint64_t)p->fds->nwaiting);
	put(t, 0, 0, TraceCounter, 3, p->sleeping.n);
}

static void
recordstop(Seer *s, Proc *p, Task *to, int64_t now)
{
	Tracer *t = structof(Tracer, seer, s);
	Task *from = p->running;
	int why = task_whystopped(p);

	if(!from->traced){	/* it has told its name meanwhile */
		record(t, p, now, from->id, TraceName, 0, titleof(t, from));
		from->traced = 1;
	}
	record(t, p, now, to->id, TraceSwitch, why < 0 ? TraceEnded :
		why == 0 ? TraceYielded : (unsigned int)why,
		why > 0 ? objectof(from) : 0);
}

static void
recordwake(Seer *s, Proc *p, Task *u, int64_t now)
{
	Tracer *t = structof(Tracer, seer, s);

	if(u->stopped == NotYet){
		u->traced = 0;
		record(t, p, now, u->id, TraceCreate, 0, p->running->id);
	}else
		record(t, p, now, u->id, TraceReady, 0, p->running->id);
}

static Tracer *
tracerof(const Proc *p)
{
	Seer *s = task_seerfind(p, recordstop);

	return s ? structof(Tracer, seer, s) : NULL;
}

int
task_istraced(const Proc *p)
{
	return tracerof(p) != NULL;
}

static void
freetracer(Tracer *t)
{
	if(t){
		task_sys.free(t->ring);
		task_sys.free(t->strings.text);
		task_sys.free(t->strings.at);
		task_sys.free(t->strings.slots);
	}
	task_sys.free(t);
}

static Tracer *
newtracer(size_t bytes)
{
	Tracer *t = task_sys.alloc(sizeof *t);
	size_t n = TraceLeast;

	if(t == NULL)
		return NULL;
	while(n < bytes)
		n *= 2;
	t->nring = n / sizeof *t->ring;
	t->ring = task_sys.alloc(n);
	t->strings.text = task_sys.alloc(StringBytes);
	t->strings.at = task_sys.alloc(StringsMost * sizeof(uint32_t));
	t->strings.slots = task_sys.alloc(2 * StringsMost * sizeof(uint32_t));
	if(t->ring && t->strings.text && t->strings.at && t->strings.slots)
		return t;
	freetracer(t);
	return NULL;
}

static void
endtrace(Proc *p)
{
	Tracer *t = tracerof(p);

	task_tracekeep(p);
	task_seerend(p, &t->seer);
	freetracer(t);
}

int
task_tracebegin(Proc *p, size_t bytes)
{
	if(tracerof(p))
		return 0;
	Tracer *t = newtracer(bytes);
	if(t == NULL)
		return -1;
	t->seer = (Seer){.stops = recordstop, .wakes = recordwake,
		.end = endtrace};
	t->last_ns = p->now();
	task_seerbegin(p, &t->seer);
	return 0;
}

void
task_traceend(Proc *p)
{
	if(tracerof(p))
		endtrace(p);
}

void
task_tracetext(Proc *p, enum Tracekind kind, const char *text)
{
	char shown[StringMost];
	Tracer *t = tracerof(p);

	if(t)
		record(t, p, p->now(), p->running->id, kind, 0, text ?
			intern(&t->strings, task_show(shown, sizeof shown,
			text)) : 0);
}

static int
copystrings(Strings *to, const Strings *from)
{
	to->n = from->n;
	to->used = from->used;
	to->text = task_sys.alloc(from->used + 1);
	to->at = task_sys.alloc((from->n + 1) * sizeof *to->at);
	if(to->text == NULL || to->at == NULL)
		return -1;
	memcpy(to->text, from->text, from->used);
	memcpy(to->at, from->at, from->n * sizeof *to->at);
	return 0;
}

void
task_tracedfree(void *v)
{
	Traced *t = v;

	if(t){
		task_sys.free(t->events);
		task_sys.free(t->strings.text);
		task_sys.free(t->strings.at);
	}
	task_sys.free(t);
}

/* The part that is being written has the oldest behind it. */
Traced *
task_traced(Proc *p)
{
	const Tracer *t = tracerof(p);
	Traced *c = t ? task_sys.alloc(sizeof *c) : NULL;

	if(c == NULL)
		return NULL;
	size_t part = t->nring / TraceParts;
	uint64_t current = t->n / part;
	uint64_t first = current < TraceParts ? 0 : current - TraceParts + 1;
	c->n = (size_t)(t->n - first * part);
	c->proc = p->member->number;
	c->start_ns = t->part_ns[first % TraceParts];
	c->events = task_sys.alloc((c->n + 1) * sizeof *c->events);
	if(c->events == NULL || copystrings(&c->strings, &t->strings) < 0){
		task_tracedfree(c);
		errno = ENOMEM;
		return NULL;
	}
	for(size_t i = 0; i < c->n; i++)
		c->events[i] = t->ring[(first * part + i) % t->nring];
	return c;
}
