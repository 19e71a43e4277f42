/* SPDX-License-Identifier: MIT */
/* A stream's connection by TLS. */
#ifndef TLS_CONN_H
#define TLS_CONN_H

#include "tls.h"

#pragma GCC visibility push(hidden)

typedef struct Conn
{
	SSL *ssl;
	Tls *tls;
	Contexts *contexts;
	int fd;	/* during a call */
	unsigned char dry;	/* the descriptor is not to be asked now */
	unsigned char asked;	/* it was, or was to be, and had nothing */
	unsigned char ended;	/* the descriptor has */
	unsigned char parting;	/* the peer was told that no more comes */
	unsigned char held;	/* what is kept goes with what follows */
	int err[2];	/* errno of the descriptor, reading and writing, or 0 */
	int lost;	/* errno: why what OpenSSL wrote was not kept; or 0 */
	int failed;	/* errno of all that follows, or 0 */
	char *early;	/* what the stream had read */
	size_t nearly, earlyat;
	char *kept;	/* ciphertext that had no room, or is held */
	size_t nkept, keptat, room;
	char *name;	/* of a client's peer */
	char *subject;	/* for tlsinfo; NULL until then, as protocol */
	char *protocol;
} Conn;

/* tlsbio.c */

/* has the connection's SSL read and write the descriptor: 1, or 0. */
int tls_setbio(Conn *c);

/* sends what is kept, also if it was held: 0, or -1 and errno. */
int tls_sendkept(Conn *c);

/* tlslayer.c */

extern const Streamlayer tls_layer;
void tls_freeconn(void *v);

#pragma GCC visibility pop
#endif
