/* SPDX-License-Identifier: MIT */
/* A server that says what it is told to, for tests of the client of HTTP. */
#ifndef CLIENTTEST_H
#define CLIENTTEST_H

#include "httptest.h"

enum { ScriptMost = 16 };

/*
 * What it answers, request by request over all connections: behind a "!" it
 * closes the connection, behind a "~" it waits for the test to say go.
 */
static const char *script[ScriptMost];
static int nscript, nconn, nclosed, go;
static char asked[16384];	/* the requests, as far as their empty lines */
static int listener, listenport;
static Httpclient web;
static Httpreply reply;

/* reads a head into asked: 1, 0 at the end. */
static inline int
hearhead(int fd)
{
	size_t at = strlen(asked);

	for(size_t n = at; n < sizeof asked - 1; n++){
		if(fdread(fd, asked + n, 1) <= 0)
			return 0;
		asked[n + 1] = '\0';
		if(strstr(asked + at, "\r\n\r\n"))
			return 1;
	}
	return 0;
}

static inline void
tell(int fd, const char *v)
{
	while(*v){
		size_t n = strcspn(v, "~");
		if(fdwrite(fd, v, n) < 0)
			return;
		v += n;
		if(*v == '~'){
			while(!go)
				taskdelay(1);
			v++;
		}
	}
}

static inline void
scripted(void *v)
{
	int fd = (int)(intptr_t)v, last = 0;

	tasksystem();
	while(!last && hearhead(fd)){
		const char *say = nscript < ScriptMost ? script[nscript++] : "";
		last = say == NULL || *say == '!';
		if(say)
			tell(fd, say + last);
	}
	fdclose(fd);
	nclosed++;
}

static inline void
acceptall(void *v)
{
	int fd;

	(void)v;
	tasksystem();
	while((fd = netaccept(listener, NULL, NULL)) >= 0){
		nconn++;
		taskcreate(scripted, (void *)(intptr_t)fd, 0);
	}
}

/* begins a server of these answers. */
static inline void
answers(const char *const *v, int n)
{
	ck_assert_int_le(n, ScriptMost);
	for(int i = 0; i < n; i++)
		script[i] = v[i];
	listener = netannounce(TCP, "127.0.0.1", 0);
	ck_assert_int_ge(listener, 0);
	listenport = portof(listener);
	taskcreate(acceptall, NULL, 0);
}

#define ANSWERS(...) \
	answers((const char *const []){__VA_ARGS__}, \
		(int)(sizeof (const char *const []){__VA_ARGS__} / \
		sizeof(char *)))

/* A path on that server, or on the one with routes. */
static inline const char *
on(int port, const char *path)
{
	static char url[64];

	snprintf(url, sizeof url, "http://127.0.0.1:%d%s", port, path);
	return url;
}

static inline const char *
there(const char *path)
{
	return on(listenport, path);
}

static inline const char *
here(const char *path)
{
	return on(serverport(&server), path);
}

static inline void
get(const char *url)
{
	int r = -1;
	Timeout t;

	errno = EDOM;
	TIMEOUT(&t, Patience)
		r = httpget(&web, url, &reply);
	ck_assert_msg(r == 0, "%s: %s", url, strerror(errno));
	ck_assert_int_eq(errno, EDOM);
}

static inline void
asks(Httprequest q)
{
	int r = -1;
	Timeout t;

	TIMEOUT(&t, Patience)
		r = httpdo(&web, &q, &reply);
	ck_assert_msg(r == 0, "%s: %s", q.url, strerror(errno));
}

/* A request that fails so, and is none then. */
static inline void
fails(Httprequest q, int err)
{
	int r = 0;
	Timeout t;

	TIMEOUT(&t, Patience)
		r = httpdo(&web, &q, &reply);
	ck_assert_msg(r == -1 && errno == err, "%s: %d, %s", q.url, r,
		strerror(errno));
	ck_assert_ptr_null(reply.in);
}

/* The reply's status and body; it is closed. */
static inline void
is(int status, const char *text)
{
	ssize_t n = -1;
	void *v = NULL;
	Timeout t;

	ck_assert_int_eq(reply.status, status);
	TIMEOUT(&t, Patience)
		n = httpreplybody(&reply, &v, 0);
	ck_assert_msg(n >= 0, "%s", strerror(errno));
	ck_assert_str_eq(v, text);
	ck_assert_int_eq(n, (ssize_t)strlen(text));
	httpreplyclose(&reply);
}

/* until so many of its connections have ended */
static inline void
awaitclosed(int n)
{
	for(int i = 0; i < Patience && nclosed < n; i++)
		taskdelay(1);
	ck_assert_int_eq(nclosed, n);
}

static inline void
leave(void)
{
	httpclientclose(&web);
	if(listener > 0)
		fdclose(listener);
	settle();
}

#define OK(n) "HTTP/1.1 200 OK\r\nContent-Length: " #n "\r\n\r\n"
#define MOVED(code, where) "HTTP/1.1 " #code " x\r\nLocation: " where \
	"\r\nContent-Length: 0\r\n\r\n"

#endif
