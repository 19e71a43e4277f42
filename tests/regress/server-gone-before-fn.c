/* SPDX-License-Identifier: MIT */
/*
 * When serverstop had to leave somebody in fn, the library looked into the
 * program's Server once more after fn had returned: it may be gone by then.
 */
#include "../test.h"
#include <sys/mman.h>

static int returned;

static int
slow(Server *s, Stream *c, void *arg)
{
	char byte;

	(void)s, (void)arg;
	streamread(c, &byte, 1);
	taskshield(5000);
	taskdelay(1500);	/* longer than who cleans up may take */
	taskunshield();
	returned = 1;
	return 0;
}

TASK_TEST(a_Server_may_go_while_fn_is_still_in_a_shield)
{
	Server *s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		MAP_ANONYMOUS, -1, 0);
	int left = 0;
	Timeout t;

	*s = (Server){.fn = slow, .idle_ms = 1000};
	ck_assert_int_eq(serverstart(s, "127.0.0.1", 0), 0);
	int fd = netdial(TCP, "127.0.0.1", serverport(s));
	ck_assert_int_eq(fdwrite(fd, "x", 1), 1);
	taskdelay(20);
	TIMEOUT(&t, 10)
		left = serverstop(s);
	ck_assert_int_eq(left, 1);
	ck_assert_int_eq(returned, 0);
	munmap(s, 4096);
	while(!returned)
		taskdelay(10);
	taskdelay(50);
	fdclose(fd);
}

TEST_MAIN("server-gone-before-fn",
	a_Server_may_go_while_fn_is_still_in_a_shield)
