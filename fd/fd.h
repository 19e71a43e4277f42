/* SPDX-License-Identifier: MIT */
/* Descriptors: the table of those that are waited for, and calls on them. */
#ifndef TASK_FD_H
#define TASK_FD_H

#include "../poll/poller.h"
#include "../task/entry.h"
#include "../task/share.h"

#pragma GCC visibility push(hidden)

/*
 * The queues of an Fd: a task waits to read, to write, for urgent data, until
 * the peer has gone, or, in Close, for nothing but fdclose or for an Op of its
 * own.
 */
enum { Read, Write, Except, Hangup, Close, Queues };

/*
 * What is called when a descriptor is ready, in place of a task that waits; it
 * lies in what it is about.  The fdtask calls fn, once: from then on it is the
 * caller's again.  If fn returns 0 it stays, to be called again.  When the
 * descriptor is closed, or the proc ends, fn is called with ready 0.
 */
typedef struct Fdon Fdon;
struct Fdon
{
	Fdon *next;
	int (*fn)(Fdon *o, int ready);
	int event;
};

/*
 * A descriptor.  What each request touches comes first: it should be one line
 * of the cache.
 */
typedef struct Fd
{
	Interest interest;

	/* about the file that the number stands for now */
	unsigned char notsocket : 1;	/* the kernel said so */
	unsigned char drained : 1;	/* the last read took all there was */
	unsigned char reading : 1;	/* a call has the turn: turn.c's */
	unsigned char writing : 1;
	unsigned char sure : 1;	/* all who wait for it wait for file */
	unsigned char known : 1;	/* file is valid */
	unsigned char quiet : 1;	/* in the table's list: calm.c */
	unsigned char socket : 1;	/* the poller makes the calls on it */
	unsigned char tcp : 2;	/* a TCP socket: 1; not: 2; unknown: 0 */
	unsigned char hup : 1;	/* an edge has come after which none might */
	unsigned char erred : 1;	/* an error was told, and may last */
	unsigned char ntold;	/* who were told of it, if erred: calm.c's */
	unsigned char onevents;	/* what on waits for */
	int nextquiet;	/* the next one's fd, if quiet */
	Fdon *on;	/* tasks to be made, or NULL: see later.c */
	Fileid file;

	Altlist waiting[Queues];	/* entries: see task/entry.h */
	/* for Read and Write, linked by behind; their tasks wait in Close */
	Oplist ops[2];
	Tasklist turns[2];	/* tasks that wait to read, to write */
} Fd;

/*
 * The table consists of blocks of Fds, which do not move when it grows: parked
 * tasks point into them.
 */
enum { BlockFds = 64 };

typedef struct Fdtable
{
	Polling polling;
	Fd **blocks;
	int nblock;
	int nwaiting;	/* tasks that wait for one, and entries of alts */
	Door *door;	/* the proc's, or NULL */
	int moveat;	/* if more wait it is time for another poller */
	int nquiet;	/* of whose error nobody is told until recall_ns */
	int nrecalled;	/* so many were quiet the last time */
	int quiet;	/* the first one's fd, if there is one */
	int64_t recall_ns;
	Outside *outside;	/* for another loop, or NULL */
} Fdtable;

/* table.c */

int task_fdbegin(Proc *p);	/* -1 and errno: there is no poller */
void task_fdend(Proc *p);

/*
 * makes the Fd of a descriptor, which has none; returns NULL with ENOMEM, or
 * with EBADF if it is not open.
 */
Fd *task_fdmake(Fdtable *table, int fd);

/* forgets what is known of the file of f, which may be another one now. */
void task_fdunknown(Fd *f);

/* changes to the poller for many descriptors, if it is time for that. */
void task_fdmove(Fdtable *table);

/*
 * has another loop told when there is something to do, from task_outsidearm on;
 * changes to another poller if need be.  Returns 0; -1 and errno.
 */
int task_fdoutside(Fdtable *table);

/* tells a fork(2)'s child that the poller is the parent's; p may be NULL. */
void task_fdforked(Proc *p);

