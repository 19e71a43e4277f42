/* SPDX-License-Identifier: MIT */
/* The server of HTTP: requests, answers, and how connections go on and end. */
#include <malloc.h>

#include "httptest.h"

/* Functions for routes */

static char seen[8192];	/* what a function was asked */

static void
hello(Http *h)
{
	httpreply(h, 200, "text/plain", "hello\n", 6);
}

static void
echo(Http *h)
{
	void *v;
	ssize_t n = httpbody(h, &v, 0);

	if(n >= 0)
		httpreply(h, 200, "text/plain", v, (size_t)n);
}

static void
describe(Http *h)
{
	const char *id = httpparam(h, "id"), *tag = httpparam(h, "tag");
	const char *rest = httpparam(h, "*"), *q = httpquery(h, "q");

	snprintf(seen, sizeof seen, "%s %s id=%s tag=%s *=%s ?%s q=%s arg=%s",
		h->method, h->path, id ? id : "-", tag ? tag : "-",
		rest ? rest : "-", h->query, q ? q : "-",
		h->route->arg ? (char *)h->route->arg : "-");
	httpreply(h, 200, "text/plain", seen, strlen(seen));
}

static void
count3(Http *h)
{
	httphead(h, 200, NULL, -1);
	httpwrite(h, "one ", 4);
	httpwrite(h, "", 0);
	httpwrite(h, "two ", 4);
	httpwrite(h, "three", 5);
	httpend(h);
}

static void
known5(Http *h)
{
	httphead(h, 200, NULL, 5);
	FAILS(httpend(h), EMSGSIZE);
	httpwrite(h, "he", 2);
	FAILS(httpwrite(h, "llo!", 4), EMSGSIZE);
	httpwrite(h, "llo", 3);
	errno = EDOM;
	ck_assert_int_eq(httpend(h), 0);
	ck_assert_int_eq(errno, EDOM);
	FAILS(httpwrite(h, "!", 1), EINVAL);
	FAILS(httpend(h), EINVAL);
}

static void
half(Http *h)
{
	httphead(h, 200, NULL, h->query[0] == 'n' ? 10 : -1);
	httpwrite(h, "half", 4);
}

static void
silence(Http *h)
{
	(void)h;
}

static void
setter(Http *h)
{
	FAILS(httpset(h, "A\r\nB", "c"), EINVAL);
	FAILS(httpset(h, "A", "b\r\nC: d"), EINVAL);
	FAILS(httpset(h, "A", "b\nC: d"), EINVAL);
	FAILS(httpset(h, "", "b"), EINVAL);
	FAILS(httpset(h, "Content-Length", "3"), EINVAL);
	FAILS(httpset(h, "transfer-encoding", "chunked"), EINVAL);
	FAILS(httpset(h, "Connection", "upgrade"), EINVAL);
	ck_assert_int_eq(httpset(h, "Set-Cookie", "a=1"), 0);
	ck_assert_int_eq(httpset(h, "Set-Cookie", "b=2"), 0);
	ck_assert_int_eq(httpset(h, "Back", "1"), 0);
	ck_assert_int_eq(httpset(h, "Backs", "2"), 0);
	ck_assert_int_eq(httpset(h, "back", "3"), 0);
	ck_assert_int_eq(httpset(h, "BACK", NULL), 0);
	ck_assert_int_eq(httpset(h, "Never", NULL), 0);
	FAILS(httpset(h, "Connection", NULL), EINVAL);
	FAILS(httpset(h, "Date", NULL), EINVAL);
	FAILS(httpset(h, "a b", NULL), EINVAL);
	FAILS(httpreply(h, 99, NULL, NULL, 0), EINVAL);
	FAILS(httpreply(h, 600, NULL, NULL, 0), EINVAL);
	FAILS(httpreply(h, 200, "a\r\nb", NULL, 0), EINVAL);
	FAILS(httpwrite(h, "x", 1), EINVAL);
	ck_assert_int_eq(httpreply(h, 201, "text/plain", "x", 1), 0);
	FAILS(httpreply(h, 200, NULL, NULL, 0), EALREADY);
	FAILS(httphead(h, 200, NULL, 0), EALREADY);
	FAILS(httperror(h, 500), EALREADY);
	FAILS(httpset(h, "A", "b"), EALREADY);
}

static void
closing(Http *h)
{
	httpset(h, "Connection", "close");
	hello(h);
}

static void
nothing204(Http *h)
{
	httpreply(h, 204, NULL, NULL, 0);
}

/* All fields, as they came. */
static void
fields(Http *h)
{
	const char *name = "none", *value = "none";
	int n = 0;

	ck_assert_int_eq(httpfieldat(h, -1, &name, &value), 0);
	ck_assert_int_eq(httpfieldat(h, 1000, &name, &value), 0);
	ck_assert_str_eq(name, "none");
	for(int i = 0; httpfieldat(h, i, &name, &value); i++)
		n += snprintf(seen + n, sizeof seen - (size_t)n, "%s=%s;",
			name, value);
	echo(h);
}

static void
form(Http *h)
{
	void *v;

	ck_assert_int_gt(httpbody(h, &v, 0), 0);
	const char *a = httpform(h, v, "a"), *b = httpform(h, v, "b c");
	ck_assert_ptr_null(httpform(h, v, "none"));
	ck_assert_ptr_null(httpform(h, v, NULL));
	ck_assert_ptr_null(httpform(h, NULL, "a"));
	errno = 0;
	ck_assert_ptr_null(httpform(h, v, "wrong"));
	ck_assert_int_eq(errno, EBADMSG);
	snprintf(seen, sizeof seen, "%s|%s", a ? a : "-", b ? b : "-");
	httpreply(h, 200, NULL, seen, strlen(seen));
}

