/* SPDX-License-Identifier: MIT */
/* A task is made when a descriptor is ready, and nothing is there before. */
#include "fdtest.h"
#include <malloc.h>
#include <sys/resource.h>

static int fds[2];
static int ncalls;
static void *got;

static void
counts(void *v)
{
	ncalls++;
	got = v;
}

static void
until(int n)
{
	for(int i = 0; i < 5000 && ncalls < n; i++)
		taskdelay(1);
	ck_assert_int_eq(ncalls, n);
}

static unsigned int
ntasks(void)
{
	Taskstats s;

	ck_assert_int_eq(taskstats(&s, sizeof s), 0);
	return s.tasks;
}

TASK_TEST(a_task_is_made_when_there_is_something_to_read)
{
	int arg;

	pair(fds);
	unsigned int before = ntasks();
	errno = 7;
	ck_assert_int_eq(fdon(fds[0], 'r', counts, &arg), 0);
	ck_assert_int_eq(errno, 7);
	taskdelay(5);
	ck_assert_int_eq(ncalls, 0);
	ck_assert_uint_eq(ntasks(), before);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	until(1);
	ck_assert_ptr_eq(got, &arg);
	ck_assert_int_eq(write(fds[1], "y", 1), 1);
	taskdelay(5);
	ck_assert_int_eq(ncalls, 1);	/* once */
	ck_assert_int_eq(fdon(fds[0], 'r', counts, &arg), 0);
	until(2);	/* it was ready already */
	fdclose(fds[0]);
	close(fds[1]);
}

TASK_TEST(each_thing_is_waited_for_by_itself)
{
	pair(fds);
	fill(fds[0]);
	ck_assert_int_eq(fdon(fds[0], 'w', counts, NULL), 0);
	ck_assert_int_eq(fdon(fds[0], 'r', counts, NULL), 0);
	ck_assert_int_eq(fdon(fds[0], 'h', counts, NULL), 0);
	FAILS(fdon(fds[0], 'r', counts, NULL), EEXIST);
	taskdelay(5);
	ck_assert_int_eq(ncalls, 0);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	until(1);
	drain(fds[1]);
	until(2);
	close(fds[1]);
	until(3);
	FAILS(fdoff(fds[0]), ENOENT);
	fdclose(fds[0]);
}

TASK_TEST(what_is_dropped_or_closed_is_not_called)
{
	pair(fds);
	ck_assert_int_eq(fdon(fds[0], 'r', counts, NULL), 0);
	ck_assert_int_eq(fdoff(fds[0]), 0);
	FAILS(fdoff(fds[0]), ENOENT);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	taskdelay(5);
	ck_assert_int_eq(ncalls, 0);
	ck_assert_int_eq(fdon(fds[0], 'h', counts, NULL), 0);
	fdclose(fds[0]);
	close(fds[1]);
	pair(fds);	/* the same numbers */
	close(fds[1]);
	taskdelay(5);
	ck_assert_int_eq(ncalls, 0);
	fdclose(fds[0]);
	FAILS(fdon(-1, 'r', counts, NULL), EBADF);
	FAILS(fdon(fds[0], 'r', counts, NULL), EBADF);
	FAILS(fdon(0, 'r', NULL, NULL), EINVAL);
	FAILS(fdoff(-1), ENOENT);
}

static void
readsone(void *v)
{
	char c;

	if(fdread(*(int *)v, &c, 1) == 1)
		ncalls += 10;
}

TASK_TEST(tasks_that_wait_for_the_same_are_told_too)
{
	pair(fds);
	taskcreate(readsone, &fds[0], 0);
	taskdelay(1);
	ck_assert_int_eq(fdon(fds[0], 'r', counts, NULL), 0);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	until(11);
	fdclose(fds[0]);
	close(fds[1]);
}

TASK_TEST(a_file_is_ready_at_once_and_has_no_peer)
{
	FILE *f = tmpfile();

	ck_assert_int_eq(fdon(fileno(f), 'r', counts, NULL), 0);
	until(1);
	if(strcmp(taskpoller(), "epoll") == 0){	/* others know no such files */
		ck_assert_int_eq(fdon(fileno(f), 'h', counts, NULL), 0);
		taskdelay(5);
		ck_assert_int_eq(ncalls, 1);
	}
	fdoff(fileno(f));
	fclose(f);
}

/* A server whose connections have a task only while there is a request. */
static void
answers(void *v)
{
	int fd = (int)(intptr_t)v;
	char c;

	if(fdread(fd, &c, 1) <= 0){
		fdclose(fd);
		ncalls++;
		return;
	}
	c++;
	ck_assert_int_eq(fdwrite(fd, &c, 1), 1);
	ck_assert_int_eq(fdon(fd, 'r', answers, v), 0);
}

enum { Silent = 400 };

TASK_TEST(S1_1_silent_connections_have_no_task)
{
	static int pairs[Silent][2];
	unsigned int before = ntasks();
	char c;

	for(int i = 0; i < Silent; i++){
		pair(pairs[i]);
		ck_assert_int_eq(fdon(pairs[i][1], 'r', answers,
			(void *)(intptr_t)pairs[i][1]), 0);
	}
	ck_assert_uint_eq(ntasks(), before);
	for(int k = 0; k < 3; k++)
		for(int i = 0; i < Silent; i += 7){
			c = (char)(i + k);
			ck_assert_int_eq(fdwrite(pairs[i][0], &c, 1), 1);
			ck_assert_int_eq(fdread(pairs[i][0], &c, 1), 1);
			ck_assert_int_eq(c, (char)(i + k + 1));
		}
	settle();
	ck_assert_uint_eq(ntasks(), before);
	for(int i = 0; i < Silent; i++)
		fdclose(pairs[i][0]);
	until(Silent);
}

static void
waits(void *v)
{
	(void)v;
	pair(fds);
	fdon(fds[0], 'r', counts, NULL);
}

START_TEST(it_does_not_keep_a_program_from_ending)
{
	ck_assert_int_eq(taskrun(waits, NULL), 0);
	FAILS(fdon(0, 'r', counts, NULL), EPERM);
	FAILS(fdoff(0), EPERM);
}
END_TEST

TEST_MAIN("on",
	a_task_is_made_when_there_is_something_to_read,
	each_thing_is_waited_for_by_itself,
	what_is_dropped_or_closed_is_not_called,
	tasks_that_wait_for_the_same_are_told_too,
	a_file_is_ready_at_once_and_has_no_peer,
	S1_1_silent_connections_have_no_task,
	it_does_not_keep_a_program_from_ending)
