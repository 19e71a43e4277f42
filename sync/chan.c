/* SPDX-License-Identifier: MIT */
/* Channels: how tasks hand values to one another. */
#include "../taskimpl.h"
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
 * So they arrive in the order in which they were sent.  What waits in a queue
 * is an Alt: the one in the Task of who is in chansend or chanrecv, all entries
 * of the array of one in chanalt.  Whoever serves an entry takes all of them off
 * their queues first, so one that is found in a queue is of a task that still
 * waits for it.
 *
 * The three calls end in task_park, with nothing left to do after it: what they
 * return is computed by whoever wakes the task.  So the switch goes on in the
 * program itself.  A return from here would be predicted to go to where the task
 * before was called from, and a message without a buffer take half as long again.
 *
 * A channel that is closed has no home any more: what it does then is found out
 * where channels of other threads are, and costs the open ones nothing.
 */

/* Calls of these would be a tenth of what a buffered message costs. */
#define Inline __attribute__((always_inline)) static inline

static inline void
copy(void *to, const void *from, size_t n)
{
	if(to == NULL)
		return;
	if(from == NULL)
		memset(to, 0, n);
	else if(n == sizeof(void *))	/* the usual one, without a call */
		memcpy(to, from, sizeof(void *));
	else
		memcpy(to, from, n);
}

static inline Altlist *
queueof(Alt *a)
{
	return a->op == CHANSND ? &a->c->asend : &a->c->arecv;
}

static inline void
enqueue(Alt *a, Task *t)
{
	Altlist *q = queueof(a);

	a->task = t;
	a->next = NULL;
	a->prev = q->tail;
	if(q->tail)
		q->tail->next = a;
	else
		q->head = a;
	q->tail = a;
}

static inline void
dequeue(Alt *a)
{
	Altlist *q = queueof(a);

	if(a->prev)
		a->prev->next = a->next;
	else
		q->head = a->next;
	if(a->next)
		a->next->prev = a->prev;
	else
		q->tail = a->prev;
}

static inline int
isop(const Alt *a)
{
	return a->op == CHANSND || a->op == CHANRCV;
}

static inline int
isend(const Alt *a)
{
	return a->op == CHANEND || a->op == CHANNOBLK;
}

/* Left to do for a task that stops waiting: its object tells the entries. */
static void
leaveone(Task *t)
{
	dequeue((Alt *)t->object.v);
}

static void
leaveall(Task *t)
{
	for(Alt *a = (Alt *)t->object.v; !isend(a); a++)
		if(isop(a))
			dequeue(a);
}

/*
 * The task of a goes on.  Its call returns result, or, if it is chanalt, which
 * entry it was; or it fails with EPIPE if result is -1.
 */
static inline void
finish(Alt *a, int result)
{
	Task *t = a->task;

	if(t->why == WaitAlt){
		leaveall(t);
		if(result >= 0)
			result = (int)(a - (const Alt *)t->object.v);
	}else
		dequeue(a);
	task_ready(t, t->park, result < 0 ? EPIPE : 0);
	t->result = result;
}

/* a has been done. */
static inline void
done(Alt *a)
{
	a->err = 0;
	finish(a, 1);
}

/* The channel of a has been closed. */
static void
end(Alt *a)
{
	a->err = EPIPE;
	finish(a, a->op == CHANSND && a->task->why != WaitAlt ? -1 : 0);
}

static unsigned char *
slot(Channel *c, unsigned int i)
{
	i += c->off;
	if(i >= c->bufsize)
		i -= c->bufsize;
	return c->buf + (size_t)i * c->elemsize;
}

/* sends if that is possible without waiting. */
Inline int
trysend(Channel *c, const void *v)
{
	Alt *a = c->arecv.head;

	if(a){
		copy(a->v, v, c->elemsize);
		done(a);
		return 1;
	}
	if(c->nbuf == c->bufsize)
		return 0;
	copy(slot(c, c->nbuf++), v, c->elemsize);
	return 1;
}

Inline int
tryrecv(Channel *c, void *v)
{
	Alt *a = c->asend.head;

	if(c->nbuf > 0){
		copy(v, slot(c, 0), c->elemsize);
		c->off = c->off + 1 == c->bufsize ? 0 : c->off + 1;
		c->nbuf--;
		if(a)
			copy(slot(c, c->nbuf++), a->v, c->elemsize);
	}else if(a)
		copy(v, a->v, c->elemsize);
	else
		return 0;
	if(a)
		done(a);
	return 1;
}

static inline int
try(Channel *c, void *v, unsigned int op)
{
	return op == CHANSND ? trysend(c, v) : tryrecv(c, v);
}

/* The errno for a call that c is not right for, or 0; closed is right. */
static int
wrong(const Channel *c)
{
	if(c == NULL)
		return EINVAL;
	if(task_proc && (c->home == &task_proc || c->closed == &task_proc))
		return 0;
	return EPERM;
}

