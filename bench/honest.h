/* SPDX-License-Identifier: MIT */
/*
 * A server with and without TLS, and clients that check what it answers; those
 * that mean harm are in hostile.h.
 */
#ifndef HONEST_H
#define HONEST_H

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../addons/http/taskhttp.h"
#include "../addons/tls/tasktls.h"

enum
{
	BodyBytes = 1000,	/* of an answer */
	PostBytes = 3000,
	BigBytes = 16 << 20	/* for who reads slowly */
};

/*
 * What is said to all of them, and what they have to say.  They may be in other
 * processes, so it is in memory that these share.
 */
enum { NoStatus = 600, StatusMost };

typedef struct Tally
{
	uint32_t begun;	/* connections */
	uint32_t answered[StatusMost];	/* by the first answer */
	uint32_t closed;	/* without one, by the server */
	uint32_t reset;	/* likewise */
	uint32_t left;	/* by the client itself */
	uint32_t refused;
	uint32_t kept;	/* the server did not end it in time */
} Tally;

typedef struct Honesty
{
	uint32_t asked, answered, lost, wrong;
} Honesty;

enum { KindsMost = 12 };

typedef struct Crowd
{
	int port, secureport;
	int over;	/* no more connections are to be begun */
	int second_ms;	/* a slow client's second */
	int patience_ms;	/* then a connection has been kept too long */
	double rate;	/* of hostile connections that are not slow, a second */
	Honesty honest;
	Tally tally[KindsMost];
} Crowd;

static Crowd *crowd;
static char certfile[] = "/tmp/hostileXXXXXX";	/* and its key */

/* The server */

static Httpserver site;
static Server plain, secure;
static Tls *tls;
static unsigned int shake_ms;	/* for a handshake */

static void
fillbody(char *v, unsigned long n)
{
	for(unsigned long i = 0; i < BodyBytes; i++)
		v[i] = (char)('a' + (n + i) % 26);
}

static unsigned long
sumof(const char *v, size_t n)
{
	unsigned long sum = 0;

	while(n-- > 0)
		sum = sum * 31 + (unsigned char)*v++;
	return sum % 1000000007;
}

static void
answernumber(Http *h)
{
	char v[BodyBytes];

	fillbody(v, strtoul(httpparam(h, "n"), NULL, 10));
	httpreply(h, 200, "text/plain", v, sizeof v);
}

static void
answersum(Http *h)
{
	char text[32];
	void *v;
	ssize_t n = httpbody(h, &v, 0);

	if(n < 0)
		return;
	int len = snprintf(text, sizeof text, "%lu", sumof(v, (size_t)n));
	httpreply(h, 200, "text/plain", text, (size_t)len);
}

static void
answerbig(Http *h)
{
	static const char piece[32768];

	if(httphead(h, 200, NULL, BigBytes) < 0)
		return;
	for(int i = 0; i < BigBytes; i += (int)sizeof piece)
		if(httpwrite(h, piece, sizeof piece) < 0)
			return;
	httpend(h);
}

static const Httproute routes[] = {
	{"GET", "/number/:n", answernumber, NULL},
	{"POST", "/sum", answersum, NULL},
	{"GET", "/big", answerbig, NULL},
	{NULL, NULL, NULL, NULL}
};

/* Who says nothing has no task; and who says too little is given up. */
static int
secureserve(Server *s, Stream *c, void *arg)
{
	Tlsinfo info;
	Timeout t;
	void *v;
	int r = tlsinfo(c, &info);

	if(r < 0 && streampeek(c, 0, &v) == 0)
		return 1;
	if(r < 0)
		TIMEOUT(&t, shake_ms)
			r = streamtls(c, tls, NULL);
	return r < 0 ? 0 : httpserve(s, c, arg);
}

/*
 * begins the server, which gives each step of a client ms, a handshake shake,
 * and a connection that waits idle; -1 and errno.
 */
static int
beginserver(unsigned int ms, unsigned int shake, int idle)
{
	shake_ms = shake;
	site = (Httpserver){.routes = routes, .head_ms = ms, .body_ms = ms,
		.write_ms = ms};
	plain = (Server){.fn = httpserve, .arg = &site, .idle_ms = idle};
	secure = plain;
	secure.fn = secureserve;
	tls = tlsserver(certfile, certfile);
	if(tls == NULL || serverstart(&plain, "127.0.0.1", 0) < 0 ||
			serverstart(&secure, "127.0.0.1", 0) < 0)
		return -1;
	crowd->port = serverport(&plain);
	crowd->secureport = serverport(&secure);
	return 0;
}

/* Its certificate, for who is to trust it: in certfile, until dropcert. */

static void
must(int good, const char *what)
{
	if(!good){
		fprintf(stderr, "hostile: %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

static X509 *
certify(EVP_PKEY *key)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL,
		NID_subject_alt_name, "IP:127.0.0.1");

	X509_set_version(x, 2);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 24 * 3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		(const unsigned char *)"hostile", -1, -1, 0);
	X509_set_issuer_name(x, name);
	X509_add_ext(x, names, -1);
	X509_EXTENSION_free(names);
	must(X509_sign(x, key, EVP_sha256()) > 0, "certificate");
	return x;
}

