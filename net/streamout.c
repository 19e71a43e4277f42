/* SPDX-License-Identifier: MIT */
/* Streams: writing. */
#include "stream.h"
#include "../task/newnames.h"
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A file of up to that size is copied: it goes out with what is around it. */
enum { CopyMost = 16 * 1024 };

/* The first buffer, if it need not be larger. */
enum { OutLeast = SpareBytes };

/*
 * returns whether what the reader pushes can go with the recv that follows, by
 * the same system call.  If others are ready theirs go with it anyway, and one
 * turn later what the recv is for has often come, which is cheaper.
 */
static int
goeswith(const Stream *s, const Proc *p)
{
	return s->pushing && !s->full && !s->alone && p->ready.head == NULL &&
		task_fdknown(p->fds, s->fd)->ops[Read].head == NULL;
}

/* has the poller send, or leaves that to the recv that follows. */
__attribute__((noinline)) static ssize_t
putop(Stream *s, const Proc *p, const char *v, size_t n)
{
	s->together = goeswith(s, p);
	if(s->together)
		return task_fail(EAGAIN);
	ssize_t r = task_fdcall(OpSend, s->fd, (void *)v, n, &s->meant);
	s->full = r >= 0 && (size_t)r < n;
	return r;
}

/*
 * writes once, perhaps by the poller if op says that it may, which tells then
 * whether it did.  That ends with what there was room for, but lets others run.
 */
static ssize_t
putonce(Stream *s, Proc *p, const char *v, size_t n, int *op)
{
	int may = *op;

	*op = 0;
	if(!task_fdstill(p->fds, s->fd, &s->meant))
		return -1;
	if(s->layer)
		return task_layerwrite(s, v, n);
	if(!s->socket)
		return task_sys.write(s->fd, v, n);
	*op = may && task_fdops(s->fd);
	return *op ? putop(s, p, v, n) : task_sys.send(s->fd, v, n);
}

/* takes the first n bytes off; an empty buffer begins at its front again. */
static void
dropbytes(Streambuf *b, size_t n)
{
	b->at += n;
	if(b->at == b->end)
		b->at = b->end = 0;
}

/*
 * ends what began with pushing: r was sent, or -1 and errno.  Returns 0, with
 * err in errno; -1 if nothing was sent and nobody is told later.
 */
static inline int
pushed(Stream *s, Proc *p, ssize_t r, int op, int err)
{
	Streambuf *b = &s->buf[Output];

	s->pushing = 0;
	if(r > 0)
		dropbytes(b, (size_t)r);
	else if(r < 0 && !task_streamnotyet(p)){
		task_streamfailed(s, p, Output, op);
		if(s->err[Output])
			r = 0;
	}else
		r = 0;
	task_streamtrim(b);
	task_wakefirst(&s->waiting, 0);
	if(r < 0)
		return -1;
	*p->err = err;
	return 0;
}

/*
 * sends once, a writer's at once.  Who comes while the reader's is sent waits.
 */
static int
push(Stream *s, Proc *p, int reader)
{
	const Streambuf *b = &s->buf[Output];
	int err = *p->err, op = reader;

	s->pushing = reader & 1;
	ssize_t r = putonce(s, p, b->v ? b->v + b->at : NULL,
		task_streamhas(b), &op);
	return pushed(s, p, r, op, err);
}

int
task_streampush(Stream *s, Proc *p)
{
	s->together = 0;
	if(!task_streamleft(s) || s->busy[Output])
		return 0;
	return push(s, p, 1);
}

/* What is buffered, on its way with the reader's recv. */
typedef struct Answer
{
	Sending sending;
	Stream *s;
} Answer;

