/* SPDX-License-Identifier: MIT */
/* A server and its clients, with each system call failing in its turn. */
#define TEST_POLLER "poll"
#include "fault.h"
#include "fdtest.h"

enum { Clients = 2, Bytes = 300000 };

static int listener, nanswered;

static void
closelistener(void)
{
	int fd = listener;

	listener = -1;
	if(fd >= 0)
		fdclose(fd);
}

/* takes all that a client has to say, and says as much. */
static void
answer(void *v)
{
	static char buf[Bytes];
	int fd = (int)(intptr_t)v;
	ssize_t n = fdreadn(fd, buf, Bytes);

	if(n > 0)
		fdwrite(fd, buf, (size_t)n);
	fdclose(fd);
}

static void
serve(void *v)
{
	int fd;
	char server[16];

	(void)v;
	while((fd = netaccept(listener, server, NULL)) >= 0)
		if(taskcreate(answer, (void *)(intptr_t)fd, 0) < 0)
			fdclose(fd);
	closelistener();
}

static int nclients, port;

static void
client(void *v)
{
	static char buf[Bytes];
	int fd = netdial(TCP, "127.0.0.1", port);

	(void)v;
	if(fd >= 0){
		if(fdwrite(fd, buf, Bytes) == Bytes &&
				fdreadn(fd, buf, Bytes) == Bytes)
			nanswered++;
		fdclose(fd);
	}
	if(--nclients == 0)
		closelistener();
}

/*
 * Whatever fails, all descriptors are closed in the end: a listener that nobody
 * serves any more, or that nobody dials any more, too.
 */
static void
scenario(void *v)
{
	(void)v;
	nanswered = 0;
	nclients = Clients;
	taskdelay(1);
	listener = netannounce(TCP, "127.0.0.1", 0);
	if(listener < 0)
		return;
	port = portof(listener);
	if(taskcreate(serve, NULL, 0) < 0){
		closelistener();
		return;
	}
	for(int i = 0; i < Clients; i++)
		if(taskcreate(client, NULL, 0) < 0 && --nclients == 0)
			closelistener();
}

static void
succeeds(void)
{
	faultarm(0, 0, 0);
	ck_assert_int_eq(taskrun(scenario, NULL), 0);
	ck_assert_int_eq(nanswered, Clients);
}

/* with times calls from the n-th on failing; returns if there were so many. */
static int
survives(long n, long times, int kind, int fds)
{
	faultarm(n, times, kind);
	errno = 0;
	int r = taskrun(scenario, NULL);
	int err = errno;
	ck_assert_msg(r == 0 || err != 0, "call %ld (%s)", n, fault.failed);
	long nfailed = fault.nfailed;
	faultarm(0, 0, 0);
	ck_assert_msg(fault.nlive == 0 && fault.mapped_bytes == 0 &&
		openfds() == fds,
		"call %ld (%s): %ld allocations, %ld bytes mapped, "
		"%d descriptors left",
		n, fault.failed, fault.nlive, fault.mapped_bytes,
		openfds() - fds);
	return nfailed > 0;
}

static void
loop(long times, int kind)
{
	int fds = openfds();

	succeeds();
	fault.nlive = fault.mapped_bytes = 0;	/* what is made once stays */
	succeeds();
	for(long n = 1; survives(n, times, kind, fds); n++)
		if(n % 16 == 0)
			succeeds();
	succeeds();
}

START_TEST(each_call_may_fail_once)
{
	faultstart();
	for(int kind = 0; kind < FaultKinds; kind++)
		loop(1, kind);
}
END_TEST

START_TEST(each_call_may_be_the_first_of_several_to_fail)
{
	faultstart();
	for(int kind = 0; kind < FaultKinds; kind++)
		loop(4, kind);
}
END_TEST

TEST_MAIN("fault",
	each_call_may_fail_once,
	each_call_may_be_the_first_of_several_to_fail)
