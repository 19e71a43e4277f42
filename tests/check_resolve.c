/* SPDX-License-Identifier: MIT */
/* Names that take their time, and hosts of several addresses. */
#include "resolver.h"
#include "watched.h"

/* One look-up in a task of its own. */
typedef struct Try
{
	const char *host;
	int result, err;
	uint32_t ip;
	int done;
} Try;

static void
try(void *v)
{
	Try *t = v;

	t->result = netlookup(t->host, &t->ip);
	t->err = errno;
	t->done = 1;
}

static void
trycancelled(void *v)
{
	taskcancel((int)taskid());
	try(v);
}

static int
trying(Try *t, const char *host)
{
	*t = (Try){.host = host};
	return taskcreate(try, t, 0);
}

static void
asking(int n)
{
	for(int i = 0; i < 5000 && nasking != n; i++)
		taskdelay(1);
	ck_assert_int_eq(nasking, n);
}

static void
finished(Try *t)
{
	while(!t->done)
		taskdelay(1);
	ck_assert_int_eq(t->result, 0);
	ck_assert_int_eq(t->ip, htonl(INADDR_LOOPBACK));
}

/* All is given back: whoever was left behind has come home. */
static void
allasked(void)
{
	gateopen = 1;
	asking(0);
	while(nfreed < nresolved)
		taskdelay(1);
}

TASK_TEST(S3_7_other_tasks_go_on_while_a_name_is_looked_up)
{
	Try t;

	resolves("127.0.0.1", 0);
	taskcreate(beat, NULL, 0);
	trying(&t, "slow");
	while(nbeats < 50)
		taskdelay(1);
	ck_assert_int_eq(t.done, 0);
	ck_assert_int_eq(nasking, 1);
	ck_assert(!pthread_equal(askedby, pthread_self()));
	gateopen = 1;
	finished(&t);
}

TASK_TEST(P38_a_deadline_leaves_a_look_up_behind)
{
	uint32_t ip = 7;
	Timeout t;
	int64_t start = nowns();

	resolves("127.0.0.1", 0);
	for(int i = 0; i < 4; i++){
		timeoutstart(&t, 20);
		if(i == 0)
			FAILS(netlookup("slow", &ip), ETIMEDOUT);
		else if(i == 1)
			FAILS(netdial(TCP, "slow", 9), ETIMEDOUT);
		else if(i == 2)
			FAILS(netannounce(TCP, "slow", 9), ETIMEDOUT);
		else
			FAILS(netresolve("slow", 9, resolved, 1), ETIMEDOUT);
		ck_assert_int_eq(timeoutfired(&t), 1);
		timeoutstop(&t);
	}
	ck_assert_int_lt(nowns() - start, 10000000000);
	ck_assert_int_eq(ip, 7);
	allasked();
	ck_assert_int_eq(ip, 7);
}

TASK_TEST(a_cancel_ends_a_look_up_and_no_cancelled_task_begins_one)
{
	Try t;

	int id = trying(&t, "slow");
	asking(1);
	taskcancel(id);
	settle();
	ck_assert_int_eq(t.result, -1);
	ck_assert_int_eq(t.err, ECANCELED);
	t = (Try){.host = "other"};
	taskcreate(trycancelled, &t, 0);
	settle();
	ck_assert_int_eq(t.err, ECANCELED);
	ck_assert_int_eq(nasked, 1);
	gateopen = 1;
	asking(0);
}

TASK_TEST(equal_look_ups_under_way_are_one)
{
	Try t[100], other;

	resolves("127.0.0.1", 0);
	for(int i = 0; i < 100; i++)
		trying(&t[i], "slow");
	trying(&other, "slower");
	asking(2);
	settle();
	ck_assert_int_eq(nasked, 2);
	int id = trying(&t[50], "slow");	/* one of them leaves */
	settle();
	taskcancel(id);
	settle();
	gateopen = 1;
	for(int i = 0; i < 100; i++)
		if(i != 50)
			finished(&t[i]);
	finished(&other);
	ck_assert_int_eq(nasked, 2);
	uint32_t ip;
	ck_assert_int_eq(netlookup("slow", &ip), 0);	/* asked anew */
	ck_assert_int_eq(nasked, 3);
}

