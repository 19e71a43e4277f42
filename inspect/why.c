/* SPDX-License-Identifier: MIT */
/* What a task waits for, in words. */
#include "inspect.h"
#include "../proc/proc.h"
#include "../proc/shared.h"
#include "../task/life.h"
#include "../task/newnames.h"
#include <errno.h>

/* prints "task 4 (writer)"; of a task that has ended only the id is known. */
static void
putone(FILE *f, Proc *p, unsigned int id)
{
	char name[ShownBytes], number[IdBytes];
	const Task *t = task_find(p, (int)id);

	if(t)
		fprintf(f, " %s", task_showtask(name, sizeof name, p, t));
	else
		fprintf(f, " task %s%s", task_showid(number, p->number, id),
			errno == ESRCH ? ", which has ended" :
			" (no memory to look for its name)");
}

static void
putowner(FILE *f, Proc *p, unsigned int id)
{
	fputs(" held by", f);
	putone(f, p, id);
}

int
task_chanforeign(const Task *t, const Alt *a)
{
	return t->wait.unlink == task_shareunlink &&
		(a->generation & EntryShared);
}

const char *
task_channame(const Task *t, const Alt *a, char *text, size_t n)
{
	return task_chanforeign(t, a) ? task_sharename(t->claim, a, text, n) :
		a->c->name;
}

/* prints "c "requests"". */
static void
putof(FILE *f, const Task *t, const Alt *a)
{
	char name[ShownBytes], text[128];
	const char *of = task_channame(t, a, text, sizeof text);

	if(of)
		fprintf(f, "c \"%s\"", task_show(name, sizeof name, of));
	else
		fprintf(f, "c %p", (void *)a->c);
}

/* prints "send c "requests"", "fd 5 r", "100 ms". */
static void
putentry(FILE *f, const Task *t, const Alt *a)
{
	if(task_altside(a)){
		fprintf(f, "fd %d %c", a->fd, task_altside(a));
		return;
	}
	if(a->op == ALTTASK){
		fprintf(f, "task %d", a->id);
		return;
	}
	if(a->op == ALTEVENT){
		fprintf(f, "event %p", (void *)a->e);
		return;
	}
	if(a->op == ALTDELAY){
		fprintf(f, "%u ms", a->ms);
		return;
	}
	fputs(a->op == CHANSND ? "send " : "recv ", f);
	putof(f, t, a);
}

static void
putchan(FILE *f, Proc *p, const Task *t)
{
	(void)p;
	putc(' ', f);
	putof(f, t, t->wait.object.v);
}

static void
putalt(FILE *f, Proc *p, const Task *t)
{
	const char *before = " ";

	(void)p;
	for(const Alt *a = t->wait.object.v; a->op != CHANEND; a++){
		if(a->op == CHANNOP)
			continue;
		fputs(before, f);
		putentry(f, t, a);
		before = ", ";
	}
}

static void
putdelay(FILE *f, Proc *p, const Task *t)
{
	int64_t left = t->wait.sleeper.deadline_ns - p->now();

	fprintf(f, ", %lld ms left",
		(long long)(left > 0 ? left / Millisecond : 0));
}

static void
putqlock(FILE *f, Proc *p, const Task *t)
{
	const QLock *l = t->wait.object.v;

	putowner(f, p, l->ownerid);
}

static void
putrwlock(FILE *f, Proc *p, const Task *t)
{
	const RWLock *l = t->wait.object.v;

	if(l->writer)
		putowner(f, p, l->writerid);
	else
		fprintf(f, " held by %d reader%s", l->readers,
			l->readers == 1 ? "" : "s");
}

static void
putreclock(FILE *f, Proc *p, const Task *t)
{
	const RecLock *l = t->wait.object.v;

	putowner(f, p, l->l.ownerid);
}

static void
putrendez(FILE *f, Proc *p, const Task *t)
{
	(void)p;
	fprintf(f, " r %p", t->wait.object.v);
}

