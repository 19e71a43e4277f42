/* SPDX-License-Identifier: MIT */
/* Delays: a task waits for nothing but the time. */
#include "../taskimpl.h"

unsigned int
taskdelay(unsigned int ms)
{
	Proc *p = task_proc ? task_proc : task_here();

	if(p == NULL)
		return 0;
	int err = *p->err;
	int64_t start = p->now(), deadline = start + ms * (int64_t)Millisecond;
	task_park(WaitDelay, (Object){NULL}, NULL, NULL, deadline);
	if(!p->running->wait.cut)
		*p->err = err;
	return (unsigned int)((p->now() - start) / Millisecond);
}
