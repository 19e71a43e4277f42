/* SPDX-License-Identifier: MIT */
/* The poller on Linux's io_uring: one system call for all that waits. */
#include "../machine/machine.h"
#include "../machine/list.h"
#include "../machine/tell.h"
#include "poller.h"
#include <errno.h>
#ifdef TASK_URING
#include <liburing.h>
#include <string.h>

/*
 * What the interface does, and what is done about it:
 *
 * a) Requests are written to a ring and handed over by one call, which waits
 *    too.  So nothing is written before the wait: until then a request is a
 *    note, in changed or noted, and is taken back if its descriptor is closed.
 * b) A poll request reports once.  It is made again if its events are still
 *    armed after that.  It carries a number, by which the reports of a request
 *    that has been replaced are known.
 * c) The kernel writes into an operation's buffer until it has said that the
 *    operation has ended, cancelled or not.  So an Op is never let go before.
 * d) A request that is under way keeps its file open, whatever close(2) says.
 * e) The ring may be full: the rest stays a note, and goes with the next call.
 * f) A wait hands out a portion of the reports only, unless more are asked for.
 * g) A poll request for POLLPRI alone is never woken: POLLRDBAND helps.
 * h) A poll request reports a peer that will send no more, wanted or not, at
 *    once.  Then it is replaced by a request that reports changes only.
 * i) A send that has to wait does so in a thread if the peer will send no
 *    more.  So sends are made not to wait, but to fail with EAGAIN.
 * j) A child of fork(2) has the ring's memory too: what it wrote there the
 *    parent would hand over.  The child never hears of what the parent has
 *    asked for, and its own buffers are not written to.
 * k) The ring's memory outlives its number.  What is under way when that is
 *    closed ends after the memory is given back, and nobody is told.  From
 *    Linux 6.1 on its buffers are not written to any more.
 */
enum
{
	Requests = 512,	/* in the ring of requests at once */
	Reports = 8 * Requests,	/* in the other; the kernel keeps more */
	Portion = 20,	/* so many reports: there may be more */
	ReportsMost = 256	/* asked for in one wait */
};

/*
 * Op.state.  Noted: the call is to be handed to the kernel; Underway: it has
 * been; Unwanted: its cancel is to be handed over; Leaving: it has been.
 */
enum { Noted, Underway, Unwanted, Leaving };

enum { Cancel = 2 };	/* added to an Op's name: names its cancel */

/* What a descriptor is armed for, and what the kernel was asked about it. */
typedef struct Watch
{
	uint64_t cookie;
	uint32_t number;	/* of the last request */
	unsigned char events;	/* armed */
	unsigned char asked;	/* the events of the request under way, or 0 */
	unsigned char stale;	/* the request under way is to be cancelled */
	unsigned char changes;	/* the next request is to report changes only */
	unsigned char calm;	/* its first report is no news, if an error */
	unsigned char changed;	/* its descriptor is in Uring.changed */
} Watch;

typedef struct Uring
{
	struct io_uring ring;
	Watch *watches;	/* by descriptor */
	int *changed;	/* whose request is to be made or cancelled */
	int nwatch;	/* room in both */
	int nchanged;
	Oplist noted;	/* Ops to be handed over or cancelled */
	Oplist underway;	/* Ops that the kernel has */
	int refused;	/* the kernel failed a poll request: do not spin */
	int lost;	/* the ring must not be used */
	int mapped;	/* ring is valid, lost or not */
	int mark;	/* that of the ring's descriptor */
} Uring;

static int
openring(Uring *u)
{
	if(task_sys.uringopen(Requests, Reports, &u->ring) < 0)
		return -1;
	u->mark = task_sys.mark(u->ring.ring_fd);
	u->mapped = 1;
	u->lost = 0;
	return 0;
}

/* closes the ring, but not a number that is another file's by now. */
static void
closering(Uring *u)
{
	int err = errno;

	if(u->mapped){
		if(task_sys.marked(u->ring.ring_fd) != u->mark)
			u->ring.ring_fd = -1;
		task_sys.uringclose(&u->ring);
	}
	u->mapped = 0;
	errno = err;
}

static void *
uringopen(void)
{
	Uring *u = task_sys.alloc(sizeof *u);

	if(u && openring(u) == 0)
		return u;
	if(u)
		task_sys.free(u);
	return NULL;
}

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

/* notes that the kernel is to be asked anew about w's descriptor. */
static void
note(Uring *u, Watch *w)
{
	if(!w->changed)
		u->changed[u->nchanged++] = (int)(w - u->watches);
	w->changed = 1;
}

