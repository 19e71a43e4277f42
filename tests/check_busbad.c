/* SPDX-License-Identifier: MIT */
/* A bus whose server says what no Redis would. */
#include "fakeredis.h"

static Said what, greeting;

static Said
sayswhat(const redisReply *command)
{
	Said s = fakegreeting(command);

	return s.n ? s : what;
}

static Said
greets(const redisReply *command)
{
	(void)command;
	return greeting;
}

static Bus *bus;
static Channel *channel;

static int
callone(void)
{
	Busreply *r;
	int done = buscall(bus, &r, "GET x");

	if(done == 0)
		busreplyfree(r);
	return done;
}

static int
publishone(void)
{
	return buspublish(bus, "t", "x", 1) < 0 ? -1 : 0;
}

static int
appendone(void)
{
	Busid id;

	return busappend(bus, "s", "x", 1, &id);
}

static int
got(Busmsg *m)
{
	int r = m ? 0 : -1;

	busmsgfree(m);
	return r;
}

static int
takeone(void)
{
	return got(bustake(bus, "s", "g", "w"));
}

static int
claimone(void)
{
	return got(busclaim(bus, "s", "g", "w", 0));
}

static int
ackone(void)
{
	Busmsg m = {.topic = "s", .group = "g"};

	return busack(bus, &m);
}

static int
subscribeone(void)
{
	return bussubscribe(bus, "t", channel);
}

static int (*const calls[])(void) = {callone, publishone, appendone, takeone,
	claimone, ackone, subscribeone};

enum { Calls = sizeof calls / sizeof calls[0] };

static int nwrong;

/*
 * makes each call once, answered so.  All fail with one of these, or wait for
 * the rest; buscall does not mind what kind of answer it is.
 */
static void
callall(Said said, int isanswer)
{
	what = said;
	for(int i = 0; i < Calls; i++){
		Timeout t;
		bus = busopen(fake.url);
		ck_assert_ptr_nonnull(bus);
		timeoutstart(&t, 20);
		int r = calls[i]();
		int err = errno;
		ck_assert_msg((r == 0 && isanswer && i == 0) || (r < 0 &&
			(err == EPROTO || err == EINPROGRESS || err == ENOENT ||
			err == ENOTCONN || err == ETIMEDOUT ||
			err == ENOMEM)),
			"call %d, %.*s: %d, %s", i, (int)said.n, said.v, r,
			strerror(err));
		timeoutstop(&t);
		nwrong += r < 0 && err == EPROTO;
		ck_assert_int_eq(busclose(bus), 0);
	}
}

static void
withfake(void (*body)(void *))
{
	run(nothing);
	int before = openfds();
	run(body);
	ck_assert_int_eq(openfds(), before);
}

#define FAKE_TEST(name) TASK_TEST_BY(name, withfake(body))