static int goon;

static void
flushed(Http *h)
{
	FAILS(httpflush(h), EINVAL);
	httphead(h, 200, NULL, 6);
	httpwrite(h, "one", 3);
	errno = EDOM;
	ck_assert_int_eq(httpflush(h), 0);
	ck_assert_int_eq(errno, EDOM);
	while(!goon)
		taskdelay(1);
	httpwrite(h, "two", 3);
	httpend(h);
}

/* As much as a client takes: 4 of these pieces, but for what is around it. */
static void
setmuch(Http *h)
{
	static char v[4 * 1024 - 5];

	memset(v, 'v', sizeof v - 1);
	for(int i = 0; i < 4; i++)
		ck_assert_int_eq(httpset(h, "A", v), 0);
	FAILS(httpset(h, "A", ""), EMSGSIZE);
	hello(h);
}

static const Httproute routes[] = {
	{"GET", "/hello", hello, NULL},
	{"POST", "/fields", fields, NULL},
	{"GET", "/fields", fields, NULL},
	{"POST", "/form", form, NULL},
	{"GET", "/flushed", flushed, NULL},
	{"GET", "/much", setmuch, NULL},
	{"POST", "/echo", echo, NULL},
	{"GET", "/notes/:id", describe, NULL},
	{"DELETE", "/notes/:id", describe, NULL},
	{"GET", "/notes/:id/tags/:tag", describe, (void *)(uintptr_t)"x"},
	{"GET", "/files/*", describe, NULL},
	{"GET", "/count", count3, NULL},
	{"GET", "/known", known5, NULL},
	{"GET", "/half", half, NULL},
	{"POST", "/silence", silence, NULL},
	{"GET", "/silence", silence, NULL},
	{"GET", "/set", setter, NULL},
	{"GET", "/close", closing, NULL},
	{"GET", "/204", nothing204, NULL},
	{NULL, NULL, NULL, NULL}
};

#define GET(path) ask(REQUEST("GET", path) ONCE)

TASK_TEST(a_reply_has_a_head_and_a_body)
{
	begin(routes);
	GET("/hello");
	STATUS(200);
	HAS("\r\nDate: ");
	HAS(" GMT\r\n");
	HAS("\r\nContent-Type: text/plain\r\n");
	HAS("\r\nContent-Length: 6\r\n");
	HAS("\r\nConnection: close\r\n");
	ck_assert_str_eq(body(), "hello\n");
	ck_assert_str_eq(logged, "GET /hello 200 6");
	end();
}

TASK_TEST(HEAD_has_the_head_of_GET_and_no_body)
{
	begin(routes);
	ask(REQUEST("HEAD", "/hello") "\r\n" REQUEST("HEAD", "/count") "\r\n"
		REQUEST("GET", "/hello") ONCE);
	ck_assert_int_eq(occurs(answer, "HTTP/1.1 200 OK\r\n"), 3);
	ck_assert_int_eq(occurs(answer, "Content-Length: 6\r\n"), 2);
	HAS("Transfer-Encoding: chunked\r\n\r\nHTTP");
	ck_assert_int_eq(occurs(answer, "hello"), 1);
	end();
}

TASK_TEST(a_path_finds_its_route_and_its_pieces)
{
	begin(routes);
	GET("/notes/17");
	ck_assert_str_eq(body(), "GET /notes/17 id=17 tag=- *=- ? q=- arg=-");
	GET("/notes/a%2fb%20c?q=x+y%26z&q=2");
	ck_assert_str_eq(body(), "GET /notes/a%2fb%20c id=a/b c tag=- *=- "
		"?q=x+y%26z&q=2 q=x y&z arg=-");
	GET("/notes/1/tags/two?a=b&%71");
	ck_assert_str_eq(body(), "GET /notes/1/tags/two id=1 tag=two *=- "
		"?a=b&%71 q= arg=x");
	GET("/files/a/b.c?q=%zz");
	ck_assert_str_eq(body(), "GET /files/a/b.c id=- tag=- *=a/b.c ?q=%zz "
		"q=- arg=-");
	GET("/files/");
	ck_assert_str_eq(body(), "GET /files/ id=- tag=- *= ? q=- arg=-");
	ask(REQUEST("GET", "http://h/notes/2?q=3") ONCE);
	ck_assert_str_eq(body(), "GET /notes/2 id=2 tag=- *=- ?q=3 q=3 arg=-");
	end();
}

TASK_TEST(S3_30_no_route_is_404_and_another_method_405_with_Allow)
{
	static const char *const none[] = {"/", "/hell", "/hello/", "/notes/",
		"/notes", "/notes/1/", "/notes/1/tags", "/files", "/Hello",
		"//hello"};
	char request[128];

	begin(routes);
	for(size_t i = 0; i < sizeof none / sizeof none[0]; i++){
		snprintf(request, sizeof request, "GET %s HTTP/1.0\r\n\r\n",
			none[i]);
		ask(request);
		STATUS(404);
	}
	ask(REQUEST("PUT", "/notes/1") ONCE);
	STATUS(405);
	HAS("\r\nAllow: GET, DELETE, HEAD, OPTIONS\r\n");
	ask(REQUEST("OPTIONS", "/echo") ONCE);
	STATUS(204);
	HAS("\r\nAllow: POST, OPTIONS\r\n");
	ask(REQUEST("OPTIONS", "*") ONCE);
	STATUS(204);
	HAS("\r\nAllow: GET, POST, DELETE, HEAD, OPTIONS\r\n");
	end();
}

