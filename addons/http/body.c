/* SPDX-License-Identifier: MIT */
/* Bodies as they come over a stream: of known length, in chunks, to the end. */
#include "message.h"
#include <errno.h>
#include <string.h>

/* A body that is none, or is cut off. */
static int
wrong(Message *m, const char *why)
{
	if(m->head.status == 0)
		gaterefuse(&m->head, 400, why);
	errno = EBADMSG;
	return -1;
}

/* It is not read any further: whoever sent it may be told so. */
static int
toolong(Message *m)
{
	gaterefuse(&m->head, 413, "a long body");
	errno = EMSGSIZE;
	return -1;
}

/*
 * shows a line of at most so many bytes, which stays in the stream.
 * Returns how many it has, with its end; -1.
 */
static ssize_t
showline(Message *m, size_t most, char **line)
{
	size_t n = 1, seen = 0;

	for(;;){
		void *v;
		ssize_t has = streampeek(m->s, n, &v);
		if(has < 0)
			return errno == EMSGSIZE ? wrong(m, "a long line") : -1;
		if((size_t)has < n)
			return wrong(m, "half a body");
		size_t to = (size_t)has < most ? (size_t)has : most;
		char *end = memchr((char *)v + seen, '\n', to - seen);
		*line = v;
		if(end)
			return end + 1 - *line;
		if(to == most)
			return wrong(m, "a long line");
		seen = to;
		n = to + 1;
	}
}

/* has the parser read a line too, and takes it. */
static int
takeline(Message *m, const char *line, size_t n)
{
	if(llhttp_execute(&m->parser, line, n) != HPE_OK &&
			!(m->complete && m->parser.upgrade))
		return wrong(m, llhttp_get_error_reason(&m->parser));
	return streamskip(m->s, n);
}

/* What follows the last chunk: fields, which nobody gets, and the end. */
static ssize_t
trailers(Message *m)
{
	char *line;

	while(!m->complete){
		ssize_t n = showline(m, HeadMost - m->trailers, &line);
		if(n < 0)
			return -1;
		int last = n == 2 && *line == '\r';
		if(n < 2 || line[n - 2] != '\r' || (!last &&
				gatetrailer(line, (size_t)n - 2) < 0))
			return wrong(m, "a wrong trailer");
		if(takeline(m, line, (size_t)n) < 0)
			return -1;
		m->trailers += (unsigned int)n;
		if(m->complete != last)
			return wrong(m, "two ways to end");
	}
	m->body = BodyNone;
	return 0;
}

/* A chunk ends with an empty line, before which there must be nothing. */
static int
chunkend(Message *m)
{
	char *line;
	ssize_t n = showline(m, 2, &line);

	if(n < 0)
		return -1;
	if(n != 2 || *line != '\r')
		return wrong(m, "a chunk of another size");
	m->inchunk = 0;
	return takeline(m, line, 2);
}

/* goes on to the next chunk: 1 if there is one, 0 behind the last, -1. */
static ssize_t
nextchunk(Message *m)
{
	char *line;

	if(m->trailing)
		return trailers(m);
	if(m->inchunk && chunkend(m) < 0)
		return -1;
	ssize_t n = showline(m, ChunkLineMost, &line);
	if(n < 0)
		return -1;
	int64_t size = gatechunk(line, (size_t)n);
	if(size < 0)
		return wrong(m, "no size of a chunk");
	if(takeline(m, line, (size_t)n) < 0)
		return -1;
	if(m->parser.content_length != (uint64_t)size)
		return wrong(m, "two sizes of a chunk");
	if(size > m->most - m->got)
		return toolong(m);
	m->left = size;
	m->inchunk = size > 0;
	m->trailing = size == 0;
	return size > 0 ? 1 : trailers(m);
}

static ssize_t
take(Message *m, void *v, size_t n)
{
	ssize_t r = streamread(m->s, v, n);

	if(r == 0)
		return wrong(m, "half a body");
	if(r < 0)
		return -1;
	m->left -= r;
	if(m->body == BodyChunks &&
			llhttp_execute(&m->parser, v, (size_t)r) != HPE_OK)
		return wrong(m, llhttp_get_error_reason(&m->parser));
	return r;
}

static ssize_t
piece(Message *m, void *v, size_t n)
{
	if(m->body == BodyUntilEnd)
		return m->got > m->most ? toolong(m) :
			streamread(m->s, v, n);
	if(m->body == BodyLength && m->left > m->most - m->got)
		return toolong(m);
	if(m->body == BodyChunks && m->left == 0){
		ssize_t r = nextchunk(m);
		if(r <= 0)
			return r;
	}
	ssize_t r = take(m, v, (uint64_t)m->left < n ? (size_t)m->left : n);
	if(r > 0 && m->left == 0 && m->body == BodyLength)
		m->body = BodyNone;
	return r;
}

ssize_t
messagebody(Message *m, void *v, size_t n)
{
	int err = errno;

	if(m->body == BodyNone || n == 0)
		return 0;
	if(m->head.status)
		return wrong(m, m->head.why);
	ssize_t r = piece(m, v, n);
	if(r < 0)
		return -1;
	m->got += r;
	errno = err;
	return r;
}
