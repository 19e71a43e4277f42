/* SPDX-License-Identifier: MIT */
/* Writing what lies in several places. */
#include "fd.h"
#include "../task/newnames.h"
#include <errno.h>
#include <limits.h>
#include <string.h>

enum { WindowMost = 16, VectorMost = 1024 };	/* the kernel's IOV_MAX */

/* writes once, as fdwrite does. */
static ssize_t
putvector(Proc *p, int fd, const struct iovec *v, int n, Meant *m)
{
	const Fd *f = task_fdknown(p->fds, fd);
	struct msghdr msg = {.msg_iov = (struct iovec *)v,
		.msg_iovlen = (size_t)n};

	if(f == NULL || !f->notsocket){
		ssize_t r = task_sys.sendmsg(fd, &msg);
		if(r >= 0 || *p->err != ENOTSOCK || !task_fdnosocket(fd, *m, m))
			return r;
	}
	return task_sys.writev(fd, v, n);
}

/* writes once what comes after the first done bytes of v. */
static ssize_t
putrest(Proc *p, int fd, const struct iovec *v, int n, size_t done, Meant *m)
{
	struct iovec w[WindowMost];
	int k = 0;

	for(; n > 0 && done >= v->iov_len; v++, n--)
		done -= v->iov_len;
	while(k < n && k < WindowMost){
		w[k] = v[k];
		k++;
	}
	w[0].iov_base = (char *)w[0].iov_base + done;
	w[0].iov_len -= done;
	return putvector(p, fd, w, k, m);
}

/* writes the rest in turn; returns 0, or -1 and errno. */
static int
putvectors(Proc *p, int fd, const struct iovec *v, int n, size_t total,
	size_t *done)
{
	Meant m = AnyFile;
	int r = 0;

	if(task_fdtake(p, fd, Write, &m) < 0)
		return -1;
	while(r == 0 && *done < total){
		ssize_t w = putrest(p, fd, v, n, *done, &m);
		if(w >= 0)
			*done += (size_t)w;
		else if(!task_fdagain(fd, 'w', w, &m))
			r = -1;
		if(w >= 0 && *done < total && task_fdwaiton(fd, 'w', &m) < 0)
			r = -1;
	}
	task_fdgive(p, fd, Write, &m);
	return r;
}

/* returns the bytes of v; -1 if they are too many, or v is none. */
static ssize_t
totalof(const struct iovec *v, int n)
{
	size_t total = 0;

	if(n < 0 || n > VectorMost || (v == NULL && n > 0))
		return -1;
	for(int i = 0; i < n; i++){
		if(v[i].iov_len > SSIZE_MAX - total)
			return -1;
		total += v[i].iov_len;
	}
	return (ssize_t)total;
}

ssize_t
fdwritev(int fd, const struct iovec *v, int n)
{
	Meant m = AnyFile;
	Proc *p = task_here();
	ssize_t r = 0, total = totalof(v, n);

	if(p == NULL)
		return -1;
	if(total < 0)
		return task_fail(EINVAL);
	int err = *p->err;
	const Fd *f = task_fdknown(p->fds, fd);
	size_t *written = &p->running->written;
	*written = 0;
	if(f == NULL || !task_fdtaken(f, Write)){
		r = putvector(p, fd, v, n, &m);
		if(r < 0 && *p->err != EAGAIN && *p->err != EWOULDBLOCK)
			return -1;
		*written = r > 0 ? (size_t)r : 0;
	}
	if(*written < (size_t)total &&
			putvectors(p, fd, v, n, (size_t)total, written) < 0)
		return -1;
	task_fdshare(p);
	*p->err = err;
	return total;
}
