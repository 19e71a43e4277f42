/* SPDX-License-Identifier: MIT */
/* Tasks of a process, read out of its memory: it need not answer, nor run. */
#include "peek.h"
#include "target.h"
#include "../inspect/layout.h"
#include "../task.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/*
 * The table of inspect/layout.c says where things are.  The process may run
 * meanwhile, so what is read may be of several moments, or memory that is
 * something else by now.  Each step along a list is therefore checked by the
 * link back; a list that does not hold is read again, for a tenth of a second
 * or so, and in the end shown as far as it went.
 */
enum { MostTasks = 1 << 20, MostReads = 1 << 16 };

static const char *const numbernames[Numbers] = {
	"Member.next", "Member.number", "Member.proc",
	"Proc.running", "Proc.fdtask", "Proc.all", "Proc.number",
	"Task.id", "Task.older", "Task.younger", "Task.named", "Task.name",
	"Task.entry", "Task.creator", "Task.wait.number", "Task.wait.why",
	"Task.wait.object", "Task.wait.since_ns", "Task.wait.deadline_ns",
	"Alt.c", "Alt.op", "Alt.fd", "Alt.ms", "Alt.id", "Alt.e", "sizeof Alt",
	"Channel.name", "QLock.owner", "QLock.ownerid", "RWLock.readers",
	"RWLock.writer", "RWLock.writerid", "RecLock.l", "Errand.what",
	"Errand.proc",
};

static TaskLayout layout;
static uint64_t layoutat;
static int at[Numbers];
static size_t taskbytes;	/* as many of a task are copied */
static int otherversion;	/* a table was found, and is not ours */

/* Reading */

uint64_t
peekoffset(uint64_t base, enum Number n)
{
	return base + (uint64_t)at[n];
}

uint64_t
peekpointer(uint64_t base, enum Number n)
{
	void *p = NULL;

	return targetread(peekoffset(base, n), &p, sizeof p) ?
		(uintptr_t)p : 0;
}

unsigned int
peeknumber(uint64_t base, enum Number n)
{
	unsigned int i = 0;

	return targetread(peekoffset(base, n), &i, sizeof i) ? i : 0;
}

uint64_t
peekentry(uint64_t entries, uint64_t i)
{
	return entries + i * (uint64_t)at[AltSize];
}

int
peektask(Seen *t, uint64_t from, int proc)
{
	t->from = from;
	t->proc = proc;
	return from && targetread(from, t->bytes, taskbytes);
}

uint64_t
peekfield(const Seen *t, enum Number n, size_t size)
{
	const unsigned char *from = t->bytes + at[n];
	uint32_t four;
	uint64_t eight;

	memcpy(&four, from, sizeof four);
	memcpy(&eight, from, sizeof eight);
	return size == 1 ? *from : size == 4 ? four : eight;
}

static uint64_t
linkof(const Seen *t, enum Number n)
{
	return peekfield(t, n, sizeof(void *));
}

/* The table */

static int
valueof(const char *name)
{
	for(int i = 0; i < TaskLayoutMost && *layout.at[i].name; i++)
		if(strcmp(layout.at[i].name, name) == 0)
			return layout.at[i].number;
	return -1;
}

/* It comes from the process, so any number can be wrong. */
static int
isusable(void)
{
	size_t head = offsetof(TaskLayout, at);

	if(layout.version != TaskLayoutVersion || layout.bytes < head ||
			(layout.bytes - head) % sizeof layout.at[0] != 0)
		return 0;
	taskbytes = 0;
	for(int i = 0; i < Numbers; i++){
		at[i] = valueof(numbernames[i]);
		if(at[i] < 0 || at[i] > 1 << 20)
			return 0;
		size_t end = (size_t)at[i] + (i == TaskName ?
			sizeof rows->name : sizeof(uint64_t));
		if(i >= TaskId && i <= WaitDeadline && end > taskbytes)
			taskbytes = end;
	}
	return taskbytes <= TaskMost;
}

static int
firstmember(uint64_t *first)
{
	void *list, *member;

	if(!targetread((uintptr_t)layout.members, &list, sizeof list) ||
			!targetread((uintptr_t)list, &member, sizeof member))
		return 0;
	*first = (uintptr_t)member;
	return 1;
}

/* For targetfind.  In a file's own copy of the table pointers lead nowhere. */
static int
isright(uint64_t from)
{
	size_t head = offsetof(TaskLayout, at), n = sizeof layout;
	uint64_t first;

	memset(&layout, 0, sizeof layout);
	if(!targetread(from, &layout, head) || strncmp(layout.magic,
			"libtask layout", sizeof layout.magic) != 0)
		return 0;
	if(layout.version == TaskLayoutVersion && !firstmember(&first))
		return 0;
	if(layout.bytes < n)	/* one with fewer entries */
		n = layout.bytes;
	otherversion = n < head || !targetread(from + head, &layout.at,
		n - head);
	for(int i = 0; i < TaskLayoutMost; i++)
		layout.at[i].name[sizeof layout.at[i].name - 1] = '\0';
	otherversion |= !isusable();
	layoutat = from;
	return !otherversion;
}

