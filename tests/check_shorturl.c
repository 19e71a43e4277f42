/* SPDX-License-Identifier: MIT */
/* The example shorturl, while Redis is there, is stopped, killed and back. */
#include "redis.h"
#include "program.h"

enum { AnswerMost = 1 << 13 };

static Program server;
static char answer[AnswerMost];

static void
begin(void)
{
	redis.keeps = 1;
	redisstart();
	server = serve("shorturl", ARGS("0", redis.url));
}

static void
end(void)
{
	ck_assert_int_eq(kill(server.pid, SIGTERM), 0);
	ck_assert_int_eq(finish(&server), 0);
	redisstop();
}

/* asks on a connection of its own; returns the status, all is in answer. */
static int
ask(const char *what, const char *type, const char *body)
{
	char head[512];
	int fd = dial(server.port), status = 0;

	put(fd, head, (size_t)snprintf(head, sizeof head, "%s HTTP/1.1\r\n"
		"Host: h\r\nConnection: close\r\nContent-Length: %zu\r\n"
		"Content-Type: %s\r\n\r\n", what, strlen(body), type));
	put(fd, body, strlen(body));
	slurp(fd, answer, sizeof answer, NULL);
	close(fd);
	sscanf(answer, "HTTP/1.1 %d ", &status);
	return status;
}

static int
get(const char *path)
{
	char what[128];

	snprintf(what, sizeof what, "GET %s", path);
	return ask(what, "text/plain", "");
}

static int
add(const char *url)
{
	return ask("POST /", "text/plain", url);
}

#define FORM "application/x-www-form-urlencoded"
#define HAS(text) ck_assert_msg(strstr(answer, text) != NULL, \
	"no \"%s\" in: %s", text, answer)

static void
follow(void)
{
	ck_assert_int_eq(add("https://example.com/a?b=c&d\n"), 201);
	HAS("Location: /1\r\n");
	HAS("\r\n\r\n1");
	ck_assert_int_eq(ask("POST /", FORM "; charset=utf-8",
		"a=b&url=http%3A%2F%2Fexample.com%2F%3Fq%3D1%2b1"), 201);
	HAS("Location: /2\r\n");
	ck_assert_int_eq(get("/1/stats"), 200);
	HAS("\r\n\r\n0");
	for(int i = 0; i < 3; i++){
		ck_assert_int_eq(get("/1"), 302);
		HAS("Location: https://example.com/a?b=c&d\r\n");
	}
	ck_assert_int_eq(get("/2"), 302);
	HAS("Location: http://example.com/?q=1+1\r\n");
	ck_assert_int_eq(get("/1/stats"), 200);
	HAS("\r\n\r\n3");
	ck_assert_int_eq(get("/3"), 404);
	ck_assert_int_eq(get("/3/stats"), 404);
	ck_assert_int_eq(get("/1%0d"), 404);
	ck_assert_int_eq(get("/%zz"), 400);
	ck_assert_int_eq(ask("PUT /", FORM, ""), 405);
}

/* Numbers have more letters as they grow, and none is another's. */
static void
count(void)
{
	static const struct { const char *last, *name; } names[] = {
		{"61", "10"}, {"3843", "100"}, {"9", "A"}, {"35", "a"},
		{"9223372036854775806", "AzL8n0Y58m7"}
	};
	char line[80], where[32];

	for(size_t i = 0; i < sizeof names / sizeof names[0]; i++){
		snprintf(line, sizeof line, "SET shorturl:last %s\r\n",
			names[i].last);
		redismust(redisasks(line));
		ck_assert_int_eq(add("http://h"), 201);
		snprintf(where, sizeof where, "Location: /%s\r\n",
			names[i].name);
		HAS(where);
	}
}

static void
refuse(void)
{
	static const char *const wrong[] = {"", "example.com", "http://",
		"http:///path", "ftp://h/", "javascript:alert(1)",
		"http://h/ x", "http://h/\x01", "http://h/\xc3\xbc",
		"http://h/\"", "http://h/<b>", "https://?q", " http://h/"};
	static const char *const forms[] = {"", "url=", "uri=http://h",
		"url=http://h%0d%0aSet-Cookie:a", "url=http://h/%", "url"};
	char longest[2100] = "http://h/";

	for(size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		ck_assert_msg(add(wrong[i]) == 400, "%s", wrong[i]);
	for(size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
		ck_assert_msg(ask("POST /", FORM, forms[i]) == 400, "%s",
			forms[i]);
	memset(longest + 9, 'a', 2000 - 9);
	ck_assert_int_eq(add(longest), 201);
	HAS("Location: /1\r\n");
	ck_assert_int_eq(get("/1"), 302);
	HAS(longest);
	longest[2000] = 'a';
	ck_assert_int_eq(add(longest), 400);
}

/* While Redis is not there all is 503, and then as it was. */
static void
awaitback(void)
{
	int status;

	while((status = get("/1")) != 302){
		ck_assert_int_eq(status, 503);
		usleep(10000);
	}
	HAS("Location: http://h/1\r\n");
	ck_assert_int_eq(add("http://h/2"), 201);
}

static void
lose(void)
{
	ck_assert_int_eq(add("http://h/1"), 201);
	ck_assert_int_eq(kill(redis.pid, SIGSTOP), 0);
	ck_assert_int_eq(get("/1"), 503);
	HAS("Retry-After: 1\r\n");
	ck_assert_int_eq(add("http://h/2"), 503);
	ck_assert_int_eq(kill(redis.pid, SIGCONT), 0);
	awaitback();
	redisend(SIGKILL);
	ck_assert_int_eq(get("/1"), 503);
	ck_assert_int_eq(add("http://h/2"), 503);
	ck_assert_int_eq(get("/1/stats"), 503);
	redisbegin();
	awaitback();
}

#define SHORTURL_TEST(name, body) \
	START_TEST(name) \
	{ \
		if(noredis()) \
			TEST_SKIP(noredis()); \
		begin(); \
		body(); \
		end(); \
	} \
	END_TEST

SHORTURL_TEST(names_lead_where_they_were_made_for, follow)
SHORTURL_TEST(names_are_numbers_in_base_62, count)
SHORTURL_TEST(what_is_no_URL_of_the_web_is_refused, refuse)
SHORTURL_TEST(while_Redis_is_gone_all_are_told_to_come_again, lose)

PROGRAM_MAIN("shorturl",
	names_lead_where_they_were_made_for,
	names_are_numbers_in_base_62,
	what_is_no_URL_of_the_web_is_refused,
	while_Redis_is_gone_all_are_told_to_come_again)
