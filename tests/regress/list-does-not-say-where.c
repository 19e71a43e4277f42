/* SPDX-License-Identifier: MIT */
/*
 * A server that leaks tasks had a list of a thousand lines that were all the
 * same but for an address: no function, no place, no age.  Now a task without a
 * name has that of its function, the line says for how long it has waited,
 * where, and what made it; and of those that are alike there are three.
 */
#include "../test.h"
#include "../watched.h"

static char err[1 << 16];
static Channel *c;

__attribute__((noinline)) static void
waits(void *v)
{
	chanrecv(c, v);
	__asm__ volatile("");	/* no tail call: it is still in here */
}

__attribute__((noinline)) static void
leaks(void)
{
	for(int i = 0; i < fewer(1000); i++)
		taskcreate(waits, NULL, 0);
	__asm__ volatile("");
}

static int
lines(const char *s)
{
	int n = 0;

	for(; *s; s++)
		n += *s == '\n';
	return n;
}

static void
has(const char *text)
{
	ck_assert_msg(strstr(err, text) != NULL, "no \"%s\" in: %s", text,
		err);
}

static void
says(int status)
{
	char more[64];

	(void)status;
	has("  waits()              chanrecv c ");
	if(!valgrind()){	/* whose names for code are its own */
		has(", in waits+0x");
		has(", made in leaks+0x");
	}
	has(" by 1\n");
	snprintf(more, sizeof more, "        %d more like these\n",
		fewer(1000) - 3);
	has(more);
	ck_assert_int_le(lines(err), 12);
}

TASK_TEST_BY(the_list_says_where_since_when_and_by_whom,
	test_places = 1;
	says(childtask(body, err, sizeof err));
	has(", for "))
{
	c = chancreate(1, 0);
	leaks();
	taskdelay(20);
	raise(SIGQUIT);
	taskdelay(10);
	taskexitall(0);
}

TASK_TEST_BY(so_does_the_report_of_a_deadlock,
	test_places = 1;
	says(childtask(body, err, sizeof err)))
{
	c = chancreate(1, 0);
	leaks();
	chanrecv(c, NULL);
	__asm__ volatile("");
}

TASK_TEST_BY(so_does_misuse,
	test_places = 1;
	says(childtask(body, err, sizeof err)))
{
	static QLock l;

	c = chancreate(1, 0);
	leaks();
	taskdelay(1);
	qunlock(&l);
}

/* A name of its own is no reason to print a thousand lines either. */
static void
waitsnumbered(void *v)
{
	taskname("client %d", (int)(intptr_t)v);
	waits(NULL);
}

TASK_TEST_BY(numbers_in_names_make_no_difference_but_names_do,
	childtask(body, err, sizeof err);
	has("        98 more like these\n");
	ck_assert_int_eq(lines(err), 11))
{
	c = chancreate(1, 0);
	for(int i = 0; i < 101; i++)
		taskcreate(waitsnumbered, (void *)(intptr_t)i, 0);
	for(int i = 0; i < 4; i++)
		taskcreate(waits, NULL, 0);
	taskdelay(1);
	taskname("first");
	raise(SIGQUIT);
	taskdelay(1);
	taskexitall(0);
}

TEST_MAIN("list-does-not-say-where",
	the_list_says_where_since_when_and_by_whom,
	so_does_the_report_of_a_deadlock,
	so_does_misuse,
	numbers_in_names_make_no_difference_but_names_do)
