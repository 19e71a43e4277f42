/* SPDX-License-Identifier: MIT */
/* Alt: waits for whichever comes first of channels, files, delays and tasks. */
#include "../fd/fd.h"
#include "../task/life.h"
#include "sync.h"
#include <errno.h>

/*
 * An entry for a channel waits in the channel's queue.  One for a descriptor or
 * for a task's end cannot: the queues of these hold tasks, and a task is in one
 * queue only.  So such an entry has a task of its own, the watcher, which waits
 * in fdwait or for the other task.  A watcher is a system task, made when there
 * is nothing to do but wait.  Its data is the entry that it waits for, or NULL
 * when the entry waits no longer: then the watcher just ends.
 */

static inline int
isfd(const Alt *a)
{
	return a->op == ALTREAD || a->op == ALTWRITE;
}

static inline int
iswatched(const Alt *a)
{
	return isfd(a) || a->op == ALTTASK;
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
		}else if(iswatched(a) || a->op == ALTDELAY)
			*others = 1;
		else if(a->op != CHANNOP)
			return EINVAL;
	}
	return 0;
}

/*
 * returns whether the descriptor of a is ready, as one that is not open is:
 * that is an error, at once.  Not inline, nor is what has a deadline: so
 * chanalt, which ends in task_park, has no frame left then.
 */
__attribute__((noinline)) static int
fdready(Alt *a)
{
	struct timespec now = {0, 0};
	struct pollfd pfd = {.fd = a->fd,
		.events = a->op == ALTREAD ? POLLIN : POLLOUT};

	if(a->fd < 0)
		pfd.revents = POLLNVAL;
	else if(task_sys.poll(&pfd, 1, &now) <= 0)
		return 0;
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

/* returns whether a can be done without waiting; so can what is closed. */
static inline int
can(Alt *a)
{
	Channel *c = a->c;

	if(!isop(a))
		return isfd(a) ? fdready(a) : a->op == ALTTASK && taskready(a);
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

	if(iswatched(a))
		return;
	if(a->op == CHANRCV)
		moved = channbrecv(a->c, a->v);
	else if(a->c->closed)
		moved = 0;
	else
		channbsend(a->c, a->v);
	a->err = moved ? 0 : EPIPE;
}

/* The watcher: waits for what an entry is for, and ends the wait of the alt. */
static void
watchentry(void *v)
{
	Proc *p = v;
	Alt *a = p->running->data;

	if(a){
		int r = a->op == ALTTASK ? task_await(a->id) :
			task_fdwait(a->fd, a->op == ALTREAD ? 'r' : 'w');
		a = p->running->data;
		if(a){
			a->err = r < 0 ? errno : 0;
			finishalt(a, 0);
		}
	}
	task_quit();
}

static int
addwatcher(Proc *p, Alt *a)
{
	Task *t = task_createsystem(p, "chanalt", watchentry, p);

	if(t == NULL)
		return -1;
	t->data = a;
	a->task = p->running;
	a->watcher = t;
	return 0;
}

/* ends the watcher of a. */
static void
dismiss(Alt *a)
{
	Task *t = a->watcher;

	t->data = NULL;
	if(t->wait.number)
		task_giveup(t, ECANCELED);
}

/* takes t, which is in chanalt, off what its entries wait for. */
static void
leavealt(Task *t)
{
	for(Alt *a = (Alt *)t->wait.object.v; !isend(a); a++)
		if(isop(a))
			dequeue(a);
		else if(iswatched(a))
			dismiss(a);
}

static int
addwatchers(Proc *p, Alt *a)
{
	for(Alt *x = a; !isend(x); x++)
		if(iswatched(x) && addwatcher(p, x) < 0){
			while(x-- > a)
				if(iswatched(x))
					dismiss(x);
			return -1;
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

/* waits until an entry has been done, or the delay of first is over. */
__attribute__((noinline)) static int
awaitdelay(Proc *p, Alt *a, Alt *first)
{
	int64_t deadline = p->now() + first->ms * (int64_t)Millisecond;
	int err = errno;
	int r = task_park(WaitAlt, (Object){a}, NULL, leavealt, deadline);

	if(r >= 0 || errno != ETIMEDOUT || p->running->wait.cut)
		return r;
	errno = err;
	first->err = 0;
	return (int)(first - a);
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
		return (int)(pick - a);
	}
	if(x->op == CHANNOBLK)
		return task_fail(EAGAIN);
	if(others && addwatchers(p, a) < 0)
		return -1;
	for(x = a; !isend(x); x++)
		if(isop(x))
			enqueue(x, p->running);
	if(others && (x = shortest(a)))
		return awaitdelay(p, a, x);
	return task_park(WaitAlt, (Object){a}, NULL, leavealt, -1);
}