TASK_TEST(four_names_at_a_time_and_what_nobody_wants_is_not_asked)
{
	static const char *const names[] = {"slow1", "slow2", "slow3", "slow4",
		"slow5", "slow6"};
	Try t[6];
	int id[6];

	resolves("127.0.0.1", 0);
	for(int i = 0; i < 6; i++)
		id[i] = trying(&t[i], names[i]);
	asking(4);
	taskdelay(5);
	ck_assert_int_eq(nasked, 4);
	taskcancel(id[4]);
	taskcancel(id[0]);
	settle();
	ck_assert_int_eq(t[4].err, ECANCELED);
	ck_assert_int_eq(t[0].err, ECANCELED);
	gateopen = 1;
	for(int i = 1; i < 6; i++)
		if(i != 4)
			finished(&t[i]);
	asking(0);
	ck_assert_int_eq(nasked, 5);
}

static int
getone(void *v)
{
	(void)v;
	return 1;
}

TASK_TEST(names_do_not_keep_functions_waiting)
{
	static const char *const names[] = {"slow1", "slow2", "slow3", "slow4",
		"slow5"};
	Try t[5];

	resolves("127.0.0.1", 0);
	for(int i = 0; i < 5; i++)
		trying(&t[i], names[i]);
	asking(4);
	ck_assert_int_eq(offload(getone, NULL), 1);
	ck_assert_int_eq(nasking, 4);
	gateopen = 1;
	for(int i = 0; i < 5; i++)
		finished(&t[i]);
}

TASK_TEST(numbers_and_localhost_ask_nobody)
{
	struct sockaddr_storage sa[4];
	int before = countthreads(), fds = openfds();
	uint32_t ip;

	ck_assert_int_eq(netlookup("127.0.0.1", &ip), 0);
	ck_assert_int_eq(netlookup("localhost", &ip), 0);
	ck_assert_int_eq(ip, htonl(INADDR_LOOPBACK));
	ck_assert_int_eq(netresolve("::1", 1, sa, 4), 1);
	ck_assert_int_eq(netresolve("localhost", 1, sa, 4), 2);
	int listener = netannounce(TCP, "localhost", 0);
	int fd = netdial(TCP, "localhost", portof(listener));
	ck_assert_int_ge(fd, 0);
	fdclose(fd);
	fdclose(listener);
	ck_assert_int_eq(nasked, 0);
	ck_assert_int_eq(countthreads(), before);
	ck_assert_int_eq(openfds(), fds);
}

TASK_TEST(what_is_wrong_with_a_name_is_told)
{
	struct sockaddr_storage sa[1];
	uint32_t ip;

	FAILS(netlookup("none", &ip), ENOENT);
	FAILS(netlookup("mute", &ip), EAGAIN);
	FAILS(netdial(TCP, "none", 1), ENOENT);
	FAILS(netresolve("none", 1, sa, 1), ENOENT);
	FAILS(netresolve(NULL, 1, sa, 1), EINVAL);
	FAILS(netresolve("none", 1, NULL, 1), EINVAL);
	FAILS(netresolve("none", 1, sa, 0), EINVAL);
	FAILS(netresolve("none", -1, sa, 1), EINVAL);
	resolves("::1", 0);
	FAILS(netlookup("name", &ip), ENOENT);
}

TASK_TEST(netresolve_gives_the_addresses_in_order_with_the_port)
{
	struct sockaddr_storage sa[20];
	struct sockaddr_in *v4 = (void *)&sa[0];
	struct sockaddr_in6 *v6 = (void *)&sa[1];

	resolves("127.0.0.2", 0);
	resolves("::1", 0);
	for(int i = 0; i < 18; i++)
		resolves("127.0.0.3", 0);
	errno = EDOM;
	ck_assert_int_eq(netresolve("name", 80, sa, 1), 1);
	ck_assert_int_eq(netresolve("name", 80, sa, 20), 16);
	ck_assert_int_eq(errno, EDOM);
	ck_assert_int_eq(v4->sin_family, AF_INET);
	ck_assert_int_eq(v4->sin_port, htons(80));
	ck_assert_int_eq(v4->sin_addr.s_addr, htonl(0x7f000002));
	ck_assert_int_eq(v6->sin6_family, AF_INET6);
	ck_assert_int_eq(v6->sin6_port, htons(80));
}

