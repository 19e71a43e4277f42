/* SPDX-License-Identifier: MIT */
/* Waiting for a regular file is possible: it is always ready. */
/*
 * Cause: epoll refuses files with EPERM; libtask took every refusal for a
 * second waiter, and aborted when a dup did not help.
 * Fix: files are ready, as poll(2) says.
 */
#include "../fdtest.h"

TASK_TEST(a_regular_file_is_read_and_written_as_any_descriptor)
{
	FILE *f = tmpfile();
	int fd = fileno(f);
	char buf[5];

	ck_assert_int_eq(fdnoblock(fd), 0);
	ck_assert_int_eq(fdwait(fd, 'w'), 0);
	ck_assert_int_eq(fdwrite(fd, "hello", 5), 5);
	lseek(fd, 0, SEEK_SET);
	ck_assert_int_eq(fdwait(fd, 'r'), 0);
	ck_assert_int_eq(fdread1(fd, buf, 5), 5);
	ck_assert_int_eq(fdread1(fd, buf, 5), 0);
	fclose(f);
}

TEST_MAIN("regular-file-aborts",
	a_regular_file_is_read_and_written_as_any_descriptor)
