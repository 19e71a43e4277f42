/* SPDX-License-Identifier: MIT */
/* libc's swapcontext: the bare switch. */
#include "../measure.h"
#include <string.h>
#include <ucontext.h>

enum { Switches = 1000000, StackBytes = 64 * 1024 };

static ucontext_t here, there;

static void
back(void)
{
	for(;;)
		swapcontext(&there, &here);
}

int
main(int argc, char **argv)
{
	if(argc != 2 || strcmp(argv[1], "switch") != 0)
		return 0;
	getcontext(&there);
	there.uc_stack.ss_sp = malloc(StackBytes);
	there.uc_stack.ss_size = StackBytes;
	makecontext(&there, back, 0);
	swapcontext(&here, &there);
	int64_t start = nowns();
	for(long i = 0; i < Switches / 2; i++)
		swapcontext(&here, &there);
	report("switch", each(start, Switches), "ns");
	return 0;
}
