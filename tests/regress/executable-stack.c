/* SPDX-License-Identifier: MIT */
/*
 * Every program linked with libtask had an executable stack.
 * Cause: its asm.S had no .note.GNU-stack section, and the linker then assumes
 * it.
 * Fix: each file in arch/ has one; the stacks of tasks are mapped without it
 * too.
 */
#include "../test.h"

/* Whether the memory at v may be executed; -1 if that cannot be told. */
static int
executable(const void *v)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512], perms[8];
	unsigned long low, end;
	int r = -1;

	if(f == NULL)
		return -1;
	while(r < 0 && fgets(line, sizeof line, f))
		if(sscanf(line, "%lx-%lx %7s", &low, &end, perms) == 3 &&
				(uintptr_t)v - low < end - low)
			r = perms[2] == 'x';
	fclose(f);
	return r;
}

static int intask = -1;

TASK_TEST_BY(no_stack_is_executable,
	char here = 0;

	if(executable(&here) < 0)
		TEST_SKIP("no /proc/self/maps");
	ck_assert_int_eq(executable(&here), 0);
	run(body);
	ck_assert_int_eq(intask, 0))
{
	char here = 0;

	intask = executable(&here);
}

TEST_MAIN("executable-stack", no_stack_is_executable)
