/* SPDX-License-Identifier: MIT */
/* TLS on streams: what both sides do and say, and what a peer may do to us. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tlstest.h"

/* runs body with a server of a good certificate and a client. */
#define SIDES_TEST(name) \
	TASK_TEST_BY(name, run(body); freesides())

/* Two of ours */

SIDES_TEST(bytes_go_both_ways_and_the_end_is_told)
{
	char *line;

	tlssides("good");
	connected(0);
	errno = EDOM;
	says(b, "a question\n");
	ck_assert_int_eq(streamline(a, &line), 10);
	ck_assert_str_eq(line, "a question");
	ck_assert_int_eq(streamprint(a, "an %s\n", "answer"), 10);
	ck_assert_int_eq(streamflush(a), 0);
	hears(b, "an answer\n");
	ck_assert_int_eq(streamshut(b), 0);
	FAILS(streamwrite(b, "x", 1), EPIPE);
	errno = EDOM;
	isend(a);
	says(a, "later");
	ck_assert_int_eq(streamclose(a), 0);
	hears(b, "later");
	isend(b);
	ck_assert_int_eq(errno, EDOM);
	ck_assert_int_eq(streamclose(b), 0);
}

SIDES_TEST(tlsinfo_tells_what_was_agreed)
{
	Tlsinfo info;

	tlssides("good");
	streams(0);
	FAILS(tlsinfo(a, &info), ENOENT);
	FAILS(tlsinfo(NULL, &info), EINVAL);
	shake("good.test");
	FAILS(tlsinfo(b, NULL), EINVAL);
	errno = EDOM;
	ck_assert_int_eq(tlsinfo(b, &info), 0);
	ck_assert_str_eq(info.version, "TLSv1.3");
	ck_assert_ptr_nonnull(strstr(info.cipher, "TLS_"));
	ck_assert_str_eq(info.subject, "CN=good");
	ck_assert_str_eq(info.name, "good.test");
	ck_assert_ptr_null(info.protocol);
	ck_assert_int_eq(info.resumed, 0);
	ck_assert_int_eq(tlsinfo(a, &info), 0);
	ck_assert_str_eq(info.version, "TLSv1.3");
	ck_assert_str_eq(info.name, "good.test");
	ck_assert_ptr_null(info.subject);
	ck_assert_int_eq(errno, EDOM);
	closeboth();
}

/* The subject of whom a client of that name gets. */
static void
meets(const char *name, const char *subject, int resumed)
{
	Tlsinfo info;

	streams(0);
	shake(name);
	says(a, "x");	/* tickets come before that */
	hears(b, "x");
	ck_assert_int_eq(tlsinfo(b, &info), 0);
	ck_assert_str_eq(info.subject, subject);
	ck_assert_int_eq(info.resumed, resumed);
	ck_assert_int_eq(tlsinfo(a, &info), 0);
	ck_assert_int_eq(info.resumed, resumed);
	closeboth();
}

SIDES_TEST(a_client_gets_the_certificate_of_the_name_that_it_asks_for)
{
	tlssides("good");
	addcert("wild");
	addcert("next");
	meets("a.wild.test", "CN=wild", 0);
	meets("localhost", "CN=good", 0);
	meets("127.0.0.1", "CN=good", 0);
	meets("b.wild.test", "CN=wild", 0);
}

SIDES_TEST(a_dot_at_the_end_of_a_name_is_no_part_of_it)
{
	Tlsinfo info;

	tlssides("next");
	addcert("good");
	addcert("wild");
	meets("a.wild.test.", "CN=wild", 0);
	meets("a.wild.test", "CN=wild", 1);
	streams(0);
	shake("GOOD.test.");
	ck_assert_int_eq(tlsinfo(a, &info), 0);
	ck_assert_str_eq(info.name, "GOOD.test");
	closeboth();
}

/* An address is in no name, and nobody is asked for one. */
SIDES_TEST(an_address_is_looked_for_among_addresses)
{
	Tlsinfo info;

	tlssides("good");
	streams(0);
	shake("127.0.0.1");
	ck_assert_int_eq(tlsinfo(a, &info), 0);
	ck_assert_ptr_null(info.name);
	closeboth();
	streams(0);
	FAILS(tryshake("::1"), EACCES);
	ck_assert_ptr_nonnull(strstr(tlserror(), "IP address mismatch"));
	closeboth();
	acceptends();
}

SIDES_TEST(a_certificate_is_not_for_the_name_of_its_subject)
{
	tlssides("bare");
	addcert("next");
	meets("good.test", "CN=next", 0);
}

SIDES_TEST(a_session_is_resumed_with_the_same_name_only)
{
	tlssides("good");
	meets("good.test", "CN=good", 0);
	meets("localhost", "CN=good", 0);
	meets("good.test", "CN=good", 1);
	meets("good.test", "CN=good", 1);
	ck_assert_int_eq(tlsreload(server), 0);
	meets("good.test", "CN=good", 1);
	ck_assert_int_eq(tlsreload(client), 0);
	meets("good.test", "CN=good", 0);
}

