/* SPDX-License-Identifier: MIT */
/*
 * Clients that mean harm: bench/hostile.c measures what honest ones notice of
 * them, tests/check_hostile.c looks whether all goes well.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include "honest.h"
#include "../tests/httpvectors.h"

/* What each does with a connection, until that is over. */

/* It ends with a reset, so that no port stays taken. */
static int
attack(int secured)
{
	int fd = netdial(TCP, "127.0.0.1", secured ? crowd->secureport :
		crowd->port);

	if(fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
			sizeof(struct linger));
	return fd;
}

/* reads what the server says until that hangs up, and notes what it was. */
static void
hears(Tally *t, int fd)
{
	char buf[4096];
	int status = 0;
	ssize_t n;

	while((n = fdread(fd, buf, sizeof buf - 1)) > 0){
		buf[n] = '\0';
		if(status == 0 && sscanf(buf, "HTTP/1.1 %3d", &status) != 1)
			status = NoStatus;	/* of TLS, say */
	}
	if(n < 0 && errno == ETIMEDOUT)
		return;
	if(status > 0 && status <= NoStatus)
		t->answered[status]++;
	else if(n == 0)
		t->closed++;
	else
		t->reset++;
}

/* waits for a second; returns whether the server has said something. */
static int
second(int fd)
{
	Timeout t;
	int r = -1;

	TIMEOUT(&t, crowd->second_ms)
		r = fdwait(fd, 'r');
	return r == 0;
}

/* says it a byte a second, for as long as the server listens. */
static void
drips(Tally *t, int fd, const char *text, size_t n)
{
	for(size_t i = 0; i < n && fdwrite(fd, text + i, 1) == 1; i++)
		if(second(fd))
			break;
	hears(t, fd);
}

static void
slowhead(Tally *t, int fd)
{
	static const char text[] = "GET /number/1 HTTP/1.1\r\nHost: hh\r\n"
		"X-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

	drips(t, fd, text, sizeof text - 1);
}

static void
slowbody(Tally *t, int fd)
{
	static const char text[] = "POST /sum HTTP/1.1\r\nHost: h\r\n"
		"Content-Length: 60000\r\n\r\n";
	char body[120] = {0};

	fdwrite(fd, text, sizeof text - 1);
	drips(t, fd, body, sizeof body);
}

/* takes a byte a second of a long answer, and goes when it has seen enough. */
static void
slowreader(Tally *t, int fd)
{
	static const char text[] = "GET /big HTTP/1.1\r\nHost: h\r\n\r\n";
	char byte;
	Timeout a;
	ssize_t n = fdwrite(fd, text, sizeof text - 1);

	for(int i = 0; n > 0 && i < 15 && !crowd->over; i++){
		TIMEOUT(&a, crowd->second_ms)
			fdwait(fd, 'h');
		n = fdread(fd, &byte, 1);
	}
	if(n > 0)
		t->left++;
	else
		t->reset++;
}

static void
silent(Tally *t, int fd)
{
	hears(t, fd);
}

/* What a client of TLS 1.3 says first, with a share of a key on X25519. */
static const char hello[] = "\x16\x03\x01\0\x70\x01\0\0\x6c\x03\x03"
	"0123456789abcdef0123456789abcdef\0\0\x02\x13\x01\x01\0\0\x41"
	"\0\x0a\0\x04\0\x02\0\x1d" "\0\x0d\0\x04\0\x02\x04\x03"
	"\0\x2b\0\x03\x02\x03\x04" "\0\x33\0\x26\0\x24\0\x1d\0\x20"
	"0123456789abcdef0123456789abcdef";

static void
slowhello(Tally *t, int fd)
{
	drips(t, fd, hello, sizeof hello - 1);
}

/* Good requests, as many as there is room for, all at once. */
static void
flood(Tally *t, int fd)
{
	enum { Requests = 20 };
	static const char one[] = "GET /number/7 HTTP/1.1\r\nHost: h\r\n";
	char text[Requests * (sizeof one + 24)];
	size_t n = 0;

	for(int i = 0; i < Requests; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%s\r\n",
			one, i < Requests - 1 ? "" : "Connection: close\r\n");
	fdwrite(fd, text, n);
	hears(t, fd);
}

/* Gone in the middle of a head, before the answer, or within it. */
static void
resets(Tally *t, int fd)
{
	static const char text[] = "GET /big HTTP/1.1\r\nHost: h\r\n\r\n";
	char buf[4096];
	unsigned int how = chance(3);

	fdwrite(fd, text, how == 0 ? sizeof text / 2 : sizeof text - 1);
	if(how == 2)
		fdread(fd, buf, sizeof buf);
	t->left++;
}

