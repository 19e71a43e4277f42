/* SPDX-License-Identifier: MIT */
/* Functions called at times of day, and what happens if the clock is set. */
#include "cron.h"
#include "../fd/fd.h"
#include "../task/life.h"
#include "../task/newnames.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * One task of the proc waits for the first instant of all Crons, on a timerfd
 * of the clock on the wall: the kernel tells there too that somebody has set
 * that clock.  It makes a task for each run, and waits for none.  So a run may
 * block, and end its task; and the next one is left out while it goes on.
 *
 * A Cron is for the first instant after done_s.  That moves to the present with
 * each run, so that a clock that jumps ahead makes one run and no more, and
 * never back: what a clock shows again has been seen to.  But a clock that is
 * set back by more than three hours was wrong before; then it begins anew.
 */
enum { SetBack = 3 * 60 * 60 };

/*
 * time(2) is the clock at its last tick, so it may show the second before for
 * up to 10 ms.  A run is to see the time that it is for, and begins after that.
 */
enum { Tick = 10 * Millisecond };

/* The last second that a clock of ns shows, in 2262. */
static const int64_t clockends = INT64_MAX / Second - 1;

struct Cron
{
	Cron *next;	/* of its proc; in use or not: see unused */
	Cronspec spec;
	void (*fn)(void *);
	void *arg;
	unsigned int proc;	/* the number of the scheduler it is in */
	Task *run;	/* calls fn, or is about to; or NULL */
	Defer end;	/* of run */
	int64_t next_s;	/* when fn is to be called, if pending */
	int64_t done_s;	/* what was due until then has been seen to */
	unsigned char live;	/* from cronstart to cronstop */
	unsigned char pending;	/* live, and a call is to come */
	unsigned char begun;	/* run is in fn */
	char name[64];	/* of the tasks of its runs */
};

/* A proc's: see Proc.crons. */
typedef struct Crons
{
	Cron *first;	/* as many as were ever in use together */
	Task *task;	/* waits; NULL: no Cron is pending */
	int fd;	/* the timerfd; -1: there is none */
	int mark;	/* that of the open file */
} Crons;

/* Runs */

static void
runcron(void *v)
{
	Cron *c = v;

	c->begun = c->live;
	if(c->live)
		c->fn(c->arg);
	task_quit();
}

static void
runended(Defer *d)
{
	Cron *c = structof(Cron, end, d);

	c->run = NULL;
	c->begun = 0;
}

static int
beginrun(Proc *p, Cron *c)
{
	Task *t = task_create(p, runcron, c, 0);

	if(t == NULL)
		return -1;
	t->entry = (const void *)(uintptr_t)c->fn;
	strcpy(t->name, c->name);
	t->named = 1;
	c->run = t;
	task_defer(t, &c->end, AtEnd, runended);
	return 0;
}

static void
plan(Cron *c, int64_t now_s)
{
	c->done_s = now_s;
	c->next_s = task_cronnext(&c->spec, now_s);
	if(c->next_s == -1 || c->next_s > clockends){
		errno = ERANGE;
		c->pending = 0;
	}
}

/*
 * begins a run if c is due.  Returns 1 if another time is planned for c, else
 * 0; -1 if a run cannot begin.
 */
static int
begindue(Proc *p, Cron *c, int64_t now_s)
{
	int due = c->next_s <= now_s, wrong = c->done_s - now_s > SetBack;

	if(!c->pending || !(due || wrong))
		return 0;
	if(due && c->run == NULL && beginrun(p, c) < 0)
		return -1;
	plan(c, now_s);
	return 1;
}

/* The same for all of them; a run that cannot begin keeps none from others. */
static int
beginall(Proc *p)
{
	int64_t now_s = (task_sys.wallnow() - Tick) / Second;
	int planned = 0, late = 0;

	for(Cron *c = p->crons->first; c; c = c->next){
		int r = begindue(p, c, now_s);
		planned |= r > 0;
		late |= r < 0;
	}
	return late ? -1 : planned;
}