const char *
peekopen(int pid)
{
	static char said[128];

	if(targetopen(pid) < 0){
		if(errno != ENOENT && errno != ESRCH)
			return targetdenied();
		snprintf(said, sizeof said, "no process %d, or it has ended",
			pid);
	}else if(targetfind(isright))
		return NULL;
	else
		snprintf(said, sizeof said, otherversion ?
			"process %d has a libtask of another version" :
			"no libtask in process %d", pid);
	return said;
}

/* Tasks */

void
peekname(const Seen *t, char *to, size_t n)
{
	const char *name = (const char *)t->bytes + at[TaskName];

	if(peekfield(t, TaskId, 4) == 0)
		snprintf(to, n, "fdtask");
	else if(peekfield(t, TaskNamed, 1) && *name)
		targetshow(name, to, n);
	else
		targetfunction(linkof(t, TaskEntry), to, n);
}

const char *
peekcall(const Seen *t)
{
	int why = (int)peekfield(t, WaitWhy, 4);

	for(int i = 0; i < TaskLayoutMost; i++)
		if(layout.at[i].number == why &&
				strncmp(layout.at[i].name, "why ", 4) == 0)
			return layout.at[i].name + 4;
	return "waits";
}

static void
putid(char *to, size_t n, int proc, unsigned int id)
{
	if(proc)
		snprintf(to, n, "%d.%u", proc, id);
	else
		snprintf(to, n, "%u", id);
}

static void
addseen(const Seen *t, uint64_t running)
{
	Row *r = addrow();
	unsigned int creator = (unsigned int)peekfield(t, TaskCreator, 4);

	putid(r->id, sizeof r->id, t->proc,
		(unsigned int)peekfield(t, TaskId, 4));
	if(creator)
		putid(r->creator, sizeof r->creator, t->proc, creator);
	peekname(t, r->name, sizeof r->name);
	int parked = t->from != running && peekfield(t, WaitNumber, 8) != 0;
	snprintf(r->state, sizeof r->state, "%s", t->from == running ?
		"running" : parked ? "parked" : "ready");
	strcpy(r->why, r->state);
	if(!parked)
		return;
	peekwhy(t, r->why, sizeof r->why);
	r->age_ns = now_ns - (int64_t)peekfield(t, WaitSince, 8);
}

/* returns whether the list was whole: as far as it went it has been added. */
static int
addtasks(uint64_t proc, uint64_t running, int number)
{
	static Seen t;
	uint64_t all = peekoffset(proc, ProcAll), last = 0, next;
	Tasklist list = {NULL, NULL};

	if(!targetread(all, &list, sizeof list))
		return 0;
	for(next = (uintptr_t)list.head; next; next = linkof(&t, TaskYounger)){
		if(nrows >= MostTasks || !peektask(&t, next, number) ||
				linkof(&t, TaskOlder) != last)
			return 0;
		addseen(&t, running);
		last = next;
	}
	return targetread(all, &list, sizeof list) &&
		(uintptr_t)list.tail == last;
}

static int
addproc(uint64_t proc)
{
	static Seen fdtask;
	uint64_t running = peekpointer(proc, ProcRunning);
	int number = (int)peeknumber(proc, ProcNumber), whole;

	if(!peektask(&fdtask, peekoffset(proc, ProcFdtask), number) ||
			peekfield(&fdtask, TaskId, 4) != 0)
		return 0;
	addseen(&fdtask, running);
	size_t first = nrows, nread = 0;
	do{
		nrows = first;
		whole = addtasks(proc, running, number);
		nread += nrows - first + 1;
	}while(!whole && nread < MostReads);
	return whole;
}

/* A proc that ends meanwhile was none; returns whether all was read. */
static int
addmember(uint64_t m)
{
	uint64_t proc = peekpointer(m, MemberProc);
	size_t first = nrows;
	int whole = proc == 0 || addproc(proc);

	if(peekpointer(m, MemberProc) == proc)
		return whole;
	nrows = first;
	return 1;
}

/* Members have lower numbers one after another, so this ends. */
static int
addmembers(uint64_t m)
{
	int whole = 1;

	for(int last = INT_MAX; m; m = peekpointer(m, MemberNext)){
		int number = (int)peeknumber(m, MemberNumber);
		if(number <= 0 || number >= last)
			return 0;
		last = number;
		whole &= addmember(m);
	}
	return whole;
}

int
peek(void)
{
	char magic[sizeof layout.magic] = "";
	uint64_t first;

	if(!targetread(layoutat, magic, sizeof magic) ||
			memcmp(magic, layout.magic, sizeof magic) != 0 ||
			!firstmember(&first))
		return 0;
	int whole = addmembers(first), state = targetstate();
	snprintf(problem, sizeof problem, "read from outside%s%s",
		state == 'T' ? "; it is stopped" :
		state == 't' ? "; a debugger has stopped it" : "",
		whole ? "" : "; tasks came and went, so some are missing");
	return 1;
}
