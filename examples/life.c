/* SPDX-License-Identifier: MIT */
/*
 * The life of two tasks.  TASKDEBUG=1 build/cc-asm/life shows each step: who is
 * made, who waits for what, and who wakes whom.
 */
#include <stdio.h>
#include <task.h>

static Channel *items;

static void
producer(void *v)
{
	(void)v;
	taskname("producer");
	for(unsigned long i = 1; i <= 2; i++)
		chansendul(items, i);	/* waits until the consumer takes it */
	taskdelay(100);
	chanclose(items);
}

static void
consumer(void *v)
{
	unsigned long i;

	(void)v;
	taskname("consumer");
	while(chanrecv(items, &i) == 1)
		printf("%lu\n", i);
	chanfree(items);
}

void
taskmain(int argc, char **argv)
{
	(void)argc, (void)argv;
	items = chancreate(sizeof(unsigned long), 0);
	items->name = "items";
	taskcreate(producer, NULL, 0);
	taskcreate(consumer, NULL, 0);
	taskyield();
}
