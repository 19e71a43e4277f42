/* SPDX-License-Identifier: MIT */
/* Connections that become ready together: they line up for tasks. */
#include "fdtest.h"
#include "../net/server.h"

enum { Many = 24, Large = 300 * 1024 };	/* a class of stacks of our own */

static Server server;
static int fds[Many], order[2 * Many], ncalls, ninside, hold;
static unsigned int most;	/* tasks at a time, in fn */
static Rendez held;

static unsigned int
ntasks(void)
{
	Taskstats s;

	ck_assert_int_eq(taskstats(&s, sizeof s), 0);
	return s.tasks;
}

/* Answers each byte with the same; some wait before that. */
static int
answers(Server *s, Stream *c, void *v)
{
	void *none;
	char byte;

	(void)s, (void)v;
	if(streampeek(c, 0, &none) == 0)
		return 1;
	if(streamread(c, &byte, 1) != 1)
		return 0;
	order[ncalls++] = byte;
	most = ntasks() > most ? ntasks() : most;
	if(hold && byte % hold == 0){
		ninside++;
		tasksleep(&held);
	}
	return streamwrite(c, &byte, 1) == 1;
}

static void
begin(size_t stack)
{
	server = (Server){.fn = answers, .stack = stack};
	ncalls = ninside = hold = 0;
	most = 0;
	ck_assert_int_eq(serverstart(&server, "127.0.0.1", 0), 0);
	for(int i = 0; i < Many; i++){
		fds[i] = netdial(TCP, "127.0.0.1", serverport(&server));
		ck_assert_int_ge(fds[i], 0);
	}
	while(serverlive(&server) < Many || ntasks() > 3)
		taskdelay(1);
}

/* No other task runs meanwhile. */
static void
askall(void)
{
	for(int i = 0; i < Many; i++)
		ck_assert_int_eq(write(fds[i], &(char){(char)(i + 1)}, 1), 1);
}

static void
hearall(void)
{
	for(int i = 0; i < Many; i++){
		char byte;
		ck_assert_int_eq(fdread(fds[i], &byte, 1), 1);
		ck_assert_int_eq(byte, i + 1);
	}
}

static void
finish(void)
{
	for(int i = 0; i < Many; i++)
		fdclose(fds[i]);
	ck_assert_int_eq(serverstop(&server), 0);
}

TASK_TEST(each_is_served_once_and_few_have_tasks)
{
	begin(0);
	askall();
	hearall();
	ck_assert_int_eq(ncalls, Many);
	for(int seen = 0, i = 0; i < Many; i++, seen = 0){
		for(int j = 0; j < Many; j++)
			seen += order[j] == i + 1;
		ck_assert_int_eq(seen, 1);
	}
	/* this, the acceptor, the keeper, the one in fn, the next */
	if(strcmp(taskpoller(), "uring") != 0)	/* each waits for its recv */
		ck_assert_uint_le(most, 5);
	finish();
}

TASK_TEST(who_waits_in_fn_keeps_nobody_behind_him_waiting)
{
	begin(0);
	hold = 3;
	askall();
	while(ncalls < Many)
		taskdelay(1);
	ck_assert_int_eq(ninside, Many / 3);
	taskwakeupall(&held);
	hearall();
	finish();
}

/* A hook that waits, at the first connection's task, for all others' calls. */
static int waits, inherited, key;

static void *
copies(void *v)
{
	return v;
}

static void
before(void *arg)
{
	(void)arg;
	inherited += tasklocal(key) != NULL;
	tasksetlocal(key, &key);
	if(waits++ == 0)
		tasksleep(&held);
}

static void
wakesheld(void *v)
{
	(void)v;
	while(ncalls < Many - 1)
		taskdelay(1);
	taskwakeupall(&held);
}

