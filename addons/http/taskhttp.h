/* SPDX-License-Identifier: MIT */
/* HTTP/1.1 for tasks: http(3). */
#ifndef TASK_HTTP_H
#define TASK_HTTP_H

#include <task.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A server is a Server whose fn is httpserve, and whose arg is an Httpserver.
 * Each request is a call of a function of the program's, in a task:
 *
 *	static void
 *	hello(Http *h)
 *	{
 *		httpreply(h, 200, "text/plain", "hello\n", 6);
 *	}
 *
 *	static const Httproute routes[] = {
 *		{"GET", "/hello", hello, NULL},
 *		{NULL, NULL, NULL, NULL}
 *	};
 *	static Httpserver site = {.routes = routes};
 *	static Server server = {.fn = httpserve, .arg = &site};
 *
 * The calls on an Http are for the task whose function was given it, until that
 * returns.  They fail with EINVAL for arguments that can never work, ENOMEM,
 * and otherwise as they say.
 */
typedef struct Http Http;

/*
 * Who answers what.  The first route that has the method and the path is taken.
 * method NULL is any, and GET is HEAD as well.  A path is compared piece by
 * piece; a piece ":name" stands for any that is not empty, and "*" at the end
 * for all that follows: see httpparam.  The last route has no fn.
 * Sizes: 8 such pieces.
 */
typedef struct Httproute
{
	const char *method;
	const char *path;
	void (*fn)(Http *h);
	void *arg;	/* the program's */
} Httproute;

/*
 * What a server does with requests.  Zeroed but for routes it is valid.  It may
 * serve several Servers, in several procs; it must stay as it is meanwhile.
 */
typedef struct Httpserver
{
	const Httproute *routes;

	/*
	 * Functions that a request goes through before its route, NULL behind
	 * the last; or NULL.  Each calls httpnext to let it go on, and can
	 * answer in place of that.
	 */
	void (*const *before)(Http *h);

	/*
	 * is called when a request has been answered, or refused, or the task
	 * has ended in its function, with what was wrong or NULL.  Of a
	 * request that was not understood method and path are "", and status
	 * is 0 if there was no answer.
	 */
	void (*log)(const Http *h, const char *why);
	void *arg;	/* the program's */

	int64_t most;	/* bytes of a body, else 413; 0: 1 MiB */
	int busy;	/* requests at a time, else 503; 0: any number */
	unsigned int head_ms;	/* to send a head, else 408; 0: 10 s */
	unsigned int body_ms;	/* for 256 KiB of a body, else 408; 0: 30 s */

	/*
	 * How long what is written may wait for a client that does not read:
	 * all the waits for 256 KiB together, in however many calls.  What is
	 * between two calls does not count, so an answer may go on for ever.
	 * 0: 30 s.
	 */
	unsigned int write_ms;

	/* the library's: if there is a most of them */
	int nbusy;
} Httpserver;

/* One request, and its answer. */
struct Http
{
	/* the request: these are there until the function returns */
	const char *method;
	const char *path;	/* as it was sent, without the query */
	const char *query;	/* what is behind the "?", or "" */
	int minor;	/* the version is HTTP/1.minor */
	int64_t length;	/* of its body; -1: it tells by its end */

	/* the answer */
	int status;	/* once its head was written; before that 0 */
	int64_t sent;	/* bytes of its body so far */

	Httpserver *server;
	const Httproute *route;	/* NULL until it was found */
	void *data;	/* the program's, NULL at first */
};

/*
 * httpserve serves a connection: it is called by a Server.  It reads heads, and
 * has each request answered in turn, as long as there is one; in between the
 * connection has no task.  An Httpserver is arg.
 * Returns as a Server's fn.
 * Blocks: as long as that takes, each step with a deadline.
 */
int httpserve(Server *s, Stream *c, void *arg);

