/* SPDX-License-Identifier: MIT */
/* Streams: reading. */
#include "stream.h"
#include "../task/newnames.h"
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>

unsigned int task_linger_ms = 2000;

/* What is left to write waits for room meanwhile: see stream.c. */
__attribute__((noinline)) int
task_streamawait(Stream *s)
{
	Alt alts[] = {
		{.op = ALTREAD, .fd = s->fd},
		{.op = ALTWRITE, .fd = s->fd},
		{.op = CHANEND}
	};

	return chanalt(alts) < 0 ? -1 : 0;
}

/* returns whether there is something left to write, and no writer at it. */
static int
leftover(const Stream *s)
{
	return task_streamleft(s) && !s->busy[Output];
}

/* waits for input, without a buffer if that is empty. */
static int
awaitmore(Stream *s, Proc *p)
{
	task_streamtrim(&s->buf[Input]);
	if(!leftover(s))
		return task_fdawait(p, s->fd, Read, 1, -1, &s->meant);
	if(task_streamawait(s) < 0)
		return -1;
	return task_streampush(s, p);
}

/* returns whether a read that returned r found nothing yet. */
static int
nothingyet(const Proc *p, ssize_t r)
{
	return r < 0 && task_streamnotyet(p);
}

/* The layer knows itself what it has read ahead. */
__attribute__((noinline)) static ssize_t
getlayered(Stream *s, char *v, size_t n)
{
	char *to = v ? v : task_streamroom(&s->buf[Input], n, s->most);

	return to ? task_layerread(s, to, n) : -1;
}

/*
 * reads once, but does not wait unless the poller makes the call, which is not
 * to be while something is left to write that does not go with it, nor where
 * the poller has just told that there is something.  op tells whether it does.
 */
static ssize_t
getonce(Stream *s, Proc *p, char *v, size_t n, int *op)
{
	if(s->layer){
		*op = 0;
		return getlayered(s, v, n);
	}
	int left = leftover(s), atonce = left || s->ready;
	*op = !atonce && task_fdops(s->fd);
	s->ready = 0;
	if(!atonce && !*op && task_fdempty(p, s->fd))
		return task_fail(EAGAIN);
	char *to = v ? v : task_streamroom(&s->buf[Input], n, s->most);
	if(to == NULL)
		return -1;
	if(left && s->together){
		*op = 1;
		return task_streamtogether(s, p, to, n);
	}
	if(!atonce)
		return task_fdtry(p, s->fd, to, n, &s->meant);
	return s->socket ? task_sys.recv(s->fd, to, n) :
		task_sys.read(s->fd, to, n);
}

/*
 * reads once, and waits for that: n bytes at most into v, or, if v is NULL,
 * into the buffer, where this many have to have room.
 * Returns how many, 0 at the end, -1 and errno.
 */
static ssize_t
readsome(Stream *s, Proc *p, char *v, size_t n)
{
	int op;

	if(s->err[Input])
		return task_fail(s->err[Input]);
	if(task_streampush(s, p) < 0)
		return -1;
	while(task_fdstill(p->fds, s->fd, &s->meant)){
		ssize_t r = getonce(s, p, v, n, &op);
		if(r >= 0){
			s->ended = r == 0;
			return r;
		}
		if(s->layer && *p->err == EINTR){	/* it is busy */
			if(task_fdpause(s->fd, 0, &s->meant) < 0)
				break;
			continue;
		}
		if(!nothingyet(p, r))
			return task_streamfailed(s, p, Input, op);
		if(awaitmore(s, p) < 0)
			break;
	}
	return -1;
}

/* Reads ask for more if there was more, and for less if there was far less. */
static void
adaptchunk(Stream *s, size_t n, size_t got)
{
	size_t most = s->most < ChunkMost ? s->most : ChunkMost;

	if(got == n && s->chunk < most)
		s->chunk = (unsigned short)(2u * s->chunk < most ?
			2u * s->chunk : most);
	else if(got < s->chunk / 4 && s->chunk > ChunkLeast)
		s->chunk /= 2;
}

/* counts what was read into the buffer, when n bytes were asked for. */
static void
addbytes(Stream *s, size_t n, size_t got)
{
	Streambuf *b = &s->buf[Input];
	size_t drop = s->skip < got ? s->skip : got;

	adaptchunk(s, n, got);
	b->end += got;
	s->skip -= drop;
	b->at += drop;
	if(b->at == b->end)
		b->at = b->end = 0;
}

/*
 * reads at least one byte more into the buffer, which has room, and not much
 * more than want.  Returns 1, 0 at the end, -1 and errno.
 */
