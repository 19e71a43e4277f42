/* SPDX-License-Identifier: MIT */
/* What sanitizers and Valgrind are told of stacks. */
#include "machine.h"
#include "tell.h"
#if ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#endif

int
task_told(void)
{
#ifdef TASK_SANITIZED
	return 1;
#else
	return RUNNING_ON_VALGRIND != 0;
#endif
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

/*
 * tells LSan to look for pointers here: what only a parked task points to is no
 * leak.
 */
void
task_slabborn(void *low, size_t bytes)
{
#if ASAN
	__lsan_register_root_region(low, bytes);
#endif
	(void)low, (void)bytes;
}

void
task_slabdead(void *low, size_t bytes)
{
#if ASAN
	__lsan_unregister_root_region(low, bytes);
	ASAN_UNPOISON_MEMORY_REGION(low, bytes);
#endif
	(void)low, (void)bytes;
}
