/* SPDX-License-Identifier: MIT */
/*
 * Sorts numbers by sleeping: delay 30 10 20 prints 10, 20 and 30.
 * Look at sleeper: it reads as if the whole program slept, yet all the tasks
 * sleep at the same time, and the program takes as long as the longest of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <task.h>

static void
sleeper(void *v)
{
	const char *number = v;
	unsigned int ms = (unsigned int)strtoul(number, NULL, 10);

	taskname("delay %u", ms);
	taskdelay(ms);
	printf("%u\n", ms);
}

void
taskmain(int argc, char **argv)
{
	for(int i = 1; i < argc; i++)
		if(taskcreate(sleeper, argv[i], 32768) < 0){
			perror("delay");
			taskexitall(1);
		}
}
