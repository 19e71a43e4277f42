/* SPDX-License-Identifier: MIT */
/* The client of HTTP over TLS, and redirects from and to it. */
#include "certs.h"
#include "clienttest.h"
#include "../addons/tls/tasktls.h"

static Server plain;	/* beside server, which has TLS */
static Tls *tls, *trusting;
static int nshaken, otherport;

static int
secureserve(Server *s, Stream *c, void *arg)
{
	if(streamtls(c, tls, NULL) == 0)
		nshaken++;
	else if(errno != EALREADY)
		return 0;
	return httpserve(s, c, arg);
}

static int
secure(Stream *s, void *ctx, const char *host)
{
	return streamtls(s, ctx, host);
}

static void
hello(Http *h)
{
	httpreply(h, 200, "text/plain", "hello\n", 6);
}

/* leads to the other server */
static void
across(Http *h)
{
	char where[64];

	snprintf(where, sizeof where, "%s://127.0.0.1:%d/hello",
		h->query[0] == 's' ? "https" : "http", h->query[0] == 's' ?
		serverport(&server) : otherport);
	httpset(h, "Location", where);
	httpreply(h, 302, NULL, NULL, 0);
}

static const Httproute routes[] = {
	{"GET", "/hello", hello, NULL},
	{"GET", "/across", across, NULL},
	{NULL, NULL, NULL, NULL}
};

static void
start(const char *ca)
{
	tls = tlsserver(incerts("good"), incerts("good"));
	trusting = tlsclient(incerts(ca));
	ck_assert(tls && trusting);
	begin(routes);
	server.fn = secureserve;
	plain.fn = httpserve;
	plain.arg = &site;
	ck_assert_int_eq(serverstart(&plain, "127.0.0.1", 0), 0);
	otherport = serverport(&plain);
	web.secure = secure;
	web.ctx = trusting;
}

static void
stop(void)
{
	httpclientclose(&web);
	ck_assert_int_eq(serverstop(&plain), 0);
	end();
	tlsfree(tls);
	tlsfree(trusting);
}

static const char *
url(const char *host, const char *path)
{
	static char v[64];

	snprintf(v, sizeof v, "https://%s:%d%s", host, serverport(&server),
		path);
	return v;
}

TASK_TEST(a_connection_with_TLS_is_used_again)
{
	start("ca");
	for(int i = 0; i < 3; i++){
		get(url("127.0.0.1", "/hello"));
		is(200, "hello\n");
	}
	ck_assert_int_eq(nshaken, 1);
	get(url("localhost", "/hello"));
	is(200, "hello\n");
	ck_assert_int_eq(nshaken, 2);
	stop();
}

TASK_TEST(who_shows_no_certificate_of_a_trusted_one_is_not_asked)
{
	start("other");
	fails((Httprequest){.url = url("127.0.0.1", "/hello")}, EACCES);
	ck_assert_int_eq(nlogged, 0);
	stop();
}

TASK_TEST(redirects_lead_to_TLS_but_not_away_unless_that_is_wanted)
{
	start("ca");
	get(on(otherport, "/across?s"));
	ck_assert_str_eq(reply.url, url("127.0.0.1", "/hello"));
	is(200, "hello\n");
	get(url("127.0.0.1", "/across?p"));
	ck_assert_str_eq(httpreplyfield(&reply, "Location"),
		on(otherport, "/hello"));
	is(302, "");
	web.downgrade = 1;
	get(url("127.0.0.1", "/across?p"));
	ck_assert_str_eq(reply.url, on(otherport, "/hello"));
	is(200, "hello\n");
	stop();
}

int
main(void)
{
	const TTest *const tests[] = {
		a_connection_with_TLS_is_used_again,
		who_shows_no_certificate_of_a_trusted_one_is_not_asked,
		redirects_lead_to_TLS_but_not_away_unless_that_is_wanted
	};

	makecerts();
	int r = test_main("httptls", tests, sizeof tests / sizeof tests[0]);
	dropcerts();
	return r;
}
