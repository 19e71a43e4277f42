/* SPDX-License-Identifier: MIT */
/* The console inside: stalls, lines in pieces, letters, what may run out. */
#include "../console/console.h"
#include "../inspect/inspect.h"
#include "../proc/proc.h"
#include "consoletest.h"
#include "fault.h"
#include <pthread.h>

extern int64_t task_stall_ns;
static Talk one;

enum { Ms = 1000000 };

/* A minute is long for a test. */
TASK_TEST(a_session_whose_client_takes_nothing_is_closed)
{
	task_stall_ns = 60 * Ms;
	talk(&one);
	for(int i = 0; i < 400; i++)
		if(write(one.fd, "help\nps\n", 8) < 0)
			break;
	int64_t from = nowns();
	while(!one.over)
		taskdelay(1);
	ck_assert_int_ge(nowns() - from, 40 * Ms);
	ck_assert_int_eq(one.result, 0);
	ck_assert_ptr_null(task_sessions);
	ck_assert_ptr_null(task_proc->console);
	fdclose(one.fd);
}

static void
sleeps(void *v)
{
	(void)v;
	taskdelay(100000);
}

/* All of it may take longer, if each part comes in time. */
TASK_TEST(one_whose_client_is_slow_is_not)
{
	enum { Tasks = 500 };
	size_t n = 0;
	char buf[512];
	int ids[Tasks], least = 1;
	ssize_t r;

	task_stall_ns = 1000 * (int64_t)Ms;
	for(int i = 0; i < Tasks; i++)
		ids[i] = taskcreate(sleeps, NULL, 0);
	talk(&one);
	setsockopt(one.served, SOL_SOCKET, SO_SNDBUF, &least, sizeof least);
	sends(&one, "ps\nquit\n");
	int64_t from = nowns();
	while((r = fdread(one.fd, buf, sizeof buf)) > 0){
		for(ssize_t i = 0; i < r; i++)
			n += buf[i] == '\n';
		taskdelay(20);
	}
	ck_assert_int_ge(nowns() - from, task_stall_ns);
	ck_assert_uint_eq(n, Tasks + 3);
	for(int i = 0; i < Tasks; i++)
		taskcancel(ids[i]);
	fdclose(one.fd);
}

/* Lines come in whatever pieces they like. */
START_TEST(lines_are_the_same_in_any_pieces)
{
	static const struct { const char *text; int is; } wanted[] = {
		{"one", GoodLine}, {"", GoodLine}, {"two words", GoodLine},
		{"x\001y", StrangeLine}, {"tab\there", GoodLine},
		{"cr", GoodLine}};
	enum { Wanted = sizeof wanted / sizeof wanted[0] };
	Random rnd = randomstart();
	Session s;

	for(int round = 0; round < fewer(5000); round++){
		char all[256] = "";
		size_t at = 0, n;
		int k = 0, is;
		for(int i = 0; i < Wanted; i++){
			strcat(all, wanted[i].text);
			strcat(all, i == Wanted - 1 ? "\r\n" : "\n");
		}
		n = strlen(all);
		memset(&s, 0, sizeof s);
		while(at < n){
			size_t m = 1 + randombelow(&rnd, 9);
			m = m < n - at ? m : n - at;
			memcpy(s.buf + s.n, all + at, m);
			s.n += m;
			at += m;
			while((is = task_sessionline(&s)) != NoLine){
				ck_assert_int_eq(is, wanted[k].is);
				if(is == GoodLine)
					ck_assert_str_eq(s.line,
						wanted[k].text);
				k++;
			}
		}
		ck_assert_int_eq(k, Wanted);
		ck_assert_uint_eq(s.n, 0);
	}
}
END_TEST

