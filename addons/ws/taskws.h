/* SPDX-License-Identifier: MIT */
/* WebSocket: ws(3). */
#ifndef TASK_WS_H
#define TASK_WS_H

#include <task.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A Ws is one end of a WebSocket connection (RFC 6455) over a stream.  Messages
 * go both ways, text or bytes; in between go pings, their answers, and at the
 * end from each side a close with a code.  Those are read and answered inside
 * the calls that read: as long as nobody reads, nobody answers.
 *
 * One task at a time can be in a call that reads, and one in wswrite; they may
 * be two.  Another's fails with EBUSY.  wsping and wsshut can be called by any
 * task at any time, and their frames go before those that wswrite has not
 * written yet.  The reader never waits for a peer that does not read.  A call
 * that a deadline, a cancel or an interruption ends has lost nothing, but see
 * wswrite.  The calls fail with EINVAL (no Ws, or what can never work), ENOMEM,
 * EPERM, and otherwise as they say.
 *
 * There are no extensions; permessage-deflate is neither offered nor taken.
 */
typedef struct Ws Ws;

enum
{
	WSTEXT = 1,	/* what a message is: UTF-8 */
	WSBINARY = 2,	/* or any bytes */
	WSPART = 16,	/* to write: the message goes on in the next call */
	WSMORE = 32	/* to write: another message follows at once */
};

/* How it is to be; zeroed it works. */
typedef struct Wsset
{
	size_t message;	/* bytes of one that wsread takes; 0: 1 MiB */
	size_t frame;	/* a longer one is written in frames; 0: 32 KiB */
	unsigned int ping_ms;	/* the peer is silent: wsread pings; 0: never */
	unsigned int pong_ms;	/* it stays so: the peer is lost; 0: 10 s */
	const char *protocols;	/* "best, other"; NULL: none */
	/* A server: whether pages from there may; NULL: those from its host. */
	int (*origin)(const char *origin, void *arg);
	void *arg;	/* for origin */
	const char *fields;	/* a client's: more lines, with \r\n, or NULL */
} Wsset;

/*
 * wsopen makes a stream a WebSocket connection, behind the handshake, of which
 * protocol was the result, or NULL; client tells which end this is.  The stream
 * is its own from then on.  set may be NULL, and is not needed afterwards.
 * Returns it; NULL with EINVAL, ENOMEM, EPERM.
 */
Ws *wsopen(Stream *s, int client, const char *protocol, const Wsset *set);

/*
 * wsclient asks the peer of s, a server, for a connection; host and path are
 * those of the URL: "example.org:8080", "/chat?room=1".  wsdial does that on a
 * connection of its own to where a URL says, "ws://host:port/path"; wss is for
 * wsclient, on a stream of TLS.
 * Returns it; NULL with EPROTO (no such answer), EACCES (status 401 or 403),
 * ENOENT (404), EAGAIN (429 or 503), ECONNRESET (no answer), EMSGSIZE (too long
 * a one); wsdial as netdial and streamopen too, and with EPROTONOSUPPORT (not
 * ws); otherwise as streamuntil.  Of wsclient s is still the caller's then.
 * Blocks: until there is an answer.
 */
Ws *wsclient(Stream *s, const char *host, const char *path, const Wsset *set);
Ws *wsdial(const char *url, const Wsset *set);

/*
 * wsaccept takes over a request of http(3): it answers that, and the connection
 * is a WebSocket one until the function that was called for it returns, before
 * which wsclose is to end it.  Any other request it refuses, with 400, 403, 405
 * or 426.
 * Returns it; NULL with EACCES (by origin), EPROTO (refused otherwise), or as
 * httpset, httperror and httpupgrade.
 * Blocks: as these.
 */
typedef struct Http Http;
Ws *wsaccept(Http *h, const Wsset *set);

/* What a server needs to know of a request, and is to answer. */
typedef struct Wsrequest
{
	const char *method;
	int version;	/* 11 is HTTP/1.1 */
	/* The value of a field, all of them with commas between, or NULL. */
	const char *(*field)(void *arg, const char *name);
	void *arg;	/* for field */
} Wsrequest;

typedef struct Wsanswer
{
	int status;
	char accept[32];	/* for Sec-WebSocket-Accept */
	char protocol[64];	/* for Sec-WebSocket-Protocol, or "" */
} Wsanswer;