SIDES_TEST(the_best_protocol_of_the_server_is_agreed_on)
{
	Tlsinfo info;

	tlssides("good");
	ck_assert_int_eq(tlsalpn(server, "h2,http/1.1"), 0);
	meets("good.test", "CN=good", 0);	/* who asks for none */
	ck_assert_int_eq(tlsalpn(client, "spdy,http/1.1,h2"), 0);
	connected(0);
	ck_assert_int_eq(tlsinfo(a, &info), 0);
	ck_assert_str_eq(info.protocol, "h2");
	ck_assert_int_eq(tlsinfo(b, &info), 0);
	ck_assert_str_eq(info.protocol, "h2");
	closeboth();
	ck_assert_int_eq(tlsalpn(client, "gopher"), 0);
	streams(0);
	FAILS(tryshake("good.test"), EPROTO);
	ck_assert_ptr_nonnull(strstr(tlserror(), "no application protocol"));
	closeboth();
	acceptends();
	ck_assert_int_eq(accepterr, EPROTO);
	FAILS(tlsalpn(client, ""), EINVAL);
	FAILS(tlsalpn(client, "a,,b"), EINVAL);
	FAILS(tlsalpn(client, "a,"), EINVAL);
}

/* Other files in the place of those that a server was made of. */
static void
place(const char *file)
{
	unlink(incerts("use"));
	ck_assert_int_eq(link(incerts(file), incerts("use")), 0);
}

SIDES_TEST(tlsreload_has_new_connections_get_the_new_certificate)
{
	place("good");
	tlssides("use");
	connected(0);
	Stream *olda = a, *oldb = b;
	place("next");
	meets("localhost", "CN=good", 0);
	errno = EDOM;
	ck_assert_int_eq(tlsreload(server), 0);
	ck_assert_int_eq(errno, EDOM);
	meets("127.0.0.1", "CN=next", 0);
	says(olda, "still here");
	hears(oldb, "still here");
	a = olda;
	b = oldb;
	closeboth();
}

SIDES_TEST(a_reload_that_fails_leaves_what_there_was)
{
	place("good");
	tlssides("use");
	unlink(incerts("use"));
	FAILS(tlsreload(server), ENOENT);
	ck_assert_ptr_nonnull(strstr(tlserror(), "No such file"));
	FILE *f = fopen(incerts("use"), "w");
	fprintf(f, "no certificate\n");
	fclose(f);
	FAILS(tlsreload(server), EINVAL);
	ck_assert_ptr_nonnull(strstr(tlserror(), "use: "));
	FAILS(tlsadd(server, incerts("good"), incerts("next")), EINVAL);
	ck_assert_msg(strstr(tlserror(), "mismatch") != NULL, "%s", tlserror());
	FAILS(tlspeers(server, incerts("none")), ENOENT);
	meets("good.test", "CN=good", 0);
}

SIDES_TEST(a_server_may_ask_who_its_clients_are)
{
	Tlsinfo info;
	char c;

	tlssides("good");
	ck_assert_int_eq(tlspeers(server, incerts("ca")), 0);
	FAILS(tlspeers(client, incerts("ca")), EINVAL);
	streams(0);
	tryshake("good.test");	/* it has not been told yet */
	acceptends();
	ck_assert_int_eq(accepted, -1);
	ck_assert_int_eq(accepterr, EACCES);
	FAILS(streamread(b, &c, 1), EPROTO);
	ck_assert_ptr_nonnull(strstr(tlserror(), "certificate required"));
	closeboth();
	ck_assert_int_eq(tlsadd(client, incerts("client"), incerts("client")),
		0);
	FAILS(tlsadd(client, incerts("good"), incerts("good")), EINVAL);
	connected(0);
	ck_assert_int_eq(tlsinfo(a, &info), 0);
	ck_assert_str_eq(info.subject, "CN=Some Client");
	closeboth();
}

/* A client without a certificate, or with one of another authority. */
static void
refused(void)
{
	streams(0);
	tryshake("good.test");
	acceptends();
	ck_assert_int_eq(accepted, -1);
	ck_assert_int_eq(accepterr, EACCES);
	closeboth();
}

SIDES_TEST(no_ticket_of_before_spares_a_client_what_is_asked_for_now)
{
	tlssides("good");
	meets("good.test", "CN=good", 0);
	ck_assert_int_eq(tlspeers(server, incerts("ca")), 0);
	refused();
	ck_assert_int_eq(tlsadd(client, incerts("client"), incerts("client")),
		0);
	meets("good.test", "CN=good", 0);
	meets("good.test", "CN=good", 1);
	FAILS(tlspeers(server, incerts("none")), ENOENT);
	meets("good.test", "CN=good", 1);
	ck_assert_int_eq(tlspeers(server, incerts("other")), 0);
	refused();
}

/* What a client of the same certificate sees when others are trusted. */
SIDES_TEST(no_session_of_before_is_resumed_when_others_are_trusted)
{
	server = newserver("good");
	place("ca");
	client = newclient("use");
	connected(0);
	place("other");
	ck_assert_int_eq(tlsreload(client), 0);
	says(a, "x");	/* and the tickets, of a session of before */
	hears(b, "x");
	closeboth();
	streams(0);
	FAILS(tryshake("good.test"), EACCES);
	ck_assert_ptr_nonnull(strstr(tlserror(), "unable to get"));
	closeboth();
	acceptends();
}