/* The timerfd */

static int
isclock(const Crons *all)
{
	return all->fd >= 0 && task_sys.marked(all->fd) == all->mark;
}

/* opens another one, if the program has closed it. */
static int
needclock(Proc *p)
{
	Crons *all = p->crons;

	if(isclock(all))
		return 0;
	all->fd = task_sys.wallopen ? task_sys.wallopen() : task_fail(ENOSYS);
	if(all->fd < 0)
		return -1;
	all->mark = task_sys.mark(all->fd);
	task_fdforget(p->fds, all->fd);
	return 0;
}

/*
 * has the timerfd tell of the first instant.  Returns 1; 0 if no run is to
 * come; -1 and errno.
 */
static int
armclock(Crons *all)
{
	const Cron *first = NULL;

	for(const Cron *c = all->first; c; c = c->next)
		if(c->pending && (!first || c->next_s < first->next_s))
			first = c;
	if(first == NULL)
		return 0;
	int64_t s = first->next_s > 0 ? first->next_s : 0;
	return task_sys.wallset(all->fd, s * Second + Tick) < 0 ? -1 : 1;
}

static int
pausecrons(Proc *p)
{
	return task_park(WaitDelay, (Object){NULL}, NULL, NULL,
		p->now() + Second);
}

/*
 * What is read there does not matter: all that is due is looked for anew.  If
 * the wait cannot be made there is a pause.
 */
static int
awaitclock(Proc *p)
{
	Crons *all = p->crons;
	Meant m = AnyFile;
	uint64_t n;

	if(task_fdwaiton(all->fd, 'r', &m) < 0)
		return errno == EAGAIN || errno == EINTR ||
			errno == ECANCELED ? -1 : pausecrons(p);
	if(isclock(all))
		task_sys.read(all->fd, &n, sizeof n);
	return 0;
}

/*
 * looks at all Crons and waits until one is due, or may be.  The clock is read
 * behind the timer's setting: if somebody sets it after that the timerfd tells.
 * Returns 1; 0 if no run is to come; -1 and why the wait has ended otherwise.
 */
static int
cronturn(Proc *p)
{
	int armed = needclock(p) < 0 ? -1 : armclock(p->crons);

	if(armed == 0)
		return 0;
	int planned = beginall(p);
	if(planned > 0)
		return 1;
	return (planned < 0 || armed < 0 ? pausecrons(p) : awaitclock(p)) < 0 ?
		-1 : 1;
}

static void
dropcrons(Crons *all)
{
	for(Cron *c = all->first; c; c = c->next)
		c->pending = 0;
	all->task = NULL;
}

/* Whoever cancels the task, as taskshutdown does, ends all Crons. */
static void
runcrons(void *v)
{
	Proc *p = v;
	Crons *all = p->crons;
	int r;

	while((r = cronturn(p)) != 0)
		if(r < 0 && errno == ECANCELED)
			break;
	dropcrons(all);
	if(isclock(all))
		task_fdclose(all->fd);
	all->fd = -1;
	task_quit();
}

/* has the task, wherever it waits, look at all Crons anew. */
static void
wakecrons(Crons *all)
{
	if(all->task && all->task->wait.number)
		task_giveup(all->task, EAGAIN);
}

/* What programs call */

static Cron *
unused(Crons *all)
{
	Cron *c = all->first;

	while(c && (c->live || c->run))
		c = c->next;
	if(c == NULL && (c = task_sys.alloc(sizeof *c))){
		c->next = all->first;
		all->first = c;
	}
	return c;
}

static Crons *
needcrons(Proc *p)
{
	if(p->crons == NULL && (p->crons = task_sys.alloc(sizeof *p->crons)))
		p->crons->fd = -1;
	return p->crons;
}

