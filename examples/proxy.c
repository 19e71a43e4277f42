/* SPDX-License-Identifier: MIT */
/*
 * A reverse proxy: clients ask it, and it asks the servers behind it in turn.
 *
 *	proxy [-c ms to connect] [-d ms for all] [-n requests] port url ...
 *	proxy 8080 http://127.0.0.1:8081 http://127.0.0.1:8082
 *
 * Look at relay: the task of a request asks and copies, within one deadline,
 * and beside it another waits until the client hangs up.  Look at forward: it
 * goes on to the next server if one has failed, but only with what may be done
 * twice.  Look at fail: one bad answer may be the request's fault, three in a
 * row are the server's, and then it is left alone for a while.  And look at
 * copy and body: of what goes through, however long it is, a piece is in
 * memory, and who is slow slows down the other side.
 *
 * passon.h has what is passed on, and what is not: who may be believed, and why
 * a path that climbs is refused.  Other protocols (Upgrade), trailers, and 103
 * are not passed on.
 */
#include <errno.h>
#include <unistd.h>
#include "serve.h"
#include "passon.h"

enum
{
	UrlMost = 8000,	/* bytes; so many the client takes of a target */
	UpstreamMost = 500,	/* of them */
	HostMost = 255,
	Piece = 256 * 1024,
	FailsMost = 3,
	DownMs = 3000
};

typedef struct Upstream
{
	char *url;	/* without a slash at its end */
	Sem room;	/* a unit for each request that it may still get */
	int nfails;	/* since its last answer */
	int64_t down_ns;	/* until then others are asked */
} Upstream;

/* A request on its way. */
typedef struct Relay
{
	Http *h;
	int task;	/* its own */
	int begun;	/* some of the client's body has been read */
	int broken;	/* and there is no more: the library says so */
	int status;	/* that is answered for want of another */
	Timeout within;
	char url[UrlMost + 1];
	Fields fields;
} Relay;

static Upstream *upstream;
static int nupstream;
static unsigned int within_ms = 60000, atatime = 100;
static Httpclient client = {.redirects = -1, .idle = 100, .dial_ms = 2000};

/* To HEAD the answer tells how long another one would be. */
static int64_t
lengthof(const Http *h, const Httpreply *reply)
{
	const char *v = httpreplyfield(reply, "Content-Length");

	if(strcmp(h->method, "HEAD") != 0)
		return reply->length;
	return v ? strtoll(v, NULL, 10) : -1;
}

/* An answer that breaks off does so for the client too: it is not ended. */
static void
pour(Http *h, Httpreply *reply, char *v, size_t size)
{
	ssize_t n;

	if(httphead(h, reply->status, NULL, lengthof(h, reply)) < 0 ||
			(reply->length < 0 && httpflush(h) < 0))
		return;
	while((n = httpreplyread(reply, v, size)) > 0)
		if(httpwrite(h, v, (size_t)n) < 0 || httpflush(h) < 0)
			return;
	if(n == 0)
		httpend(h);
}

static void
copy(Relay *r, Httpreply *reply)
{
	size_t size = reply->length >= 0 && reply->length < Piece ?
		(size_t)reply->length + 1 : Piece;
	char *v = malloc(size);

	if(v == NULL)
		r->status = 503;
	else if(passreply(&r->fields, r->h, reply) == 0)
		pour(r->h, reply, v, size);
	else
		r->status = errno == ENOMEM ? 503 : 502;
	free(v);
}

/* gives the client's body to an upstream. */
static ssize_t
body(void *arg, void *v, size_t n)
{
	Relay *r = arg;

	r->begun = 1;
	ssize_t got = httpread(r->h, v, n);
	r->broken = got < 0;
	return got;
}

/* Returns 0 if there was an answer; -1. */
static int
ask(Relay *r, Upstream *u)
{
	const Http *h = r->h;
	Httpreply reply;
	Httprequest q = {.method = h->method, .url = r->url,
		.fields = r->fields.go, .read = h->length ? body : NULL,
		.arg = r, .length = h->length > 0 ? h->length : 0,
		.expect = httpfield(h, "Expect") != NULL};

	if(snprintf(r->url, sizeof r->url, "%s%s%s%s", u->url, h->path,
			*h->query ? "?" : "", h->query) > UrlMost){
		errno = ENAMETOOLONG;
		return -1;
	}
	taskstate("%s %s", h->method, r->url);
	passrequest(&r->fields, h);
	if(httpdo(&client, &q, &reply) < 0)
		return -1;
	u->nfails = 0;
	u->down_ns = 0;
	copy(r, &reply);
	httpreplyclose(&reply);
	return 0;
}

/*
 * An upstream is no worse for an answer that one request has spoilt, or for one
 * connection that broke, or for one request that ran out of time.  If three of
 * these come without an answer between them it is left alone for a while, and
 * once more whenever it fails, until it answers.  (nginx counts the same, as
 * max_fails and fail_timeout, and by default one is enough for 10 s.)
 */
static void
fail(Upstream *u, int err)
{
	fprintf(stderr, "%s: %s\n", u->url, strerror(err));
	if(++u->nfails >= FailsMost)
		u->down_ns = tasknow() + DownMs * (int64_t)1000000;
}

/*
 * Whether to ask another one, and what to answer if not.  An upstream that has
 * refused the connection has done nothing; of others nobody knows, nor when the
 * proxy itself has to give up: 503 would say that nothing was done.
 */
