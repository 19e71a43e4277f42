/* SPDX-License-Identifier: MIT */
/* Tasks that are made when a descriptor is ready. */
#include "fd.h"
#include "../task/newnames.h"
#include <errno.h>

/*
 * A task that waits has a stack; who has ten thousand connections that are
 * silent most of the time has better use for that.  Here what waits is a few
 * words in a list at the descriptor, and the task is made by the fdtask when
 * there is something for it to do.
 */
static const int onevent[Queues] = {PollIn, PollOut, PollPri, PollHup, 0};

/*
 * After a read that took all there was nothing need be asked of the kernel.  A
 * file that is always ready has no event.
 */
static int
armon(Proc *p, Fd *f, int fd, int event)
{
	int found = event == PollIn && f->drained && !f->erred;

	if(task_fdtellof(p->fds, f, fd, event, found) == 0)
		return 0;
	if(errno != EPERM)
		return -1;
	if(event == PollIn || event == PollOut)
		task_fdonready(p->fds, f, event);
	return 0;
}

static int
unable(Proc *p, Fd *f, const Fdon *o)
{
	int err = *p->err;

	task_fdonremove(p->fds, f, o);
	return task_fail(err);
}

int
task_fdon(Proc *p, int fd, Fdon *o)
{
	int err = *p->err;
	Fd *f = task_fdneed(p->fds, fd);

	if(f == NULL)
		return -1;
	task_fdjoin(p->fds, f, fd, task_fdwanted(f) || f->waiting[Close].head,
		1);
	if(f->onevents & o->event)
		return task_fail(EEXIST);
	task_fdonadd(p->fds, f, o);
	if(armon(p, f, fd, o->event) < 0)
		return unable(p, f, o);
	*p->err = err;
	return 0;
}

/* stops watching for what nobody waits for any more. */
static void
relaxon(Proc *p, Fd *f, int fd)
{
	task_relax(&p->fds->polling, &f->interest, fd, task_fdwanted(f));
}

int
task_fdoff(Proc *p, int fd, const Fdon *o)
{
	Fd *f = task_fdknown(p->fds, fd);

	if(f == NULL || !task_fdonremove(p->fds, f, o))
		return 0;
	relaxon(p, f, fd);
	return 1;
}

/* One of the program's, which makes a task. */
typedef struct Maker
{
	Fdon on;
	void (*fn)(void *);
	void *arg;
} Maker;

static int
make(Fdon *o, int ready)
{
	Maker *m = structof(Maker, on, o);

	if(ready && task_create(task_proc, m->fn, m->arg, 0) == NULL)
		return 0;
	task_sys.free(m);
	return 1;
}

/* Only epoll says by itself that a number is not open. */
static int
isopen(const Proc *p, int fd)
{
	return p->fds->polling.poller->another || task_sys.getfl(fd) >= 0;
}

int
fdon(int fd, int rw, void (*fn)(void *), void *arg)
{
	Proc *p = task_caller(fn);
	Maker *m = p && isopen(p, fd) ? task_sys.alloc(sizeof *m) : NULL;

	if(m == NULL)
		return -1;
	*m = (Maker){{NULL, make, onevent[task_fdqueue(rw)]}, fn, arg};
	if(task_fdon(p, fd, &m->on) == 0)
		return 0;
	task_sys.free(m);
	return -1;
}

int
fdoff(int fd)
{
	Proc *p = task_here();
	Fd *f = p ? task_fdknown(p->fds, fd) : NULL;
	int n = 0;

	for(Fdon *o = f ? f->on : NULL, *next; o; o = next){
		next = o->next;
		if(o->fn == make){	/* not a server's */
			n += task_fdonremove(p->fds, f, o);
			make(o, 0);
		}
	}
	if(n == 0)
		return p ? task_fail(ENOENT) : -1;
	relaxon(p, f, fd);
	return 0;
}