static int
uringarm(void *state, int fd, int were, int events, uint64_t cookie)
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
	note(u, w);
	return 0;
}

static void
uringdisarm(void *state, int fd)
{
	Uring *u = state;

	if(fd >= u->nwatch)
		return;
	Watch *w = &u->watches[fd];
	w->events = 0;
	if(w->asked){
		w->stale = 1;
		note(u, w);
	}
}

static void
uringsubmit(void *state, Op *op)
{
	Uring *u = state;

	op->state = Noted;
	listadd(&u->noted, op, prev, next);
}

static int
uringcancel(void *state, Op *op)
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

static int
uringholds(void *state, int fd)
{
	const Uring *u = state;

	return fd < u->nwatch && u->watches[fd].asked;
}

/* returns room for a request in the ring; NULL if there is none now. */
static struct io_uring_sqe *
request(Uring *u)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);

	if(sqe == NULL && task_sys.uringenter(&u->ring, 0, NULL) == 0)
		sqe = io_uring_get_sqe(&u->ring);
	return sqe;
}

/*
 * returns the name of w's request, which its report will have.  It is odd; the
 * name of an Op is its address, a multiple of 4.
 */
static uint64_t
nameof(const Uring *u, const Watch *w)
{
	return (uint64_t)w->number << 32 | (uint64_t)(w - u->watches) << 1 | 1;
}

static unsigned int
maskof(int events)
{
	return (unsigned int)events | (events & PollPri ? POLLRDBAND : 0);
}

/*
 * writes the requests that w needs to the ring; returns -1 if there is no room.
 */
