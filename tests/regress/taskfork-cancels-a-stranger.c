/* SPDX-License-Identifier: MIT */
/*
 * In the child of taskfork a session's task is gone, but a new one may have its
 * stack, and so its place: that one was taken for it, and its wait cancelled.
 */
#include "../test.h"
#include "../watched.h"
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

enum
{
	SessionStack = 256 * 1024,	/* as the session's task has */
	Tasks = 8,
	Forks = 8	/* in some of them it happened */
};

static Channel *c;
static int ngood;

static void
receiver(void *v)
{
	unsigned long n = 0;

	(void)v;
	errno = 0;
	ngood += chanrecv(c, &n) == 1 && n == 7 && errno == 0;
}

static void
inchild(void)
{
	c = chancreate(sizeof(unsigned long), 0);
	for(int i = 0; i < Tasks; i++)
		taskcreate(receiver, NULL, SessionStack);
	taskdelay(50);
	for(int i = 0; i < Tasks; i++)
		channbsendul(c, 7);
	taskdelay(10);
	_exit(Tasks - ngood);
}

TASK_TEST(a_new_task_in_the_place_of_a_sessions_goes_on)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	char answer[4096];
	int status;

	if(TestFewer > 1)
		TEST_SKIP("TSan does not follow what a child does");
	snprintf(sa.sun_path, sizeof sa.sun_path, "/tmp/stranger.%d",
		(int)getpid());
	ck_assert_int_eq(console(sa.sun_path), 0);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(fd, (void *)&sa, sizeof sa), 0);
	ck_assert_int_eq(write(fd, "help\n", 5), 5);
	ck_assert_int_gt(fdread1(fd, answer, sizeof answer), 0);
	taskdelay(20);
	for(int i = 0; i < Forks; i++){
		pid_t pid = taskfork();
		if(pid == 0)
			inchild();
		ck_assert_int_gt(pid, 0);
		while(waitpid(pid, &status, WNOHANG) == 0)
			taskdelay(10);
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	close(fd);
}

TEST_MAIN("taskfork-cancels-a-stranger",
	a_new_task_in_the_place_of_a_sessions_goes_on)
