/* SPDX-License-Identifier: MIT */
/* What Valgrind is told of stacks, and who else looks at them. */
#include "machine.h"
#include "tell.h"

int
task_told(void)
{
	return task_contextway < 0 || RUNNING_ON_VALGRIND;
}

unsigned
task_stackborn(void *low, void *end)
{
	return VALGRIND_STACK_REGISTER(low, (char *)end - 1);
}

void
task_stackdead(unsigned number)
{
	VALGRIND_STACK_DEREGISTER(number);
}