static int
fillbuf(Stream *s, Proc *p, size_t want)
{
	Streambuf *b = &s->buf[Input];

	do{
		size_t room = s->most - task_streamhas(b);
		size_t n = want > s->chunk ? want : s->chunk;
		n = n < room ? n : room;
		ssize_t r = readsome(s, p, NULL, n);
		if(r <= 0){
			task_streamtrim(b);
			return (int)r;
		}
		addbytes(s, n, (size_t)r);
		task_fdshare(p);
	}while(task_streamhas(b) == 0);
	return 1;
}

/* fills the buffer until it has n: 1, 0 if the end comes first, -1. */
static int
fillto(Stream *s, Proc *p, size_t n)
{
	int r = 1;

	while(r > 0 && task_streamhas(&s->buf[Input]) < n)
		r = fillbuf(s, p, n - task_streamhas(&s->buf[Input]));
	return r;
}

/* takes n bytes that are there, and stay where they are for now. */
static char *
takefrom(Streambuf *b, size_t n)
{
	char *v = b->v + b->at;

	b->at += n;
	return v;
}

/* moves up to n bytes that are there to v; returns how many. */
static size_t
movebytes(Streambuf *b, void *v, size_t n)
{
	size_t has = task_streamhas(b);

	n = n < has ? n : has;
	if(n > 0)
		memcpy(v, takefrom(b, n), n);
	task_streamtrim(b);
	return n;
}

static ssize_t
readany(Stream *s, Proc *p, void *v, size_t n)
{
	Streambuf *b = &s->buf[Input];

	if(n == 0)
		return 0;
	if(task_streamhas(b) == 0 && s->skip == 0 && n >= s->chunk){
		ssize_t r = readsome(s, p, v, n < SSIZE_MAX ? n : SSIZE_MAX);
		if(r >= 0)
			task_fdshare(p);
		return r;
	}
	int r = fillto(s, p, 1);
	return r <= 0 ? r : (ssize_t)movebytes(b, v, n);
}

ssize_t
streamread(Stream *s, void *v, size_t n)
{
	int err = errno;
	Proc *p = task_streamenter(s, Input);

	return p ? task_streamleave(s, p, Input, readany(s, p, v, n), err) : -1;
}

/*
 * Of more than the buffer holds, a call that fails keeps what it has got.  What
 * is to be skipped must have come before that.
 */
static ssize_t
readall(Stream *s, Proc *p, char *v, size_t n, size_t *got)
{
	Streambuf *b = &s->buf[Input];
	ssize_t r = fillto(s, p, n <= s->most ? n : s->skip > 0);

	if(r < 0)
		return -1;
	*got = movebytes(b, v, n);
	while(r > 0 && *got < n){
		r = readsome(s, p, v + *got, n - *got);
		if(r < 0)
			return -1;
		*got += (size_t)r;
		task_fdshare(p);
	}
	return (ssize_t)*got;
}

ssize_t
streamreadn(Stream *s, void *v, size_t n)
{
	int err = errno;
	Proc *p = task_streamenter(s, Input);

	if(p == NULL)
		return -1;
	size_t got = 0;
	ssize_t r = n > SSIZE_MAX ? task_fail(EINVAL) :
		readall(s, p, v, n, &got);
	p->running->got = got;
	p->running->counted = 1;
	return task_streamleave(s, p, Input, r, err);
}

/*
 * returns how many bytes there are up to the end of mark, at *v, and takes them
 * if so; 0 at the end of input, -1 and errno.
 */
static ssize_t
takeuntil(Stream *s, Proc *p, const void *mark, size_t n, char **v)
{
	Streambuf *b = &s->buf[Input];
	size_t searched = 0;

	for(;;){
		size_t has = task_streamhas(b);
		char *first = b->v + b->at, *found = NULL;
		if(has - searched >= n)
			found = n == 1 ? memchr(first + searched,
				*(const char *)mark, has - searched) :
				memmem(first + searched, has - searched,
				mark, n);
		if(found){
			*v = first;
			takefrom(b, (size_t)(found - first) + n);
			return found - first + (ssize_t)n;
		}
		searched = has >= n ? has - n + 1 : 0;
		if(has >= s->most)
			return task_fail(EMSGSIZE);
		int r = fillbuf(s, p, 1);
		if(r <= 0)
			return r;
	}
}

