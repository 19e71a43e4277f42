/* SPDX-License-Identifier: MIT */
/*
 * Programs with functions named print, addtask or taskready did not link, or
 * the library called theirs; nor did those with a main of their own.
 * Cause: 39 of libtask's 91 global names were not in task.h, and its main was
 * in the same object as taskcreate.
 * Fix: such names are static or hidden, and main is in an object by itself.
 */
#include "../test.h"

int calls;

int argv0, nalltask, taskargc, taskcount, taskexitval, tasknswitch, taskrunning;
void addtask(void);
void contextswitch(void);
void deltask(void);
void fdlist(void);
void needtask(void);
void parseip(void);
void print(void);
void taskready(void);
void taskscheduler(void);
void taskswitch(void);

void addtask(void) { calls++; }
void contextswitch(void) { calls++; }
void deltask(void) { calls++; }
void fdlist(void) { calls++; }
void needtask(void) { calls++; }
void parseip(void) { calls++; }
void print(void) { calls++; }
void taskready(void) { calls++; }
void taskscheduler(void) { calls++; }
void taskswitch(void) { calls++; }

TASK_TEST_BY(the_library_has_no_names_but_its_own,
	run(body);
	ck_assert_int_eq(calls, 0))
{
	int fd = netannounce(TCP, "127.0.0.1", 0);

	ck_assert_int_ge(fd, 0);
	taskyield();
	taskdelay(1);
	close(fd);
}

TEST_MAIN("exported-helpers", the_library_has_no_names_but_its_own)
