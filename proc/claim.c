/* SPDX-License-Identifier: MIT */
/* Claims: who waits for what several threads may do, and who does it. */
#include "claims.h"
#include "../fd/fd.h"
#include <errno.h>
#include <string.h>

/*
 * Who waits for shared channels is served by whoever comes, in its own thread:
 * it wins the Claim, copies the element, takes the entry off, and when it has
 * unlocked the channel tells the note.  The proc that waits runs that in its
 * fdtask, so it need not have parked yet when it is served: no lock is held
 * while a task stops.
 *
 * The note leaves all entries of an alt, before the task runs: each under the
 * lock of its channel, also if it has been taken off by another, for who holds
 * the lock is the last one that could know the Claim.
 *
 * An entry whose Claim somebody else has won is dead.  Who finds one takes it
 * off, for its proc may be long in coming.
 */
unsigned int task_sharegeneration;

static int
win(Claim *w)
{
	int no = 0;

	return atomic_compare_exchange_strong(&w->taken, &no, 1);
}

void
task_claimenter(Shared *s, Claim *w, Alt *a)
{
	s->nentry++;
	enqueue(a->op == CHANSND ? &s->c.asend : &s->c.arecv, a,
		(Task *)(void *)w);
}

static void
takeoff(Alt *a)
{
	dequeue(a);
	a->queue = NULL;
}

static void
addtold(Notes *told, Claim *w)
{
	w->note.next = NULL;
	if(told->tail)
		told->tail->next = &w->note;
	else
		told->head = &w->note;
	told->tail = &w->note;
}

/* Its one entry is left by whoever serves it: there is no alt to go on. */
static int
isalone(const Claim *w)
{
	return w->entries == w->one;
}

Alt *
task_claimfirst(Shared *s, Altlist *q, Notes *told)
{
	Alt *a;

	while((a = q->head)){
		Claim *w = claimof(a);
		takeoff(a);
		if(win(w)){
			s->nentry -= isalone(w);
			w->won = a;
			addtold(told, w);
			return a;
		}
	}
	return NULL;
}

void
task_shareforget(Claim *w)
{
	listremove(&task_proc->member->claims, w, prev, next);
}

/* It may have been taken off already, as dead. */
static void
leaveentry(Alt *a)
{
	Shared *s = sharedof(a->c);

	task_sharedlock(s);
	if(a->queue)
		takeoff(a);
	s->nentry--;
	task_sharedleave(s);
}

/* takes w, which is taken, off all that it still waits for. */
static void
leaveall(Claim *w)
{
	if(w->leave)
		w->leave(w);
	task_shareforget(w);
	if(w->generation != task_sharegeneration)
		return;
	if(w->won && isalone(w))
		return;
	for(Alt *a = w->entries; !isend(a); a++)
		if(isentry(a))
			leaveentry(a);
}

static void
served(Note *n, void *owner)
{
	Claim *w = structof(Claim, note, n);
	Task *t = w->task;

	(void)owner;
	leaveall(w);
	w->done = 1;
	task_ready(t, t->wait.number, 0);
}

/* A note of this proc goes no way round; it is past its park. */
static void
tell(Claim *w)
{
	Door *d = w->door;
	atomic_int *word = &w->told;

	if(d == NULL){
		atomic_store(word, 1);
		task_sys.wake(word);
	}else if(task_proc && task_proc->door == d)
		served(&w->note, task_proc);
	else
		task_doortell(d, &w->note);
}

void
task_sharetell(Notes *told)
{
	for(Note *n = told->head, *next; n; n = next){
		next = n->next;
		tell(structof(Claim, note, n));
	}
	*told = (Notes){NULL, NULL};
}

/*
 * It is too late to end the wait of t: whatever was to has not done so, and no
 * deadline will.
 */
static void
late(Task *t)
{
	task_uncut(t, task_lastcut(t));
	if(t->wait.sleeper.index)
		task_sleepremove(&task_proc->sleeping, &t->wait.sleeper);
	t->wait.cut = CutLate;
}

void
task_shareunlink(Task *t)
{
	Claim *w = t->claim;

	if(!w->mine && !win(w) && w->generation == task_sharegeneration){
		if(w->leave)
			w->leave(w);
		late(t);
		return;
	}
	w->mine = 1;
	leaveall(w);
}

int
task_sharewins(Task *t)
{
	Claim *w = t->claim;

	if(t->wait.unlink != task_shareunlink || w->mine)
		return 1;
	if((w->mine = win(w)))
		return 1;
	w->leave(w);
	return 0;
}

void
task_sharebegin(Claim *w, Alt *entries)
{
	Proc *p = task_proc;

	*w = (Claim){.note.fn = served, .n = 1, .entries = entries,
		.generation = task_sharegeneration};
	if(p){
		w->door = p->door;
		w->task = p->running;
		w->task->claim = w;
		listadd(&p->member->claims, w, prev, next);
	}
}

int
task_sharepark(Claim *w, enum Why why, int64_t deadline_ns)
{
	return task_park(why, (Object){w->entries}, NULL, task_shareunlink,
		deadline_ns);
}

void
task_claimawait(Claim *w)
{
	while(atomic_load(&w->told) == 0)
		task_sys.await(&w->told, 0);
	w->done = 1;
}

const char *
task_sharename(const Claim *w, const Alt *a, char *text, size_t n)
{
	Shared *s = sharedof(a->c);

	if(isalone(w))
		return w->name;
	if(w->generation != task_sharegeneration)
		return NULL;
	text[n - 1] = '\0';
	task_sharedlock(s);
	int named = s->users > 0 && s->c.name;
	if(named)
		memccpy(text, s->c.name, '\0', n - 1);
	task_sharedleave(s);
	return named ? text : NULL;
}

void
task_shareend(Proc *p)
{
	while(p->member->claims.head)
		task_errandturn(p);
}

void
task_sharelost(Proc *p)
{
	for(Claim *w = p->member->claims.head, *next; w; w = next){
		next = w->next;
		if(w->generation != task_sharegeneration){
			w->end = EndLost;
			served(&w->note, p);
		}
	}
}