/*
 * httpnext is for the functions in before: it calls the next of them or, behind
 * the last, the route.  What is written behind it is done when they have
 * returned, so the first is the outermost, as in WSGI.  When there is none left
 * it does nothing.
 */
void httpnext(Http *h);

/*
 * httpfield gives a field of the request, the first of that name; httpfields,
 * the values of all of that name with commas between, for those that are lists;
 * httpparam, the piece of the path that stands for name in the route, "*" for
 * the end; httpquery, the first value of that name in the query; httpform, in a
 * text that is like one: the body of a form, application/x-www-form-urlencoded.
 * The last three decode: %41 is A, and + in a query or form a space.
 * Returns a string, good until the function returns; NULL if there is none, or
 * no memory (ENOMEM); of the last two also if it cannot be decoded (EBADMSG).
 */
const char *httpfield(const Http *h, const char *name);
const char *httpfields(Http *h, const char *name);
const char *httpparam(Http *h, const char *name);
const char *httpquery(Http *h, const char *name);
const char *httpform(Http *h, const char *text, const char *name);

/*
 * httpfieldat gives the field at place i of the request, as it came, for who
 * wants all of them: i is 0, 1, 2 and so on.  Both strings are good until the
 * function returns.
 * Returns 1; 0, and nothing is given, if there is none at that place.
 */
int httpfieldat(const Http *h, int i, const char **name, const char **value);

/*
 * httpread reads what there is of the request's body.  Who has said so is told
 * first that it may come (100-continue).  httpbody reads all of it, or what is
 * left, and puts a zero byte behind.
 * Sizes: n bytes at most; most bytes at most, 0: as much as the server lets in.
 * Returns how many, of httpread 0 behind the end; -1 with EBADMSG (that is no
 * body, or it is cut off), EMSGSIZE (it is too long), ETIMEDOUT, or as
 * streamread.  When a function returns without an answer after that, the right
 * one is given: 400, 413 or 408.
 * Blocks: until there is something; until it is all there.
 */
ssize_t httpread(Http *h, void *v, size_t n);
ssize_t httpbody(Http *h, void **v, size_t most);

/*
 * httpset sets a field of the answer: before its head.  Twice is two fields;
 * NULL for its value takes all of that name back, but not a "close".
 * "Connection: close" closes the connection after the answer; how long it is
 * and what else is in Connection is not the program's to say.
 * Sizes: 16 KiB for all of them, as much as a client takes for a head.
 * Returns 0; -1 with EALREADY (the head was written), EINVAL (no such name, not
 * the program's, or control characters in the value), EMSGSIZE.
 */
int httpset(Http *h, const char *name, const char *value);

/*
 * httpreply answers with n bytes of v.  httphead answers with a head, which
 * says that length bytes follow, or -1: it is not known; httpwrite writes some,
 * and httpend says that this was all.  Of an answer that has no body, to HEAD
 * say, none is sent.  type may be NULL.
 * An answer that was begun and not ended, or not as long as it said, closes the
 * connection when the function returns, and so does an unknown length in
 * HTTP/1.0.  A function that does not answer at all has 500 sent.
 * Sizes: type has 127 bytes at most; what is written may wait in the stream,
 * see streamwrite.
 * Returns 0; -1 with EALREADY (a head was written before), EINVAL (status is
 * not from 200 to 599; nothing was begun), EMSGSIZE (more, or less, than was
 * said), ETIMEDOUT, or as streamwrite.
 * Blocks: until it has room in the stream.
 */
int httpreply(Http *h, int status, const char *type, const void *v, size_t n);
int httphead(Http *h, int status, const char *type, int64_t length);
int httpwrite(Http *h, const void *v, size_t n);
int httpend(Http *h);

/*
 * httpflush sends what was written and waits in the stream: for pieces that are
 * not to wait for those to come.
 * Returns 0; -1 with EINVAL (there is no head yet), or as httpwrite.
 * Blocks: until the kernel has taken it.
 */
