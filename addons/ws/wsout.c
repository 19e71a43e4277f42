/* SPDX-License-Identifier: MIT */
/* WebSocket: writing. */
#include "wsinside.h"
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* After so many a writer leaves it to the reader to answer a flood of pings. */
enum { Rounds = 8 };

int
ws_random(void *v, size_t n)
{
	return getrandom(v, n, 0) == (ssize_t)n ? 0 : -1;
}

int
ws_mask(uint8_t *to, size_t n, void *v)
{
	(void)v;
	return ws_random(to, n);
}

/*
 * What wslay makes of a frame: first its head, and then what it carries, which
 * is the caller's bytes, or, masked, comes in pieces that do not stay.
 */
ssize_t
ws_collect(const uint8_t *from, size_t n, int flags, void *v)
{
	Ws *w = v;
	struct iovec *p = &w->pieces[w->npieces > 0];

	(void)flags;
	if(w->npieces > 0 && w->masked){
		memcpy(w->masked + p->iov_len, from, n);
		p->iov_base = w->masked;
		p->iov_len += n;
	}else
		*p = (struct iovec){(void *)(uintptr_t)from, n};
	w->npieces = p == w->pieces ? 1 : 2;
	return (ssize_t)n;
}

/*
 * writes what has been collected.  fdwritten is of no use after a call that
 * never got to the stream; an empty one before sees to it that this does.
 */
static int
writepieces(Ws *w)
{
	if(streamwrite(w->stream, "", 0) < 0)
		return -1;
	if(streamwritev(w->stream, w->pieces, w->npieces) >= 0)
		return 0;
	if(fdwritten() > 0)
		w->broken = 1;
	return -1;
}

/* writes a frame, or, with -1, nothing; or a part of it: it is broken then. */
static int
writeframe(Ws *w, int opcode, int fin, const char *v, size_t n)
{
	struct wslay_frame_iocb f = {.fin = (uint8_t)fin,
		.opcode = (uint8_t)opcode, .payload_length = n,
		.mask = (uint8_t)w->client, .data = (const uint8_t *)v,
		.data_length = n};

	w->npieces = 0;
	w->pieces[1].iov_len = 0;
	w->masked = w->client && n > 0 ? malloc(n) : NULL;
	if(w->client && n > 0 && w->masked == NULL)
		return ws_fail(ENOMEM);
	int r = wslay_frame_send(w->frames, &f) == (ssize_t)n ?
		writepieces(w) : ws_fail(EAGAIN);
	int err = errno;
	free(w->masked);
	errno = err;
	return r;
}

/* Control frames */

void
ws_due(Ws *w, int which, const char *v, size_t n)
{
	Control *c = &w->out[which];

	if(n > 0)
		memcpy(c->v, v, n);
	c->n = (unsigned char)n;
	c->due = 1;
}

void
ws_dueclose(Ws *w, int code, const char *reason, size_t n)
{
	char v[ControlMost] = {(char)(code >> 8), (char)code};

	if(w->shut)
		return;
	w->shut = 1;
	if(n > 0)
		memcpy(v + 2, reason, n);
	ws_due(w, Close, v, code ? n + 2 : 0);
}

static int
anydue(const Ws *w)
{
	return !w->closed && !w->broken &&
		(w->out[Pong].due || w->out[Ping].due || w->out[Close].due);
}

/* The place may be filled anew while this waits. */
static int
writecontrol(Ws *w, int which)
{
	static const int opcodes[] = {WSLAY_PONG, WSLAY_PING,
		WSLAY_CONNECTION_CLOSE};
	Control c = w->out[which];

	w->out[which].due = 0;
	if(writeframe(w, opcodes[which], 1, c.v, c.n) < 0){
		if(!w->out[which].due)
			w->out[which] = c;
		return -1;
	}
	if(which == Close)
		w->closed = 1;
	return 0;
}

static int
writecontrols(Ws *w)
{
	for(int i = 0; i < Controls; i++)
		if(w->out[i].due && anydue(w) && writecontrol(w, i) < 0)
			return -1;
	return 0;
}

/* Taking turns */

static void
beginsending(Ws *w)
{
	w->sending = 1;
	eventclear(&w->idle);
}

static void
leaveturn(Ws *w)
{
	int err = errno;

	w->sending = 0;
	eventset(&w->idle);
	errno = err;
}

/*
 * What others have left to a task that was cut goes to the stream, which writes
 * it when it can; if that has no room either, it is for who comes next.
 */
static void
endsending(Ws *w)
{
	leaveturn(w);
	ws_sendsoon(w);
}

/* waits until no other task is sending. */
static int
awaitturn(Ws *w)
{
	while(w->sending)
		if(eventwait(&w->idle) < 0)
			return -1;
	beginsending(w);
	return 0;
}

/* An interruption that ended what need not be told of is still to be told. */
static void
keepinterrupt(void)
{
	if(errno == EINTR)
		taskinterrupt(taskid());
}