/* In the fdtask.  If not all was sent the reader is to wait for room too. */
static int
answersent(Sending *a)
{
	Stream *s = structof(Answer, sending, a)->s;
	Proc *p = task_proc;
	int err = *p->err;

	s->full = a->result >= 0 && (size_t)a->result < a->n;
	if(a->result == -EOPNOTSUPP || a->result == -EINVAL){
		s->alone = 1;	/* with TLS in the kernel, say */
		a->result = -EAGAIN;
	}
	if(a->result < 0)
		*p->err = -a->result;
	pushed(s, p, a->result < 0 ? -1 : a->result, 0, err);
	*p->err = err;
	return task_streamhas(&s->buf[Output]) == 0;
}

ssize_t
task_streamtogether(Stream *s, Proc *p, char *v, size_t n)
{
	const Streambuf *b = &s->buf[Output];
	Answer answer = {{.buf = b->v + b->at, .n = task_streamhas(b),
		.sent = answersent}, s};

	s->together = 0;
	s->pushing = 1;
	ssize_t r = task_fdrecvafter(&answer.sending, s->fd, v, n, &s->meant);
	if(s->pushing){	/* it was not handed over */
		s->pushing = 0;
		task_wakefirst(&s->waiting, 0);
	}
	if(r >= 0 || (*p->err != ECANCELED && *p->err != EINTR) ||
			task_lastcut(p->running).how != NotCut)
		return r;
	int sent = answer.sending.result;	/* so the recv was given up */
	return task_fail(sent < 0 ? -sent : EAGAIN);
}

/* writes some of n bytes, and waits for that: returns how many, or -1. */
static ssize_t
putsome(Stream *s, Proc *p, const char *v, size_t n)
{
	for(;;){
		int op = 1;
		if(s->full && task_fdwaiton(s->fd, 'w', &s->meant) < 0)
			return -1;
		s->full = 0;
		ssize_t r = putonce(s, p, v, n, &op);
		if(r >= 0){
			task_fdshare(p);
			return r;
		}
		if(!task_streamnotyet(p))
			return task_streamfailed(s, p, Output, op);
		if(task_fdawait(p, s->fd, Write, 1, -1, &s->meant) < 0)
			return -1;
	}
}

/* writes until at most left bytes are buffered. */
static int
putbuf(Stream *s, Proc *p, size_t left)
{
	Streambuf *b = &s->buf[Output];

	if(s->err[Output]){
		s->told = 1;
		return task_fail(s->err[Output]);
	}
	while(task_streamhas(b) > left){
		ssize_t r = putsome(s, p, b->v + b->at, task_streamhas(b));
		if(r < 0){
			s->told |= s->err[Output] != 0;
			return -1;
		}
		dropbytes(b, (size_t)r);
	}
	return 0;
}

int
task_streamflush(Stream *s, Proc *p)
{
	if(putbuf(s, p, 0) < 0)
		return -1;
	task_streamtrim(&s->buf[Output]);
	if(s->layer && putsome(s, p, NULL, 0) < 0){
		s->told |= s->err[Output] != 0;
		return -1;
	}
	return task_fdstill(p->fds, s->fd, &s->meant) ? 0 : -1;
}

/* waits until n bytes, most at most, have room; returns where, or NULL. */
static char *
roomfor(Stream *s, Proc *p, size_t n)
{
	Streambuf *b = &s->buf[Output];
	size_t least = s->most < OutLeast ? s->most : OutLeast;

	if(putbuf(s, p, s->most - n) < 0)
		return NULL;
	return task_streamroom(b, b->v || n > least ? n : least, s->most);
}

/* buffers n pieces, sum bytes, most at most, and counts them; or, -1, none. */
static inline int
gather(Stream *s, Proc *p, const struct iovec *v, int n, size_t sum,
	size_t *done)
{
	char *to = sum > 0 ? roomfor(s, p, sum) : NULL;

	if(to == NULL)
		return sum > 0 ? -1 : putbuf(s, p, s->most);
	for(int i = 0; i < n; i++)
		if(v[i].iov_len > 0)
			to = (char *)memcpy(to, v[i].iov_base, v[i].iov_len) +
				v[i].iov_len;
	s->buf[Output].end += sum;
	*done += sum;
	return 0;
}

