/* SPDX-License-Identifier: MIT */
/* Letting others run in a call that need not wait. */
#include "share.h"

/* Not in functions that the library calls, which must not stop. */
int
task_share(int result)
{
	const Task *t = task_proc->running;

	if(t != &task_proc->fdtask && !(t->own && t->own->inhook))
		taskyield();
	return result;
}
