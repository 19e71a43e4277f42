/* SPDX-License-Identifier: MIT */
/* Channels, as their users see them. */
#include "test.h"

static Channel *c;

static void
sendthree(void *v)
{
	(void)v;
	for(unsigned long i = 1; i <= 3; i++)
		chansendul(c, i);
}

static void
recvthree(void *v)
{
	(void)v;
	c = chancreate(sizeof(unsigned long), 0);
	taskcreate(sendthree, NULL, 0);
	for(unsigned long i = 1; i <= 3; i++)
		ck_assert_uint_eq(chanrecvul(c), i);
	chanfree(c);
}

START_TEST(elements_arrive_in_the_order_sent)
{
	run(recvthree);
}
END_TEST

TEST_MAIN("chan", elements_arrive_in_the_order_sent)
