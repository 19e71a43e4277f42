/* SPDX-License-Identifier: MIT */
/* The client of HTTP, against the server here and some that are worse. */
#include "clienttest.h"

enum { Large = 700 * 1000 };

/* Functions for routes */

static void
hello(Http *h)
{
	char told[64];
	const char *word = httpfield(h, "Authorization");
	const char *type = httpfield(h, "Content-Type");
	const char *other = httpfield(h, "X-Other");

	snprintf(told, sizeof told, "%.9s %.9s %.9s", word ? word : "-",
		type ? type : "-", other ? other : "-");
	httpset(h, "X-Told", told);
	httpset(h, "X-Asked", h->query);
	httpreply(h, 200, "text/plain", "hello\n", 6);
}

static void
echo(Http *h)
{
	void *v;
	ssize_t n = httpbody(h, &v, 0);

	if(n >= 0)
		httpreply(h, 200, httpfield(h, "X-Type"), v, (size_t)n);
}

static void
pieces(Http *h)
{
	httphead(h, 200, NULL, -1);
	for(int i = 0; i < 1000; i++)
		httpwrite(h, "0123456789", 10);
	httpend(h);
}

static const Httproute routes[] = {
	{"GET", "/hello", hello, NULL},
	{"POST", "/echo", echo, NULL},
	{"PUT", "/echo", echo, NULL},
	{"GET", "/pieces", pieces, NULL},
	{NULL, NULL, NULL, NULL}
};

static void
finish(void)
{
	leave();
	end();
}

TASK_TEST(a_reply_has_a_status_fields_and_a_body)
{
	begin(routes);
	get(here("/hello?a=b#part"));
	ck_assert_int_eq(reply.length, 6);
	ck_assert_int_eq(reply.minor, 1);
	ck_assert_str_eq(httpreplyfield(&reply, "x-asked"), "a=b");
	ck_assert_ptr_null(httpreplyfield(&reply, "Location"));
	ck_assert_str_eq(reply.url, here("/hello?a=b"));
	is(200, "hello\n");
	ck_assert_ptr_null(reply.in);
	get(here("/nowhere"));
	ck_assert_int_eq(reply.status, 404);
	httpreplyclose(&reply);
	httpreplyclose(&reply);
	finish();
}

TASK_TEST(all_fields_of_a_reply_are_given_in_their_order)
{
	const char *name = "none", *value = "none";
	char all[128] = "";

	ANSWERS("HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 2\r\na:2\r\n"
		"B:\r\n\r\nok", "HTTP/1.1 200 OK\r\nA: 1\r\n"
		"Content-Length: 2\r\na:2\r\nB:\r\n\r\nok");
	ck_assert_int_eq(httpreplyfieldat(&reply, 0, &name, &value), 0);
	ck_assert_int_eq(httpreplyfieldat(NULL, 0, &name, &value), 0);
	get(there("/"));
	is(200, "ok");
	ck_assert_int_eq(httpreplyfieldat(&reply, 0, &name, &value), 0);
	get(there("/"));
	ck_assert_int_eq(httpreplyfieldat(&reply, 4, &name, &value), 0);
	ck_assert_int_eq(httpreplyfieldat(&reply, -1, &name, &value), 0);
	ck_assert_str_eq(name, "none");
	for(int i = 0; httpreplyfieldat(&reply, i, &name, &value); i++)
		sprintf(all + strlen(all), "%s=%s;", name, value);
	ck_assert_str_eq(all, "A=1;Content-Length=2;a=2;B=;");
	is(200, "ok");
	leave();
}

TASK_TEST(a_body_in_chunks_is_read_as_it_comes)
{
	char text[7];
	size_t n = 0;
	ssize_t r;

	begin(routes);
	get(here("/pieces"));
	ck_assert_int_eq(reply.length, -1);
	while((r = httpreplyread(&reply, text, sizeof text)) > 0)
		for(ssize_t i = 0; i < r; i++, n++)
			ck_assert_int_eq(text[i], '0' + (char)(n % 10));
	ck_assert_int_eq(r, 0);
	ck_assert_uint_eq(n, 10000);
	ck_assert_int_eq(httpreplyread(&reply, text, sizeof text), 0);
	httpreplyclose(&reply);
	finish();
}