/* What a client does that is shown this certificate. */
static void
distrusts(const char *file, const char *ca, const char *name, const char *why)
{
	char c;

	server = newserver(file);
	client = newclient(ca);
	streams(0);
	FAILS(tryshake(name), EACCES);
	ck_assert_msg(strstr(tlserror(), why) != NULL, "%s", tlserror());
	FAILS(streamwrite(b, "x", 1), EACCES);
	FAILS(streamread(b, &c, 1), EACCES);
	acceptends();
	if(accepted == 0)
		FAILS(streamread(a, &c, 1), EPROTO);
	else
		ck_assert_int_eq(accepterr, EPROTO);
	closeboth();
	freesides();
	server = client = NULL;
}

TASK_TEST(certificates_that_are_not_to_be_trusted_are_EACCES)
{
	distrusts("good", "ca", "other.test", "hostname mismatch");
	distrusts("good", "ca", "127.0.0.2", "IP address mismatch");
	distrusts("named", "ca", "good.test", "hostname mismatch");
	distrusts("bare", "ca", "good.test", "hostname mismatch");
	distrusts("good", "ca", "good.test..", "hostname mismatch");
	distrusts("wild", "ca", "wild.test", "hostname mismatch");
	distrusts("wild", "ca", "a.b.wild.test", "hostname mismatch");
	distrusts("old", "ca", "good.test", "expired");
	distrusts("self", "ca", "good.test", "self-signed");
	distrusts("good", "other", "good.test", "unable to get");
}

/* Peers that are not as they should be */

static void
garbler(void *text)
{
	fdwrite(fds[1], text, strlen(text));
	drain(fds[1]);
	shutdown(fds[1], SHUT_WR);
}

/* What a server says of a client that sends that, and hangs up. */
static void
garbage(const char *text, int err, const char *why)
{
	tcppair(fds);
	a = streamopen(fds[0], 0);
	beside(garbler, (void *)(uintptr_t)text);
	FAILS(streamtls(a, server, NULL), err);
	ck_assert_msg(strstr(tlserror(), why) != NULL, "%s", tlserror());
	fdclose(fds[1]);
	ck_assert_int_eq(streamclose(a), 0);
}

SIDES_TEST(what_is_no_TLS_is_EPROTO)
{
	int before = openfds();

	tlssides("good");
	garbage("GET / HTTP/1.1\r\nHost: x\r\n\r\n", EPROTO, "http request");
	garbage("\x80\x80\x80\x80garbage\n and more of it", EPROTO, "");
	garbage("\x16\x03\x01", ECONNABORTED, "hung up");
	garbage("", ECONNABORTED, "hung up");
	ck_assert_int_eq(openfds(), before);
}

static void
greeter(void *v)
{
	(void)v;
	fdwrite(fds[0], "220 mail.test ESMTP\r\n", 21);
}

SIDES_TEST(a_server_that_does_not_speak_TLS_is_EPROTO)
{
	tlssides("good");
	tcppair(fds);
	b = streamopen(fds[1], 0);
	beside(greeter, NULL);
	FAILS(streamtls(b, client, "good.test"), EPROTO);
	ck_assert_ptr_nonnull(strstr(tlserror(), "wrong version number"));
	fdclose(fds[0]);
	ck_assert_int_eq(streamclose(b), 0);
}

SIDES_TEST(random_bytes_are_never_a_handshake)
{
	Random r = randomstart();
	char bytes[600];

	tlssides("good");
	for(int round = 0; round < fewer(300) + 20; round++){
		size_t n = 1 + randombelow(&r, sizeof bytes - 1);
		for(size_t i = 0; i < n; i++)
			bytes[i] = (char)randombelow(&r, 256);
		if(round % 2)	/* of the right kind */
			memcpy(bytes, "\x16\x03\x01\0\xff\x01\0\0\xfb\x03\x03",
				11);
		pair(fds);
		a = streamopen(fds[0], 0);
		ck_assert_int_eq(write(fds[1], bytes, n), (ssize_t)n);
		shutdown(fds[1], SHUT_WR);
		ck_assert_msg(streamtls(a, server, NULL) < 0, "seed %lu",
			r.seed);
		ck_assert_msg(errno == EPROTO || errno == ECONNABORTED,
			"seed %lu: %s", r.seed, strerror(errno));
		fdclose(fds[1]);
		ck_assert_int_eq(streamclose(a), 0);
	}
}

/* What stands between the two in some tests: wires[0] is a's, [1] b's. */
static int wires[2];
static size_t cutafter, passed;	/* bytes from b to a */
static int flipped;	/* one of these is changed, if not 0 */
static size_t atatime;

static void
relay(void *v)
{
	int i = (int)(intptr_t)v;
	char buf[4096];
	ssize_t n;

	tasksystem();
	while((n = fdread(wires[i], buf, atatime)) > 0){
		if(i == 1){
			if(passed + (size_t)n > cutafter)
				n = (ssize_t)(cutafter - passed);
			passed += (size_t)n;
			if(flipped && passed >= (size_t)flipped){
				buf[n - 1] ^= 1;
				flipped = 0;
			}
		}
		if(fdwrite(wires[1 - i], buf, (size_t)n) < 0 ||
				passed == cutafter)
			break;
	}
	shutdown(wires[1 - i], SHUT_WR);
}

