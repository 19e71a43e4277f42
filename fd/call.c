/* SPDX-License-Identifier: MIT */
/* Calls on a descriptor, made by the poller where it can. */
#include "fd.h"
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

/* makes op's call, after telling those who mean another file by its number. */
static ssize_t
callop(Op *op, Meant *m)
{
	Fdtable *table = task_proc->fds;
	Fd *f = task_fdneed(table, op->fd);

	if(f == NULL)
		return -1;
	task_fdjoin(table, f, op->fd, f->ops[task_fdside(op)].head != NULL, 1);
	return task_fdop(op, m);
}

enum { Most = INT_MAX & ~4095 };	/* bytes, as read(2) has it */

ssize_t
task_fdcall(enum Opkind kind, int fd, void *buf, size_t n, Meant *m)
{
	Op op = {.kind = kind, .fd = fd, .buf = buf, .n = n < Most ? n : Most};

	return callop(&op, m);
}

ssize_t
task_fdrecvafter(Sending *a, int fd, void *buf, size_t n, Meant *m)
{
	Op op = {.kind = OpRecv, .fd = fd, .buf = buf,
		.n = n < Most ? n : Most, .sending = a};

	a->op = &op;
	return callop(&op, m);
}

int
task_fdaccept(int fd, struct sockaddr *sa, socklen_t *n, Meant *m)
{
	Op op = {.kind = OpAccept, .fd = fd, .buf = sa, .len = n};

	if(task_fdops(fd))
		return (int)callop(&op, m);
	int r = task_sys.accept(fd, sa, n);
	if(r >= 0)
		task_fdforget(task_proc->fds, r);
	return r;
}

int
task_fdconnect(int fd, const struct sockaddr *sa, socklen_t n, Meant *m)
{
	Op op = {.kind = OpConnect, .fd = fd, .buf = (void *)sa, .n = n};

	if(!task_fdops(fd))
		return task_sys.connect(fd, sa, n);
	int r = (int)callop(&op, m);
	/* a poller that was renewed has made the call twice */
	if(r < 0 && errno == EISCONN)
		return 0;
	return r < 0 && errno == EALREADY ? task_fail(EINPROGRESS) : r;
}

void
task_fdshort(const Fdtable *table, Fd *f, int fd)
{
	int nodelay;

	if(f->socket)	/* the poller makes the calls, and waits */
		return;
	if(table->polling.poller->edge && (!(f->interest.armed & PollIn) ||
			f->hup))
		return;	/* no edge might come */
	if(f->tcp == 0)
		f->tcp = task_sys.getopt(fd, IPPROTO_TCP, TCP_NODELAY,
			&nodelay) == 0 ? 1 : 2;
	f->drained = f->tcp == 1;
}

void
task_fdnotsocket(int fd)
{
	Fd *f = task_fdneed(task_proc->fds, fd);

	if(f){
		f->notsocket = 1;
		f->socket = 0;
	}
}

int
task_fdnosocket(int fd, Meant before, Meant *m)
{
	Fdtable *table = task_proc->fds;
	const Fd *f = task_fdknown(table, fd);

	if(before != AnyFile || (f && (f->tcp == 1 || f->socket)))
		task_fdforget(table, fd);
	task_fdnotsocket(fd);
	*m = before;
	return task_fdstill(table, fd, m);
}

ssize_t
task_fdbypoller(enum Opkind kind, int fd, void *buf, size_t n, Meant *m)
{
	Meant before = *m;
	ssize_t r = task_fdcall(kind, fd, buf, n, m);

	if(r < 0 && errno == ENOTSOCK)
		task_fdnosocket(fd, before, m);
	return r;
}
