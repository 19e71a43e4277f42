/* SPDX-License-Identifier: MIT */
/* A scheduler in somebody else's loop. */
#include "fd/fd.h"
#include "proc/proc.h"
#include "task/life.h"
#include "task/newnames.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

/*
 * What fdtask does in taskrun, the host's loop does by procstep: one turn.
 * Between two of them no scheduler runs in this thread, as far as all other
 * calls are concerned: one that made a task ready would do so after the
 * descriptor was told when there is something to do next.  Of those that work
 * without a scheduler taskcreate is told of ours.
 *
 * A step ends in an order by which nothing is missed: tasks run; what they want
 * of the kernel is handed over; the door says that its owner sleeps, so who
 * tells it something writes to what the poller watches; the timer is set.
 */

static _Thread_local int ended;	/* task_hosted has no task left */

static Proc *
hosted(void)
{
	if(task_hosted && task_proc == NULL)
		return task_hosted;
	errno = EPERM;
	return NULL;
}

/* From here to leavehosted it is as in taskrun. */
static void
enterhosted(Proc *p, int *cancels)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, cancels);
	task_proc = p;
}

/* A signal may have asked for the list since it was looked. */
static void
leavehosted(Proc *p, int cancels)
{
	task_proc = NULL;
	atomic_signal_fence(memory_order_seq_cst);
	if(p->signalled)
		task_doorring(p->door);
	pthread_setcancelstate(cancels, NULL);
}

static void
tellhost(const Fdtable *table, int64_t deadline_ns)
{
	task_outsidearm(table->outside, &table->polling, table->door->fd,
		deadline_ns);
}

/* taskcreate, called by the host between two steps. */
static int
createfor(void (*fn)(void *), void *arg, size_t stack)
{
	Proc *p = task_hosted;
	int cancels;

	enterhosted(p, &cancels);
	Task *t = task_create(p, fn, arg, stack);
	if(t)
		tellhost(p->fds, AtOnce);
	leavehosted(p, cancels);
	return t ? (int)t->id : -1;
}

static void
setover(int is)
{
	ended = is;
	task_earlyhost = is ? NULL : createfor;
}

/* The poller comes first: the door is armed with it. */
static int
beginhost(Proc *p, void (*fn)(void *), void *arg)
{
	if(task_fdoutside(p->fds) < 0 || task_door(p) == NULL ||
			task_begin(p, fn, arg, task_firststack()) < 0)
		return -1;
	taskname("procstep");
	tellhost(p->fds, AtOnce);
	return 0;
}

int
procopen(void (*fn)(void *), void *arg)
{
	int err = errno, cancels, number = -1;

	if(fn == NULL || task_proc || task_hosted)
		return task_fail(fn ? EBUSY : EINVAL);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancels);
	Proc *p = task_newproc(NULL);
	if(p && beginhost(p, fn, arg) == 0){
		number = p->member->number;
		task_proc = NULL;
		task_hosted = p;
		setover(0);
	}else{
		err = errno;
		if(p)
			task_endproc(p);
	}
	pthread_setcancelstate(cancels, NULL);
	errno = err;
	return number;
}

int
procfd(void)
{
	if(task_hosted == NULL)
		return task_fail(EPERM);
	const Fdtable *table = task_hosted->fds;
	return task_outsidefd(table->outside, &table->polling);
}

/* looks what has come, and waits for it until then. */
static void
lookuntil(Proc *p, int64_t until)
{
	int64_t now = p->now(), deadline = task_fdnext(p, now);

	task_fdpoll(p, now, deadline < until ? deadline : until);
	/* a poller that flushes may not have told of it yet */
	p->door->rung |= p->fds->polling.poller->flush != NULL;
	task_dooranswer(p->door, p);
	if(p->signalled){
		p->signalled = 0;
		p->list(p);
	}
	p->nturn++;
	p->turn_ns = p->now();
	task_wakesleepers(p, p->turn_ns);
}

static int
noneleft(const Proc *p)
{
	return p->ntask == p->nsystem;
}

/* the same, for ms, or for ever, until there is something to do. */
static void
awaitwork(Proc *p, int ms)
{
	int64_t until = ms < 0 ? NoDeadline :
		p->now() + ms * (int64_t)Millisecond;

	do
		lookuntil(p, until);
	while(p->ready.head == NULL && p->turn_ns < until && !noneleft(p));
}

/* has the descriptor tell what is next; returns whether that is now. */
static int
endstep(Proc *p)
{
	int64_t now = p->now();
	int64_t next = task_doorsleep(p->door) ? task_fdnext(p, now) : now;

	tellhost(p->fds, next > now ? next : AtOnce);
	return next <= now;
}

int
procstep(int ms)
{
	Proc *p = hosted();
	int err = errno, cancels, left = 0;

	if(p == NULL || ms < -1)
		return p ? task_fail(EINVAL) : -1;
	if(ended)
		return 0;
	enterhosted(p, &cancels);
	awaitwork(p, ms);
	if(task_rest(p))
		left = 1 + endstep(p);
	else{
		setover(1);
		task_outsidequiet(p->fds->outside);
	}
	leavehosted(p, cancels);
	errno = err;
	return left;
}

/* What fails so runs none of its tasks any more, and accepts none. */
static void
giveuptasks(Proc *p)
{
	p->failed = ECANCELED;
	task_rest(p);
}

int
procclose(void)
{
	Proc *p = hosted();
	int err = errno, cancels;

	if(p == NULL)
		return -1;
	enterhosted(p, &cancels);
	if(!ended)
		giveuptasks(p);
	int status = p->failed ? -1 : p->status;
	err = p->failed ? p->failed : err;
	task_hosted = NULL;
	task_earlyhost = NULL;
	task_endproc(p);
	pthread_setcancelstate(cancels, NULL);
	errno = err;
	return status;
}
