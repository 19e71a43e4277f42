/* SPDX-License-Identifier: MIT */
/* Times of day: what a spec means and when it comes; crons that wait. */
#include "crontest.h"
#include "crontable.h"
#include <fcntl.h>

/* When it comes */

/* returns how many rows of the table there are for the zone; all must hold. */
static int
holds(const char *zone)
{
	int n = 0;

	for(size_t i = 0; i < sizeof crontable / sizeof crontable[0]; i++){
		if(strcmp(crontable[i].zone, zone) != 0)
			continue;
		n++;
		errno = 77;
		int64_t s = nextof(crontable[i].spec, crontable[i].after_s);
		ck_assert_msg(s == crontable[i].next_s, "%s after %lld: %lld, "
			"not %lld", crontable[i].spec,
			(long long)crontable[i].after_s, (long long)s,
			(long long)crontable[i].next_s);
		ck_assert_int_eq(errno, 77);
	}
	return n;
}

#define TABLE_TEST(name, zone) \
	START_TEST(name) \
	{ \
		if(!inzone(zone)) \
			TEST_SKIP("there are no rules for " zone); \
		ck_assert_int_eq(holds(zone), 40); \
	} \
	END_TEST

TABLE_TEST(the_table_holds_in_UTC, "UTC")
TABLE_TEST(the_table_holds_in_Kolkata, "Asia/Kolkata")
TABLE_TEST(the_table_holds_in_Berlin, "Europe/Berlin")
TABLE_TEST(the_table_holds_in_New_York, "America/New_York")
TABLE_TEST(the_table_holds_on_Lord_Howe, "Australia/Lord_Howe")

/* The day and time of what comes after s, so many, with the zone's name. */
static char *
times(const char *spec, int64_t s, int n)
{
	static char text[512];
	size_t at = 0;

	text[0] = '\0';
	while(n-- > 0){
		s = nextof(spec, s);
		time_t t = (time_t)s;
		struct tm tm;
		localtime_r(&t, &tm);
		at += strftime(text + at, sizeof text - at, "%d %H:%M %Z", &tm);
		if(n > 0)
			at += (size_t)sprintf(text + at, ", ");
	}
	return text;
}

START_TEST(what_is_skipped_in_spring_comes_once_right_after)
{
	int64_t before = 1711843200;	/* 2024-03-31, an hour before */

	if(!inzone("Europe/Berlin"))
		TEST_SKIP("there are no rules for Europe/Berlin");
	ck_assert_str_eq(times("30 2 * * *", before, 2),
		"31 03:00 CEST, 01 02:30 CEST");
	ck_assert_str_eq(times("*/15 2 * * *", before, 2),
		"31 03:00 CEST, 01 02:00 CEST");
	ck_assert_str_eq(times("0 2,3 * * *", before, 2),
		"31 03:00 CEST, 01 02:00 CEST");
	ck_assert_str_eq(times("30 2,3 * * *", before, 3),
		"31 03:00 CEST, 31 03:30 CEST, 01 02:30 CEST");
	ck_assert_str_eq(times("0 */2 * * *", before, 2),
		"31 03:00 CEST, 31 04:00 CEST");
	ck_assert_str_eq(times("0 3 * * *", before, 2),
		"31 03:00 CEST, 01 03:00 CEST");
	/* who is asked right then, or later, is not told of it again */
	ck_assert_str_eq(times("30 2 * * *", before + 3600, 1),
		"01 02:30 CEST");
}
END_TEST

START_TEST(every_hour_is_each_that_passes)
{
	if(!inzone("Europe/Berlin"))
		TEST_SKIP("there are no rules for Europe/Berlin");
	ck_assert_str_eq(times("30 * * * *", 1711843200, 2),
		"31 01:30 CET, 31 03:30 CEST");
	ck_assert_str_eq(times("30 * * * *", 1698533999, 4),
		"29 01:30 CEST, 29 02:30 CEST, 29 02:30 CET, 29 03:30 CET");
	ck_assert_str_eq(times("30 0-23 * * *", 1698533999, 3),
		"29 01:30 CEST, 29 02:30 CEST, 29 02:30 CET");
}
END_TEST

