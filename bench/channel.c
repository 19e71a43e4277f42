/* SPDX-License-Identifier: MIT */
/* One message from a sender to a receiver, without and with a buffer. */
#include "bench.h"

enum { Messages = 5000000 };

static void
sender(void *v)
{
	Channel *c = v;

	for(unsigned long i = 0; i < Messages; i++)
		chansend(c, &i);
}

static void
through(int buffer, const char *name)
{
	Channel *c = chancreate(sizeof(unsigned long), buffer);
	unsigned long got;

	taskcreate(sender, c, 0);
	int64_t start = nowns();
	for(unsigned long i = 0; i < Messages; i++)
		if(chanrecv(c, &got) < 0 || got != i)
			abort();
	report(name, start, Messages);
	chanfree(c);
}

void
taskmain(int argc, char **argv)
{
	(void)argc, (void)argv;
	through(0, "chan-0");
	through(128, "chan-128");
}
