/* SPDX-License-Identifier: MIT */
/* The poller on poll(2), without tasks. */
#include "../machine/machine.h"
#include "../poll/poller.h"
#include "fault.h"
#include "fdtest.h"

/* What the last wait told, by cookie. */
enum { Most = 300 };

static int told[Most], ntold;

static void
tell(void *arg, uint64_t cookie, int events)
{
	(void)arg;
	ck_assert_uint_lt(cookie, Most);
	ck_assert_int_eq(told[cookie], 0);	/* once in a wait */
	told[cookie] = events;
	ntold++;
}

/* waits without blocking; returns how many descriptors had events. */
static int
look(void *state)
{
	ntold = 0;
	memset(told, 0, sizeof told);
	task_poll.wait(state, &(struct timespec){0, 0}, tell, NULL);
	return ntold;
}

static void *state;
static int a[2], b[2];

static void
setup(void)
{
	state = task_poll.open();
	ck_assert_ptr_nonnull(state);
	pair(a);
	pair(b);
}

static int
arm(int fd, int events, uint64_t cookie)
{
	return task_poll.arm(state, fd, 0, events, cookie);
}

START_TEST(what_is_armed_and_true_is_told_by_every_wait)
{
	setup();
	ck_assert_int_eq(look(state), 0);
	ck_assert_int_eq(arm(a[0], PollIn, 1), 0);
	ck_assert_int_eq(arm(b[0], PollIn, 2), 0);
	ck_assert_int_eq(look(state), 0);
	ck_assert_int_eq(write(a[1], "x", 1), 1);
	for(int i = 0; i < 3; i++){
		ck_assert_int_eq(look(state), 1);
		ck_assert_int_eq(told[1], PollIn);
	}
	task_poll.disarm(state, a[0]);
	ck_assert_int_eq(look(state), 0);
	task_poll.close(state);
}
END_TEST

START_TEST(arming_again_replaces_events_and_cookie)
{
	setup();
	ck_assert_int_eq(arm(a[0], PollIn, 1), 0);
	ck_assert_int_eq(arm(a[0], PollOut, 2), 0);
	ck_assert_int_eq(look(state), 1);
	ck_assert_int_eq(told[2], PollOut);
	ck_assert_int_eq(write(a[1], "x", 1), 1);
	ck_assert_int_eq(arm(a[0], PollIn | PollOut, 3), 0);
	ck_assert_int_eq(look(state), 1);
	ck_assert_int_eq(told[3], PollIn | PollOut);
	task_poll.close(state);
}
END_TEST

START_TEST(hangups_and_closed_descriptors_are_told_without_being_asked_for)
{
	setup();
	ck_assert_int_eq(arm(a[0], PollPri, 1), 0);
	ck_assert_int_eq(arm(b[0], PollPri, 2), 0);
	close(a[1]);
	close(b[0]);
	ck_assert_int_eq(look(state), 2);
	ck_assert_int_eq(told[1], PollErr);
	ck_assert_int_eq(told[2], PollBad);
	task_poll.close(state);
}
END_TEST

START_TEST(what_is_not_armed_may_be_disarmed)
{
	setup();
	task_poll.disarm(state, 0);
	task_poll.disarm(state, 100000);
	ck_assert_int_eq(arm(a[0], PollOut, 1), 0);
	task_poll.disarm(state, a[1]);
	task_poll.disarm(state, a[0]);
	task_poll.disarm(state, a[0]);
	ck_assert_int_eq(look(state), 0);
	task_poll.close(state);
}
END_TEST

START_TEST(a_wait_ends_at_its_timeout_and_not_before)
{
	struct timespec timeout = {0, 5 * Millisecond};

	setup();
	ck_assert_int_eq(arm(a[0], PollIn, 1), 0);
	int64_t start = nowns();
	task_poll.wait(state, &timeout, tell, NULL);
	ck_assert_int_ge(nowns() - start, 5 * Millisecond);
	ck_assert_int_eq(ntold, 0);
	task_poll.close(state);
}
END_TEST

/* Pairs that are all ready; fired takes some away and arms others. */
static int pairs[Most / 2][2];

static void
shuffle(void *arg, uint64_t cookie, int events)
{
	(void)arg;
	ck_assert_int_eq(told[cookie]++, 0);
	ck_assert_int_eq(events, PollOut);
	ck_assert_int_eq(pairs[cookie][0] % 3 == 0, 1);
	task_poll.disarm(state, pairs[cookie][0]);
	if(cookie % 2)
		ck_assert_int_eq(arm(pairs[cookie][1], PollOut, Most / 2), 0);
}

START_TEST(fired_may_arm_and_disarm)
{
	int n = 0;

	setup();
	for(int i = 0; i < Most / 2; i++)
		pair(pairs[i]);
	for(uint64_t i = 0; i < Most / 2; i++)
		if(pairs[i][0] % 3 == 0){
			ck_assert_int_eq(arm(pairs[i][0], PollOut, i), 0);
			n++;
		}
	memset(told, 0, sizeof told);
	task_poll.wait(state, &(struct timespec){0, 0}, shuffle, NULL);
	for(uint64_t i = 0; i < Most / 2; i++)
		n -= told[i];
	ck_assert_int_eq(n, 0);
	task_poll.close(state);
}
END_TEST

