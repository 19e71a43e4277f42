/* SPDX-License-Identifier: MIT */
/* The table of descriptors, and the poller that watches them. */
#include "fd.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * poll(2) reads its whole set each time: a request and its answer between two
 * tasks took 5.4 us of CPU beside no other waiter, 6.0 beside 8, 11.9 beside
 * 64; with epoll 4.9 beside any number.  But epoll is one more descriptor, and
 * one more call for each connection, so up to MoveAt tasks wait with poll.
 */
enum { MoveAt = 8 };

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
task_fdmake(Fdtable *table, int fd)
{
	int i = fd / BlockFds;

	/* only if fd is open: any number would make a table of that size */
	if(task_sys.getfl(fd) < 0)
		return NULL;
	if(i >= table->nblock && growblocks(table, i + 1) < 0)
		return NULL;
	table->blocks[i] = task_sys.alloc(BlockFds * sizeof(Fd));
	return task_fdknown(table, fd);
}

void
task_fdunknown(Fd *f)
{
	f->socket = f->notsocket = f->tcp = f->drained = f->hup = 0;
	f->erred = f->ntold = f->sure = f->known = 0;
}

/* says that what TASKPOLLER asks for cannot be had, and ends the program. */
static void
nopoller(const char *name, const char *why)
{
	fprintf(stderr, "libtask: TASKPOLLER=%s: %s; use one of:", name, why);
	for(const Poller *const *at = task_pollers; *at; at++)
		if(strcmp((*at)->name, name) != 0)
			fprintf(stderr, " %s", (*at)->name);
	fputs(" fastest\n", stderr);
	exit(2);
}

/* opens the poller called name; for "fastest", the last that works here. */
static int
openpoller(Polling *polling, const char *name)
{
	const Poller *const *at = task_pollers;
	int fastest = strcmp(name, "fastest") == 0;

	while(*at && strcmp((*at)->name, name) != 0)
		at++;
	if(*at == NULL && !fastest)
		nopoller(name, "there is no such poller");
	if(*at == NULL)
		at--;
	while((polling->state = (*at)->open()) == NULL && fastest &&
			at > task_pollers)
		at--;
	polling->poller = *at;
	if(polling->state)
		return 0;
	if(errno == ENOSYS || errno == EPERM)
		nopoller(name, "the kernel does not allow it here");
	return -1;
}

/*
 * TASKPOLLER names a poller, or is "fastest", or is not set: then it is
 * poll(2), until many wait.
 */
int
task_fdbegin(Proc *p)
{
	const char *name = getenv("TASKPOLLER");
	int asked = name && *name;
	Fdtable *table = task_sys.alloc(sizeof *table);

	if(table == NULL)
		return -1;
	table->moveat = asked ? INT_MAX : MoveAt;
	if(openpoller(&table->polling, asked ? name : task_pollers[0]->name) <
			0){
		task_sys.free(table);
		return -1;
	}
	p->fds = table;
	return 0;
}

void
task_fdend(Proc *p)
{
	Fdtable *table = p->fds;

	task_outsideclose(table->outside);
	table->polling.poller->close(table->polling.state);
	for(int i = 0; i < table->nblock * BlockFds; i++){
		Fd *f = task_fdknown(table, i);
		if(f)
			task_fdonnone(table, f, f->onevents);
	}
	for(int i = 0; i < table->nblock; i++)
		task_sys.free(table->blocks[i]);
	task_sys.free(table->blocks);
	task_sys.free(table);
	p->fds = NULL;
}

/* wakes those who wait; err 0: the file can always be read and written. */
static void
wakewaiting(Fd *f, int err)
{
	for(int i = Read; i <= (err ? Hangup : Write); i++)
		while(f->waiting[i].head)
			tellfirst(&f->waiting[i], err);
}

/* has another poller watch for all that is armed now; -1 and errno. */
static int
armall(Fdtable *table, const Polling *to)
{
	for(int fd = 0; fd < table->nblock * BlockFds; fd++){
		Fd *f = task_fdknown(table, fd);
		if(f == NULL || f->interest.armed == 0)
			continue;
		if(task_rearmwith(to, &f->interest, fd) == 0)
			continue;
		if(errno != EPERM)
			return -1;
		wakewaiting(f, 0);
		task_fdonready(table, f, PollIn | PollOut);
		task_disarm(&table->polling, &f->interest, fd);
	}
	return 0;
}