START_TEST(P17_what_is_shown_twice_in_autumn_counts_once)
{
	int64_t before = 1698534000;	/* 2023-10-29, 1:00 CEST */

	if(!inzone("Europe/Berlin"))
		TEST_SKIP("there are no rules for Europe/Berlin");
	ck_assert_str_eq(times("30 2 * * *", before, 2),
		"29 02:30 CEST, 30 02:30 CET");
	ck_assert_str_eq(times("*/30 2 * * *", before, 3),
		"29 02:00 CEST, 29 02:30 CEST, 30 02:00 CET");
	/* asked in the second of the two hours */
	ck_assert_str_eq(times("30 2 * * *", before + 2 * 3600 + 60, 1),
		"30 02:30 CET");
	ck_assert_str_eq(times("0 3 * * *", before, 1), "29 03:00 CET");
}
END_TEST

START_TEST(half_an_hour_is_skipped_and_shown_twice_too)
{
	if(!inzone("Australia/Lord_Howe"))
		TEST_SKIP("there are no rules for Australia/Lord_Howe");
	ck_assert_str_eq(times("15 2 * * *", 1696082400, 2),
		"01 02:30 +11, 02 02:15 +11");
	ck_assert_str_eq(times("45 1 * * *", 1712410200, 2),
		"07 01:45 +11, 08 01:45 +1030");
	ck_assert_str_eq(times("45 * * * *", 1712410200, 4),
		"07 00:45 +11, 07 01:45 +11, 07 01:45 +1030, 07 02:45 +1030");
}
END_TEST

START_TEST(midnight_and_whole_days_are_skipped_too)
{
	if(!inzone("America/Havana") || !inzone("Pacific/Apia"))
		TEST_SKIP("there are no rules for Pacific/Apia");
	inzone("America/Havana");
	ck_assert_str_eq(times("@daily", 1710046799, 2),
		"10 01:00 CDT, 11 00:00 CDT");
	inzone("Pacific/Apia");	/* which had no 2011-12-30 */
	ck_assert_str_eq(times("0 12 * * *", 1325196000, 3),
		"31 00:00 +14, 31 12:00 +14, 01 12:00 +14");
}
END_TEST

START_TEST(leap_days_and_far_ones_come)
{
	inzone("UTC");
	ck_assert_int_eq(nextof("0 0 29 2 *", 951782400), 1078012800);
	ck_assert_int_eq(nextof("0 0 29 feb *", 4107542400 - 1), 4233686400);
	/* a Sunday: both fields, for one begins with a star */
	ck_assert_int_eq(nextof("0 0 29 2 */7", 0), 194400000);
	ck_assert_int_eq(nextof("@yearly", -62103000000), -62104060800 +
		365 * 86400LL);
	FAILS(nextof("@yearly", INT64_MIN), ERANGE);
	FAILS(nextof("@yearly", INT64_MAX), ERANGE);
	FAILS(nextof("0 0 29 2 *", 253338000000), ERANGE);
}
END_TEST

START_TEST(seconds_of_an_offset_count)
{
	int64_t noon = -2717650800;	/* 1883-11-18, which was at 12:03:58 */

	if(!inzone("America/New_York"))
		TEST_SKIP("there are no rules for America/New_York");
	ck_assert_int_eq(nextof("0 12 * * *", noon - 300), noon - 238);
	ck_assert_int_eq(nextof("0 12 * * *", noon - 238), noon + 86400);
	ck_assert_int_eq(nextof("0 * * * *", noon - 238), noon);
}
END_TEST