/* the same to taskfork's, where no task waits and no call is under way. */
void task_fdalone(Proc *p);

/*
 * has the poller, which will never wait again, make another of what it has in
 * the kernel, and arms all that is waited for.  fired is as in poller.h.
 * Returns 0; -1 and errno, with which all who wait have been woken.
 */
int task_fdrenew(Fdtable *table, Fired *fired);

/* returns the Fd of a descriptor; NULL if nobody has ever waited for it. */
static inline Fd *
task_fdknown(const Fdtable *table, int fd)
{
	unsigned int i = (unsigned int)fd / BlockFds;	/* of -1: large */
	Fd *block = i < (unsigned int)table->nblock ? table->blocks[i] : NULL;

	return block ? &block[(unsigned int)fd % BlockFds] : NULL;
}

/* returns the same, made if need be; or fails as task_fdmake. */
static inline Fd *
task_fdneed(Fdtable *table, int fd)
{
	Fd *f = task_fdknown(table, fd);

	return f ? f : task_fdmake(table, fd);
}

/* returns the events that those in the queues of f wait for. */
static inline int
task_fdwanted(const Fd *f)
{
	return (f->waiting[Read].head ? PollIn : 0) |
		(f->waiting[Write].head ? PollOut : 0) |
		(f->waiting[Except].head ? PollPri : 0) |
		(f->waiting[Hangup].head ? PollHup : 0) | f->onevents;
}

/*
 * Which open file a call means by a number: the generation of its Fd, from when
 * others may first have run.  Whatever calls more than once, or waits and then
 * calls, goes on only while task_fdstill says so.
 */
typedef int64_t Meant;

enum { AnyFile = -1 };	/* what it is at first */

/* returns whether fd is the file that is meant; if not, 0 with EBADF. */
static inline int
task_fdstill(const Fdtable *table, int fd, Meant *m)
{
	const Fd *f = task_fdknown(table, fd);
	uint32_t now = f ? f->interest.generation : 0;

	if(*m == AnyFile)
		*m = now;
	return *m == now || task_fail(EBADF) == 0;
}

static inline int
task_fdissocket(int fd)
{
	int type;

	return task_sys.getopt(fd, SOL_SOCKET, SO_TYPE, &type) == 0;
}

/* op.c: calls that the poller makes, where it can */

/* returns whether the poller, being one that makes calls, makes those on fd. */
int task_fdsocket(Fdtable *table, int fd);

/* returns whether the poller makes the calls on fd. */
static inline int
task_fdops(int fd)
{
	Fdtable *table = task_proc->fds;

	return table->polling.poller->submit && task_fdsocket(table, fd);
}

/*
 * has the poller make a call on the file that is meant, and waits until it has
 * ended.  Others run meanwhile, and once more after it has.
 * Returns what the call did, or -1 and errno.
 */
ssize_t task_fdop(Op *op, Meant *m);

/* Read or Write: which of the calls of its descriptor op waits for. */
static inline int
task_fdside(const Op *op)
{
	return op->kind == OpRecv || op->kind == OpAccept ? Read : Write;
}

/*
 * ends op, whose call the poller has made or given up, and wakes its task.  A
 * call that was cut short although its task still wants it is made again.
 */
void task_fdopended(Fdtable *table, Op *op);

/* hears that the poller has sent a, and gives up its recv if that says so. */
void task_fdsent(Fdtable *table, Sending *a);

/*
 * ends all ops of f, which is being closed.  Returns whether the poller has one
 * of them still, which ends later.
 */
int task_fdopsstop(Fdtable *table, Fd *f);

/*
 * The cookie of the proc's door: that of no descriptor.  task_fddoor has the
 * poller watch the door that table gets; task_fdrung hears of it.
 */
#define DoorCookie UINT64_MAX
int task_fddoor(Fdtable *table, Door *d);	/* -1 and errno */
void task_fdrung(Fdtable *table, int events);

/* same.c */

/*
 * wakes the tasks that wait for f, with err.  If err is 0 they are to see for
 * themselves how the file is, which is nothing to tasks that wait for its
 * close.
 */
