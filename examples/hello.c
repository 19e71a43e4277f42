/* SPDX-License-Identifier: MIT */
/* Two tasks take turns. */
#include <stdio.h>
#include <task.h>

static void
greet(void *v)
{
	const char *name = v;

	for(int i = 0; i < 3; i++){
		printf("hello from %s\n", name);
		taskyield();
	}
}

void
taskmain(int argc, char **argv)
{
	(void)argc, (void)argv;
	taskcreate(greet, "Alice", 8192);
	taskcreate(greet, "Bob", 8192);
}
