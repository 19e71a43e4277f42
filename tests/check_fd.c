/* SPDX-License-Identifier: MIT */
/* fdwait and fdclose, and the fdtask behind them, as their users see them. */
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "fdtest.h"
#include "watched.h"

TASK_TEST(fdwait_ends_when_a_pipe_can_be_read)
{
	int fds[2];
	Wait w;

	nonblockpipe(fds);
	startwait(&w, fds[0], 'r');
	settle();
	ck_assert_int_eq(w.nwoken, 0);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	settle();
	woken(&w, 0);
}

TASK_TEST(fdwait_ends_when_the_descriptor_was_ready_before)
{
	int fds[2];

	nonblockpipe(fds);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	for(int i = 0; i < 3; i++){
		ck_assert_int_eq(fdwait(fds[0], 'r'), 0);
		ck_assert_int_eq(fdwait(fds[1], 'w'), 0);
	}
}

TASK_TEST(fdwait_ends_when_a_full_pipe_can_be_written_again)
{
	int fds[2];
	Wait w;

	nonblockpipe(fds);
	fill(fds[1]);
	startwait(&w, fds[1], 'w');
	settle();
	ck_assert_int_eq(w.nwoken, 0);
	drain(fds[0]);
	settle();
	woken(&w, 0);
}

TASK_TEST(fdwait_leaves_errno_alone)
{
	int fds[2];

	nonblockpipe(fds);
	errno = EDOM;
	ck_assert_int_eq(fdwait(fds[1], 'w'), 0);
	ck_assert_int_eq(errno, EDOM);
	ck_assert_int_eq(fdnoblock(fds[0]), 0);
	ck_assert_int_eq(fdclose(fds[0]), 0);
	ck_assert_int_eq(errno, EDOM);
}

TASK_TEST(any_other_letter_waits_for_the_exceptional_only)
{
	int one = 1;
	int listener = netannounce(TCP, "127.0.0.1", 0);
	int to = netdial(TCP, "127.0.0.1", portof(listener));
	int from = netaccept(listener, NULL, NULL);
	Wait any, zero;

	ck_assert_int_ge(from, 0);
	setsockopt(from, SOL_SOCKET, SO_OOBINLINE, &one, sizeof one);
	startwait(&any, from, 'x');
	startwait(&zero, from, 0);
	ck_assert_int_eq(write(to, "plain", 5), 5);
	ck_assert_int_eq(fdwait(from, 'r'), 0);
	settle();
	ck_assert_int_eq(any.nwoken + zero.nwoken, 0);
	ck_assert_int_eq(send(to, "!", 1, MSG_OOB), 1);
	while(zero.nwoken == 0)
		taskdelay(1);
	woken(&any, 0);
	woken(&zero, 0);
}

TASK_TEST(fdclose_wakes_every_waiter_once_with_EBADF)
{
	int fds[2];
	Wait w[6];

	pair(fds);
	fill(fds[0]);
	for(int i = 0; i < 6; i++)
		startwait(&w[i], fds[0], "rwerwe"[i]);
	settle();
	ck_assert_int_eq(nplaces, 0);
	ck_assert_int_eq(fdclose(fds[0]), 0);
	settle();
	for(int i = 0; i < 6; i++)
		woken(&w[i], EBADF);
	FAILS(fdclose(fds[0]), EBADF);
}

static int gone;

static void
readgone(void *v)
{
	char c;

	FAILS(fdread(*(int *)v, &c, 1), EBADF);
	gone++;
}

static void
writegone(void *v)
{
	char c = 0;

	FAILS(fdwrite(*(int *)v, &c, 1), EBADF);
	gone++;
}

TASK_TEST(fdclose_ends_fdread_and_fdwrite_with_EBADF)
{
	int fds[2];

	pair(fds);
	fill(fds[0]);
	taskcreate(readgone, &fds[0], 0);
	taskcreate(writegone, &fds[0], 0);
	settle();
	ck_assert_int_eq(gone, 0);
	fdclose(fds[0]);
	settle();
	ck_assert_int_eq(gone, 2);
}

