/* SPDX-License-Identifier: MIT */
/* A scheduler in the loops of libuv and GLib, where these are installed. */
#include "proctest.h"
#include <sys/socket.h>
#ifdef WITH_UV
#include <uv.h>
#endif
#ifdef WITH_GLIB
#include <glib-unix.h>
#endif

enum { Ticks = 5, Pairs = 20, Rounds = 10 };

__attribute__((unused)) static int nsteps, nticks, status;

static inline void
echoing(void *v)
{
	int fd = (int)(intptr_t)v;
	char c;

	while(fdread(fd, &c, 1) == 1)
		fdwrite(fd, &c, 1);
	fdclose(fd);
}

static inline void
asking(void *v)
{
	int fd = (int)(intptr_t)v;
	char c = 'q';

	for(int i = 0; i < Rounds; i++){
		ck_assert_int_eq(fdwrite(fd, &c, 1), 1);
		ck_assert_int_eq(fdread(fd, &c, 1), 1);
		taskdelay(1);
	}
	fdclose(fd);
	note('.');
}

static inline int
sleepy(void *v)
{
	usleep(5000);
	return (int)(intptr_t)v;
}

__attribute__((unused)) static int keeper;

static inline void
keeping(void *v)
{
	(void)v;
	while(!taskcancelled())
		taskdelay(60000);
}

/* Descriptors, delays, a thread of the pool and another proc, all in one. */
static inline void
everything(void *v)
{
	int fds[2], n = 41;

	(void)v;
	for(int i = 0; i < Pairs; i++){
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
		fdnoblock(fds[0]);
		fdnoblock(fds[1]);
		taskcreate(asking, (void *)(intptr_t)fds[0], 0);
		taskcreate(echoing, (void *)(intptr_t)fds[1], 0);
	}
	ck_assert_int_eq(offload(sleepy, (void *)7), 7);
	keeper = proccreate(keeping, NULL, 0);
	ck_assert_int_eq(proccall(keeper, plusone, &n), 42);
	while(strlen(trace) < Pairs || nticks < Ticks)
		taskdelay(5);
	ck_assert_int_eq(taskshutdown(), 0);
	taskexit(3);
}

static inline void
allwasdone(void)
{
	ck_assert_int_eq(status, 3);
	ck_assert_int_eq(nticks, Ticks);
	ck_assert_uint_eq(strlen(trace), Pairs);
	ck_assert_int_gt(nsteps, Rounds);
}

#ifdef WITH_UV
static void
uvstep(uv_poll_t *poll, int err, int events)
{
	ck_assert_int_eq(err, 0);
	ck_assert_int_eq(events, UV_READABLE);
	nsteps++;
	if(procstep(0) > 0)
		return;
	uv_close((uv_handle_t *)poll, NULL);
	status = procclose();
}

static void
uvtick(uv_timer_t *timer)
{
	if(++nticks == Ticks)
		uv_close((uv_handle_t *)timer, NULL);
}

START_TEST(it_runs_in_a_loop_of_libuv)
{
	uv_loop_t loop;
	uv_poll_t poll;
	uv_timer_t timer;

	ck_assert_int_eq(uv_loop_init(&loop), 0);
	ck_assert_int_gt(procopen(everything, NULL), 0);
	ck_assert_int_eq(uv_poll_init(&loop, &poll, procfd()), 0);
	ck_assert_int_eq(uv_poll_start(&poll, UV_READABLE, uvstep), 0);
	ck_assert_int_eq(uv_timer_init(&loop, &timer), 0);
	ck_assert_int_eq(uv_timer_start(&timer, uvtick, 10, 10), 0);
	ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	allwasdone();
}
END_TEST
#else
START_TEST(it_runs_in_a_loop_of_libuv)
{
	TEST_SKIP("pkg-config knows no libuv");
}
END_TEST
#endif

#ifdef WITH_GLIB
static gboolean
gstep(gint fd, GIOCondition events, gpointer loop)
{
	(void)fd;
	ck_assert_int_eq(events, G_IO_IN);
	nsteps++;
	if(procstep(0) > 0)
		return G_SOURCE_CONTINUE;
	status = procclose();
	g_main_loop_quit(loop);
	return G_SOURCE_REMOVE;
}

static gboolean
gtick(gpointer v)
{
	(void)v;
	return ++nticks < Ticks ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

START_TEST(it_runs_in_a_loop_of_GLib)
{
	GMainLoop *loop = g_main_loop_new(NULL, FALSE);

	ck_assert_int_gt(procopen(everything, NULL), 0);
	g_unix_fd_add(procfd(), G_IO_IN, gstep, loop);
	g_timeout_add(10, gtick, NULL);
	g_main_loop_run(loop);
	g_main_loop_unref(loop);
	allwasdone();
}
END_TEST
#else
START_TEST(it_runs_in_a_loop_of_GLib)
{
	TEST_SKIP("pkg-config knows no GLib");
}
END_TEST
#endif

TEST_MAIN("embed in", it_runs_in_a_loop_of_libuv, it_runs_in_a_loop_of_GLib)
