/* SPDX-License-Identifier: MIT */
/* Channels that all threads may use. */
#include "claims.h"
#include "../task/newnames.h"
#include "../task/share.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>

/*
 * A shared channel is one like others, with a lock: elements move as
 * sync/chan.c says, in the same order.  Whoever waits is found in its queues as
 * there, but has to be won: see claim.c.
 */

int
task_sharewrong(const Channel *c)
{
	return sharedof(c)->generation == task_sharegeneration ? 0 : EPERM;
}

/*
 * It is held for some dozens of instructions: so it pays to look again.  Looked
 * at without a pause its line of the cache is taken from who holds it.
 */
void
task_sharedlock(Shared *s)
{
	enum { Looks = 100 };

	for(int i = 0; i < Looks; i++){
		int free = 0;
		if(atomic_load_explicit(&s->lock, memory_order_relaxed) == 0 &&
				atomic_compare_exchange_weak(&s->lock, &free,
				1))
			return;
		relax();
	}
	while(atomic_exchange(&s->lock, 2) != 0)
		task_sys.await(&s->lock, 2);
}

/* The channel may be gone once the lock is free: wake goes by its address. */
static void
unlockshared(Shared *s)
{
	if(atomic_exchange(&s->lock, 0) == 2)
		task_sys.wake(&s->lock);
}

void
task_sharedleave(Shared *s)
{
	int dead = s->users == 0 && s->nentry == 0;

	unlockshared(s);
	if(dead){
		task_sys.free(s->c.buf);
		task_sys.free(s);
	}
}

static unsigned int
least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Where element i of those at v is; v may be NULL. */
static char *
element(const Shared *s, void *v, unsigned int i)
{
	return v ? (char *)v + (size_t)i * s->c.elemsize : NULL;
}

static void
copyelements(const Shared *s, void *to, const void *from, unsigned int n)
{
	if(to && from)
		memcpy(to, from, (size_t)n * s->c.elemsize);
	else if(to)
		memset(to, 0, (size_t)n * s->c.elemsize);
}

/*
 * moves up to n elements between v and the ring: behind the last, if they go
 * in, or from the first.  Returns how many.
 */
static unsigned int
intoring(Shared *s, const void *v, unsigned int n)
{
	Channel *c = &s->c;
	unsigned int done = 0;

	n = least(n, c->bufsize - c->nbuf);
	while(done < n){
		unsigned int at = c->off + c->nbuf;
		at -= at >= c->bufsize ? c->bufsize : 0;
		unsigned int k = least(n - done, c->bufsize - at);
		copyelements(s, element(s, c->buf, at),
			element(s, (void *)(uintptr_t)v, done), k);
		c->nbuf += k;
		done += k;
	}
	return n;
}

static unsigned int
outofring(Shared *s, void *v, unsigned int n)
{
	Channel *c = &s->c;
	unsigned int done = 0;

	n = least(n, c->nbuf);
	while(done < n){
		unsigned int k = least(n - done, c->bufsize - c->off);
		copyelements(s, element(s, v, done),
			element(s, c->buf, c->off), k);
		c->off += k;
		c->off -= c->off == c->bufsize ? c->bufsize : 0;
		c->nbuf -= k;
		done += k;
	}
	return n;
}

/* sends up to n elements of v; returns how many can go without waiting. */
static unsigned int
sendsome(Shared *s, void *v, unsigned int n, Notes *told)
{
	unsigned int moved = 0;
	Alt *a;

	while(moved < n && (a = task_claimfirst(s, &s->c.arecv, told))){
		Claim *w = claimof(a);
		w->moved = least(n - moved, w->n);
		copyelements(s, a->v, element(s, v, moved), w->moved);
		moved += w->moved;
	}
	return moved + intoring(s, element(s, v, moved), n - moved);
}

static unsigned int
recvsome(Shared *s, void *v, unsigned int n, Notes *told)
{
	unsigned int moved = outofring(s, v, n);
	Alt *a;

	while(moved < n && (a = task_claimfirst(s, &s->c.asend, told))){
		Claim *w = claimof(a);
		w->moved = least(n - moved, w->n);
		copyelements(s, element(s, v, moved), a->v, w->moved);
		moved += w->moved;
	}
	while(s->c.nbuf < s->c.bufsize &&
			(a = task_claimfirst(s, &s->c.asend, told))){
		Claim *w = claimof(a);
		w->moved = intoring(s, a->v, w->n);
	}
	return moved;
}

static unsigned int
movesome(Shared *s, void *v, unsigned int op, unsigned int n, Notes *told)
{
	if(op == CHANRCV)
		return recvsome(s, v, n, told);
	return s->c.closed ? 0 : sendsome(s, v, n, told);
}

/* ends the waits of all that there are. */
static void
endwaits(Shared *s, int end, Notes *told)
{
	Altlist *const queues[] = {&s->c.asend, &s->c.arecv};
	Alt *a;

	s->c.closed = s;
	for(int i = 0; i < 2; i++)
		while((a = task_claimfirst(s, queues[i], told)))
			claimof(a)->end = end;
}

/* What a call for one channel returns that has waited. */
static int
outcome(const Claim *w)
{
	if(!w->done)
		return -1;
	if(w->end == EndLost)
		return task_fail(EPERM);
	if(w->end == EndClosed && w->one->op == CHANRCV)
		return 0;
	return w->end ? task_fail(EPIPE) : (int)w->moved;
}

static int
await(Claim *w)
{
	if(w->task == NULL)
		task_claimawait(w);
	else
		task_sharepark(w, w->one->op == CHANSND ? WaitSend : WaitRecv,
			-1);
	return outcome(w);
}