/* Not inline: see refuse in sem.c. */
__attribute__((noinline)) static int
operateclosed(Channel *c, void *v, unsigned int op)
{
	int err = wrong(c);

	if(err == 0 && op == CHANSND)
		err = EPIPE;
	return err ? task_fail(err) : tryrecv(c, v);
}

__attribute__((noinline)) static int
wouldblock(void)
{
	return task_fail(EAGAIN);
}

/* One operation: chansend, chanrecv and their forms that do not wait. */
static inline int
operate(Channel *c, void *v, unsigned int op, int block)
{
	if(c == NULL || task_proc == NULL || c->home != &task_proc)
		return operateclosed(c, v, op);
	if(try(c, v, op))
		return 1;
	if(!block)
		return wouldblock();
	Task *t = task_proc->running;
	t->alt.c = c;
	t->alt.v = v;
	t->alt.op = op;
	enqueue(&t->alt, t);
	return task_park(op == CHANSND ? WaitSend : WaitRecv,
		(Object){&t->alt}, NULL, leaveone, -1);
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

static int
check(const Alt *a)
{
	if(a == NULL)
		return EINVAL;
	for(; !isend(a); a++){
		if(a->op == CHANNOP)
			continue;
		int err = isop(a) ? wrong(a->c) : EINVAL;
		if(err)
			return err;
	}
	return task_proc ? 0 : EPERM;
}

/* Whether a can be done without waiting; what is closed does not wait. */
static int
can(const Alt *a)
{
	Channel *c = a->c;

	if(c->closed)
		return 1;
	return a->op == CHANSND ? c->arecv.head || c->nbuf < c->bufsize :
		c->asend.head || c->nbuf > 0;
}

/* does an entry that can be done. */
static void
serve(Alt *a)
{
	int moved = 1;

	if(a->op == CHANRCV)
		moved = channbrecv(a->c, a->v);
	else if(a->c->closed)
		moved = 0;
	else
		channbsend(a->c, a->v);
	a->err = moved ? 0 : EPIPE;
}

int
chanalt(Alt *a)
{
	Alt *x, *pick = NULL;
	unsigned int n = 0;
	int err = check(a);

	if(err)
		return task_fail(err);
	for(x = a; !isend(x); x++)
		if(isop(x) && can(x) && task_random(task_proc) % ++n == 0)
			pick = x;
	if(pick){
		serve(pick);
		return (int)(pick - a);
	}
	if(x->op == CHANNOBLK)
		return task_fail(EAGAIN);
	for(x = a; !isend(x); x++)
		if(isop(x))
			enqueue(x, task_proc->running);
	return task_park(WaitAlt, (Object){a}, NULL, leaveall, -1);
}

int
chaninit(Channel *c, int elemsize, int n)
{
	if(c == NULL || elemsize < 1 || n < 0)
		return task_fail(EINVAL);
	if((uint64_t)elemsize * (unsigned int)n > PTRDIFF_MAX)
		return task_fail(ENOMEM);
	*c = (Channel){.elemsize = (unsigned int)elemsize,
		.bufsize = (unsigned int)n, .home = &task_proc};
	if(n > 0 && (c->buf = task_sys.alloc((size_t)n * (size_t)elemsize)) ==
			NULL)
		return -1;
	return 0;
}

Channel *
chancreate(int elemsize, int n)
{
	Channel *c = task_sys.alloc(sizeof *c);

	if(c == NULL)
		return NULL;
	if(chaninit(c, elemsize, n) < 0){
		task_sys.free(c);
		return NULL;
	}
	c->owned = 1;
	return c;
}

void
chanfree(Channel *c)
{
	if(c == NULL)
		return;
	if((c->asend.head || c->arecv.head) && c->home != &task_proc)
		task_misuse("chanfree: tasks of another thread wait on the "
			"channel");
	while(c->asend.head)
		finish(c->asend.head, -1);
	while(c->arecv.head)
		finish(c->arecv.head, -1);
	task_sys.free(c->buf);
	c->buf = NULL;
	if(c->owned)
		task_sys.free(c);
}

NEWNAME int
chanclose(Channel *c)
{
	int err = wrong(c);

	if(err || c->closed)
		return task_fail(err ? err : EPIPE);
	c->closed = c->home;
	c->home = NULL;
	while(c->asend.head)
		end(c->asend.head);
	while(c->arecv.head)
		end(c->arecv.head);
	return 0;
}

NEWNAME int
chanlen(const Channel *c)
{
	int err = wrong(c);

	return err ? task_fail(err) : (int)c->nbuf;
}

NEWNAME int
chancap(const Channel *c)
{
	int err = wrong(c);

	return err ? task_fail(err) : (int)c->bufsize;
}
