/* SPDX-License-Identifier: MIT */
/* TLS on streams, by OpenSSL: tls(3). */
#ifndef TASK_TLS_H
#define TASK_TLS_H

#include <task.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A Tls is what connections of one kind share: certificates, keys, whom to
 * trust, sessions to resume.  The calls that make, change and free one work in
 * any thread, with or without a scheduler, also while others use it.  They read
 * files, and do not let other tasks run meanwhile.  They need 16 KiB of stack,
 * streamtls and calls on its stream as much as that says.
 */
typedef struct Tls Tls;

/*
 * tlsserver makes what a server has: a certificate, with those between it and
 * the authority behind it, and its key, in files of PEM, and of no password.
 * tlsclient makes what a client has: the certificates of the authorities that
 * it trusts, a file of them, or a directory as c_rehash(1) makes it; NULL:
 * those that the system trusts.  TLS is 1.2 or 1.3.
 * Returns it; NULL with EINVAL (a file does not hold that, or key and
 * certificate are of two), ENOMEM, or as open(2).
 */
Tls *tlsserver(const char *cert, const char *key);
Tls *tlsclient(const char *ca);

/*
 * tlsfree frees t when the last of its connections is closed, at once if there
 * are none.  t may be NULL.
 */
void tlsfree(Tls *t);

/*
 * tlsadd gives a server one more certificate, for clients that ask for a name
 * that it is for; for all other names, the first is.  Of a client it is the one
 * that it shows if it is asked.  tlspeers has a server ask, and refuse who
 * shows none of the authorities ca.  tlsalpn says which protocols are spoken,
 * as "h2,http/1.1", best first; of several that both sides speak the server's
 * best is taken, and who speaks none of them is refused.
 * Sizes: a name of a protocol has 255 bytes at most, all of them 65535.
 * Returns 0; -1 with EINVAL (also: tlspeers of a client), ENOMEM, or as
 * tlsserver, and nothing has changed.  Connections that there are already go on
 * as before.
 */
int tlsadd(Tls *t, const char *cert, const char *key);
int tlspeers(Tls *t, const char *ca);
int tlsalpn(Tls *t, const char *protocols);

/*
 * tlsreload reads all files of t again.  Connections that there are already go
 * on as before, and sessions of a server can still be resumed, unless it asks
 * clients for certificates (tlspeers): who is trusted may have changed.
 * Returns 0; -1 as tlsserver, and t goes on with what it had.
 */
int tlsreload(Tls *t);

/*
 * streamtls has TLS on a stream from now on: the peer is its server if t came
 * from tlsclient, and must show a certificate for name, a host's name or an
 * address in numbers; a client if it came from tlsserver, and name is not used.
 * The certificate's subject does not count, only the names that it lists.
 * All calls on the stream are as before, and all that is said of them holds;
 * but that these fail with EPROTO when the peer breaks TLS, or asks for answers
 * and never reads them, and reading with ECONNABORTED if the input ends without
 * the peer's having said so: what has come may be a part only.  streamshut says
 * so to the peer.  After ENOMEM there may be no TLS any more: ECONNABORTED.
 * A server's tickets, by which sessions are resumed, go with what it writes
 * first, or when a call that reads finds nothing yet.
 * Sizes: needs 24 KiB of stack, calls on the stream 12 KiB: as needstack.
 * Returns 0; -1 with EACCES (a certificate is not to be trusted, or not for
 * name), ECONNABORTED (the peer hung up), EPROTO (what it sent is no TLS, or it
 * refused, or nothing was agreed), EALREADY (there is TLS), EINVAL, or as
 * fdread: then streamclose is all that is left, but after EALREADY, EBUSY,
 * EINVAL and EPERM nothing has changed.  tlserror says more.
 * Blocks: until the peer has answered.
 */
int streamtls(Stream *s, Tls *t, const char *name);

/*
 * tlsinfo tells what was agreed on a stream; it may change while the stream
 * does, by tlsinfo only.
 * Returns 0; -1 with EINVAL, ENOENT (the stream has no TLS), ENOMEM, EPERM.
 */
typedef struct Tlsinfo
{
	const char *version;	/* "TLSv1.3" */
	const char *cipher;	/* "TLS_AES_256_GCM_SHA384" */
	const char *protocol;	/* of tlsalpn; NULL: none was agreed on */
	const char *name;	/* that the client asked for, or NULL */
	const char *subject;	/* of the peer's certificate, or NULL */
	int resumed;	/* a session: no certificate was shown now */
} Tlsinfo;
int tlsinfo(Stream *s, Tlsinfo *info);

/*
 * tlserror says for a log what was wrong when a call of this task failed last,
 * here or on a stream with TLS, as OpenSSL says it.  It stays until the next
 * such failure in this task.
 * Returns the text; "" if nothing was.
 */
const char *tlserror(void);

#ifdef __cplusplus
}
#endif
#endif
