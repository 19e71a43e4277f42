/* SPDX-License-Identifier: MIT */
/* WebSocket: what its files share. */
#ifndef TASK_WSINSIDE_H
#define TASK_WSINSIDE_H

#include "taskws.h"
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <wslay/wslay.h>

#pragma GCC visibility push(hidden)

enum
{
	ControlMost = 125,	/* bytes of a control frame */
	ReasonMost = ControlMost - 2,
	ProtocolMost = 63,
	AcceptBytes = 29	/* of base64 of a SHA-1, with a zero byte */
};

enum
{
	Normal = 1000, ProtocolError = 1002, NoCode = 1005, Abnormal = 1006,
	BadText = 1007, TooBig = 1009
};

/* Where a text is in a character.  Zeroed it is between two. */
typedef struct Utf8
{
	unsigned char left;	/* bytes that are to come */
	unsigned char low;	/* the range of the next one, if one is */
	unsigned char high;
} Utf8;

typedef struct Control
{
	unsigned char due;	/* to be written */
	unsigned char n;
	char v[ControlMost];
} Control;

/* Those to be written, in this order: nothing follows a close. */
enum { Pong, Ping, Close, Controls };

struct Ws
{
	Stream *stream;
	struct wslay_frame_context *frames;
	const void *home;	/* the thread's */
	char *protocol;	/* or NULL */
	size_t message;	/* as in Wsset, but not 0 */
	size_t frame;
	unsigned int ping_ms;
	unsigned int pong_ms;
	int client;
	int borrowed;	/* the stream is not closed here */
	int ninside;	/* calls that may wait; wsclose is to be alone */

	/* Reading */
	int reading;	/* a task is in a call */
	const char *in;	/* what the stream has shown, and wslay not got */
	size_t nin;
	size_t ntaken;	/* it has got these, which the stream still has */
	int inframe;	/* a frame has begun, and not all of it has come */
	int opcode;	/* its */
	uint64_t left;	/* and how much is to come */
	int type;	/* of the message that has begun, or 0 */
	Utf8 text;	/* where that is */
	int given;	/* the message in v is the caller's until it calls */
	char *v;	/* what has come of the message, but for the piece */
	size_t n;
	size_t cap;
	int haspiece;	/* of the message, in wslay's buffer, not yet in v */
	int last;	/* the message ends with it */
	char *piece;
	size_t npiece;
	Control got;	/* the control frame that is coming */
	int ended;	/* the peer's close has come */
	int err;	/* errno of all reading to come, or 0 */
	int code;	/* of the peer's close */
	char reason[ReasonMost + 1];
	unsigned int nfed;	/* how often this call had more from the peer */
	int64_t heard_ns;	/* when something came last */
	int64_t pinged_ns;	/* when wsread pinged for that, or 0 */

	/* Writing */
	int writing;	/* a task is in wswrite */
	int sending;	/* a task is in a call that writes to the stream */
	Event idle;	/* no task is; not set before the first was */
	Control out[Controls];
	int shut;	/* a close has been said to be due */
	int closed;	/* and is written */
	int torn;	/* a message was cut in two: there can be no others */
	int broken;	/* a frame was: nothing can be written */
	int part;	/* the type of the message in parts, or 0 */
	Utf8 partly;	/* where that is */
	struct iovec pieces[2];	/* of a frame: its head, and what it carries */
	int npieces;
	char *masked;	/* where a client's is, or NULL */
};

/* sets errno; returns -1. */
int ws_fail(int err);

/* begins a call that may wait; returns 0, -1 with EINVAL, EPERM. */
int ws_enter(Ws *w);

/* goes on with a text: returns 0; -1 if it is not UTF-8. */
int ws_utf8(Utf8 *u, const char *v, size_t n);

/* Whether a close may have this code. */
int ws_validcode(int code);

/* The next piece of a message is in w: 1; 0 the peer has closed; -1. */
int ws_step(Ws *w, int whole);

/* has a control frame written when there is occasion. */
void ws_due(Ws *w, int which, const char *v, size_t n);

/* the same of a close, unless there was one. */
void ws_dueclose(Ws *w, int code, const char *reason, size_t n);

/* writes the control frames as far as the stream has room, without waiting. */
void ws_sendsoon(Ws *w);

/* writes them, and what becomes due meanwhile, and flushes the stream. */
int ws_flush(Ws *w);

/* the same if any is due, unless another task is sending: that writes them. */
int ws_send(Ws *w);

/* those that wslay calls: it never waits in them. */
ssize_t ws_give(uint8_t *to, size_t n, int flags, void *v);
ssize_t ws_collect(const uint8_t *from, size_t n, int flags, void *v);
int ws_mask(uint8_t *to, size_t n, void *v);

/* the answer to a key; returns 0, or -1 with ENOMEM. */
int ws_accept(const char *key, char accept[AcceptBytes]);

/* takes the next token off a list with commas; NULL at the end. */
const char *ws_token(const char **list, size_t *n);

/* Whether a list, or NULL, has a token; in capitals or not; just so. */
int ws_hastoken(const char *list, const char *token, size_t n);
int ws_offers(const char *list, const char *protocol, size_t n);

/* fills n random bytes in; returns 0, or -1 and errno. */
int ws_random(void *v, size_t n);

#pragma GCC visibility pop

#endif
