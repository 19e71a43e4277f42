/* SPDX-License-Identifier: MIT */
/* What a proxy passes on of the heads of requests and answers. */
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum
{
	FieldsMost = 100,
	FieldBytes = 16 * 1024	/* of an answer, as httpset has them */
};

/* Those that came, and those that go on: name, value, ..., NULL. */
typedef struct Fields
{
	const char *came[2 * FieldsMost + 2];
	const char *go[2 * FieldsMost + 10];
	char peer[64];
} Fields;

static inline int
among(const char *const *names, const char *name)
{
	while(*names && ((**names ^ *name) & ~32 ||	/* as most are */
			strcasecmp(*names, name) != 0))
		names++;
	return *names != NULL;
}

/* Whether a field Connection says that this one is for one connection only. */
static inline int
listed(const char *const *f, const char *name)
{
	for(size_t len = strlen(name); *f; f += 2){
		const char *v = strcasecmp(f[0], "Connection") ? "" : f[1];
		for(size_t n; *v; v += n + strspn(v + n, ", \t")){
			n = strcspn(v, ", \t");
			if(n == len && strncasecmp(v, name, n) == 0)
				return 1;
		}
	}
	return 0;
}

/* passes on all but those for one connection, and own, which are made anew. */
static inline const char **
pass(Fields *f, const char *const *own)
{
	static const char *const hop[] = {"Connection", "Keep-Alive",
		"Proxy-Authenticate", "Proxy-Authorization",
		"Proxy-Connection", "TE", "Trailer", "Transfer-Encoding",
		"Upgrade", NULL};
	const char **to = f->go;

	for(const char **from = f->came; *from; from += 2)
		if(!among(hop, *from) && !among(own, *from) &&
				!listed(f->came, *from)){
			*to++ = from[0];
			*to++ = from[1];
		}
	*to = NULL;
	return to;
}

static inline void
peername(int fd, char *v, socklen_t n)
{
	struct sockaddr_storage sa = {0};
	socklen_t size = sizeof sa;

	if(getpeername(fd, (struct sockaddr *)&sa, &size) < 0 ||
			getnameinfo((struct sockaddr *)&sa, size, v, n, NULL,
			0, NI_NUMERICHOST) != 0)
		strcpy(v, "unknown");
}

/*
 * The next character of a path as a server may read it, who decodes it before
 * he takes it apart; 0 at the end.  That each % is right was seen before.
 */
static inline int
pathchar(const char **v)
{
	const char *s = *v;

	*v += *s == '%' ? 3 : *s != '\0';
	return *s == '%' ? (int)strtol((char[]){s[1], s[2], '\0'}, NULL, 16) :
		*s;
}

/*
 * Whether ".." is in a path, however it is written.  The upstream's URL may
 * have a path, below which all that is asked for must stay: but it would be the
 * upstream that resolves "..", with that path before it.  Browsers resolve it
 * before they ask.  Some servers drop what is behind a semicolon, and one that
 * decodes first what is behind %3f.
 */
static inline int
climbs(const char *path)
{
	int c, ndots = 0;	/* of a piece with nothing else in it; or -1 */

	do{
		c = pathchar(&path);
		if(strchr("/\\;?#", c)){	/* or the end */
			if(ndots == 2)
				return 1;
			ndots = strchr(";?#", c) ? -1 : 0;
		}else
			ndots = c == '.' && ndots >= 0 ? ndots + 1 : -1;
	}while(c != '\0');
	return 0;
}

/*
 * A client could say anything of whom it forwards for, and in front of this
 * proxy there is none: so what it says is not passed on.  Many servers hand
 * fields to programs as variables, where X_Forwarded_For and X-Forwarded-For
 * are one: so a name has letters, digits and hyphens, as with nginx, or it is
 * dropped.  Proxy would there be HTTP_PROXY, which programs have obeyed.
 */
static inline int
believed(const char *name)
{
	static const char plain[] = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"abcdefghijklmnopqrstuvwxyz";
	static const char *const not[] = {"Forwarded", "X-Real-IP", "Proxy",
		NULL};

	return name[strspn(name, plain)] == '\0' && !among(not, name) &&
		strncasecmp(name, "X-Forwarded", 11) != 0;
}

static inline void
passrequest(Fields *f, const Http *h)
{
	static const char *const own[] = {"Host", "Content-Length", "Expect",
		NULL};
	const char **to = f->came, *host = httpfield(h, "Host");

	for(int i = 0; httpfieldat(h, i, &to[0], &to[1]); i++)
		if(believed(to[0]))
			to += 2;
	*to = NULL;
	peername(httpfd(h), f->peer, sizeof f->peer);
	const char *more[] = {"Via", h->minor ? "1.1 proxy" : "1.0 proxy",
		"X-Forwarded-For", f->peer, "X-Forwarded-Proto", "http",
		host ? "X-Forwarded-Host" : NULL, host, NULL};
	memcpy(pass(f, own), more, sizeof more);
}

/*
 * sets the fields of the answer; its own date is the library's.  Returns 0; -1
 * with EMSGSIZE or ENOMEM, and none is set.
 */
static inline int
passreply(Fields *f, Http *h, const Httpreply *reply)
{
	static const char *const own[] = {"Content-Length", "Date", NULL};
	const char **to = f->came, *via[] = {"Via", reply->minor ?
		"1.1 proxy" : "1.0 proxy", NULL};
	size_t n = 0;

	while(httpreplyfieldat(reply, (int)(to - f->came) / 2, &to[0], &to[1]))
		to += 2;
	*to = NULL;
	memcpy(pass(f, own), via, sizeof via);
	for(to = f->go; *to; to += 2)
		n += strlen(to[0]) + strlen(": \r\n") + strlen(to[1]);
	if(n > FieldBytes){
		errno = EMSGSIZE;
		return -1;
	}
	for(to = f->go; *to && httpset(h, to[0], to[1]) == 0; to += 2)
		;
	if(*to == NULL)
		return 0;
	int err = errno;
	while(to > f->go)
		httpset(h, *(to -= 2), NULL);
	errno = err;
	return -1;
}