int httpflush(Http *h);

/* httperror answers with the status in words.  Returns as httpreply. */
int httperror(Http *h, int status);

/*
 * httpfile answers with a file below dir, a directory's descriptor.  path has
 * no "." and ".." in it and no hidden names, and no links are followed: else,
 * and if there is no such file, the answer is 404.  Of a directory it is
 * index.html, behind a slash at the end that 301 leads to.  It has
 * Last-Modified and ETag, and is 304 for who has it, 206 for a part, 416 for
 * none.
 * Returns 0 if it was answered, with an error too; -1 as httpreply.
 * Blocks: until all is written; a slow disk stops the thread.
 */
int httpfile(Http *h, int dir, const char *path);

/*
 * httpevents begins an answer of server-sent events, httpevent sends one: event
 * is its name, id its id, data its text, which may have lines.  Each may be
 * NULL; if all are it is a comment, to see whether the client is there.  The
 * answer goes on until the function returns.
 * Returns 0; -1 as httpwrite.
 * Blocks: until it is written.
 */
int httpevents(Http *h);
int httpevent(Http *h, const char *event, const char *id, const char *data);

/*
 * httpupgrade answers that the connection goes on in another protocol, with 101
 * and the fields that were set, if it was asked for that one.
 * Returns the stream, which is the caller's until the function returns, and is
 * closed then; NULL with EALREADY, EPROTO (it was not asked for), or as
 * httphead.
 */
Stream *httpupgrade(Http *h, const char *protocol);

/*
 * httpfd tells the descriptor of the connection: for a function that answers
 * when something happens, and wants to know when nobody waits for that any
 * more (ALTHANGUP), and for netoption.
 * Returns it; -1 as streamfd.
 */
int httpfd(const Http *h);

/*
 * A client asks servers, and keeps the connections to ask again:
 *
 *	static Httpclient client;
 *	Httpreply r;
 *	void *v;
 *
 *	if(httpget(&client, "http://127.0.0.1:8080/hello", &r) == 0 &&
 *			httpreplybody(&r, &v, 0) >= 0)
 *		puts(v);
 *	httpreplyclose(&r);
 *	httpclientclose(&client);
 *
 * Zeroed it is valid.  It is for the tasks of one proc, any number of them at a
 * time, and its fields may change while none is in a call.  Nothing here has a
 * deadline of its own but dial_ms: a server may keep its answer for ever, so
 * have a TIMEOUT around it all.
 *
 * A connection that has been idle for 30 s is closed, by a system task that is
 * there while any is; one that the server has closed is not used again.  If
 * that happens while a request is on its way, and nothing of an answer has
 * come, it is sent once more, on a new connection, if it is GET, HEAD, PUT,
 * DELETE, OPTIONS or TRACE: what may be done twice.
 */
typedef struct Httpclient
{
	/*
	 * has TLS on a stream to host, for URLs of https; NULL: there are none.
	 * It returns 0, or -1 with errno, and is mostly a line:
	 * return streamtls(s, ctx, host).  host is as in the URL, an address
	 * of IPv6 without brackets.
	 */
	int (*secure)(Stream *s, void *ctx, const char *host);
	void *ctx;

	int redirects;	/* that are followed, 0: 10, below 0: none */
	int downgrade;	/* 1: also from https to http */
	int idle;	/* connections that are kept, 0: 32, below 0: none */
	unsigned int idle_ms;	/* for so long, 30 s at most; 0: 30 s */
	unsigned int dial_ms;	/* to connect, with TLS; 0: as the caller has */

	/* the library's */
	struct Httppool *pool;
} Httpclient;