TASK_TEST(a_new_file_of_the_same_number_starts_with_no_events)
{
	int fds[2], other[2];
	Wait old, new;

	nonblockpipe(fds);
	nonblockpipe(other);
	startwait(&old, fds[0], 'r');
	settle();
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	fdclose(fds[0]);
	ck_assert_int_eq(dup2(other[0], fds[0]), fds[0]);
	startwait(&new, fds[0], 'r');
	settle();
	woken(&old, EBADF);
	ck_assert_int_eq(new.nwoken, 0);
	ck_assert_int_eq(write(other[1], "y", 1), 1);
	settle();
	woken(&new, 0);
}

/*
 * Another task may close with close(2).  The kernel says so when it is asked
 * the next time.
 */
TASK_TEST(a_descriptor_closed_behind_our_back_is_EBADF)
{
	int fds[2];
	Wait r, w;

	if(strcmp(taskpoller(), "poll") != 0)
		TEST_SKIP("only poll says so");
	pair(fds);
	fill(fds[0]);
	startwait(&r, fds[0], 'r');
	startwait(&w, fds[0], 'w');
	settle();
	close(fds[0]);
	settle();
	woken(&r, EBADF);
	woken(&w, EBADF);
	FAILS(fdwait(fds[0], 'r'), EBADF);
}

TASK_TEST(waiters_of_one_descriptor_are_served_in_order_each_once)
{
	enum { Waiters = 5 };
	int fds[2];
	Wait w[Waiters];

	nonblockpipe(fds);
	for(int i = 0; i < Waiters; i++)
		startwait(&w[i], fds[0], 'r');
	settle();
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	settle();
	for(int i = 0; i < Waiters; i++){
		woken(&w[i], 0);
		ck_assert_int_eq(w[i].place, i + 1);
	}
}

static int readers;

static void
readone(void *v)
{
	int fd = *(int *)v;
	int me = readers++;
	char c;

	for(int round = 0; round < 3; round++){
		ck_assert_int_eq(fdread(fd, &c, 1), 1);
		ck_assert_int_eq(c, 'a' + me);
	}
}

TASK_TEST(each_of_several_readers_gets_its_share_in_turn)
{
	int fds[2];

	nonblockpipe(fds);
	for(int i = 0; i < 5; i++)
		taskcreate(readone, &fds[0], 0);
	settle();
	for(int round = 0; round < 3; round++)
		for(const char *c = "abcde"; *c; c++){
			ck_assert_int_eq(write(fds[1], c, 1), 1);
			settle();
		}
}

TASK_TEST(a_reader_and_a_writer_wait_on_one_descriptor)
{
	int fds[2];
	Wait r, w;

	pair(fds);
	fill(fds[0]);
	startwait(&r, fds[0], 'r');
	startwait(&w, fds[0], 'w');
	settle();
	ck_assert_int_eq(nplaces, 0);
	drain(fds[1]);
	settle();
	woken(&w, 0);
	ck_assert_int_eq(r.nwoken, 0);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	settle();
	woken(&r, 0);
}

TASK_TEST(a_hangup_wakes_all_who_wait)
{
	int fds[2];
	Wait w[6];

	pair(fds);
	fill(fds[0]);
	for(int i = 0; i < 6; i++)
		startwait(&w[i], fds[0], "rwerwe"[i]);
	settle();
	ck_assert_int_eq(nplaces, 0);
	close(fds[1]);
	settle();
	for(int i = 0; i < 6; i++)
		woken(&w[i], 0);
}

TASK_TEST(an_error_alone_wakes_all_who_wait)
{
	int fds[2];
	Wait w[3];

	nonblockpipe(fds);
	fill(fds[1]);
	for(int i = 0; i < 3; i++)
		startwait(&w[i], fds[1], "rwe"[i]);
	settle();
	ck_assert_int_eq(nplaces, 0);
	close(fds[0]);
	settle();
	for(int i = 0; i < 3; i++)
		woken(&w[i], 0);
}

