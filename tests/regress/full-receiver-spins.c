/* SPDX-License-Identifier: MIT */
/*
 * netsendto from a UNIX socket that is not connected asked the kernel again and
 * again while the receiver was full: the sender's own socket has room, so the
 * poller said at once that it can be written.
 */
#include "../../taskimpl.h"
#include "../test.h"

static ssize_t (*realsendmsg)(int, const struct msghdr *);
static int nasked, nsent;
static char name[64];

static ssize_t
countsendmsg(int fd, const struct msghdr *msg)
{
	nasked++;
	return realsendmsg(fd, msg);
}

static void
sender(void *v)
{
	int fd = netannounce(UNIXGRAM, v, 0);

	tasksystem();
	ck_assert_int_ge(fd, 0);
	while(netsendto(fd, "x", 1, name, 0) == 1)
		nsent++;
}

TASK_TEST(who_sends_to_one_that_is_full_asks_now_and_then)
{
	char own[64], c;
	int had;

	snprintf(name, sizeof name, "@full.%d", (int)getpid());
	snprintf(own, sizeof own, "@sends.%d", (int)getpid());
	realsendmsg = task_sys.sendmsg;
	task_sys.sendmsg = countsendmsg;
	int fd = netannounce(UNIXGRAM, name, 0);
	ck_assert_int_ge(fd, 0);
	taskcreate(sender, own, 0);
	taskdelay(20);
	had = nsent;
	nasked = 0;
	taskdelay(200);
	ck_assert_int_eq(nsent, had);
	ck_assert_int_lt(nasked, 20);
	for(int i = 0; i < 2 * had; i++)
		ck_assert_int_eq(netrecvfrom(fd, &c, 1, NULL, 0, NULL), 1);
	fdclose(fd);
}

TEST_MAIN("full-receiver-spins",
	who_sends_to_one_that_is_full_asks_now_and_then)
