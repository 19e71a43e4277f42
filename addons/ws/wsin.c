/* SPDX-License-Identifier: MIT */
/* WebSocket: reading. */
#include "wsinside.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum
{
	CapLeast = 512,
	FedMost = 64	/* then a call looks whether it is to end */
};

/* What wslay asks for is what has been shown; it is never waited for here. */
ssize_t
ws_give(uint8_t *to, size_t n, int flags, void *v)
{
	Ws *w = v;

	(void)flags;
	n = n < w->nin ? n : w->nin;
	if(n == 0)
		return -1;
	memcpy(to, w->in, n);
	w->in += n;
	w->nin -= n;
	w->ntaken += n;
	return (ssize_t)n;
}

/* The end of reading, which the peer is told. */
static int
failwith(Ws *w, int code, int err)
{
	ws_dueclose(w, code, NULL, 0);
	ws_sendsoon(w);
	w->err = err;
	return ws_fail(err);
}

/* The peer has gone, or the stream has failed. */
static int
lost(Ws *w, int err)
{
	w->err = err;
	if(w->code == 0)
		w->code = Abnormal;
	return ws_fail(err);
}

/* returns the ms until a ping is due, or an answer to it is missed. */
static unsigned int
untilping(const Ws *w)
{
	int64_t ms = w->pinged_ns ? w->pong_ms : w->ping_ms;
	int64_t since = w->pinged_ns ? w->pinged_ns : w->heard_ns;
	int64_t left_ns = since + ms * 1000000 - tasknow();

	return left_ns > 0 ? (unsigned int)((left_ns + 999999) / 1000000) : 0;
}

/* waits for input; returns as streampeek. */
static ssize_t
await(Ws *w, void **v)
{
	while(w->ping_ms){
		Timeout t;
		timeoutstart(&t, untilping(w));
		ssize_t r = streampeek(w->stream, 1, v);
		int err = errno, silent = timeoutfired(&t);
		timeoutstop(&t);
		errno = err;
		if(r >= 0 || !silent)
			return r;
		if(w->pinged_ns || w->shut)
			return lost(w, ECONNABORTED);
		w->pinged_ns = tasknow();
		ws_due(w, Ping, NULL, 0);
		ws_sendsoon(w);
	}
	return streampeek(w->stream, 1, v);
}

/*
 * A call that never has to wait would see no deadline and no cancel: a peer
 * that sends without a pause, pings say, could keep it for ever.
 */
static int
cutoff(Ws *w)
{
	return (++w->nfed % FedMost == 0 || taskcancelled()) &&
		taskdelayuntil(tasknow()) < 0;
}

/*
 * has more to give to wslay.  An error of the stream stays, so it is met again;
 * a call that was cut has to be made again.
 */
static int
feed(Ws *w)
{
	void *v;

	if(cutoff(w))
		return -1;
	ws_sendsoon(w);
	if(w->ntaken > 0 && streamskip(w->stream, w->ntaken) < 0)
		return -1;
	w->ntaken = 0;
	if(w->n == 0 && w->v){
		free(w->v);
		w->v = NULL;
		w->cap = 0;
	}
	ssize_t n = await(w, &v);
	if(n == 0 || (n < 0 && errno == ECONNRESET))
		return lost(w, ECONNRESET);
	if(n < 0)
		return -1;
	w->in = v;
	w->nin = (size_t)n;
	w->heard_ns = tasknow();
	w->pinged_ns = 0;
	return 0;
}

/* returns 1 with the next piece of a frame, perhaps an empty one, or -1. */
static int
nextpiece(Ws *w, struct wslay_frame_iocb *f)
{
	for(;;){
		ssize_t r = wslay_frame_recv(w->frames, f);
		if(r >= 0)
			return 1;
		if(r != WSLAY_ERR_WANT_READ)
			return failwith(w, ProtocolError, EPROTO);
		if(w->nin == 0 && feed(w) < 0)
			return -1;
	}
}

/* returns whether a frame of this kind may come now. */
static int
infits(const Ws *w, const struct wslay_frame_iocb *f)
{
	if(f->rsv || f->mask == w->client)
		return 0;
	switch(f->opcode){
	case WSLAY_CONTINUATION_FRAME:
		return w->type != 0;
	case WSLAY_TEXT_FRAME:
	case WSLAY_BINARY_FRAME:
		return w->type == 0;
	case WSLAY_CONNECTION_CLOSE:
	case WSLAY_PING:
	case WSLAY_PONG:
		return 1;
	default:
		return 0;
	}
}

static int
beginframe(Ws *w, const struct wslay_frame_iocb *f, int whole)
{
	if(!infits(w, f))
		return failwith(w, ProtocolError, EPROTO);
	int control = wslay_is_ctrl_frame(f->opcode);
	if(!control && whole && (w->n > w->message ||
			f->payload_length > w->message - w->n))
		return failwith(w, TooBig, EMSGSIZE);
	if(f->opcode == WSLAY_TEXT_FRAME || f->opcode == WSLAY_BINARY_FRAME){
		w->type = f->opcode;
		w->text = (Utf8){0};
	}
	if(control)
		w->got.n = 0;
	w->opcode = f->opcode;
	w->left = f->payload_length;
	w->inframe = 1;
	return 0;
}

