/* SPDX-License-Identifier: MIT */
/* What calls more than once goes on with the file that it began with. */
/*
 * Cause: with io_uring other tasks run after a call has ended and before its
 * task knows.  If one closed the descriptor then and got its number again, the
 * next step of fdwrite, fdreadn, netaccept was made on a stranger: whether it
 * was the same file was asked only where the poller makes a call.  netdial, on
 * each poller, closed a number that another task had closed and used again.
 * Cure: each call knows which file it means from its beginning on, and every
 * wait and every step after one asks whether it still is that one.
 */
#include "../../fd/fd.h"
#include "../fdtest.h"

static int victim[2], stranger[2], peer, ended;

/*
 * The call on the victim waits, or this task would not run.  It is ready next
 * when the poller has ended what it does for it; this task is so already.
 */
static void
untilmidway(void)
{
	const Fd *f = task_fdknown(task_proc->fds, victim[0]);

	ck_assert_ptr_nonnull(f);
	while(f->ops[Read].head || f->ops[Write].head)
		taskyield();
}

/* The number of the victim is the stranger's then. */
static void
takenumber(void)
{
	ck_assert_int_eq(ended, 0);
	fdclose(victim[0]);
	ck_assert_int_eq(dup2(stranger[0], victim[0]), victim[0]);
}

static void
closevictim(void *v)
{
	(void)v;
	untilmidway();
	takenumber();
}

static void
writestranger(void)
{
	static char bytes[1 << 20];

	ended = 0;
	pair(victim);
	ck_assert_int_gt(taskcreate(closevictim, NULL, 0), 0);
	FAILS(fdwrite(victim[0], bytes, sizeof bytes), EBADF);
	ended = 1;
	ck_assert_uint_eq(drain(victim[1]), fdwritten());
	ck_assert_uint_lt(fdwritten(), sizeof bytes);
	ck_assert_uint_eq(drain(peer), 0);
}

TASK_TEST(fdwrite_gives_nothing_to_a_socket)
{
	pair(stranger);
	peer = stranger[1];
	writestranger();
}

TASK_TEST(fdwrite_gives_nothing_to_a_pipe)
{
	nonblockpipe(stranger);
	peer = stranger[0];
	stranger[0] = stranger[1];
	writestranger();
}

static void
readstranger(void)
{
	char bytes[8] = "";

	ended = 0;
	pair(victim);
	ck_assert_int_eq(write(peer, "secrets", 7), 7);
	ck_assert_int_eq(write(victim[1], "xx", 2), 2);
	ck_assert_int_gt(taskcreate(closevictim, NULL, 0), 0);
	FAILS(fdreadn(victim[0], bytes, sizeof bytes), EBADF);
	ended = 1;
	ck_assert_str_eq(bytes, "xx");
	ck_assert_uint_eq(drain(stranger[0]), 7);
}

TASK_TEST(fdreadn_takes_nothing_from_a_socket)
{
	pair(stranger);
	peer = stranger[1];
	readstranger();
}

TASK_TEST(fdreadn_takes_nothing_from_a_pipe)
{
	nonblockpipe(stranger);
	peer = stranger[1];
	readstranger();
}

static int
announce(int *client)
{
	int fd = netannounce(TCP, "127.0.0.1", 0);

	ck_assert_int_ge(fd, 0);
	if(client){
		struct sockaddr_in sa = {.sin_family = AF_INET,
			.sin_addr = {htonl(INADDR_LOOPBACK)},
			.sin_port = htons((uint16_t)portof(fd))};
		*client = socket(AF_INET, SOCK_STREAM, 0);
		ck_assert_int_eq(connect(*client, (struct sockaddr *)&sa,
			sizeof sa), 0);
	}
	return fd;
}

static int
lowest(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

/* There is room for no more descriptors, and then there is. */
static void
closelistener(void *v)
{
	struct rlimit *limit = v;

	untilmidway();
	takenumber();
	setrlimit(RLIMIT_NOFILE, limit);
}

TASK_TEST(netaccept_takes_no_connection_of_a_stranger)
{
	struct rlimit limit, none;
	int clients[2];

	ended = 0;
	victim[0] = announce(&clients[0]);
	stranger[0] = announce(&clients[1]);
	getrlimit(RLIMIT_NOFILE, &limit);
	none = limit;
	none.rlim_cur = (rlim_t)lowest();
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_gt(taskcreate(closelistener, &limit, 0), 0);
	FAILS(netaccept(victim[0], NULL, NULL), EBADF);
	ended = 1;
	ck_assert_int_ge(accept(stranger[0], NULL, NULL), 0);
}

TASK_TEST(netdial_closes_no_stranger)
{
	int listener = announce(NULL);

	ended = 0;
	pair(stranger);
	victim[0] = lowest();
	ck_assert_int_gt(taskcreate(closevictim, NULL, 0), 0);
	FAILS(netdial(TCP, "127.0.0.1", portof(listener)), EBADF);
	ended = 1;
	ck_assert_int_ge(fcntl(victim[0], F_GETFD), 0);
}

TEST_MAIN("goes-on-with-stranger",
	fdwrite_gives_nothing_to_a_socket,
	fdwrite_gives_nothing_to_a_pipe,
	fdreadn_takes_nothing_from_a_socket,
	fdreadn_takes_nothing_from_a_pipe,
	netaccept_takes_no_connection_of_a_stranger,
	netdial_closes_no_stranger)
