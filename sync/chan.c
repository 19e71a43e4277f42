/* SPDX-License-Identifier: MIT */
/* Channels: how tasks hand values to one another. */
#include "../proc/shared.h"
#include "sync.h"
#include "../task/newnames.h"
#include "../task/share.h"
#include <errno.h>
#include <string.h>

/*
 * A channel has a ring of elements, perhaps of none, and two queues: of those
 * who want to send and of those who want to receive.  At most one of these is
 * not empty: receivers wait only while the ring is empty, senders only while it
 * is full.  Elements move as follows:
 *
 *	send:	to the first waiting receiver, or else into the ring
 *	recv:	from the ring, which the first waiting sender then refills,
 *		or else from the first waiting sender
 *
 * So elements arrive in the order in which they were sent.  The queues consist
 * of entries: see task/entry.h.
 *
 * chansend and chanrecv end in task_park, with nothing left to do after it:
 * what they return is computed by whoever wakes the task.  So the switch goes
 * on in the program itself.  A return from here would be predicted to go to
 * where the task before was called from, and a message without a buffer take
 * half as long again.
 *
 * A channel that is closed has no home any more, and so its calls go the slow
 * way, as those on channels of other threads and on shared ones do.  Open ones
 * pay nothing for it.
 */

/*
 * Inline functions are on the fast path: calls of them would be a tenth of what
 * a buffered message costs.
 */
#define Inline __attribute__((always_inline)) static inline

Inline void
copy(void *to, const void *from, size_t n)
{
	if(to == NULL)
		return;
	if(from == NULL)
		memset(to, 0, n);
	else if(n == sizeof(void *))	/* the usual size, without a call */
		memcpy(to, from, sizeof(void *));
	else
		memcpy(to, from, n);
}

/* has the task of a go on: a has been done. */
Inline void
doneone(Alt *a)
{
	a->err = 0;
	finishalt(a, 1, 0);
}

/*
 * The size of an element, for what is compiled twice: word is a constant, that
 * of a word where elements are known to be words, and else 0.
 */
Inline size_t
elembytes(const Channel *c, size_t word)
{
	return word ? word : c->elemsize;
}

Inline unsigned char *
slot(Channel *c, unsigned int i, size_t word)
{
	i += c->off;
	if(i >= c->bufsize)
		i -= c->bufsize;
	return c->buf + (size_t)i * elembytes(c, word);
}

/* sends v, if that is possible without waiting; returns whether it was. */
Inline int
trysend(Channel *c, const void *v, size_t word)
{
	Alt *a = c->arecv.head;

	if(a){
		copy(a->v, v, elembytes(c, word));
		doneone(a);
		return 1;
	}
	if(c->nbuf == c->bufsize)
		return 0;
	copy(slot(c, c->nbuf++, word), v, elembytes(c, word));
	return 1;
}

Inline int
tryrecv(Channel *c, void *v, size_t word)
{
	Alt *a = c->asend.head;

	if(c->nbuf > 0){
		copy(v, slot(c, 0, word), elembytes(c, word));
		c->off = c->off + 1 == c->bufsize ? 0 : c->off + 1;
		c->nbuf--;
		if(a)
			copy(slot(c, c->nbuf++, word), a->v,
				elembytes(c, word));
	}else if(a)
		copy(v, a->v, elembytes(c, word));
	else
		return 0;
	if(a)
		doneone(a);
	return 1;
}

Inline int
tryeither(Channel *c, void *v, unsigned int op)
{
	return op == CHANSND ? trysend(c, v, 0) : tryrecv(c, v, 0);
}

int
task_chanwrong(const Channel *c)
{
	if(c == NULL)
		return EINVAL;
	if(task_proc && (c->home == &task_proc || c->closed == &task_proc ||
			(islent(c) && lenthome(c) == &task_proc)))
		return 0;
	return EPERM;
}

__attribute__((noinline)) static int
wouldblock(void)
{
	return task_fail(EAGAIN);
}

/* puts the entry of the running task in its queue. */
Inline Task *
enterone(Channel *c, void *v, unsigned int op)
{
	Task *t = task_proc->running;

	t->alt.c = c;
	t->alt.v = v;
	t->alt.op = op;
	enqueue(op == CHANSND ? &c->asend : &c->arecv, &t->alt, t);
	return t;
}

Inline int
awaitone(Channel *c, void *v, unsigned int op)
{
	Task *t = enterone(c, v, op);

	return task_park(op == CHANSND ? WaitSend : WaitRecv,
		(Object){&t->alt}, NULL, leaveone, -1);
}

/*
 * does one operation on a channel that is lent: whoever would be served may be
 * in an alt that another thread has served.
 */
static int
operatelent(Channel *c, void *v, unsigned int op, int block)
{
	const Altlist *q = op == CHANSND ? &c->arecv : &c->asend;

	while(q->head && !task_sharewins(q->head->task))
		;
	if(tryeither(c, v, op)){
		int shares = block && op == CHANRCV &&
			sharetime(task_proc->running, TakeWeight);
		return shares ? task_share(1) : 1;
	}
	return block ? awaitone(c, v, op) : wouldblock();
}

/*
 * does one operation on a channel that is not at home here.  Not inline: it
 * finds errno, which is a call, for which operate would save registers.
 */