static int
askkernel(Uring *u, Watch *w)
{
	struct io_uring_sqe *sqe;

	if(w->asked && (w->stale || w->asked != w->events)){
		if((sqe = request(u)) == NULL)
			return -1;
		io_uring_prep_cancel64(sqe, nameof(u, w), 0);
		io_uring_sqe_set_data64(sqe, 0);
		w->asked = 0;
	}
	w->stale = 0;
	if(w->events && w->asked == 0){
		if((sqe = request(u)) == NULL)
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

/* writes the notes to the ring, as far as there is room. */
static void
writenotes(Uring *u)
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
	while((op = u->noted.head) && (sqe = request(u))){
		if(op->state == Unwanted){
			io_uring_prep_cancel64(sqe, (uintptr_t)op, 0);
			io_uring_sqe_set_data64(sqe, (uintptr_t)op | Cancel);
			op->state = Leaving;
		}else{
			askfor(sqe, op);
			op->state = Underway;
		}
		listremove(&u->noted, op, prev, next);
		listadd(&u->underway, op, prev, next);
	}
}

static int
eventsof(int mask)
{
	return (task_pollevents(mask) & ~PollBad) |
		(mask & POLLRDBAND ? PollPri : 0);
}

/* takes the report of a poll request. */
static void
polled(Uring *u, const struct io_uring_cqe *cqe, Fired *fired, void *arg)
{
	Watch *w = &u->watches[(uint32_t)cqe->user_data >> 1];
	int more = (cqe->flags & IORING_CQE_F_MORE) != 0, events = PollBad;

	if(w->asked == 0 || w->number != cqe->user_data >> 32)
		return;
	if(!more)
		w->asked = 0;
	if(w->stale)
		return;
	if(cqe->res != -EBADF){
		events = cqe->res < 0 ? 0 : eventsof(cqe->res);
		u->refused |= cqe->res < 0;
		if(events == PollErr && w->calm)
			events = 0;
		w->calm = 0;
		w->changes |= events == 0 && cqe->res > 0;
	}
	if(events){
		fired(arg, w->cookie, events);
		w->stale |= more;
	}
	if(w->events && (w->stale || !more))
		note(u, w);
}

static void
opended(Uring *u, Op *op, int result, Fired *fired, void *arg)
{
	Oplist *l = op->state == Unwanted ? &u->noted : &u->underway;

	listremove(l, op, prev, next);
	op->result = result;
	if(op->kind == OpRecv && result > 0)	/* not seen by Valgrind */
		VALGRIND_MAKE_MEM_DEFINED(op->buf, result);
	fired(arg, (uintptr_t)op, PollDone);
}

/*
 * cancels an Op anew, whose cancel has found nothing to cancel.  The Op of this
 * name may have ended and another one be in its memory: that is then cancelled
 * anew, if it was to be cancelled too, and else left alone.
 */
static void
notcancelled(Uring *u, uint64_t name)
{
	Op *op = u->underway.tail;

	while(op && (op->state != Leaving || (uintptr_t)op != name))
		op = op->prev;
	if(op)
		uringcancel(u, op);
}

/* takes all reports off the ring; returns how many there were. */
static int
report(Uring *u, Fired *fired, void *arg)
{
	struct io_uring_cqe *cqe;
	unsigned int head;
	int n = 0;

	io_uring_for_each_cqe(&u->ring, head, cqe){
		uint64_t name = cqe->user_data;
		if(name & 1)
			polled(u, cqe, fired, arg);
		else if(name & Cancel){
			if(cqe->res < 0)
				notcancelled(u, name - Cancel);
		}else if(name)
			opended(u, (Op *)(uintptr_t)name, cqe->res, fired, arg);
		n++;
	}
	io_uring_cq_advance(&u->ring, (unsigned int)n);
	return n;
}

static void
uringleave(void *state)
{
	Uring *u = state;

	u->lost = 1;
}

/* returns whether err says that the number is closed, or not this ring's. */
static int
ringlost(int err)
{
	return err == EBADF || err == EINVAL || err == EOPNOTSUPP ||
		err == EEXIST;
}

/*
 * Requests name descriptors, which others may close and get again.  So none
 * stays in the ring after the wait: if the kernel does not take one now it is
 * asked again until it does.
 */
static int
uringwait(void *state, struct timespec *timeout, Fired *fired, void *arg)
{
	Uring *u = state;
	unsigned int most = 1;
	int n;

	do{
		struct timespec nap = {0, 10 * Millisecond};
		if(u->lost)
			return -1;
		writenotes(u);
		int r = task_sys.uringenter(&u->ring, most, timeout);
		u->lost |= r < 0 && ringlost(errno);
		n = report(u, fired, arg);
		if(r < 0 || u->refused)
			task_sys.poll(NULL, 0, &nap);
		u->refused = 0;
		*timeout = (struct timespec){0, 0};
		most = ReportsMost;
	}while((n >= Portion && n < ReportsMost) ||
		io_uring_sq_ready(&u->ring) > 0);
	return 0;
}

/*
 * begins all ops anew, those that were under way first.  But the cancelled ones
 * end, and with err all do.
 */
static void
reopenops(Uring *u, int err, Fired *fired, void *arg)
{
	Oplist all[] = {u->underway, u->noted};
	Op *op, *next;

	u->underway = u->noted = (Oplist){NULL, NULL};
	for(int i = 0; i < 2; i++)
		for(op = all[i].head; op; op = next){
			int unwanted = op->state >= Unwanted;
			next = op->next;
			if(!unwanted && err == 0){
				uringsubmit(u, op);
				continue;
			}
			op->result = unwanted ? -ECANCELED : -err;
			fired(arg, (uintptr_t)op, PollDone);
		}
}

static int
uringrenew(void *state, Fired *fired, void *arg)
{
	Uring *u = state;

	closering(u);
	int err = openring(u) < 0 ? errno : 0;
	if(u->watches)
		memset(u->watches, 0, (size_t)u->nwatch * sizeof *u->watches);
	u->nchanged = 0;
	u->refused = 0;
	reopenops(u, err, fired, arg);
	return err ? task_fail(err) : 0;
}

/*
 * closes a connection that is accepted while uringclose waits: no task is there
 * any more to take it.
 */
static void
drop(void *arg, uint64_t cookie, int events)
{
	const Op *op = (const Op *)(uintptr_t)cookie;

	(void)arg;
	if((events & PollDone) && op->kind == OpAccept && op->result >= 0)
		task_sys.close(op->result);
}

/* waits until the kernel has ended all Ops, for their buffers go after this. */
static void
uringclose(void *state)
{
	Uring *u = state;
	Op *op, *next;

	for(op = u->noted.head; op; op = next){
		next = op->next;
		if(op->state == Noted)
			listremove(&u->noted, op, prev, next);
	}
	while((op = u->underway.head))
		uringcancel(u, op);
	while(u->noted.head || u->underway.head){
		struct timespec t = {1, 0};
		if(uringwait(u, &t, drop, NULL) < 0)
			break;
	}
	closering(u);
	task_sys.free(u->watches);
	task_sys.free(u->changed);
	task_sys.free(u);
}

const Poller task_uring = {
	.name = "uring",
	.forever = PollForever,
	.open = uringopen,
	.arm = uringarm,
	.disarm = uringdisarm,
	.submit = uringsubmit,
	.cancel = uringcancel,
	.holds = uringholds,
	.wait = uringwait,
	.close = uringclose,
	.leave = uringleave,
	.renew = uringrenew,
};
#endif
