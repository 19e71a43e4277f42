/* SPDX-License-Identifier: MIT */
/* Descriptors: the fdtask; waiting, reading, closing. */
#include "fd/fd.h"
#include "task/life.h"
#include "task/newnames.h"
#include <errno.h>
#include <stdatomic.h>

/*
 * Each descriptor that somebody has waited for has an Fd, which holds the
 * queues of tasks that wait for it.  The generation of an Fd counts the files
 * that its number has stood for; it is in the cookie that the poller gives
 * back, so that an event of an earlier file is not taken for one of the present
 * file.
 *
 * An event wakes the first waiter of its queue only.  If others wait too and
 * the first leaves something to do, the next turn of the fdtask finds it: with
 * a level-triggered poller because the descriptor stays armed, with an
 * edge-triggered one because it is armed again.
 */
static const int eventof[Queues] = {PollIn, PollOut, PollPri, PollHup, 0};
static const enum Why whyof[Queues] = {WaitRead, WaitWrite, WaitExcept,
	WaitHangup, WaitPause};

#define Forever ((int64_t)PollForever * Second)	/* 32 years */

/* While threads tell something a look at the descriptors is put off so long. */
enum { LookNs = 20000 };

/* The fdtask */

/*
 * answers what other threads have told.  Returns whether tasks are to run now,
 * before there is a look at the descriptors, which is a system call.
 */
static int
answer(Proc *p)
{
	task_doorread(p->door);
	return task_dooranswer(p->door, p) > 0 && p->ready.head &&
		p->now() - p->turn_ns < Millisecond;
}

/* returns when the fdtask has to look at the clock again, at the latest. */
static inline int64_t
nextdeadline(Proc *p, int64_t now)
{
	int64_t trim = task_stacktrim(&p->pool, now);
	int64_t calm = p->fds->nquiet ? task_fdrecall(p->fds, now) : -1;
	Sleeper *first = task_sleepfirst(&p->sleeping);
	int64_t next = first ? first->deadline_ns : now + Forever;

	if(p->ready.head || p->signalled)
		next = now;
	if(calm >= 0 && calm < next)
		next = calm;
	return trim >= 0 && trim < next ? trim : next;
}

/* If no poller can be opened deadlines go on; the next turn tries again. */
static void
renew(Proc *p)
{
	if(task_fdrenew(p->fds, task_fdfired) == 0 || p->ready.head)
		return;
	if(p->door)	/* which nobody watches */
		p->timeout = (struct timespec){0, 10 * Millisecond};
	task_sys.poll(NULL, 0, &p->timeout);
}

/*
 * waits for descriptors until one has an event, or deadline passes.  If another
 * thread tells something meanwhile it looks at them once; or returns 0, if the
 * last turn was after late.  The timeout lies in the Proc: a signal handler
 * that sets p->signalled after it was looked at here, but before the kernel
 * waits, zeroes the timeout too.
 */
static inline int
waitfor(Proc *p, int64_t now, int64_t deadline, int64_t late)
{
	Fdtable *table = p->fds;
	int64_t ns = deadline > now ? deadline - now : 0;

	if(ns == 0 && table->nwaiting == 0)
		return 1;
	task_fdmove(table);
	const Polling *in = &table->polling;
	p->timeout.tv_sec = ns < Forever ? (time_t)(ns / Second) :
		in->poller->forever;
	p->timeout.tv_nsec = (long)(ns % Second);
	if(p->door && ns > 0 && !task_doorawait(p->door, ns)){
		if(p->turn_ns > late)
			return 0;
		p->timeout = (struct timespec){0, 0};
	}
	atomic_signal_fence(memory_order_seq_cst);
	if(p->signalled)
		p->timeout = (struct timespec){0, 0};
	if(in->poller->wait(in->state, &p->timeout, task_fdfired, table) < 0)
		renew(p);
	return 1;
}

/*
 * The fdtask runs on the stack that taskrun was called on, so it costs nothing.
 * One turn: wait for descriptors, no longer than until the first deadline; wake
 * the tasks whose descriptor is ready, then those whose time has come; let them
 * run.
 */