/* All are armed with to now. */
static void
changeto(Fdtable *table, const Polling *to)
{
	table->polling.poller->close(table->polling.state);
	table->polling = *to;
	table->moveat = INT_MAX;
	for(int fd = 0; fd < table->nblock * BlockFds; fd++){
		Fd *f = task_fdknown(table, fd);
		if(f)
			f->interest.armed &= (unsigned char)~PollCalm;
	}
}

/* has in, where it is not armed yet, watch the door, if there is one. */
static int
armdoor(const Fdtable *table, const Polling *in)
{
	if(table->door == NULL)
		return 0;
	return in->poller->arm(in->state, table->door->fd, 0, PollIn,
		DoorCookie);
}

int
task_fddoor(Fdtable *table, Door *d)
{
	table->door = d;
	if(armdoor(table, &table->polling) == 0)
		return 0;
	table->door = NULL;
	return -1;
}

/* A program that closes all descriptors closes that of the door too. */
void
task_fdrung(Fdtable *table, int events)
{
	if(events & PollBad){
		table->polling.poller->disarm(table->polling.state,
			table->door->fd);
		if(task_doorrenew(table->door) == 0)
			armdoor(table, &table->polling);
	}
	table->door->rung |= !table->polling.poller->edge;
}

/*
 * The poller is changed once.  If the other one cannot be had, the old one goes
 * on, and the change is tried again when twice as many wait.
 */
void
task_fdmove(Fdtable *table)
{
	Polling to = {.poller = task_largepoller};

	if(table->nwaiting <= table->moveat)
		return;
	if(to.poller)
		to.state = to.poller->open();
	if(to.state && armdoor(table, &to) == 0 && armall(table, &to) == 0){
		changeto(table, &to);
		return;
	}
	if(to.state)
		to.poller->close(to.state);
	table->moveat = 2 * table->nwaiting;
}

/*
 * The host's descriptor is counted as one that waits: so a turn always looks
 * what the poller has to tell, and what was told is over.
 */
int
task_fdoutside(Fdtable *table)
{
	table->moveat = -1;
	if(table->polling.poller->outside == NULL)
		task_fdmove(table);
	if(table->polling.poller->outside == NULL)
		return task_fail(task_largepoller ? errno : ENOSYS);
	table->moveat = INT_MAX;
	table->outside = task_outsideopen();
	if(table->outside == NULL)
		return -1;
	table->nwaiting++;
	return 0;
}

void
task_fdforked(Proc *p)
{
	if(p == NULL || p->fds == NULL)
		return;
	const Polling *in = &p->fds->polling;
	if(in->poller->leave)
		in->poller->leave(in->state);
	task_outsideforked(p->fds->outside);
}

/*
 * The tasks that had the turns, and the calls that the poller was to make, are
 * not there any more, and their queues are empty.
 */
void
task_fdalone(Proc *p)
{
	Fdtable *table = p->fds;
	const Polling *in = &table->polling;

	if(in->poller->drop)
		in->poller->drop(in->state);
	for(int fd = 0; fd < table->nblock * BlockFds; fd++){
		Fd *f = task_fdknown(table, fd);
		if(f == NULL)
			continue;
		f->reading = f->writing = 0;
		task_fdonnone(table, f, f->onevents);
		for(int i = Read; i <= Write; i++)
			f->ops[i] = (Oplist){NULL, NULL};
	}
	table->nwaiting = table->outside != NULL;	/* the host waits */
}

/*
 * The poller has forgotten all.  Only what somebody waits for is armed: whoever
 * comes later arms the descriptor as if for the first time.
 */
static int
armanew(const Polling *in, Fd *f, int fd)
{
	int wanted = task_fdwanted(f);

	f->interest.armed = 0;
	return wanted ? task_arm(in, &f->interest, fd, wanted) : 0;
}

int
task_fdrenew(Fdtable *table, Fired *fired)
{
	const Polling *in = &table->polling;
	int err = in->poller->renew(in->state, fired, table) < 0 ? errno : 0;

	task_outsideanew(table->outside);
	if(err == 0 && table->door && (task_doorrenew(table->door) < 0 ||
			armdoor(table, in) < 0))
		err = errno;
	for(int fd = 0; fd < table->nblock * BlockFds; fd++){
		Fd *f = task_fdknown(table, fd);
		if(f == NULL)
			continue;
		if(err){
			f->interest.armed = 0;
			wakewaiting(f, err);
		}else if(armanew(in, f, fd) < 0)
			wakewaiting(f, errno == EPERM ? 0 : errno);
	}
	return err ? task_fail(err) : 0;
}
