/* SPDX-License-Identifier: MIT */
/* What the tests of TLS share: two ends, and what each says. */
#ifndef TLSTEST_H
#define TLSTEST_H

#include "fdtest.h"
#include "watched.h"
#include "certs.h"
#include "../addons/tls/tasktls.h"

static Tls *server, *client;
static Stream *a, *b;	/* the server's end, and the client's */
static int fds[2];	/* theirs */

static inline void
beside(void (*fn)(void *), void *v)
{
	ck_assert_int_gt(taskcreate(fn, v, 0), 0);
}

static inline Tls *
newserver(const char *file)
{
	Tls *t = tlsserver(incerts(file), incerts(file));

	ck_assert_msg(t != NULL, "%s: %s", file, tlserror());
	return t;
}

static inline Tls *
newclient(const char *ca)
{
	Tls *t = tlsclient(incerts(ca));

	ck_assert_msg(t != NULL, "%s: %s", ca, tlserror());
	return t;
}

static inline void
tlssides(const char *file)
{
	server = newserver(file);
	client = newclient("ca");
}

static inline void
addcert(const char *file)
{
	errno = EDOM;
	ck_assert_int_eq(tlsadd(server, incerts(file), incerts(file)), 0);
	ck_assert_int_eq(errno, EDOM);
}

static inline void
freesides(void)
{
	tlsfree(server);
	tlsfree(client);
}

/* What is written is to be there, not to wait for an acknowledgement. */
static inline void
streams(size_t most)
{
	tcppair(fds);
	ck_assert_int_eq(netoption(fds[0], NETNODELAY, 1), 0);
	ck_assert_int_eq(netoption(fds[1], NETNODELAY, 1), 0);
	a = streamopen(fds[0], most);
	b = streamopen(fds[1], most);
	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_nonnull(b);
}

/* What the server's handshake has come to. */
static int accepted, accepterr, acceptdone;
static char acceptwhy[256];

static inline void
acceptor(void *v)
{
	(void)v;
	errno = EDOM;
	accepted = streamtls(a, server, NULL);
	accepterr = errno;
	snprintf(acceptwhy, sizeof acceptwhy, "%s", tlserror());
	acceptdone = 1;
}

static inline void
acceptends(void)
{
	for(int i = 0; i < 10000 && !acceptdone; i++)
		taskdelay(1);
	ck_assert(acceptdone);
}

/* begins TLS on both ends; returns what the client's call did. */
static inline int
tryshake(const char *name)
{
	acceptdone = 0;
	beside(acceptor, NULL);
	return streamtls(b, client, name);
}

static inline void
shake(const char *name)
{
	errno = EDOM;
	int r = tryshake(name);
	ck_assert_msg(r == 0, "%s: %s", strerror(errno), tlserror());
	ck_assert_int_eq(errno, EDOM);
	acceptends();
	ck_assert_msg(accepted == 0, "%s: %s", strerror(accepterr), acceptwhy);
	ck_assert_int_eq(accepterr, EDOM);
}

static inline void
connected(size_t most)
{
	streams(most);
	shake("good.test");
}

static inline void
says(Stream *s, const char *text)
{
	ck_assert_int_eq(streamwrite(s, text, strlen(text)),
		(ssize_t)strlen(text));
	ck_assert_int_eq(streamflush(s), 0);
}

static inline void
hears(Stream *s, const char *text)
{
	char buf[256];
	size_t n = strlen(text);

	ck_assert_int_eq(streamreadn(s, buf, n), (ssize_t)n);
	ck_assert_mem_eq(buf, text, n);
}

static inline void
isend(Stream *s)
{
	char c;

	ck_assert_int_eq(streamread(s, &c, 1), 0);
	ck_assert_int_eq(streamread(s, &c, 1), 0);
}

static inline void
closer(void *v)
{
	streamclose(v);
}

/* Both say that it is over, or hang up at once if a deadline has passed. */
static inline void
closeboth(void)
{
	beside(closer, a);
	ck_assert_int_eq(streamclose(b), 0);
	settle();
}

#endif