/* As one does that waits for several, and is woken by the first. */
enum { Others = 12 };

static int end[Others][2], gone[Others];
static Random dice;

static void
takeaway(void *arg, uint64_t cookie, int events)
{
	tell(arg, cookie, events);
	ck_assert_int_eq(gone[cookie], 0);
	for(unsigned int n = randombelow(&dice, 4); n > 0; n--){
		unsigned int i = randombelow(&dice, Others);
		task_poll.disarm(state, end[i][0]);
		gone[i] = 1;
	}
}

START_TEST(fired_may_disarm_others)
{
	setup();
	dice = randomstart();
	for(int i = 0; i < Others; i++)
		pair(end[i]);
	for(int round = 0; round < 2000; round++){
		memset(told, 0, sizeof told);
		memset(gone, 0, sizeof gone);
		for(int i = 0; i < Others; i++)
			ck_assert_int_eq(arm(end[i][0], i % 3 ? PollOut :
				PollIn, (uint64_t)i), 0);
		task_poll.wait(state, &(struct timespec){0, 0}, takeaway, NULL);
		for(int i = 0; i < Others; i++)
			ck_assert_msg(gone[i] || told[i] == (i % 3 ? PollOut :
				0), "seed %lu", dice.seed);
	}
	task_poll.close(state);
}
END_TEST

/* The set against a plain table, through random changes. */
START_TEST(the_set_is_what_was_armed_and_not_disarmed)
{
	enum { Fds = 40 };
	int end[Fds][2], armed[Fds] = {0};

	setup();
	srandom(1);
	for(int i = 0; i < Fds; i++)
		pair(end[i]);
	for(int round = 0; round < 2000; round++){
		int i = (int)(random() % Fds), n = 0;
		if(random() % 2){
			armed[i] = 1 + (int)(random() % 3);
			ck_assert_int_eq(arm(end[i][0], armed[i], (uint64_t)i),
				0);
		}else{
			armed[i] = 0;
			task_poll.disarm(state, end[i][0]);
		}
		look(state);
		for(i = 0; i < Fds; i++){
			ck_assert_int_eq(told[i], armed[i] & PollOut);
			n += told[i] != 0;
		}
		ck_assert_int_eq(ntold, n);
	}
	task_poll.close(state);
}
END_TEST

START_TEST(without_memory_arm_fails_and_what_was_armed_stays)
{
	faultstart();
	setup();
	ck_assert_int_eq(arm(a[0], PollOut, 1), 0);
	for(int fd = 1000; fd < 1040; fd++){
		long n = 0;
		do{
			errno = 0;
			faultarm(++n, 1, 0);
			if(arm(fd, PollIn, 2) == 0)
				break;
			ck_assert_int_eq(errno, ENOMEM);
			faultarm(0, 0, 0);
			look(state);
			ck_assert_int_eq(told[1], PollOut);
		}while(n < 10);
		ck_assert_int_lt(n, 10);
		faultarm(0, 0, 0);
		look(state);
		ck_assert_int_eq(told[1], PollOut);
		task_poll.disarm(state, fd);
		ck_assert_int_eq(arm(fd + 100000 * (fd % 2), PollIn,
			(uint64_t)fd - 990), 0);
		ck_assert_int_eq(look(state), fd - 1000 + 2);
	}
	task_poll.close(state);
	ck_assert_int_eq(fault.nlive, 0);
}
END_TEST

START_TEST(a_kernel_that_cannot_wait_for_all_is_asked_for_each)
{
	struct timespec timeout = {3600, 0};

	setup();
	ck_assert_int_eq(arm(a[0], PollIn, 1), 0);
	ck_assert_int_eq(arm(b[0], PollOut, 2), 0);
	faultstart();
	for(int kind = 0; kind < 2; kind++){
		faultarm(1, 1, kind);
		ck_assert_int_eq(look(state), 1);
		ck_assert_int_eq(told[2], PollOut);
	}
	faultarm(1, 1, 0);
	ntold = 0;
	memset(told, 0, sizeof told);
	/* does not take an hour */
	task_poll.wait(state, &timeout, tell, NULL);
	ck_assert_int_eq(told[2], PollOut);
	faultarm(1, 100, 0);
	ck_assert_int_eq(look(state), 0);
	task_poll.close(state);
}
END_TEST

TEST_MAIN("poll",
	what_is_armed_and_true_is_told_by_every_wait,
	arming_again_replaces_events_and_cookie,
	hangups_and_closed_descriptors_are_told_without_being_asked_for,
	what_is_not_armed_may_be_disarmed,
	a_wait_ends_at_its_timeout_and_not_before,
	fired_may_arm_and_disarm,
	fired_may_disarm_others,
	the_set_is_what_was_armed_and_not_disarmed,
	without_memory_arm_fails_and_what_was_armed_stays,
	a_kernel_that_cannot_wait_for_all_is_asked_for_each)
