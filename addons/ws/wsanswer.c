/* SPDX-License-Identifier: MIT */
/* WebSocket: the handshake, as a server answers it. */
#include "wsinside.h"
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>
#include <strings.h>

enum { KeyBytes = 24 };	/* of base64 of 16 bytes */

int
ws_accept(const char *key, char accept[AcceptBytes])
{
	static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char text[KeyBytes + sizeof magic], sum[SHA_DIGEST_LENGTH];

	memcpy(text, key, KeyBytes);
	memcpy(text + KeyBytes, magic, sizeof magic);
	if(!EVP_Digest(text, KeyBytes + sizeof magic - 1, sum, NULL, EVP_sha1(),
			NULL))
		return ws_fail(ENOMEM);
	EVP_EncodeBlock((unsigned char *)accept, sum, sizeof sum);
	return 0;
}

const char *
ws_token(const char **list, size_t *n)
{
	const char *v = *list + strspn(*list, ", \t");
	const char *end = v + strcspn(v, ",");

	*list = end;
	while(end > v && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*n = (size_t)(end - v);
	return *n > 0 ? v : NULL;
}

int
ws_hastoken(const char *list, const char *token, size_t n)
{
	const char *v;
	size_t k;

	while(list && (v = ws_token(&list, &k)) != NULL)
		if(k == n && strncasecmp(v, token, n) == 0)
			return 1;
	return 0;
}

static const char *
fieldof(const Wsrequest *r, const char *name)
{
	return r->field(r->arg, name);
}

int
ws_offers(const char *list, const char *name, size_t n)
{
	const char *v;
	size_t k;

	while(list && (v = ws_token(&list, &k)) != NULL)
		if(k == n && memcmp(v, name, n) == 0)
			return 1;
	return 0;
}

/* The first of the server's that the client offers. */
static void
chooseprotocol(const char *ours, const char *theirs, Wsanswer *a)
{
	const char *v;
	size_t n;

	while(ours && (v = ws_token(&ours, &n)) != NULL)
		if(n <= ProtocolMost && ws_offers(theirs, v, n)){
			memcpy(a->protocol, v, n);
			return;
		}
}

static int
validkey(const char *key)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"abcdefghijklmnopqrstuvwxyz0123456789+/";

	return key && strlen(key) == KeyBytes &&
		strspn(key, digits) == KeyBytes - 2 &&
		strcmp(key + KeyBytes - 2, "==") == 0;
}

/* A page of the host that is asked: scheme://host, and that host. */
static int
samehost(const char *origin, const char *host)
{
	const char *v = strstr(origin, "://");

	return v && host && strcasecmp(v + 3, host) == 0;
}

/* Programs that are no browsers have no origin. */
static int
allowed(const Wsrequest *r, const Wsset *set)
{
	const char *origin = fieldof(r, "Origin");

	if(origin == NULL)
		return 1;
	return set && set->origin ? set->origin(origin, set->arg) != 0 :
		samehost(origin, fieldof(r, "Host"));
}

static int
statusfor(const Wsrequest *r, const Wsset *set)
{
	const char *version = fieldof(r, "Sec-WebSocket-Version");

	if(strcmp(r->method, "GET") != 0)
		return 405;
	if(r->version < 11)
		return 400;
	if(!ws_hastoken(fieldof(r, "Upgrade"), "websocket", 9) ||
			version == NULL || strcmp(version, "13") != 0)
		return 426;
	if(!ws_hastoken(fieldof(r, "Connection"), "upgrade", 7) ||
			!validkey(fieldof(r, "Sec-WebSocket-Key")))
		return 400;
	return allowed(r, set) ? 101 : 403;
}

int
wsanswer(const Wsrequest *r, const Wsset *set, Wsanswer *a)
{
	int err = errno;

	if(r == NULL || r->method == NULL || r->field == NULL || a == NULL)
		return ws_fail(EINVAL);
	*a = (Wsanswer){.status = statusfor(r, set)};
	if(a->status == 101){
		chooseprotocol(set ? set->protocols : NULL,
			fieldof(r, "Sec-WebSocket-Protocol"), a);
		if(ws_accept(fieldof(r, "Sec-WebSocket-Key"), a->accept) < 0)
			a->status = 500;
	}
	errno = err;
	return a->status;
}
