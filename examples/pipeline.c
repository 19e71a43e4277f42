/* SPDX-License-Identifier: MIT */
/*
 * tail | grep | print in one program, three times:
 * pipeline pull|push|channels pattern line...
 *
 *	pull      each stage is a generator, and asks the one before for lines
 *	push      each stage is a generator, and is sent lines
 *	channels  each stage is a task, with channels between them
 *
 * Generators run only when asked, on the time of who asks: no stage is ahead of
 * another.  Tasks may be as far ahead as the channel has room.
 */
#include <stdio.h>
#include <string.h>
#include <task.h>

static const char *pattern;

static void *
need(void *made)
{
	if(made == NULL){
		perror("pipeline");
		taskexitall(1);
	}
	return made;
}

/* pull */
static void *
tail(void *v)
{
	for(char **line = v; *line; line++)
		if(genyield(*line) == NULL)
			break;
	return NULL;
}

static void *
grep(void *v)
{
	Gen *from = v;

	GENFOR(line, from)
		if(strstr(line, pattern) && genyield(line) == NULL)
			break;
	genclose(from);
	return NULL;
}

static void
pull(char **lines)
{
	Gen *all = need(gencreate(tail, lines, 32768));
	Gen *some = need(gencreate(grep, all, 32768));

	GENFOR(line, some)
		puts(line);
	genclose(some);
}

/* push: what is sent arrives from the genyield that waits for it. */
static void *
printer(void *v)
{
	char *line;

	while((line = genyield(v)))
		puts(line);
	return NULL;
}

static void *
greppusher(void *v)
{
	Gen *to = v;
	char *line;

	printf("Looking for %s\n", pattern);
	while((line = genyield(NULL)))
		if(strstr(line, pattern))
			gensend(to, line, NULL);
	genclose(to);
	return NULL;
}

static void
push(char **lines)
{
	Gen *print = need(gencreate(printer, NULL, 32768));
	Gen *some = need(gencreate(greppusher, print, 32768));

	/* both run to where they want their first line */
	gennext(print, NULL);
	gennext(some, NULL);
	while(*lines)
		gensend(some, *lines++, NULL);
	genclose(some);
}

/* channels: NULL is the end of the file. */
static Channel *all, *some;

static void
tailtask(void *v)
{
	char **line = v;

	do
		chansendp(all, *line);
	while(*line++);
}

static void
greptask(void *v)
{
	char *line;

	(void)v;
	while((line = chanrecvp(all)))
		if(strstr(line, pattern))
			chansendp(some, line);
	chansendp(some, NULL);
}

static void
channels(char **lines)
{
	char *line;

	all = need(chancreate(sizeof(char *), 0));
	some = need(chancreate(sizeof(char *), 0));
	if(taskcreate(tailtask, lines, 32768) < 0 ||
			taskcreate(greptask, NULL, 32768) < 0)
		need(NULL);
	while((line = chanrecvp(some)))
		puts(line);
	chanfree(all);
	chanfree(some);
}

void
taskmain(int argc, char **argv)
{
	void (*way)(char **) = argc < 3 ? NULL :
		strcmp(argv[1], "pull") == 0 ? pull :
		strcmp(argv[1], "push") == 0 ? push :
		strcmp(argv[1], "channels") == 0 ? channels : NULL;

	if(way == NULL){
		fputs("usage: pipeline pull|push|channels pattern line...\n",
			stderr);
		taskexitall(2);
	}
	pattern = argv[2];
	way(argv + 3);
}