void task_fdwakeall(Fd *f, int err);

/*
 * forgets all about fd, which is or will be another file's number: those who
 * wait for it fail with EBADF.
 * Returns whether the poller still keeps the old file open.
 */
int task_fdforget(Fdtable *table, int fd);

/*
 * is called before somebody waits for f, and looks whether the others that do
 * wait for what fd is now; if not, they fail with EBADF.  arms: the poller is
 * going to be told of the wait.
 */
void task_fdjoin(Fdtable *table, Fd *f, int fd, int others, int arms);

/* does the same for fdnoblock, before which nobody waits for a new file. */
void task_fddoubt(Fdtable *table, int fd);

/* turn.c */

static inline int
task_fdtaken(const Fd *f, int i)
{
	return i == Read ? f->reading : f->writing;
}

/*
 * task_fdtake takes the turn of fd's direction, and waits for it if need be;
 * returns 0, or -1 and errno.  task_fdgive hands it over to the next, and
 * leaves errno alone.
 */
int task_fdtake(Proc *p, int fd, int i, Meant *m);
void task_fdgive(Proc *p, int fd, int i, Meant *m);

/* takes back the turns of f, another file now; who waits gets EBADF. */
void task_fdnoturns(Fd *f);

/* calm.c */

/*
 * has the poller report to who is going to wait for event of fd; 0, or -1 and
 * errno.  found: a call has just found that it would have to wait.
 */
int task_fdtellof(Fdtable *table, Fd *f, int fd, int event, int found);

/*
 * returns whether who looks at fd, or waits for it, is to be told of what
 * poll(2) has said.
 */
int task_fdnews(Fdtable *table, int fd, int revents, int waits);

/*
 * has quiet descriptors, of which there are some, told of again if it is time.
 * Returns when it will be; -1: there are none any more.
 */
int64_t task_fdrecall(Fdtable *table, int64_t now);

/* call.c */

/* has the poller make a recv or send: see task_fdop. */
ssize_t task_fdcall(enum Opkind kind, int fd, void *buf, size_t n, Meant *m);

/*
 * has it make a recv after a, which it sends at once.  -1 with ECANCELED or
 * EINTR, and no cut, if a->sent has said that it is not wanted.
 */
ssize_t task_fdrecvafter(Sending *a, int fd, void *buf, size_t n, Meant *m);

/*
 * accept and connect, made by the poller where it can, and then it waits too.
 */
int task_fdaccept(int fd, struct sockaddr *sa, socklen_t *n, Meant *m);
int task_fdconnect(int fd, const struct sockaddr *sa, socklen_t n, Meant *m);

/*
 * notes that a read of fd got less than it asked for.  Of a TCP socket that
 * says that nothing is left, so the next read waits first.
 */
void task_fdshort(const Fdtable *table, Fd *f, int fd);

/* notes that fd is no socket. */
void task_fdnotsocket(int fd);

/*
 * does so when a call has just found it out.  If fd was a socket it is another
 * file now.  Returns whether that is the one that is meant; before is what the
 * caller meant before this call of several.
 */
int task_fdnosocket(int fd, Meant before, Meant *m);

/*
 * task_fdcall, for a call that other files have too: if fd is no socket, -1
 * with ENOTSOCK when that one is to be made.
 */
ssize_t task_fdbypoller(enum Opkind kind, int fd, void *buf, size_t n,
	Meant *m);

/*
 * reads once.  If the poller makes the call, it has waited too.  On TCP sockets
 * recv takes a shorter way through the kernel than read.  f is fd's, or NULL.
 */
static inline ssize_t
task_fdget(Proc *p, const Fd *f, int fd, void *buf, size_t n, Meant *m)
{
	if(n > 0 && task_fdops(fd)){
		ssize_t r = task_fdbypoller(OpRecv, fd, buf, n, m);
		if(r >= 0 || *p->err != ENOTSOCK)
			return r;
	}else if(f && f->tcp == 1 && n > 0){
		ssize_t r = task_sys.recv(fd, buf, n);
		if(r >= 0 || *p->err != ENOTSOCK ||
				!task_fdnosocket(fd, *m, m))
			return r;
	}
	return task_sys.read(fd, buf, n);
}

