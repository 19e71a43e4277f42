/* SPDX-License-Identifier: MIT */
/* TLS as a stream's layer. */
#include "tlsconn.h"

enum
{
	RecordMost = 16 * 1024,	/* what OpenSSL makes one of */
	TakeMost = 64 * 1024,	/* that a write takes; then others may run */
	HeldMost = 8 * 1024,	/* of tickets and what else is held */
	SilentMost = 32	/* records without a byte for us: likewise */
};

/* What went wrong */

/* why the peer's certificate does not do, or NULL. */
static const char *
mistrust(SSL *ssl)
{
	long why = SSL_get_verify_result(ssl);

	return why == X509_V_OK ? NULL : X509_verify_cert_error_string(why);
}

/*
 * fails as a call of OpenSSL has; what is broken stays so.  It is for want of
 * memory too, but only the first call says that: what follows may have some.
 */
static int
broken(Conn *c, const char *what, int how)
{
	if(c->lost){
		c->failed = c->lost == ENOMEM ? ECONNABORTED : c->lost;
		return tls_fail(c->lost, what, c->lost == ENOMEM ?
			strerror(ENOMEM) :
			"the peer asks for answers and does not read them");
	}
	if(how == SSL_ERROR_SYSCALL && ERR_peek_error() == 0){
		int err = c->err[0] ? c->err[0] : c->ended ? ECONNABORTED :
			EPROTO;
		return tls_fail(err, what, c->err[0] ? strerror(err) :
			"the peer has hung up without an end of TLS");
	}
	const char *why = SSL_is_init_finished(c->ssl) ? NULL :
		mistrust(c->ssl);
	int none = ERR_GET_REASON(ERR_peek_error()) ==
		SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
	c->failed = why || none ? EACCES : EPROTO;
	tls_fail(c->failed, what, why);
	if(errno == ENOMEM)
		c->failed = ECONNABORTED;
	return -1;
}

static int
failedbefore(const Conn *c)
{
	return tls_fail(c->failed, "TLS", "it has been broken before");
}

/* The layer */

/* sends what is held, or else has it be left to write. */
static void
sendheld(Conn *c)
{
	int sent = c->held ? tls_sendkept(c) : 0;

	(void)sent;
}

/* returns whether the last that the handshake wrote is no part of it. */
static int
endswithtickets(const Conn *c)
{
	return c->tls->server && SSL_version(c->ssl) >= TLS1_3_VERSION;
}

static int
begintls(void *v, int fd, const void *early, size_t n)
{
	Conn *c = v;

	needstack(BeginStack);
	c->fd = fd;
	if(n > 0){
		c->early = malloc(n);
		if(c->early == NULL)
			return tls_fail(ENOMEM, "handshake", NULL);
		memcpy(c->early, early, n);
		c->nearly = n;
	}
	c->held = 1;
	ERR_clear_error();
	int r = SSL_do_handshake(c->ssl);
	int how = r == 1 ? SSL_ERROR_NONE : SSL_get_error(c->ssl, r);
	if(how != SSL_ERROR_NONE || !endswithtickets(c))
		sendheld(c);
	if(how == SSL_ERROR_NONE)
		return 0;
	if(how == SSL_ERROR_WANT_READ){
		errno = EAGAIN;
		return -1;
	}
	return broken(c, "handshake", how);
}

/*
 * reads by fn, SSL_read_ex or SSL_peek_ex: returns SSL_ERROR_NONE, or what
 * SSL_get_error says.  OpenSSL would go on for as long as a peer sends what is
 * not for us, such as updates of keys, so it is called for one record at a
 * time. With SSL_ERROR_WANT_READ the descriptor has nothing only if asked says
 * so.
 */
static int
getsome(Conn *c, int (*fn)(SSL *, void *, size_t, size_t *), void *to,
	size_t n, size_t *got)
{
	int how = SSL_ERROR_WANT_READ;

	needstack(CallStack);
	c->asked = 0;
	for(int i = 0; i < SilentMost && how == SSL_ERROR_WANT_READ &&
			!c->asked; i++){
		ERR_clear_error();
		int r = fn(c->ssl, to, n, got);
		how = r == 1 ? SSL_ERROR_NONE : SSL_get_error(c->ssl, r);
	}
	return how;
}