void
fdtask(void *v)
{
	Proc *p = v;

	if(p == NULL || p != task_proc || p->running != &p->fdtask)
		return;
	taskname("fdtask");
	while(task_rest(p)){
		if(p->door && answer(p))
			continue;
		int64_t now = p->now();
		int64_t deadline = nextdeadline(p, now);

		if(p->ready.head == NULL && p->sleeping.n == 0 &&
				p->fds->nwaiting == 0)
			p->stalled(p, now, deadline);
		else if(!waitfor(p, now, deadline, now - LookNs))
			continue;
		if(p->door)
			task_dooranswer(p->door, p);
		if(p->signalled){
			p->signalled = 0;
			p->list(p);
		}
		p->nturn++;
		p->turn_ns = p->now();
		task_wakesleepers(p, p->turn_ns);
	}
}

void
task_fdpoll(Proc *p, int64_t now, int64_t deadline)
{
	waitfor(p, now, deadline, now);
}

int64_t
task_fdnext(Proc *p, int64_t now)
{
	int64_t next = nextdeadline(p, now);

	return next < now + Forever ? next : NoDeadline;
}

const char *
taskpoller(void)
{
	Proc *p = task_here();

	return p ? p->fds->polling.poller->name : NULL;
}

/* Whoever waits for the last file of an accepted number is told before. */
static void
endop(Fdtable *table, Op *op)
{
	if(op->kind == OpAccept && op->result >= 0)
		task_fdforget(table, op->result);
	task_fdopended(table, op);
}

void
task_fdfired(void *v, uint64_t cookie, int events)
{
	Fdtable *table = v;

	if(events & PollDone){
		if(events & PollSent)
			task_fdsent(table, (Sending *)(uintptr_t)cookie);
		else
			endop(table, (Op *)(uintptr_t)cookie);
		return;
	}
	int fd = (int)(uint32_t)cookie, edge = table->polling.poller->edge;
	Fd *f = task_fdknown(table, fd);
	if(f == NULL && cookie == DoorCookie)
		task_fdrung(table, events);
	if(f == NULL || f->interest.generation != cookie >> 32)
		return;
	f->drained = 0;
	if(events & (PollHup | PollErr | PollPri))
		f->hup = 1;
	if(events == PollIn && edge && f->on == NULL){	/* most are */
		if(f->waiting[Read].head)
			tellfirst(&f->waiting[Read], 0);
		if(f->waiting[Read].head == NULL)
			return;
	}else if(events & PollBad){	/* closed behind our back */
		task_fdforget(table, fd);
		return;
	}else if(events & PollErr){
		f->erred = 1;
		task_fdwakeall(f, 0);
	}else
		for(int i = 0; i < Queues; i++)
			if((events & eventof[i]) && f->waiting[i].head)
				tellfirst(&f->waiting[i], 0);
	if(f->on)
		task_fdonready(table, f, events);
	/* waiters that the poller cannot report to later are woken now */
	int wanted = task_fdwanted(f);
	if(edge && (wanted & events) && task_arm(&table->polling, &f->interest,
			fd, f->interest.armed | wanted) < 0)
		task_fdwakeall(f, 0);
	task_relax(&table->polling, &f->interest, fd, wanted);
}

/* Waiting */

/* disarms what only t waited for, whose wait was given up. */
static void
leavefd(Task *t)
{
	Fdtable *table = task_proc->fds;
	int fd = t->wait.object.fd;
	Fd *f = task_fdknown(table, fd);

	leaveone(t);
	task_relax(&table->polling, &f->interest, fd, task_fdwanted(f));
}

/* has the poller report to a task that is going to wait in queue i. */
static inline int
tellof(Fdtable *table, Fd *f, int fd, int i, int found)
{
	int asked = f->interest.armed & (eventof[i] | PollCalm);

	if(found && !f->erred && asked && asked == eventof[i])
		return 0;
	return task_fdtellof(table, f, fd, eventof[i], found);
}

