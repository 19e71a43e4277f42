/* SPDX-License-Identifier: MIT */
/* An fdreadn that is cut tells how many bytes it had. */
/*
 * Cause: fdreadn returned -1 when a deadline, a cancel or a close cut it, and
 * nothing told how much of what it had read was in the buffer already: those
 * bytes were lost, against the word of timeoutstart.
 * Cure: fdgot tells, as fdwritten does for fdwrite.
 */
#include "../fdtest.h"

static int fds[2];
static char got[8];
static size_t ngot;
static int err, other;

static void
parts(void)
{
	memset(got, 0, sizeof got);
	pair(fds);
	ck_assert_int_eq(write(fds[1], "abc", 3), 3);
}

static void
readall(void *v)
{
	(void)v;
	ck_assert_uint_eq(fdgot(), 0);
	if(fdreadn(fds[0], got, sizeof got) < 0)
		err = errno;
	ngot = fdgot();
}

TASK_TEST(a_deadline_loses_nothing)
{
	Timeout t;

	parts();
	timeoutstart(&t, 5);
	FAILS(fdreadn(fds[0], got, sizeof got), ETIMEDOUT);
	timeoutstop(&t);
	ck_assert_uint_eq(fdgot(), 3);
	ck_assert_str_eq(got, "abc");
	/* the program goes on where it was */
	ck_assert_int_eq(write(fds[1], "defgh", 5), 5);
	ck_assert_int_eq(fdreadn(fds[0], got + 3, 5), 5);
	ck_assert_uint_eq(fdgot(), 5);
	ck_assert_int_eq(memcmp(got, "abcdefgh", 8), 0);
}

TASK_TEST(a_cancel_loses_nothing)
{
	parts();
	int id = taskcreate(readall, NULL, 0);
	settle();
	taskcancel(id);
	settle();
	ck_assert_int_eq(err, ECANCELED);
	ck_assert_uint_eq(ngot, 3);
}

TASK_TEST(a_close_loses_nothing)
{
	parts();
	taskcreate(readall, NULL, 0);
	settle();
	fdclose(fds[0]);
	settle();
	ck_assert_int_eq(err, EBADF);
	ck_assert_uint_eq(ngot, 3);
}

static void
ask(void *v)
{
	(void)v;
	other = (int)fdgot();
}

TASK_TEST(each_task_has_its_own_and_the_last_one)
{
	parts();
	ck_assert_uint_eq(fdgot(), 0);
	shutdown(fds[1], SHUT_WR);
	ck_assert_int_eq(fdreadn(fds[0], got, sizeof got), 3);
	ck_assert_uint_eq(fdgot(), 3);
	taskcreate(ask, NULL, 0);
	taskyield();
	ck_assert_int_eq(other, 0);
	FAILS(fdreadn(-1, got, sizeof got), EBADF);
	ck_assert_uint_eq(fdgot(), 0);
	ck_assert_int_eq(fdreadn(-1, got, 0), 0);
}

START_TEST(outside_a_task_there_is_none)
{
	FAILS(fdreadn(0, got, 1), EPERM);
	ck_assert_uint_eq(fdgot(), 0);
}

TEST_MAIN("fdreadn-loses-bytes",
	a_deadline_loses_nothing,
	a_cancel_loses_nothing,
	a_close_loses_nothing,
	each_task_has_its_own_and_the_last_one,
	outside_a_task_there_is_none)