static void
relayed(size_t bytes)
{
	int other[2];

	pair(fds);
	pair(other);
	a = streamopen(fds[0], 0);
	b = streamopen(other[0], 0);
	wires[0] = fds[1];
	wires[1] = other[1];
	fds[1] = other[0];
	passed = 0;
	cutafter = SIZE_MAX;
	atatime = bytes;
	beside(relay, (void *)0);
	beside(relay, (void *)1);
}

static void
closerelayed(void)
{
	shutdown(wires[0], SHUT_RDWR);
	shutdown(wires[1], SHUT_RDWR);
	streamclose(a);
	streamclose(b);
	settle();
	fdclose(wires[0]);
	fdclose(wires[1]);
}

SIDES_TEST(bytes_that_come_one_by_one_are_enough)
{
	tlssides("good");
	relayed(1);
	shake("good.test");
	says(b, "ask");
	hears(a, "ask");
	says(a, "answer");
	hears(b, "answer");
	ck_assert_int_eq(streamshut(b), 0);
	isend(a);
	ck_assert_int_eq(streamshut(a), 0);
	isend(b);
	closerelayed();
}

SIDES_TEST(a_record_that_was_cut_off_is_ECONNABORTED)
{
	char buf[10];

	tlssides("good");
	relayed(4096);
	shake("good.test");
	says(b, "whole");
	hears(a, "whole");
	cutafter = passed + 10;
	says(b, "a part of this only");
	FAILS(streamread(a, buf, 10), ECONNABORTED);
	FAILS(streamread(a, buf, 10), ECONNABORTED);
	ck_assert_ptr_nonnull(strstr(tlserror(), "hung up"));
	says(a, "heard still");
	hears(b, "heard still");
	closerelayed();
}

SIDES_TEST(a_bit_that_was_changed_is_EPROTO_and_stays_so)
{
	char buf[10];

	tlssides("good");
	relayed(4096);
	shake("good.test");
	flipped = (int)passed + 1;
	says(b, "not that");
	FAILS(streamread(a, buf, 10), EPROTO);
	ck_assert_ptr_nonnull(strstr(tlserror(), "bad record mac"));
	FAILS(streamread(a, buf, 10), EPROTO);
	streamwrite(a, "x", 1);
	FAILS(streamflush(a), EPROTO);
	FAILS(streamread(b, buf, 10), EPROTO);
	ck_assert_ptr_nonnull(strstr(tlserror(), "alert bad record mac"));
	closerelayed();
}

SIDES_TEST(an_end_that_nobody_has_said_is_ECONNABORTED)
{
	char c;

	tlssides("good");
	connected(0);
	says(b, "some");
	shutdown(fds[1], SHUT_WR);
	hears(a, "some");
	FAILS(streamread(a, &c, 1), ECONNABORTED);
	says(a, "rest");
	shutdown(fds[0], SHUT_WR);
	hears(b, "rest");
	FAILS(streamread(b, &c, 1), ECONNABORTED);
	streamclose(a);
	streamclose(b);
}

/* Deadlines and cancel */

SIDES_TEST(S4_7_a_handshake_that_stalls_ends_with_its_deadline)
{
	Timeout t;
	char c;
	int before = openfds();

	tlssides("good");
	for(int i = 0; i < 3; i++){
		streams(0);
		timeoutstart(&t, 5);
		FAILS(i ? streamtls(b, client, "good.test") :
			streamtls(a, server, NULL), ETIMEDOUT);
		timeoutstop(&t);
		FAILS(streamread(i ? b : a, &c, 1), ECONNABORTED);
		FAILS(streamwrite(i ? b : a, &c, 1), ECONNABORTED);
		closeboth();
	}
	ck_assert_int_eq(openfds(), before);
}

static int cancelled;

static void
cancelledone(void *v)
{
	char c;

	(void)v;
	FAILS(streamtls(a, server, NULL), ECANCELED);
	FAILS(streamread(a, &c, 1), ECONNABORTED);
	streamclose(a);
	cancelled++;
}

static void
cancelledreader(void *v)
{
	char c;

	(void)v;
	FAILS(streamread(a, &c, 1), ECANCELED);
	cancelled++;
}

SIDES_TEST(cancel_ends_a_handshake_and_leaves_a_stream_as_it_was)
{
	tlssides("good");
	streams(0);
	int id = taskcreate(cancelledone, NULL, 0);
	settle();
	ck_assert_int_eq(taskcancel(id), 0);
	settle();
	ck_assert_int_eq(cancelled, 1);
	streamclose(b);
	connected(0);
	id = taskcreate(cancelledreader, NULL, 0);
	settle();
	ck_assert_int_eq(taskcancel(id), 0);
	settle();
	ck_assert_int_eq(cancelled, 2);
	says(b, "goes on");
	hears(a, "goes on");
	closeboth();
}

/* Streams with TLS are streams */

static int shaken;

static void
upgrader(void *v)
{
	(void)v;
	ck_assert_int_eq(streamwrite(b, "STARTTLS\n", 9), 9);
	ck_assert_int_eq(streamtls(b, client, "good.test"), 0);
	says(b, "secret");
	shaken = 1;
}

