/* SPDX-License-Identifier: MIT */
/* Streams, between their files. */
#ifndef TASK_STREAM_H
#define TASK_STREAM_H

#include "../fd/fd.h"
#include "../task/life.h"
#include <errno.h>

#pragma GCC visibility push(hidden)

/* Bytes in a buffer, which is there only while there are any, or soon. */
typedef struct Streambuf
{
	char *v;	/* NULL: none */
	unsigned int cap;
	unsigned int at;	/* the first byte */
	unsigned int end;	/* behind the last one */
} Streambuf;

enum { Input, Output };

/* What stands between a stream and its descriptor. */
typedef struct Layered
{
	const Streamlayer *ops;
	void *v;
} Layered;

/*
 * A stream belongs to the proc that it was opened in.  A side is busy while a
 * task is in a call of that side.
 */
struct Stream
{
	const Proc *home;
	int fd;
	unsigned short chunk;	/* bytes that a read asks for */
	short err[2];	/* what a side has failed with for good, or 0 */
	unsigned char busy[2];
	unsigned char socket : 1;
	unsigned char pushing : 1;	/* the reader sends from Output */
	unsigned char together : 1;	/* the next recv sends it */
	unsigned char alone : 1;	/* it never can: the socket refuses */
	unsigned char full : 1;	/* the poller found no room for all of it */
	unsigned char ended : 1;	/* the last read found the end */
	unsigned char told : 1;	/* somebody was told of err[Output] */
	unsigned char parting : 1;	/* the layer failed, and says so */
	unsigned char served : 1;	/* it is a server's, who closes it */
	unsigned char ready : 1;	/* with ops: there is input */
	Meant meant;	/* the open file that fd stood for at first */
	size_t most;	/* bytes in a buffer */
	Streambuf buf[2];
	size_t skip;	/* bytes to come that nobody gets */
	Tasklist waiting;	/* a writer, until pushing is over */
	Layered *layer;	/* or NULL */
};

enum
{
	StreamMost = 64 * 1024,	/* if the program does not say */
	ChunkLeast = SpareBytes,
	ChunkMost = 16 * 1024
};

static inline size_t
task_streamhas(const Streambuf *b)
{
	return b->end - b->at;
}

/* returns whether there is something that was written and not sent yet. */
static inline int
task_streamleft(const Stream *s)
{
	return task_streamhas(&s->buf[Output]) > 0 ||
		(s->layer && s->err[Output] == 0 &&
			s->layer->ops->unsent(s->layer->v) > 0);
}

/* Whether a call that has failed found nothing, or no room, but may yet. */
static inline int
task_streamnotyet(const Proc *p)
{
	return *p->err == EAGAIN || *p->err == EWOULDBLOCK;
}

/* stream.c */

/*
 * task_streamenter begins a call of one side, and tells its proc; NULL and
 * errno.  It may wait for a reader that is pushing: that is task_streamentry's.
 * task_streamleave ends it: it returns r, and errno is err again if that is no
 * failure.
 */
Proc *task_streamentry(Stream *s, int side);

static inline Proc *
task_streamenter(Stream *s, int side)
{
	if(s == NULL || s->home != task_proc || s->busy[side] || s->pushing)
		return task_streamentry(s, side);
	s->busy[side] = 1;
	return task_proc;
}

static inline ssize_t
task_streamleave(Stream *s, Proc *p, int side, ssize_t r, int err)
{
	s->busy[side] = 0;
	if(r >= 0)
		*p->err = err;
	return r;
}

/*
 * makes room for n bytes behind those in b, all of them most at most; returns
 * where, or NULL with ENOMEM.
 */
char *task_streamroom(Streambuf *b, size_t n, size_t most);

/* frees the buffer. */
void task_streamfree(Streambuf *b);

/* frees the buffer if nothing is in it. */
static inline void
task_streamtrim(Streambuf *b)
{
	if(b->v && b->at == b->end)
		task_streamfree(b);
}

/*
 * notes the errno of a call on the descriptor as that of the side, unless it
 * was only the wait that failed, or memory.  op: the poller made the call.
 * Returns -1.
 */
int task_streamfailed(Stream *s, Proc *p, int side, int op);

/*
 * For servers, by names that no program has: streamopen, streamclose and
 * streamflush; and the end of a stream that no task is in a call on.
 * task_streamdrop closes it at once, task_streamlose not: its descriptor is
 * somebody else's by now.
 */
Stream *task_streamopen(int fd, size_t most);
int task_streamclose(Stream *s);
int task_streamwriteout(Stream *s);
void task_streamdrop(Proc *p, Stream *s);
void task_streamlose(Stream *s);

/* returns whether the layer has input that nobody need wait for. */
static inline int
task_streampending(const Stream *s)
{
	return s->layer && !s->ended && s->err[Input] == 0 &&
		s->layer->ops->pending(s->layer->v) > 0;
}

/* streamout.c */

/*
 * is called before the reader asks for more: writes what is buffered, as far as
 * there is room now, or sets together.  If a writer is at it that is left to
 * him, and errors to the next one.  Returns 0; -1 if a scope or cancel cuts it.
 */
int task_streampush(Stream *s, Proc *p);

/*
 * has the poller send what is buffered and receive into v, by one system call,
 * after task_streampush has set together.  Returns how many bytes came, 0 at
 * the end, -1 and errno: EAGAIN if not all could be sent and nothing came.
 */
ssize_t task_streamtogether(Stream *s, Proc *p, char *v, size_t n);

/* writes all that is buffered: 0, or -1 and errno. */
int task_streamflush(Stream *s, Proc *p);

/* streamin.c */

/*
 * waits until more input is buffered than there is: 1; 0 at the end, or if the
 * buffer is full, -1 and errno.
 */
int task_streamfill(Stream *s);

/* waits for input, or for room for what is left to write: 0, or -1. */
int task_streamawait(Stream *s);

/* how long streamclose waits for the peer's end; tests change it */
extern unsigned int task_linger_ms;

/*
 * says that no more will be written, and reads until the peer says so too, but
 * not for long.  Returns 0; -1 if a scope or cancel cuts it.
 */
int task_streamlinger(Stream *s, Proc *p);

/* streamlayer.c */

/*
 * reads or writes by the layer, which does not wait, as read(2) and send(2).
 * To write nothing is to have it send what it keeps: 0 if it keeps no more.
 */
ssize_t task_layerread(Stream *s, void *v, size_t n);
ssize_t task_layerwrite(Stream *s, const void *v, size_t n);

/* has the layer, if there is one, say the end, and waits until that is sent. */
int task_layershut(Stream *s, Proc *p);

/* frees the layer, if there is one. */
void task_layerfree(Stream *s);

#pragma GCC visibility pop
#endif