static void
makecert(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	int fd = mkstemp(certfile);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	must(key && f, certfile);
	X509 *x = certify(key);
	PEM_write_X509(f, x);
	PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	must(fclose(f) == 0, certfile);
	X509_free(x);
	EVP_PKEY_free(key);
}

static void
dropcert(void)
{
	unlink(certfile);
}

/* Chance: when who asks what need not be the same each time. */
static unsigned int
chance(unsigned int below)
{
	static uint64_t x = 88172645463325252;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (unsigned int)((x >> 32) % below);
}

/* Honest clients */

typedef struct Honest
{
	int tls;
	int keeps;	/* its connection; else each is for one request */
	int think_ms;	/* about that long, between two requests */
	unsigned long n;	/* of its next request */
	Stream *s;	/* or NULL */
} Honest;

static Tls *trusting;	/* of this process; tlsclient(certfile) */

/* what a request took, from before it dialled if it had to */
static void (*took)(const Honest *c, int64_t ns);

static int
opens(Honest *c)
{
	int fd = netdial(TCP, "127.0.0.1", c->tls ? crowd->secureport :
		crowd->port);

	c->s = fd < 0 ? NULL : streamopen(fd, 0);
	if(c->s == NULL)
		return -1;
	return c->tls ? streamtls(c->s, trusting, "127.0.0.1") : 0;
}

/* reads a head; returns how long the body is, -1: it is not the right one. */
static long
readhead(Stream *s)
{
	char *line;
	long length = -1;
	ssize_t n = streamline(s, &line);
	int good = n > 0 && strncmp(line, "HTTP/1.1 200 ", 13) == 0;

	while(n > 0 && (n = streamline(s, &line)) > 0)
		if(strncasecmp(line, "Content-Length:", 15) == 0)
			length = atol(line + 15);
	return n < 0 || !good ? -1 : length;
}

/* returns whether the answer is this one, to the last byte. */
static int
readsbody(Stream *s, const char *want, size_t n)
{
	char got[BodyBytes];

	return readhead(s) == (long)n &&
		streamreadn(s, got, n) == (ssize_t)n &&
		memcmp(got, want, n) == 0;
}

static int
asksnumber(Honest *c)
{
	char want[BodyBytes];

	fillbody(want, c->n);
	return streamprint(c->s, "GET /number/%lu HTTP/1.1\r\nHost: h\r\n\r\n",
		c->n) >= 0 && readsbody(c->s, want, sizeof want);
}

static int
askssum(Honest *c)
{
	char post[PostBytes], want[32];

	for(int i = 0; i < PostBytes; i++)
		post[i] = (char)chance(256);
	int n = snprintf(want, sizeof want, "%lu", sumof(post, sizeof post));
	return streamprint(c->s, "POST /sum HTTP/1.1\r\nHost: h\r\n"
		"Content-Length: %d\r\n\r\n", PostBytes) >= 0 &&
		streamwrite(c->s, post, sizeof post) == (ssize_t)sizeof post &&
		readsbody(c->s, want, (size_t)n);
}

/* An answer that is there and not the right one leaves errno as it was. */
static void
askonce(Honest *c)
{
	int64_t start = tasknow();
	Timeout t;
	int good = 0;

	crowd->honest.asked++;
	errno = 0;
	TIMEOUT(&t, crowd->patience_ms)
		good = (c->s || opens(c) == 0) &&
			(c->n++ % 8 ? asksnumber(c) : askssum(c));
	int err = timeoutfired(&t) ? ETIMEDOUT : errno;
	if(good){
		crowd->honest.answered++;
		if(took)
			took(c, tasknow() - start);
	}else if(err || (c->s && streamread(c->s, &(char){0}, 1) == 0)){
		if(crowd->honest.lost++ == 0)
			fprintf(stderr, "hostile: the first that is lost: "
				"%s, %s\n", c->tls ? "TLS" : "plain",
				err ? strerror(err) : "it hung up");
	}else
		crowd->honest.wrong++;
	if(c->s && (!good || !c->keeps)){
		streamclose(c->s);
		c->s = NULL;
	}
}

static void
honest(void *v)
{
	Honest *c = v;

	while(!__atomic_load_n(&crowd->over, __ATOMIC_RELAXED)){
		askonce(c);
		taskdelay((unsigned int)c->think_ms / 2 +
			chance((unsigned int)c->think_ms + 1));
	}
	if(c->s)
		streamclose(c->s);
}

/* One of every kind; a third of them have a connection for each request. */
static void
behonest(Group *g, Honest *c, int i, int think_ms)
{
	*c = (Honest){.tls = i % 2, .keeps = i % 6 < 4, .think_ms =
		i % 6 < 4 ? think_ms : 10 * think_ms, .n = chance(1000)};
	must(groupspawn(g, honest, c, 65536) > 0, "groupspawn");
}

#endif
