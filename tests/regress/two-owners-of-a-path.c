/* SPDX-License-Identifier: MIT */
/*
 * Between bind and listen a UNIX address looks like one whose owner has died:
 * who announced there just then took the path away, and both had announced.
 */
#include "../../taskimpl.h"
#include "../test.h"
#include <sys/wait.h>

static int (*reallisten)(int, int);
static char path[64];
static pid_t other;

/* Another process comes now. */
static int
listenlate(int fd, int backlog)
{
	task_sys.listen = reallisten;
	other = fork();
	if(other == 0)
		_exit(netannounce(UNIX, path, 0) < 0 && errno == EADDRINUSE ?
			0 : 1);
	usleep(30000);
	return reallisten(fd, backlog);
}

TASK_TEST(who_comes_between_bind_and_listen_does_not_get_the_path)
{
	int status;

	if(TestFewer > 1)
		TEST_SKIP("TSan does not follow what a child does");
	snprintf(path, sizeof path, "/tmp/two-owners.%d", (int)getpid());
	reallisten = task_sys.listen;
	task_sys.listen = listenlate;
	int fd = netannounce(UNIX, path, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(waitpid(other, &status, 0), other);
	ck_assert_int_eq(status, 0);
	int client = netdial(UNIX, path, 0);
	ck_assert_int_ge(client, 0);
	fdclose(client);
	fdclose(fd);
	unlink(path);
}

TEST_MAIN("two-owners-of-a-path",
	who_comes_between_bind_and_listen_does_not_get_the_path)
