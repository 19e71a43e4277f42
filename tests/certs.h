/* SPDX-License-Identifier: MIT */
/* Certificates for tests, in a directory of their own while a test runs. */
#ifndef CERTS_H
#define CERTS_H

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "test.h"

static char certdir[] = "/tmp/check_tlsXXXXXX";

enum { Day = 24 * 3600 };

/* They are made once, when no test runs yet that could fail. */
static inline void
must(int ok)
{
	if(!ok){
		fprintf(stderr, "no certificates can be made\n");
		abort();
	}
}


/* An authority, or one that it has certified. */
typedef struct Cert
{
	X509 *x;
	EVP_PKEY *key;
} Cert;

/* A file in the directory; 4 of these at a time. */
static inline const char *
incerts(const char *name)
{
	static char path[4][64];
	static int i;

	i = (i + 1) % 4;
	snprintf(path[i], sizeof path[i], "%s/%s", certdir, name);
	return path[i];
}

static inline void
extend(X509 *x, X509 *by, int nid, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, by, x, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(e != NULL);
	must(X509_add_ext(x, e, -1) == 1);
	X509_EXTENSION_free(e);
}

/*
 * makes a certificate for names, as "DNS:a,IP:127.0.0.1", or of an authority if
 * names is NULL; by one, or by itself, for days from now on or until now.
 */
static inline Cert
certify(const char *subject, const char *names, const Cert *by, int days)
{
	static long serial = 1;
	Cert c = {X509_new(), EVP_EC_gen("P-256")};
	X509_NAME *name = X509_get_subject_name(c.x);

	X509_set_version(c.x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(c.x), serial++);
	X509_gmtime_adj(X509_getm_notBefore(c.x), days < 0 ? days * Day : -Day);
	X509_gmtime_adj(X509_getm_notAfter(c.x), days < 0 ? -3600 : days * Day);
	X509_set_pubkey(c.x, c.key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		(const unsigned char *)subject, -1, -1, 0);
	X509_set_issuer_name(c.x, by ? X509_get_subject_name(by->x) : name);
	extend(c.x, by ? by->x : c.x, NID_basic_constraints,
		names ? "CA:FALSE" : "critical,CA:TRUE");
	if(names)
		extend(c.x, by ? by->x : c.x, NID_subject_alt_name, names);
	must(X509_sign(c.x, by ? by->key : c.key, EVP_sha256()) > 0);
	return c;
}

static inline void
freecert(Cert c)
{
	X509_free(c.x);
	EVP_PKEY_free(c.key);
}

/* writes it and its key into one file. */
static inline void
savecert(const char *file, Cert c)
{
	FILE *f = fopen(incerts(file), "w");

	must(f != NULL);
	must(PEM_write_X509(f, c.x) == 1);
	must(PEM_write_PrivateKey(f, c.key, NULL, NULL, 0, NULL, NULL) == 1);
	fclose(f);
}

static inline void
makecert(const char *file, const char *subject, const char *names,
	const Cert *by, int days)
{
	Cert c = certify(subject, names, by, days);

	savecert(file, c);
	freecert(c);
}

/* An authority in ca, another in other, and what tests want of them. */
static inline void
makecerts(void)
{
	must(mkdtemp(certdir) != NULL);
	Cert ca = certify("Test CA", NULL, NULL, 30);
	savecert("ca", ca);
	makecert("good", "good", "DNS:good.test,DNS:localhost,IP:127.0.0.1",
		&ca, 30);
	makecert("next", "next", "DNS:good.test,DNS:localhost,IP:127.0.0.1",
		&ca, 30);
	makecert("wild", "wild", "DNS:*.wild.test", &ca, 30);
	makecert("named", "good.test", "DNS:else.test", &ca, 30);
	makecert("bare", "good.test", "email:x@good.test", &ca, 30);
	makecert("old", "old", "DNS:good.test", &ca, -10);
	makecert("self", "self", "DNS:good.test", NULL, 30);
	makecert("client", "Some Client", "DNS:client.test", &ca, 30);
	makecert("other", "Other CA", NULL, NULL, 30);
	freecert(ca);
}

static inline void
dropcerts(void)
{
	static const char *const files[] = {"ca", "good", "next", "wild",
		"named", "bare", "old", "self", "client", "other", "use",
		"conf", "log", "pid"};

	for(size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		unlink(incerts(files[i]));
	rmdir(certdir);
}

#endif
