/* SPDX-License-Identifier: MIT */
/* What connections begin with, of certificates and keys in files. */
#include "tls.h"
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A file that cannot be read has an errno of its own; one that can be is not
 * what it should be.
 */
static int
badfile(const char *path)
{
	int err = access(path, R_OK) < 0 ? errno : EINVAL;

	return tls_fail(err, path, err == EINVAL ? NULL : strerror(err));
}

/* A key with a password would have it asked for on the terminal. */
static int
nopassword(char *buf, int size, int rwflag, void *v)
{
	(void)buf, (void)size, (void)rwflag, (void)v;
	return -1;
}

static int
usepair(SSL_CTX *ctx, const Pair *p)
{
	SSL_CTX_set_default_passwd_cb(ctx, nopassword);
	if(SSL_CTX_use_certificate_chain_file(ctx, p->cert) != 1)
		return badfile(p->cert);
	if(SSL_CTX_use_PrivateKey_file(ctx, p->key, SSL_FILETYPE_PEM) != 1)
		return badfile(p->key);
	if(SSL_CTX_check_private_key(ctx) != 1)
		return tls_fail(EINVAL, p->key, NULL);
	return 0;
}

/* has ctx trust the authorities of a file or directory. */
static int
trust(SSL_CTX *ctx, const char *ca)
{
	struct stat st;

	if(ca == NULL)
		return SSL_CTX_set_default_verify_paths(ctx) == 1 ? 0 :
			tls_fail(EINVAL, "the system's authorities", NULL);
	if(stat(ca, &st) < 0)
		return badfile(ca);
	int r = S_ISDIR(st.st_mode) ? SSL_CTX_load_verify_dir(ctx, ca) :
		SSL_CTX_load_verify_file(ctx, ca);
	return r == 1 ? 0 : badfile(ca);
}

/* Servers */

/*
 * has the connection use the first certificate that is for the name that the
 * client asks for.  What it has agreed with the first of all stays so.
 */
static int
choose(SSL *ssl, int *alert, void *v)
{
	const Contexts *c = tls_contextsof(ssl);
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert, (void)v;
	if(name == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	for(int i = 0; i < c->n; i++){
		X509 *cert = SSL_CTX_get0_certificate(c->ctx[i]);
		if(X509_check_host(cert, name, 0, NameFlags, NULL) != 1)
			continue;
		if(i > 0)
			SSL_set_SSL_CTX(ssl, c->ctx[i]);
		return SSL_TLSEXT_ERR_OK;
	}
	return SSL_TLSEXT_ERR_NOACK;
}

static int
agree(SSL *ssl, const unsigned char **out, unsigned char *n,
	const unsigned char *in, unsigned int nin, void *v)
{
	const Contexts *c = tls_contextsof(ssl);

	(void)v;
	if(c->protocols == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	/* it points into either of them, and asks for no const */
	int r = SSL_select_next_proto((unsigned char **)(uintptr_t)out, n,
		c->protocols, c->nprotocols, in, nin);
	return r == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK :
		SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Those of clients are asked for by name, if there is a file with the names. */
static int
askpeers(SSL_CTX *ctx, const char *ca)
{
	struct stat st;

	if(trust(ctx, ca) < 0)
		return -1;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER |
		SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	if(stat(ca, &st) == 0 && S_ISREG(st.st_mode))
		SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(ca));
	return 0;
}

/* Tickets say all of a session, so a server keeps none. */
static int
setserver(SSL_CTX *ctx, Tls *t, const Pair *p)
{
	static const unsigned char id[] = "libtask";

	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_session_id_context(ctx, id, sizeof id - 1);
	SSL_CTX_set_tlsext_ticket_keys(ctx, t->ticketkeys,
		sizeof t->ticketkeys);
	SSL_CTX_set_tlsext_servername_callback(ctx, choose);
	SSL_CTX_set_alpn_select_cb(ctx, agree, NULL);
	if(t->ca && askpeers(ctx, t->ca) < 0)
		return -1;
	return usepair(ctx, p);
}

static int
setclient(SSL_CTX *ctx, Tls *t, const Pair *p)
{
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT |
		SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, tls_newsession);
	if(trust(ctx, t->ca) < 0)
		return -1;
	return p ? usepair(ctx, p) : 0;
}

/* Both */

/*
 * What is written may move between two calls, for it lies in a stream's buffer.
 * Each read takes as much as there is, not a record's head and then the rest.
 */
static SSL_CTX *
newctx(Tls *t, const Pair *p)
{
	SSL_CTX *ctx = SSL_CTX_new(t->server ? TLS_server_method() :
		TLS_client_method());

	if(ctx == NULL){
		tls_fail(ENOMEM, "tls", NULL);
		return NULL;
	}
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
		SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
		SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
		SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_read_ahead(ctx, 1);
	int r = t->server ? setserver(ctx, t, p) : setclient(ctx, t, p);
	if(r == 0)
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

/* "h2,http/1.1" is 2 h2 8 http/1.1 in TLS; NULL with EINVAL or ENOMEM. */
static unsigned char *
lengthsfirst(const char *text, unsigned int *n)
{
	size_t bytes = strlen(text) + 1;
	unsigned char *v = bytes <= 65535 ? malloc(bytes) : NULL;

	for(size_t at = 0; v && at < bytes; ){
		size_t len = strcspn(text + at, ",");
		if(len == 0 || len > 255){
			free(v);
			v = NULL;
			bytes = SIZE_MAX;
			break;
		}
		v[at] = (unsigned char)len;
		memcpy(v + at + 1, text + at, len);
		at += len + 1;
	}
	*n = (unsigned int)bytes;
	if(v == NULL)
		tls_fail(bytes > 65535 ? EINVAL : ENOMEM, "protocols", NULL);
	return v;
}

/* returns the i-th context: that there is now, if i < keep, or a new one. */
static SSL_CTX *
contextof(Tls *t, int i, int keep)
{
	if(i >= keep)
		return newctx(t, t->npair ? &t->pairs[i] : NULL);
	SSL_CTX_up_ref(t->now->ctx[i]);
	return t->now->ctx[i];
}

Contexts *
tls_make(Tls *t, int keep)
{
	int n = t->server ? t->npair : 1;
	Contexts *c = calloc(1, sizeof *c + (size_t)n * sizeof c->ctx[0]);

	if(c == NULL)
		return NULL;
	atomic_init(&c->nused, 1);
	c->trust = keep > 0 ? t->now->trust : ++t->ntrust;
	int r = 0;
	if(t->protocols){
		c->protocols = lengthsfirst(t->protocols, &c->nprotocols);
		r = c->protocols ? 0 : -1;
	}
	for(; r == 0 && c->n < n; c->n++){
		c->ctx[c->n] = contextof(t, c->n, keep);
		if(c->ctx[c->n] == NULL)
			break;
	}
	if(r == 0 && c->n == n)
		return c;
	int err = errno;
	tls_letgo(c);
	errno = err;
	return NULL;
}