/* What is asked for.  All but url may be zero. */
typedef struct Httprequest
{
	const char *method;	/* NULL: POST if there is a body, else GET */
	const char *url;	/* http or https; a fragment is not sent */

	/* name, value, name, value, ..., NULL; or NULL */
	const char *const *fields;

	const void *body;	/* of nbody bytes */
	size_t nbody;

	/*
	 * In place of body: gives n bytes of it at most, 0 behind its end, -1
	 * with errno.  length is how many there are; 0: it goes in chunks.
	 * Fewer than n are sent at once, with what was kept before.
	 */
	ssize_t (*read)(void *arg, void *v, size_t n);
	void *arg;
	int64_t length;

	int expect;	/* 1: the body waits for the server to want it, 1 s */
} Httprequest;

/* An answer.  One that is zeroed, or that httpdo has failed on, is none. */
typedef struct Httpreply
{
	int status;
	int minor;	/* the version is HTTP/1.minor */
	int64_t length;	/* of its body; -1: it tells by its end */
	const char *url;	/* that has answered, until httpreplyclose */

	/* the library's */
	struct Httpexchange *in;
} Httpreply;

/*
 * httpdo sends a request and reads the head of the answer; httpget does it with
 * a GET of url.  Redirects are followed: 303, and 301 and 302 of POST, by a GET
 * without the body (HEAD stays HEAD), the others by the same request.  Fields
 * Authorization, Cookie and Proxy-Authorization do not go to another server
 * than the first.  A redirect that is not followed is the reply: from https to
 * http, to what is no URL of these, when the body would have to be read once
 * more, or if none is to be.  Host, Content-Length, Transfer-Encoding,
 * Connection, Expect, Upgrade, TE and Trailer are not the program's to set.
 * Sizes: a head of an answer has 16 KiB and 100 fields at most, the path of a
 * URL with its query 8000 bytes.  What secure needs of the stack it needs here.
 * Returns 0, whatever the status is; -1 with EINVAL (such a URL, method or
 * field cannot be; body and read), EPROTONOSUPPORT (https without secure),
 * EBADMSG (what comes is no answer), ECONNRESET (none comes), ELOOP (too many
 * redirects), EMSGSIZE (read gives more, or less, than length), ENOMEM,
 * ETIMEDOUT (dial_ms are over, or a deadline of the caller's), or as
 * netdial, secure, read and streamwrite.  r is none then.
 * Blocks: until the head has come.
 */
int httpdo(Httpclient *c, const Httprequest *q, Httpreply *r);
int httpget(Httpclient *c, const char *url, Httpreply *r);

/*
 * httpreplyfield gives a field of the answer, the first of that name.
 * Returns a string, good until httpreplyclose; NULL if there is none.
 */
const char *httpreplyfield(const Httpreply *r, const char *name);

/* httpreplyfieldat is httpfieldat of an answer, until httpreplyclose. */
int httpreplyfieldat(const Httpreply *r, int i, const char **name,
	const char **value);

/*
 * httpreplyread reads what there is of the body; httpreplybody reads all of it,
 * or what is left, and puts a zero byte behind: it is there until
 * httpreplyclose.  A call that a deadline ends has lost nothing: made again, it
 * goes on.
 * Sizes: n bytes at most; most bytes at most, 0: 16 MiB.
 * Returns how many, of httpreplyread 0 behind the end; -1 with EINVAL, EBADMSG
 * (that is no body, or it is cut off), EMSGSIZE (it is longer than most),
 * ENOMEM, or as streamread.
 * Blocks: until there is something; until it is all there.
 */
ssize_t httpreplyread(Httpreply *r, void *v, size_t n);
ssize_t httpreplybody(Httpreply *r, void **v, size_t most);

/*
 * httpreplyclose ends a reply.  If there is more of its body than has come and
 * 64 KiB its connection is closed, at once.  httpclientclose closes those that
 * are idle; the client is as new then, and replies that are still read are not
 * touched.  It lets other tasks run once.  NULL and none are fine.
 */
void httpreplyclose(Httpreply *r);
void httpclientclose(Httpclient *c);

#ifdef __cplusplus
}
#endif
#endif
