/* SPDX-License-Identifier: MIT */
/* A call that lets others run midway looks whether its file is still there. */
/*
 * Cause: fdwrite and fdreadn yield after many calls to the kernel that did not
 * have to wait.  A task that ran meanwhile could close the descriptor and get
 * its number again, as libtask's tcpproxy does: the rest of the bytes went to a
 * stranger.
 * Fix: between two parts they wait for the descriptor in place of a yield,
 * which fails with EBADF if it was closed.
 */
#define TEST_POLLER "epoll"	/* where send and read are called */
#include "../../machine/machine.h"
#include "../fdtest.h"

static int victim[2], stranger[2], ended;
static Sys real;

static ssize_t
sendone(int fd, const void *buf, size_t n)
{
	return real.send(fd, buf, n ? 1 : 0);
}

static ssize_t
readone(int fd, void *buf, size_t n)
{
	return real.read(fd, buf, n ? 1 : 0);
}

static void
closevictim(void *v)
{
	(void)v;
	ck_assert_int_eq(ended, 0);
	fdclose(victim[0]);
	ck_assert_int_eq(dup2(stranger[0], victim[0]), victim[0]);
}

static void
prepare(void)
{
	real = task_sys;
	task_sys.send = sendone;
	task_sys.read = readone;
	pair(victim);
	pair(stranger);
	taskcreate(closevictim, NULL, 0);
}

TASK_TEST(fdwrite_gives_nothing_to_a_stranger)
{
	char bytes[1000];

	prepare();
	memset(bytes, 'x', sizeof bytes);
	FAILS(fdwrite(victim[0], bytes, sizeof bytes), EBADF);
	ended = 1;
	ck_assert_uint_eq(drain(stranger[1]), 0);
	task_sys = real;
	ck_assert_uint_eq(drain(victim[1]), fdwritten());
}

TASK_TEST(fdreadn_takes_nothing_from_a_stranger)
{
	char bytes[1000];

	prepare();
	memset(bytes, 'x', sizeof bytes);
	ck_assert_int_eq(write(victim[1], bytes, sizeof bytes), sizeof bytes);
	ck_assert_int_eq(write(stranger[1], bytes, sizeof bytes), sizeof bytes);
	FAILS(fdreadn(victim[0], bytes, sizeof bytes), EBADF);
	ended = 1;
	ck_assert_uint_eq(drain(stranger[0]), sizeof bytes);
}

TEST_MAIN("yield-amid-write",
	fdwrite_gives_nothing_to_a_stranger,
	fdreadn_takes_nothing_from_a_stranger)