static int
another(Relay *r, Upstream *u, int err)
{
	static const char *const idempotent[] = {"GET", "HEAD", "PUT",
		"DELETE", "OPTIONS", "TRACE", NULL};

	if(r->broken)
		return 0;
	r->status = err == ENAMETOOLONG ? 414 : err == ENOMEM ||
		err == EMFILE || err == ENFILE ? 503 : 502;
	if(r->status != 502 || err == ECANCELED)
		return 0;
	fail(u, err);
	return !timeoutfired(&r->within) && (err == ECONNREFUSED ||
		(!r->begun && among(idempotent, r->h->method)));
}

/* Whether it may be asked; if none is up, any may. */
static int
up(const Upstream *u)
{
	int64_t now = tasknow();
	int n = 0;

	for(int i = 0; i < nupstream; i++)
		n += upstream[i].down_ns <= now;
	return n == 0 || u->down_ns <= now;
}

/* Each once, beginning with another one each time, as long as it has room. */
static void
forward(Relay *r)
{
	static unsigned int turn;
	unsigned int from = turn++ % (unsigned int)nupstream;
	int done = 0;

	for(int i = 0; i < nupstream && !done; i++){
		Upstream *u = &upstream[(from + (unsigned int)i) %
			(unsigned int)nupstream];
		if(!up(u) || !cansemacquire(&u->room))
			continue;
		done = ask(r, u) == 0 || !another(r, u, errno);
		semrelease(&u->room);
	}
}

/* Half a connection is none: who says no more is taken to hear no more. */
static void
watch(void *v)
{
	Relay *r = v;

	taskname("client");
	if(fdwait(httpfd(r->h), 'h') == 0)
		taskcancel(r->task);
}

/* What a request needs on its way; or it is answered why not. */
static Relay *
start(Http *h)
{
	Relay *r = climbs(h->path) ? NULL : malloc(sizeof *r);

	if(r == NULL){
		httperror(h, climbs(h->path) ? 400 : 503);
		return NULL;
	}
	r->h = h;
	r->task = (int)taskid();
	r->begun = r->broken = 0;
	r->status = 503;
	return r;
}

static void
relay(Http *h)
{
	Relay *r = start(h);
	Group beside = {0};

	if(r == NULL)
		return;
	TIMEOUT(&r->within, within_ms)
		if(groupspawn(&beside, watch, r, 0) >= 0)
			forward(r);
	groupcancel(&beside);
	groupwait(&beside);
	int status = timeoutfired(&r->within) ? 504 : r->status;
	int tell = h->status == 0 && !r->broken;
	free(r);
	if(status == 503)
		httpset(h, "Retry-After", "1");
	if(tell)
		httperror(h, status);
}

static void
usage(void)
{
	fputs("usage: proxy [-c ms] [-d ms] [-n requests] port "
		"http://host:port ...\n", stderr);
	taskexitall(2);
}

/* Is this host, host:port or [address]:port, and then a path or nothing? */
static int
isserver(const char *v)
{
	static const char names[] = "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	int port = 0, numeric = *v == '[';
	size_t n = strspn(v += numeric, numeric ? "0123456789abcdefABCDEF:." :
		names);

	if(n == 0 || n > HostMost || (numeric && v[n++] != ']'))
		return 0;
	v += n;
	if(*v != ':')
		return *v == '\0' || *v == '/';
	while(*++v >= '0' && *v <= '9' && port <= 65535)
		port = 10 * port + *v - '0';
	return port > 0 && port <= 65535 && (*v == '\0' || *v == '/');
}

/* takes slashes off the end, and says whether this can be an upstream's. */
static int
isurl(char *url)
{
	static const char targets[] = "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/[]@!$&'()*+,;=%";
	size_t n = strlen(url);

	while(n > 0 && url[n - 1] == '/')
		url[--n] = '\0';
	return n <= UpstreamMost && strncasecmp(url, "http://", 7) == 0 &&
		isserver(url + 7) && strspn(url, targets) == n;
}

static void
upstreams(char **urls)
{
	upstream = nupstream > 0 ? calloc((size_t)nupstream,
		sizeof *upstream) : NULL;
	if(upstream == NULL)
		usage();
	for(int i = 0; i < nupstream; i++){
		if(!isurl(urls[i])){
			fprintf(stderr, "proxy: %s: not http://host:port\n",
				urls[i]);
			taskexitall(2);
		}
		upstream[i].url = urls[i];
		seminit(&upstream[i].room, atatime, atatime);
	}
}

static void
options(int argc, char **argv)
{
	int c;

	while((c = getopt(argc, argv, "c:d:n:")) > 0){
		int n = optarg ? atoi(optarg) : 0;
		if(n <= 0)
			usage();
		*(c == 'c' ? &client.dial_ms : c == 'd' ? &within_ms :
			&atatime) = (unsigned int)n;
	}
	nupstream = argc - optind - 1;
	if(nupstream > 0 && argv[optind][strspn(argv[optind], "0123456789")])
		usage();
	upstreams(argv + optind + 1);
}

static const Httproute routes[] = {
	{NULL, "/*", relay, NULL},
	{NULL, NULL, NULL, NULL}
};

void
taskmain(int argc, char **argv)
{
	static Httpserver site = {.routes = routes};
	static Server server = {.fn = httpserve, .arg = &site};

	options(argc, argv);
	limit(&server, &site);
	site.most = INT64_MAX;
	serveuntilsignal(&server, argv[optind]);
	httpclientclose(&client);
}
