/* SPDX-License-Identifier: MIT */
/*
 * Edges that nobody heard of, on epoll.
 * Causes: fdnoblock on a descriptor that somebody waited for made the next wait
 * arm it for that one alone; a short read was noted after the yield in which
 * more had come; it was noted on Unix sockets too, whose reads stop at passed
 * descriptors; an accept that failed for its peer's sake was taken for one that
 * had found nobody.
 * Fixes: who waits is armed again; the read is noted at once, and on TCP only;
 * such an accept is followed by a plain wait.
 */
#define TEST_POLLER "epoll"
#include "../../machine/machine.h"
#include "../fdtest.h"

static int fds[2], nread, listener, conn;
static char big[1 << 20];

static void
reader(void *v)
{
	char buf[16];
	ssize_t r;

	(void)v;
	while((r = fdread(fds[0], buf, sizeof buf)) > 0)
		nread += (int)r;
}

static void
writer(void *v)
{
	(void)v;
	fdnoblock(fds[0]);
	fdwrite(fds[0], big, sizeof big);
}

TASK_TEST(a_reader_is_woken_although_a_writer_called_fdnoblock)
{
	pair(fds);
	taskcreate(reader, NULL, 0);
	settle();
	taskcreate(writer, NULL, 0);
	settle();
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	settle();
	ck_assert_int_eq(nread, 1);
	fdclose(fds[0]);
}

static int busy, more;

/* Long enough that the fdtask has its turn while others yield. */
static void
compute(void *v)
{
	(void)v;
	while(busy){
		if(more)
			ck_assert_int_eq(write(fds[1], "next", 4), 4);
		more = 0;
		nanosleep(&(struct timespec){0, 1000000}, NULL);
		taskyield();
	}
}

/* They come in the yield that follows the 64th call that did not wait. */
TASK_TEST(bytes_that_come_while_a_short_read_yields_are_read)
{
	char buf[100];
	int idle[2];
	static Wait other;	/* it is woken when this task has ended */

	busy = 1;
	pair(idle);
	startwait(&other, idle[0], 'r');
	tcppair(fds);
	for(int i = 0; i < 4; i++)
		taskcreate(compute, NULL, 0);
	ck_assert_int_eq(write(fds[1], "a", 1), 1);
	ck_assert_int_eq(fdwait(fds[0], 'r'), 0);
	for(int i = 0; i < 63; i++){
		if(i > 0)
			ck_assert_int_eq(write(fds[1], "b", 1), 1);
		ck_assert_int_eq(fdread(fds[0], buf, 1), 1);
	}
	ck_assert_int_eq(write(fds[1], "short", 5), 5);
	more = 1;
	ck_assert_int_eq(fdread(fds[0], buf, sizeof buf), 5);
	busy = 0;
	taskcreate(reader, NULL, 0);
	settle();
	ck_assert_int_eq(nread, 4);
	fdclose(fds[0]);
	fdclose(idle[0]);
}

TASK_TEST(bytes_behind_a_passed_descriptor_are_read)
{
	union { struct cmsghdr h; char buf[CMSG_SPACE(sizeof(int))]; } c = {0};
	struct iovec io = {"hello", 5};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1,
		.msg_control = c.buf, .msg_controllen = sizeof c.buf};

	c.h = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
	memcpy(CMSG_DATA(&c.h), &(int){1}, sizeof(int));
	pair(fds);
	taskcreate(reader, NULL, 0);
	settle();
	ck_assert_int_eq(sendmsg(fds[1], &m, 0), 5);
	ck_assert_int_eq(write(fds[1], "world", 5), 5);
	settle();
	ck_assert_int_eq(nread, 10);
	fdclose(fds[0]);
}

static Sys kernel;
static int nfailed;

static int
abortsonce(int fd, struct sockaddr *sa, socklen_t *n)
{
	if(nfailed++ == 0){
		errno = ECONNABORTED;
		return -1;
	}
	return kernel.accept(fd, sa, n);
}

static void
acceptor(void *v)
{
	(void)v;
	while((conn = netaccept(listener, NULL, NULL)) >= 0)
		nread++;
}

TASK_TEST(a_connection_behind_one_that_was_aborted_is_accepted)
{
	kernel = task_sys;
	listener = netannounce(TCP, "127.0.0.1", 0);
	taskcreate(acceptor, NULL, 0);
	settle();
	task_sys.accept = abortsonce;
	ck_assert_int_ge(netdial(TCP, "127.0.0.1", portof(listener)), 0);
	settle();
	ck_assert_int_eq(nread, 1);
	ck_assert_int_ge(nfailed, 2);
	fdclose(listener);
}

TEST_MAIN("edges-are-lost",
	a_reader_is_woken_although_a_writer_called_fdnoblock,
	bytes_that_come_while_a_short_read_yields_are_read,
	bytes_behind_a_passed_descriptor_are_read,
	a_connection_behind_one_that_was_aborted_is_accepted)
