/* SPDX-License-Identifier: MIT */
/* What the tests of HTTP share: a server, and somebody who asks it. */
#ifndef HTTPTEST_H
#define HTTPTEST_H

#include "fdtest.h"
#include "watched.h"
#include "../addons/http/taskhttp.h"

/* Patience where nothing should have to wait. */
enum { Patience = 15000, AnswerMost = 1 << 16 };

static Server server;
static Httpserver site;
static char answer[AnswerMost];
static char logged[512];	/* the last line of the log */
static int nlogged;

static inline void
logit(const Http *h, const char *why)
{
	snprintf(logged, sizeof logged, "%s %s %d %lld%s%s", h->method, h->path,
		h->status, (long long)h->sent, why ? " " : "", why ? why : "");
	nlogged++;
}

static inline void
begin(const Httproute *routes)
{
	site.routes = routes;
	site.log = logit;
	server.fn = httpserve;
	server.arg = &site;
	ck_assert_int_eq(serverstart(&server, "127.0.0.1", 0), 0);
}

static inline void
end(void)
{
	Timeout t;
	int n = -1;

	TIMEOUT(&t, Patience)
		n = serverstop(&server);
	ck_assert_int_eq(n, 0);
}

static inline int
dialserver(void)
{
	int fd = netdial(TCP, "127.0.0.1", serverport(&server));

	ck_assert_int_ge(fd, 0);
	return fd;
}

static inline void
put(int fd, const char *v, size_t n)
{
	ck_assert_int_eq(fdwrite(fd, v, n), (ssize_t)n);
}

/* reads until the end, into answer; returns how many bytes. */
static inline size_t
slurp(int fd)
{
	size_t n = 0;
	ssize_t r = 0;
	Timeout t;

	TIMEOUT(&t, Patience)
		while((r = fdread(fd, answer + n, AnswerMost - 1 - n)) > 0)
			n += (size_t)r;
	answer[n] = '\0';
	ck_assert_msg(r == 0, "%s, after: %s", strerror(errno), answer);
	return n;
}

/* reads until there is this text in answer, which grows; *n at first 0. */
static inline void
awaittext(int fd, size_t *n, const char *text)
{
	Timeout t;
	ssize_t r = 1;

	answer[*n] = '\0';
	TIMEOUT(&t, Patience)
		while(strstr(answer, text) == NULL && r > 0){
			r = fdread(fd, answer + *n, AnswerMost - 1 - *n);
			*n += r > 0 ? (size_t)r : 0;
			answer[*n] = '\0';
		}
	ck_assert_msg(r > 0, "no \"%s\" in: %s", text, answer);
}

/* What comes back for n bytes, until the server closes. */
static inline size_t
askbytes(const char *v, size_t n)
{
	int fd = dialserver();

	put(fd, v, n);
	size_t has = slurp(fd);
	fdclose(fd);
	return has;
}

static inline size_t
ask(const char *v)
{
	return askbytes(v, strlen(v));
}

#define HAS(text) ck_assert_msg(strstr(answer, text) != NULL, \
	"no \"%s\" in: %s", text, answer)
#define HASNOT(text) ck_assert_msg(strstr(answer, text) == NULL, \
	"\"%s\" in: %s", text, answer)
#define STATUS(n) ck_assert_msg(strncmp(answer, "HTTP/1.1 " #n " ", 13) == 0, \
	"not " #n ": %s", answer)

/* What is behind the first head. */
static inline const char *
body(void)
{
	const char *v = strstr(answer, "\r\n\r\n");

	ck_assert_ptr_nonnull(v);
	return v + 4;
}

#define REQUEST(method, path) method " " path " HTTP/1.1\r\nHost: h\r\n"
#define ONCE "Connection: close\r\n\r\n"

#endif