TASK_TEST(a_hook_that_waits_keeps_nobody_behind_it_waiting)
{
	begin(0);
	waits = inherited = 0;
	key = taskkeyinherit(copies, NULL);
	taskcreate(wakesheld, NULL, 0);
	ck_assert_int_eq(taskwrap(before, NULL, NULL), 0);
	askall();
	hearall();
	ck_assert_int_eq(ncalls, Many);
	ck_assert_int_eq(inherited, 0);	/* nobody is another's child */
	finish();
}

/* Who has joined the line before there are hooks is no child either. */
static void
wrapslate(void *v)
{
	(void)v;
	ck_assert_int_eq(taskwrap(before, NULL, NULL), 0);
}

TASK_TEST(a_hook_that_comes_while_a_line_stands_keeps_nobody_waiting)
{
	begin(0);
	waits = inherited = 0;
	key = taskkeyinherit(copies, NULL);
	taskcreate(wakesheld, NULL, 0);
	taskcreate(wrapslate, NULL, 0);
	askall();
	hearall();
	ck_assert_int_eq(ncalls, Many);
	ck_assert_int_eq(inherited, 0);
	finish();
}

/* Yields all the time, and notes between which calls. */
static int between[2 * Many], nbetween;

static void
yields(void *v)
{
	(void)v;
	for(nbetween = 0; ncalls < Many && nbetween < 2 * Many; taskyield())
		if(nbetween == 0 || between[nbetween - 1] != ncalls)
			between[nbetween++] = ncalls;
}

TASK_TEST(who_is_ready_has_one_turn_while_a_line_is_served)
{
	begin(0);
	int id = taskcreate(yields, NULL, 0);
	askall();
	taskwait(id, NULL);
	hearall();
	/* as many as wakes of the fdtask that found some, not one for each */
	ck_assert_int_lt(nbetween, Many / 2);
	finish();
}

static int wake[2];

static void
asksbehind(void *v)
{
	(void)v;
	ck_assert_int_eq(write(wake[1], "", 1), 1);
	askall();
}

/* Cancelled before its first task has begun. */
TASK_TEST(a_line_that_is_cancelled_is_closed)
{
	char byte;

	begin(0);	/* with so many the poller may become another */
	finish();
	int before = openfds();
	begin(0);
	pair(wake);
	taskcreate(asksbehind, NULL, 0);
	ck_assert_int_eq(fdread(wake[0], &byte, 1), 1);
	ck_assert_int_eq(taskshutdown(), 0);
	ck_assert_int_eq(serverlive(&server), 0);
	for(int i = 0; i < Many; i++){
		ssize_t n = fdread(fds[i], &byte, 1);
		ck_assert(n == (ncalls > 0) || n == 0 || errno == ECONNRESET);
		fdclose(fds[i]);
	}
	ck_assert_int_eq(serverstop(&server), 0);
	close(wake[0]);
	close(wake[1]);
	ck_assert_int_eq(openfds(), before);
}

static void *(*map)(size_t);

static void *
mapsno(size_t n)
{
	(void)n;
	errno = ENOMEM;
	return NULL;
}

/* The first slab has fewer stacks than there are connections. */
TASK_TEST(without_stacks_the_rest_of_the_line_waits_for_some)
{
	begin(Large);
	map = task_sys.map;
	task_sys.map = mapsno;
	hold = 1;
	askall();
	while(ninside == 0 || ncalls > ninside)
		taskdelay(1);
	taskdelay(2);
	int inside = ninside;
	ck_assert_int_lt(inside, Many);
	hold = 0;
	taskwakeupall(&held);
	hearall();
	ck_assert_int_eq(ncalls, Many);
	task_sys.map = map;
	finish();
}

TEST_MAIN("line of connections",
	each_is_served_once_and_few_have_tasks,
	who_waits_in_fn_keeps_nobody_behind_him_waiting,
	a_hook_that_waits_keeps_nobody_behind_it_waiting,
	a_hook_that_comes_while_a_line_stands_keeps_nobody_waiting,
	who_is_ready_has_one_turn_while_a_line_is_served,
	a_line_that_is_cancelled_is_closed,
	without_stacks_the_rest_of_the_line_waits_for_some)
