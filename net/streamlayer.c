/* SPDX-License-Identifier: MIT */
/* Streams: what may stand between one and its descriptor. */
#include "stream.h"
#include "../task/newnames.h"
#include <errno.h>

/*
 * A layer does what read(2) and send(2) do, and waits as little: so all that is
 * said in stream.c of buffers, deadlines, and readers and writers holds with it
 * too.  What it has made of what it took, and could not send, counts as left to
 * write.
 */

ssize_t
task_layerread(Stream *s, void *v, size_t n)
{
	return s->layer->ops->read(s->layer->v, s->fd, v, n);
}

ssize_t
task_layerwrite(Stream *s, const void *v, size_t n)
{
	const Layered *l = s->layer;

	return n > 0 ? l->ops->write(l->v, s->fd, v, n) :
		l->ops->flush(l->v, s->fd);
}

int
task_layershut(Stream *s, Proc *p)
{
	const Layered *l = s->layer;

	if(l == NULL)
		return 0;
	return l->ops->shut(l->v, s->fd) < 0 ? -1 : task_streamflush(s, p);
}

void
task_layerfree(Stream *s)
{
	Layered *l = s->layer;

	if(l){
		l->ops->free(l->v);
		task_sys.free(l);
	}
}

/* What the stream has read ahead was for the layer. */
static int
beginonce(Stream *s)
{
	const Layered *l = s->layer;
	Streambuf *b = &s->buf[Input];
	int r = l->ops->begin(l->v, s->fd, b->v ? b->v + b->at : NULL,
		task_streamhas(b));

	task_streamfree(b);
	return r;
}

/* has the layer begin, and waits for that: 0, or -1 and errno. */
static int
beginlayer(Stream *s, Proc *p)
{
	const Layered *l = s->layer;

	while(beginonce(s) < 0){
		if(*p->err != EAGAIN){
			s->parting = 1;
			return -1;
		}
		int r = l->ops->unsent(l->v) > 0 ? task_streamawait(s) :
			task_fdawait(p, s->fd, Read, 1, -1, &s->meant);
		if(r < 0 || !task_fdstill(p->fds, s->fd, &s->meant))
			return -1;
	}
	return 0;
}

/*
 * What has gone both ways when a layer cannot begin is not the program's: so
 * neither is what would follow.
 */
static int
layerfailed(Stream *s, Proc *p)
{
	int err = *p->err;

	task_sys.free(s->layer);
	s->layer = NULL;
	s->err[Input] = (short)(s->parting ? err : ECONNABORTED);
	s->err[Output] = s->err[Input];
	s->told = 1;
	return task_fail(err);
}

static int
setlayer(Stream *s, Proc *p, const Streamlayer *ops, void *layer)
{
	if(ops == NULL || s->layer || s->skip > 0)
		return task_fail(ops && s->layer ? EALREADY : EINVAL);
	if(s->err[Input])
		return task_fail(s->err[Input]);
	if(task_streamflush(s, p) < 0)
		return -1;
	s->layer = task_sys.alloc(sizeof *s->layer);
	if(s->layer == NULL)
		return -1;
	*s->layer = (Layered){ops, layer};
	return beginlayer(s, p) < 0 ? layerfailed(s, p) : 0;
}

int
streamlayer(Stream *s, const Streamlayer *ops, void *layer)
{
	int err = errno;
	Proc *p = task_streamenter(s, Input);

	if(p == NULL)
		return -1;
	if(task_streamenter(s, Output) == NULL)
		return (int)task_streamleave(s, p, Input, -1, err);
	int r = setlayer(s, p, ops, layer);
	s->busy[Output] = 0;
	return (int)task_streamleave(s, p, Input, r, err);
}

void *
streamlayerof(const Stream *s, const Streamlayer *ops)
{
	Proc *p = task_here();

	if(p == NULL)
		return NULL;
	if(s == NULL || s->home != p){
		errno = s ? EPERM : EINVAL;
		return NULL;
	}
	if(s->layer == NULL || s->layer->ops != ops){
		errno = ENOENT;
		return NULL;
	}
	return s->layer->v;
}
