/* SPDX-License-Identifier: MIT */
/* A program that is executed inherits no sockets. */
/*
 * Cause: libtask made its sockets without close-on-exec.
 * Fix: they are born with it, so that no fork of another thread comes between.
 */
#include "../fdtest.h"

TASK_TEST(all_sockets_are_close_on_exec)
{
	int tcp = netannounce(TCP, "127.0.0.1", 0);
	int udp = netannounce(UDP, "127.0.0.1", 0);
	int to = netdial(TCP, "127.0.0.1", portof(tcp));
	int from = netaccept(tcp, NULL, NULL);
	int datagrams = netdial(UDP, "127.0.0.1", portof(udp));
	int fds[] = {tcp, udp, to, from, datagrams};

	for(int i = 0; i < 5; i++)
		ck_assert_int_eq(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
}

TEST_MAIN("inherited-descriptors",
	all_sockets_are_close_on_exec)