static ssize_t
readtls(void *v, int fd, void *to, size_t n)
{
	Conn *c = v;
	size_t got = 0;

	if(c->failed)
		return failedbefore(c);
	c->fd = fd;
	int how = getsome(c, SSL_read_ex, to, n, &got);
	if(how != SSL_ERROR_NONE || c->nkept > HeldMost)
		sendheld(c);
	if(how == SSL_ERROR_NONE || how == SSL_ERROR_ZERO_RETURN)
		return (ssize_t)got;
	if(how == SSL_ERROR_WANT_READ){
		errno = c->asked ? EAGAIN : EINTR;
		return -1;
	}
	return broken(c, "reading", how);
}

/* fails as the descriptor has, when something was to be written. */
static int
unwritable(const Conn *c)
{
	return tls_fail(c->err[1], "writing", strerror(c->err[1]));
}

static ssize_t
writetls(void *v, int fd, const void *from, size_t n)
{
	Conn *c = v;
	size_t done = 0;

	if(c->failed)
		return failedbefore(c);
	needstack(CallStack);
	c->fd = fd;
	if(!c->held && tls_sendkept(c) < 0)
		return -1;
	while(done < n && done < TakeMost && (c->nkept == 0 || c->held)){
		size_t some = n - done < RecordMost ? n - done : RecordMost;
		ERR_clear_error();
		int r = SSL_write_ex(c->ssl, (const char *)from + done, some,
			&some);
		if(r != 1)
			return broken(c, "writing", SSL_get_error(c->ssl, r));
		done += some;
		sendheld(c);
	}
	return c->err[1] ? unwritable(c) : (ssize_t)done;
}

/* Who parts does not mind that the other has gone already. */
static int
flushtls(void *v, int fd)
{
	Conn *c = v;

	c->fd = fd;
	if(tls_sendkept(c) < 0)
		return -1;
	return c->err[1] && !c->parting ? unwritable(c) : 0;
}

static int
shuttls(void *v, int fd)
{
	Conn *c = v;

	c->fd = fd;
	if(!c->parting && !c->failed){
		needstack(CallStack);
		c->parting = 1;
		ERR_clear_error();
		SSL_shutdown(c->ssl);
		if(c->lost)
			return broken(c, "ending", SSL_ERROR_SYSCALL);
		ERR_clear_error();
	}
	return 0;
}

static size_t
unsent(void *v)
{
	const Conn *c = v;

	return c->held ? 0 : c->nkept - c->keptat;
}

/* What was read ahead is known when it is decrypted only. */
static size_t
pending(void *v)
{
	Conn *c = v;
	size_t n;
	char first;

	if(c->failed || !SSL_has_pending(c->ssl))
		return c->failed != 0 || c->early;
	if(SSL_pending(c->ssl) > 0)
		return (size_t)SSL_pending(c->ssl);
	c->dry = 1;
	int how = getsome(c, SSL_peek_ex, &first, 1, &n);
	c->dry = 0;
	if(how == SSL_ERROR_SSL)
		broken(c, "reading", how);
	if(how == SSL_ERROR_NONE)
		return (size_t)SSL_pending(c->ssl);
	return how != SSL_ERROR_WANT_READ || !c->asked;
}

void
tls_freeconn(void *v)
{
	Conn *c = v;

	SSL_free(c->ssl);
	ERR_clear_error();
	tls_letgo(c->contexts);
	tls_unref(c->tls);
	OPENSSL_free(c->subject);
	OPENSSL_free(c->protocol);
	free(c->early);
	free(c->kept);
	free(c->name);
	free(c);
}

const Streamlayer tls_layer = {begintls, readtls, writetls, flushtls, shuttls,
	unsent, pending, tls_freeconn};
