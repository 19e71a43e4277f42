/* SPDX-License-Identifier: MIT */
/* What a poller in use watches each descriptor for. */
#include "poller.h"
#include <errno.h>

/*
 * With a level-triggered poller a descriptor is armed for what somebody wants,
 * while they want it.
 *
 * With edges it is armed once, and no call is needed to wait after a read or
 * write has found nothing to do, for what happens later is an edge.  A task
 * that waits without having tried must learn of the level: the descriptor is
 * armed again for that.
 */

static uint64_t
cookieof(const Interest *i, int fd)
{
	return (uint64_t)i->generation << 32 | (unsigned int)fd;
}

int
task_arm(const Polling *p, Interest *i, int fd, int events)
{
	if(p->poller->arm(p->state, fd, i->armed, events, cookieof(i, fd)) < 0)
		return -1;
	i->armed = (unsigned char)events;
	return 0;
}

void
task_disarm(const Polling *p, Interest *i, int fd)
{
	if(i->armed)
		p->poller->disarm(p->state, fd);
	i->armed = 0;
}

int
task_armfor(const Polling *p, Interest *i, int fd, int wanted, int event,
	int found)
{
	int events = (i->armed & ~PollCalm) | wanted | event;

	if(events == i->armed && (found || !p->poller->edge))
		return 0;
	return task_arm(p, i, fd, events);
}

void
task_relax(const Polling *p, Interest *i, int fd, int wanted)
{
	int calm = i->armed & PollCalm;

	if(p->poller->edge || (wanted | calm) == i->armed)
		return;
	if(wanted)	/* for less: it cannot fail */
		task_arm(p, i, fd, wanted | calm);
	else
		task_disarm(p, i, fd);
}

int
task_forget(const Polling *p, Interest *i, int fd)
{
	task_disarm(p, i, fd);
	i->generation++;
	return p->poller->holds && p->poller->holds(p->state, fd);
}

int
task_rearmwith(const Polling *to, const Interest *i, int fd)
{
	return to->poller->arm(to->state, fd, 0, i->armed & ~PollCalm,
		cookieof(i, fd));
}