static int
putin(Stream *s, Proc *p, const void *v, size_t n, size_t *done)
{
	struct iovec one = {(void *)(uintptr_t)v, n};

	return gather(s, p, &one, 1, n, done);
}

/*
 * writes n bytes, and counts them.  If they are more than the buffer has room
 * for, what is buffered is made full and goes first: so a head goes out with
 * its body.
 */
static int
putall(Stream *s, Proc *p, const char *v, size_t n, size_t *done)
{
	size_t has = task_streamhas(&s->buf[Output]);
	size_t first = has ? s->most - has : 0;

	if(n <= s->most)
		return putin(s, p, v, n, done);
	if(first > 0 && putin(s, p, v, first, done) < 0)
		return -1;
	if(putbuf(s, p, 0) < 0)
		return -1;
	for(size_t at = first; at < n; ){
		if(n - at <= s->most)
			return putin(s, p, v + at, n - at, done);
		ssize_t r = putsome(s, p, v + at, n - at);
		if(r < 0){
			s->told |= s->err[Output] != 0;
			return -1;
		}
		*done += (size_t)r;
		at += (size_t)r;
	}
	return 0;
}

/* ends a call that has taken done bytes, and, if r is not 0, no more. */
static ssize_t
leaveout(Stream *s, Proc *p, int r, size_t done, int err)
{
	p->running->written = done;
	return task_streamleave(s, p, Output, r < 0 ? -1 : (ssize_t)done, err);
}

ssize_t
streamwrite(Stream *s, const void *v, size_t n)
{
	int err = errno;
	Proc *p = task_streamenter(s, Output);
	size_t done = 0;

	if(p == NULL)
		return -1;
	int r = n > SSIZE_MAX ? task_fail(EINVAL) : putall(s, p, v, n, &done);
	return leaveout(s, p, r, done, err);
}

/* returns the sum of them; more than SSIZE_MAX if it is too much. */
static size_t
sumof(const struct iovec *v, int n)
{
	size_t sum = 0;

	for(int i = 0; i < n && sum <= SSIZE_MAX; i++)
		sum = v[i].iov_len > SSIZE_MAX ? v[i].iov_len :
			sum + v[i].iov_len;
	return sum;
}

ssize_t
streamwritev(Stream *s, const struct iovec *v, int n)
{
	int err = errno;
	Proc *p = task_streamenter(s, Output);
	size_t done = 0;

	if(p == NULL)
		return -1;
	size_t sum = n > 0 && v ? sumof(v, n) : 0;
	int r = n < 0 || (n > 0 && v == NULL) || sum > SSIZE_MAX ?
		task_fail(EINVAL) : 0;
	if(r == 0 && sum <= s->most)
		r = gather(s, p, v, n, sum, &done);
	else
		for(int i = 0; i < n && r == 0; i++)
			r = putall(s, p, v[i].iov_base, v[i].iov_len, &done);
	return leaveout(s, p, r, done, err);
}

/* formats into memory of its own what has no room in the buffer. */
static int
printlarge(Stream *s, Proc *p, const char *fmt, va_list args, size_t n,
	size_t *done)
{
	char *text = task_sys.resize(NULL, n + 1);

	if(text == NULL)
		return task_fail(ENOMEM);
	vsnprintf(text, n + 1, fmt, args);
	int r = putall(s, p, text, n, done), err = *p->err;
	task_sys.free(text);
	return r < 0 ? task_fail(err) : 0;
}

/* formats at once where it is to be, if it has room there. */
static int
printto(Stream *s, Proc *p, const char *fmt, va_list args, va_list again,
	size_t *done)
{
	Streambuf *b = &s->buf[Output];

	if(roomfor(s, p, 0) == NULL)
		return -1;
	size_t room = b->cap - b->end;
	int n = vsnprintf(b->v + b->end, room, fmt, args);
	if(n < 0)
		return -1;
	if((size_t)n >= room)
		return printlarge(s, p, fmt, again, (size_t)n, done);
	b->end += (size_t)n;
	*done = (size_t)n;
	task_streamtrim(b);
	return 0;
}