/* Specs against the slow search, mostly about where the clock changes. */
static void
searches(Random *r, int n)
{
	static const struct { const char *zone; int64_t change_s; } places[] = {
		{"UTC", 1700000000}, {"Asia/Kolkata", 1700000000},
		{"Europe/Berlin", 1711846800}, {"Europe/Berlin", 1698541200},
		{"America/New_York", 1710054000},
		{"America/New_York", 1699164000},
		{"Australia/Lord_Howe", 1712415600},
		{"Australia/Lord_Howe", 1696087800},
		{"America/Havana", 1710046800}};

	for(int i = 0; i < n; i++){
		unsigned int k = randombelow(r, sizeof places /
			sizeof places[0]);
		if(!inzone(places[k].zone))
			continue;
		Asked a = askrandom(r);
		int64_t after_s = places[k].change_s - 20000 +
			(int64_t)randombelow(r, 25000);
		int64_t until_s = after_s + 30000;
		int64_t slow_s = slownext(&a, after_s, until_s);
		int64_t s = nextof(a.text, after_s);
		if(s == -1 && errno == ENOENT)
			continue;
		ck_assert_msg(slow_s < 0 ? s > until_s : s == slow_s,
			"%s: %s after %lld: %lld, and slowly %lld; TEST_SEED="
			"%lu", places[k].zone, a.text, (long long)after_s,
			(long long)s, (long long)slow_s, r->seed);
	}
}

START_TEST(a_slow_search_finds_the_same)
{
	Random r = randomstart();

	searches(&r, fewer(150));
}
END_TEST

/* What it means */