/* begins both ways of TLS in one packet, and lets a read all of that. */
static void
upgrade(void)
{
	char *line;
	void *v;
	int n = 0;

	streams(0);
	beside(upgrader, NULL);
	for(int i = 0; i < 5000 && n < 100; i++){
		taskdelay(1);
		ioctl(fds[0], FIONREAD, &n);
	}
	ck_assert_int_eq(streamline(a, &line), 8);
	ck_assert_str_eq(line, "STARTTLS");
	ck_assert_int_gt(streampeek(a, 0, &v), 0);
}

SIDES_TEST(what_was_written_goes_before_and_what_was_read_ahead_is_TLS)
{
	tlssides("good");
	upgrade();
	ck_assert_int_eq(streamtls(a, server, NULL), 0);
	hears(a, "secret");
	ck_assert_int_eq(shaken, 1);
	FAILS(streamtls(a, server, NULL), EALREADY);
	closeboth();
}

SIDES_TEST(calls_that_cannot_work_change_nothing)
{
	char name[300];

	tlssides("good");
	memset(name, 'a', sizeof name);
	name[299] = '\0';
	streams(0);
	FAILS(streamtls(b, client, NULL), EINVAL);
	FAILS(streamtls(b, client, ""), EINVAL);
	FAILS(streamtls(b, client, "."), EINVAL);
	FAILS(streamtls(b, client, ".good.test"), EINVAL);
	FAILS(streamtls(b, client, name), EINVAL);
	FAILS(streamtls(b, NULL, "good.test"), EINVAL);
	FAILS(streamtls(NULL, client, "good.test"), EINVAL);
	streamskip(a, 1);
	FAILS(streamtls(a, server, NULL), EINVAL);
	says(b, ".");
	says(b, "plain");
	hears(a, "plain");
	shake("good.test");
	closeboth();
	ck_assert_ptr_null(tlsserver(NULL, NULL));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_null(tlsserver(incerts("none"), incerts("good")));
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_ptr_null(tlsclient(incerts("none")));
	ck_assert_int_eq(errno, ENOENT);
	FAILS(tlsadd(NULL, "", ""), EINVAL);
	FAILS(tlsreload(NULL), EINVAL);
	FAILS(tlsalpn(NULL, "x"), EINVAL);
	tlsfree(NULL);
}

SIDES_TEST(streampeek_shows_what_was_decrypted_or_could_be)
{
	void *seen;

	tlssides("good");
	connected(0);
	ck_assert_int_eq(streampeek(a, 0, &seen), 0);
	says(b, "one");
	says(b, "two");
	says(b, "three");
	hears(a, "o");
	ck_assert_int_eq(streampeek(a, 0, &seen), 2);
	hears(a, "ne");
	ck_assert_int_eq(streampeek(a, 0, &seen), 3);
	ck_assert_mem_eq(seen, "two", 3);
	hears(a, "two");
	ck_assert_int_eq(streamskip(a, 2), 0);
	ck_assert_int_eq(streampeek(a, 0, &seen), 3);
	ck_assert_mem_eq(seen, "ree", 3);
	hears(a, "ree");
	errno = EDOM;
	ck_assert_int_eq(streampeek(a, 0, &seen), 0);
	ck_assert_int_eq(errno, EDOM);
	closeboth();
}

enum { Mark = 251 };	/* what is sent repeats after that */

static void
fillbytes(char *v, size_t n, size_t at)
{
	for(size_t i = 0; i < n; i++)
		v[i] = (char)((at + i) % Mark);
}

static void
samebytes(const char *v, size_t n, size_t at)
{
	for(size_t i = 0; i < n; i++)
		if(v[i] != (char)((at + i) % Mark))
			ck_abort_msg("another byte at %zu", at + i);
}

/* Whoever has both sides at once: how much, and when it is done. */
static size_t total;
static int ndone;

static void
pump(void *v)
{
	enum { Bytes = 50000 };
	char *buf = malloc(Bytes);

	for(size_t at = 0, n; at < total; at += n){
		n = total - at < Bytes ? total - at : Bytes;
		fillbytes(buf, n, at);
		ck_assert_int_eq(streamwrite(v, buf, n), (ssize_t)n);
	}
	ck_assert_int_eq(streamshut(v), 0);
	free(buf);
	ndone++;
}

static void
sink(void *v)
{
	enum { Bytes = 30000 };
	char *buf = malloc(Bytes);
	size_t at = 0;
	ssize_t n;

	while((n = streamread(v, buf, Bytes)) > 0){
		samebytes(buf, (size_t)n, at);
		at += (size_t)n;
	}
	ck_assert_int_eq(n, 0);
	ck_assert_uint_eq(at, total);
	free(buf);
	ndone++;
}

SIDES_TEST(much_goes_both_ways_at_once)
{
	tlssides("good");
	total = watched() ? 1 << 20 : 16 << 20;
	connected(0);
	beside(pump, a);
	beside(pump, b);
	beside(sink, a);
	sink(b);
	while(ndone < 4)
		taskdelay(1);
	closeboth();
}