/* More of everything than it may be. */
static void
oversize(Tally *t, int fd)
{
	static const char *const starts[] = {
		"GET / HTTP/1.1\r\nHost: h\r\nX: ", "GET /",
		"POST /sum HTTP/1.1\r\nHost: h\r\n"
		"Content-Length: 99999999999\r\n\r\n",
		"POST /sum HTTP/1.1\r\nHost: h\r\n"
		"Transfer-Encoding: chunked\r\n\r\nfffffff\r\n"
	};
	enum { More = 100 * 1024 };
	const char *start = starts[chance(4)];
	char *more = malloc(More);

	must(more != NULL, "malloc");
	memset(more, 'x', More);
	if(fdwrite(fd, start, strlen(start)) > 0)
		fdwrite(fd, more, More);	/* perhaps not all of it */
	free(more);
	hears(t, fd);
}

static void
malformed(Tally *t, int fd)
{
	const Vector *v = &vectors[chance(Vectors)];

	fdwrite(fd, v->text, v->n);
	hears(t, fd);
}

static void
noise(int fd)
{
	char v[300];

	for(size_t i = 0; i < sizeof v; i++)
		v[i] = (char)chance(256);
	fdwrite(fd, v, sizeof v);
}

/* To the listener with TLS. */
static void
notls(Tally *t, int fd)
{
	static const char plainly[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

	if(chance(2))
		noise(fd);
	else
		fdwrite(fd, plainly, sizeof plainly - 1);
	hears(t, fd);
}

static void
halfhello(Tally *t, int fd)
{
	fdwrite(fd, hello, sizeof hello / 2);
	t->left++;
}

/* Has the server sign, and answers with nonsense. */
static void
badtls(Tally *t, int fd)
{
	char buf[4096];

	if(fdwrite(fd, hello, sizeof hello - 1) > 0 &&
			fdread(fd, buf, sizeof buf) > 0 && buf[0] == '\x16')
		noise(fd);
	hears(t, fd);
}

typedef struct Kind
{
	const char *name;
	int slow;	/* takes seconds; others are as often as is asked */
	int secured;	/* the listener is that with TLS */
	void (*act)(Tally *t, int fd);
} Kind;

static const Kind kinds[] = {
	{"a head, a byte a second", 1, 0, slowhead},
	{"a body, a byte a second", 1, 0, slowbody},
	{"reads a byte a second", 1, 0, slowreader},
	{"says nothing", 1, 0, silent},
	{"TLS, a byte a second", 1, 1, slowhello},
	{"floods of requests", 0, 0, flood},
	{"resets", 0, 0, resets},
	{"oversize", 0, 0, oversize},
	{"malformed", 0, 0, malformed},
	{"no TLS", 0, 1, notls},
	{"half of a hello in TLS", 0, 1, halfhello},
	{"TLS, and then nonsense", 0, 1, badtls},
};

enum { Kinds = sizeof kinds / sizeof kinds[0] };

static int nfast;	/* of those that are not slow */

static void
attackonce(const Kind *k, Tally *t)
{
	Timeout limit;
	int fd = -1;

	TIMEOUT(&limit, crowd->patience_ms){
		fd = attack(k->secured);
		if(fd >= 0){
			t->begun++;
			k->act(t, fd);
		}
	}
	if(fd < 0)
		t->refused++;
	else if(timeoutfired(&limit))
		t->kept++;
	if(fd >= 0)
		fdclose(fd);
}

/* Together those that are not slow make crowd->rate connections a second. */
static void
hostile(void *v)
{
	const Kind *k = v;

	taskname("%s", k->name);
	while(!__atomic_load_n(&crowd->over, __ATOMIC_RELAXED)){
		double ms = k->slow ? crowd->second_ms :
			1000 * nfast / crowd->rate;
		unsigned int most = ms < 1000 ? (unsigned int)ms : 1000;
		attackonce(k, &crowd->tally[k - kinds]);
		taskdelay(most / 2 + chance(most + 1));
	}
}

static void
behostile(Group *g, int i)
{
	const Kind *k = &kinds[i % Kinds];

	nfast += !k->slow;
	must(groupspawn(g, hostile, (void *)(uintptr_t)k, 65536) > 0,
		"groupspawn");
}

#endif