int
streamprint(Stream *s, const char *fmt, ...)
{
	int err = errno;
	Proc *p = task_streamenter(s, Output);
	size_t done = 0;
	va_list args, again;

	if(p == NULL)
		return -1;
	va_start(args, fmt);
	va_copy(again, args);
	int r = fmt ? printto(s, p, fmt, args, again, &done) :
		task_fail(EINVAL);
	va_end(again);
	va_end(args);
	return (int)leaveout(s, p, r, done, err);
}

int
task_streamwriteout(Stream *s)
{
	int err = errno;
	Proc *p = task_streamenter(s, Output);

	return p ? (int)task_streamleave(s, p, Output, task_streamflush(s, p),
		err) : -1;
}

int
streamflush(Stream *s)
{
	return task_streamwriteout(s);
}

int
streampush(Stream *s)
{
	int err = errno;
	Proc *p = task_streamenter(s, Output);

	if(p == NULL)
		return -1;
	int r = task_fdstill(p->fds, s->fd, &s->meant) ? 0 : -1;
	size_t has, had = SIZE_MAX;	/* a layer takes a part at a time */
	for(; r == 0 && task_streamleft(s); had = has){
		has = task_streamhas(&s->buf[Output]);
		if(has >= had)
			break;
		r = push(s, p, 0);
	}
	task_fdshare(p);
	s->told |= s->err[Output] != 0;
	if(s->told)
		r = task_fail(s->err[Output]);
	return (int)task_streamleave(s, p, Output, r < 0 ? -1 :
		task_streamleft(s), err);
}

/* reads a part of the file into the buffer; 0 if it ends before. */
static ssize_t
copyfrom(Stream *s, Proc *p, int fd, off_t at, size_t n)
{
	size_t most = s->most < CopyMost ? s->most : CopyMost;

	n = n < most ? n : most;
	char *to = roomfor(s, p, n);
	if(to == NULL)
		return -1;
	ssize_t r = task_sys.pread(fd, to, n, at);
	if(r > 0)
		s->buf[Output].end += (size_t)r;
	task_streamtrim(&s->buf[Output]);
	return r;
}

/*
 * has the kernel send a part of the file.  If that fails, copying it will tell
 * whose fault it is, or do.
 */
static ssize_t
sendfrom(Stream *s, Proc *p, int fd, off_t at, size_t n)
{
	enum { PartMost = 1 << 20 };	/* then others may run */

	if(n <= CopyMost || !s->socket || s->layer)
		return copyfrom(s, p, fd, at, n);
	if(putbuf(s, p, 0) < 0)
		return -1;
	while(task_fdstill(p->fds, s->fd, &s->meant)){
		ssize_t r = task_sys.sendfile(s->fd, fd, at,
			n < PartMost ? n : PartMost);
		if(r >= 0){
			task_fdshare(p);
			return r;
		}
		if(!task_streamnotyet(p))
			return copyfrom(s, p, fd, at, n);
		if(task_fdawait(p, s->fd, Write, 1, -1, &s->meant) < 0)
			break;
	}
	return -1;
}

ssize_t
streamsendfile(Stream *s, int fd, off_t at, size_t n)
{
	int err = errno;
	Proc *p = task_streamenter(s, Output);
	size_t done = 0;

	if(p == NULL)
		return -1;
	ssize_t r = n > SSIZE_MAX || at < 0 ? task_fail(EINVAL) : 1;
	while(done < n && r > 0){
		r = sendfrom(s, p, fd, at + (off_t)done, n - done);
		done += r > 0 ? (size_t)r : 0;
	}
	return leaveout(s, p, r < 0 ? -1 : 0, done, err);
}
