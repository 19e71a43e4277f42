/* SPDX-License-Identifier: MIT */
/*
 * Five small programs of coroutines, as greenlet for Python has them:
 * greenlet [first | argument | values | child | sibling].
 *
 * A switch is no call: who is switched to goes on where it last stopped, and
 * nothing obliges it to come back.  Only the end of a coroutine has a way of
 * its own, to its parent.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <task.h>

static Co *gr1, *gr2;

static Co *
create(void *(*fn)(void *))
{
	Co *c = cocreate(fn, NULL, 32768);

	if(c == NULL){
		perror("greenlet");
		taskexitall(1);
	}
	return c;
}

/* first: 78 is never printed, for nobody switches to test2 again. */
static void *
test1(void *v)
{
	printf(v ? "12 %s\n" : "12\n", (char *)v);
	coswitch(gr2, NULL);
	puts("34");
	return NULL;
}

static void *
test2(void *v)
{
	(void)v;
	puts("56");
	coswitch(gr1, NULL);
	puts("78");
	return NULL;
}

static void
first(void)
{
	gr1 = create(test1);
	gr2 = create(test2);
	coswitch(gr1, NULL);
}

/* argument: the first value is what the function is called with. */
static void
argument(void)
{
	gr1 = create(test1);
	gr2 = create(test2);
	coswitch(gr1, "foo bar");
}

/* values: later ones are what coswitch returns. */
static void *
asks(void *v)
{
	char **words = v, text[64];

	snprintf(text, sizeof text, "%s%s", words[0], words[1]);
	puts(coswitch(gr2, text));
	return NULL;
}

static void *
answers(void *v)
{
	puts(v);
	coswitch(gr1, "42");
	return NULL;
}

static void
values(void)
{
	char *words[] = {"hello", " world"};

	gr1 = create(asks);
	gr2 = create(answers);
	coswitch(gr1, words);
}

/* child: who makes a coroutine gets its result. */
static void *
bar(void *v)
{
	puts("coroutine bar");
	return v;
}

static void *
foo(void *v)
{
	(void)v;
	puts("coroutine foo");
	puts(coswitch(create(bar), "bar return value"));
	return NULL;
}

static void
child(void)
{
	coswitch(create(foo), NULL);
}

/* sibling: not who switched to it last. */
static void *
foo2(void *v)
{
	(void)v;
	puts("coroutine foo");
	coswitch(gr2, "coroutine bar return value");
	puts("coroutine end");
	return NULL;
}

static void
sibling(void)
{
	gr1 = create(foo2);
	gr2 = create(bar);
	puts(coswitch(gr1, NULL));
}

static const struct
{
	const char *name;
	void (*fn)(void);
} programs[] = {
	{"first", first},
	{"argument", argument},
	{"values", values},
	{"child", child},
	{"sibling", sibling},
};

void
taskmain(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "first";

	for(size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
		if(strcmp(programs[i].name, name) == 0){
			programs[i].fn();
			return;
		}
	fprintf(stderr, "greenlet: there is no %s\n", name);
	taskexit(2);
}
