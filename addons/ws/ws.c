/* SPDX-License-Identifier: MIT */
/* WebSocket: a connection, from its opening to its end. */
#include "wsinside.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * wslay knows how frames look, and never waits: it is given what the stream has
 * shown, and what it makes of a frame goes to the stream whole.  So a task that
 * is cut has never stopped inside a frame, and the reader and the writer are
 * never in wslay at the same time.
 *
 * Of the tasks that write, one is at the stream: it is "sending".  wswrite
 * waits until it is that; wsping and wsshut leave what they have to who is
 * sending, who writes it when a frame is done.  So does the reader, and if
 * there is nobody it has the stream buffer its answers, as far as that has
 * room: the stream writes them when the reader waits.  The reader never waits
 * for room, for a peer that writes without reading would then wait for it in
 * turn.
 *
 * What is to be answered has a place each, for the last ping and for the last
 * pong, so a peer that floods gets fewer answers, and takes no memory.
 */

enum
{
	MessageMost = 1 << 20,
	FrameMost = 32 * 1024,	/* a stream's buffer has room for one */
	PongMs = 10000,
	CloseMs = 2000	/* that a peer has for its close */
};

/* An address that no other thread has. */
static _Thread_local char home;

int
ws_fail(int err)
{
	errno = err;
	return -1;
}

int
ws_enter(Ws *w)
{
	if(w == NULL)
		return ws_fail(EINVAL);
	if(taskid() == 0 || w->home != &home)
		return ws_fail(EPERM);
	return 0;
}

static void
freews(Ws *w)
{
	wslay_frame_context_free(w->frames);
	free(w->protocol);
	free(w->v);
	free(w);
}

static int
beginframes(Ws *w)
{
	static const struct wslay_frame_callbacks calls = {ws_collect, ws_give,
		ws_mask};

	return wslay_frame_context_init(&w->frames, &calls, w);
}

Ws *
wsopen(Stream *s, int client, const char *protocol, const Wsset *set)
{
	static const Wsset usual;

	if(s == NULL || taskid() == 0){
		errno = s ? EPERM : EINVAL;
		return NULL;
	}
	set = set ? set : &usual;
	Ws *w = calloc(1, sizeof *w);
	if(w == NULL)
		return NULL;
	w->stream = s;
	w->home = &home;
	w->client = client != 0;
	w->message = set->message ? set->message : MessageMost;
	w->frame = set->frame ? set->frame : FrameMost;
	w->ping_ms = set->ping_ms;
	w->pong_ms = set->pong_ms ? set->pong_ms : PongMs;
	w->heard_ns = tasknow();
	if(protocol && *protocol)
		w->protocol = strdup(protocol);
	if((protocol && *protocol && w->protocol == NULL) ||
			beginframes(w) < 0){
		freews(w);
		errno = ENOMEM;
		return NULL;
	}
	return w;
}

/* returns whether a close of the program's can be like this. */
static int
validclose(int code, const char *reason)
{
	Utf8 u = {0};
	size_t n = reason ? strlen(reason) : 0;

	return code == 0 ? n == 0 : ws_validcode(code) && n <= ReasonMost &&
		ws_utf8(&u, reason, n) == 0 && u.left == 0;
}

int
wsshut(Ws *w, int code, const char *reason)
{
	int err = errno;

	if(ws_enter(w) < 0)
		return -1;
	if(!validclose(code, reason))
		return ws_fail(EINVAL);
	ws_dueclose(w, code, reason, reason ? strlen(reason) : 0);
	if(ws_send(w) < 0)
		return -1;
	errno = err;
	return 0;
}

/* What the peer still sends is read until its close, or an error. */
static void
awaitclose(Ws *w)
{
	do
		w->haspiece = 0;
	while(ws_step(w, 0) > 0);
}

/*
 * The peer has CloseMs to take the close, and to answer it.  If it does not,
 * the stream is closed in the same scope: that does not wait then.
 */
int
wsclose(Ws *w, int code, const char *reason)
{
	int err = errno;
	Timeout t;

	if(ws_enter(w) < 0)
		return -1;
	if(w->ninside > 0)
		return ws_fail(EBUSY);
	if(!validclose(code, reason))
		return ws_fail(EINVAL);
	ws_dueclose(w, code, reason, reason ? strlen(reason) : 0);
	w->ninside++;
	timeoutstart(&t, CloseMs);
	if(ws_flush(w) == 0 && w->closed)
		awaitclose(w);
	if(!timeoutfired(&t))
		timeoutstop(&t);
	int r = w->borrowed ? 0 : streamclose(w->stream);
	int late = timeoutfired(&t);
	timeoutstop(&t);
	w->ninside--;
	if(r < 0 && errno == EBUSY)
		return -1;
	freews(w);
	if(r < 0 && !late)
		return -1;
	errno = err;
	return 0;
}

int
wsstate(const Ws *w)
{
	return w->ended || w->err ? WSENDED : w->shut ? WSSHUT : WSOPEN;
}

int
wscode(const Ws *w)
{
	return w->code;
}

const char *
wsreason(const Ws *w)
{
	return w->reason;
}

const char *
wsprotocol(const Ws *w)
{
	return w->protocol;
}