/*
 * wsanswer looks at a request for a WebSocket connection, for servers of other
 * makes than http(3), and tells what to answer: 101 with these fields, and then
 * wsopen may follow; or that it is refused, with 400, 403 (by origin), 405 (it
 * is not GET), 426 (it asks for something else than version 13, which is then
 * to be in Sec-WebSocket-Version) or 500.
 * Returns the status; -1 with EINVAL.
 */
int wsanswer(const Wsrequest *r, const Wsset *set, Wsanswer *a);

/* What has been read; v stays until the next call that reads. */
typedef struct Wsmessage
{
	int type;	/* WSTEXT or WSBINARY */
	int last;	/* it is the end of the message */
	size_t n;
	char *v;	/* of wsread with a zero byte behind */
} Wsmessage;

/*
 * wsread reads a message.  wsreadpart reads what has come of one, so that a
 * message may be of any length: 4 KiB at most, which may end inside a character
 * of a text.  Of a message that has been begun so, wsread gives the rest.
 * Returns 1; 0 if the peer has closed: wscode tells why; -1 with EILSEQ (a text
 * is not UTF-8), EMSGSIZE (a message is too long), EPROTO (the peer breaks the
 * rules), all of which the peer is told, ECONNRESET (it has gone without a
 * close), ECONNABORTED (it does not answer pings), EBUSY, or as streamread.
 * After these, but for EBUSY, ENOMEM and the cuts, wsclose is what is left.
 * Blocks: until there is a message, or a part of one.
 */
int wsread(Ws *w, Wsmessage *m);
int wsreadpart(Ws *w, Wsmessage *m);

/*
 * wswrite writes a message, or with WSPART a part of one.  type is WSTEXT or
 * WSBINARY, for all parts the same.  It flushes; with WSMORE that is left to
 * the next call that writes, or reads.
 * Returns n: the stream has taken all of it; -1 with EILSEQ (a text is not
 * UTF-8, nothing is written), EPIPE (one of both sides has closed), EBUSY, or
 * as streamwrite.  If it is cut it has taken nothing, unless it is in several
 * frames or one is more than the stream's buffer: then messages cannot go on,
 * and later calls fail with EPIPE.
 * Blocks: until it is written.
 */
ssize_t wswrite(Ws *w, int type, const void *v, size_t n);

/* wsprint writes what printf would print, as a text.  Returns as wswrite. */
ssize_t wsprint(Ws *w, const char *fmt, ...) TASK_PRINTF(2, 3);

/*
 * wsping sends a ping: behind the frame that another task is writing, which
 * writes the ping too, or at once.  Of several that could not go yet, and of
 * answers to the peer's pings, the last is sent.
 * Sizes: n is 125 at most.
 * Returns 0; -1 with EPIPE, or as streamflush.
 * Blocks: until it is written, unless another task writes.
 */
int wsping(Ws *w, const void *v, size_t n);

/*
 * wsshut tells the peer that this side closes, and why: later calls of wswrite
 * fail with EPIPE.  The peer answers with a close, and then wsread returns 0.
 * code is 0 for none, 1000 (all is done), 1001 (going away), 1002, 1003, 1007
 * to 1014, or 3000 to 4999; reason is UTF-8 of 123 bytes at most, or NULL.
 * To shut what is shut does nothing.
 * Returns 0; -1 as wsping.
 * Blocks: as wsping.
 */
int wsshut(Ws *w, int code, const char *reason);

/*
 * wsclose ends a connection: it does what wsshut does, unless that has been
 * done or the peer has closed, waits for the peer's close, both for 2 s at
 * most, closes the stream, and frees w.
 * Returns 0; -1 with EINVAL (code, reason) or EBUSY if another task is in a
 * call on it, and nothing is done; otherwise as streamclose, and it is gone.
 * Blocks: for that time, and as streamclose.
 */
int wsclose(Ws *w, int code, const char *reason);

/*
 * wsstate tells whether it is open; shut, by this side or as the peer has
 * closed; or ended: nothing more comes from the peer.  wscode is the code of
 * the peer's close: 0 as long as there is none, 1005 if it had none, 1006 if
 * the peer has gone without.  wsreason is its text, perhaps "", and wsprotocol
 * what was agreed on, or NULL; they stay until wsclose.
 * Returns: they never fail.
 */
enum { WSOPEN, WSSHUT, WSENDED };
int wsstate(const Ws *w);
int wscode(const Ws *w);
const char *wsreason(const Ws *w);
const char *wsprotocol(const Ws *w);

#ifdef __cplusplus
}
#endif
#endif