static int
needtask(Proc *p)
{
	Crons *all = p->crons;

	if(all->task)	/* which may be about to end, and all crons with it */
		return all->task->limits.cancelled ? task_fail(ECANCELED) : 0;
	if(needclock(p) < 0)
		return -1;
	all->task = task_create(p, runcrons, p, 0);
	if(all->task == NULL){
		task_sys.close(all->fd);
		all->fd = -1;
		return -1;
	}
	strcpy(all->task->name, "cron");
	all->task->named = 1;
	return 0;
}

/* puts c, which is to begin, among those of the proc; returns it there. */
static Cron *
begincron(Proc *p, const Cron *new)
{
	Cron *c = needcrons(p) ? unused(p->crons) : NULL;

	if(c == NULL || needtask(p) < 0)
		return NULL;
	Cron *next = c->next;
	*c = *new;
	c->next = next;
	wakecrons(p->crons);
	return c;
}

Cron *
cronstart(const char *spec, void (*fn)(void *), void *arg)
{
	Proc *p = task_here();
	Cron new = {.fn = fn, .arg = arg, .live = 1, .pending = 1};
	int err = errno;

	if(p == NULL)
		return NULL;
	if(spec == NULL || fn == NULL){
		errno = EINVAL;
		return NULL;
	}
	if(task_cronparse(&new.spec, spec) < 0)
		return NULL;
	new.proc = p->next.proc;
	snprintf(new.name, sizeof new.name, "cron %s", spec);
	plan(&new, task_sys.wallnow() / Second);
	Cron *c = new.pending ? begincron(p, &new) : NULL;
	if(c)
		errno = err;
	return c;
}

/* returns this thread's proc for a call on c; NULL with errno. */
static Proc *
callercron(const Cron *c)
{
	Proc *p = task_caller(c);

	if(p == NULL || (c->live && c->proc == p->next.proc))
		return p;
	errno = c->live ? EPERM : EINVAL;
	return NULL;
}

int
cronstop(Cron *c)
{
	Proc *p = callercron(c);

	if(p == NULL)
		return -1;
	c->live = c->pending = 0;
	wakecrons(p->crons);
	return c->begun;
}

int64_t
cronnext(const char *spec, int64_t after_s)
{
	Cronspec s;
	int err = errno;

	if(spec == NULL)
		return task_fail(EINVAL);
	if(task_cronparse(&s, spec) < 0)
		return -1;
	int64_t next_s = task_cronnext(&s, after_s);
	if(next_s != -1)
		errno = err;
	return next_s;
}

/* The beginning and the end, and the child of a fork(2) */

int
task_cronbegin(Proc *p)
{
	(void)p;
	return 0;
}

void
task_cronend(Proc *p)
{
	Crons *all = p->crons;

	if(all == NULL)
		return;
	if(isclock(all))
		task_sys.close(all->fd);
	for(Cron *c = all->first, *next; c; c = next){
		next = c->next;
		task_sys.free(c);
	}
	task_sys.free(all);
}

/* The timerfd is the parent's too, and to set it would be to set that one. */
void
task_cronforked(Proc *p)
{
	Crons *all = p ? p->crons : NULL;

	if(all == NULL || !isclock(all))
		return;
	int fd = task_sys.wallopen();
	if(fd < 0){
		task_sys.close(all->fd);
		return;
	}
	if(dup3(fd, all->fd, O_CLOEXEC) == all->fd){
		all->mark = task_sys.mark(all->fd);
		armclock(all);
	}
	task_sys.close(fd);
}

/* The runs are gone, but for the caller's; and so is the task that waited. */
void
task_cronalone(Proc *p)
{
	Crons *all = p->crons;

	if(all == NULL)
		return;
	if(isclock(all))
		task_sys.close(all->fd);
	all->fd = -1;
	dropcrons(all);
	for(Cron *c = all->first; c; c = c->next)
		if(c->run != p->running){
			c->run = NULL;
			c->begun = 0;
		}
}
