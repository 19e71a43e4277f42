/* SPDX-License-Identifier: MIT */
/* What is put back at exit is what this process has changed, and no more. */
/*
 * Cause: at the first fdnoblock of 0, 1 or 2 the flags of all three were saved,
 * and exit put them back: in a child of fork(2) too, while its parent waited for
 * the file; also those of a number that had not been shown, or was another
 * file's by then; and flags that the program had changed since.
 * Fix: exit clears O_NONBLOCK, where fdnoblock has set it in this process and
 * the number is of that file still.
 */
#include "../fdtest.h"

static int in[2], out[2], other[2];

static int
flags(int fd)
{
	return fcntl(fd, F_GETFL);
}

static int
blocks(int fd)
{
	return (flags(fd) & O_NONBLOCK) == 0;
}

/* Run as the first task of a process that has in[0] as 0, and out[1] as 1. */
static void (*todo)(void);

static void
first(void *v)
{
	(void)v;
	todo();
}

static void
withstd(void)
{
	dup2(in[0], 0);
	dup2(out[1], 1);
	exit(taskrun(first, NULL));
}

static void
runs(void (*fn)(void))
{
	char err[1000];

	ck_assert_int_eq(pipe(in), 0);
	ck_assert_int_eq(pipe(out), 0);
	ck_assert_int_eq(pipe(other), 0);
	todo = fn;
	int status = child(withstd, err, sizeof err);
	ck_assert_msg(status == 0, "status %#x: %s", (unsigned)status, err);
}

static void
childexits(void)
{
	int status;

	fdnoblock(0);
	pid_t pid = fork();
	if(pid == 0)
		exit(0);
	if(waitpid(pid, &status, 0) != pid || status != 0 || blocks(0))
		taskexitall(1);
}

START_TEST(the_exit_of_a_child_leaves_the_flags_to_its_parent)
{
	runs(childexits);
	ck_assert(blocks(in[0]));
}
END_TEST

static void
childshows(void)
{
	int status;
	pid_t pid = fork();

	if(pid == 0){
		fdnoblock(1);
		exit(0);
	}
	waitpid(pid, &status, 0);
	taskexitall(status != 0 || !blocks(1));
}

START_TEST(a_child_puts_back_what_it_has_changed_itself)
{
	runs(childshows);
}
END_TEST

static void
inputonly(void)
{
	fdnoblock(0);
	fcntl(1, F_SETFL, flags(1) | O_NONBLOCK);
}

START_TEST(a_number_that_was_not_shown_stays_as_it_is)
{
	runs(inputonly);
	ck_assert(blocks(in[0]));
	ck_assert(!blocks(out[1]));
}
END_TEST

static void
replaced(void)
{
	fdnoblock(0);
	fcntl(other[0], F_SETFL, O_NONBLOCK);
	dup2(other[0], 0);
}

START_TEST(a_file_that_came_later_stays_as_it_is)
{
	runs(replaced);
	ck_assert(!blocks(other[0]));
}
END_TEST

static void
appends(void)
{
	fdnoblock(1);
	fcntl(1, F_SETFL, flags(1) | O_APPEND);
}

START_TEST(other_flags_stay_as_they_are)
{
	runs(appends);
	ck_assert(blocks(out[1]));
	ck_assert_int_ne(flags(out[1]) & O_APPEND, 0);
}
END_TEST

static void
outlives(void)
{
	dup2(0, 2);
	fdnoblock(0);
	fdnoblock(2);
	close(0);
}

START_TEST(a_file_of_two_numbers_is_put_back_by_the_one_that_is_left)
{
	runs(outlives);
	ck_assert(blocks(in[0]));
}
END_TEST

static void
wasso(void)
{
	fcntl(0, F_SETFL, O_NONBLOCK);
	fdnoblock(0);
}

START_TEST(what_was_so_before_stays_so)
{
	runs(wasso);
	ck_assert(!blocks(in[0]));
}
END_TEST

TEST_MAIN("flags-of-others",
	the_exit_of_a_child_leaves_the_flags_to_its_parent,
	a_child_puts_back_what_it_has_changed_itself,
	a_number_that_was_not_shown_stays_as_it_is,
	a_file_that_came_later_stays_as_it_is,
	other_flags_stay_as_they_are,
	a_file_of_two_numbers_is_put_back_by_the_one_that_is_left,
	what_was_so_before_stays_so)
