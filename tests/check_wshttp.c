/* SPDX-License-Identifier: MIT */
/* WebSocket connections that begin as requests to a server of HTTP. */
#include "httptest.h"
#include "../addons/ws/taskws.h"

static int accepted, code, err;

static int
anyorigin(const char *origin, void *arg)
{
	return strcmp(origin, arg) == 0;
}

static char friendly[] = "http://friend";
static const Wsset set = {.message = 1000, .protocols = "echo",
	.origin = anyorigin, .arg = friendly};

/* says everything again, until the peer closes. */
static void
echo(Http *h)
{
	Wsmessage m;
	Ws *w = wsaccept(h, &set);

	if(w == NULL){
		err = errno;
		return;
	}
	accepted++;
	ck_assert_int_gt(wsprint(w, "you asked for %s", h->path), 0);
	while(wsread(w, &m) > 0)
		ck_assert_int_eq(wswrite(w, m.type, m.v, m.n), m.n);
	code = wscode(w);
	ck_assert_int_eq(wsclose(w, 1000, NULL), 0);
}

/* closes at once, without a word. */
static void
bye(Http *h)
{
	Ws *w = wsaccept(h, NULL);

	ck_assert_int_eq(wsclose(w, 4001, "not today"), 0);
}

/* has answered already, or has no request. */
static void
twice(Http *h)
{
	ck_assert_int_eq(httpreply(h, 200, NULL, "x", 1), 0);
	ck_assert_ptr_null(wsaccept(h, NULL));
	ck_assert_int_eq(errno, EALREADY);
	ck_assert_ptr_null(wsaccept(NULL, NULL));
	ck_assert_int_eq(errno, EINVAL);
}

static void
plain(Http *h)
{
	ck_assert_int_ge(httpfd(h), 0);
	httpreply(h, 200, NULL, "plain\n", 6);
}

static const Httproute routes[] = {
	{"GET", "/bye", bye, NULL},
	{"GET", "/twice", twice, NULL},
	{"GET", "/plain", plain, NULL},
	{NULL, "/echo/:name", echo, NULL},
	{NULL, NULL, NULL, NULL}
};

static Ws *
dialws(const char *path, const char *protocols)
{
	char url[128];
	Wsset mine = {.protocols = protocols};

	snprintf(url, sizeof url, "ws://127.0.0.1:%d%s", serverport(&server),
		path);
	return wsdial(url, &mine);
}

static void
hears(Ws *w, const char *text)
{
	Wsmessage m;

	ck_assert_int_eq(wsread(w, &m), 1);
	ck_assert_str_eq(m.v, text);
}

TASK_TEST(a_request_becomes_a_connection_that_goes_both_ways)
{
	begin(routes);
	Ws *w = dialws("/echo/ann", "other, echo");
	ck_assert_ptr_nonnull(w);
	ck_assert_str_eq(wsprotocol(w), "echo");
	hears(w, "you asked for /echo/ann");
	for(int i = 0; i < 100; i++)
		ck_assert_int_gt(wsprint(w, "this is %d", i), 0);
	for(int i = 0; i < 100; i++){
		char text[32];
		snprintf(text, sizeof text, "this is %d", i);
		hears(w, text);
	}
	ck_assert_int_eq(wsclose(w, 3000, "enough"), 0);
	end();
	ck_assert_int_eq(code, 3000);
	ck_assert_int_eq(nlogged, 1);
	ck_assert_ptr_nonnull(strstr(logged, "GET /echo/ann 101"));
}

TASK_TEST(the_server_can_close_first)
{
	Wsmessage m;

	begin(routes);
	Ws *w = dialws("/bye", NULL);
	ck_assert_ptr_nonnull(w);
	ck_assert_int_eq(wsread(w, &m), 0);
	ck_assert_int_eq(wscode(w), 4001);
	ck_assert_str_eq(wsreason(w), "not today");
	ck_assert_int_eq(wsclose(w, 0, NULL), 0);
	end();
}

