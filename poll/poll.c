/* SPDX-License-Identifier: MIT */
/* The poller on poll(2): everywhere, and for any number of descriptors. */
#include "../machine/machine.h"
#include "poller.h"
#include <errno.h>

/*
 * poll(2) needs no kernel object: nothing to open, nothing for a child of fork
 * to share by mistake.  It reads the whole set in each call, so it is the
 * poller for small sets.  The set is kept between calls; where says at which
 * index a descriptor is.
 *
 * It reports an error in each call, wanted or not.  So one that is no news is
 * left out of the calls, which skip negative numbers, until it is armed anew.
 */
typedef struct Pollset
{
	struct pollfd *fds;	/* ~fd: it is left out */
	uint64_t *cookies;	/* of the same index */
	int n;
	int cap;
	int *where;	/* by descriptor: index + 1, or 0 */
	int nwhere;
} Pollset;

static void *
pollopen(void)
{
	return task_sys.alloc(sizeof(Pollset));
}

static int
growset(Pollset *set)
{
	int cap = set->cap ? 2 * set->cap : 16;
	struct pollfd *fds;
	uint64_t *cookies;

	fds = task_sys.resize(set->fds, (size_t)cap * sizeof *fds);
	if(fds == NULL)
		return -1;
	set->fds = fds;
	cookies = task_sys.resize(set->cookies, (size_t)cap * sizeof *cookies);
	if(cookies == NULL)
		return -1;
	set->cookies = cookies;
	set->cap = cap;
	return 0;
}

static int
growwhere(Pollset *set, int fd)
{
	int n = set->nwhere ? set->nwhere : 64;

	while(n <= fd)
		n = n > fd / 2 ? fd + 1 : 2 * n;
	int *where = task_sys.resize(set->where, (size_t)n * sizeof *where);
	if(where == NULL)
		return -1;
	for(int i = set->nwhere; i < n; i++)
		where[i] = 0;
	set->where = where;
	set->nwhere = n;
	return 0;
}

static int
pollarm(void *state, int fd, int were, int events, uint64_t cookie)
{
	Pollset *set = state;

	(void)were;
	if(fd >= set->nwhere && growwhere(set, fd) < 0)
		return -1;
	if(set->where[fd] == 0){
		if(set->n == set->cap && growset(set) < 0)
			return -1;
		set->where[fd] = ++set->n;
	}
	int i = set->where[fd] - 1;
	set->fds[i] = (struct pollfd){events & PollCalm ? ~fd : fd,
		(short)task_pollmask(events), 0};
	set->cookies[i] = cookie;
	return 0;
}

/* moves the last entry to where that of fd was. */
static void
polldisarm(void *state, int fd)
{
	Pollset *set = state;

	if(fd >= set->nwhere || set->where[fd] == 0)
		return;
	int i = set->where[fd] - 1;
	int last = --set->n;
	set->fds[i] = set->fds[last];
	set->cookies[i] = set->cookies[last];
	int moved = set->fds[i].fd;
	set->where[moved < 0 ? ~moved : moved] = i + 1;
	set->where[fd] = 0;
}

/*
 * looks at each descriptor by itself, every 10 ms, when the kernel cannot wait
 * for the set: it has no memory, or a limit is below the number that it has
 * accepted so far.  One at a time it can still look at.
 */
static int
lookateach(Pollset *set, const struct timespec *timeout)
{
	struct timespec t = {0, 10 * Millisecond}, zero = {0, 0};
	int n = 0;

	if(timeout->tv_sec == 0 && timeout->tv_nsec < t.tv_nsec)
		t = *timeout;
	if(t.tv_nsec > 0)
		task_sys.poll(NULL, 0, &t);
	for(int i = 0; i < set->n; i++){
		set->fds[i].revents = 0;
		n += task_sys.poll(&set->fds[i], 1, &zero) > 0;
	}
	return n;
}

/*
 * goes through the set backwards, for fired may change it: a disarm moves the
 * last entry, which has been seen by then, and an arm adds one behind it.  What
 * was seen has no events any more, for a disarm may move it to where it is seen
 * again.
 */
static int
pollwait(void *state, struct timespec *timeout, Fired *fired, void *arg)
{
	Pollset *set = state;

	int left = task_sys.poll(set->fds, (nfds_t)set->n, timeout);

	if(left < 0)
		left = lookateach(set, timeout);
	for(int i = set->n; i-- > 0 && left > 0; ){
		if(i >= set->n || set->fds[i].revents == 0)
			continue;
		int revents = set->fds[i].revents;
		set->fds[i].revents = 0;
		left--;
		fired(arg, set->cookies[i], task_pollevents(revents));
	}
	return 0;
}

static void
pollclose(void *state)
{
	Pollset *set = state;

	task_sys.free(set->fds);
	task_sys.free(set->cookies);
	task_sys.free(set->where);
	task_sys.free(set);
}

const Poller task_poll = {
	.name = "poll",
	.omits = 1,
	.forever = PollNever,
	.open = pollopen,
	.arm = pollarm,
	.disarm = polldisarm,
	.wait = pollwait,
	.close = pollclose,
};
