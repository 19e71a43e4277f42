/* SPDX-License-Identifier: MIT */
/* fdwrite of no bytes sends an empty datagram, as write(2) does. */
/*
 * Cause: fdwrite of 0 bytes returned 0 without a call to the kernel, so a
 * program could not send an empty datagram, which some protocols use to say
 * that they are there.
 * Cure: on a datagram socket it is sent; elsewhere it is nothing, still.
 */
#include "../fdtest.h"

static int fds[2];
static char got[8];
static int sent;

TASK_TEST(an_empty_datagram_comes_over_UDP)
{
	int server = netannounce(UDP, "127.0.0.1", 0);
	int client = netdial(UDP, "127.0.0.1", portof(server));

	errno = 0;
	ck_assert_int_eq(fdwrite(client, "", 0), 0);
	ck_assert_int_eq(fdwrite(client, NULL, 0), 0);
	ck_assert_int_eq(fdwrite(client, "ab", 2), 2);
	ck_assert_int_eq(errno, 0);
	ck_assert_int_eq(fdread(server, got, sizeof got), 0);
	ck_assert_int_eq(fdread(server, got, sizeof got), 0);
	ck_assert_int_eq(fdread(server, got, sizeof got), 2);
}

static void
sendempty(void *v)
{
	(void)v;
	ck_assert_int_eq(fdwrite(fds[0], "", 0), 0);
	sent = 1;
}

TASK_TEST(it_waits_for_room)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds),
		0);
	while(send(fds[0], "x", 1, 0) == 1)
		;
	taskcreate(sendempty, NULL, 0);
	settle();
	ck_assert_int_eq(sent, 0);
	while(fdread(fds[1], got, sizeof got) > 0)
		;
	settle();
	ck_assert_int_eq(sent, 1);
}

TASK_TEST(its_errors_are_those_of_send)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds),
		0);
	close(fds[1]);
	FAILS(fdwrite(fds[0], "", 0), ECONNREFUSED);
}

TASK_TEST(elsewhere_it_is_nothing)
{
	int types[] = {SOCK_STREAM, SOCK_SEQPACKET};

	for(int i = 0; i < 2; i++){
		ck_assert_int_eq(socketpair(AF_UNIX, types[i] | SOCK_NONBLOCK, 0,
			fds), 0);
		errno = 0;
		ck_assert_int_eq(fdwrite(fds[0], "", 0), 0);
		ck_assert_int_eq(errno, 0);
		FAILS(recv(fds[1], got, sizeof got, 0), EAGAIN);
	}
	nonblockpipe(fds);
	ck_assert_int_eq(fdwrite(fds[1], "", 0), 0);
	ck_assert_int_eq(fdwrite(-1, "", 0), 0);
}

TEST_MAIN("no-empty-datagram",
	an_empty_datagram_comes_over_UDP,
	it_waits_for_room,
	its_errors_are_those_of_send,
	elsewhere_it_is_nothing)