/* What is moved under one lock: others are not to wait long for it. */
static unsigned int
most(const Shared *s, unsigned int n)
{
	enum { Elements = 64, Bytes = 4096 };
	unsigned int fit = Bytes / s->c.elemsize;

	return least(n, least(Elements, fit ? fit : 1));
}

/*
 * What a call returns that has not waited: it has moved so many elements, or
 * none, since c is closed, or it must not wait.
 */
static int
atonce(unsigned int moved, unsigned int op, int block, int closed)
{
	Proc *p = task_proc;

	if(moved == 0 && !closed)
		return task_fail(EAGAIN);
	if(moved == 0 && op == CHANSND)
		return task_fail(EPIPE);
	if(block && op == CHANRCV && p && sharetime(p->running, TakeWeight))
		return task_share((int)moved);
	return (int)moved;
}

int
task_shareop(Channel *c, void *v, unsigned int op, int n, int block)
{
	Shared *s = sharedof(c);
	Notes told = {NULL, NULL};
	Claim w;

	if(task_sharewrong(c))
		return task_fail(EPERM);
	if(block && task_proc && task_door(task_proc) == NULL)
		return -1;
	task_sharedlock(s);
	unsigned int moved = movesome(s, v, op, most(s, (unsigned int)n),
		&told);
	int closed = c->closed != NULL, waits = !moved && !closed && block;
	if(waits){
		task_sharebegin(&w, w.one);
		w.one[0] = (Alt){.c = c, .v = v, .op = op,
			.generation = EntryShared};
		w.n = most(s, (unsigned int)n);
		w.name = c->name;
		task_claimenter(s, &w, w.one);
	}
	unlockshared(s);
	task_sharetell(&told);
	return waits ? await(&w) : atonce(moved, op, block, closed);
}

/* Alts */

static Alt *
merge(Alt *x, Alt *y)
{
	Alt *first, **end = &first;

	while(x && y){
		Alt **less = (uintptr_t)x->c <= (uintptr_t)y->c ? &x : &y;
		*end = *less;
		end = &(*less)->next;
		*less = *end;
	}
	*end = x ? x : y;
	return first;
}

/* sorts entries, linked by next, by the address of the channel. */
static Alt *
sort(Alt *list)
{
	Alt *half = list, *end = list;

	if(list == NULL || list->next == NULL)
		return list;
	while((end = end->next) && (end = end->next))
		half = half->next;
	Alt *rest = half->next;
	half->next = NULL;
	return merge(sort(list), sort(rest));
}

/* In the order of their addresses: so alts do not wait for one another. */
void
task_sharelock(Alt *a)
{
	Alt *list = NULL, *last = NULL;

	for(; !isend(a); a++)
		if(isentry(a)){
			a->next = list;
			list = a;
		}
	for(a = sort(list); a; last = a, a = a->next){
		a->generation = EntryShared;
		if(last && last->c == a->c)
			continue;
		a->generation |= EntryLocks;
		task_sharedlock(sharedof(a->c));
	}
}

/* A channel of which the lock has been given back may be gone. */
void
task_shareunlock(Alt *a)
{
	for(; !isend(a); a++)
		if(isentry(a) && (a->generation & EntryLocks)){
			a->generation = EntryShared;
			unlockshared(sharedof(a->c));
		}
}

int
task_sharetry(Alt *a, Notes *told)
{
	Shared *s = sharedof(a->c);
	int moved = movesome(s, a->v, a->op, 1, told) > 0;

	a->err = moved ? 0 : EPIPE;
	return moved || s->c.closed;
}

void
task_shareenter(Claim *w)
{
	for(Alt *a = w->entries; !isend(a); a++)
		if(isentry(a))
			task_claimenter(sharedof(a->c), w, a);
}

/* Making and ending */

static void
newgeneration(void)
{
	task_sharegeneration++;
}

static void
watchfork(void)
{
	pthread_atfork(NULL, NULL, newgeneration);
}

Channel *
task_sharealloc(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, watchfork);
	Shared *s = task_sys.alloc(sizeof *s);
	if(s == NULL)
		return NULL;
	s->users = 1;
	s->generation = task_sharegeneration;
	return &s->c;
}

Channel *
chanhold(Channel *c)
{
	int err = c == NULL || !isshared(c) ? EINVAL : task_sharewrong(c);

	if(err){
		errno = err;
		return NULL;
	}
	Shared *s = sharedof(c);
	task_sharedlock(s);
	s->users++;
	unlockshared(s);
	return c;
}

int
task_shareclose(Channel *c)
{
	Shared *s = sharedof(c);
	Notes told = {NULL, NULL};

	if(task_sharewrong(c))
		return task_fail(EPERM);
	task_sharedlock(s);
	int closed = c->closed != NULL;
	if(!closed)
		endwaits(s, EndClosed, &told);
	unlockshared(s);
	task_sharetell(&told);
	return closed ? task_fail(EPIPE) : 0;
}

void
task_sharefree(Channel *c)
{
	Shared *s = sharedof(c);
	Notes told = {NULL, NULL};

	if(task_sharewrong(c))
		return;
	task_sharedlock(s);
	if(--s->users == 0)
		endwaits(s, EndFreed, &told);
	task_sharedleave(s);
	task_sharetell(&told);
}

int
task_sharelen(const Channel *c)
{
	Shared *s = sharedof(c);

	if(task_sharewrong(c))
		return task_fail(EPERM);
	task_sharedlock(s);
	unsigned int n = c->nbuf;
	unlockshared(s);
	return (int)n;
}