TASK_TEST(a_body_of_unknown_length_comes_in_chunks)
{
	begin(routes);
	GET("/count");
	HAS("\r\nTransfer-Encoding: chunked\r\n");
	HASNOT("Content-Length");
	ck_assert_str_eq(body(), "4\r\none \r\n4\r\ntwo \r\n5\r\nthree\r\n"
		"0\r\n\r\n");
	ask("GET /count HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	HASNOT("chunked");
	HAS("\r\nConnection: close\r\n");
	ck_assert_str_eq(body(), "one two three");
	end();
}

TASK_TEST(an_answer_is_as_long_as_it_says_or_the_last)
{
	begin(routes);
	GET("/known");
	ck_assert_str_eq(body(), "hello");
	ask(REQUEST("GET", "/half") "\r\n" REQUEST("GET", "/hello") "\r\n");
	ck_assert_str_eq(body(), "4\r\nhalf\r\n");
	ck_assert_str_eq(logged, "GET /half 200 4 half an answer");
	ask(REQUEST("GET", "/half?n") "\r\n" REQUEST("GET", "/hello") "\r\n");
	ck_assert_str_eq(body(), "half");
	GET("/silence");
	STATUS(500);
	ck_assert_str_eq(logged, "GET /silence 500 26 no answer");
	end();
}

TASK_TEST(fields_are_set_and_cannot_be_forged)
{
	begin(routes);
	GET("/set");
	STATUS(201);
	HAS("\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n");
	ck_assert_str_eq(body(), "x");
	end();
}

TASK_TEST(all_fields_are_given_in_their_order)
{
	begin(routes);
	ask("POST /fields HTTP/1.1\r\nhOST: h\r\nA: 1\r\nB:\r\nA:  2 \r\n"
		"Content-Length: 2\r\n" "Connection: close\r\n\r\nxx");
	STATUS(200);
	ck_assert_str_eq(seen, "hOST=h;A=1;B=;A=2;Content-Length=2;"
		"Connection=close;");
	ask("GET /fields HTTP/1.0\r\nX: y\r\n\r\n");
	ck_assert_str_eq(seen, "X=y;");
	end();
}

TASK_TEST(a_form_is_read_as_a_query_is)
{
	begin(routes);
	ask(REQUEST("POST", "/form?a=query") "Content-Length: 37\r\n" ONCE
		"wrong=%4&b%20c=x+y&a=1%262&a=3&=&&d=e");
	STATUS(200);
	ck_assert_str_eq(body(), "1&2|x y");
	end();
}

TASK_TEST(what_is_flushed_does_not_wait_for_more)
{
	size_t n = 0;

	begin(routes);
	int fd = dialserver();
	static const char request[] = REQUEST("GET", "/flushed") ONCE;
	put(fd, request, sizeof request - 1);
	awaittext(fd, &n, "\r\n\r\none");
	goon = 1;
	awaittext(fd, &n, "onetwo");
	fdclose(fd);
	end();
}

TASK_TEST(there_may_be_16_KiB_of_fields)
{
	begin(routes);
	GET("/much");
	STATUS(200);
	ck_assert_int_eq(occurs(answer, "\r\nA: v"), 4);
	ck_assert_str_eq(body(), "hello\n");
	end();
}

TASK_TEST(a_204_has_neither_body_nor_length)
{
	begin(routes);
	ask(REQUEST("GET", "/204") "\r\n" REQUEST("GET", "/hello") ONCE);
	STATUS(204);
	ck_assert_int_eq(occurs(answer, "Content-Length"), 1);
	HASNOT("chunked");
	end();
}

TASK_TEST(a_connection_goes_on_until_one_side_says_close)
{
	begin(routes);
	ask(REQUEST("GET", "/hello") "\r\n" REQUEST("GET", "/close") "\r\n"
		REQUEST("GET", "/hello") "\r\n");
	ck_assert_int_eq(occurs(answer, "HTTP/1.1 200"), 2);
	ask("GET /hello HTTP/1.0\r\n\r\nGET /hello HTTP/1.0\r\n\r\n");
	ck_assert_int_eq(occurs(answer, "HTTP/1.1 200"), 1);
	ask("GET /hello HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"
		"GET /hello HTTP/1.0\r\n\r\n");
	ck_assert_int_eq(occurs(answer, "HTTP/1.1 200"), 2);
	HAS("\r\nConnection: keep-alive\r\n");
	end();
}

TASK_TEST(answers_come_in_the_order_of_requests)
{
	enum { Many = 500 };
	size_t n = 0;
	char *text = malloc(Many * 64), path[32];
	int fd, next = 0;

	begin(routes);
	fd = dialserver();
	for(int i = 0; i < Many; i++)
		n += (size_t)sprintf(text + n, "GET /files/n%d HTTP/1.1\r\n"
			"Host: h\r\n\r\n", i);
	n += (size_t)sprintf(text + n, REQUEST("GET", "/hello") ONCE);
	put(fd, text, n);
	char *all = malloc(Many * 300);
	size_t has = 0;
	ssize_t r;
	while((r = fdread(fd, all + has, Many * 300 - 1 - has)) > 0)
		has += (size_t)r;
	all[has] = '\0';
	for(const char *at = all; next < Many; next++){
		snprintf(path, sizeof path, "*=n%d ", next);
		at = strstr(at, path);
		ck_assert_ptr_nonnull(at);
	}
	ck_assert_int_eq(occurs(all, "HTTP/1.1 200"), Many + 1);
	fdclose(fd);
	free(all);
	free(text);
	end();
}

static unsigned int
tasks(void)
{
	Taskstats stats;

	ck_assert_int_ge(taskstats(&stats, sizeof stats), 0);
	return stats.tasks;
}

TASK_TEST(an_idle_connection_goes_on_and_has_no_task)
{
	static const char request[] = REQUEST("GET", "/hello") "\r\n";

	begin(routes);
	GET("/hello");
	for(int k = 0; k < Patience && serverlive(&server) > 0; k++)
		taskdelay(1);
	unsigned int none = tasks();
	int fd = dialserver();
	for(int i = 0; i < 3; i++){
		size_t n = 0;
		put(fd, request, sizeof request - 1);
		awaittext(fd, &n, "hello\n");
		for(int k = 0; k < Patience && tasks() > none; k++)
			taskdelay(1);
		ck_assert_uint_eq(tasks(), none);
	}
	ck_assert_int_eq(serverlive(&server), 1);
	fdclose(fd);
	end();
}

/* Bodies */

TASK_TEST(a_body_comes_by_length_or_in_chunks)
{
	begin(routes);
	ask(REQUEST("POST", "/echo") "Content-Length: 5\r\n" ONCE "hello");
	ck_assert_str_eq(body(), "hello");
	ask(REQUEST("POST", "/echo") "Transfer-Encoding: chunked\r\n" ONCE
		"3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nX: y\r\n\r\n");
	ck_assert_str_eq(body(), "hello");
	ask(REQUEST("POST", "/echo") ONCE);
	ck_assert_str_eq(body(), "");
	end();
}

TASK_TEST(a_body_of_a_megabyte_comes_whole_either_way)
{
	enum { Big = 1 << 20 };
	char *big = malloc(Big), head[128];

	for(size_t i = 0; i < Big; i++)
		big[i] = (char)(i * 2654435761u >> 13);
	begin(routes);
	for(int chunked = 0; chunked < 2; chunked++){
		int fd = dialserver();
		Stream *s = streamopen(fd, 0);
		int n = snprintf(head, sizeof head, REQUEST("POST", "/echo")
			"%s%s" ONCE, chunked ? "Transfer-Encoding: chunked\r\n"
			: "Content-Length: 1048576", chunked ? "" : "\r\n");
		streamwrite(s, head, (size_t)n);
		for(size_t at = 0; chunked && at < Big; at += 1 << 15){
			streamprint(s, "%x\r\n", 1 << 15);
			streamwrite(s, big + at, 1 << 15);
			streamwrite(s, "\r\n", 2);
		}
		if(chunked)
			streamwrite(s, "0\r\n\r\n", 5);
		else
			streamwrite(s, big, Big);
		char *line, *back = malloc(Big);
		while(streamline(s, &line) > 0);
		ck_assert_int_eq(streamreadn(s, back, Big), Big);
		ck_assert_int_eq(memcmp(back, big, Big), 0);
		ck_assert_int_eq(streamread(s, back, 1), 0);
		streamclose(s);
		free(back);
	}
	free(big);
	end();
}

TASK_TEST(a_body_that_nobody_reads_is_not_the_next_request)
{
	begin(routes);
	ask(REQUEST("POST", "/silence") "Content-Length: 30\r\n\r\n"
		"GET /hello HTTP/1.0\r\n\r\n1234567"
		REQUEST("GET", "/hello") "\r\n"
		REQUEST("POST", "/none") "Content-Length: 70000\r\n\r\n"
		REQUEST("GET", "/hello") "\r\n");
	ck_assert_int_eq(occurs(answer, "HTTP/1.1 200"), 1);
	ck_assert_int_eq(occurs(answer, "HTTP/1.1 500"), 1);
	ck_assert_int_eq(occurs(answer, "HTTP/1.1 404"), 1);
	ask(REQUEST("POST", "/none") "Transfer-Encoding: chunked\r\n\r\n"
		"0\r\n\r\n" REQUEST("GET", "/hello") "\r\n");
	STATUS(404);
	HAS("Connection: close");
	ck_assert_int_eq(occurs(answer, "HTTP/1.1"), 1);
	end();
}

TASK_TEST(who_waits_for_it_is_told_to_go_on)
{
	static const char head[] = REQUEST("POST", "/echo")
		"Expect: 100-continue\r\nContent-Length: 5\r\n" ONCE;
	size_t n = 0;

	begin(routes);
	int fd = dialserver();
	put(fd, head, sizeof head - 1);
	awaittext(fd, &n, "HTTP/1.1 100 Continue\r\n\r\n");
	ck_assert_uint_eq(n, 25);
	put(fd, "hello", 5);
	slurp(fd);
	STATUS(200);
	ck_assert_str_eq(body(), "hello");
	fdclose(fd);
	/* who does not read says no, and then nothing can follow */
	ask(REQUEST("POST", "/none") "Expect: 100-continue\r\n"
		"Content-Length: 5\r\n\r\n");
	STATUS(404);
	HAS("Connection: close");
	end();
}

static void
small(Http *h)
{
	void *v;
	ssize_t n = httpbody(h, &v, 3);

	if(n < 0)
		ck_assert_int_eq(errno, EMSGSIZE);
	else
		hello(h);
}

static void
bybytes(Http *h)
{
	char c;
	ssize_t n;

	httphead(h, 200, NULL, -1);
	while((n = httpread(h, &c, 1)) > 0)
		httpwrite(h, &c, 1);
	ck_assert_int_eq(n, 0);
	ck_assert_int_eq(httpread(h, &c, 1), 0);
	httpend(h);
}

static const Httproute bodies[] = {
	{"POST", "/small", small, NULL},
	{"POST", "/bytes", bybytes, NULL},
	{"POST", "/echo", echo, NULL},
	{NULL, NULL, NULL, NULL}
};

TASK_TEST(a_body_that_is_too_long_is_413)
{
	site.most = 10;
	begin(bodies);
	ask(REQUEST("POST", "/small") "Content-Length: 3\r\n" ONCE "abc");
	STATUS(200);
	ask(REQUEST("POST", "/small") "Content-Length: 4\r\n\r\nabcd");
	STATUS(413);
	ask(REQUEST("POST", "/small") "Transfer-Encoding: chunked\r\n\r\n"
		"4\r\nabcd\r\n0\r\n\r\n");
	STATUS(413);
	ask(REQUEST("POST", "/echo") "Content-Length: 11\r\n\r\n");
	STATUS(413);
	ck_assert_str_eq(logged, "POST /echo 413 22 a long body");
	ask(REQUEST("POST", "/echo") "Transfer-Encoding: chunked\r\n\r\n"
		"a\r\n0123456789\r\n1\r\n");
	STATUS(413);
	end();
}

TASK_TEST(a_body_is_read_while_the_answer_is_written)
{
	begin(bodies);
	ask(REQUEST("POST", "/bytes") "Transfer-Encoding: chunked\r\n" ONCE
		"3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n");
	ck_assert_str_eq(body(), "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n1\r\nd\r\n"
		"0\r\n\r\n");
	end();
}

/* Functions before the route */

static void
outer(Http *h)
{
	strcat(seen, "in1 ");
	h->data = seen;
	httpset(h, "X-Outer", "1");
	httpnext(h);
	strcat(seen, "out1");
	ck_assert_int_eq(h->status, 200);
}

static void
inner(Http *h)
{
	ck_assert_ptr_eq(h->data, seen);
	strcat(seen, "in2 ");
	httpnext(h);
	httpnext(h);
	strcat(seen, "out2 ");
}

static void
app(Http *h)
{
	strcat(seen, "app ");
	httpnext(h);
	hello(h);
}

static void
guard(Http *h)
{
	const char *who = httpfield(h, "authorization");

	if(who && strcmp(who, "Bearer x") == 0)
		httpnext(h);
	else
		httperror(h, 401);
}

static const Httproute apps[] = {
	{"GET", "/", app, NULL},
	{NULL, NULL, NULL, NULL}
};

TASK_TEST(S3_29_what_is_before_the_route_is_around_it)
{
	static void (*const before[])(Http *) = {outer, inner, NULL};

	site.before = before;
	begin(apps);
	GET("/");
	ck_assert_str_eq(seen, "in1 in2 app out2 out1");
	HAS("\r\nX-Outer: 1\r\n");
	end();
}

TASK_TEST(it_can_answer_in_place_of_the_route)
{
	static void (*const before[])(Http *) = {guard, NULL};

	site.before = before;
	begin(apps);
	GET("/");
	STATUS(401);
	GET("/none");
	STATUS(401);
	ck_assert_str_eq(seen, "");
	ask(REQUEST("GET", "/") "Authorization: Bearer x\r\n" ONCE);
	STATUS(200);
	end();
}

/* Events */

static Channel *more;

static void
events(Http *h)
{
	httpevents(h);
	FAILS(httpevent(h, "a\nb", NULL, "x"), EINVAL);
	ck_assert_int_eq(httpevent(h, "tick", "1", "one\ntwo\r\nthree\r"), 0);
	chanrecvul(more);
	ck_assert_int_eq(httpevent(h, NULL, NULL, NULL), 0);
	ck_assert_int_eq(httpevent(h, NULL, NULL, ""), 0);
}

static const Httproute streams[] = {
	{"GET", "/events", events, NULL},
	{NULL, NULL, NULL, NULL}
};

TASK_TEST(events_go_out_one_by_one)
{
	static const char request[] = REQUEST("GET", "/events") ONCE;
	size_t n = 0;

	more = chancreate(sizeof(unsigned long), 0);
	begin(streams);
	int fd = dialserver();
	put(fd, request, sizeof request - 1);
	awaittext(fd, &n, "event: tick\nid: 1\ndata: one\ndata: two\n"
		"data: three\ndata: \n\n");
	HAS("\r\nContent-Type: text/event-stream\r\n");
	HAS("\r\nCache-Control: no-store\r\n");
	chansendul(more, 1);
	awaittext(fd, &n, "\r\n0\r\n\r\n");
	HAS(":\n\n");
	HAS("data: \n\n");
	fdclose(fd);
	end();
	chanfree(more);
}

/* Other protocols */

static void
upgrade(Http *h)
{
	char *line;
	Stream *s = httpupgrade(h, "lines");

	if(s == NULL){
		ck_assert_int_eq(errno, EPROTO);
		httperror(h, 426);
		return;
	}
	ck_assert_str_eq(h->path, "/lines");
	while(streamline(s, &line) >= 0)
		streamprint(s, "<%s>\n", line);
	ck_assert_str_eq(httpfield(h, "Host"), "h");
}

static const Httproute protocols[] = {
	{"GET", "/lines", upgrade, NULL},
	{NULL, NULL, NULL, NULL}
};

TASK_TEST(a_connection_goes_on_in_another_protocol)
{
	static const char request[] = REQUEST("GET", "/lines")
		"Connection: keep-alive, Upgrade\r\nUpgrade: a/1, lines\r\n\r\n"
		"GET /lines HTTP/1.1\r\n";
	size_t n = 0;

	begin(protocols);
	int fd = dialserver();
	put(fd, request, sizeof request - 1);
	awaittext(fd, &n, "<GET /lines HTTP/1.1>\n");
	STATUS(101);
	HAS("\r\nConnection: Upgrade\r\nUpgrade: lines\r\n");
	put(fd, "more\n", 5);
	awaittext(fd, &n, "<more>\n");
	shutdown(fd, SHUT_WR);
	slurp(fd);
	fdclose(fd);
	GET("/lines");
	STATUS(426);
	ask(REQUEST("GET", "/lines") "Upgrade: lines\r\n" ONCE);
	STATUS(426);
	end();
}

/* Deadlines, and the end */

TASK_TEST(a_head_that_comes_too_slowly_is_408)
{
	site.head_ms = 50;
	begin(routes);
	ask("GET /hello HT");
	STATUS(408);
	ck_assert_str_eq(logged, "  408 20 a slow head");
	end();
}

TASK_TEST(a_body_that_comes_too_slowly_is_408)
{
	site.body_ms = 50;
	begin(routes);
	ask(REQUEST("POST", "/echo") "Content-Length: 5\r\n\r\nhe");
	STATUS(408);
	ask(REQUEST("POST", "/echo") "Transfer-Encoding: chunked\r\n\r\n5\r\n");
	STATUS(408);
	end();
}

static void
endless(Http *h)
{
	static char lot[100000];

	httphead(h, 200, NULL, -1);
	while(httpwrite(h, lot, sizeof lot) == 0);
	ck_assert_int_eq(errno, ETIMEDOUT);
	FAILS(httpwrite(h, lot, 1), EPIPE);
}

static const Httproute lots[] = {
	{"GET", "/", endless, NULL},
	{NULL, NULL, NULL, NULL}
};

TASK_TEST(who_does_not_read_is_left)
{
	static const char request[] = REQUEST("GET", "/") ONCE;

	site.write_ms = 50;
	begin(lots);
	int fd = dialserver();
	put(fd, request, sizeof request - 1);
	for(int i = 0; i < Patience && serverlive(&server) + (nlogged == 0) > 0;
			i++)
		taskdelay(1);
	ck_assert_int_eq(serverlive(&server), 0);
	ck_assert_msg(strstr(logged, "a slow reader") != NULL, "%s", logged);
	fdclose(fd);
	end();
}

static void
waiting(Http *h)
{
	chanrecvul(more);
	hello(h);
}

static const Httproute waits[] = {
	{"GET", "/wait", waiting, NULL},
	{"GET", "/hello", hello, NULL},
	{NULL, NULL, NULL, NULL}
};

static void
stopping(void *v)
{
	end();
	*(int *)v = 1;
}

TASK_TEST(who_is_served_while_the_server_stops_is_told_that_it_closes)
{
	static const char request[] = REQUEST("GET", "/wait") "\r\n";
	int stopped = 0;

	more = chancreate(sizeof(unsigned long), 0);
	site.busy = 9;
	begin(waits);
	int fd = dialserver();
	put(fd, request, sizeof request - 1);
	while(site.nbusy == 0)
		taskdelay(1);
	taskcreate(stopping, &stopped, 0);
	while(!serverstopping(&server))
		taskdelay(1);
	chansendul(more, 1);
	slurp(fd);
	fdclose(fd);
	STATUS(200);
	HAS("\r\nConnection: close\r\n");
	while(!stopped)
		taskdelay(1);
	chanfree(more);
}

TASK_TEST(more_requests_at_a_time_than_allowed_are_503)
{
	static const char request[] = REQUEST("GET", "/wait") ONCE;

	more = chancreate(sizeof(unsigned long), 0);
	site.busy = 1;
	begin(waits);
	int fd = dialserver();
	put(fd, request, sizeof request - 1);
	while(site.nbusy == 0)
		taskdelay(1);
	GET("/hello");
	STATUS(503);
	chansendul(more, 1);
	slurp(fd);
	STATUS(200);
	fdclose(fd);
	GET("/hello");
	STATUS(200);
	end();
	chanfree(more);
}

TASK_TEST(a_client_that_goes_away_is_not_answered_and_harms_nobody)
{
	static const char request[] = REQUEST("GET", "/hello") "\r\n";

	begin(routes);
	for(size_t n = 0; n < sizeof request; n++){
		int fd = dialserver();
		struct linger l = {1, 0};
		put(fd, request, n);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
		fdclose(fd);
	}
	GET("/hello");
	STATUS(200);
	end();
}

/* A function that ends its task, with all that a call may have kept. */
static void
ending(Http *h)
{
	void *v;

	httpquery(h, "q");
	httpset(h, "A", "b");
	httpbody(h, &v, 0);
	if(h->query[0] == 'c')
		taskcancel((int)taskid());
	if(h->query[0] == 'h')
		httphead(h, 200, NULL, 10);
	if(h->query[0] == 'w')
		hello(h);
	taskexit(0);
}

static const Httproute endings[] = {
	{"POST", "/", ending, NULL},
	{"GET", "/hello", hello, NULL},
	{NULL, NULL, NULL, NULL}
};

TASK_TEST(a_task_that_ends_in_a_function_leaves_its_place_and_nothing_else)
{
	site.busy = 1;
	begin(endings);
	ask(REQUEST("POST", "/?q=a") "Content-Length: 1\r\n\r\nx");
	ck_assert_str_eq(answer, "");
	ck_assert_str_eq(logged, "POST / 0 0 its task has ended");
	ask(REQUEST("POST", "/?c&q=a") "Content-Length: 1\r\n\r\nx");
	ask(REQUEST("POST", "/?h&q=a") "Content-Length: 1\r\n\r\nx");
	ck_assert_int_eq(nlogged, 3);
	ck_assert_int_eq(site.nbusy, 0);
	GET("/hello");
	STATUS(200);
	end();
}

TASK_TEST(what_was_answered_is_sent_though_the_task_ends)
{
	begin(endings);
	ask(REQUEST("POST", "/?w&q=a") "Content-Length: 1\r\n\r\nx");
	STATUS(200);
	ck_assert_str_eq(body(), "hello\n");
	ck_assert_str_eq(logged, "POST / 200 6");
	end();
}

static void
logandexit(const Http *h, const char *why)
{
	logit(h, why);
	taskexit(0);
}

TASK_TEST(what_was_answered_is_sent_though_the_log_ends_the_task)
{
	begin(endings);
	site.log = logandexit;
	ask(REQUEST("POST", "/?w&q=a") "Content-Length: 1\r\n\r\nx");
	STATUS(200);
	ck_assert_str_eq(body(), "hello\n");
	ck_assert_int_eq(nlogged, 1);
	end();
	begin(routes);
	site.log = logandexit;
	GET("/hello");
	STATUS(200);
	end();
}

/* With more fields than there is room for without malloc. */
TASK_TEST(a_log_whose_task_ends_leaves_nothing_of_what_was_refused)
{
	enum { Fields = 60, Requests = 50 };
	static char request[1024] = "GET / HTTP/1.1\r\n";

	for(int i = 0; i < Fields; i++)
		strcat(request, "a: b\r\n");
	strcat(request, "\r\n");	/* and no Host */
	begin(routes);
	site.log = logandexit;
	ask(request);
	struct mallinfo2 before = mallinfo2();
	for(int i = 0; i < Requests; i++)
		ask(request);
	ck_assert_int_lt((int)(mallinfo2().uordblks - before.uordblks),
		Requests * Fields * 4);
	ck_assert_int_eq(nlogged, 1 + Requests);
	ck_assert_str_eq(logged, "  400 16 no host");
	end();
}

static void
dripping(Http *h)
{
	static char some[4096];
	int small = 4096;

	setsockopt(httpfd(h), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
	httphead(h, 200, NULL, -1);
	while(httpwrite(h, some, sizeof some) == 0);
	ck_assert_int_eq(errno, ETIMEDOUT);
}

static void
living(Http *h)
{
	httpevents(h);
	for(int i = 0; i < 10; i++){
		taskdelay(20);
		if(httpevent(h, NULL, NULL, "x") < 0)
			return;
	}
}

static const Httproute drips[] = {
	{"GET", "/drip", dripping, NULL},
	{"GET", "/live", living, NULL},
	{NULL, NULL, NULL, NULL}
};

/* A connection whose peer cannot send much that has not been read. */
static int
dialnarrow(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)serverport(&server)),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0), small = 4096;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	fdnoblock(fd);
	return fd;
}

