/* SPDX-License-Identifier: MIT */
/* TLS on streams, between its files. */
#ifndef TLS_H
#define TLS_H

#include "tasktls.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#pragma GCC visibility push(hidden)

enum
{
	FileStack = 16 * 1024,	/* for reading certificates */
	BeginStack = 24 * 1024,	/* for a handshake */
	CallStack = 12 * 1024	/* for all else */
};

/* A certificate is for the names that it lists, not for its subject. */
enum
{
	NameFlags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
		X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS
};

/*
 * What connections begin with: made of all that a Tls was told, and never
 * changed.  A change of the Tls makes another, and this is freed when the last
 * connection that began with it has ended.
 */
typedef struct Contexts
{
	atomic_int nused;
	unsigned char *protocols;	/* as TLS has them, or NULL */
	unsigned int nprotocols;	/* bytes */
	unsigned int trust;	/* sessions are resumed under the same only */
	int n;
	SSL_CTX *ctx[];	/* one for each certificate; a client has one */
} Contexts;

/* A session that a client may resume. */
typedef struct Session
{
	struct Session *next;	/* older */
	SSL_SESSION *session;
	unsigned int trust;	/* of the contexts it began with */
	char name[];
} Session;

typedef struct Pair
{
	char *cert, *key;	/* files */
} Pair;

struct Tls
{
	atomic_int nused;	/* the program's, and connections */
	int server;
	unsigned char ticketkeys[80];	/* of a server's sessions */

	pthread_mutex_t changing;	/* who changes or reads these */
	char *ca;	/* a file or directory, or NULL */
	Pair *pairs;
	int npair;
	unsigned int ntrust;	/* how often it was read what to trust */
	char *protocols;	/* as the program has them, or NULL */

	pthread_mutex_t lock;	/* for a few instructions at a time */
	Contexts *now;
	Session *sessions;
	int nsession;
};

/* tls.c */

void tls_unref(Tls *t);

/* returns what a connection of t begins with, which is then used once more. */
Contexts *tls_contexts(Tls *t);
void tls_letgo(Contexts *c);

/* tlsfiles.c */

/*
 * makes contexts of what t was told, the first of which are those that there
 * are now, and the others new; NULL and errno.
 */
Contexts *tls_make(Tls *t, int keep);

/* tlssession.c */

/* keeps a session of a server called name, which it takes over. */
void tls_keep(Tls *t, const char *name, unsigned int trust,
	SSL_SESSION *session);

/* returns a session to resume with this server, or NULL. */
SSL_SESSION *tls_take(Tls *t, const char *name, unsigned int trust);
void tls_forget(Tls *t);

/* tlsstream.c */

/* returns what the connection began with. */
const Contexts *tls_contextsof(const SSL *ssl);

/* is called by OpenSSL with a new session of a client. */
int tls_newsession(SSL *ssl, SSL_SESSION *session);

/* tlserror.c */

/*
 * sets tlserror to what and why, or if that is NULL, to the first error that
 * OpenSSL has noted; then errno to err.  But if OpenSSL has noted a want of
 * memory, that is what was wrong, and errno is ENOMEM.  Returns -1.
 */
int tls_fail(int err, const char *what, const char *why);

#pragma GCC visibility pop
#endif