START_TEST(a_line_that_is_too_long_is_one_line_however_long)
{
	Session s;

	memset(&s, 0, sizeof s);
	for(int i = 0; i < 10; i++){
		memset(s.buf + s.n, 'x', sizeof s.buf - s.n);
		s.n = sizeof s.buf;
		ck_assert_int_eq(task_sessionline(&s), NoLine);
		ck_assert_uint_eq(s.n, 0);
	}
	memcpy(s.buf, "x\nps\n", 5);
	s.n = 5;
	ck_assert_int_eq(task_sessionline(&s), LongLine);
	ck_assert_int_eq(task_sessionline(&s), GoodLine);
	ck_assert_str_eq(s.line, "ps");
	memset(s.buf, 'y', LineMost);
	s.buf[LineMost] = '\n';
	s.n = LineMost + 1;
	ck_assert_int_eq(task_sessionline(&s), GoodLine);
	ck_assert_uint_eq(strlen(s.line), LineMost);
}
END_TEST

START_TEST(json_has_letters_only)
{
	static const char *const pairs[][2] = {
		{"", "\"\""},
		{"a\"b\\c", "\"a\\\"b\\\\c\""},
		{"\n\x7f", "\"\\u000a\\u007f\""},
		{"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
			"\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\""},
		{"\xc3", "\"\\ufffd\""},
		{"\xc0\x80", "\"\\ufffd\\ufffd\""},
		{"\xe0\x80\x80", "\"\\ufffd\\ufffd\\ufffd\""},
		{"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},
		{"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
		{"\x80x\xff", "\"\\ufffdx\\ufffd\""}};
	char text[128];

	for(size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++){
		FILE *f = fmemopen(text, sizeof text, "w");
		task_putjson(f, pairs[i][0]);
		fclose(f);
		ck_assert_str_eq(text, pairs[i][1]);
	}
}
END_TEST

/* Whatever the system refuses, nothing is left of the attempt. */
TASK_TEST(a_console_that_cannot_be_opened_leaves_nothing)
{
	const char *path = testpath();
	long n = 1, live;
	int nfds, failed = 1;

	if(TestFewer > 1)
		TEST_SKIP("the console's thread makes calls that count too");
	ck_assert_ptr_nonnull(task_door(task_proc));
	faultstart();
	nfds = openfds();
	live = fault.nlive;
	for(; failed; n++){
		faultarm(n, 1, 0);
		int r = console(path);
		failed = fault.nfailed > 0;
		faultarm(0, 0, 0);
		if(r == 0)
			break;
		ck_assert_int_eq(failed, 1);
		ck_assert_int_ne(errno, 0);
		ck_assert_int_eq(openfds(), nfds);
		ck_assert_int_eq(fault.nlive, live);
		ck_assert_int_lt(access(path, F_OK), 0);
	}
	ck_assert_int_ge(n, 3);
	talkto(&one, path);
	becomes(&one, "ps", "fdwait");
	fdclose(one.fd);
}

/* A session more than there may be, and then as many again. */
TASK_TEST(there_are_64_sessions_at_a_time)
{
	const char *path = testpath();
	static Talk t[64];
	char text[64];

	if(!roomfor(300))
		TEST_SKIP("too few descriptors");
	ck_assert_int_eq(console(path), 0);
	for(int i = 0; i < 64; i++){
		talkto(&t[i], path);
		asks(&t[i], "");
	}
	int fd = calls(path);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	ssize_t n = fdread(fd, text, sizeof text - 1);
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	ck_assert_str_eq(text, "too many sessions\n");
	fdclose(fd);
	for(int i = 0; i < 64; i++)
		fdclose(t[i].fd);
	for(int i = 0; i < 1000 && task_sessions; i++)
		taskdelay(1);
	ck_assert_ptr_null(task_sessions);
	talkto(&one, path);
	becomes(&one, "ps", "fdwait");
	fdclose(one.fd);
}

TEST_MAIN("console, inside",
	a_session_whose_client_takes_nothing_is_closed,
	one_whose_client_is_slow_is_not,
	lines_are_the_same_in_any_pieces,
	a_line_that_is_too_long_is_one_line_however_long,
	json_has_letters_only,
	a_console_that_cannot_be_opened_leaves_nothing,
	there_are_64_sessions_at_a_time)