TASK_TEST(a_request_sends_its_body_and_fields)
{
	static const char *const fields[] = {"X-Type", "text/x-echo", NULL};

	begin(routes);
	asks((Httprequest){.url = here("/echo"), .body = "say this",
		.nbody = 8, .fields = fields});
	ck_assert_str_eq(httpreplyfield(&reply, "Content-Type"), "text/x-echo");
	is(200, "say this");
	asks((Httprequest){.url = here("/echo"), .method = "PUT"});
	is(200, "");
	finish();
}

/* A body that a function gives. */
static size_t given, giveend;

static ssize_t
give(void *arg, void *v, size_t n)
{
	char *to = v;
	size_t i = 0;

	ck_assert_str_eq(arg, "arg");
	for(; i < n && i < 5000 && given < giveend; i++)
		to[i] = (char)('a' + given++ % 26);
	return (ssize_t)i;
}

static void
giveslarge(int64_t length, int expect)
{
	char arg[] = "arg";
	void *v = NULL;

	given = 0;
	giveend = Large;
	asks((Httprequest){.url = here("/echo"), .read = give, .arg = arg,
		.length = length, .expect = expect});
	ck_assert_int_eq(reply.status, 200);
	ck_assert_int_eq(httpreplybody(&reply, &v, Large), Large);
	for(size_t i = 0; i < Large; i++)
		if(((char *)v)[i] != (char)('a' + i % 26))
			ck_abort_msg("byte %zu", i);
	httpreplyclose(&reply);
}

TASK_TEST(a_function_gives_a_body_in_chunks_or_of_a_length)
{
	char arg[] = "arg";

	begin(routes);
	giveslarge(0, 0);
	giveslarge(Large, 0);
	giveslarge(0, 1);
	given = 0;
	fails((Httprequest){.url = here("/echo"), .read = give, .arg = arg,
		.length = 10}, EMSGSIZE);
	giveend = 5;
	given = 0;
	fails((Httprequest){.url = here("/echo"), .read = give, .arg = arg,
		.length = 10}, EMSGSIZE);
	finish();
}

static ssize_t
givefails(void *arg, void *v, size_t n)
{
	(void)arg, (void)v, (void)n;
	errno = EPIPE;
	return -1;
}

TASK_TEST(what_read_fails_with_is_what_the_request_fails_with)
{
	begin(routes);
	fails((Httprequest){.url = here("/echo"), .read = givefails}, EPIPE);
	get(here("/hello"));
	is(200, "hello\n");
	finish();
}

static int nfetched;

static void
fetcher(void *v)
{
	Httpreply r;
	void *text;

	for(int i = 0; i < 10; i++){
		ck_assert_int_eq(httpget(&web, v, &r), 0);
		ck_assert_int_eq(httpreplybody(&r, &text, 0), 6);
		ck_assert_str_eq(text, "hello\n");
		httpreplyclose(&r);
	}
	nfetched++;
}

TASK_TEST(many_tasks_have_one_client)
{
	char url[64];

	begin(routes);
	snprintf(url, sizeof url, "%s", here("/hello"));
	for(int i = 0; i < 40; i++)
		taskcreate(fetcher, url, 0);
	for(int i = 0; i < Patience && nfetched < 40; i++)
		taskdelay(1);
	ck_assert_int_eq(nfetched, 40);
	finish();
}

/* Connections */