FAKE_TEST(what_is_no_answer_is_an_error)
{
	static const Said bad[] = {SAID("GET / HTTP/1.1\r\n\r\n"), SAID("\r\n"),
		SAID("\0\0\0\0\r\n"),
		SAID("$-2\r\n"), SAID("*-2\r\n"), SAID(":x\r\n"),
		SAID("$99999999999999999999\r\n"), SAID("*99999999999\r\n"),
		SAID("*2147483647\r\n:1\r\n"), SAID("*1000000000\r\n"),
		SAID("$9223372036854775807\r\nx"), SAID("*1048576\r\n"),
		SAID("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"
			"*1\r\n*1\r\n*1\r\n:1\r\n"),
		SAID("-"), SAID("*3\r\n$7\r\nmessage\r\n"), {"", 0, 1},
		{"$5\r\nab", 7, 1}, {"*1\r\n*2\r\n$1\r\ns\r\n", 16, 1}};

	channel = chancreate(sizeof(Busmsg *), 4);
	ck_assert_int_eq(fakestart(sayswhat), 0);
	for(size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		callall(bad[i], 0);
	fakestop();
	chanfree(channel);
}

/* An answer, but to something else: only buscall does not mind. */
FAKE_TEST(an_answer_of_another_kind_is_an_error)
{
	static const Said odd[] = {SAID("+\r\n"), SAID("-\r\n"),
		SAID("-ERR\r\n"),
		SAID("$0\r\n\r\n"), SAID("$-1\r\n"), SAID("*-1\r\n"),
		SAID("*0\r\n"), SAID("*1\r\n*-1\r\n"), SAID("*1\r\n*0\r\n"),
		SAID("*1\r\n*1\r\n$1\r\ns\r\n"),
		SAID("*1\r\n*2\r\n$1\r\ns\r\n:1\r\n"),
		SAID("*1\r\n*2\r\n$1\r\ns\r\n*1\r\n:1\r\n"),
		SAID("*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*1\r\n$3\r\n1-1\r\n"),
		SAID("*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\nx-1\r\n*-1\r\n"),
		SAID("*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*0\r\n"),
		SAID("*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$2\r\n1-\r\n*-1\r\n"),
		SAID("*3\r\n$3\r\n0-0\r\n*1\r\n:1\r\n*0\r\n"),
		SAID("*3\r\n$1\r\n0\r\n*0\r\n*0\r\n"),
		SAID("*2\r\n$3\r\n0-0\r\n:1\r\n"),
		SAID("*2\r\n$7\r\nmessage\r\n$1\r\nt\r\n"),
		SAID("*3\r\n:1\r\n$1\r\nt\r\n:1\r\n"),
		SAID("$3\r\n1-x\r\n"), SAID("$3\r\n-11\r\n"),
		SAID("$2\r\n11\r\n")};

	channel = chancreate(sizeof(Busmsg *), 4);
	ck_assert_int_eq(fakestart(sayswhat), 0);
	for(size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
		callall(odd[i], 1);
	ck_assert_int_gt(nwrong, 60);
	fakestop();
	chanfree(channel);
}

FAKE_TEST(refusals_are_told_apart)
{
	static const struct { Said said; int err; } kinds[] = {
		{SAID("-NOAUTH x\r\n"), EACCES}, {SAID("-NOPERM\r\n"), EACCES},
		{SAID("-LOADING x\r\n"), EAGAIN}, {SAID("-BUSY x\r\n"), EAGAIN},
		{SAID("-WRONGTYPE x\r\n"), EINVAL},
		{SAID("-MISCONF x\r\n"), EIO}, {SAID("-OOM x\r\n"), ENOSPC},
		{SAID("-READONLY x\r\n"), EROFS},
		{SAID("-READ x\r\n"), EPROTO}, {SAID("-ERR x\r\n"), EPROTO}};

	channel = chancreate(sizeof(Busmsg *), 4);
	ck_assert_int_eq(fakestart(sayswhat), 0);
	for(size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++){
		what = kinds[i].said;
		bus = busopen(fake.url);
		ck_assert_ptr_nonnull(bus);
		for(int k = 0; k < Calls; k++)
			if(calls[k] != takeone || kinds[i].err != EAGAIN)
				FAILS(calls[k](), kinds[i].err);
		ck_assert_int_eq(strncmp(buserror(bus), what.v + 1, 4), 0);
		ck_assert_int_eq(busclose(bus), 0);
	}
	fakestop();
	chanfree(channel);
}

FAKE_TEST(a_bad_greeting_is_told)
{
	static const struct { Said said; int err; } kinds[] = {
		{SAID(":1\r\n"), EPROTO}, {SAID("SSH-2.0-x\r\n"), EPROTO},
		{SAID("-LOADING x\r\n"), EAGAIN},
		{SAID("-NOAUTH x\r\n"), EACCES},
		{SAID("-ERR max number of clients reached\r\n"), EPROTO},
		{{"", 0, 1}, ECONNRESET}, {{"", 0, 0}, ETIMEDOUT}};

	ck_assert_int_eq(fakestart(greets), 0);
	for(size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++){
		Timeout t;
		greeting = kinds[i].said;
		timeoutstart(&t, kinds[i].err == ETIMEDOUT ? 20 : 10000);
		errno = 0;
		ck_assert_ptr_null(busopen(fake.url));
		ck_assert_int_eq(errno, kinds[i].err);
		timeoutstop(&t);
	}
	fakestop();
}

FAKE_TEST(an_answer_may_come_byte_by_byte)
{
	Busreply *r;

	fake.slow = 1;
	what = SAID("*2\r\n$5\r\nhello\r\n*1\r\n:-12\r\n");
	ck_assert_int_eq(fakestart(sayswhat), 0);
	bus = busopen(fake.url);
	ck_assert_ptr_nonnull(bus);
	ck_assert_int_eq(buscall(bus, &r, "X"), 0);
	ck_assert_str_eq(r->v[0].s, "hello");
	ck_assert_int_eq(r->v[1].v[0].i, -12);
	busreplyfree(r);
	ck_assert_int_eq(busclose(bus), 0);
	fakestop();
}

FAKE_TEST(what_nobody_asked_for_ends_the_connection)
{
	Busreply *r;

	what = SAID("+one\r\n+two\r\n");
	ck_assert_int_eq(fakestart(sayswhat), 0);
	bus = busopen(fake.url);
	ck_assert_ptr_nonnull(bus);
	ck_assert_int_eq(buscall(bus, &r, "X"), 0);
	ck_assert_str_eq(r->s, "one");
	busreplyfree(r);
	while(busstate(bus) == 0)
		taskdelay(1);
	FAILS(busstate(bus), EPROTO);
	ck_assert_int_eq(buswait(bus), 0);
	ck_assert_int_eq(fake.nconnected, 2);
	ck_assert_int_eq(buscall(bus, &r, "X"), 0);
	ck_assert_str_eq(r->s, "one");
	busreplyfree(r);
	ck_assert_int_eq(busclose(bus), 0);
	fakestop();
}

/* After 10, 20, 40 ... ms at most, and half of that at least. */
FAKE_TEST(a_server_that_hangs_up_is_dialled_less_and_less)
{
	int64_t start_ns = nowns();

	what = (Said){"", 0, 1};
	ck_assert_int_eq(fakestart(sayswhat), 0);
	bus = busopen(fake.url);
	ck_assert_ptr_nonnull(bus);
	for(int64_t least_ns = 5000000, sum_ns = 0; least_ns < 100000000;
			least_ns *= 2){
		int before = fake.nconnected;
		FAILS(buscall(bus, NULL, "X"), EINPROGRESS);
		ck_assert_int_eq(buswait(bus), 0);
		ck_assert_int_eq(fake.nconnected, before + 1);
		sum_ns += least_ns;
		ck_assert_int_ge(nowns() - start_ns, sum_ns);
	}
	ck_assert_int_eq(busclose(bus), 0);
	fakestop();
}

TEST_MAIN("bus, bad server", what_is_no_answer_is_an_error,
	an_answer_of_another_kind_is_an_error, refusals_are_told_apart,
	a_bad_greeting_is_told, an_answer_may_come_byte_by_byte,
	what_nobody_asked_for_ends_the_connection,
	a_server_that_hangs_up_is_dialled_less_and_less)
