/* SPDX-License-Identifier: MIT */
/* Waiting for descriptors. */
#include "fdimpl.h"
#include "task/newnames.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

/*
 * Each descriptor that somebody has waited for has an Fd, which holds the
 * queues of tasks that wait for it.  Its generation counts the files that its
 * number has stood for; it is in the cookie that the poller gives back, so that
 * an event of the last file is not taken for one of this.
 *
 * An event wakes the first waiter of its queue only.  If others wait too and
 * the first leaves something to do, the next turn of the fdtask finds it: with
 * a level-triggered poller because the descriptor stays armed, with an
 * edge-triggered one because it is armed again.
 *
 * With edges a descriptor is armed once, and no call is needed to wait after a
 * read or write has found nothing to do, for what happens later is an edge.
 * Who just waits is told of the level: the descriptor is armed again for that.
 */
static const int eventof[Queues] = {PollIn, PollOut, PollPri, 0};
static const enum Why whyof[Queues] = {WaitRead, WaitWrite, WaitExcept,
	WaitPause};

static int
growblocks(Fdtable *table, int n)
{
	if(n < 2 * table->nblock)
		n = 2 * table->nblock;
	Fd **blocks = task_sys.resize(table->blocks,
		(size_t)n * sizeof *blocks);
	if(blocks == NULL)
		return -1;
	for(int i = table->nblock; i < n; i++)
		blocks[i] = NULL;
	table->blocks = blocks;
	table->nblock = n;
	return 0;
}

