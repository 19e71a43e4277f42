/* SPDX-License-Identifier: MIT */
/* The poller on io_uring: notes of what to ask, and the requests for it. */
#include "../machine/machine.h"
#include "../machine/list.h"
#include "poller.h"
#ifdef TASK_URING
#include "uring.h"
#include <string.h>

static int
growwatches(Uring *u, int fd)
{
	int n = u->nwatch ? u->nwatch : 64;

	while(n <= fd)
		n = n > fd / 2 ? fd + 1 : 2 * n;
	Watch *watches = task_sys.resize(u->watches,
		(size_t)n * sizeof *watches);
	if(watches == NULL)
		return -1;
	u->watches = watches;
	int *changed = task_sys.resize(u->changed, (size_t)n * sizeof *changed);
	if(changed == NULL)
		return -1;
	u->changed = changed;
	memset(watches + u->nwatch, 0,
		(size_t)(n - u->nwatch) * sizeof *watches);
	u->nwatch = n;
	return 0;
}

void
task_uringnote(Uring *u, Watch *w)
{
	if(!w->changed)
		u->changed[u->nchanged++] = (int)(w - u->watches);
	w->changed = 1;
}

int
task_uringarm(void *state, int fd, int were, int events, uint64_t cookie)
{
	Uring *u = state;

	(void)were;
	if(fd >= u->nwatch && growwatches(u, fd) < 0)
		return -1;
	Watch *w = &u->watches[fd];
	w->events = (unsigned char)(events & ~PollCalm);
	w->cookie = cookie;
	w->stale |= w->asked && w->changes && !(events & PollCalm);
	w->changes = w->calm = (events & PollCalm) != 0;
	task_uringnote(u, w);
	return 0;
}

void
task_uringdisarm(void *state, int fd)
{
	Uring *u = state;

	if(fd >= u->nwatch)
		return;
	Watch *w = &u->watches[fd];
	w->events = 0;
	if(w->asked){
		w->stale = 1;
		task_uringnote(u, w);
	}
}

void
task_uringsubmit(void *state, Op *op)
{
	Uring *u = state;

	op->state = Noted;
	listadd(&u->noted, op, prev, next);
}

int
task_uringcancel(void *state, Op *op)
{
	Uring *u = state;

	if(op->state == Underway || op->state == Leaving){
		listremove(&u->underway, op, prev, next);
		listadd(&u->noted, op, prev, next);
		op->state = Unwanted;
	}else if(op->state == Noted){
		listremove(&u->noted, op, prev, next);
		op->result = -ECANCELED;
		return 1;
	}
	return 0;
}

int
task_uringholds(void *state, int fd)
{
	const Uring *u = state;

	return fd < u->nwatch && u->watches[fd].asked;
}

/*
 * returns room for the first of n requests in the ring; NULL if there is not
 * room for all of them now.
 */
static struct io_uring_sqe *
request(Uring *u, unsigned int n)
{
	if(io_uring_sq_space_left(&u->ring) < n &&
			(task_sys.uringenter(&u->ring, 0, NULL) < 0 ||
			io_uring_sq_space_left(&u->ring) < n))
		return NULL;
	return io_uring_get_sqe(&u->ring);
}

/*
 * returns the name of w's request, which its report will have.  It is odd; the
 * name of an Op is its address, a multiple of 8.
 */
static uint64_t
nameof(const Uring *u, const Watch *w)
{
	return (uint64_t)w->number << 32 | (uint64_t)(w - u->watches) << 1 | 1;
}

static unsigned int
maskof(int events)
{
	return (unsigned int)task_pollmask(events) |
		(events & PollPri ? POLLRDBAND : 0);
}

/*
 * writes the requests that w needs to the ring; returns -1 if there is no room.
 */
static int
askkernel(Uring *u, Watch *w)
{
	struct io_uring_sqe *sqe;

	if(w->asked && (w->stale || w->asked != w->events)){
		if((sqe = request(u, 1)) == NULL)
			return -1;
		io_uring_prep_cancel64(sqe, nameof(u, w), 0);
		io_uring_sqe_set_data64(sqe, 0);
		w->asked = 0;
	}
	w->stale = 0;
	if(w->events && w->asked == 0){
		if((sqe = request(u, 1)) == NULL)
			return -1;
		w->asked = w->events;
		w->number++;
		io_uring_prep_poll_add(sqe, (int)(w - u->watches),
			maskof(w->events));
		if(w->changes)
			sqe->len = IORING_POLL_ADD_MULTI;
		io_uring_sqe_set_data64(sqe, nameof(u, w));
	}
	return 0;
}

static void
askfor(struct io_uring_sqe *sqe, Op *op)
{
	switch(op->kind){
	case OpRecv:
		io_uring_prep_recv(sqe, op->fd, op->buf, op->n, 0);
		break;
	case OpSend:
		io_uring_prep_send(sqe, op->fd, op->buf, op->n,
			MSG_NOSIGNAL | MSG_DONTWAIT);
		break;
	case OpAccept:
		io_uring_prep_accept(sqe, op->fd, op->buf, op->len,
			SOCK_NONBLOCK | SOCK_CLOEXEC);
		break;
	case OpConnect:
		io_uring_prep_connect(sqe, op->fd, op->buf, (socklen_t)op->n);
		break;
	}
	io_uring_sqe_set_data64(sqe, (uintptr_t)op);
}

/*
 * Of a send that has succeeded in full nothing is reported: else the wait would
 * end with that.  Kernels before 6.1, which make no such ring, tell of one that
 * has sent a part that it has sent nothing: there each is reported, and ends as
 * send(2) does.
 */
static void
sendfirst(Uring *u, struct io_uring_sqe *sqe, const Op *op, Sending *a)
{
	int quiet = (u->ring.flags & IORING_SETUP_DEFER_TASKRUN) != 0;

	io_uring_prep_send(sqe, op->fd, a->buf, a->n,
		MSG_NOSIGNAL | MSG_DONTWAIT | (quiet ? MSG_WAITALL : 0));
	if(quiet)
		io_uring_sqe_set_flags(sqe, IOSQE_CQE_SKIP_SUCCESS);
	io_uring_sqe_set_data64(sqe, (uintptr_t)a | First);
	a->result = (int)a->n;
	a->next = u->sending;
	u->sending = a;
}

void
task_uringwrite(Uring *u)
{
	struct io_uring_sqe *sqe;
	Op *op;

	while(u->nchanged > 0){
		Watch *w = &u->watches[u->changed[u->nchanged - 1]];
		if(askkernel(u, w) < 0)
			return;
		w->changed = 0;
		u->nchanged--;
	}
	while((op = u->noted.head) && (sqe = request(u, op->sending ? 2 : 1))){
		if(op->state == Unwanted){
			io_uring_prep_cancel64(sqe, (uintptr_t)op, 0);
			io_uring_sqe_set_data64(sqe, (uintptr_t)op | Cancel);
			op->state = Leaving;
		}else{
			if(op->sending){
				sendfirst(u, sqe, op, op->sending);
				sqe = io_uring_get_sqe(&u->ring);
				op->sending = NULL;
			}
			askfor(sqe, op);
			op->state = Underway;
		}
		listremove(&u->noted, op, prev, next);
		listadd(&u->underway, op, prev, next);
	}
}
#endif