__attribute__((noinline)) static int
operateclosed(Channel *c, void *v, unsigned int op, int block)
{
	if(c && isshared(c))
		return task_shareop(c, v, op, 1, block);
	int err = task_chanwrong(c);

	if(err == 0 && islent(c))
		return operatelent(c, v, op, block);
	if(err == 0 && op == CHANSND)
		err = EPIPE;
	if(err)
		return task_fail(err);
	int r = tryrecv(c, v, 0);
	return block && sharetime(task_proc->running, TakeWeight) ?
		task_share(r) : r;
}

Inline int
ishome(const Channel *c)
{
	return c && task_proc && c->home == &task_proc;
}

/*
 * chanrecv when it is time to share.  That is after an element is got: whoever
 * frees the channel meanwhile would not find the task waiting before.
 */
__attribute__((noinline)) static int
recvandshare(Channel *c, void *v)
{
	return tryrecv(c, v, 0) ? task_share(1) : awaitone(c, v, CHANRCV);
}

/* does one operation: chansend, chanrecv and their forms that do not wait. */
Inline int
operate(Channel *c, void *v, unsigned int op, int block)
{
	if(!ishome(c))
		return operateclosed(c, v, op, block);
	if(block && op == CHANRCV && sharetime(task_proc->running, TakeWeight))
		return recvandshare(c, v);
	if(tryeither(c, v, op))
		return 1;
	if(!block)
		return wouldblock();
	return awaitone(c, v, op);
}

int
chansend(Channel *c, void *v)
{
	return operate(c, v, CHANSND, 1);
}

int
channbsend(Channel *c, void *v)
{
	return operate(c, v, CHANSND, 0);
}

int
chanrecv(Channel *c, void *v)
{
	return operate(c, v, CHANRCV, 1);
}

int
channbrecv(Channel *c, void *v)
{
	return operate(c, v, CHANRCV, 0);
}

/* does it with up to n elements, as many as can go at once after the first. */
static int
operatemany(Channel *c, void *v, unsigned int op, int n)
{
	int moved = 0;

	if(c == NULL || n < 1)
		return task_fail(EINVAL);
	if(isshared(c))
		return task_shareop(c, v, op, n, 1);
	while(moved < n && ishome(c) && tryeither(c, v ? (char *)v +
			(size_t)moved * c->elemsize : NULL, op))
		moved++;
	if(moved == 0)
		return operate(c, v, op, 1);
	return op == CHANRCV && sharetime(task_proc->running, TakeWeight) ?
		task_share(moved) : moved;
}

int
chansendn(Channel *c, const void *v, int n)
{
	return operatemany(c, (void *)(uintptr_t)v, CHANSND, n);
}

int
chanrecvn(Channel *c, void *v, int n)
{
	return operatemany(c, v, CHANRCV, n);
}

/*
 * Elements as values: pointers and unsigned longs, whose bytes they are, or the
 * first of them.  Where the element is a whole one, it is on no stack while the
 * task waits but in the task, and a receiver finds it in the register in which
 * it returns it: so these end like the others.  The rest is out of line.
 */
enum { WordBytes = sizeof(void *) };

static int
fits(const Channel *c)
{
	return c && c->elemsize <= WordBytes ? 1 : task_fail(EINVAL);
}

__attribute__((noinline)) static int
sendpart(Channel *c, void *v, int block)
{
	return fits(c) == 1 ? operate(c, &v, CHANSND, block) : -1;
}

/* A value cannot tell that the channel was closed: errno does. */
__attribute__((noinline)) static void *
recvpart(Channel *c, int block)
{
	void *v = NULL;
	int r = fits(c) == 1 ? operate(c, &v, CHANRCV, block) : -1;

	if(r == 0)
		errno = EPIPE;
	return r == 1 ? v : NULL;
}

Inline int
sendword(Channel *c, void *v)
{
	if(!ishome(c) || c->elemsize != WordBytes)
		return sendpart(c, v, 1);
	if(trysend(c, &v, WordBytes))
		return 1;
	task_proc->running->wait.word = v;
	return awaitone(c, &task_proc->running->wait.word, CHANSND);
}

Inline void *
takeword(Channel *c, int shares)
{
	void *v;

	if(!tryrecv(c, &v, WordBytes)){
		enterone(c, &task_proc->running->wait.word, CHANRCV);
		return task_parkword(leaveone);
	}
	if(shares)
		task_share(0);
	return v;
}

__attribute__((noinline)) static void *
takewordandshare(Channel *c)
{
	return takeword(c, 1);
}

/* Not inline: in a function of another type clang makes no jump of it. */
__attribute__((noinline)) static void *
recvword(Channel *c)
{
	if(!ishome(c) || c->elemsize != WordBytes)
		return recvpart(c, 1);
	if(sharetime(task_proc->running, TakeWeight))
		return takewordandshare(c);
	return takeword(c, 0);
}

int
chansendp(Channel *c, void *v)
{
	return sendword(c, v);
}

int
channbsendp(Channel *c, void *v)
{
	return sendpart(c, v, 0);
}

void *
chanrecvp(Channel *c)
{
	return recvword(c);
}

void *
channbrecvp(Channel *c)
{
	return recvpart(c, 0);
}

int
chansendul(Channel *c, unsigned long v)
{
	return sendword(c, (void *)v);
}

int
channbsendul(Channel *c, unsigned long v)
{
	return sendpart(c, (void *)v, 0);
}

unsigned long
chanrecvul(Channel *c)
{
	return (unsigned long)recvword(c);
}

unsigned long
channbrecvul(Channel *c)
{
	return (unsigned long)recvpart(c, 0);
}
