/* SPDX-License-Identifier: MIT */
/* Waiting for descriptors, and the fdtask, which waits for all of them. */
#include "taskimpl.h"
#include "poll/poller.h"
#include <errno.h>
#include <stdatomic.h>

/*
 * Each descriptor that somebody has waited for has an Fd, which holds the queues of
 * tasks that wait for it.  Its generation counts the files that its number has
 * stood for; it is in the cookie that the poller gives back, so that an event of
 * the last file is not taken for one of this.
 *
 * An event wakes the first waiter of its queue only.  As long as others wait the
 * descriptor stays armed: if the first leaves something to do, the next turn of the
 * fdtask finds it.
 */
enum { Read, Write, Except, Pause, Queues };

typedef struct Fd
{
	Tasklist waiting[Queues];
	uint32_t generation;
	unsigned char armed;	/* events the poller watches for */
	unsigned char notsocket;	/* send(2) said so, of this generation */
} Fd;

/* Blocks do not move when the table grows: parked tasks point into them. */
enum { BlockFds = 64 };

struct Fdtable
{
	const Poller *poller;
	void *state;	/* the poller's */
	Fd **blocks;
	int nblock;
	int narmed;	/* descriptors that somebody waits for */
};

#define Forever ((int64_t)1000000000 * Second)	/* 32 years */

static const int eventof[Queues] = {PollIn, PollOut, PollPri, 0};
static const enum Why whyof[Queues] = {WaitRead, WaitWrite, WaitExcept,
	WaitPause};

static Fd *
known(Fdtable *table, int fd)
{
	if(fd < 0 || fd / BlockFds >= table->nblock)
		return NULL;
	Fd *block = table->blocks[fd / BlockFds];
	return block ? &block[fd % BlockFds] : NULL;
}

static int
growtable(Fdtable *table, int n)
{
	if(n < 2 * table->nblock)
		n = 2 * table->nblock;
	Fd **blocks = task_sys.resize(table->blocks, (size_t)n * sizeof *blocks);
	if(blocks == NULL)
		return -1;
	for(int i = table->nblock; i < n; i++)
		blocks[i] = NULL;
	table->blocks = blocks;
	table->nblock = n;
	return 0;
}

/* The Fd of an open descriptor, made if need be; NULL with EBADF or ENOMEM. */
static Fd *
need(Fdtable *table, int fd)
{
	int i = fd / BlockFds;
	Fd *f = known(table, fd);

	if(f)
		return f;
	/* not open: then the number may be anything, and the table would be as large */
	if(task_sys.getfl(fd) < 0)
		return NULL;
	if(i >= table->nblock && growtable(table, i + 1) < 0)
		return NULL;
	table->blocks[i] = task_sys.alloc(BlockFds * sizeof(Fd));
	return known(table, fd);
}

/* What those who wait for f wait for. */
static int
wanted(Fd *f)
{
	int events = 0;

	for(int i = 0; i < Queues; i++)
		if(f->waiting[i].head)
			events |= eventof[i];
	return events;
}

static int
arm(Fdtable *table, Fd *f, int fd, int events)
{
	if(events == f->armed)
		return 0;
	if(events == 0)
		table->poller->disarm(table->state, fd);
	else if(table->poller->arm(table->state, fd, events,
			(uint64_t)f->generation << 32 | (unsigned int)fd) < 0)
		return -1;
	table->narmed += (events != 0) - (f->armed != 0);
	f->armed = (unsigned char)events;
	return 0;
}

static void
wakeall(Fd *f, int err)
{
	for(int i = 0; i < Queues; i++)
		while(task_wakefirst(&f->waiting[i], err))
			;
}

/* The poller's news of one descriptor. */
static void
fired(void *v, uint64_t cookie, int events)
{
	Fdtable *table = v;
	int fd = (int)(uint32_t)cookie;
	Fd *f = known(table, fd);

	if(f == NULL || f->generation != cookie >> 32)
		return;
	if(events & (PollErr | PollBad))
		wakeall(f, events & PollBad ? EBADF : 0);
	else
		for(int i = 0; i < Queues; i++)
			if(events & eventof[i])
				task_wakefirst(&f->waiting[i], 0);
	arm(table, f, fd, wanted(f));	/* less than before: it cannot fail */
}

/* A waiter was taken off its queue because its time was up. */
static void
unwait(Task *t)
{
	Fdtable *table = task_proc->fds;
	int fd = t->object.fd;
	Fd *f = known(table, fd);

	arm(table, f, fd, wanted(f));
}