static void
putsem(FILE *f, Proc *p, const Task *t)
{
	(void)p;
	fprintf(f, " s %p", t->wait.object.v);
}

static void
putevent(FILE *f, Proc *p, const Task *t)
{
	(void)p;
	fprintf(f, " e %p", t->wait.object.v);
}

static void
putfd(FILE *f, Proc *p, const Task *t)
{
	(void)p;
	fprintf(f, " fd %d %c", t->wait.object.fd,
		"rwxh"[t->wait.why - WaitRead]);
}

static void
putpause(FILE *f, Proc *p, const Task *t)
{
	(void)p;
	fprintf(f, " fd %d, short of descriptors or memory",
		t->wait.object.fd);
}

static void
puttaskwait(FILE *f, Proc *p, const Task *t)
{
	putone(f, p, t->wait.object.id);
}

static void
putgroup(FILE *f, Proc *p, const Task *t)
{
	unsigned int n = *(const unsigned int *)t->wait.object.v;

	(void)p;
	fprintf(f, ", %u %s alive", n, n == 1 ? "child" : "children");
}

static void
puterrand(FILE *f, Proc *p, const Task *t)
{
	const Errand *e = t->wait.object.v;

	(void)p;
	if(e->proc)
		fprintf(f, " %d", e->proc);
}

static void
putsignal(FILE *f, Proc *p, const Task *t)
{
	(void)p;
	fprintf(f, " %d", t->wait.object.fd);
}

static void
putbreak(FILE *f, Proc *p, const Task *t)
{
	char what[ShownBytes];

	(void)p;
	fprintf(f, " \"%s\"", task_show(what, sizeof what,
		t->wait.object.v));
}

/* The one table of reasons to wait: the call, and what prints on what. */
static const struct
{
	const char *call;
	void (*put)(FILE *, Proc *, const Task *);
} whys[WaitCount] = {
	[WaitNone] = {"none", NULL},
	[WaitDelay] = {"taskdelay", putdelay},
	[WaitSend] = {"chansend", putchan},
	[WaitRecv] = {"chanrecv", putchan},
	[WaitWord] = {"chanrecv", putchan},
	[WaitAlt] = {"chanalt", putalt},
	[WaitQlock] = {"qlock", putqlock},
	[WaitRlock] = {"rlock", putrwlock},
	[WaitWlock] = {"wlock", putrwlock},
	[WaitReclock] = {"reclock", putreclock},
	[WaitRendez] = {"tasksleep", putrendez},
	[WaitSem] = {"semacquire", putsem},
	[WaitEvent] = {"eventwait", putevent},
	[WaitRead] = {"fdwait", putfd},
	[WaitWrite] = {"fdwait", putfd},
	[WaitExcept] = {"fdwait", putfd},
	[WaitHangup] = {"fdwait", putfd},
	[WaitPause] = {"netaccept", putpause},
	[WaitTask] = {"taskwait", puttaskwait},
	[WaitGroup] = {"groupwait", putgroup},
	[WaitRoom] = {"groupspawn", putgroup},
	[WaitErrand] = {"errand", puterrand},
	[WaitSignal] = {"signal", putsignal},
	[WaitBreak] = {"consolebreak", putbreak},
};

const char *
taskwhy(int why)
{
	return task_whyname(why);
}

const char *
task_whyname(int why)
{
	if(why == WaitNone)
		return "yield";
	return why > 0 && why < WaitCount ? whys[why].call : "end";
}

const char *
task_why(const Task *t)
{
	if(t->wait.why != WaitErrand)
		return whys[t->wait.why].call;
	return ((const Errand *)t->wait.object.v)->what;
}

void
task_putobject(FILE *f, Proc *p, const Task *t)
{
	whys[t->wait.why].put(f, p, t);
}

void
task_putwait(FILE *f, Proc *p, const Task *t)
{
	fputs(task_why(t), f);
	task_putobject(f, p, t);
}
