/* SPDX-License-Identifier: MIT */
/* An old program, C and C++, that fills in Alts by position and has char *. */
#include <stdlib.h>
#include <string.h>
#include <task.h>

static Channel *numbers, *texts;
static char host[] = "localhost", any[] = "*";

static void
produce(void *v)
{
	char *text = (char *)v;
	unsigned long n;

	for(n = 1; n <= 3; n++)
		chansend(numbers, &n);
	chansendp(texts, text);
}

void
taskmain(int argc, char **argv)
{
	unsigned long n = 0, sum = 0;
	char *text = NULL;
	int fd, turns;

	numbers = chancreate(sizeof n, 0);
	texts = chancreate(sizeof text, 0);
	taskcreate(produce, argc > 1 ? argv[1] : host, 32768);
	for(turns = 0; text == NULL; turns++){
		Alt a[] = {
			{numbers, &n, CHANRCV},
			{texts, &text, CHANRCV},
			{NULL, NULL, CHANNOP},
			{NULL, NULL, CHANEND}
		};
		if(chanalt(a) == 0)
			sum += n;
	}
	fd = netannounce(UDP, any, 0);
	if(turns != 4 || sum != 6 || strcmp(text, host) != 0 || fd < 0)
		taskexitall(1);
	taskexitall(0);
}