TASK_TEST(a_connection_is_used_again)
{
	ANSWERS(OK(2) "ab", OK(0), OK(2), "HTTP/1.1 200 OK\r\n"
		"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"HTTP/1.1 304 x\r\nContent-Length: 7\r\n\r\n", OK(1) "x");
	get(there("/1"));
	is(200, "ab");
	get(there("/2"));
	is(200, "");
	asks((Httprequest){.method = "HEAD", .url = there("/3")});
	is(200, "");
	get(there("/4"));
	is(200, "abc");
	get(there("/5"));
	is(304, "");
	get(there("/6"));
	is(200, "x");
	ck_assert_int_eq(nconn, 1);
	leave();
}

TASK_TEST(a_connection_is_used_again_if_what_is_left_has_come)
{
	char c;

	ANSWERS(OK(5) "hello", OK(0), OK(5) "he", OK(0));
	get(there("/"));
	ck_assert_int_eq(httpreplyread(&reply, &c, 1), 1);
	httpreplyclose(&reply);
	get(there("/"));
	is(200, "");
	ck_assert_int_eq(nconn, 1);
	get(there("/"));
	httpreplyclose(&reply);
	get(there("/"));
	is(200, "");
	ck_assert_int_eq(nconn, 2);
	leave();
}

TASK_TEST(a_connection_is_not_used_again_that_says_so_or_too_much)
{
	static const char *const closing[] = {
		"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1"
		"\r\n\r\nx",
		"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
		OK(1) "xHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny"
	};

	ANSWERS(closing[0], closing[1], closing[2], OK(1) "z");
	for(int i = 0; i < 3; i++){
		get(there("/"));
		is(200, "x");
		ck_assert_int_eq(nconn, i + 1);
	}
	get(there("/"));
	is(200, "z");
	ck_assert_int_eq(nconn, 4);
	leave();
}

TASK_TEST(what_a_server_has_closed_meanwhile_is_not_used_again)
{
	ANSWERS("!" OK(1) "a", "!" OK(1) "b");
	get(there("/"));
	is(200, "a");
	awaitclosed(1);
	asks((Httprequest){.method = "POST", .url = there("/")});
	is(200, "b");
	ck_assert_int_eq(nconn, 2);
	leave();
}

/* It has read the request, and says nothing: the second answer is none. */
TASK_TEST(a_get_that_meets_a_closing_server_is_sent_once_more)
{
	ANSWERS(OK(1) "a", NULL, OK(1) "b");
	get(there("/1"));
	is(200, "a");
	get(there("/2"));
	is(200, "b");
	ck_assert_int_eq(nconn, 2);
	ck_assert_int_eq(occurs(asked, "GET /2 "), 2);
	leave();
}

TASK_TEST(a_post_is_not_sent_twice_nor_anything_after_a_part_of_an_answer)
{
	ANSWERS(OK(1) "a", NULL, OK(1) "b", "!HTTP/1.1 200", OK(1) "c",
		"!HTTP/1.1 103 x\r\n\r\n", NULL);
	get(there("/"));
	is(200, "a");
	fails((Httprequest){.method = "POST", .url = there("/")}, ECONNRESET);
	get(there("/"));
	is(200, "b");
	fails((Httprequest){.url = there("/")}, EBADMSG);
	get(there("/"));
	is(200, "c");
	fails((Httprequest){.url = there("/")}, ECONNRESET);
	fails((Httprequest){.url = there("/")}, ECONNRESET);
	ck_assert_int_eq(nscript, 7);
	leave();
}

TASK_TEST(an_idle_connection_is_closed_after_a_while)
{
	web.idle_ms = 20;
	ANSWERS(OK(1) "a", OK(1) "b");
	get(there("/"));
	is(200, "a");
	awaitclosed(1);
	settle();
	get(there("/"));
	is(200, "b");
	awaitclosed(2);
	leave();
}

TASK_TEST(only_so_many_connections_are_kept)
{
	Httpreply r[3];

	web.idle = 1;
	ANSWERS(OK(1) "~x", OK(1) "~x", OK(1) "~x");
	for(int i = 0; i < 3; i++){
		get(there("/"));
		r[i] = reply;
	}
	go = 1;
	for(int i = 0; i < 3; i++){
		reply = r[i];
		is(200, "x");
	}
	awaitclosed(2);
	httpclientclose(&web);
	awaitclosed(3);
	leave();
}

static int
isreaper(const Taskinfo *info, void *arg)
{
	*(int *)arg += strcmp(info->name, "http idle") == 0;
	return 0;
}

static int
reapers(void)
{
	int n = 0;

	tasklist(isreaper, &n);
	return n;
}

/* The program may end there: what was left then would look like a leak. */
TASK_TEST(a_client_that_is_closed_has_no_task_any_more)
{
	begin(routes);
	for(int i = 0; i < 2; i++){
		get(here("/hello"));
		is(200, "hello\n");
		if(i == 0)
			taskdelay(1);
		ck_assert_int_eq(reapers(), i == 0);	/* it is named then */
		errno = EDOM;
		httpclientclose(&web);
		ck_assert_int_eq(errno, EDOM);
		ck_assert_int_eq(reapers(), 0);
	}
	finish();
}

TASK_TEST(a_reply_outlives_its_client)
{
	ANSWERS(OK(3) "a~bc");
	get(there("/"));
	httpclientclose(&web);
	memset(&web, 0xff, sizeof web);
	go = 1;
	is(200, "abc");
	awaitclosed(1);
	memset(&web, 0, sizeof web);
	leave();
}

/* Redirects */

TASK_TEST(redirects_change_the_method_as_they_should)
{
	ANSWERS(MOVED(302, "/a"), OK(0), MOVED(307, "/b"), OK(0),
		MOVED(303, "/c"), OK(0), MOVED(301, "/d"), OK(0));
	asks((Httprequest){.url = there("/"), .body = "", .nbody = 0});
	is(200, "");
	ck_assert_ptr_nonnull(strstr(asked, "GET /a HTTP"));
	asks((Httprequest){.url = there("/"), .method = "POST"});
	is(200, "");
	ck_assert_ptr_nonnull(strstr(asked, "POST /b HTTP"));
	asks((Httprequest){.url = there("/"), .method = "HEAD"});
	is(200, "");
	ck_assert_ptr_nonnull(strstr(asked, "HEAD /c HTTP"));
	asks((Httprequest){.url = there("/"), .method = "DELETE"});
	ck_assert_str_eq(reply.url, there("/d"));
	is(200, "");
	ck_assert_ptr_nonnull(strstr(asked, "DELETE /d HTTP"));
	ck_assert_int_eq(nconn, 1);
	leave();
}

TASK_TEST(a_location_is_resolved)
{
	static const struct { const char *where, *target; } text[] = {
		{"x", "/a/b/x"}, {"/x/y", "/x/y"}, {"?x", "/a/b/c?x"},
		{"../x", "/a/x"}, {"../../../x", "/x"}, {"./", "/a/b/"},
		{"..", "/a/"}, {".", "/a/b/"},
		{"/x/../y/./z?../q", "/y/z?../q"},
		{"#part", "/a/b/c?q"}, {"x#part", "/a/b/x"},
		{"..x/.y", "/a/b/..x/.y"}, {"x?a:b", "/a/b/x?a:b"}
	};
	char say[128], want[64];

	for(size_t i = 0; i < sizeof text / sizeof text[0]; i++){
		snprintf(say, sizeof say, MOVED(302, "%s"), text[i].where);
		nscript = 0;
		*asked = '\0';
		ANSWERS(say, OK(0));
		get(there("/a/b/c?q"));
		is(200, "");
		snprintf(want, sizeof want, "\r\n\r\nGET %s HTTP",
			text[i].target);
		ck_assert_msg(strstr(asked, want) != NULL, "%s: %s",
			text[i].where, asked);
		leave();
	}
}

TASK_TEST(a_redirect_that_leads_nowhere_is_the_reply)
{
	static const char *const where[] = {"ftp://h/", "https://h/", "http://",
		"http://a@h/", "//h:0/", "http://h:65536/", "a b", "//[::1/",
		"mailto:h"};
	char say[128];

	for(size_t i = 0; i < sizeof where / sizeof where[0]; i++){
		snprintf(say, sizeof say, MOVED(302, "%s"), where[i]);
		nscript = 0;
		ANSWERS(say);
		get(there("/"));
		ck_assert_str_eq(httpreplyfield(&reply, "Location"), where[i]);
		is(302, "");
		leave();
	}
	web.redirects = -1;
	nscript = 0;
	ANSWERS(MOVED(302, "/a"));
	get(there("/"));
	is(302, "");
	leave();
}

TASK_TEST(redirects_without_end_fail_with_ELOOP)
{
	web.redirects = 3;
	ANSWERS(MOVED(302, "/"), MOVED(302, "/"), MOVED(302, "/"),
		MOVED(302, "/"), OK(0));
	fails((Httprequest){.url = there("/")}, ELOOP);
	ck_assert_int_eq(nscript, 4);
	leave();
}

TASK_TEST(secrets_are_not_for_another_server)
{
	static const char *const fields[] = {"Authorization", "secret",
		"X-Other", "yes", "Content-Type", "a/b", NULL};
	char say[200];

	begin(routes);
	snprintf(say, sizeof say, MOVED(303, "%s"), here("/hello"));
	ANSWERS(MOVED(307, "/same"), say);
	asks((Httprequest){.url = there("/"), .fields = fields, .body = "x",
		.nbody = 1});
	ck_assert_str_eq(httpreplyfield(&reply, "X-Told"), "- - yes");
	is(200, "hello\n");
	ck_assert_int_eq(occurs(asked, "Authorization: secret"), 2);
	ck_assert_int_eq(occurs(asked, "Content-Type: a/b"), 2);
	asks((Httprequest){.url = here("/hello"), .method = "GET",
		.fields = fields});
	ck_assert_str_eq(httpreplyfield(&reply, "X-Told"), "secret a/b yes");
	is(200, "hello\n");
	finish();
}

/* The body is with the program: only that could give it once more. */
TASK_TEST(a_body_that_was_read_is_not_sent_again)
{
	char arg[] = "arg";

	giveend = 3;
	ANSWERS("!" MOVED(307, "/a"));
	asks((Httprequest){.url = there("/"), .read = give, .arg = arg,
		.length = 3});
	is(307, "");
	leave();
}

/* Wrong answers, and late ones */

TASK_TEST(what_is_no_answer_fails_with_EBADMSG)
{
	static const char *const bad[] = {
		"!hello\r\n\r\n", "!HTTP/1.1 200", "!HTTP/2.0 200 OK\r\n\r\n",
		"!HTTP/1.1 200 OK\nA: b\n\n", "!HTTP/1.1 99 x\r\n\r\n",
		"!HTTP/1.1 200 OK\r\n A: b\r\n\r\n",
		"!HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2"
		"\r\n\r\n",
		"!HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
		"Transfer-Encoding: chunked\r\n\r\n",
		"!HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
		"!HTTP/1.1 101 x\r\n\r\n", "!HTTP/1.1 200 OK\r\nA : b\r\n\r\n"
	};

	ANSWERS(NULL);
	for(size_t i = 0; i < sizeof bad / sizeof bad[0]; i++){
		nscript = 0;
		script[0] = bad[i];
		fails((Httprequest){.url = there("/")}, EBADMSG);
	}
	nscript = 0;
	script[0] = NULL;
	fails((Httprequest){.url = there("/")}, ECONNRESET);
	leave();
}

TASK_TEST(a_body_that_is_cut_off_fails_with_EBADMSG)
{
	static const char *const bad[] = {
		"!" OK(5) "half",
		"!HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
		"!HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		"3\r\nabc\r\n",
		"!HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"
	};
	void *text;

	ANSWERS(NULL);
	for(size_t i = 0; i < sizeof bad / sizeof bad[0]; i++){
		nscript = 0;
		script[0] = bad[i];
		get(there("/"));
		for(int j = 0; j < 2; j++){
			ck_assert_int_eq(httpreplybody(&reply, &text, 0), -1);
			ck_assert_int_eq(errno, EBADMSG);
		}
		httpreplyclose(&reply);
	}
	leave();
}

TASK_TEST(a_body_may_end_with_the_connection_and_be_no_longer_than_wanted)
{
	void *text;

	ANSWERS("!HTTP/1.1 200 OK\r\n\r\nto the end", OK(5) "hello",
		"!HTTP/1.0 200 OK\r\n\r\nhello");
	get(there("/"));
	ck_assert_int_eq(reply.length, -1);
	is(200, "to the end");
	for(int i = 0; i < 2; i++){
		get(there("/"));
		ck_assert_int_eq(httpreplybody(&reply, &text, 4), -1);
		ck_assert_int_eq(errno, EMSGSIZE);
		httpreplyclose(&reply);
	}
	leave();
}

TASK_TEST(answers_on_the_way_are_skipped_but_not_for_ever)
{
	char say[1024] = "!";

	for(int i = 0; i < 40; i++)
		strcat(say, "HTTP/1.1 100 x\r\n\r\n");
	ANSWERS("HTTP/1.1 103 x\r\nLink: a\r\n\r\nHTTP/1.1 100 x\r\n\r\n"
		OK(1) "a", say);
	get(there("/"));
	ck_assert_ptr_null(httpreplyfield(&reply, "Link"));
	is(200, "a");
	fails((Httprequest){.url = there("/")}, EBADMSG);
	leave();
}

TASK_TEST(a_server_that_does_not_want_a_body_gets_none)
{
	ANSWERS("HTTP/1.1 403 x\r\nContent-Length: 2\r\n\r\nno", OK(0));
	asks((Httprequest){.url = there("/"), .body = "not sent", .nbody = 8,
		.expect = 1});
	is(403, "no");
	awaitclosed(1);
	ck_assert_ptr_nonnull(strstr(asked, "Expect: 100-continue\r\n"));
	ck_assert_ptr_null(strstr(asked, "not sent"));
	leave();
}

static ssize_t
giveforever(void *arg, void *v, size_t n)
{
	(void)arg;
	memset(v, 'x', n);
	return (ssize_t)n;
}

/* It reads no more, and the kernel has not room for such a body. */
TASK_TEST(who_answers_before_it_has_a_body_is_heard)
{
	enum { Huge = 32 << 20 };
	static char huge[Huge];
	static const char no[] = "HTTP/1.1 100 x\r\n\r\n"
		"HTTP/1.1 413 x\r\nContent-Length: 2\r\n\r\nno~";
	Httprequest q[] = {{.body = huge, .nbody = Huge},
		{.read = giveforever}, {.read = giveforever, .length = Huge}};
	Timeout t;

	ANSWERS(no, no, no);
	for(int i = 0; i < 3; i++){
		q[i].url = there("/");
		TIMEOUT(&t, 5000){
			asks(q[i]);
			is(413, "no");
		}
		ck_assert(!timeoutfired(&t));
	}
	go = 1;
	awaitclosed(3);
	leave();
}

TASK_TEST(a_body_goes_on_after_a_deadline)
{
	void *text;
	Timeout t;

	ANSWERS(OK(6) "abc~def", "~", OK(1) "x");
	get(there("/"));
	timeoutstart(&t, 5);
	ck_assert_int_eq(httpreplybody(&reply, &text, 0), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	timeoutstop(&t);
	go = 1;
	is(200, "abcdef");
	go = 0;
	timeoutstart(&t, 300);
	ck_assert_int_eq(httpget(&web, there("/"), &reply), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	timeoutstop(&t);
	go = 1;
	awaitclosed(1);
	get(there("/"));
	is(200, "x");
	leave();
}

static int cancelerr;

static void
cancelled(void *v)
{
	Httpreply r;

	ck_assert_int_eq(httpget(&web, v, &r), -1);
	cancelerr = errno;
	httpreplyclose(&r);
}

TASK_TEST(a_cancelled_task_leaves_its_connection)
{
	char url[64];

	ANSWERS("~");
	snprintf(url, sizeof url, "%s", there("/"));
	int id = taskcreate(cancelled, url, 0);
	for(int i = 0; i < Patience && nscript < 1; i++)
		taskdelay(1);
	ck_assert_int_eq(taskcancel(id), 0);
	settle();
	ck_assert_int_eq(cancelerr, ECANCELED);
	go = 1;
	awaitclosed(1);
	leave();
}

/* What can never work */

TASK_TEST(requests_that_cannot_be_fail_with_EINVAL)
{
	static const char *const urls[] = {"", "h", "/", "ftp://h/", "http:/h",
		"http://", "http:///x", "http://:80/", "http://h:x/",
		"http://h:0/", "http://h:65536/", "http://u@h/", "http://h /",
		"http://h/a b", "http://h/\r\nA: b", "http://[::1/",
		"http://[]/", "http://[::1]x/", "http://h/\x80", NULL};
	static const char *const fields[][3] = {{"Host", "h", NULL},
		{"content-length", "1", NULL}, {"A b", "c", NULL},
		{"A", "b\r\nC: d", NULL}, {"", "a", NULL}, {"A", NULL, NULL},
		{"Transfer-Encoding", "chunked", NULL}};

	for(size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
		fails((Httprequest){.url = urls[i]}, EINVAL);
	for(size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		fails((Httprequest){.url = "http://h/", .fields = fields[i]},
			EINVAL);
	fails((Httprequest){.url = "http://h/", .method = "A B"}, EINVAL);
	fails((Httprequest){.url = "http://h/", .method = ""}, EINVAL);
	fails((Httprequest){.url = "http://h/", .method = "CONNECT"}, EINVAL);
	fails((Httprequest){.url = "http://h/", .nbody = 1}, EINVAL);
	fails((Httprequest){.url = "http://h/", .length = -1}, EINVAL);
	fails((Httprequest){.url = "http://h/", .body = "", .read = give},
		EINVAL);
	fails((Httprequest){.url = "https://h/"}, EPROTONOSUPPORT);
	ck_assert_int_eq(httpget(NULL, "http://h/", &reply), -1);
	ck_assert_int_eq(httpget(&web, "http://h/", NULL), -1);
	ck_assert_int_eq(httpreplyread(&reply, asked, 1), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_null(httpreplyfield(&reply, "A"));
	httpreplyclose(NULL);
	httpclientclose(NULL);
	leave();
}

TASK_TEST(a_target_has_8000_bytes_at_most)
{
	static char url[8100] = "http://127.0.0.1:1";
	size_t at = strlen(url);

	url[at] = '/';
	memset(url + at + 1, 'a', 8000);
	fails((Httprequest){.url = url}, EINVAL);
	url[at + 8000] = '\0';
	fails((Httprequest){.url = url}, ECONNREFUSED);	/* nobody listens */
	leave();
}

TASK_TEST(nobody_there_is_ECONNREFUSED)
{
	ANSWERS(NULL);
	fdclose(listener);
	listener = 0;
	fails((Httprequest){.url = there("/")}, ECONNREFUSED);
	leave();
}

static int
securenever(Stream *s, void *ctx, const char *host)
{
	void *v;

	(void)ctx, (void)host;
	return streampeek(s, 1, &v) > 0 ? 0 : -1;
}

TASK_TEST(to_connect_has_a_deadline_of_its_own_and_an_answer_has_not)
{
	char url[64];
	Timeout t;

	ANSWERS("~" OK(2) "ok");
	web.dial_ms = 50;
	web.secure = securenever;
	snprintf(url, sizeof url, "https://127.0.0.1:%d/", listenport);
	fails((Httprequest){.url = url}, ETIMEDOUT);
	ck_assert_int_eq(nconn, 1);
	timeoutstart(&t, 200);
	FAILS(httpget(&web, there("/"), &reply), ETIMEDOUT);
	ck_assert_int_eq(timeoutfired(&t), 1);
	timeoutstop(&t);
	leave();
}

/* The server reads the body as one more head, and answers that. */
TASK_TEST(hints_before_100_and_before_the_answer_are_passed_over)
{
	ANSWERS("HTTP/1.1 103 x\r\nLink: <a>\r\n\r\n"
		"HTTP/1.1 100 x\r\n\r\n",
		"HTTP/1.1 103 x\r\n\r\n" OK(2) "ab");
	asks((Httprequest){.url = there("/"), .body = "body\r\n\r\n",
		.nbody = 8, .expect = 1});
	ck_assert_ptr_nonnull(strstr(asked, "\r\n\r\nbody"));
	is(200, "ab");
	leave();
}

/* It has no secrets to tell: who they were is what matters here. */
static int
trusting(Stream *s, void *ctx, const char *host)
{
	(void)s, (void)ctx, (void)host;
	return 0;
}

static int
trustingtoo(Stream *s, void *ctx, const char *host)
{
	return trusting(s, ctx, host);
}

static void
secured(int (*by)(Stream *, void *, const char *), void *ctx, int n)
{
	char url[80];

	web.secure = by;
	web.ctx = ctx;
	snprintf(url, sizeof url, "https%s", there("/") + 4);
	get(url);
	is(200, "a");
	ck_assert_int_eq(nconn, n);
}

TASK_TEST(who_secured_a_connection_is_who_uses_it_again)
{
	static int one, two;

	ANSWERS(OK(1) "a", OK(1) "a", OK(1) "a", OK(1) "a", OK(1) "a");
	secured(trusting, &one, 1);
	secured(trusting, &one, 1);
	secured(trusting, &two, 2);
	secured(trustingtoo, &one, 3);
	secured(trusting, &two, 3);
	leave();
}

static ssize_t
giveonce(void *arg, void *v, size_t n)
{
	int *left = arg;

	(void)n;
	*(char *)v = 'x';
	return (*left)-- > 0;
}

TASK_TEST(a_redirect_behind_a_get_is_followed_too)
{
	int left = 1;

	ANSWERS(MOVED(303, "/b"), MOVED(307, "/c"), OK(1) "c");
	asks((Httprequest){.method = "POST", .url = there("/a"),
		.read = giveonce, .arg = &left, .length = 1});
	is(200, "c");
	leave();
}

TEST_MAIN("httpclient",
	a_reply_has_a_status_fields_and_a_body,
	all_fields_of_a_reply_are_given_in_their_order,
	a_body_in_chunks_is_read_as_it_comes,
	a_request_sends_its_body_and_fields,
	a_function_gives_a_body_in_chunks_or_of_a_length,
	what_read_fails_with_is_what_the_request_fails_with,
	many_tasks_have_one_client,
	a_connection_is_used_again,
	a_connection_is_used_again_if_what_is_left_has_come,
	a_connection_is_not_used_again_that_says_so_or_too_much,
	what_a_server_has_closed_meanwhile_is_not_used_again,
	a_get_that_meets_a_closing_server_is_sent_once_more,
	a_post_is_not_sent_twice_nor_anything_after_a_part_of_an_answer,
	an_idle_connection_is_closed_after_a_while,
	only_so_many_connections_are_kept,
	a_client_that_is_closed_has_no_task_any_more,
	a_reply_outlives_its_client,
	redirects_change_the_method_as_they_should,
	a_location_is_resolved,
	a_redirect_that_leads_nowhere_is_the_reply,
	redirects_without_end_fail_with_ELOOP,
	secrets_are_not_for_another_server,
	a_body_that_was_read_is_not_sent_again,
	what_is_no_answer_fails_with_EBADMSG,
	a_body_that_is_cut_off_fails_with_EBADMSG,
	a_body_may_end_with_the_connection_and_be_no_longer_than_wanted,
	answers_on_the_way_are_skipped_but_not_for_ever,
	a_server_that_does_not_want_a_body_gets_none,
	who_answers_before_it_has_a_body_is_heard,
	a_body_goes_on_after_a_deadline,
	a_cancelled_task_leaves_its_connection,
	requests_that_cannot_be_fail_with_EINVAL,
	a_target_has_8000_bytes_at_most,
	nobody_there_is_ECONNREFUSED,
	to_connect_has_a_deadline_of_its_own_and_an_answer_has_not,
	hints_before_100_and_before_the_answer_are_passed_over,
	who_secured_a_connection_is_who_uses_it_again,
	a_redirect_behind_a_get_is_followed_too)