/* It reads before a write would have waited for too long, again and again. */
TASK_TEST(who_reads_slowly_is_left_however_small_the_writes_are)
{
	enum { Some = 8192, WriteMs = 500, Most = 100 };
	static const char request[] = REQUEST("GET", "/drip") ONCE;
	char *some = malloc(Some);
	int n = 0;

	site.write_ms = WriteMs;
	begin(drips);
	int fd = dialnarrow();
	put(fd, request, sizeof request - 1);
	for(; nlogged == 0 && n < Most; n++){
		if(fdreadn(fd, some, Some) < Some)
			break;
		taskdelay(WriteMs / 10);
	}
	fdclose(fd);
	ck_assert_int_lt(n, Most);
	ck_assert_msg(strstr(logged, "a slow reader") != NULL, "%s", logged);
	free(some);
	end();
}

TASK_TEST(an_answer_that_waits_for_nobody_may_go_on)
{
	site.write_ms = 100;
	begin(drips);
	GET("/live");
	ck_assert_int_eq(occurs(answer, "data: x\n"), 10);
	ck_assert_str_eq(logged, "GET /live 200 90");
	end();
}

/* Other tasks compute; then there is no room for a moment. */
enum { TurnMs = 40, Turns = 30, TurnsMs = 1000, Lot = 16 * 1024 };