START_TEST(without_a_scheduler_the_thread_asks_itself)
{
	struct sockaddr_storage v[2];
	uint32_t ip;

	resolves("127.0.0.1", 0);
	ck_assert_int_eq(netlookup("name", &ip), 0);
	ck_assert_int_eq(netresolve("name", 1, v, 2), 1);
	ck_assert(pthread_equal(askedby, pthread_self()));
	FAILS(netdial(TCP, "name", 1), EPERM);
}
END_TEST

static Try left;

static void
systemtry(void *v)
{
	tasksystem();
	try(v);
}

static void
leavebehind(void *v)
{
	left.host = v;
	taskcreate(systemtry, &left, 0);
	asking(1);
}

START_TEST(neither_taskrun_nor_exit_waits_for_a_name)
{
	resolves("127.0.0.1", 0);
	ck_assert_int_eq(taskrun(leavebehind, "slow"), 0);
	ck_assert_int_eq(nasking, 1);
	ck_assert_int_eq(left.done, 0);
	gateopen = 1;
	while(nasking > 0)
		poll(NULL, 0, 1);
}
END_TEST

static void
waitforever(void *v)
{
	chanrecv(v, NULL);
}

static void
stall(void *v)
{
	uint32_t ip;
	Timeout t;

	taskcreate(waitforever, chancreate(1, 0), 0);
	timeoutstart(&t, 20);
	netlookup(v ? v : "slow", &ip);
	timeoutstop(&t);
	fputs("left\n", stderr);
	chanrecv(chancreate(1, 0), NULL);
}

START_TEST(a_name_that_was_left_behind_is_no_hope)
{
	char err[4096];

	ck_assert_int_eq(WEXITSTATUS(childtask(stall, err, sizeof err)), 1);
	ck_assert_msg(strncmp(err, "left\nno runnable tasks! 2", 24) == 0, "%s",
		err);
}
END_TEST

static void
forkwhile(void *v)
{
	Try t[2];
	int status;

	(void)v;
	resolves("127.0.0.1", 0);
	trying(&t[0], "slow");
	trying(&t[1], "slow");
	asking(1);
	pid_t pid = fork();
	if(pid == 0){
		nasked = nasking = 0;
		asking(1);
		settle();
		gateopen = 1;
		finished(&t[0]);
		finished(&t[1]);
		_exit(nasked == 1 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(t[0].done, 0);
	gateopen = 1;
	finished(&t[0]);
	finished(&t[1]);
}

START_TEST(the_child_of_a_fork_asks_anew)
{
	if(TestFewer > 1)
		TEST_SKIP("TSan lets no child of a fork make threads");
	if(emulated())
		TEST_SKIP("the emulator lets none either");
	if(valgrind())
		TEST_SKIP("it has what the parent asks, and does not free it");
	run(forkwhile);
}
END_TEST

/* Hosts of several addresses */

/* A listener whose backlog is full: who dials waits. */
static int
fulllistener(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof sa;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, n), 0);
	ck_assert_int_eq(listen(fd, 0), 0);
	getsockname(fd, (struct sockaddr *)&sa, &n);
	for(int i = 0; i < 8; i++){
		int to = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		struct pollfd p = {.fd = to, .events = POLLOUT};
		connect(to, (struct sockaddr *)&sa, n);
		if(poll(&p, 1, 20) == 0)
			return fd;
	}
	ck_abort_msg("it is never full");
}

static int
peerport(int fd)
{
	struct sockaddr_in sa;
	socklen_t n = sizeof sa;

	ck_assert_int_eq(getpeername(fd, (struct sockaddr *)&sa, &n), 0);
	return ntohs(sa.sin_port);
}

/* How long a dial took, in ms; the winner must be at that port. */
static int
dialtakes(int port)
{
	int before = openfds();
	int64_t start = nowns();

	errno = EDOM;
	int fd = netdial(TCP, "name", 1);
	ck_assert_msg(fd >= 0, "%s", strerror(errno));
	ck_assert_int_eq(errno, EDOM);
	int ms = (int)((nowns() - start) / 1000000);
	ck_assert_int_eq(peerport(fd), port);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	fdclose(fd);
	ck_assert_int_eq(openfds(), before);	/* losers are closed */
	return ms;
}

