/* SPDX-License-Identifier: MIT */
/* Who was woken for a file does not go on with the next file of its number. */
/*
 * Cause: a task that an event had made ready, but that had not run yet, was not
 * told when another closed the descriptor and got its number again: it read
 * what was meant for a stranger, or wrote to him.
 * Fix: fdwait compares the generation of before with that of after.
 */
#include "../fdtest.h"

static int victim[2], stranger[2], before[2], after[2], closed, ended;

static void
readvictim(void *v)
{
	char c;

	(void)v;
	ssize_t n = fdread(victim[0], &c, 1);
	if(n > 0)	/* it had been read before it was closed */
		ck_assert_int_eq(c, 'x');
	else
		ck_assert_int_eq(errno, EBADF);
	ended = 1;
}

static void
writevictim(void *v)
{
	static char bytes[1 << 20];

	(void)v;
	FAILS(fdwrite(victim[0], bytes, sizeof bytes), EBADF);
	ck_assert_uint_lt(fdwritten(), sizeof bytes);
	ended = 1;
}

/* The first of the two that is woken, in the same turn as the victim. */
static void
closevictim(void *v)
{
	ck_assert_int_eq(fdwait(*(int *)v, 'r'), 0);
	if(closed++ == 0 && !ended){
		fdclose(victim[0]);
		ck_assert_int_eq(dup2(stranger[0], victim[0]), victim[0]);
	}
}

static void
prepare(void (*fn)(void *))
{
	closed = ended = 0;
	pair(victim);
	pair(stranger);
	nonblockpipe(before);
	nonblockpipe(after);
	taskcreate(closevictim, &before[0], 0);
	taskcreate(fn, NULL, 0);
	taskcreate(closevictim, &after[0], 0);
	settle();
	ck_assert_int_eq(write(before[1], "x", 1), 1);
	ck_assert_int_eq(write(after[1], "x", 1), 1);
}

TASK_TEST(a_reader_takes_nothing_from_a_stranger)
{
	prepare(readvictim);
	ck_assert_int_eq(write(victim[1], "x", 1), 1);
	ck_assert_int_eq(write(stranger[1], "secret", 6), 6);
	settle();
	ck_assert_int_eq(ended, 1);
	ck_assert_uint_eq(drain(stranger[0]), 6);
}

TASK_TEST(a_writer_gives_nothing_to_a_stranger)
{
	prepare(writevictim);
	drain(victim[1]);
	settle();
	ck_assert_int_eq(ended, 1);
	ck_assert_uint_eq(drain(stranger[1]), 0);
}

TEST_MAIN("stale-event-after-reuse",
	a_reader_takes_nothing_from_a_stranger,
	a_writer_gives_nothing_to_a_stranger)
