/* SPDX-License-Identifier: MIT */
/* Streams: opening and closing them, and their buffers. */
#include "stream.h"
#include "../task/newnames.h"
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>

/*
 * Two buffers over a descriptor.  The one of what was read is filled by at most
 * a chunk more than a call needs, so no more of a slow consumer's input is here
 * than that; the rest waits in the kernel, and the peer with it.  The one of
 * what is to be written is emptied by streamflush, when it has no room for
 * more, and before the reader asks the kernel for input: for then its task may
 * wait, and what it waits for may be the answer to what is buffered.  So one
 * that reads a request and writes an answer in many small calls makes one
 * system call for each of the two, and never waits for a peer that waits too.
 *
 * The reader must not wait for room, however: a peer that writes without
 * reading would wait for him in turn.  It waits for either.
 *
 * A buffer is allocated when there is something to put into it, and freed when
 * it is empty and its task is going to wait.
 */

Proc *
task_streamentry(Stream *s, int side)
{
	Proc *p = task_here();

	if(p == NULL)
		return NULL;
	if(s == NULL || s->home != p || s->busy[side]){
		errno = s == NULL ? EINVAL : s->home != p ? EPERM : EBUSY;
		return NULL;
	}
	s->busy[side] = 1;
	if(side == Input || !s->pushing || task_park(WaitWrite,
			(Object){.fd = s->fd}, &s->waiting, NULL, -1) == 0)
		return p;
	s->busy[Output] = 0;
	return NULL;
}

void
task_streamfree(Streambuf *b)
{
	if(b->cap == SpareBytes && task_proc)
		task_spareput(&task_proc->life->spares, b->v);
	else
		task_sys.free(b->v);
	*b = (Streambuf){0};
}

/* Memory that is not used needs no zeros: that is why it is not alloc. */
static char *
growbuf(Streambuf *b, size_t bytes)
{
	char *v = b->v || bytes != SpareBytes ? task_sys.resize(b->v, bytes) :
		task_spareget(&task_proc->life->spares);

	if(v == NULL){
		errno = ENOMEM;
		return NULL;
	}
	b->v = v;
	b->cap = bytes;
	return v + b->end;
}

/*
 * Bytes are moved to the front if that makes room for as many again, or if the
 * buffer would be too large otherwise.
 */
char *
task_streamroom(Streambuf *b, size_t n, size_t most)
{
	size_t has = task_streamhas(b);

	if(b->cap - b->end >= n)
		return b->v + b->end;
	if(b->at > 0 && (has <= b->cap / 2 || b->end + n > most)){
		memmove(b->v, b->v + b->at, has);
		b->at = 0;
		b->end = has;
	}
	if(b->cap - b->end >= n)
		return b->v + b->end;
	size_t bytes = b->end + n > 2 * b->cap ? b->end + n : 2 * b->cap;
	return growbuf(b, bytes < most ? bytes : most);
}

/* Those that the call may succeed after, when it is made again. */
static int
passing(int err)
{
	return err == EFAULT || err == ENOMEM || err == ENOBUFS ||
		err == EAGAIN || err == EWOULDBLOCK || err == EINTR;
}

int
task_streamfailed(Stream *s, Proc *p, int side, int op)
{
	int err = *p->err;
	int wait = op && task_lastcut(p->running).how != NotCut;

	if(!wait && !passing(err)){
		s->err[side] = (short)err;
		s->parting |= s->layer != NULL;
		if(side == Output)
			task_streamfree(&s->buf[Output]);
	}
	return task_fail(err);
}

Stream *
task_streamopen(int fd, size_t most)
{
	Proc *p = task_here();

	if(p == NULL)
		return NULL;
	int err = *p->err;
	if(most > UINT_MAX / 4){
		errno = EINVAL;
		return NULL;
	}
	if(fdnoblock(fd) < 0)
		return NULL;
	Stream *s = task_sys.alloc(sizeof *s);
	if(s == NULL)
		return NULL;
	s->home = p;
	s->fd = fd;
	s->most = most ? most : StreamMost;
	s->chunk = s->most < ChunkLeast ? (unsigned short)s->most : ChunkLeast;
	s->socket = task_fdissocket(fd) & 1;
	s->meant = AnyFile;
	task_fdstill(p->fds, fd, &s->meant);
	*p->err = err;
	return s;
}

Stream *
streamopen(int fd, size_t most)
{
	return task_streamopen(fd, most);
}

int
streamfd(const Stream *s)
{
	Proc *p = task_here();

	if(p == NULL)
		return -1;
	if(s == NULL || s->home != p)
		return task_fail(s ? EPERM : EINVAL);
	return s->fd;
}

int
streamshut(Stream *s)
{
	int err = errno;
	Proc *p = task_streamenter(s, Output);

	if(p == NULL)
		return -1;
	int r = task_streamflush(s, p);
	if(r == 0)
		r = task_layershut(s, p);
	if(r == 0 && s->socket && task_fdstill(p->fds, s->fd, &s->meant))
		r = task_sys.shutdown(s->fd, SHUT_WR);
	if(r == 0){
		s->err[Output] = EPIPE;
		s->told = 1;
	}
	return (int)task_streamleave(s, p, Output, r, err);
}

/* returns whether the peer may still send, and is to get what was written. */
static int
lingers(const Stream *s)
{
	int shut = s->err[Output] == EPIPE && s->told;

	return s->socket && !s->ended && (s->parting ||
		((s->err[Output] == 0 || shut) && s->err[Input] == 0));
}

/* The first error is the one that is told. */
static int
closestream(Stream *s, Proc *p)
{
	int r = s->err[Output] && s->told ? 0 : task_streamflush(s, p);

	if(r == 0 && s->err[Output] == 0)
		r = task_layershut(s, p);
	int err = *p->err;

	if(!task_fdstill(p->fds, s->fd, &s->meant))
		return r < 0 ? task_fail(err) : -1;
	if(lingers(s) && task_streamlinger(s, p) < 0 && r == 0){
		r = -1;
		err = *p->err;
	}
	if(task_fdstill(p->fds, s->fd, &s->meant) && task_fdclose(s->fd) < 0 &&
			r == 0)
		return -1;
	return r < 0 ? task_fail(err) : 0;
}

void
task_streamlose(Stream *s)
{
	task_streamfree(&s->buf[Input]);
	task_streamfree(&s->buf[Output]);
	task_layerfree(s);
	task_sys.free(s);
}

void
task_streamdrop(Proc *p, Stream *s)
{
	if(task_fdstill(p->fds, s->fd, &s->meant))
		task_fdclose(s->fd);
	task_streamlose(s);
}

int
task_streamclose(Stream *s)
{
	int err = errno;
	Proc *p = task_streamenter(s, Input);

	if(p == NULL)
		return -1;
	if(task_streamenter(s, Output) == NULL)
		return (int)task_streamleave(s, p, Input, -1, err);
	int r = closestream(s, p);
	if(r == 0)
		*p->err = err;
	task_streamlose(s);
	return r;
}

int
streamclose(Stream *s)
{
	if(s && s->home == task_proc && s->served)
		task_misuse("streamclose: this stream is a server's, which "
			"closes it when fn has returned");
	return task_streamclose(s);
}
