/* SPDX-License-Identifier: MIT */
/* Having TLS on a stream, and what was agreed there. */
#include "tlsconn.h"
#include <arpa/inet.h>

enum { NameMost = 255 };

/* Making one */

const Contexts *
tls_contextsof(const SSL *ssl)
{
	const Conn *c = SSL_get_app_data(ssl);

	return c->contexts;
}

int
tls_newsession(SSL *ssl, SSL_SESSION *session)
{
	Conn *c = SSL_get_app_data(ssl);

	tls_keep(c->tls, c->name, c->contexts->trust, session);
	return 1;
}

/*
 * has a client ask for name, and believe nobody else: 1, or 0.  A dot at its
 * end is for whoever looks the name up, certificates have none.
 */
static int
setname(Conn *c, const char *name)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(c->ssl);
	unsigned char address[16];
	size_t n = strlen(name);

	c->name = strndup(name, name[n - 1] == '.' ? n - 1 : n);
	if(c->name == NULL)
		return 0;
	name = c->name;
	if(inet_pton(AF_INET, name, address) == 1)
		return X509_VERIFY_PARAM_set1_ip(param, address, 4);
	if(inet_pton(AF_INET6, name, address) == 1)
		return X509_VERIFY_PARAM_set1_ip(param, address, 16);
	SSL_set_hostflags(c->ssl, NameFlags);
	return SSL_set1_host(c->ssl, name) == 1 &&
		SSL_set_tlsext_host_name(c->ssl, name) == 1;
}

static int
askserver(Conn *c, const char *name)
{
	const Contexts *from = c->contexts;

	SSL_set_connect_state(c->ssl);
	if(!setname(c, name) || (from->protocols && SSL_set_alpn_protos(c->ssl,
			from->protocols, from->nprotocols) != 0))
		return 0;
	SSL_SESSION *session = tls_take(c->tls, c->name, from->trust);
	if(session){
		SSL_set_session(c->ssl, session);
		SSL_SESSION_free(session);
	}
	return 1;
}

static int
setssl(Conn *c, const char *name)
{
	if(!tls_setbio(c) || SSL_set_app_data(c->ssl, c) != 1)
		return 0;
	if(!c->tls->server)
		return askserver(c, name);
	SSL_set_accept_state(c->ssl);
	return 1;
}

static Conn *
newconn(Tls *t, const char *name)
{
	Conn *c = calloc(1, sizeof *c);

	if(c == NULL)
		return NULL;
	c->tls = t;
	atomic_fetch_add(&t->nused, 1);
	c->contexts = tls_contexts(t);
	ERR_clear_error();
	c->ssl = SSL_new(c->contexts->ctx[0]);
	if(c->ssl && setssl(c, name))
		return c;
	tls_fail(ENOMEM, "streamtls", NULL);
	tls_freeconn(c);
	errno = ENOMEM;
	return NULL;
}

static int
wrongname(const char *name)
{
	return name == NULL || *name == '\0' || *name == '.' ||
		strlen(name) > NameMost;
}

int
streamtls(Stream *s, Tls *t, const char *name)
{
	int err = errno;

	if(streamlayerof(s, &tls_layer))
		return tls_fail(EALREADY, "streamtls", NULL);
	if(errno != ENOENT)
		return tls_fail(errno, "streamtls", NULL);
	if(t == NULL || (!t->server && wrongname(name)))
		return tls_fail(EINVAL, "streamtls", t ? "no name" : "no Tls");
	needstack(BeginStack);
	Conn *c = newconn(t, name);
	if(c == NULL)
		return -1;
	if(streamlayer(s, &tls_layer, c) < 0){
		err = errno;
		tls_freeconn(c);
		errno = err;
		return -1;
	}
	errno = err;
	return 0;
}

/* What was agreed */

/* 0 if there is no memory. */
static int
setprotocol(Conn *c)
{
	const unsigned char *v;
	unsigned int n;

	SSL_get0_alpn_selected(c->ssl, &v, &n);
	if(n > 0 && c->protocol == NULL)
		c->protocol = OPENSSL_strndup((const char *)v, n);
	return n == 0 || c->protocol != NULL;
}

/* as RFC 2253 has it; 0 if there is no memory. */
static int
setsubject(Conn *c)
{
	X509 *cert = c->subject ? NULL : SSL_get1_peer_certificate(c->ssl);
	BIO *b = cert ? BIO_new(BIO_s_mem()) : NULL;
	char *text;

	if(cert == NULL)
		return 1;
	if(b && X509_NAME_print_ex(b, X509_get_subject_name(cert), 0,
			XN_FLAG_RFC2253) >= 0 && BIO_write(b, "", 1) == 1){
		long n = BIO_get_mem_data(b, &text);
		c->subject = OPENSSL_memdup(text, (size_t)n);
	}
	BIO_free(b);
	X509_free(cert);
	ERR_clear_error();
	return c->subject != NULL;
}

int
tlsinfo(Stream *s, Tlsinfo *info)
{
	int err = errno;
	Conn *c = streamlayerof(s, &tls_layer);

	if(c == NULL || info == NULL){
		errno = c ? EINVAL : errno;
		return -1;
	}
	needstack(CallStack);
	if(!setsubject(c) || !setprotocol(c))
		return tls_fail(ENOMEM, "tlsinfo", NULL);
	info->version = SSL_get_version(c->ssl);
	info->cipher = SSL_get_cipher_name(c->ssl);
	info->protocol = c->protocol;
	info->name = c->name ? c->name :
		SSL_get_servername(c->ssl, TLSEXT_NAMETYPE_host_name);
	info->subject = c->subject;
	info->resumed = SSL_session_reused(c->ssl);
	errno = err;
	return 0;
}
