/* SPDX-License-Identifier: MIT */
/* What the gate of HTTP lets in and what not, as a whole and byte by byte. */
#include "httpfuzz.h"

static int ncalls;

/* takes all of the body, and says how much that was. */
static void
any(Http *h)
{
	void *v;
	ssize_t n = httpbody(h, &v, 0);
	char text[32];

	if(n < 0)
		return;
	ncalls++;
	int k = snprintf(text, sizeof text, "%zd", n);
	httpreply(h, 200, "text/plain", text, (size_t)k);
}

static const Httproute routes[] = {
	{NULL, "/*", any, NULL},
	{NULL, NULL, NULL, NULL}
};

static void
check(const Vector *v, const char *how)
{
	char start[32];
	size_t n = (size_t)snprintf(start, sizeof start, "HTTP/1.1 %d ",
		v->status);

	ck_assert_msg(strncmp(answer, start, n) == 0 &&
		strstr(answer, "\r\nConnection: close\r\n") &&
		occurs(answer, "HTTP/1.1") == 1,
		"%s, wanted %d to:\n%s\ncame:\n%s", how, v->status, v->text,
		answer);
	ck_assert_msg(ncalls == (v->status == 200), "%d called:\n%s", ncalls,
		v->text);
	ck_assert_int_eq(nlogged, 1);
	ncalls = nlogged = 0;
}

/* An honest client is served as ever. */
static void
honest(void)
{
	ask(REQUEST("GET", "/") ONCE);
	STATUS(200);
	ncalls = nlogged = 0;
}

TASK_TEST(each_wrong_request_has_its_status_and_is_the_last)
{
	begin(routes);
	for(int i = 0; i < Vectors; i++){
		askbytes(vectors[i].text, vectors[i].n);
		check(&vectors[i], "at once");
	}
	honest();
	end();
}

TASK_TEST(it_is_the_same_in_packets_of_one_byte)
{
	begin(routes);
	for(int i = 0; i < Vectors; i++){
		int fd = dialserver();
		netoption(fd, NETNODELAY, 1);
		for(size_t k = 0; k < vectors[i].n; k++){
			if(fdwrite(fd, vectors[i].text + k, 1) != 1)
				break;
			taskyield();
		}
		slurp(fd);
		fdclose(fd);
		check(&vectors[i], "by bytes");
	}
	honest();
	end();
}

/* A request that has this many bytes of that before its end. */
static size_t
longone(char *v, const char *start, char c, size_t n, const char *rest)
{
	size_t at = strlen(start);

	memcpy(v, start, at);
	memset(v + at, c, n);
	strcpy(v + at + n, rest);
	return at + n + strlen(rest);
}

static char big[100000];

TASK_TEST(a_target_of_8000_bytes_is_let_in_and_a_longer_one_is_414)
{
	begin(routes);
	askbytes(big, longone(big, "GET /", 'a', 7999, " HTTP/1.0\r\n\r\n"));
	STATUS(200);
	askbytes(big, longone(big, "GET /", 'a', 8000, " HTTP/1.0\r\n\r\n"));
	STATUS(414);
	askbytes(big, longone(big, "GET /", 'a', 9000, ""));
	STATUS(414);
	end();
}

TASK_TEST(a_head_of_16_KiB_is_let_in_and_a_longer_one_is_431)
{
	static const char start[] = REQUEST("GET", "/") "X: ";
	static const char rest[] = "\r\n" ONCE;
	size_t room = 16384 - (sizeof start - 1) - (sizeof rest - 1);

	begin(routes);
	ck_assert_uint_eq(longone(big, start, 'a', room, rest), 16384);
	askbytes(big, 16384);
	STATUS(200);
	askbytes(big, longone(big, start, 'a', room + 1, rest));
	STATUS(431);
	askbytes(big, longone(big, start, 'a', 20000, ""));
	STATUS(431);
	end();
}

TASK_TEST(a_hundred_fields_are_let_in_and_one_more_is_431)
{
	begin(routes);
	for(int n = 100; n <= 101; n++){
		size_t at = (size_t)sprintf(big, REQUEST("GET", "/"));
		for(int i = 2; i < n; i++)
			at += (size_t)sprintf(big + at, "X%d: y\r\n", i);
		at += (size_t)sprintf(big + at, ONCE);
		askbytes(big, at);
		if(n == 100)
			STATUS(200);
		else
			STATUS(431);
	}
	end();
}

TASK_TEST(trailers_and_lines_of_chunks_have_a_bound)
{
	begin(routes);
	askbytes(big, longone(big, CHUNKED "0\r\nX: ", 'a', 16000,
		"\r\n\r\n"));
	STATUS(200);
	askbytes(big, longone(big, CHUNKED "0\r\nX: ", 'a', 17000, ""));
	STATUS(400);
	askbytes(big, longone(big, CHUNKED "1;a=", 'a', 300, ""));
	STATUS(400);
	end();
}

/* What is smuggled behind a request that is let in is a request of its own. */
TASK_TEST(what_follows_a_body_is_the_next_request)
{
	begin(routes);
	ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
		"\r\n" REQUEST("POST", "/") "Transfer-Encoding: chunked\r\n\r\n"
		"3\r\nabc\r\n0\r\n\r\n" REQUEST("GET", "/") ONCE INNER);
	ck_assert_int_eq(occurs(answer, "HTTP/1.1 200 OK"), 3);
	ck_assert_int_eq(ncalls, 3);
	end();
}

TASK_TEST(a_request_that_ends_too_soon_is_400)
{
	static const char *const halves[] = {"GET", "GET / HTTP/1.1\r\nHost",
		POST1 "Content-Length: 5\r\n\r\nhell", CHUNKED "5\r\nhell",
		CHUNKED "5\r\nhello", CHUNKED "0\r\n", CHUNKED};

	begin(routes);
	for(size_t i = 0; i < sizeof halves / sizeof halves[0]; i++){
		int fd = dialserver();
		put(fd, halves[i], strlen(halves[i]));
		shutdown(fd, SHUT_WR);
		slurp(fd);
		fdclose(fd);
		STATUS(400);
		ck_assert_int_eq(nlogged, (int)i + 1);
	}
	end();
}

TASK_TEST(what_is_nearly_requests_is_answered_alike_however_it_comes)
{
	Random r = randomstart();

	samplesread("http");
	for(int i = 0; i < fewer(400) || nsampled < nsamples; i++)
		ck_assert_msg(fuzzround(&r) == 0, "TEST_SEED=%lu", r.seed);
	ck_assert_uint_gt(nfuzzcalls, 0);
	samplesfree();
}

TEST_MAIN("httpgate",
	each_wrong_request_has_its_status_and_is_the_last,
	it_is_the_same_in_packets_of_one_byte,
	a_target_of_8000_bytes_is_let_in_and_a_longer_one_is_414,
	a_head_of_16_KiB_is_let_in_and_a_longer_one_is_431,
	a_hundred_fields_are_let_in_and_one_more_is_431,
	trailers_and_lines_of_chunks_have_a_bound,
	what_follows_a_body_is_the_next_request,
	a_request_that_ends_too_soon_is_400,
	what_is_nearly_requests_is_answered_alike_however_it_comes)