static void
alwaysready(int fd)
{
	ck_assert_int_ge(fd, 0);
	for(int i = 0; i < 3; i++){
		ck_assert_int_eq(fdwait(fd, 'r'), 0);
		ck_assert_int_eq(fdwait(fd, 'w'), 0);
	}
	ck_assert_int_eq(fdclose(fd), 0);
}

TASK_TEST(files_are_always_ready)
{
	FILE *f = tmpfile();

	alwaysready(dup(fileno(f)));
	alwaysready(open("/dev/null", O_RDWR));
	alwaysready(open("/", O_RDONLY | O_DIRECTORY));
	fclose(f);
}

TASK_TEST(a_path_descriptor_is_EBADF)
{
	int fd = open("/", O_PATH);

	ck_assert_int_ge(fd, 0);
	FAILS(fdwait(fd, 'r'), EBADF);
	FAILS(fdwait(fd, 'w'), EBADF);
}

TASK_TEST(an_epoll_descriptor_is_ready_when_it_has_events)
{
	int fds[2];
	int epoll = epoll_create1(0);
	Wait w;

	nonblockpipe(fds);
	ck_assert_int_eq(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0],
		&(struct epoll_event){.events = EPOLLIN}), 0);
	startwait(&w, epoll, 'r');
	settle();
	ck_assert_int_eq(w.nwoken, 0);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	settle();
	woken(&w, 0);
}

TASK_TEST(a_terminal_is_waited_for)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	if(master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		TEST_SKIP("no pseudo terminals");
	int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	ck_assert_int_ge(slave, 0);
	Wait w;
	startwait(&w, slave, 'r');
	settle();
	ck_assert_int_eq(w.nwoken, 0);
	ck_assert_int_eq(fdwait(slave, 'w'), 0);
	ck_assert_int_eq(write(master, "line\n", 5), 5);
	while(w.nwoken == 0)
		taskdelay(1);
	woken(&w, 0);
	char line[16];
	ck_assert_int_eq(fdread(slave, line, sizeof line), 5);
}

TASK_TEST(numbers_that_are_no_descriptors_are_EBADF)
{
	int fds[2];
	char c = 0;

	nonblockpipe(fds);
	close(fds[1]);
	int bad[] = {-1, INT_MIN, INT_MAX, INT_MAX - 1, 1 << 20, fds[1]};
	for(size_t i = 0; i < sizeof bad / sizeof bad[0]; i++){
		FAILS(fdwait(bad[i], 'r'), EBADF);
		FAILS(fdwait(bad[i], 'w'), EBADF);
		FAILS(fdwait(bad[i], 0), EBADF);
		FAILS(fdread(bad[i], &c, 1), EBADF);
		FAILS(fdread1(bad[i], &c, 1), EBADF);
		FAILS(fdreadn(bad[i], &c, 1), EBADF);
		FAILS(fdwrite(bad[i], &c, 1), EBADF);
		FAILS(fdnoblock(bad[i]), EBADF);
		FAILS(fdclose(bad[i]), EBADF);
		FAILS(netaccept(bad[i], NULL, NULL), EBADF);
	}
}

START_TEST(outside_a_task_the_calls_fail_with_EPERM)
{
	char c = 0;

	FAILS(fdwait(0, 'r'), EPERM);
	FAILS(fdread(0, &c, 1), EPERM);
	FAILS(fdread1(0, &c, 1), EPERM);
	FAILS(fdreadn(0, &c, 1), EPERM);
	FAILS(fdwrite(1, &c, 1), EPERM);
	FAILS(fdclose(0), EPERM);
	FAILS(netaccept(0, NULL, NULL), EPERM);
	FAILS(netdial(TCP, "127.0.0.1", 1), EPERM);
	FAILS(netannounce(TCP, NULL, 0), EPERM);
	fdtask(NULL);
}
END_TEST

static int ended;

static void
spin(void *v)
{
	(void)v;
	while(!ended)
		taskyield();
}

