/* SPDX-License-Identifier: MIT */
/*
 * needstack said that there was enough, and the next call of the library
 * overflowed the stack.
 * Cause: it kept 512 bytes for that.  taskcreate takes 600 when it maps more
 * stacks, and with libc's contexts each switch takes 1100.
 * Fix: it keeps 2048, and task(3) says which calls that is enough for.
 */
#include "../../taskimpl.h"
#include "../test.h"
#include "../watched.h"
#include <sys/socket.h>

typedef void Call(void);

enum { LeftMost = 8192 };

static char err[65536];
static int left;
static Call *call;
static int fds[2];
static Channel *c;

static void
passed(void)
{
	ck_assert_int_eq(write(2, "passed", 6), 6);
}

/* Nothing of what it takes off is touched. */
UNWATCHED __attribute__((noinline)) static void
with(Call *fn)
{
	char *here = __builtin_frame_address(0);
	volatile char *taken = __builtin_alloca((size_t)(here -
		task_proc->running->stack->low - left));

	__asm__ volatile("" : : "r"(taken) : "memory");
	needstack(0);
	passed();
	fn();
}

static void
feed(void *v)
{
	taskdelay(1);
	fdwrite(fds[1], "four", 4);
	for(int i = 0; i < 3; i++)
		chansend(c, v);
}

static void
little(void *v)
{
	(void)v;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	fdnoblock(fds[0]);
	fdnoblock(fds[1]);
	c = chancreate(sizeof(void *), 0);
	taskcreate(feed, &c, 0);
	with(call);
	taskexitall(0);
}

static void
createmany(void)
{
	for(int i = 0; i < 2000; i++)
		ck_assert_int_ge(taskcreate(nothing, NULL, 0), 0);
}

static int
noguard(struct iovec *v, int n)
{
	(void)v, (void)n;
	return -1;
}

static void
createmapped(void)
{
	task_sys.guard = noguard;
	createmany();
}

static void
createlarge(void)
{
	for(unsigned int n = 1; n < 1 << 24; n *= 2)
		ck_assert_int_ge(taskcreate(nothing, NULL, n), 0);
}

static void *
costep(void *v)
{
	return v;
}

static void
spawn(void)
{
	taskwait(taskspawn(costep, NULL, 0), NULL);
}

static void
group(void)
{
	Group g = {0};

	groupspawn(&g, nothing, NULL, 0);
	groupwait(&g);
}

static void
yield(void)
{
	for(int i = 0; i < 200; i++)
		taskyield();
}

static void
delay(void)
{
	taskdelay(1);
}

static void
reads(void)
{
	char buf[4];

	fdread(fds[0], buf, 1);
	fdreadn(fds[0], buf, 3);
}

static void
writes(void)
{
	fdwrite(fds[0], "x", 1);
	fdwait(fds[0], 'r');
}

static void
alts(void)
{
	void *v;
	Alt a[] = {{.c = c, .v = &v, .op = CHANRCV},
		{.fd = fds[0], .op = ALTREAD}, {.ms = 1, .op = ALTDELAY},
		{.op = CHANEND}};

	chanalt(a);
	chanalt(a);
	chanrecvp(c);
}

static void
scopes(void)
{
	Timeout t;

	TIMEOUT(&t, 1)
		fdwait(fds[0], 'r');
	taskcancel((int)taskid());
	taskdelay(1);
}

static void
timers(void)
{
	timerstop(timerstart(1, 0, nothing, NULL));
}

static void
coroutine(void)
{
	coswitch(cocreate(costep, NULL, 0), NULL);
}

/* With the least that needstack lets pass, and some more, it succeeds. */
static void
enough(Call *fn, const char *name)
{
	int good = 0;

	call = fn;
	for(left = 256; left < LeftMost && good < 8; left += 48){
		int status = childtask(little, err, sizeof err);
		good += status == 0;
		/* else needstack has ended it, if only by its line */
		ck_assert_msg(status == 0 || !strstr(err, "passed"), "%s "
			"with %d bytes, status %#x: %s", name, left,
			(unsigned)status, err);
		ck_assert_msg(status == 0 || strstr(err, "task 1: "), "%s",
			err);
	}
	ck_assert_msg(good == 8, "%s never passes", name);
}

START_TEST(who_is_let_pass_by_needstack_has_enough_for_a_call)
{
	static const struct { Call *fn; const char *name; } calls[] = {
		{createmany, "taskcreate"},
		{createmapped, "taskcreate, mprotect"},
		{createlarge, "taskcreate, all sizes"},
		{spawn, "taskspawn"}, {group, "groupspawn"},
		{yield, "taskyield"}, {delay, "taskdelay"},
		{reads, "fdread"}, {writes, "fdwrite"}, {alts, "chanalt"},
		{scopes, "TIMEOUT"}, {timers, "timerstart"},
		{coroutine, "coswitch"}};

	if(watched())
		TEST_SKIP("frames are theirs");
	for(size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
		enough(calls[i].fn, calls[i].name);
}
END_TEST

TEST_MAIN("calls-overflow-after-needstack",
	who_is_let_pass_by_needstack_has_enough_for_a_call)
