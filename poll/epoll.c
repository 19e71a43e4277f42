/* SPDX-License-Identifier: MIT */
/* The poller on Linux's epoll: any number of descriptors, the same cost. */
#include "../machine/machine.h"
#include "poller.h"
#include <errno.h>
#ifdef __linux__
#include <sys/epoll.h>

/*
 * What the interface does, and what is done about it:
 *
 * a) Each change of interest is a system call.  So descriptors stay armed
 *    while nobody waits, and are edge-triggered: they do not report what nobody
 *    wants.
 * b) An edge is reported once.  To arm a descriptor again asks for the level:
 *    what is true of it then is reported once more.
 * c) It is the open file that is registered, not its number.  When the
 *    number is closed and used again the kernel may or may not know the file:
 *    ENOENT and EEXIST say so.  Events of the old file carry the old cookie.
 * d) Files that are always ready are refused with EPERM.
 * e) A child of fork(2) has the same set, and a program may close its number.
 *    Then the set is lost and another is made.  A mark on the open file tells
 *    whether the number is the set's still, for only then it is closed.
 */
enum { EventsMost = 256 };	/* in one wait; the next has the others */

_Static_assert(EPOLLIN == POLLIN && EPOLLOUT == POLLOUT &&
	EPOLLPRI == POLLPRI && EPOLLERR == POLLERR && EPOLLHUP == POLLHUP,
	"events are poll's");

typedef struct Epollset
{
	int fd;	/* -1: lost */
	int lost;	/* the number that the lost one had, or -1 */
	int mark;	/* that of the open file behind fd, or lost */
	struct epoll_event events[EventsMost];
} Epollset;

static int
openset(Epollset *set)
{
	set->lost = -1;
	set->fd = task_sys.epollopen();
	if(set->fd < 0)
		return -1;
	set->mark = task_sys.mark(set->fd);
	return 0;
}

static void *
epollopen(void)
{
	Epollset *set = task_sys.alloc(sizeof *set);

	if(set == NULL)
		return NULL;
	if(openset(set) < 0){
		task_sys.free(set);
		return NULL;
	}
	return set;
}

static void
epollleave(void *state)
{
	Epollset *set = state;

	if(set->fd >= 0)
		set->lost = set->fd;
	set->fd = -1;
}

static int
isset(const Epollset *set, int fd)
{
	return task_sys.marked(fd) == set->mark;
}

/* returns whether arming has failed because the set is lost. */
static int
setlost(Epollset *set)
{
	int err = errno, lost = !isset(set, set->fd);

	if(lost)
		epollleave(set);
	errno = err;
	return lost;
}

static int
epollarm(void *state, int fd, int were, int events, uint64_t cookie)
{
	Epollset *set = state;
	struct epoll_event e = {.data.u64 = cookie,
		.events = EPOLLET | EPOLLRDHUP | (uint32_t)events};
	int op = were ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, err = errno;

	if(events & PollIn)	/* for urgent data too: it cuts reads short */
		e.events |= EPOLLPRI;
	int r = task_sys.epollctl(set->fd, op, fd, &e);
	if(r < 0 && errno == ENOENT && were)
		r = task_sys.epollctl(set->fd, EPOLL_CTL_ADD, fd, &e);
	else if(r < 0 && errno == EEXIST)
		r = task_sys.epollctl(set->fd, EPOLL_CTL_MOD, fd, &e);
	if(r < 0 && errno != EPERM && setlost(set))
		r = 0;
	if(r == 0)
		errno = err;
	else if(errno == ENOSPC)	/* no more watches for this user */
		errno = ENOMEM;
	return r;
}

static void
epolldisarm(void *state, int fd)
{
	Epollset *set = state;
	int err = errno;

	task_sys.epollctl(set->fd, EPOLL_CTL_DEL, fd, NULL);
	errno = err;	/* a closed file was forgotten already */
}

/*
 * Adding again fails with EEXIST if number and file are a pair that is known,
 * and leaves that one as it is.
 */
static int
epollanother(void *state, int fd)
{
	Epollset *set = state;
	struct epoll_event e = {.events = EPOLLET};
	int err = errno;
	int r = set->fd < 0 ? -1 :
		task_sys.epollctl(set->fd, EPOLL_CTL_ADD, fd, &e);
	int known = r < 0 && errno == EEXIST;

	errno = err;
	return !known && set->fd >= 0 && !setlost(set);
}

/* The kernel cannot wait now, or never will for this set: do not spin. */
static int
cannotwait(Epollset *set, const struct timespec *timeout)
{
	struct timespec t = {0, 10 * Millisecond};

	if(errno == EBADF || errno == EINVAL)
		epollleave(set);
	if(timeout->tv_sec == 0 && timeout->tv_nsec < t.tv_nsec)
		t = *timeout;
	task_sys.poll(NULL, 0, &t);
	return set->fd < 0 ? -1 : 0;
}

static int
epollwait(void *state, struct timespec *timeout, Fired *fired, void *arg)
{
	Epollset *set = state;

	if(set->fd < 0)
		return -1;
	int n = task_sys.epollwait(set->fd, set->events, EventsMost, timeout);
	if(n < 0)
		return cannotwait(set, timeout);
	for(int i = 0; i < n; i++){
		uint32_t e = set->events[i].events;
		int hup = e & EPOLLRDHUP ? PollIn | PollHup : 0;

		fired(arg, set->events[i].data.u64,
			task_pollevents((int)e) | hup);
	}
	return 0;
}

/* closes the set, but not a number that is another file's by now. */
static void
closeset(Epollset *set)
{
	int err = errno;

	epollleave(set);
	if(isset(set, set->lost))
		task_sys.close(set->lost);
	errno = err;
}

static void
epollclose(void *state)
{
	closeset(state);
	task_sys.free(state);
}

static int
epollrenew(void *state, Fired *fired, void *arg)
{
	(void)fired, (void)arg;
	closeset(state);
	return openset(state);
}

static int
epolloutside(void *state)
{
	const Epollset *set = state;

	return set->fd < 0 ? task_fail(EBADF) : set->fd;
}

const Poller task_epoll = {
	.name = "epoll",
	.forever = PollNever,
	.edge = 1,
	.open = epollopen,
	.arm = epollarm,
	.disarm = epolldisarm,
	.another = epollanother,
	.wait = epollwait,
	.close = epollclose,
	.outside = epolloutside,
	.leave = epollleave,
	.renew = epollrenew,
};
#endif