/* waits in queue i of fd, which another task may close meanwhile. */
static int
await(Proc *p, int fd, int i, int64_t deadline)
{
	Fd *f = need(p->fds, fd);

	if(f == NULL || arm(p->fds, f, fd, f->armed | eventof[i]) < 0)
		return -1;
	uint32_t generation = f->generation;
	int r = task_park(whyof[i], (Object){.fd = fd}, &f->waiting[i], unwait,
		deadline);
	if(f->generation != generation){
		errno = EBADF;
		return -1;
	}
	return r;
}

int
task_fdwait(int fd, int rw)
{
	Proc *p = task_here();

	if(p == NULL)
		return -1;
	return await(p, fd, rw == 'r' ? Read : rw == 'w' ? Write : Except, -1);
}

int
task_fdpause(int fd, unsigned int ms)
{
	Proc *p = task_proc;
	int64_t deadline = p->now() + ms * (int64_t)Millisecond;

	if(await(p, fd, Pause, deadline) < 0 && errno != ETIMEDOUT)
		return -1;
	return 0;
}

int
fdwait(int fd, int rw)
{
	return task_fdwait(fd, rw);
}

void
task_fdfresh(int fd)
{
	Fdtable *table = task_proc->fds;
	Fd *f = known(table, fd);

	if(f == NULL)
		return;
	wakeall(f, EBADF);
	arm(table, f, fd, 0);
	f->generation++;
	f->notsocket = 0;
}

int
task_fdnotsocket(int fd, int now)
{
	Fdtable *table = task_proc->fds;
	Fd *f = now ? need(table, fd) : known(table, fd);

	if(f && now)
		f->notsocket = 1;
	return f && f->notsocket;
}

int
task_fdclose(int fd)
{
	if(task_here() == NULL)
		return -1;
	task_fdfresh(fd);
	return task_sys.close(fd);
}

NEWNAME int
fdclose(int fd)
{
	return task_fdclose(fd);
}

static Fdtable *
opentable(const Poller *poller)
{
	Fdtable *table = task_sys.alloc(sizeof *table);

	if(table == NULL)
		return NULL;
	table->poller = poller;
	table->state = poller->open();
	if(table->state == NULL){
		task_sys.free(table);
		return NULL;
	}
	return table;
}

static void
closetable(Fdtable *table)
{
	table->poller->close(table->state);
	for(int i = 0; i < table->nblock; i++)
		task_sys.free(table->blocks[i]);
	task_sys.free(table->blocks);
	task_sys.free(table);
}

/* When the fdtask has to look at the clock again, at the latest. */
static int64_t
nextdeadline(Proc *p, int64_t now)
{
	int64_t trim = task_stacktrim(&p->pool, now);
	Sleeper *first = task_sleepfirst(&p->sleeping);
	int64_t next = first ? first->deadline_ns : now + Forever;

	if(p->ready.head || p->signalled)
		next = now;
	return trim >= 0 && trim < next ? trim : next;
}

/*
 * waits until something happens, or the deadline.  The timeout lies in the Proc: a
 * signal handler that sets p->signalled after we have looked at it, but before the
 * kernel waits, zeroes the timeout too.
 */
static void
waitfor(Proc *p, int64_t now, int64_t deadline)
{
	Fdtable *table = p->fds;
	int64_t ns = deadline > now ? deadline - now : 0;

	if(ns == 0 && table->narmed == 0)
		return;
	p->timeout.tv_sec = (time_t)(ns / Second);
	p->timeout.tv_nsec = (long)(ns % Second);
	atomic_signal_fence(memory_order_seq_cst);
	if(p->signalled)
		p->timeout = (struct timespec){0, 0};
	table->poller->wait(table->state, &p->timeout, fired, table);
}

/*
 * The fdtask runs on the stack that taskrun was called on, so it costs nothing.
 * One turn: wait for descriptors, no longer than until the first deadline; wake the
 * tasks whose descriptor is ready, then those whose time has come; let them run.
 */
void
fdtask(void *v)
{
	Proc *p = v;

	if(p == NULL || p != task_proc || p->running != &p->fdtask)
		return;
	p->fds = opentable(&task_poll);
	if(p->fds == NULL){
		p->failed = errno;
		return;
	}
	taskname("fdtask");
	while(task_rest(p)){
		int64_t now = p->now();
		int64_t deadline = nextdeadline(p, now);

		if(p->ready.head == NULL && p->sleeping.n == 0 && p->fds->narmed == 0)
			p->stalled(p);
		else
			waitfor(p, now, deadline);
		if(p->signalled){
			p->signalled = 0;
			p->list(p);
		}
		p->turn_ns = p->now();
		task_wakesleepers(p, p->turn_ns);
	}
	closetable(p->fds);
}