static int nturns;

static void
busily(void *v)
{
	(void)v;
	for(nturns = 0; nturns < Turns; nturns++){
		int64_t until = tasknow() + TurnMs * (int64_t)1000000;
		while(tasknow() < until);
		taskyield();
	}
}

static void
outlasting(Http *h)
{
	static char lot[Lot];
	int small = 4096;

	httpevents(h);
	memset(lot, 'x', sizeof lot);
	taskcreate(busily, NULL, 0);
	do
		if(httpevent(h, NULL, NULL, "x") < 0)
			return;
	while(nturns < Turns);
	setsockopt(httpfd(h), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
	for(int i = 0; i < 4; i++)
		httpwrite(h, lot, sizeof lot);
}

static const Httproute outlasts[] = {
	{"GET", "/", outlasting, NULL},
	{NULL, NULL, NULL, NULL}
};

TASK_TEST(the_turns_of_others_are_no_waits)
{
	static const char request[] = REQUEST("GET", "/") ONCE;
	static char some[4096];
	ssize_t r;

	site.write_ms = TurnsMs;
	server.most = Lot / 2;
	begin(outlasts);
	int fd = dialnarrow();
	put(fd, request, sizeof request - 1);
	while((r = fdread(fd, some, sizeof some)) > 0);
	fdclose(fd);
	ck_assert_msg(strstr(logged, "slow") == NULL, "%s", logged);
	ck_assert_int_eq(r, 0);
	end();
}

/* The rest of the body never comes, whatever the program answers. */
static void
impatient(Http *h)
{
	Timeout t;
	void *v;

	TIMEOUT(&t, 20)
		FAILS(httpbody(h, &v, 0), ETIMEDOUT);
	if(h->query[0] == 'a')
		httpreply(h, 504, NULL, NULL, 0);
	else if(h->query[0] == 'r' && httpbody(h, &v, 0) >= 0)
		hello(h);
}

static const Httproute hurries[] = {
	{"POST", "/", impatient, NULL},
	{NULL, NULL, NULL, NULL}
};

TASK_TEST(a_body_that_the_program_gave_up_is_the_last)
{
	site.body_ms = 60000;
	begin(hurries);
	ask(REQUEST("POST", "/?a") "Content-Length: 20\r\n\r\nhello");
	STATUS(504);
	HAS("\r\nConnection: close\r\n");
	ask(REQUEST("POST", "/") "Content-Length: 20\r\n\r\nhello");
	STATUS(408);
	HAS("\r\nConnection: close\r\n");
	ck_assert_str_eq(logged, "POST / 408 20 a slow body");
	end();
}

TASK_TEST(a_body_that_comes_after_all_harms_nothing)
{
	static const char head[] = REQUEST("POST", "/?r")
		"Content-Length: 5\r\n\r\nhe", rest[] = "llo"
		REQUEST("OPTIONS", "*") ONCE;
	int fd;

	begin(hurries);
	fd = dialserver();
	put(fd, head, sizeof head - 1);
	taskdelay(60);
	put(fd, rest, sizeof rest - 1);
	slurp(fd);
	STATUS(200);
	ck_assert_int_eq(occurs(answer, "HTTP/1.1 204"), 1);
	fdclose(fd);
	end();
}

static void
foreverevents(Http *h)
{
	httpevents(h);
	while(httpevent(h, NULL, NULL, "x") == 0)
		taskdelay(1);
	ck_assert_int_eq(errno, EPIPE);
}

static void
listed(Http *h)
{
	const char *all = httpfields(h, "accept");

	ck_assert_ptr_null(httpfields(h, "none"));
	ck_assert_str_eq(httpfields(h, "host"), "h");
	httpreply(h, 200, NULL, all, strlen(all));
}

static const Httproute others[] = {
	{"GET", "/events", foreverevents, NULL},
	{"GET", "/list", listed, NULL},
	{NULL, NULL, NULL, NULL}
};

TASK_TEST(HEAD_of_events_ends_at_once)
{
	begin(others);
	ask(REQUEST("HEAD", "/events") "\r\n" REQUEST("OPTIONS", "*") ONCE);
	STATUS(200);
	HASNOT("data");
	ck_assert_int_eq(occurs(answer, "HTTP/1.1 204"), 1);
	end();
}

TASK_TEST(fields_in_several_lines_are_one_list)
{
	begin(others);
	ask(REQUEST("GET", "/list") "Accept: a, b\r\nX: y\r\nACCEPT: c\r\n"
		ONCE);
	ck_assert_str_eq(body(), "a, b, c");
	ask(REQUEST("GET", "/list") "Accept: a\r\n" ONCE);
	ck_assert_str_eq(body(), "a");
	end();
}

TEST_MAIN("httpserve",
	a_reply_has_a_head_and_a_body,
	HEAD_has_the_head_of_GET_and_no_body,
	a_path_finds_its_route_and_its_pieces,
	S3_30_no_route_is_404_and_another_method_405_with_Allow,
	a_body_of_unknown_length_comes_in_chunks,
	an_answer_is_as_long_as_it_says_or_the_last,
	fields_are_set_and_cannot_be_forged,
	all_fields_are_given_in_their_order,
	a_form_is_read_as_a_query_is,
	what_is_flushed_does_not_wait_for_more,
	there_may_be_16_KiB_of_fields,
	a_204_has_neither_body_nor_length,
	a_connection_goes_on_until_one_side_says_close,
	answers_come_in_the_order_of_requests,
	an_idle_connection_goes_on_and_has_no_task,
	a_body_comes_by_length_or_in_chunks,
	a_body_of_a_megabyte_comes_whole_either_way,
	a_body_that_nobody_reads_is_not_the_next_request,
	who_waits_for_it_is_told_to_go_on,
	a_body_that_is_too_long_is_413,
	a_body_is_read_while_the_answer_is_written,
	S3_29_what_is_before_the_route_is_around_it,
	it_can_answer_in_place_of_the_route,
	events_go_out_one_by_one,
	a_connection_goes_on_in_another_protocol,
	a_head_that_comes_too_slowly_is_408,
	a_body_that_comes_too_slowly_is_408,
	who_does_not_read_is_left,
	who_is_served_while_the_server_stops_is_told_that_it_closes,
	more_requests_at_a_time_than_allowed_are_503,
	a_client_that_goes_away_is_not_answered_and_harms_nobody,
	a_task_that_ends_in_a_function_leaves_its_place_and_nothing_else,
	what_was_answered_is_sent_though_the_task_ends,
	what_was_answered_is_sent_though_the_log_ends_the_task,
	a_log_whose_task_ends_leaves_nothing_of_what_was_refused,
	who_reads_slowly_is_left_however_small_the_writes_are,
	an_answer_that_waits_for_nobody_may_go_on,
	the_turns_of_others_are_no_waits,
	a_body_that_the_program_gave_up_is_the_last,
	a_body_that_comes_after_all_harms_nothing,
	HEAD_of_events_ends_at_once,
	fields_in_several_lines_are_one_list)
