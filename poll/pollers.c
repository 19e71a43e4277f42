/* SPDX-License-Identifier: MIT */
/* The pollers there are on this system. */
#include "poller.h"
#include <stddef.h>

const Poller *const task_pollers[] = {
	&task_poll,
#ifdef __linux__
	&task_epoll,
#endif
#ifdef TASK_URING	/* only when asked for: many containers forbid it */
	&task_uring,
#endif
	NULL
};

#ifdef __linux__
const Poller *const task_largepoller = &task_epoll;
#else
const Poller *const task_largepoller = NULL;
#endif
