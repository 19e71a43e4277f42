/* SPDX-License-Identifier: MIT */
/* Alt: waits for the first of channels, files, delays, tasks and events. */
#include "../fd/fd.h"
#include "../task/life.h"
#include "../task/share.h"
#include "sync.h"
#include <errno.h>

static inline int
isfd(const Alt *a)
{
	return a->op == ALTREAD || a->op == ALTWRITE;
}

static inline int
isother(const Alt *a)
{
	return isfd(a) || a->op == ALTTASK || a->op == ALTEVENT;
}

/*
 * returns 0, or the errno for chanalt to fail with; others: there are entries
 * for other things than channels.
 */
static int
check(const Alt *a, int *others)
{
	if(task_proc == NULL || a == NULL)
		return a ? EPERM : EINVAL;
	for(; !isend(a); a++){
		if(isop(a)){
			if(a->c && a->c->home == &task_proc)
				continue;
			int err = task_chanwrong(a->c);
			if(err)
				return err;
		}else if(a->op == ALTEVENT && a->e == NULL)
			return EINVAL;
		else if(a->op == ALTEVENT && foreignevent(a->e))
			return EPERM;
		else if(isother(a) || a->op == ALTDELAY)
			*others = 1;
		else if(a->op != CHANNOP)
			return EINVAL;
	}
	return 0;
}

/*
 * returns whether the descriptor of a is ready, as one that is not open is:
 * that is an error, at once.  If the kernel cannot say, who reads finds out.
 * Not inline, nor is the wait for others: so chanalt, which ends in task_park,
 * has no frame left then.
 */
__attribute__((noinline)) static int
fdready(Alt *a)
{
	struct timespec now = {0, 0};
	struct pollfd pfd = {.fd = a->fd,
		.events = a->op == ALTREAD ? POLLIN : POLLOUT};
	int err = errno;

	if(a->fd < 0)
		pfd.revents = POLLNVAL;
	else if(task_sys.poll(&pfd, 1, &now) == 0)
		return 0;
	errno = err;
	a->err = pfd.revents & POLLNVAL ? EBADF : 0;
	return 1;
}

/* returns whether the task of a has ended, or cannot be waited for. */
__attribute__((noinline)) static int
taskready(Alt *a)
{
	int err = errno, r = task_ended(a->id);

	a->err = r < 0 ? errno : 0;
	errno = err;
	return r;
}

/* returns whether a, which is for no channel, can be done without waiting. */
__attribute__((noinline)) static int
othercan(Alt *a)
{
	if(isfd(a))
		return fdready(a);
	if(a->op == ALTTASK)
		return taskready(a);
	a->err = 0;
	return a->op == ALTEVENT && a->e->set;
}

/* returns whether a can be done without waiting; so can what is closed. */
static inline int
can(Alt *a)
{
	Channel *c = a->c;

	if(!isop(a))
		return othercan(a);
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

	if(!isop(a))
		return;
	if(a->op == CHANRCV)
		moved = channbrecv(a->c, a->v);
	else if(a->c->closed)
		moved = 0;
	else
		channbsend(a->c, a->v);
	a->err = moved ? 0 : EPIPE;
}

/* returns the queue of the channel that a is for. */
static inline Altlist *
queueof(const Alt *a)
{
	return a->op == CHANSND ? &a->c->asend : &a->c->arecv;
}

/* takes the entries before end, or all, off the queues that they are in. */
static void
leavequeues(Alt *a, const Alt *end)
{
	for(; a != end && !isend(a); a++)
		if(isop(a))
			dequeue(a);
		else if(isfd(a))
			task_fdleave(a);
		else if(isother(a))
			dequeue(a);
}

/* takes t, which is in chanalt, off what its entries wait for. */
static void
leavealt(Task *t)
{
	leavequeues((Alt *)t->wait.object.v, NULL);
}

/* puts all entries into their queues; or returns -1 and errno, and none is. */
static int
enterqueues(Proc *p, Alt *a)
{
	for(Alt *x = a; !isend(x); x++){
		int r = 0;
		if(isop(x))
			enqueue(queueof(x), x, p->running);
		else if(x->op == ALTEVENT)
			enqueue(&x->e->waiting, x, p->running);
		else if(isother(x))
			r = isfd(x) ? task_fdenter(x) : task_joinenter(x);
		if(r < 0){
			leavequeues(a, x);
			return -1;
		}
	}
	return 0;
}

/* returns the entry whose delay is the shortest; NULL if none has one. */
static Alt *
shortest(Alt *a)
{
	Alt *first = NULL;

	for(; !isend(a); a++)
		if(a->op == ALTDELAY && (first == NULL || a->ms < first->ms))
			first = a;
	return first;
}

/* waits until an entry has been done, or the shortest delay is over. */
__attribute__((noinline)) static int
awaitothers(Proc *p, Alt *a)
{
	Alt *first = shortest(a);
	int64_t deadline = first ? p->now() + first->ms * (int64_t)Millisecond :
		-1;
	int err = errno;

	if(enterqueues(p, a) < 0)
		return -1;
	int r = task_park(WaitAlt, (Object){a}, NULL, leavealt, deadline);
	if(r < 0 && (errno != ETIMEDOUT || p->running->wait.cut))
		return r;
	errno = err;
	if(r < 0){
		first->err = 0;
		return (int)(first - a);
	}
	/* it may have been closed before this task ran */
	if(isfd(&a[r]) && !task_fdsame(&a[r]))
		a[r].err = EBADF;
	return r;
}

int
chanalt(Alt *a)
{
	Proc *p = task_proc;
	Alt *x, *pick = NULL;
	unsigned int n = 0;
	int others = 0, err = check(a, &others);

	if(err)
		return task_fail(err);
	for(x = a; !isend(x); x++)
		if(can(x) && task_random(&p->random) % ++n == 0)
			pick = x;
	if(pick){
		serve(pick);
		n = (unsigned int)(pick - a);
		return x->op == CHANEND && sharetime(p->running, TakeWeight) ?
			task_share((int)n) : (int)n;
	}
	if(x->op == CHANNOBLK)
		return task_fail(EAGAIN);
	if(others)
		return awaitothers(p, a);
	for(x = a; !isend(x); x++)
		if(isop(x))
			enqueue(queueof(x), x, p->running);
	return task_park(WaitAlt, (Object){a}, NULL, leavealt, -1);
}
