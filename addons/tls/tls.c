/* SPDX-License-Identifier: MIT */
/* What connections share: making it, changing it, freeing it. */
#include "tls.h"
#include <openssl/rand.h>

/* Counting who uses it */

void
tls_letgo(Contexts *c)
{
	if(c == NULL || atomic_fetch_sub(&c->nused, 1) > 1)
		return;
	for(int i = 0; i < c->n; i++)
		SSL_CTX_free(c->ctx[i]);
	free(c->protocols);
	free(c);
}

Contexts *
tls_contexts(Tls *t)
{
	pthread_mutex_lock(&t->lock);
	Contexts *c = t->now;
	atomic_fetch_add(&c->nused, 1);
	pthread_mutex_unlock(&t->lock);
	return c;
}

void
tls_unref(Tls *t)
{
	if(atomic_fetch_sub(&t->nused, 1) > 1)
		return;
	tls_forget(t);
	tls_letgo(t->now);
	for(int i = 0; i < t->npair; i++){
		free(t->pairs[i].cert);
		free(t->pairs[i].key);
	}
	free(t->pairs);
	free(t->protocols);
	free(t->ca);
	pthread_mutex_destroy(&t->changing);
	pthread_mutex_destroy(&t->lock);
	OPENSSL_cleanse(t->ticketkeys, sizeof t->ticketkeys);
	free(t);
}

void
tlsfree(Tls *t)
{
	int err = errno;

	if(t)
		tls_unref(t);
	errno = err;
}

/* Making one */

/*
 * has connections of t begin with what it was told, the first keep contexts
 * being those that there are: 0, or -1 and errno.
 */
static int
renew(Tls *t, int keep)
{
	unsigned char keys[sizeof t->ticketkeys];

	needstack(FileStack);
	ERR_clear_error();
	memcpy(keys, t->ticketkeys, sizeof keys);
	/* a ticket of before would spare a client what is asked for now */
	if(keep == 0 && t->server && t->ca &&
			RAND_bytes(t->ticketkeys, sizeof t->ticketkeys) != 1)
		return tls_fail(EIO, "random numbers", NULL);
	Contexts *c = tls_make(t, keep);

	if(c == NULL)
		memcpy(t->ticketkeys, keys, sizeof keys);
	OPENSSL_cleanse(keys, sizeof keys);
	if(c == NULL)
		return -1;
	pthread_mutex_lock(&t->lock);
	Contexts *old = t->now;
	t->now = c;
	pthread_mutex_unlock(&t->lock);
	tls_letgo(old);
	return 0;
}

/* puts one more pair behind those that t has: 0, or -1 with ENOMEM. */
static int
addpair(Tls *t, const char *cert, const char *key)
{
	Pair *v = realloc(t->pairs, (size_t)(t->npair + 1) * sizeof *v);

	if(v == NULL)
		return -1;
	t->pairs = v;
	Pair p = {strdup(cert), strdup(key)};
	if(p.cert == NULL || p.key == NULL){
		free(p.cert);
		free(p.key);
		return -1;
	}
	t->pairs[t->npair++] = p;
	return 0;
}

static void
droppair(Tls *t)
{
	t->npair--;
	free(t->pairs[t->npair].cert);
	free(t->pairs[t->npair].key);
}

/* makes one of a pair, or, if cert is NULL, of ca. */
static Tls *
newtls(const char *cert, const char *key, const char *ca)
{
	int err = errno;
	Tls *t = calloc(1, sizeof *t);

	if(t == NULL)
		return NULL;
	atomic_init(&t->nused, 1);
	t->server = cert != NULL;
	pthread_mutex_init(&t->changing, NULL);
	pthread_mutex_init(&t->lock, NULL);
	int r = ca && (t->ca = strdup(ca)) == NULL ? -1 : 0;
	if(r == 0 && cert)
		r = addpair(t, cert, key);
	if(r == 0 && RAND_bytes(t->ticketkeys, sizeof t->ticketkeys) != 1)
		r = tls_fail(EIO, "random numbers", NULL);
	if(r == 0 && renew(t, 0) == 0){
		errno = err;
		return t;
	}
	err = errno;
	tls_unref(t);
	errno = err;
	return NULL;
}

Tls *
tlsserver(const char *cert, const char *key)
{
	if(cert == NULL || key == NULL){
		tls_fail(EINVAL, "tlsserver", "no certificate or no key");
		return NULL;
	}
	return newtls(cert, key, NULL);
}

Tls *
tlsclient(const char *ca)
{
	return newtls(NULL, NULL, ca);
}

/* Changing it */

/* Who changes it waits for others who do, in other threads. */
static int
endchange(Tls *t, int r, int err)
{
	pthread_mutex_unlock(&t->changing);
	if(r == 0)
		errno = err;
	return r;
}

int
tlsadd(Tls *t, const char *cert, const char *key)
{
	int err = errno;

	if(t == NULL || cert == NULL || key == NULL)
		return tls_fail(EINVAL, "tlsadd", "no certificate or no key");
	pthread_mutex_lock(&t->changing);
	int r = !t->server && t->npair > 0 ?
		tls_fail(EINVAL, "tlsadd", "a client has one") :
		addpair(t, cert, key);
	if(r == 0 && renew(t, t->npair - 1) < 0){
		droppair(t);
		r = -1;
	}
	return endchange(t, r, err);
}

/* changes the text at *at, and renew; if that fails it is changed back. */
static int
change(Tls *t, char **at, const char *text, int all)
{
	int err = errno;
	char *copy = strdup(text);

	if(copy == NULL)
		return -1;
	pthread_mutex_lock(&t->changing);
	char *old = *at;
	*at = copy;
	int r = renew(t, all ? 0 : t->now->n);
	if(r < 0){
		*at = old;
		old = copy;
	}
	free(old);
	return endchange(t, r, err);
}

int
tlspeers(Tls *t, const char *ca)
{
	if(t == NULL || ca == NULL || !t->server)
		return tls_fail(EINVAL, "tlspeers", "no server, or no file");
	return change(t, &t->ca, ca, 1);
}

int
tlsalpn(Tls *t, const char *protocols)
{
	if(t == NULL || protocols == NULL)
		return tls_fail(EINVAL, "tlsalpn", "no protocols");
	return change(t, &t->protocols, protocols, 0);
}

int
tlsreload(Tls *t)
{
	int err = errno;

	if(t == NULL)
		return tls_fail(EINVAL, "tlsreload", "nothing to reload");
	pthread_mutex_lock(&t->changing);
	int r = renew(t, 0);
	if(r == 0)
		tls_forget(t);
	return endchange(t, r, err);
}