TASK_TEST(what_comes_right_behind_the_request_is_not_lost)
{
	static const char request[] = REQUEST("GET", "/echo/x")
		"Upgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
		"\x81\x82\0\0\0\0hi\x88\x80\0\0\0\0";

	begin(routes);
	size_t n = askbytes(request, sizeof request - 1);
	STATUS(101);
	HAS("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
	ck_assert_ptr_nonnull(memmem(answer, n, "\x81\x02hi\x88", 5));
	end();
}

#define ASKS "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

TASK_TEST(fields_that_are_lists_may_have_several_lines)
{
	static const char request[] = REQUEST("GET", "/echo/x")
		"Upgrade: other\r\nUpgrade: websocket\r\n"
		"Connection: keep-alive\r\nConnection: Upgrade\r\n"
		VERSION KEY "Sec-WebSocket-Protocol: chat\r\n"
		"Sec-WebSocket-Protocol: echo\r\n\r\n";
	size_t n = 0;

	begin(routes);
	int fd = dialserver();
	put(fd, request, sizeof request - 1);
	awaittext(fd, &n, "\r\n\r\n");
	STATUS(101);
	HAS("\r\nSec-WebSocket-Protocol: echo\r\n");
	fdclose(fd);
	end();
}

TASK_TEST(other_requests_are_refused_and_the_connection_goes_on)
{
	begin(routes);
	int fd = dialserver();
	size_t n = 0;

	put(fd, REQUEST("GET", "/echo/x") "\r\n", strlen(
		REQUEST("GET", "/echo/x") "\r\n"));
	awaittext(fd, &n, "\r\n\r\n");
	STATUS(426);
	HAS("\r\nUpgrade: websocket\r\n");
	HAS("\r\nSec-WebSocket-Version: 13\r\n");
	ck_assert_int_eq(err, EPROTO);
	put(fd, REQUEST("GET", "/plain") ONCE, strlen(
		REQUEST("GET", "/plain") ONCE));
	awaittext(fd, &n, "plain\n");
	fdclose(fd);
	ask(REQUEST("GET", "/echo/x") ASKS KEY "Sec-WebSocket-Version: 8\r\n"
		"\r\n" REQUEST("GET", "/plain") ONCE);
	STATUS(426);
	ask(REQUEST("GET", "/echo/x") ASKS VERSION
		"Sec-WebSocket-Key: short\r\n\r\n"
		REQUEST("GET", "/plain") ONCE);
	STATUS(400);
	ask(REQUEST("DELETE", "/echo/x") ONCE);
	STATUS(405);
	HAS("\r\nAllow: GET\r\n");
	ck_assert_int_eq(accepted, 0);
	end();
}

TASK_TEST(pages_from_elsewhere_are_refused)
{
	begin(routes);
	ask(REQUEST("GET", "/echo/x") ASKS VERSION KEY
		"Origin: http://foe\r\n\r\n" REQUEST("GET", "/plain") ONCE);
	STATUS(403);
	ck_assert_int_eq(err, EACCES);
	int fd = dialserver();
	size_t n = 0;
	static const char request[] = REQUEST("GET", "/echo/x") ASKS VERSION KEY
		"Origin: http://friend\r\n\r\n";
	put(fd, request, sizeof request - 1);
	awaittext(fd, &n, "\r\n\r\n");
	STATUS(101);
	fdclose(fd);
	end();
	ck_assert_int_eq(code, 1006);
}

TASK_TEST(what_is_answered_is_not_taken_over)
{
	begin(routes);
	ask(REQUEST("GET", "/twice") ASKS VERSION KEY "\r\n"
		REQUEST("GET", "/plain") ONCE);
	STATUS(200);
	end();
}

/* A connection that stays must not keep the server from stopping. */
TASK_TEST(a_server_that_stops_ends_its_connections)
{
	Timeout t;
	int n = -1;

	begin(routes);
	Ws *w = dialws("/echo/x", NULL);
	hears(w, "you asked for /echo/x");
	TIMEOUT(&t, 50)
		n = serverstop(&server);
	ck_assert_int_eq(n, 1);
	ck_assert_int_eq(accepted, 1);
	wsclose(w, 0, NULL);
}

TEST_MAIN("wshttp", a_request_becomes_a_connection_that_goes_both_ways,
	the_server_can_close_first,
	what_comes_right_behind_the_request_is_not_lost,
	fields_that_are_lists_may_have_several_lines,
	other_requests_are_refused_and_the_connection_goes_on,
	pages_from_elsewhere_are_refused, what_is_answered_is_not_taken_over,
	a_server_that_stops_ends_its_connections)