/* It would go on for ever if tasks that spin kept the poller from its turn. */
TASK_TEST(tasks_that_always_yield_do_not_stop_descriptors_and_delays)
{
	int fds[2];
	Wait w;

	nonblockpipe(fds);
	taskcreate(spin, NULL, 0);
	taskcreate(spin, NULL, 0);
	startwait(&w, fds[0], 'r');
	for(int i = 0; i < 5; i++)
		taskdelay(1);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	while(w.nwoken == 0)
		taskyield();
	woken(&w, 0);
	ended = 1;
}

static void
readzeros(void *v)
{
	static char zeros[4096];
	int fd = open("/dev/zero", O_RDONLY);

	(void)v;
	while(!ended)
		ck_assert_int_eq(fdread(fd, zeros, sizeof zeros), sizeof zeros);
}

static void
writenothing(void *v)
{
	int fd = open("/dev/null", O_WRONLY);

	(void)v;
	while(!ended)
		ck_assert_int_eq(fdwrite(fd, "x", 1), 1);
}

TASK_TEST(a_task_whose_calls_never_wait_does_not_starve_a_ticker)
{
	taskcreate(readzeros, NULL, 0);
	taskcreate(writenothing, NULL, 0);
	for(int i = 0; i < 10; i++)
		taskdelay(1);
	ended = 1;
}

enum { Many = 5000 / TestFewer };

TASK_TEST(thousands_wait_for_one_descriptor_in_order)
{
	static Wait w[Many];
	int fds[2];

	nonblockpipe(fds);
	for(int i = 0; i < Many; i++)
		startwait(&w[i], fds[0], 'r');
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	while(nplaces < Many)
		taskdelay(0);
	for(int i = 0; i < Many; i++){
		woken(&w[i], 0);
		ck_assert_int_eq(w[i].place, i + 1);
	}
}

/* Pairs with both ends waiting for: numbers well above 1024. */
TASK_TEST(thousands_of_descriptors_are_waited_for)
{
	enum { Pairs = 1500, First = Pairs - Pairs / TestFewer };
	static int fds[Pairs][2];
	static Wait w[2 * Pairs];

	if(!roomfor(2 * Pairs + 64))
		TEST_SKIP("RLIMIT_NOFILE is too low for 3000 descriptors");
	for(int i = 0; i < Pairs; i++){
		pair(fds[i]);
		if(i < First)
			continue;
		startwait(&w[2 * i], fds[i][0], 'r');
		startwait(&w[2 * i + 1], fds[i][1], 'r');
	}
	settle();
	ck_assert_int_eq(nplaces, 0);
	ck_assert_int_gt(fds[Pairs - 1][1], 1024);
	for(int i = Pairs - 1; i >= 0; i -= 3)
		ck_assert_int_eq(write(fds[i][1], "x", 1), 1);
	settle();
	for(int i = First; i < Pairs; i++){
		ck_assert_int_eq(w[2 * i].nwoken, i % 3 == (Pairs - 1) % 3);
		ck_assert_int_eq(w[2 * i + 1].nwoken, 0);
	}
	for(int i = 0; i < Pairs; i++)
		for(int end = 0; end < 2; end++)
			fdclose(fds[i][end]);
	settle();
	ck_assert_int_eq(nplaces, 2 * (Pairs - First));
}

/* One delay of a task, with what it was asked for. */
typedef struct Delay
{
	unsigned int ms;
	int64_t slept_ns;
	unsigned int said;
	int done;
} Delay;

static void
sleeper(void *v)
{
	Delay *d = v;
	int64_t start = nowns();

	d->said = taskdelay(d->ms);
	d->slept_ns = nowns() - start;
	d->done++;
}

static void
sleptwell(const Delay *d)
{
	ck_assert_int_eq(d->done, 1);
	ck_assert_msg(d->slept_ns >= d->ms * INT64_C(1000000),
		"%u ms took %lld ns", d->ms, (long long)d->slept_ns);
	ck_assert_uint_ge(d->said, d->ms);
	ck_assert_int_le(d->said, d->slept_ns / 1000000);
}

