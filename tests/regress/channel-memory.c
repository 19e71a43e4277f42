/* SPDX-License-Identifier: MIT */
/*
 * libtask exits when chancreate finds no memory, and when the queues of a
 * channel that many wait for cannot grow it writes through NULL.  Ours fails
 * with ENOMEM, and its queues are made of what waits in them.
 */
#include "../../taskimpl.h"
#include "../test.h"

enum { Many = 200 };

static Channel *c[Many];

static void *
nomemory(size_t bytes)
{
	(void)bytes;
	errno = ENOMEM;
	return NULL;
}

static void *
nomore(void *v, size_t bytes)
{
	(void)v;
	return nomemory(bytes);
}

static void
altovermany(void *v)
{
	Alt a[Many + 1];

	for(int i = 0; i < Many; i++)
		a[i] = (Alt){.c = c[i], .op = CHANRCV};
	a[Many].op = CHANEND;
	ck_assert_int_eq(chanalt(a), Many - 1);
	(void)v;
}

static void
recvone(void *v)
{
	(void)v;
	ck_assert_uint_eq(chanrecvul(c[0]), 1);
}

TASK_TEST(channels_without_memory_fail_with_ENOMEM_and_the_program_runs_on)
{
	Channel mine;

	for(int i = 0; i < Many; i++)
		c[i] = chancreate(sizeof(unsigned long), 0);
	for(int i = 0; i < Many; i++)
		taskcreate(recvone, NULL, 0);
	taskcreate(altovermany, NULL, 0);

	Sys sys = task_sys;
	task_sys.alloc = nomemory;
	task_sys.resize = nomore;
	errno = 0;
	ck_assert_ptr_null(chancreate(1, 0));
	ck_assert_int_eq(errno, ENOMEM);
	errno = 0;
	ck_assert_int_eq(chaninit(&mine, 1, 1), -1);
	ck_assert_int_eq(errno, ENOMEM);
	taskyield();
	ck_assert_int_eq(chansendul(c[Many - 1], 2), 1);
	for(int i = 0; i < Many; i++)
		ck_assert_int_eq(chansendul(c[0], 1), 1);
	taskyield();
	task_sys = sys;
	for(int i = 0; i < Many; i++)
		chanfree(c[i]);
}

static void *
nosecond(size_t bytes)
{
	task_sys.alloc = nomemory;
	return calloc(1, bytes);
}

START_TEST(a_channel_whose_buffer_cannot_be_had_is_not_leaked)
{
	task_sys.alloc = nosecond;
	ck_assert_ptr_null(chancreate(1, 1));
	ck_assert_int_eq(errno, ENOMEM);
}
END_TEST

TEST_MAIN("channel-memory",
	channels_without_memory_fail_with_ENOMEM_and_the_program_runs_on,
	a_channel_whose_buffer_cannot_be_had_is_not_leaked)