void
ws_sendsoon(Ws *w)
{
	int err = errno;
	Timeout t;

	if(w->sending || !anydue(w))
		return;
	beginsending(w);
	timeoutstart(&t, 0);
	if(writecontrols(w) < 0)
		keepinterrupt();
	timeoutstop(&t);
	leaveturn(w);
	errno = err;
}

int
ws_flush(Ws *w)
{
	int r = 0;

	for(int i = 0; i == 0 || (r == 0 && i < Rounds && anydue(w)); i++){
		r = writecontrols(w);
		if(r == 0)
			r = streamflush(w->stream);
	}
	return r;
}

int
ws_send(Ws *w)
{
	int r = 0;

	if(!w->sending && anydue(w)){
		w->ninside++;
		beginsending(w);
		r = ws_flush(w);
		endsending(w);
		w->ninside--;
	}
	return r;
}

int
wsping(Ws *w, const void *v, size_t n)
{
	int err = errno;

	if(ws_enter(w) < 0)
		return -1;
	if(n > ControlMost || (n > 0 && v == NULL))
		return ws_fail(EINVAL);
	if(w->shut || w->broken)
		return ws_fail(EPIPE);
	ws_due(w, Ping, v, n);
	if(ws_send(w) < 0)
		return -1;
	errno = err;
	return 0;
}

/* Messages */

static int
canwrite(const Ws *w)
{
	return w->shut || w->torn || w->broken ? ws_fail(EPIPE) : 0;
}

/* writes the frames of a message, and between them what is due. */
static int
writeframes(Ws *w, int type, int more, const char *v, size_t n)
{
	size_t at = 0;

	do{
		size_t k = n - at < w->frame ? n - at : w->frame;
		int opcode = at > 0 || w->part ? WSLAY_CONTINUATION_FRAME :
			type;
		if(writecontrols(w) < 0 || canwrite(w) < 0 ||
				writeframe(w, opcode, at + k == n && !more,
				v + at, k) < 0){
			w->torn |= at > 0;
			return -1;
		}
		at += k;
	}while(at < n);
	w->part = more ? type : 0;
	return 0;
}

/*
 * What the stream has taken goes, if not now then later: that to wait for it
 * was cut is told by the next call that waits.
 */
static int
flushmessage(Ws *w)
{
	if(ws_flush(w) == 0)
		return 0;
	int err = errno;
	if(streamwrite(w->stream, "", 0) < 0)
		return -1;
	errno = err;
	keepinterrupt();
	return 0;
}

/* returns 0 if a text goes on like this; u is where it is then. */
static int
checktext(const Ws *w, Utf8 *u, int type, int more, const void *v, size_t n)
{
	*u = w->partly;
	if(type == WSTEXT && (ws_utf8(u, v, n) < 0 || (!more && u->left)))
		return ws_fail(EILSEQ);
	return 0;
}

static int
writemessage(Ws *w, int type, const void *v, size_t n)
{
	int kind = type & (WSTEXT | WSBINARY), more = type & WSPART;
	Utf8 u;

	if(canwrite(w) < 0 || checktext(w, &u, kind, more, v, n) < 0 ||
			awaitturn(w) < 0)
		return -1;
	int r = writeframes(w, kind, more, v, n);
	if(r == 0)
		w->partly = more ? u : (Utf8){0};
	int err = errno;
	if(r < 0 && w->shut)
		flushmessage(w);
	errno = err;
	if(r == 0 && !(type & WSMORE))
		r = flushmessage(w);
	endsending(w);
	return r;
}

static int
validwrite(const Ws *w, int type, const void *v, size_t n)
{
	int kind = type & ~(WSPART | WSMORE);

	return (kind == WSTEXT || kind == WSBINARY) && (v || n == 0) &&
		n <= SSIZE_MAX && (w->part == 0 || w->part == kind);
}

ssize_t
wswrite(Ws *w, int type, const void *v, size_t n)
{
	int err = errno;

	if(ws_enter(w) < 0)
		return -1;
	if(w->writing)
		return ws_fail(EBUSY);
	if(!validwrite(w, type, v, n))
		return ws_fail(EINVAL);
	w->writing = 1;
	w->ninside++;
	int r = writemessage(w, type, n > 0 ? v : "", n);
	w->ninside--;
	w->writing = 0;
	if(r < 0)
		return -1;
	errno = err;
	return (ssize_t)n;
}

ssize_t
wsprint(Ws *w, const char *fmt, ...)
{
	char *text;
	va_list args;

	if(fmt == NULL)
		return ws_fail(EINVAL);
	va_start(args, fmt);
	int n = vasprintf(&text, fmt, args);
	va_end(args);
	if(n < 0)
		return ws_fail(ENOMEM);
	ssize_t r = wswrite(w, WSTEXT, text, (size_t)n);
	int err = errno;
	free(text);
	errno = err;
	return r;
}