TASK_TEST(delays_are_never_early)
{
	enum { Delays = 200 };
	static Delay d[Delays];

	srandom(1);
	for(int i = 0; i < Delays; i++){
		d[i].ms = (unsigned int)random() % 10 + 1;
		taskcreate(sleeper, &d[i], 0);
		if(i % 20 == 0)
			taskdelay(1);
	}
	taskdelay(15);
	for(int i = 0; i < Delays; i++)
		while(!d[i].done)
			taskdelay(1);
	for(int i = 0; i < Delays; i++)
		sleptwell(&d[i]);
}

static volatile sig_atomic_t nsignals;

static void
onalarm(int sig)
{
	(void)sig;
	nsignals++;
}

static size_t received;

static void
receive(void *v)
{
	static char bytes[65536];
	ssize_t r;

	while((r = fdread(*(int *)v, bytes, sizeof bytes)) > 0)
		received += (size_t)r;
	ck_assert_int_eq(r, 0);
	ended = 1;
}

/* Valgrind may take so long for a signal that the next has come by then. */
static void
storm(int on)
{
	int us = !on ? 0 : valgrind() ? 20000 : 1000;
	struct itimerval every = {{0, us}, {0, us}};

	sigaction(SIGALRM, &(struct sigaction){.sa_handler = onalarm}, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
}

TASK_TEST(signals_make_nothing_early_and_lose_nothing)
{
	enum { Bytes = 1 << 20 };
	static Delay d[20];
	static char bytes[Bytes];
	int fds[2];
	Wait w;

	pair(fds);
	storm(1);
	for(int i = 0; i < 20; i++){
		d[i].ms = (unsigned int)i + 10;
		taskcreate(sleeper, &d[i], 0);
	}
	startwait(&w, fds[0], 'r');
	taskcreate(receive, &fds[1], 0);
	ck_assert_int_eq(fdwrite(fds[0], bytes, Bytes), Bytes);
	while(nsignals < 30)
		taskdelay(3);
	ck_assert_int_eq(w.nwoken, 0);
	shutdown(fds[0], SHUT_WR);
	while(!ended || d[19].done == 0)
		taskdelay(1);
	ck_assert_uint_eq(received, Bytes);
	fdclose(fds[1]);
	settle();
	woken(&w, 0);
	storm(0);
	for(int i = 0; i < 20; i++)
		sleptwell(&d[i]);
}

TEST_MAIN("fd",
	fdwait_ends_when_a_pipe_can_be_read,
	fdwait_ends_when_the_descriptor_was_ready_before,
	fdwait_ends_when_a_full_pipe_can_be_written_again,
	fdwait_leaves_errno_alone,
	any_other_letter_waits_for_the_exceptional_only,
	fdclose_wakes_every_waiter_once_with_EBADF,
	fdclose_ends_fdread_and_fdwrite_with_EBADF,
	a_new_file_of_the_same_number_starts_with_no_events,
	a_descriptor_closed_behind_our_back_is_EBADF,
	waiters_of_one_descriptor_are_served_in_order_each_once,
	each_of_several_readers_gets_its_share_in_turn,
	a_reader_and_a_writer_wait_on_one_descriptor,
	a_hangup_wakes_all_who_wait,
	an_error_alone_wakes_all_who_wait,
	files_are_always_ready,
	a_path_descriptor_is_EBADF,
	an_epoll_descriptor_is_ready_when_it_has_events,
	a_terminal_is_waited_for,
	numbers_that_are_no_descriptors_are_EBADF,
	outside_a_task_the_calls_fail_with_EPERM,
	tasks_that_always_yield_do_not_stop_descriptors_and_delays,
	a_task_whose_calls_never_wait_does_not_starve_a_ticker,
	thousands_wait_for_one_descriptor_in_order,
	thousands_of_descriptors_are_waited_for,
	delays_are_never_early,
	signals_make_nothing_early_and_lose_nothing)
