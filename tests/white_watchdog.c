/* SPDX-License-Identifier: MIT */
/* When the watchdog takes a look at a proc for an offence. */
#include "test.h"
#include "../inspect/watchdog.c"

/* A proc that another thread would have: its task is the running one. */
static Proc proc;
static Task task;
static Member member = {.number = 7, .proc = &proc};

enum { Ms = Millisecond, Limit = 100 * Ms };

static void
setup(void)
{
	memset(looks, 0, sizeof looks);
	proc = (Proc){.running = &task, .nswitch = 5, .thread = pthread_self()};
}

/* looks at a time in ms, which is so much too late. */
static int
at(int ms, int late, Offence *o)
{
	return offends(&member, ms * (int64_t)Ms, Limit, late * (int64_t)Ms, o);
}

START_TEST(a_run_is_an_offence_at_the_limit_and_again_at_each_doubling)
{
	Offence o;

	setup();
	for(int ms = 0; ms <= 900; ms += 25)
		ck_assert_int_eq(at(ms, 0, &o), ms == 100 || ms == 200 ||
			ms == 400 || ms == 800);
	ck_assert_int_eq(o.ns, 900 * Ms);
	ck_assert_int_eq(o.number, 7);
	ck_assert_uint_eq(o.nswitch, 5);
	ck_assert_int_eq(o.computes, 0);
}
END_TEST

START_TEST(the_first_of_a_run_is_told_from_later_ones)
{
	Offence o;

	setup();
	at(0, 0, &o);
	ck_assert_int_eq(at(100, 0, &o), 1);
	ck_assert_int_eq(o.first, 1);
	ck_assert_int_eq(at(200, 0, &o), 1);
	ck_assert_int_eq(o.first, 0);
	proc.nswitch++;
	ck_assert_int_eq(at(225, 0, &o), 0);
	ck_assert_int_eq(at(325, 0, &o), 1);
	ck_assert_int_eq(o.first, 1);
}
END_TEST

START_TEST(who_lets_others_run_begins_anew)
{
	Offence o;

	setup();
	for(int ms = 0; ms <= 900; ms += 25){
		proc.nswitch += ms % 75 == 0;
		ck_assert_int_eq(at(ms, 0, &o), 0);
	}
}
END_TEST

START_TEST(the_fdtask_and_a_proc_that_begins_do_not_offend)
{
	Offence o;

	setup();
	proc.running = &proc.fdtask;
	for(int ms = 0; ms <= 900; ms += 25)
		ck_assert_int_eq(at(ms, 0, &o), 0);
	proc.running = NULL;
	for(int ms = 900; ms <= 1800; ms += 25)
		ck_assert_int_eq(at(ms, 0, &o), 0);
}
END_TEST

START_TEST(by_how_much_a_look_is_late_is_not_counted)
{
	Offence o;

	setup();
	at(0, 0, &o);
	ck_assert_int_eq(at(50, 0, &o), 0);
	ck_assert_int_eq(at(3075, 3000, &o), 0);
	ck_assert_int_eq(at(3100, 0, &o), 1);
	ck_assert_int_eq(o.ns, 100 * Ms);
}
END_TEST

static volatile unsigned int sink;

/* Then it has had the CPU that the watchdog had not. */
START_TEST(but_the_CPU_time_of_the_thread_is)
{
	Offence o;

	setup();
	at(0, 0, &o);
	int64_t from = cputime(pthread_self());
	ck_assert_int_gt(from, 0);
	while(cputime(pthread_self()) - from < 2 * (int64_t)Limit)
		sink++;
	ck_assert_int_eq(at(250, 240, &o), 1);
	ck_assert_int_ge(o.ns, 2 * Limit);
	ck_assert_int_ge(o.cpu_ns, 2 * Limit);
	ck_assert_int_eq(o.computes, 1);
}
END_TEST

START_TEST(of_more_procs_than_there_is_room_for_the_first_are_watched)
{
	Offence o;

	setup();
	for(int i = 1; i <= Watched; i++){
		member.number = i;
		ck_assert_int_eq(at(0, 0, &o), 0);
	}
	member.number = Watched + 1;
	at(0, 0, &o);
	ck_assert_int_eq(at(200, 0, &o), 0);
	member.number = Watched;
	ck_assert_int_eq(at(200, 0, &o), 1);
	member.number = 7;
}
END_TEST

TEST_MAIN("watchdog, inside",
	a_run_is_an_offence_at_the_limit_and_again_at_each_doubling,
	the_first_of_a_run_is_told_from_later_ones,
	who_lets_others_run_begins_anew,
	the_fdtask_and_a_proc_that_begins_do_not_offend,
	by_how_much_a_look_is_late_is_not_counted,
	but_the_CPU_time_of_the_thread_is,
	of_more_procs_than_there_is_room_for_the_first_are_watched)