Fd *
task_fdneed(Fdtable *table, int fd)
{
	int i = fd / BlockFds;
	Fd *f = task_fdknown(table, fd);

	if(f)
		return f;
	/* a number that is not open may be anything, and the table as large */
	if(task_sys.getfl(fd) < 0)
		return NULL;
	if(i >= table->nblock && growblocks(table, i + 1) < 0)
		return NULL;
	table->blocks[i] = task_sys.alloc(BlockFds * sizeof(Fd));
	return task_fdknown(table, fd);
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

static uint64_t
cookieof(const Fd *f, int fd)
{
	return (uint64_t)f->generation << 32 | (unsigned int)fd;
}

static int
arm(Fdtable *table, Fd *f, int fd, int events)
{
	if(table->poller->arm(table->state, fd, f->armed, events,
			cookieof(f, fd)) < 0)
		return -1;
	f->armed = (unsigned char)events;
	return 0;
}

static void
disarm(Fdtable *table, Fd *f, int fd)
{
	if(f->armed)
		table->poller->disarm(table->state, fd);
	f->armed = 0;
}

/* Waiters have left: what is level-triggered must not be told any longer. */
static void
relax(Fdtable *table, Fd *f, int fd)
{
	if(table->poller->edge)
		return;
	int events = wanted(f);
	if(events == f->armed)
		return;
	if(events)
		arm(table, f, fd, events);	/* for less: it cannot fail */
	else
		disarm(table, f, fd);
}

/* An error of the file is nothing to those who wait for its close. */
static void
wakeall(Fd *f, int err)
{
	for(int i = 0; i < (err ? Queues : Close); i++)
		while(task_wakefirst(&f->waiting[i], err))
			;
}

void
task_fdfired(void *v, uint64_t cookie, int events)
{
	Fdtable *table = v;

	if(events & PollDone){
		task_fdopended(table, (Op *)(uintptr_t)cookie);
		return;
	}
	int fd = (int)(uint32_t)cookie;
	Fd *f = task_fdknown(table, fd);
	if(f == NULL || f->generation != cookie >> 32)
		return;
	f->drained = 0;
	f->hup |= (events & (PollHup | PollErr | PollPri)) != 0;
	if(events == PollIn && table->poller->edge){	/* most are */
		task_wakefirst(&f->waiting[Read], 0);
		if(f->waiting[Read].head == NULL)
			return;
	}else if(events & (PollErr | PollBad))
		wakeall(f, events & PollBad ? EBADF : 0);
	else
		for(int i = 0; i < Queues; i++)
			if(events & eventof[i])
				task_wakefirst(&f->waiting[i], 0);
	/* if the others cannot be told later, they are told now */
	if(table->poller->edge && (wanted(f) & events) &&
			arm(table, f, fd, f->armed | wanted(f)) < 0)
		wakeall(f, 0);
	relax(table, f, fd);
}

/* A waiter was taken off its queue because its time was up. */
static void
leavefd(Task *t)
{
	Fdtable *table = task_proc->fds;

	relax(table, task_fdknown(table, t->wait.object.fd), t->wait.object.fd);
}

/*
 * sees to it that who joins queue i of f is told.  drained: a call has just
 * found that it would have to wait.
 */
static int
armfor(Fdtable *table, Fd *f, int fd, int i, int drained)
{
	/* armed is 0 after task_fddoubt, whoever waits; else it has them all */
	int events = f->armed & eventof[i] ? f->armed :
		f->armed | wanted(f) | eventof[i];

	if(events == f->armed && (drained || !table->poller->edge))
		return 0;
	return arm(table, f, fd, events);
}

/* waits in queue i of fd, which another task may close meanwhile. */
static int
awaitfd(Proc *p, int fd, int i, int drained, int64_t deadline)
{
	int err = *p->err;
	Fd *f = task_fdknown(p->fds, fd);

	if(f == NULL && (f = task_fdneed(p->fds, fd)) == NULL)
		return -1;
	uint32_t generation = f->generation;
	int always = armfor(p->fds, f, fd, i, drained) < 0;
	if(always && errno != EPERM)
		return -1;
	*p->err = err;
	int r = 0;
	if(always && i != Except)	/* it can always be read and written */
		taskyield();
	else{
		p->fds->nwaiting++;
		r = task_park(whyof[i], (Object){.fd = fd}, &f->waiting[i],
			leavefd, deadline);
		p->fds->nwaiting--;
	}
	return f->generation == generation ? r : task_fail(EBADF);
}

static int
queuefor(int rw)
{
	return rw == 'r' ? Read : rw == 'w' ? Write : Except;
}

int
task_fdwait(int fd, int rw)
{
	Proc *p = task_here();

	return p ? awaitfd(p, fd, queuefor(rw), 0, -1) : -1;
}

int
task_fdawait(Proc *p, int fd, int i)
{
	return awaitfd(p, fd, i, 1, -1);
}

int
task_fdpause(int fd, unsigned int ms)
{
	Proc *p = task_proc;
	int64_t deadline = p->now() + ms * (int64_t)Millisecond;

	if(awaitfd(p, fd, Close, 1, deadline) == 0)
		return 0;
	if(errno == ETIMEDOUT && !p->running->wait.cut)
		return 0;
	if(errno == ENOMEM)
		taskdelay(ms);
	return errno == ENOMEM ? 0 : -1;
}

int
fdwait(int fd, int rw)
{
	return task_fdwait(fd, rw);
}

/* returns whether the poller keeps the file open still. */
static int
forgetfd(Fdtable *table, int fd)
{
	Fd *f = task_fdknown(table, fd);

	if(f == NULL)
		return 0;
	int held = task_fdopsstop(table, f);
	wakeall(f, EBADF);
	disarm(table, f, fd);
	f->generation++;
	f->socket = f->notsocket = f->tcp = f->drained = f->hup = 0;
	return held || (table->poller->holds &&
		table->poller->holds(table->state, fd));
}

void
task_fdfresh(int fd)
{
	forgetfd(task_proc->fds, fd);
}

void
task_fddoubt(int fd)
{
	Fdtable *table = task_proc ? task_proc->fds : NULL;
	Fd *f = table ? task_fdknown(table, fd) : NULL;

	if(f == NULL)
		return;
	f->socket = f->notsocket = f->tcp = f->drained = f->hup = 0;
	task_fdopsrenew(table, f);
	if(table->poller->edge)
		f->armed = 0;
	else if(f->armed){
		disarm(table, f, fd);
		arm(table, f, fd, wanted(f));	/* again: it cannot fail */
	}
}

void
task_fdshort(const Fdtable *table, Fd *f, int fd)
{
	int nodelay;

	if(f->socket)	/* the poller waits by itself */
		return;
	if(table->poller->edge && (!(f->armed & PollIn) || f->hup))
		return;	/* no edge might come */
	if(f->tcp == 0)
		f->tcp = task_sys.getopt(fd, IPPROTO_TCP, TCP_NODELAY,
			&nodelay) == 0 ? 1 : 2;
	f->drained = f->tcp == 1;
}

void
task_fdnotsocket(int fd)
{
	Fd *f = task_fdneed(task_proc->fds, fd);

	if(f){
		f->notsocket = 1;
		f->socket = 0;
	}
}

int
task_fdclose(int fd)
{
	Proc *p = task_here();

	if(p == NULL)
		return -1;
	if(forgetfd(p->fds, fd)){
		struct timespec none = {0, 0};
		int err = errno;
		p->fds->poller->wait(p->fds->state, &none, task_fdfired,
			p->fds);
		errno = err;
	}
	return task_sys.close(fd);
}

int
fdclose(int fd)
{
	return task_fdclose(fd);
}

int
task_fdarmall(Fdtable *table, const Poller *to, void *state)
{
	for(int fd = 0; fd < table->nblock * BlockFds; fd++){
		Fd *f = task_fdknown(table, fd);
		if(f == NULL || f->armed == 0)
			continue;
		if(to->arm(state, fd, 0, f->armed, cookieof(f, fd)) == 0)
			continue;
		if(errno != EPERM)
			return -1;
		for(int i = Read; i <= Write; i++)
			while(task_wakefirst(&f->waiting[i], 0))
				;
		disarm(table, f, fd);
	}
	return 0;
}