SIDES_TEST(a_slow_reader_stops_the_writer_and_nothing_is_lost)
{
	char *buf = malloc(1 << 16);
	size_t at = 0, sent;
	Timeout t;

	tlssides("good");
	pair(fds);
	a = streamopen(fds[0], 40000);
	b = streamopen(fds[1], 0);
	shake("good.test");
	timeoutstart(&t, 50);
	for(;;){
		fillbytes(buf, 30000, at);
		ssize_t n = streamwrite(a, buf, 30000);
		at += fdwritten();
		if(n < 0)
			break;
	}
	ck_assert_int_eq(errno, ETIMEDOUT);
	timeoutstop(&t);
	sent = at;
	ck_assert_uint_lt(sent, 32 << 20);
	total = sent + 100000;
	beside(sink, b);
	while(at < total){
		size_t n = total - at < 30000 ? total - at : 30000;
		fillbytes(buf, n, at);
		ck_assert_int_eq(streamwrite(a, buf, n), (ssize_t)n);
		at += n;
	}
	ck_assert_int_eq(streamshut(a), 0);
	while(ndone < 1)
		taskdelay(1);
	closeboth();
	free(buf);
}

/* A file goes as it is, between what was written before and after it. */
SIDES_TEST(files_are_sent_too)
{
	enum { Bytes = 100000 };
	char *buf = malloc(Bytes), *line;
	int fd = open(incerts("use"), O_RDWR | O_CREAT | O_TRUNC, 0600);

	tlssides("good");
	fillbytes(buf, Bytes, 0);
	ck_assert_int_eq(write(fd, buf, Bytes), Bytes);
	connected(0);
	total = Bytes - 10;
	ck_assert_int_eq(streamwrite(a, "head\n", 5), 5);
	ck_assert_int_eq(streamsendfile(a, fd, 0, total), (ssize_t)total);
	ck_assert_int_eq(streamshut(a), 0);
	ck_assert_int_eq(streamline(b, &line), 4);
	sink(b);
	close(fd);
	free(buf);
	closeboth();
}

/* Any calls, in any order, with deadlines: what came is what was sent. */
static Random r;
static size_t written;

static void
anywriter(void *v)
{
	char *buf = malloc(70000);
	Timeout t;

	while(written < total){
		size_t n = 1 + randombelow(&r, randombelow(&r, 8) ? 3000 :
			70000);
		n = n < total - written ? n : total - written;
		fillbytes(buf, n, written);
		timeoutstart(&t, randombelow(&r, 3) ? 10000 :
			randombelow(&r, 2));
		ssize_t done = streamwrite(v, buf, n);
		ck_assert_msg(done == (ssize_t)n || (done < 0 &&
			errno == ETIMEDOUT), "seed %lu: %d", r.seed, errno);
		written += fdwritten();
		if(randombelow(&r, 3) == 0)
			ck_assert_msg(streamflush(v) == 0 ||
				errno == ETIMEDOUT, "seed %lu", r.seed);
		timeoutstop(&t);
		if(randombelow(&r, 4) == 0)
			taskyield();
	}
	ck_assert_int_eq(streamshut(v), 0);
	free(buf);
	ndone++;
}

/* reads somehow what follows at; returns how many bytes it took. */
static size_t
anyread(Stream *s, char *buf, size_t at)
{
	size_t n = 1 + randombelow(&r, randombelow(&r, 8) ? 3000 : 70000);
	void *v = NULL;
	ssize_t got = 0;

	switch(randombelow(&r, 4)){
	case 0:
		got = streampeek(s, randombelow(&r, 2), &v);
		if(got > 0)
			samebytes(v, (size_t)got, at);
		n = 0;
		break;
	case 1:
		n = n < total - at ? n : total - at;
		got = streamreadn(s, buf, n);
		n = fdgot();
		break;
	default:
		got = streamread(s, buf, n);
		n = got < 0 ? 0 : (size_t)got;
	}
	ck_assert_msg(got >= 0 || errno == ETIMEDOUT, "seed %lu: %s", r.seed,
		tlserror());
	samebytes(buf, n, at);
	return n;
}

static void
anyreader(Stream *s)
{
	char *buf = malloc(70000);
	Timeout t;

	for(size_t at = 0; at < total; ){
		timeoutstart(&t, randombelow(&r, 3) ? 10000 :
			randombelow(&r, 2));
		at += anyread(s, buf, at);
		timeoutstop(&t);
	}
	isend(s);
	free(buf);
}

SIDES_TEST(nothing_is_lost_or_doubled_whatever_is_called_and_cut)
{
	tlssides("good");
	r = randomstart();
	total = 1 << 20;
	for(int round = 0; round < (watched() ? 2 : 8); round++){
		ndone = 0;
		written = 0;
		connected(round % 2 ? 0 : 70000);
		beside(anywriter, a);
		anyreader(b);
		while(ndone < 1)
			taskdelay(1);
		closeboth();
	}
}

/* Peers that use OpenSSL themselves */

/* A client in a thread of its own, with a descriptor that blocks. */
typedef struct Peer
{
	int fd;
	int version;	/* at most */
	void (*fn)(SSL *ssl);
	int failed;
} Peer;

static void *
peer(void *v)
{
	Peer *p = v;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);

	fcntl(p->fd, F_SETFL, 0);
	SSL_set_max_proto_version(ssl, p->version);
	SSL_set_fd(ssl, p->fd);
	p->failed = SSL_connect(ssl) != 1;
	if(!p->failed)
		p->fn(ssl);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(p->fd);
	return NULL;
}

