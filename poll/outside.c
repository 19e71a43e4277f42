/* SPDX-License-Identifier: MIT */
/* One descriptor for all that the fdtask waits for, for another loop. */
#include "../machine/machine.h"
#include "poller.h"
#include <errno.h>
#include <fcntl.h>
#ifdef __linux__
#include <sys/epoll.h>
#include <unistd.h>

/*
 * An epoll set, in which are the descriptor that the poller tells by, and a
 * timer.  Both are level-triggered there: so nobody has to wait for the set
 * itself, and what is over is not told any more.
 */
struct Outside
{
	int fd;	/* of the set; -1: there is none */
	int mark;	/* that of the open file */
	int timer;	/* the same of a timerfd */
	int timermark;
	int64_t timer_ns;	/* what the timer is set to */
	int inner;	/* in the set: the poller's; -1: none */
	int door;	/* the same of the door, if the poller is late */
};

static void
closeown(int fd, int mark)
{
	int err = errno;

	if(fd >= 0 && task_sys.marked(fd) == mark)
		task_sys.close(fd);
	errno = err;
}

static void
closeoutside(Outside *o)
{
	closeown(o->timer, o->timermark);
	closeown(o->fd, o->mark);
	o->fd = o->timer = -1;
}

static int
putinto(const Outside *o, int fd)
{
	struct epoll_event e = {.events = EPOLLIN};
	int r = task_sys.epollctl(o->fd, EPOLL_CTL_ADD, fd, &e);

	return r < 0 && errno == EEXIST ? 0 : r;
}

static int
openoutside(Outside *o)
{
	*o = (Outside){.timer = -1, .timer_ns = NoDeadline, .inner = -1,
		.door = -1};
	o->fd = task_sys.epollopen();
	if(o->fd < 0)
		return -1;
	o->mark = task_sys.mark(o->fd);
	o->timer = task_sys.timeropen();
	if(o->timer >= 0){
		o->timermark = task_sys.mark(o->timer);
		if(putinto(o, o->timer) == 0)
			return 0;
	}
	closeoutside(o);
	return -1;
}

Outside *
task_outsideopen(void)
{
	Outside *o = task_sys.alloc(sizeof *o);

	if(o && openoutside(o) == 0)
		return o;
	if(o)
		task_sys.free(o);
	return NULL;
}

void
task_outsideclose(Outside *o)
{
	if(o)
		closeoutside(o);
	task_sys.free(o);
}

static void
settimer(Outside *o, int64_t ns)
{
	int err = errno;

	if(ns != o->timer_ns && task_sys.timerset(o->timer,
			ns == NoDeadline ? 0 : ns) == 0)
		o->timer_ns = ns;
	errno = err;
}

/*
 * Whoever has closed the set may have closed what the poller has in the kernel
 * too, and then the new set may be by that number: so the poller makes another.
 */
int
task_outsidefd(Outside *o, const Polling *p)
{
	if(task_sys.marked(o->fd) == o->mark &&
			task_sys.marked(o->timer) == o->timermark)
		return o->fd;
	p->poller->leave(p->state);
	closeoutside(o);
	if(openoutside(o) < 0)
		return -1;
	settimer(o, AtOnce);
	return o->fd;
}

/* has fd in the set in place of *at; returns whether it is. */
static int
exchange(const Outside *o, int *at, int fd)
{
	int err = errno;

	if(*at != fd){
		if(*at >= 0)
			task_sys.epollctl(o->fd, EPOLL_CTL_DEL, *at, NULL);
		*at = fd >= 0 && putinto(o, fd) == 0 ? fd : -1;
	}
	errno = err;
	return *at >= 0;
}

/*
 * The poller is to be able to tell before it hands over what is noted, for that
 * may end at once.  Where something cannot be told, somebody looks every 10 ms.
 */
void
task_outsidearm(Outside *o, const Polling *p, int door, int64_t deadline_ns)
{
	int notes = p->poller->flush != NULL, err = errno;
	int inner = exchange(o, &o->inner, p->poller->outside(p->state));
	int all = inner && (!notes || (p->poller->flush(p->state) == 0 &&
		exchange(o, &o->door, door)));
	int64_t ns = all ? deadline_ns : task_sys.now() + 10 * Millisecond;

	settimer(o, ns < deadline_ns ? ns : deadline_ns);
	errno = err;
}

void
task_outsidequiet(Outside *o)
{
	exchange(o, &o->inner, -1);
	exchange(o, &o->door, -1);
	settimer(o, NoDeadline);
}

void
task_outsideanew(Outside *o)
{
	if(o)
		o->inner = o->door = -1;
}

/*
 * The set and the timer are the parent's too.  The number of the set stays what
 * it was, for the host may have handed it to a loop.
 */
void
task_outsideforked(Outside *o)
{
	Outside anew;

	if(o == NULL)
		return;
	closeown(o->timer, o->timermark);
	int own = task_sys.marked(o->fd) == o->mark, number = o->fd;
	if(openoutside(&anew) == 0 && own && dup3(anew.fd, number,
			O_CLOEXEC) == number){
		task_sys.close(anew.fd);
		anew.fd = number;
	}else if(own)
		task_sys.close(number);
	*o = anew;
	settimer(o, AtOnce);
}

#else

Outside *
task_outsideopen(void)
{
	errno = ENOSYS;
	return NULL;
}

void
task_outsideclose(Outside *o)
{
	(void)o;
}

int
task_outsidefd(Outside *o, const Polling *p)
{
	(void)o, (void)p;
	return task_fail(ENOSYS);
}

void
task_outsidearm(Outside *o, const Polling *p, int door, int64_t deadline_ns)
{
	(void)o, (void)p, (void)door, (void)deadline_ns;
}

void
task_outsidequiet(Outside *o)
{
	(void)o;
}

void
task_outsideanew(Outside *o)
{
	(void)o;
}

void
task_outsideforked(Outside *o)
{
	(void)o;
}
#endif
