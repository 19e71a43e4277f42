/* SPDX-License-Identifier: MIT */
/* The fdtask from inside: how often it asks the kernel, and what it is told. */
#define TEST_POLLER "poll"
#include "../fd/fd.h"

#include "fdtest.h"

/* A clock that only moves while the library waits, and a count of the waits. */
static int64_t virtual_ns = Second;
static int npolls, failures, failwith;
/* the kernel comes back so much too soon, once a wait */
static int64_t early_ns;
static int64_t longest_ns;
static int (*realpoll)(struct pollfd *fds, nfds_t nfds,
	struct timespec *timeout);

static int64_t
virtualnow(void)
{
	return virtual_ns;
}

static int
virtualpoll(struct pollfd *fds, nfds_t nfds, struct timespec *timeout)
{
	int64_t ns = timeout->tv_sec * (int64_t)Second + timeout->tv_nsec;
	struct timespec zero = {0, 0};

	npolls++;
	if(ns > longest_ns)
		longest_ns = ns;
	int n = realpoll(fds, nfds, &zero);
	if(n == 0)
		virtual_ns += ns > early_ns ? ns - early_ns : ns;
	return n;
}

static int
countpoll(struct pollfd *fds, nfds_t nfds, struct timespec *timeout)
{
	npolls++;
	return realpoll(fds, nfds, timeout);
}

/* The first failures calls fail. */
static int
failpoll(struct pollfd *fds, nfds_t nfds, struct timespec *timeout)
{
	npolls++;
	if(failures == 0)
		return realpoll(fds, nfds, timeout);
	failures--;
	errno = failwith;
	return -1;
}

static void
polling(int (*poll)(struct pollfd *fds, nfds_t nfds, struct timespec *timeout))
{
	realpoll = task_sys.poll;
	task_sys.poll = poll;
	if(poll == virtualpoll)
		task_sys.now = virtualnow;
}

static void
delay50(void *v)
{
	(void)v;
	npolls = 0;
	ck_assert_uint_ge(taskdelay(50), 50);
	ck_assert_int_le(npolls, 3);
}

START_TEST(a_delay_of_50_ms_asks_the_kernel_three_times_at_most)
{
	polling(countpoll);
	run(delay50);
}
END_TEST

/* The kernel's clock and ours may differ a bit: that is no reason to spin. */
START_TEST(a_wait_that_ends_too_soon_is_followed_by_one_more)
{
	early_ns = 1;
	polling(virtualpoll);
	run(delay50);
}
END_TEST

TASK_TEST_BY(delays_of_any_length_end_when_they_should,
	polling(virtualpoll);
	run(body))
{
	unsigned int ms[] = {0, 1, 5001, 3600 * 1000, INT_MAX, UINT_MAX};

	for(int i = 0; i < 6; i++){
		int64_t start = virtual_ns;
		npolls = 0;
		ck_assert_uint_eq(taskdelay(ms[i]), ms[i]);
		ck_assert_int_eq(virtual_ns - start,
			ms[i] * (int64_t)Millisecond);
		ck_assert_int_le(npolls, 3);
	}
}

static void
sleephour(void *v)
{
	(void)v;
	taskdelay(3600 * 1000);
}

TASK_TEST_BY(an_idle_program_with_sleepers_makes_no_system_calls,
	polling(virtualpoll);
	run(body);
	ck_assert_int_ge(longest_ns, 59 * (int64_t)Second))
{
	for(int i = 0; i < 1000; i++)
		taskcreate(sleephour, v, 0);
	taskdelay(10);
	npolls = 0;
	taskdelay(60 * 1000);
	ck_assert_int_le(npolls, 2);
	taskdelay(3600 * 1000);
}

enum { Delays = 500 };

static unsigned int delay_ms[Delays];
static int order[Delays], nended;

static void
delayone(void *v)
{
	int i = (int)(intptr_t)v;
	int64_t start = virtual_ns;

	taskdelay(delay_ms[i]);
	ck_assert_int_eq(virtual_ns - start,
		delay_ms[i] * (int64_t)Millisecond);
	order[nended++] = i;
}

TASK_TEST_BY(delays_end_by_deadline_and_equal_ones_in_the_order_set,
	polling(virtualpoll);
	run(body);
	ck_assert_int_eq(nended, Delays);
	for(int i = 1; i < Delays; i++){
		unsigned int before = delay_ms[order[i - 1]],
			this = delay_ms[order[i]];
		ck_assert(before < this ||
			(before == this && order[i - 1] < order[i]));
	})
{
	srandom(1);
	for(intptr_t i = 0; i < Delays; i++){
		delay_ms[i] = (unsigned int)random() % 10 + 1;
		taskcreate(delayone, (void *)i, 0);
	}
}

