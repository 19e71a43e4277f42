/* SPDX-License-Identifier: MIT */
/*
 * Names and states were printed as they are.  A server names its tasks after
 * its clients, and a client could so forge lines in the list of tasks and send
 * escapes to the terminal of who looks at it.  Now what a terminal would obey
 * is escaped wherever a name is printed.
 */
#include "../test.h"

#define EVIL "\033[31mred\n     9  admin\x7f \x9b""31m \xc2\x9b""31m"
#define SHOWN "\\033[31mred\\n     9  admin\\177 \\23331m \302\\23331m"
/* They have the bytes 0x82, 0x90 and 0x9f. */
#define LETTERS "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x9f"

static char err[65536];

static void
evil(void)
{
	taskname("%s", EVIL);
	taskstate("state %s" LETTERS, EVIL);
}

static void
has(const char *text)
{
	ck_assert_msg(strstr(err, text) != NULL, "no \"%s\" in: %s", text, err);
	for(const char *s = err; *s; s++)
		ck_assert_msg(*s == '\n' || ((unsigned char)*s >= ' ' &&
			*s != 0x7f), "byte %d: %s", (int)(s - err), err);
	ck_assert_ptr_null(strstr(err, "\n     9  admin"));
}

TASK_TEST_BY(in_the_list_of_tasks,
	ck_assert_int_eq(childtask(body, err, sizeof err), 0);
	has("     1  " SHOWN " state " SHOWN LETTERS "  taskdelay, "))
{
	evil();
	raise(SIGQUIT);
	taskdelay(1);
}

TASK_TEST_BY(in_the_list_that_the_handler_prints,
	ck_assert_int_eq(childtask(body, err, sizeof err), 0);
	has("task 1 (" SHOWN ") has not let others run");
	has("    task 1 (" SHOWN ") (running)\n"))
{
	evil();
	raise(SIGQUIT);
	raise(SIGQUIT);
}

static QLock l;

static void
owner(void *v)
{
	(void)v;
	evil();
	qlock(&l);
	Channel *c = chancreate(1, 0);
	c->name = EVIL;
	chanrecv(c, NULL);
}

TASK_TEST_BY(in_the_report_of_a_deadlock,
	ck_assert_int_ne(childtask(body, err, sizeof err), 0);
	has(" qlock held by task 2 (" SHOWN ")\n");
	has(" chanrecv c \"" SHOWN "\"\n"))
{
	taskcreate(owner, NULL, 0);
	taskyield();
	qlock(&l);
}

TASK_TEST_BY(in_a_line_about_misuse,
	abortstask(body, "task 1 (" SHOWN "): qunlock: ");
	childtask(body, err, sizeof err);
	has("task 1 (" SHOWN "): qunlock: "))
{
	evil();
	qunlock(&l);
}

TASK_TEST_BY(in_the_line_of_taskfail,
	ck_assert_int_ne(childtask(body, err, sizeof err), 0);
	has("task 1 (" SHOWN ") failed: "))
{
	evil();
	taskfail(EIO, NULL);
}

TEST_MAIN("names-with-escapes",
	in_the_list_of_tasks,
	in_the_list_that_the_handler_prints,
	in_the_report_of_a_deadlock,
	in_a_line_about_misuse,
	in_the_line_of_taskfail)
