/* SPDX-License-Identifier: MIT */
/*
 * Without epoll_pwait2 the set was waited for with ppoll alone: one whose number
 * the program had given to another file, which had nothing to say, was missed
 * by nobody.
 */
#include "../test.h"
#ifdef __linux__
#include "../forbid.h"
#include <fcntl.h>

static int news[2], quiet[2], got;

static void
reader(void *v)
{
	char c;

	(void)v;
	tasksystem();
	got = fdread(news[0], &c, 1) == 1;
}

/* has the set's number stand for the quiet pipe. */
static void
loseset(void)
{
	char link[64], what[64];
	int n = 0;

	for(int fd = 3; fd < 256; fd++){
		snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
		ssize_t r = readlink(link, what, sizeof what - 1);
		what[r > 0 ? r : 0] = '\0';
		if(strstr(what, "eventpoll")){
			ck_assert_int_eq(dup2(quiet[0], fd), fd);
			n++;
		}
	}
	ck_assert_int_gt(n, 0);
}

static void
lose(void *v)
{
	(void)v;
	ck_assert_int_eq(pipe2(news, O_NONBLOCK | O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(quiet, O_NONBLOCK | O_CLOEXEC), 0);
	taskcreate(reader, NULL, 0);
	taskdelay(20);
	loseset();
	taskdelay(20);
	ck_assert_int_eq(write(news[1], "x", 1), 1);
	for(int i = 0; i < 500 && !got; i++)
		taskdelay(10);
	ck_assert_int_eq(got, 1);
}

START_TEST(a_set_that_is_another_file_is_noticed)
{
	if(!forbid(SYS_epoll_pwait2))
		TEST_SKIP("no seccomp filters here");
	setenv("TASKPOLLER", "epoll", 1);
	run(lose);
}
END_TEST

TEST_MAIN("old-epoll-set-lost", a_set_that_is_another_file_is_noticed)
#else
TEST_MAIN("old-epoll-set-lost")
#endif
