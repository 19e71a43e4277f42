/* SPDX-License-Identifier: MIT */
/* The list of tasks: what each is doing or waiting for. */
#include "inspect.h"
#include "../proc/proc.h"
#include "../proc/shared.h"
#include "../task/life.h"
#include <errno.h>
#include <stdlib.h>

/* prints "task 4 (writer)"; of a task that has ended only the id is known. */
static void
putone(FILE *f, Proc *p, unsigned int id)
{
	char name[ShownBytes];
	const Task *t = task_find(p, (int)id);

	if(t)
		fprintf(f, " %s", task_showtask(name, sizeof name, t));
	else
		fprintf(f, " task %u%s", id, errno == ESRCH ?
			", which has ended" :
			" (no memory to look for its name)");
}

static void
putowner(FILE *f, Proc *p, unsigned int id)
{
	fputs(" held by", f);
	putone(f, p, id);
}

/* returns the name of the channel of a, or NULL; it may be put into text. */
static const char *
channame(const Task *t, const Alt *a, char *text, size_t n)
{
	if(t->wait.unlink != task_shareunlink || !(a->generation & EntryShared))
		return a->c->name;
	return task_sharename(t->claim, a, text, n);
}

/* prints "send c "requests"", "fd 5 r", "100 ms". */
static void
putentry(FILE *f, const Task *t, const Alt *a)
{
	char name[ShownBytes], text[128];

	if(a->op == ALTREAD || a->op == ALTWRITE){
		fprintf(f, "fd %d %c", a->fd, a->op == ALTREAD ? 'r' : 'w');
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
	fprintf(f, "%s c ", a->op == CHANSND ? "send" : "recv");
	const char *of = channame(t, a, text, sizeof text);
	if(of)
		fprintf(f, "\"%s\"", task_show(name, sizeof name, of));
	else
		fprintf(f, "%p", (void *)a->c);
}

static void
putchan(FILE *f, Proc *p, const Task *t)
{
	(void)p;
	fputs("chan", f);
	putentry(f, t, t->wait.object.v);
}

static void
putalt(FILE *f, Proc *p, const Task *t)
{
	const char *before = " ";

	(void)p;
	fputs("chanalt", f);
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

	fprintf(f, "taskdelay, %lld ms left",
		(long long)(left > 0 ? left / Millisecond : 0));
}

static void
putqlock(FILE *f, Proc *p, const Task *t)
{
	const QLock *l = t->wait.object.v;

	fputs("qlock", f);
	putowner(f, p, l->ownerid);
}

static void
putrwlock(FILE *f, Proc *p, const Task *t)
{
	const RWLock *l = t->wait.object.v;

	fputs(t->wait.why == WaitRlock ? "rlock" : "wlock", f);
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

	fputs("reclock", f);
	putowner(f, p, l->l.ownerid);
}

static void
putrendez(FILE *f, Proc *p, const Task *t)
{
	(void)p;
	fprintf(f, "tasksleep r %p", t->wait.object.v);
}

static void
putsem(FILE *f, Proc *p, const Task *t)
{
	(void)p;
	fprintf(f, "semacquire s %p", t->wait.object.v);
}

static void
putevent(FILE *f, Proc *p, const Task *t)
{
	(void)p;
	fprintf(f, "eventwait e %p", t->wait.object.v);
}

static void
putfd(FILE *f, Proc *p, const Task *t)
{
	(void)p;
	enum Why why = t->wait.why;
	fprintf(f, "fdwait fd %d %c", t->wait.object.fd,
		why == WaitRead ? 'r' : why == WaitWrite ? 'w' : 'x');
}

static void
putpause(FILE *f, Proc *p, const Task *t)
{
	(void)p;
	fprintf(f, "netaccept fd %d, short of descriptors or memory",
		t->wait.object.fd);
}

static void
puttaskwait(FILE *f, Proc *p, const Task *t)
{
	fputs("taskwait", f);
	putone(f, p, t->wait.object.id);
}

static void
putgroup(FILE *f, Proc *p, const Task *t)
{
	unsigned int n = *(const unsigned int *)t->wait.object.v;

	(void)p;
	fprintf(f, "%s, %u %s alive", t->wait.why == WaitRoom ? "groupspawn" :
		"groupwait", n, n == 1 ? "child" : "children");
}

/* What prints each reason to wait: the one table of them. */
static void
puterrand(FILE *f, Proc *p, const Task *t)
{
	const Errand *e = t->wait.object.v;

	(void)p;
	fputs(e->what, f);
	if(e->proc)
		fprintf(f, " %d", e->proc);
}

static void
putsignal(FILE *f, Proc *p, const Task *t)
{
	(void)p;
	fprintf(f, "signal %d", t->wait.object.fd);
}

static void (*const put[WaitCount])(FILE *, Proc *, const Task *) = {
	[WaitDelay] = putdelay,
	[WaitSend] = putchan,
	[WaitRecv] = putchan,
	[WaitWord] = putchan,
	[WaitAlt] = putalt,
	[WaitQlock] = putqlock,
	[WaitRlock] = putrwlock,
	[WaitWlock] = putrwlock,
	[WaitReclock] = putreclock,
	[WaitRendez] = putrendez,
	[WaitSem] = putsem,
	[WaitEvent] = putevent,
	[WaitRead] = putfd,
	[WaitWrite] = putfd,
	[WaitExcept] = putfd,
	[WaitPause] = putpause,
	[WaitTask] = puttaskwait,
	[WaitGroup] = putgroup,
	[WaitRoom] = putgroup,
	[WaitErrand] = puterrand,
	[WaitSignal] = putsignal,
};

void
task_listwait(FILE *f, Proc *p, const Task *t)
{
	put[t->wait.why](f, p, t);
}

/* A line has the columns of libtask, and then what the task waits for. */
void
task_listline(FILE *f, Proc *p, const Task *t)
{
	const char *extra = t->wait.number ? "" : " (ready)";
	const char *gap = *task_state(t) ? "  " : "";
	char shown[ShownBytes];

	if(t == p->running)
		extra = " (running)";
	fprintf(f, "%6u%c %-20s ", t->id, t->system ? 's' : ' ',
		task_show(shown, sizeof shown, task_name(t)));
	fputs(task_show(shown, sizeof shown, task_state(t)), f);
	if(t->limits.cancelled){
		fprintf(f, "%scancelled", gap);
		gap = "  ";
	}
	fputs(extra, f);
	if(t->wait.number){
		int n = task_cycle(p, t);
		fputs(gap, f);
		task_listwait(f, p, t);
		if(n > 0)
			fprintf(f, ", in a cycle of %d", n);
	}
	putc('\n', f);
}

char *
task_text(Proc *p, void (*print)(FILE *, Proc *))
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	if(f == NULL)
		return NULL;
	print(f, p);
	int lost = fflush(f) != 0 || ferror(f);
	if(fclose(f) == 0 && !lost && text)
		return text;
	free(text);
	return NULL;
}

void
task_report(Proc *p, void (*print)(FILE *, Proc *))
{
	int err = errno;
	char *text = task_text(p, print);

	if(text)
		fputs(text, stderr);
	else
		print(stderr, p);
	free(text);
	errno = err;
}

static void
printlist(FILE *f, Proc *p)
{
	fputs("task list:\n", f);
	task_listline(f, p, &p->fdtask);
	for(const Task *t = p->all.head; t; t = t->younger)
		task_listline(f, p, t);
}

void
task_list(Proc *p)
{
	task_report(p, printlist);
}