static int fds[2];

TASK_TEST_BY(calls_that_need_not_wait_do_not_ask_the_poller,
	polling(countpoll);
	run(body))
{
	char c;

	nonblockpipe(fds);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	npolls = 0;
	ck_assert_int_eq(fdread(fds[0], &c, 1), 1);
	ck_assert_int_eq(fdwrite(fds[1], &c, 1), 1);
	ck_assert_int_eq(npolls, 0);
}

/* A hang-up that nobody waits for must not wake the fdtask again and again. */
TASK_TEST_BY(a_hangup_does_not_make_the_fdtask_spin,
	polling(countpoll);
	run(body))
{
	Wait w;

	pair(fds);
	startwait(&w, fds[0], 'r');
	settle();
	close(fds[1]);
	settle();
	woken(&w, 0);
	npolls = 0;
	taskdelay(20);
	ck_assert_int_le(npolls, 3);
	startwait(&w, fds[0], 'w');
	settle();
	woken(&w, 0);
	close(fds[0]);
	npolls = 0;
	taskdelay(20);
	ck_assert_int_le(npolls, 3);
}

TASK_TEST_BY(a_descriptor_closed_behind_our_back_does_not_make_it_spin,
	polling(countpoll);
	run(body))
{
	Wait w;

	nonblockpipe(fds);
	startwait(&w, fds[0], 'r');
	settle();
	close(fds[0]);
	settle();
	woken(&w, EBADF);
	npolls = 0;
	taskdelay(20);
	ck_assert_int_le(npolls, 3);
}

TASK_TEST_BY(when_the_kernel_cannot_wait_nothing_is_lost,
	polling(failpoll);
	failwith = ENOMEM;
	run(body);
	failwith = EINVAL;
	run(body))
{
	Wait w[4];
	int other[2];

	pair(fds);
	pair(other);
	fill(fds[0]);
	startwait(&w[0], other[0], 'r');
	startwait(&w[1], other[0], 'r');
	startwait(&w[2], fds[0], 'r');
	startwait(&w[3], fds[0], 'w');
	settle();
	int64_t start = nowns();
	failures = 5;
	ck_assert_uint_ge(taskdelay(3), 3);
	ck_assert_int_ge(nowns() - start, 3 * (int64_t)Millisecond);
	failures = 0;
	ck_assert_int_eq(write(other[1], "x", 1), 1);
	drain(fds[1]);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	settle();
	for(int i = 0; i < 4; i++)
		woken(&w[i], 0);
}

/* fdread waits again, however often a wait ends for no reason. */
static size_t nread;

static void
readall(void *v)
{
	char buf[100];
	ssize_t r;

	(void)v;
	while((r = fdread(fds[0], buf, sizeof buf)) > 0)
		nread += (size_t)r;
	ck_assert_int_eq(r, 0);
}

TASK_TEST_BY(reads_go_on_when_the_kernel_often_cannot_wait,
	failwith = ENOMEM;
	polling(failpoll);
	run(body);
	ck_assert_uint_eq(nread, 200))
{
	nonblockpipe(fds);
	taskcreate(readall, NULL, 0);
	for(int i = 0; i < 20; i++){
		failures = i % 3;
		ck_assert_int_eq(fdwrite(fds[1], "0123456789", 10), 10);
		taskdelay(1);
	}
	fdclose(fds[1]);
}

/* The limit may sink below the size of the set that the kernel has accepted. */
TASK_TEST(a_limit_below_the_set_in_use_loses_nothing)
{
	enum { Pairs = 30 };
	int pairs[Pairs][2];
	Wait w[Pairs];
	struct rlimit limit, before;

	for(int i = 0; i < Pairs; i++){
		pair(pairs[i]);
		startwait(&w[i], pairs[i][0], 'r');
	}
	settle();
	getrlimit(RLIMIT_NOFILE, &before);
	limit = before;
	limit.rlim_cur = 5;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for(int i = 0; i < Pairs; i++)
		ck_assert_int_eq(write(pairs[i][1], "x", 1), 1);
	taskdelay(1);
	settle();
	setrlimit(RLIMIT_NOFILE, &before);
	for(int i = 0; i < Pairs; i++)
		woken(&w[i], 0);
}

