/* SPDX-License-Identifier: MIT */
/* TLS in a Server, whose connections wait without a task; and when is sent. */
#include <sys/ioctl.h>

#include "tlstest.h"

/* runs body with a server of a good certificate and a client. */
#define SIDES_TEST(name) \
	TASK_TEST_BY(name, run(body); freesides())

static Server site;
static int ncalls, nshaken, shakeonly;

/* Answers a line with the same. */
static int
echo(Server *s, Stream *c, void *v)
{
	char *line;

	(void)s, (void)v;
	ncalls++;
	if(streamtls(c, server, NULL) == 0){
		nshaken++;
		if(shakeonly)
			return 1;
	}else if(errno != EALREADY)
		return 0;
	if(streamline(c, &line) < 0)
		return 0;
	streamprint(c, "%s\n", line);
	return 1;
}

static void
start(int idle_ms)
{
	site = (Server){.fn = echo, .idle_ms = idle_ms};
	tlssides("good");
	ck_assert_int_eq(serverstart(&site, "127.0.0.1", 0), 0);
}

static void
stop(void)
{
	Timeout t;

	TIMEOUT(&t, 10000)
		ck_assert_int_eq(serverstop(&site), 0);
	ck_assert(!timeoutfired(&t));
}

static Stream *
reach(void)
{
	int fd = netdial(TCP, "127.0.0.1", serverport(&site));

	ck_assert_int_ge(fd, 0);
	Stream *s = streamopen(fd, 0);
	ck_assert_ptr_nonnull(s);
	ck_assert_msg(streamtls(s, client, "good.test") == 0, "%s", tlserror());
	return s;
}

static unsigned int
ntasks(void)
{
	Taskstats s;

	ck_assert_int_eq(taskstats(&s, sizeof s), 0);
	return s.tasks;
}

/* waits until there are so many tasks. */
static void
untiltasks(unsigned int n)
{
	for(int i = 0; i < 10000 && ntasks() != n; i++)
		taskdelay(1);
	ck_assert_uint_eq(ntasks(), n);
}

SIDES_TEST(between_requests_there_is_no_task)
{
	start(0);
	says(b = reach(), "first\n");
	hears(b, "first\n");
	ck_assert_int_eq(streamclose(b), 0);
	for(int i = 0; i < 10000 && serverlive(&site) > 0; i++)
		taskdelay(1);
	unsigned int none = ntasks();
	b = reach();
	for(int i = 0; i < 100; i++){
		says(b, "hello\n");
		hears(b, "hello\n");
		if(i % 10 == 0)
			untiltasks(none);
		ck_assert_int_eq(serverlive(&site), 1);
	}
	ck_assert_int_eq(nshaken, 2);
	ck_assert_int_ge(ncalls, 101);
	ck_assert_int_eq(streamclose(b), 0);
	stop();
}

/* Of these OpenSSL has read several ahead when fn is to be called again. */
SIDES_TEST(requests_that_come_together_are_all_answered)
{
	char line[16];

	start(0);
	b = reach();
	for(int round = 0; round < 20; round++){
		for(int i = 0; i < 10; i++){
			snprintf(line, sizeof line, "%d\n", i);
			says(b, line);
		}
		for(int i = 0; i < 10; i++){
			snprintf(line, sizeof line, "%d\n", i);
			hears(b, line);
		}
	}
	ck_assert_int_eq(nshaken, 1);
	ck_assert_int_eq(streamclose(b), 0);
	stop();
}

/* The end is told as TLS has it, not by hanging up. */
SIDES_TEST(who_says_nothing_for_idle_ms_is_told_the_end)
{
	enum { IdleMs = 30 };

	start(IdleMs);
	b = reach();
	int64_t began = nowns();
	says(b, "hello\n");
	hears(b, "hello\n");
	isend(b);
	ck_assert_int_ge(nowns() - began, IdleMs * 1000000);
	ck_assert_int_eq(nshaken, 1);
	ck_assert_int_eq(streamclose(b), 0);
	for(int i = 0; i < 10000 && serverlive(&site) > 0; i++)
		taskdelay(1);
	ck_assert_int_eq(serverlive(&site), 0);
	stop();
}

SIDES_TEST(a_connection_may_wait_as_soon_as_hands_are_shaken)
{
	Tlsinfo info;

	start(0);
	shakeonly = 1;
	for(int i = 0; i < 2; i++){
		b = reach();
		says(b, "hello\n");
		hears(b, "hello\n");
		ck_assert_int_eq(tlsinfo(b, &info), 0);
		ck_assert_int_eq(info.resumed, i);
		ck_assert_int_eq(streamclose(b), 0);
	}
	ck_assert_int_eq(nshaken, 2);
	stop();
}

/* How many bytes wait for the client. */
static int
arrived(void)
{
	int n;

	ck_assert_int_eq(ioctl(fds[1], FIONREAD, &n), 0);
	return n;
}

enum { Tickets = 200 };	/* bytes at least */

SIDES_TEST(tickets_come_with_the_first_answer)
{
	tlssides("good");
	connected(0);
	settle();
	ck_assert_int_eq(arrived(), 0);
	says(a, "x");
	ck_assert_int_ge(fdwait(fds[1], 'r'), 0);
	ck_assert_int_gt(arrived(), Tickets);
	hears(b, "x");
	closeboth();
}

static void
listens(void *v)
{
	hears(a, "x");
	*(int *)v = 1;
}

SIDES_TEST(tickets_come_when_a_server_waits_that_says_nothing)
{
	int heard = 0;

	tlssides("good");
	connected(0);
	beside(listens, &heard);
	ck_assert_int_ge(fdwait(fds[1], 'r'), 0);
	ck_assert_int_gt(arrived(), Tickets);
	says(b, "x");
	for(int i = 0; i < 10000 && !heard; i++)
		taskdelay(1);
	ck_assert(heard);
	closeboth();
}

/* Nobody has read or written by then. */
SIDES_TEST(tickets_come_before_the_end)
{
	tlssides("good");
	connected(0);
	closeboth();
	streams(0);
	shake("good.test");
	beside(closer, a);
	isend(b);
	ck_assert_int_eq(streamclose(b), 0);
	connected(0);
	Tlsinfo info;
	ck_assert_int_eq(tlsinfo(b, &info), 0);
	ck_assert_int_eq(info.resumed, 1);
	closeboth();
}

int
main(void)
{
	const TTest *const tests[] = {
		between_requests_there_is_no_task,
		requests_that_come_together_are_all_answered,
		who_says_nothing_for_idle_ms_is_told_the_end,
		a_connection_may_wait_as_soon_as_hands_are_shaken,
		tickets_come_with_the_first_answer,
		tickets_come_when_a_server_waits_that_says_nothing,
		tickets_come_before_the_end
	};

	makecerts();
	int r = test_main("tls in servers", tests,
		sizeof tests / sizeof tests[0]);
	dropcerts();
	return r;
}