ssize_t
streamuntil(Stream *s, const void *mark, size_t n, void **v)
{
	int err = errno;
	Proc *p = task_streamenter(s, Input);
	char *first;

	if(p == NULL)
		return -1;
	ssize_t r = n == 0 || n > s->most || mark == NULL || v == NULL ?
		task_fail(EINVAL) : takeuntil(s, p, mark, n, &first);
	if(r > 0)
		*v = first;
	return task_streamleave(s, p, Input, r, err);
}

/* An empty line is 0, so the end is an error here. */
static ssize_t
takeline(Stream *s, Proc *p, char **line)
{
	ssize_t n = takeuntil(s, p, "\n", 1, line);

	if(n <= 0)
		return n < 0 ? -1 : task_fail(ENODATA);
	n--;
	if(n > 0 && (*line)[n - 1] == '\r')
		n--;
	(*line)[n] = '\0';
	return n;
}

ssize_t
streamline(Stream *s, char **line)
{
	int err = errno;
	Proc *p = task_streamenter(s, Input);

	if(p == NULL)
		return -1;
	ssize_t r = line == NULL ? task_fail(EINVAL) : takeline(s, p, line);
	return task_streamleave(s, p, Input, r, err);
}

/*
 * reads what the layer has, if nothing is buffered.  Its end is not that of the
 * descriptor: who waits for input there is to be told.
 */
static int
showlayered(Stream *s, Proc *p)
{
	const Layered *l = s->layer;
	size_t n = s->chunk;

	while(task_streamhas(&s->buf[Input]) == 0 && s->err[Input] == 0 &&
			!s->ended && l->ops->pending(l->v) > 0){
		ssize_t r = getlayered(s, NULL, n);
		if(r < 0)
			return nothingyet(p, r) ? 0 :
				task_streamfailed(s, p, Input, 0);
		addbytes(s, n, (size_t)r);
		s->ended = r == 0;
		if(r == 0 && s->socket)
			task_sys.shutdown(s->fd, SHUT_RD);
	}
	return 0;
}

ssize_t
streampeek(Stream *s, size_t n, void **v)
{
	int err = errno;
	Proc *p = task_streamenter(s, Input);

	if(p == NULL)
		return -1;
	ssize_t r = v == NULL ? task_fail(EINVAL) : n > s->most ?
		task_fail(EMSGSIZE) : n == 0 && s->layer ?
		showlayered(s, p) : fillto(s, p, n);
	if(r >= 0){
		Streambuf *b = &s->buf[Input];
		task_streamtrim(b);
		*v = b->v ? b->v + b->at : NULL;
		r = (ssize_t)task_streamhas(b);
	}
	return task_streamleave(s, p, Input, r, err);
}

int
task_streamfill(Stream *s)
{
	int err = errno;
	Proc *p = task_streamenter(s, Input);

	return p ? (int)task_streamleave(s, p, Input, fillto(s, p,
		task_streamhas(&s->buf[Input]) + 1), err) : -1;
}

int
streamskip(Stream *s, size_t n)
{
	int err = errno;
	Proc *p = task_streamenter(s, Input);

	if(p == NULL)
		return -1;
	Streambuf *b = &s->buf[Input];
	size_t has = task_streamhas(b), drop = n < has ? n : has;
	int r = n - drop > SIZE_MAX - s->skip ? task_fail(EINVAL) : 0;
	if(r == 0){
		b->at += drop;
		s->skip += n - drop;
		task_streamtrim(b);
	}
	return (int)task_streamleave(s, p, Input, r, err);
}

/* reads what comes until the end, an error, or until_ns; -1 if it is cut. */
static int
discard(Stream *s, Proc *p, char *v, int64_t until_ns)
{
	for(;;){
		ssize_t r = task_sys.read(s->fd, v, ChunkMost);
		if(r == 0 || (r < 0 && !nothingyet(p, r)) ||
				p->now() >= until_ns)
			return 0;
		if(r > 0){
			task_fdshare(p);
			if(!task_fdstill(p->fds, s->fd, &s->meant))
				return -1;
		}else if(task_fdawait(p, s->fd, Read, 1, until_ns,
				&s->meant) < 0)
			return *p->err == ETIMEDOUT && !p->running->wait.cut ?
				0 : -1;
	}
}

int
task_streamlinger(Stream *s, Proc *p)
{
	int64_t until_ns = p->now() + task_linger_ms * (int64_t)Millisecond;

	if(task_sys.shutdown(s->fd, SHUT_WR) < 0)
		return 0;	/* it is not connected any more */
	task_streamfree(&s->buf[Input]);
	char *v = task_streamroom(&s->buf[Input], ChunkMost, ChunkMost);
	return v ? discard(s, p, v, until_ns) : -1;
}
