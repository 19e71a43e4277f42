/* SPDX-License-Identifier: MIT */
/* The pollers there are on this system. */
#include "poller.h"
#include <stddef.h>

const Poller *const task_pollers[] = {
	&task_poll,
#ifdef __linux__
	&task_epoll,
#endif
	NULL
};