static pthread_t peerthread;

/*
 * has the server's end of a stream with such a peer shaken hands.  With TCP the
 * kernel might keep all the answers that a peer does not read, or drop those to
 * what we write with them.
 */
static void
meetpeer(Peer *p)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
		fds), 0);
	p->fd = fds[1];
	a = streamopen(fds[0], 0);
	ck_assert_int_eq(pthread_create(&peerthread, NULL, peer, p), 0);
	ck_assert_msg(streamtls(a, server, NULL) == 0, "%s", tlserror());
}

static void
endpeer(Peer *p)
{
	pthread_join(peerthread, NULL);
	ck_assert_int_eq(p->failed, 0);
}

/* It hears again what it says, whatever becomes of its keys. */
static void
updates(SSL *ssl)
{
	char buf[8];

	for(int i = 0; i < 8; i++){
		if(i % 3 == 1)
			SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED);
		else if(i % 3)
			SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
		SSL_write(ssl, "echo\n", 5);
		for(int n = 0; n < 5; )
			n += SSL_read(ssl, buf + n, 5 - n);
		if(memcmp(buf, "echo\n", 5) != 0)
			return;
	}
	SSL_shutdown(ssl);
	SSL_read(ssl, buf, 1);
}

SIDES_TEST(keys_may_be_updated_in_the_middle)
{
	Peer p = {.version = TLS1_3_VERSION, .fn = updates};
	char *line;
	int n = 0;

	tlssides("good");
	meetpeer(&p);
	for(; streamline(a, &line) >= 0; n++)
		streamprint(a, "%s\n", line);
	ck_assert_msg(errno == ENODATA, "%s", tlserror());
	ck_assert_int_eq(n, 8);
	ck_assert_int_eq(streamclose(a), 0);
	endpeer(&p);
}

/* Whoever has us answer and does not listen: until we have hung up. */
static void
floods(SSL *ssl)
{
	for(int i = 0; i < 200000; i++)
		if(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) != 1 ||
				SSL_do_handshake(ssl) != 1)
			break;
}

SIDES_TEST(updates_of_keys_that_nobody_hears_of_take_no_memory)
{
	Peer p = {.version = TLS1_3_VERSION, .fn = floods};
	Timeout t;
	int few = 1;
	char c;

	tlssides("good");
	meetpeer(&p);
	setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &few, sizeof few);
	timeoutstart(&t, watched() ? 200 : 10000);
	ck_assert_int_eq(streamread(a, &c, 1), -1);
	if(errno != ETIMEDOUT){
		ck_assert_int_eq(errno, EPROTO);
		ck_assert_msg(strstr(tlserror(), "does not read") != NULL,
			"%s", tlserror());
		FAILS(streamread(a, &c, 1), EPROTO);
	}else
		ck_assert(watched());
	timeoutstop(&t);
	shutdown(fds[1], SHUT_RDWR);
	streamclose(a);
	endpeer(&p);
}

static void
renegotiates(SSL *ssl)
{
	char c;

	SSL_renegotiate(ssl);
	SSL_do_handshake(ssl);
	SSL_write(ssl, "x", 1);
	SSL_read(ssl, &c, 1);
}

SIDES_TEST(nothing_is_negotiated_again)
{
	Peer p = {.version = TLS1_2_VERSION, .fn = renegotiates};
	Tlsinfo info;
	char c;

	tlssides("good");
	meetpeer(&p);
	ck_assert_int_eq(tlsinfo(a, &info), 0);
	ck_assert_str_eq(info.version, "TLSv1.2");
	ssize_t n = streamread(a, &c, 1);
	ck_assert(n == 1 || errno == EPROTO || errno == ECONNABORTED ||
		errno == ECONNRESET);
	streamclose(a);
	endpeer(&p);
}

/* It ends with its last words, and waits for ours. */
static void
partsatonce(SSL *ssl)
{
	char c;
	BIO *b = SSL_get_wbio(ssl), *buffer = BIO_new(BIO_f_buffer());

	BIO_up_ref(b);
	SSL_set0_wbio(ssl, BIO_push(buffer, b));
	SSL_write(ssl, "last", 4);
	SSL_shutdown(ssl);
	BIO_flush(buffer);
	SSL_read(ssl, &c, 1);
}

SIDES_TEST(an_end_that_came_with_the_last_bytes_is_seen_at_the_descriptor)
{
	Peer p = {.version = TLS1_3_VERSION, .fn = partsatonce};
	void *seen;

	tlssides("good");
	meetpeer(&p);
	hears(a, "last");
	ck_assert_int_eq(streampeek(a, 0, &seen), 0);
	ck_assert_int_eq(fdwait(fds[0], 'r'), 0);
	isend(a);
	ck_assert_int_eq(streamclose(a), 0);
	endpeer(&p);
}

/* Sharing */

enum { Meetings = 20 };

static atomic_int nmet;

static void
acceptone(void *v)
{
	if(streamtls(v, server, NULL) == 0)
		streamwrite(v, "x", 1);
	streamclose(v);
}