/* The peer's close, which is answered with its own code. */
static int
gotclose(Ws *w)
{
	const unsigned char *v = (const unsigned char *)w->got.v;
	size_t n = w->got.n;
	int code = n >= 2 ? v[0] << 8 | v[1] : 0;
	Utf8 u = {0};

	if(n == 1 || (n > 1 && !ws_validcode(code)))
		return failwith(w, ProtocolError, EPROTO);
	if(n > 2 && (ws_utf8(&u, w->got.v + 2, n - 2) < 0 || u.left))
		return failwith(w, BadText, EILSEQ);
	w->code = code ? code : NoCode;
	if(n > 2)
		memcpy(w->reason, w->got.v + 2, n - 2);
	w->ended = 1;
	ws_dueclose(w, code, NULL, 0);
	ws_sendsoon(w);
	return 0;
}

/* does what a control frame wants; returns 1, or as ws_step. */
static int
control(Ws *w, const struct wslay_frame_iocb *f)
{
	memcpy(w->got.v + w->got.n, f->data, f->data_length);
	w->got.n = (unsigned char)(w->got.n + f->data_length);
	if(w->inframe)
		return 1;
	if(w->opcode == WSLAY_CONNECTION_CLOSE)
		return gotclose(w);
	if(w->opcode == WSLAY_PING){
		ws_due(w, Pong, w->got.v, w->got.n);
		if(!taskcancelled())	/* its wait for room would only fail */
			ws_sendsoon(w);
	}
	return 1;
}

/* A piece of a message is there; returns 1 or -1. */
static int
data(Ws *w, const struct wslay_frame_iocb *f)
{
	int last = f->fin && !w->inframe;

	if(w->type == WSTEXT && (ws_utf8(&w->text, (const char *)f->data,
			f->data_length) < 0 || (last && w->text.left)))
		return failwith(w, BadText, EILSEQ);
	w->piece = (char *)(uintptr_t)f->data;
	w->npiece = f->data_length;
	w->last = last;
	w->haspiece = last || w->npiece > 0;
	return 1;
}

int
ws_step(Ws *w, int whole)
{
	struct wslay_frame_iocb f;
	int r = 1;

	while(r > 0 && !w->haspiece){
		if(w->err)
			return ws_fail(w->err);
		if(w->ended)
			return 0;
		memset(&f, 0, sizeof f);
		if(nextpiece(w, &f) < 0)
			return -1;
		if(!w->inframe && beginframe(w, &f, whole) < 0)
			return -1;
		w->left -= f.data_length;
		w->inframe = w->left > 0;
		r = wslay_is_ctrl_frame(w->opcode) ? control(w, &f) :
			data(w, &f);
	}
	return r;
}

/* makes room for n bytes more, and a zero byte. */
static int
grow(Ws *w, size_t n)
{
	size_t need = w->n + n + 1;
	size_t cap = 2 * w->cap > CapLeast ? 2 * w->cap : CapLeast;

	if(need <= w->cap)
		return 0;
	cap = cap > w->message + 1 ? w->message + 1 : cap;
	cap = cap > need ? cap : need;
	char *v = realloc(w->v, cap);
	if(v == NULL)
		return ws_fail(ENOMEM);
	w->v = v;
	w->cap = cap;
	return 0;
}

/* adds the piece to the message; without memory for that it stays. */
static int
keeppiece(Ws *w)
{
	if(w->n > w->message || w->npiece > w->message - w->n)
		return failwith(w, TooBig, EMSGSIZE);
	if(grow(w, w->npiece) < 0)
		return -1;
	if(w->npiece > 0)
		memcpy(w->v + w->n, w->piece, w->npiece);
	w->n += w->npiece;
	w->v[w->n] = '\0';
	w->haspiece = 0;
	return 0;
}

static int
readwhole(Ws *w, Wsmessage *m)
{
	do{
		int r = ws_step(w, 1);
		if(r <= 0)
			return r;
		if(keeppiece(w) < 0)
			return -1;
	}while(!w->last);
	*m = (Wsmessage){w->type, 1, w->n, w->v};
	w->given = 1;
	w->type = 0;
	return 1;
}

/* What a call of wsread that was cut has kept comes first. */
static int
readpart(Ws *w, Wsmessage *m)
{
	if(w->n > 0){
		*m = (Wsmessage){w->type, 0, w->n, w->v};
		w->given = 1;
		return 1;
	}
	int r = ws_step(w, 0);
	if(r <= 0)
		return r;
	*m = (Wsmessage){w->type, w->last, w->npiece, w->piece};
	w->haspiece = 0;
	if(w->last)
		w->type = 0;
	return 1;
}

static int
readby(Ws *w, Wsmessage *m, int (*fn)(Ws *, Wsmessage *))
{
	int err = errno;

	if(ws_enter(w) < 0)
		return -1;
	if(m == NULL || w->reading)
		return ws_fail(m ? EBUSY : EINVAL);
	if(w->given)
		w->given = w->n = 0;
	w->reading = 1;
	w->ninside++;
	int r = fn(w, m);
	w->ninside--;
	w->reading = 0;
	if(r >= 0)
		errno = err;
	return r;
}

int
wsread(Ws *w, Wsmessage *m)
{
	return readby(w, m, readwhole);
}

int
wsreadpart(Ws *w, Wsmessage *m)
{
	return readby(w, m, readpart);
}