int
task_fdawait(Proc *p, int fd, int i, int found, int64_t deadline_ns, Meant *m)
{
	int err = *p->err;
	Fd *f = task_fdneed(p->fds, fd);

	if(f == NULL)
		return -1;
	int others = task_fdwanted(f) || f->waiting[Close].head;
	task_fdjoin(p->fds, f, fd, others, i != Close);
	if(!task_fdstill(p->fds, fd, m))
		return -1;
	/* no edge has told of one */
	found |= i == Hangup && f->drained && !f->erred;
	int always = tellof(p->fds, f, fd, i, found) < 0;
	if(always && errno != EPERM)
		return -1;
	*p->err = err;
	int r = 0;
	/* such a file can always be used */
	if(always && i != Except && i != Hangup)
		taskyield();
	else{
		p->fds->nwaiting++;
		enqueue(&f->waiting[i], &p->running->alt, p->running);
		r = task_park(whyof[i], (Object){.fd = fd}, NULL, leavefd,
			deadline_ns);
		p->fds->nwaiting--;
	}
	return task_fdstill(p->fds, fd, m) ? r : -1;
}

int
task_fdwaiton(int fd, int rw, Meant *m)
{
	Proc *p = task_here();

	return p ? task_fdawait(p, fd, task_fdqueue(rw), 0, -1, m) : -1;
}

int
task_fdwait(int fd, int rw)
{
	Meant m = AnyFile;

	return task_fdwaiton(fd, rw, &m);
}

int
fdwait(int fd, int rw)
{
	return task_fdwait(fd, rw);
}

int
task_fdpause(int fd, unsigned int ms, Meant *m)
{
	Proc *p = task_proc;
	int64_t deadline_ns = p->now() + ms * (int64_t)Millisecond;

	if(task_fdawait(p, fd, Close, 1, deadline_ns, m) == 0)
		return 0;
	if(errno == ENOMEM)
		taskdelay(ms);
	else if(errno != ETIMEDOUT || p->running->wait.cut)
		return -1;
	return task_fdstill(p->fds, fd, m) ? 0 : -1;
}

int
task_fdclose(int fd)
{
	Proc *p = task_here();

	if(p == NULL)
		return -1;
	if(task_fdforget(p->fds, fd)){
		const Polling *in = &p->fds->polling;
		struct timespec none = {0, 0};
		int err = errno;
		in->poller->wait(in->state, &none, task_fdfired, p->fds);
		errno = err;
	}
	return task_sys.close(fd);
}

int
fdclose(int fd)
{
	return task_fdclose(fd);
}

/* Reading */

static inline int
again(Proc *p, int fd, int i, ssize_t r, Meant *m)
{
	if(r < 0)
		return (*p->err == EAGAIN || *p->err == EWOULDBLOCK) &&
			task_fdawait(p, fd, i, 1, -1, m) == 0;
	task_fdshare(p);
	return 0;
}

int
task_fdagain(int fd, int rw, ssize_t r, Meant *m)
{
	return again(task_proc, fd, task_fdqueue(rw), r, m);
}

/*
 * does fdread while another task is in the midst of an fdreadn, which gets all
 * its bytes first.
 */
static ssize_t
readinturn(Proc *p, int fd, void *buf, size_t n, Meant *m)
{
	ssize_t r;

	if(task_fdtake(p, fd, Read, m) < 0)
		return -1;
	do
		r = task_fdget(p, NULL, fd, buf, n, m);
	while(again(p, fd, Read, r, m));
	task_fdgive(p, fd, Read, m);
	return r;
}

ssize_t
fdread(int fd, void *buf, size_t n)
{
	Meant m = AnyFile;
	Proc *p = task_proc;
	ssize_t r;

	if(p == NULL)
		return task_fail(EPERM);
	int err = *p->err;
	do{
		Fd *f = task_fdknown(p->fds, fd);
		if(f && (f->drained || f->reading) && n > 0){
			if(!f->reading && task_fdawait(p, fd, Read, 1, -1,
					&m) < 0)
				return -1;
			if(f->reading){
				r = readinturn(p, fd, buf, n, &m);
				break;
			}
		}
		/* less is noted before others run and the edge of more comes */
		r = task_fdtry(p, fd, buf, n, &m);
	}while(again(p, fd, Read, r, &m));
	if(r >= 0)
		*p->err = err;
	return r;
}

ssize_t
fdread1(int fd, void *buf, size_t n)
{
	return task_fdwait(fd, 'r') < 0 ? -1 : fdread(fd, buf, n);
}