/* Both ends, in one thread of several. */
static void
meetsome(void *v)
{
	int ends[2];
	char c;

	(void)v;
	for(int i = 0; i < Meetings; i++){
		pair(ends);
		Stream *s = streamopen(ends[0], 0);
		beside(acceptone, streamopen(ends[1], 0));
		nmet += streamtls(s, client, "good.test") == 0 &&
			streamread(s, &c, 1) == 1;
		streamclose(s);
	}
}

SIDES_TEST(a_Tls_is_shared_by_threads_while_it_is_reloaded)
{
	enum { Procs = 3 };
	int procs[Procs], status;

	tlssides("good");
	for(int i = 0; i < Procs; i++)
		procs[i] = proccreate(meetsome, NULL, 0);
	while(nmet < Procs * Meetings / 2){
		ck_assert_int_eq(tlsreload(server) | tlsreload(client), 0);
		taskdelay(1);
	}
	for(int i = 0; i < Procs; i++)
		ck_assert_int_eq(procwait(procs[i], &status), 0);
	ck_assert_int_eq(nmet, Procs * Meetings);
}

static void
hasnone(void *v)
{
	ck_assert_str_eq(tlserror(), "");
	*(int *)v = 1;
}

TASK_TEST(tlserror_is_the_task_s_own)
{
	int seen = 0;

	ck_assert_str_eq(tlserror(), "");
	ck_assert_ptr_null(tlsclient(incerts("none")));
	ck_assert_ptr_nonnull(strstr(tlserror(), "none: No such file"));
	beside(hasnone, &seen);
	settle();
	ck_assert_int_eq(seen, 1);
	errno = EDOM;
	ck_assert_ptr_nonnull(strstr(tlserror(), "none: No such file"));
	ck_assert_int_eq(errno, EDOM);
}

START_TEST(a_Tls_is_made_without_a_scheduler)
{
	tlssides("good");
	ck_assert_int_eq(tlsreload(server), 0);
	FAILS(streamtls(NULL, server, NULL), EPERM);
	ck_assert_ptr_null(tlsserver("/nowhere", "/nowhere"));
	ck_assert_ptr_nonnull(strstr(tlserror(), "/nowhere: No such file"));
	freesides();
}
END_TEST

/* With so much of a stack gone there is not enough left for a handshake. */
static void
overflowing(void *v)
{
	char used[42 * 1024];

	(void)v;
	/* or clang has no such array */
	__asm__ volatile("" : : "r"(used) : "memory");
	streamtls(a, server, NULL);
	__asm__ volatile("" : : "r"(used) : "memory");
}

static void
withsmallstack(void *v)
{
	(void)v;
	server = newserver("good");
	streams(0);
	beside(overflowing, NULL);
	taskdelay(1000);
}

START_TEST(a_stack_that_is_too_small_is_told_of_before_it_overflows)
{
	char err[8192];

	test_aborted(childtask(withsmallstack, err, sizeof err), err,
		"needstack: ");
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		bytes_go_both_ways_and_the_end_is_told,
		tlsinfo_tells_what_was_agreed,
		a_client_gets_the_certificate_of_the_name_that_it_asks_for,
		a_dot_at_the_end_of_a_name_is_no_part_of_it,
		an_address_is_looked_for_among_addresses,
		a_certificate_is_not_for_the_name_of_its_subject,
		a_session_is_resumed_with_the_same_name_only,
		the_best_protocol_of_the_server_is_agreed_on,
		tlsreload_has_new_connections_get_the_new_certificate,
		a_reload_that_fails_leaves_what_there_was,
		a_server_may_ask_who_its_clients_are,
		no_ticket_of_before_spares_a_client_what_is_asked_for_now,
		no_session_of_before_is_resumed_when_others_are_trusted,
		certificates_that_are_not_to_be_trusted_are_EACCES,
		what_is_no_TLS_is_EPROTO,
		a_server_that_does_not_speak_TLS_is_EPROTO,
		random_bytes_are_never_a_handshake,
		bytes_that_come_one_by_one_are_enough,
		a_record_that_was_cut_off_is_ECONNABORTED,
		a_bit_that_was_changed_is_EPROTO_and_stays_so,
		an_end_that_nobody_has_said_is_ECONNABORTED,
		S4_7_a_handshake_that_stalls_ends_with_its_deadline,
		cancel_ends_a_handshake_and_leaves_a_stream_as_it_was,
		what_was_written_goes_before_and_what_was_read_ahead_is_TLS,
		calls_that_cannot_work_change_nothing,
		streampeek_shows_what_was_decrypted_or_could_be,
		much_goes_both_ways_at_once,
		a_slow_reader_stops_the_writer_and_nothing_is_lost,
		files_are_sent_too,
		nothing_is_lost_or_doubled_whatever_is_called_and_cut,
		keys_may_be_updated_in_the_middle,
		updates_of_keys_that_nobody_hears_of_take_no_memory,
		nothing_is_negotiated_again,
		an_end_that_came_with_the_last_bytes_is_seen_at_the_descriptor,
		a_Tls_is_shared_by_threads_while_it_is_reloaded,
		tlserror_is_the_task_s_own,
		a_Tls_is_made_without_a_scheduler,
		a_stack_that_is_too_small_is_told_of_before_it_overflows
	};

	makecerts();
	int failed = test_main("tls", tests, sizeof tests / sizeof tests[0]);
	dropcerts();
	return failed;
}