TASK_TEST(the_next_address_has_its_chance_after_250_ms)
{
	int full = fulllistener();
	int listener = netannounce(TCP, "127.0.0.1", 0);

	offload(getone, NULL);	/* the door is open, and counted */
	resolves("127.0.0.1", portof(full));
	resolves("127.0.0.1", portof(full));
	resolves("127.0.0.1", portof(listener));
	int ms = dialtakes(portof(listener));
	ck_assert_int_ge(ms, 500);
	ck_assert_int_lt(ms, 5000);
}

enum { Tries = 10 };

TASK_TEST(an_address_that_refuses_costs_no_time)
{
	int listener = netannounce(TCP, "127.0.0.1", 0);
	int closed = netannounce(TCP, "127.0.0.1", 0), port = portof(closed);
	int full = fulllistener();

	offload(getone, NULL);
	fdclose(closed);
	for(int i = 0; i < 9; i++)
		resolves("127.0.0.1", port);
	resolves("127.0.0.1", portof(listener));
	ck_assert_int_lt(dialtakes(portof(listener)), 2000);
	/* one that waits, and others that refuse; not each time is late */
	int ms = 450;
	for(int i = 0; i < Tries && ms >= 450; i++){
		resolvesanew();
		resolves("127.0.0.1", portof(full));
		resolves("127.0.0.1", port);
		resolves("127.0.0.1", portof(listener));
		ms = dialtakes(portof(listener));
		ck_assert_int_ge(ms, 250);
	}
	ck_assert_int_lt(ms, 450);
}

TASK_TEST(families_take_turns)
{
	int full = fulllistener();
	int listener = netannounce(TCP, "127.0.0.1", 0);

	offload(getone, NULL);
	int64_t ms = 500;
	for(int n = 0; n < Tries && ms >= 500; n++){
		resolvesanew();
		for(int i = 0; i < 8; i++)
			resolves("127.0.0.1", portof(full));
		resolves("::ffff:127.0.0.1", portof(listener));
		int before = openfds();
		int64_t start = nowns();
		int fd = netdial(TCP, "name", 1);
		if(fd < 0)
			TEST_SKIP("no IPv6");
		ms = (nowns() - start) / 1000000;
		fdclose(fd);
		ck_assert_int_eq(openfds(), before);
	}
	ck_assert_int_lt(ms, 500);
}

TASK_TEST(a_race_ends_with_its_deadline_and_closes_all)
{
	int full = fulllistener(), before;
	Timeout t;

	offload(getone, NULL);
	for(int i = 0; i < 12; i++)
		resolves("127.0.0.1", portof(full));
	before = openfds();
	timeoutstart(&t, 600);
	FAILS(netdial(TCP, "name", 1), ETIMEDOUT);
	ck_assert_int_eq(timeoutfired(&t), 1);
	timeoutstop(&t);
	ck_assert_int_eq(openfds(), before);
}

TASK_TEST(a_datagram_socket_of_several_addresses_may_broadcast)
{
	int on = 0;
	socklen_t n = sizeof on;

	resolves("127.0.0.1", 9);
	resolves("127.0.0.2", 9);
	int fd = netdial(UDP, "name", 1);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, &n), 0);
	ck_assert_int_eq(on, 1);
}

TEST_MAIN("resolve",
	S3_7_other_tasks_go_on_while_a_name_is_looked_up,
	P38_a_deadline_leaves_a_look_up_behind,
	a_cancel_ends_a_look_up_and_no_cancelled_task_begins_one,
	equal_look_ups_under_way_are_one,
	four_names_at_a_time_and_what_nobody_wants_is_not_asked,
	names_do_not_keep_functions_waiting,
	numbers_and_localhost_ask_nobody,
	what_is_wrong_with_a_name_is_told,
	netresolve_gives_the_addresses_in_order_with_the_port,
	without_a_scheduler_the_thread_asks_itself,
	neither_taskrun_nor_exit_waits_for_a_name,
	a_name_that_was_left_behind_is_no_hope,
	the_child_of_a_fork_asks_anew,
	the_next_address_has_its_chance_after_250_ms,
	an_address_that_refuses_costs_no_time,
	families_take_turns,
	a_race_ends_with_its_deadline_and_closes_all,
	a_datagram_socket_of_several_addresses_may_broadcast)