START_TEST(names_and_ranges_are_numbers_in_short)
{
	static const char *const same[][2] = {
		{"0 0 * jan-mar,DEC mon", "0 0 * 1-3,12 1"},
		{"0 0 * * 7", "0 0 * * sun"},
		{"0 0 * * sat-sun", "0 0 * * 6,0"},
		{"0 0 * * 5-7", "0 0 * * fri-sun"},
		{"0-30/10,5 * * * *", "0,5,10,20,30 * * * *"},
		{"*/20 */8 * * *", "0,20,40 0,8,16 * * *"},
		{"*/99 * * * *", "0 * * * *"}, {"007 * * * *", "7 * * * *"},
		{"\t 1\t 2 3 4 5 ", "1 2 3 4 5"},
		{"@hourly", "0 * * * *"}, {"@daily", "0 0 * * *"},
		{"@midnight", "@daily"}, {"@weekly", "0 0 * * 0"},
		{"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
		{"@annually", "@yearly"}, {" @Daily\t", "@daily"}};

	inzone("UTC");
	for(size_t i = 0; i < sizeof same / sizeof same[0]; i++){
		int64_t s = 1700000000, t = s;
		for(int n = 0; n < 50; n++){
			s = nextof(same[i][0], s);
			t = nextof(same[i][1], t);
			ck_assert_int_gt(s, 0);
			ck_assert_msg(s == t, "%s is not %s", same[i][0],
				same[i][1]);
		}
	}
}
END_TEST

START_TEST(both_fields_of_days_mean_either_and_a_star_both)
{
	inzone("UTC");
	/* 2023-11-14 was a Tuesday */
	ck_assert_str_eq(times("0 0 20 * wed", 1699920000, 3),
		"15 00:00 UTC, 20 00:00 UTC, 22 00:00 UTC");
	ck_assert_str_eq(times("0 0 * * wed", 1699920000, 2),
		"15 00:00 UTC, 22 00:00 UTC");
	ck_assert_str_eq(times("0 0 */2 * wed", 1699920000, 2),
		"15 00:00 UTC, 29 00:00 UTC");
	ck_assert_str_eq(times("0 0 20 * */2", 1699920000, 2),
		"20 00:00 UTC, 20 00:00 UTC");
}
END_TEST

START_TEST(what_is_no_spec_is_EINVAL_and_nothing_is_read_behind_it)
{
	static const char *const bad[] = {"", " ", "*", "* *", "* * * *",
		"* * * * * *", "* * * * *x", "* * * * *\n", "*\n* * * *",
		"60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *",
		"* * * 0 *", "* * * 13 *", "* * * * 8", "-1 * * * *",
		"+1 * * * *", "1.5 * * * *", "0x5 * * * *", "** * * * *",
		"*/ * * * *", "*/0 * * * *", "*/-1 * * * *", "*/x * * * *",
		"*/99999999999999999999 * * * *", "5/10 * * * *",
		"99999999999999999999 * * * *", "4294967296 * * * *",
		"5-1 * * * *", "1- * * * *", "1-2-3 * * * *", "1-60 * * * *",
		"*-5 * * * *", "1-* * * * *", "1-5/ * * * *", "1-5/2/2 * * * *",
		", * * * *", "1, * * * *", ",1 * * * *", "1,,2 * * * *",
		"1 , 2 * * * *", "*5 * * * *", "* * * january *", "* * * ja *",
		"* * * * mo", "* * * mon *", "* * * * jan", "mon * * * *",
		"* * * * 6-0x", "* * * * 8-0", "@", "@ daily", "@dail",
		"@dailyx", "@daily *", "@reboot", "daily", "@@daily",
		"L * * * *", "* * * * 5#3", "? * * * *", "* * * * 5L",
		"\xff * * * *", "* * * * \x80", "* * * * sun-",
		"* * * * sun-x"};

	for(size_t i = 0; i < sizeof bad / sizeof bad[0]; i++){
		errno = 0;
		ck_assert_msg(nextof(bad[i], 0) == -1 && errno == EINVAL,
			"not bad: %s", bad[i]);
	}
	FAILS(cronnext(NULL, 0), EINVAL);
}
END_TEST

START_TEST(what_is_cut_off_is_no_spec)
{
	const char *good = "5-50/5,59 0-23/2 1,2,3 jan-dec mon-fri";
	size_t n = strlen(good);

	ck_assert_int_gt(nextofbytes(good, n, 0), 0);
	for(size_t i = 0; i < n - strlen("mon-fri"); i++)
		FAILS(nextofbytes(good, i, 0), EINVAL);
}
END_TEST

START_TEST(a_day_that_never_comes_is_ENOENT)
{
	FAILS(nextof("0 0 31 2 *", 0), ENOENT);
	FAILS(nextof("0 0 30 feb *", 0), ENOENT);
	FAILS(nextof("0 0 31 apr,jun,sep,nov */2", 0), ENOENT);
	ck_assert_int_gt(nextof("0 0 31 2 mon", 0), 0);
	ck_assert_int_gt(nextof("0 0 31 2-3 *", 0), 0);
}
END_TEST

/* Crons */

TASK_TEST(a_cron_of_a_bad_spec_is_not_started)
{
	static const struct { const char *spec; int err; } bad[] = {
		{NULL, EINVAL}, {"", EINVAL}, {"* * * *", EINVAL},
		{"0 0 31 2 *", ENOENT}};

	for(size_t i = 0; i < sizeof bad / sizeof bad[0]; i++){
		errno = 0;
		ck_assert_ptr_null(cronstart(bad[i].spec, nothing, NULL));
		ck_assert_int_eq(errno, bad[i].err);
	}
	errno = 0;
	ck_assert_ptr_null(cronstart("@daily", NULL, NULL));
	ck_assert_int_eq(errno, EINVAL);
	FAILS(cronstop(NULL), EINVAL);
}

START_TEST(without_a_scheduler_cronnext_works_and_the_others_are_EPERM)
{
	errno = 0;
	ck_assert_ptr_null(cronstart("@daily", nothing, NULL));
	ck_assert_int_eq(errno, EPERM);
	FAILS(cronstop(NULL), EPERM);
	ck_assert_int_gt(cronnext("@daily", 0), 0);
}
END_TEST

/* The whole program ends when the last cron is stopped: run checks that. */
TASK_TEST(a_stopped_cron_keeps_nobody_waiting)
{
	errno = 77;
	Cron *c = cronstart("@yearly", nothing, NULL);
	Cron *d = cronstart("@yearly", nothing, NULL);

	ck_assert_ptr_nonnull(c);
	ck_assert_ptr_nonnull(d);
	settle();
	ck_assert_int_eq(cronstop(c), 0);
	ck_assert_int_eq(errno, 77);
	FAILS(cronstop(c), EINVAL);
	settle();
	ck_assert_int_eq(cronstop(d), 0);
}

static void
stopit(void *c)
{
	FAILS(cronstop(c), EPERM);
}

TASK_TEST(a_cron_is_of_one_thread)
{
	Cron *c = cronstart("@yearly", nothing, NULL);
	int proc = proccreate(stopit, c, 0);

	ck_assert_int_ge(proc, 0);
	ck_assert_int_eq(procwait(proc, NULL), 0);
	ck_assert_int_eq(cronstop(c), 0);
}

static void
waitsforever(void *v)
{
	Rendez r = {0};

	(void)v;
	Cron *c = cronstart("@yearly", nothing, NULL);
	taskdelay(20);
	fprintf(stderr, "goes on\n");
	cronstop(c);
	tasksleep(&r);
}

START_TEST(no_deadlock_is_reported_until_the_last_cron_is_stopped)
{
	char err[4096];
	int status = childtask(waitsforever, err, sizeof err);

	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	ck_assert_msg(strncmp(err, "goes on\n", 8) == 0 &&
		strstr(err, "no runnable tasks!"), "it said: %s", err);
}
END_TEST

TASK_TEST(taskshutdown_ends_all_crons)
{
	Cron *c = cronstart("@yearly", nothing, NULL);

	settle();
	ck_assert_int_eq(taskshutdown(), 0);
	ck_assert_int_eq(cronstop(c), 0);
}

static int crontask;

static int
iscron(const Taskinfo *t, void *v)
{
	(void)v;
	if(strcmp(t->name, "cron") == 0)
		crontask = t->id;
	return 0;
}

TASK_TEST(a_cron_is_not_started_by_a_task_that_is_about_to_end)
{
	Cron *c = cronstart("@yearly", nothing, NULL), *d;

	settle();
	tasklist(iscron, NULL);
	ck_assert_int_eq(taskcancel(crontask), 0);
	errno = 0;
	ck_assert_ptr_null(cronstart("@yearly", nothing, NULL));
	ck_assert_int_eq(errno, ECANCELED);
	settle();
	d = cronstart("@yearly", nothing, NULL);
	ck_assert_ptr_nonnull(d);
	crontask = 0;
	settle();
	tasklist(iscron, NULL);
	ck_assert_int_gt(crontask, 0);
	ck_assert_int_eq(cronstop(c), 0);
	ck_assert_int_eq(cronstop(d), 0);
}

TEST_MAIN("cron",
	a_cron_is_not_started_by_a_task_that_is_about_to_end,
	the_table_holds_in_UTC,
	the_table_holds_in_Kolkata,
	the_table_holds_in_Berlin,
	the_table_holds_in_New_York,
	the_table_holds_on_Lord_Howe,
	what_is_skipped_in_spring_comes_once_right_after,
	every_hour_is_each_that_passes,
	P17_what_is_shown_twice_in_autumn_counts_once,
	half_an_hour_is_skipped_and_shown_twice_too,
	midnight_and_whole_days_are_skipped_too,
	leap_days_and_far_ones_come,
	seconds_of_an_offset_count,
	a_slow_search_finds_the_same,
	names_and_ranges_are_numbers_in_short,
	both_fields_of_days_mean_either_and_a_star_both,
	what_is_no_spec_is_EINVAL_and_nothing_is_read_behind_it,
	what_is_cut_off_is_no_spec,
	a_day_that_never_comes_is_ENOENT,
	a_cron_of_a_bad_spec_is_not_started,
	without_a_scheduler_cronnext_works_and_the_others_are_EPERM,
	a_stopped_cron_keeps_nobody_waiting,
	a_cron_is_of_one_thread,
	no_deadlock_is_reported_until_the_last_cron_is_stopped,
	taskshutdown_ends_all_crons)