TASK_TEST(an_event_of_the_last_file_does_not_wake_for_this_one)
{
	int other[2];
	Wait w;

	pair(fds);
	pair(other);
	startwait(&w, fds[0], 'r');
	settle();
	uint64_t cookie = (unsigned int)fds[0];
	Fd *f = task_fdknown(task_proc->fds, fds[0]);
	uint32_t before = f->interest.generation;
	fdclose(fds[0]);
	settle();
	woken(&w, EBADF);
	ck_assert_uint_ne(f->interest.generation, before);
	ck_assert_int_eq(dup2(other[0], fds[0]), fds[0]);
	startwait(&w, fds[0], 'x');
	settle();
	task_fdfired(task_proc->fds, (uint64_t)before << 32 | cookie, PollErr);
	task_fdfired(task_proc->fds, (uint64_t)before << 32 | cookie, PollPri);
	task_fdfired(task_proc->fds, (uint64_t)before << 32 | cookie, PollBad);
	taskyield();
	ck_assert_int_eq(w.nwoken, 0);
	task_fdfired(task_proc->fds,
		(uint64_t)f->interest.generation << 32 | cookie,
		PollPri);
	taskyield();
	woken(&w, 0);
}

TASK_TEST(events_of_what_nobody_has_waited_for_are_ignored)
{
	Fdtable *table = task_proc->fds;

	task_fdfired(table, 7, PollIn);
	task_fdfired(table, 123456, PollErr);
	task_fdfired(table, UINT32_MAX, PollBad);
	ck_assert_int_eq(table->nwaiting, 0);
}

static int timedout;

static void
waitwithdeadline(void *v)
{
	int64_t deadline = task_proc->now() + Millisecond;

	(void)v;
	Meant m = AnyFile;
	FAILS(task_fdawait(task_proc, fds[0], Read, 0, deadline, &m),
		ETIMEDOUT);
	timedout = 1;
}

TASK_TEST(a_waiter_whose_time_is_up_leaves_the_others_in_place)
{
	Wait first, last;

	pair(fds);
	startwait(&first, fds[0], 'r');
	taskcreate(waitwithdeadline, NULL, 0);
	startwait(&last, fds[0], 'r');
	while(!timedout)
		taskdelay(1);
	ck_assert_int_eq(first.nwoken + last.nwoken, 0);
	ck_assert_int_eq(task_proc->fds->nwaiting, 2);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	settle();
	woken(&first, 0);
	woken(&last, 0);
	drain(fds[0]);
	timedout = 0;
	taskcreate(waitwithdeadline, NULL, 0);
	while(!timedout)
		taskdelay(1);
	ck_assert_int_eq(task_proc->fds->nwaiting, 0);
}

static size_t asked;

static void *
measure(void *v, size_t bytes)
{
	asked += bytes;
	return realloc(v, bytes);
}

TASK_TEST(numbers_that_are_no_descriptors_cost_no_memory)
{
	task_sys.resize = measure;
	FAILS(fdwait(INT_MAX, 'r'), EBADF);
	FAILS(fdwait(1 << 20, 'w'), EBADF);
	FAILS(fdwait(-1, 'w'), EBADF);
	FAILS(fdwait(INT_MIN, 'w'), EBADF);
	ck_assert_uint_eq(asked, 0);
}

TASK_TEST(the_clock_is_the_monotonic_one)
{
	int64_t before = nowns(), now = task_proc->now();

	ck_assert(before <= now && now <= nowns());
}

TEST_MAIN("fd inside",
	a_delay_of_50_ms_asks_the_kernel_three_times_at_most,
	a_wait_that_ends_too_soon_is_followed_by_one_more,
	delays_of_any_length_end_when_they_should,
	an_idle_program_with_sleepers_makes_no_system_calls,
	delays_end_by_deadline_and_equal_ones_in_the_order_set,
	calls_that_need_not_wait_do_not_ask_the_poller,
	a_hangup_does_not_make_the_fdtask_spin,
	a_descriptor_closed_behind_our_back_does_not_make_it_spin,
	when_the_kernel_cannot_wait_nothing_is_lost,
	reads_go_on_when_the_kernel_often_cannot_wait,
	a_limit_below_the_set_in_use_loses_nothing,
	an_event_of_the_last_file_does_not_wake_for_this_one,
	events_of_what_nobody_has_waited_for_are_ignored,
	a_waiter_whose_time_is_up_leaves_the_others_in_place,
	numbers_that_are_no_descriptors_cost_no_memory,
	the_clock_is_the_monotonic_one)
