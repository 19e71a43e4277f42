/* SPDX-License-Identifier: MIT */
/* netaccept fits into the 16 bytes that its callers have. */
/*
 * Cause: a fork of libtask wrote "::ffff:127.0.0.1" and its 0, which are 17
 * bytes.
 * Fix: mapped addresses are dotted quads, and longer ones are cut.
 */
#include "../fdtest.h"

TASK_TEST(a_loopback_peer_of_a_dual_listener_fits)
{
	struct { char server[16], after; } b;
	int listener = netannounce(TCP, "*", 0);

	memset(&b, '#', sizeof b);
	ck_assert_int_ge(netdial(TCP, "127.0.0.1", portof(listener)), 0);
	ck_assert_int_ge(netaccept(listener, b.server, NULL), 0);
	ck_assert_str_eq(b.server, "127.0.0.1");
	ck_assert_int_eq(b.after, '#');
}

TEST_MAIN("accept-overruns-16-bytes", a_loopback_peer_of_a_dual_listener_fits)
