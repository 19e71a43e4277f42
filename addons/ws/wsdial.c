/* SPDX-License-Identifier: MIT */
/* WebSocket: the handshake, as a client asks for it. */
#include "wsinside.h"
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { Nonce = 16, KeyBytes = 24, HostMost = 255 };

/* What of the answer matters: these point into it. */
typedef struct Answer
{
	int status;
	const char *upgrade, *connection, *accept, *protocol, *extensions;
} Answer;

/* Nothing that ends a line, or a word of the first one. */
static int
validword(const char *v)
{
	if(*v == '\0')
		return 0;
	for(; *v; v++)
		if((unsigned char)*v <= ' ' || *v == 0x7f)
			return 0;
	return 1;
}

static int
validline(const char *v)
{
	for(; v && *v; v++)
		if((unsigned char)*v < ' ' || *v == 0x7f)
			return 0;
	return 1;
}

static int
ask(Stream *s, const char *host, const char *path, const char *key,
	const Wsset *set)
{
	const char *protocols = set ? set->protocols : NULL;
	const char *fields = set ? set->fields : NULL;

	return streamprint(s, "GET %s HTTP/1.1\r\nHost: %s\r\n"
		"Upgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n"
		"%s%s%s%s\r\n", path, host, key,
		protocols ? "Sec-WebSocket-Protocol: " : "",
		protocols ? protocols : "", protocols ? "\r\n" : "",
		fields ? fields : "");
}

