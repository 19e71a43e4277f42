/* SPDX-License-Identifier: MIT */
/* The console's lists of what tasks wait for, with those who do. */
#include "console.h"
#include "../inspect/gather.h"
#include "rows.h"
#include "../task/life.h"
#include <stdlib.h>
#include <string.h>

/* A task waits for something that has a key, in one way or another. */
typedef struct Waits
{
	uintptr_t key;
	int way;
	size_t order;	/* as they were found: the oldest task first */
	const Task *task;
	const Alt *alt;	/* if it is for one */
} Waits;

typedef struct Found
{
	Waits *v;
	size_t n;
	size_t room;
	int lost;	/* there was no memory for all */
} Found;

static void
find(Found *f, uintptr_t key, int way, const Task *t, const Alt *a)
{
	if(f->n == f->room){
		size_t room = f->room ? 2 * f->room : 64;
		Waits *v = task_sys.resize(f->v, room * sizeof *v);
		if(v == NULL){
			f->lost = 1;
			return;
		}
		f->v = v;
		f->room = room;
	}
	f->v[f->n] = (Waits){key, way, f->n, t, a};
	f->n++;
}

static int
bykey(const void *a, const void *b)
{
	const Waits *x = a, *y = b;

	if(x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

/* returns where those end that wait for the same as the i-th. */
static size_t
alikeend(const Found *f, size_t i)
{
	uintptr_t key = f->v[i].key;

	while(i < f->n && f->v[i].key == key)
		i++;
	return i;
}

/* Of many the first: who wants all can seek for them in ps. */
enum { IdsMost = 12 };

static void
cellids(Rows *r, const Proc *p, const Waits *from, const Waits *to, int way)
{
	char text[IdsMost * IdBytes + 32] = "", id[IdBytes];
	size_t at = 0;
	int n = 0;

	for(; from < to; from++)
		if(from->way == way && n++ < IdsMost)
			at += (size_t)snprintf(text + at, sizeof text - at,
				"%s%s", at ? " " : "", task_showid(id,
				p->number, from->task->id));
	if(n > IdsMost)
		snprintf(text + at, sizeof text - at, " and %d more",
			n - IdsMost);
	task_cell(r, "%s", n || r->json ? text : "-");
}

/* has seek find what each task waits for, and sorts that. */
static void
findall(Found *f, const Proc *p, void (*seek)(Found *, const Task *))
{
	for(const Task *t = p->all.head; t; t = t->younger)
		if(t->wait.number)
			seek(f, t);
	if(f->n > 0)
		qsort(f->v, f->n, sizeof *f->v, bykey);
}

/* puts a row for each key; the end of all of it. */
static int
putfound(Rows *r, Proc *p, Found *f, void (*putalike)(Rows *, Proc *,
	const Waits *from, const Waits *to))
{
	if(f->lost){
		task_sys.free(f->v);
		fputs("no memory for the list", r->f);
		return -1;
	}
	task_rowsbegin(r);
	for(size_t i = 0, next; i < f->n; i = next){
		next = alikeend(f, i);
		putalike(r, p, f->v + i, f->v + next);
	}
	task_rowsend(r);
	task_sys.free(f->v);
	return 0;
}

/* Channels */

static void
lookforchan(Found *f, const Task *t)
{
	const Alt *a = t->wait.object.v;

	switch(t->wait.why){
	case WaitSend:
		find(f, (uintptr_t)a->c, CHANSND, t, a);
		break;
	case WaitRecv:
	case WaitWord:
		find(f, (uintptr_t)a->c, CHANRCV, t, a);
		break;
	case WaitAlt:
		for(; a->op != CHANEND; a++)
			if(a->op == CHANSND || a->op == CHANRCV)
				find(f, (uintptr_t)a->c, (int)a->op, t, a);
		break;
	default:
		break;
	}
}

/* What other threads use is not looked into. */
static void
putchanrow(Rows *r, Proc *p, const Waits *from, const Waits *to)
{
	char text[128];
	const Channel *c = from->alt->c;
	const char *name = task_channame(from->task, from->alt, text,
		sizeof text);

	if(name)
		task_cell(r, "\"%s\"", name);
	else
		task_cell(r, "%p", (const void *)c);
	if(task_chanforeign(from->task, from->alt)){
		task_cell(r, "-");
		task_cell(r, "-");
	}else{
		task_cell(r, "%u", c->nbuf);
		task_cell(r, "%u", c->bufsize);
	}
	cellids(r, p, from, to, CHANSND);
	cellids(r, p, from, to, CHANRCV);
}

int
task_conchans(Proc *p, Session *s, FILE *f, int argc, char **argv)
{
	static const Column columns[] = {
		{"channel", -20, CellText},
		{"buffered", 8, CellNumber},
		{"size", 6, CellNumber},
		{"senders", -20, CellText},
		{"receivers", 0, CellText},
		{NULL, 0, 0}
	};
	Rows r = {f, s->json, columns, 0, 0};
	Found found = {0};

	(void)argc, (void)argv;
	findall(&found, p, lookforchan);
	return putfound(&r, p, &found, putchanrow);
}

/* Descriptors */

static void
lookforfd(Found *f, const Task *t)
{
	uintptr_t fd = (uintptr_t)t->wait.object.fd;

	switch(t->wait.why){
	case WaitRead:
	case WaitPause:
		find(f, fd, 'r', t, NULL);
		break;
	case WaitWrite:
		find(f, fd, 'w', t, NULL);
		break;
	case WaitExcept:
		find(f, fd, 'x', t, NULL);
		break;
	case WaitHangup:
		find(f, fd, 'h', t, NULL);
		break;
	case WaitAlt:
		for(const Alt *a = t->wait.object.v; a->op != CHANEND; a++)
			if(task_altside(a))
				find(f, (uintptr_t)a->fd, task_altside(a), t,
					a);
		break;
	default:
		break;
	}
}

static void
putfdrow(Rows *r, Proc *p, const Waits *from, const Waits *to)
{
	task_cell(r, "%d", (int)from->key);
	cellids(r, p, from, to, 'r');
	cellids(r, p, from, to, 'w');
	cellids(r, p, from, to, 'x');
	cellids(r, p, from, to, 'h');
}

int
task_confds(Proc *p, Session *s, FILE *f, int argc, char **argv)
{
	static const Column columns[] = {
		{"fd", 6, CellNumber},
		{"read", -20, CellText},
		{"write", -20, CellText},
		{"except", -20, CellText},
		{"hangup", 0, CellText},
		{NULL, 0, 0}
	};
	Rows r = {f, s->json, columns, 0, 0};
	Found found = {0};

	(void)argc, (void)argv;
	findall(&found, p, lookforfd);
	return putfound(&r, p, &found, putfdrow);
}

/* Locks, and what else one task keeps from another */

static void
lookforlock(Found *f, const Task *t)
{
	switch(t->wait.why){
	case WaitQlock:
	case WaitReclock:
	case WaitRlock:
	case WaitWlock:
		find(f, (uintptr_t)t->wait.object.v, 0, t, NULL);
		break;
	case WaitTask:
		find(f, t->wait.object.id, 0, t, NULL);
		break;
	default:
		break;
	}
}

static void
cellowner(Rows *r, Proc *p, const Task *t)
{
	char name[ShownBytes];
	const Task *owner = task_waitsfor(p, t);
	const RWLock *l = t->wait.object.v;

	if(owner)
		task_cell(r, "%s", task_showtask(name, sizeof name, p, owner));
	else if((t->wait.why == WaitRlock || t->wait.why == WaitWlock) &&
			l->readers > 0)
		task_cell(r, "%d reader%s", l->readers,
			l->readers == 1 ? "" : "s");
	else
		task_cell(r, "-");
}

static void
putlock(Rows *r, Proc *p, const Waits *from, const Waits *to)
{
	int cycle = 0;

	task_cell(r, "%s", task_why(from->task));
	if(from->task->wait.why == WaitTask)
		task_cell(r, "-");
	else
		task_cell(r, "%p", from->task->wait.object.v);
	cellowner(r, p, from->task);
	for(const Waits *w = from; w < to && cycle == 0; w++)
		cycle = task_cycle(p, w->task);
	if(cycle)
		task_cell(r, "%d", cycle);
	else
		task_cell(r, "-");
	cellids(r, p, from, to, 0);
}

int
task_conlocks(Proc *p, Session *s, FILE *f, int argc, char **argv)
{
	static const Column columns[] = {
		{"call", -8, CellText},
		{"lock", -16, CellText},
		{"owner", -24, CellText},
		{"cycle", 5, CellNumber},
		{"waiters", 0, CellText},
		{NULL, 0, 0}
	};
	Rows r = {f, s->json, columns, 0, 0};
	Found found = {0};

	(void)argc, (void)argv;
	findall(&found, p, lookforlock);
	return putfound(&r, p, &found, putlock);
}

/* Deadlines */

static void
lookfortimer(Found *f, const Task *t)
{
	if(t->wait.sleeper.index)
		find(f, (uintptr_t)t->wait.sleeper.deadline_ns, 0, t, NULL);
}

static void
puttimer(Rows *r, Proc *p, const Waits *from, const Waits *to)
{
	char name[ShownBytes], id[IdBytes];

	for(; from < to; from++){
		int64_t ns = from->task->wait.sleeper.deadline_ns - p->now();
		task_cellage(r, ns > 0 ? ns : 0);
		task_cell(r, "%s", task_showid(id, p->number,
			from->task->id));
		task_cell(r, "%s", task_title(name,
			task_name(from->task), from->task->entry));
		task_cell(r, "%s", task_why(from->task));
	}
}

int
task_contimers(Proc *p, Session *s, FILE *f, int argc, char **argv)
{
	static const Column columns[] = {
		{"in_ns", 9, CellAge},
		{"id", 7, CellText},
		{"name", -20, CellText},
		{"why", 0, CellText},
		{NULL, 0, 0}
	};
	Rows r = {f, s->json, columns, 0, 0};
	Found found = {0};

	(void)argc, (void)argv;
	findall(&found, p, lookfortimer);
	return putfound(&r, p, &found, puttimer);
}