/*
 * does the same, and notes if it got less than it asked for; -1 with EAGAIN if
 * it would have to wait.  Then, or at first if task_fdempty says that there is
 * nothing, who reads waits by task_fdawait.
 */
static inline ssize_t
task_fdtry(Proc *p, int fd, void *buf, size_t n, Meant *m)
{
	Fd *f = task_fdknown(p->fds, fd);
	ssize_t r = task_fdget(p, f, fd, buf, n, m);

	if(r > 0 && (size_t)r < n && f)
		task_fdshort(p->fds, f, fd);
	return r;
}

static inline int
task_fdempty(const Proc *p, int fd)
{
	const Fd *f = task_fdknown(p->fds, fd);

	return f && f->drained;
}

/* entry.c: ALTREAD, ALTWRITE and ALTHANGUP */

/*
 * task_fdenter has a, of the running task, wait for its fd, which was just
 * found not ready; returns 0, or -1 and errno.  task_fdleave takes a off again.
 */
int task_fdenter(Alt *a);
void task_fdleave(Alt *a);

/* returns whether the fd of a is the open file still that a has waited for. */
int task_fdsame(const Alt *a);

/*
 * on.c: has o called when fd is ready; -1 and errno.  task_fdoff takes it back,
 * and returns whether it was in time.
 */
int task_fdon(Proc *p, int fd, Fdon *o);
int task_fdoff(Proc *p, int fd, const Fdon *o);

/* later.c */

void task_fdonadd(Fdtable *table, Fd *f, Fdon *o);

/* takes o off again; returns whether it was there. */
int task_fdonremove(Fdtable *table, Fd *f, const Fdon *o);

/* calls those on f for some of the events; PollErr is for all of them. */
void task_fdonready(Fdtable *table, Fd *f, int events);

/* drops those for the events. */
void task_fdonnone(Fdtable *table, Fd *f, int events);

/* fd.c */

/* returns the queue for what fdwait's rw means. */
static inline int
task_fdqueue(int rw)
{
	return rw == 'r' ? Read : rw == 'w' ? Write : rw == 'h' ? Hangup :
		Except;
}

/* counts a call that did not wait; of many in a row one lets others run. */
static inline void
task_fdshare(Proc *p)
{
	if(sharetime(p->running, FdWeight))
		task_share(0);
}

/*
 * fdwait and fdclose, as the library itself calls them; and fdwait for the file
 * that is meant.
 */
int task_fdwait(int fd, int rw);
int task_fdwaiton(int fd, int rw, Meant *m);
int task_fdclose(int fd);

/*
 * waits in queue i of fd, as fdwait does, until deadline_ns.  found: a call has
 * just found that it would have to wait.
 */
int task_fdawait(Proc *p, int fd, int i, int found, int64_t deadline_ns,
	Meant *m);

/*
 * waits if a call on fd that returned r would have blocked.  Returns 1 if it is
 * to be made again, else 0.
 */
int task_fdagain(int fd, int rw, ssize_t r, Meant *m);

/*
 * sleeps for ms and returns 0.  Returns -1 if fd is closed meanwhile, with
 * EBADF, or a scope or cancel ends the wait.
 */
int task_fdpause(int fd, unsigned int ms, Meant *m);

/*
 * waits as the fdtask does, for something from outside, and looks at the
 * descriptors once at least.
 */
void task_fdpoll(Proc *p, int64_t now, int64_t deadline);

/* returns until when there is nothing to do but what comes; NoDeadline. */
int64_t task_fdnext(Proc *p, int64_t now);

/* wakes the tasks that an event is for: Fired, with the table. */
void task_fdfired(void *table, uint64_t cookie, int events);

/* sigpipe.c, a wing */

int task_sigpipebegin(Proc *p);
void task_sigpipeend(Proc *p);
void task_sigpipeforked(Proc *p);

#pragma GCC visibility pop
#endif