/* A field of one name that comes twice is none that can be right. */
static void
keepfield(Answer *a, const char *name, const char *value)
{
	static const char twice[] = "\n";
	const struct { const char *name; const char **at; } known[] = {
		{"Upgrade", &a->upgrade},
		{"Connection", &a->connection},
		{"Sec-WebSocket-Accept", &a->accept},
		{"Sec-WebSocket-Protocol", &a->protocol},
		{"Sec-WebSocket-Extensions", &a->extensions}
	};

	for(size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if(strcasecmp(name, known[i].name) == 0)
			*known[i].at = *known[i].at ? twice : value;
}

/* "HTTP/1.1 101 and a text" */
static int
statusof(const char *line)
{
	if(strncmp(line, "HTTP/1.", 7) != 0 || line[7] < '0' || line[7] > '9' ||
			line[8] != ' ' || strspn(line + 9, "0123456789") != 3)
		return -1;
	return atoi(line + 9);
}

/* takes the next line off text, which ends with an empty one. */
static char *
nextline(char **text)
{
	char *line = *text, *end = strstr(line, "\r\n");

	*end = '\0';
	*text = end + 2;
	return line;
}

static int
parseanswer(char *text, Answer *a)
{
	char *line = nextline(&text);

	a->status = statusof(line);
	while(a->status > 0 && *(line = nextline(&text)) != '\0'){
		char *value = strchr(line, ':');
		if(value == NULL)
			return -1;
		*value++ = '\0';
		value += strspn(value, " \t");
		for(char *end = value + strlen(value); end > value &&
				(end[-1] == ' ' || end[-1] == '\t'); )
			*--end = '\0';
		keepfield(a, line, value);
	}
	return a->status;
}

static int
refusal(int status)
{
	switch(status){
	case 401:
	case 403:
		return ws_fail(EACCES);
	case 404:
		return ws_fail(ENOENT);
	case 429:
	case 503:
		return ws_fail(EAGAIN);
	default:
		return ws_fail(EPROTO);
	}
}

/* A protocol has to be one that was offered, and extensions were not. */
static int
checkanswer(const Answer *a, const char *key, const Wsset *set)
{
	char accept[AcceptBytes];

	if(a->status != 101)
		return refusal(a->status);
	if(ws_accept(key, accept) < 0)
		return -1;
	if(!ws_hastoken(a->upgrade, "websocket", 9) ||
			!ws_hastoken(a->connection, "upgrade", 7) ||
			a->accept == NULL || strcmp(a->accept, accept) != 0 ||
			a->extensions)
		return ws_fail(EPROTO);
	if(a->protocol && !ws_offers(set ? set->protocols : NULL, a->protocol,
			strlen(a->protocol)))
		return ws_fail(EPROTO);
	return 0;
}

/* reads the answer, and looks at it in the stream's buffer. */
static Ws *
takeanswer(Stream *s, const char *key, const Wsset *set)
{
	Answer a = {.status = 0};
	void *v;
	ssize_t n = streamuntil(s, "\r\n\r\n", 4, &v);

	if(n <= 0){
		if(n == 0)
			errno = ECONNRESET;
		return NULL;
	}
	if(memchr(v, '\0', (size_t)n)){
		errno = EPROTO;
		return NULL;
	}
	char *text = malloc((size_t)n + 1);
	if(text == NULL)
		return NULL;
	memcpy(text, v, (size_t)n);
	text[n] = '\0';
	if(parseanswer(text, &a) < 0)
		a.status = 0;
	Ws *w = checkanswer(&a, key, set) < 0 ? NULL :
		wsopen(s, 1, a.protocol, set);
	int err = errno;
	free(text);
	errno = err;
	return w;
}

Ws *
wsclient(Stream *s, const char *host, const char *path, const Wsset *set)
{
	unsigned char nonce[Nonce];
	char key[KeyBytes + 1];
	int err = errno;

	if(s == NULL || host == NULL || path == NULL || !validword(host) ||
			!validword(path) || (set && set->protocols &&
			(*set->protocols == '\0' ||
			!validline(set->protocols)))){
		errno = EINVAL;
		return NULL;
	}
	if(ws_random(nonce, sizeof nonce) < 0)
		return NULL;
	EVP_EncodeBlock((unsigned char *)key, nonce, sizeof nonce);
	if(ask(s, host, path, key, set) < 0)
		return NULL;
	Ws *w = takeanswer(s, key, set);
	if(w)
		errno = err;
	return w;
}

/* What of a URL is the host, its port, and the path. */
typedef struct Place
{
	char host[HostMost + 1];	/* to dial, without brackets */
	char name[HostMost + 1];	/* for the server: with the port */
	int port;
	const char *path;
} Place;

static int
parseport(const char *v, size_t n)
{
	int port = 0;

	for(size_t i = 0; i < n && port <= 65535; i++){
		if(v[i] < '0' || v[i] > '9')
			return -1;
		port = 10 * port + v[i] - '0';
	}
	return port > 0 && port <= 65535 ? port : -1;
}

/* ws://host:port/path, the host perhaps an address in brackets. */
static int
parseurl(const char *url, Place *p)
{
	if(url == NULL)
		return ws_fail(EINVAL);
	if(strncasecmp(url, "ws://", 5) != 0)
		return ws_fail(strncasecmp(url, "wss://", 6) == 0 ?
			EPROTONOSUPPORT : EINVAL);
	const char *v = url + 5, *end = v + strcspn(v, "/?#");
	const char *first = *v == '[' ? v + 1 : v;
	size_t n = strcspn(first, *v == '[' ? "]" : ":/?#");
	const char *after = first + n + (*v == '[' && first[n] == ']');

	if(n == 0 || after > end || end - v > HostMost || *end == '?' ||
			strchr(end, '#') || (*v == '[' && first[n] != ']') ||
			(after < end && *after != ':'))
		return ws_fail(EINVAL);
	p->port = after == end ? 80 : parseport(after + 1,
		(size_t)(end - after - 1));
	if(p->port < 0)
		return ws_fail(EINVAL);
	memcpy(p->host, first, n);
	memcpy(p->name, v, (size_t)(end - v));
	p->path = *end ? end : "/";
	return 0;
}

Ws *
wsdial(const char *url, const Wsset *set)
{
	Place p = {.port = 0};

	if(parseurl(url, &p) < 0)
		return NULL;
	int fd = netdial(TCP, p.host, p.port);
	if(fd < 0)
		return NULL;
	Stream *s = streamopen(fd, 0);
	Ws *w = s ? wsclient(s, p.name, p.path, set) : NULL;
	int err = errno;
	if(w == NULL && s)
		streamclose(s);
	else if(w == NULL)
		fdclose(fd);
	errno = err;
	return w;
}
