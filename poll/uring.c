/* SPDX-License-Identifier: MIT */
/* The poller on Linux's io_uring: one system call for all that waits. */
#include "../machine/machine.h"
#include "../machine/list.h"
#include "../machine/tell.h"
#include "poller.h"
#include <errno.h>
#ifdef TASK_URING
#include "uring.h"
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
 * l) With DEFER_TASKRUN the ring's own descriptor cannot be read when something
 *    has ended, for the report is made by the next call only.  An eventfd is
 *    written all the same; but if it is for an eventfd that somebody writes,
 *    some ms later only.
 * m) A send that is not to wait has ended when it was handed over, and what it
 *    reports comes before what is reported of later requests.  With MSG_WAITALL
 *    one that has sent a part only counts as failed, but tells how much it was.
 */
enum
{
	Requests = 512,	/* in the ring of requests at once */
	Reports = 8 * Requests,	/* in the other; the kernel keeps more */
	Portion = 20,	/* so many reports: there may be more */
	ReportsMost = 256	/* asked for in one wait */
};

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

static void
closeevent(Uring *u)
{
	int err = errno;

	if(u->eventmark && task_sys.marked(u->event) == u->eventmark)
		task_sys.close(u->event);
	u->eventmark = 0;
	errno = err;
}

/* It is read before the reports are taken: what comes later writes anew. */
static void
readevent(const Uring *u)
{
	uint64_t count;
	int err = errno;

	task_sys.read(u->event, &count, sizeof count);
	errno = err;
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
		events &= w->events | ~PollHup;	/* told unasked: see h */
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
		task_uringnote(u, w);
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
		task_uringcancel(u, op);
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
		}else if(name & First)
			((Sending *)(uintptr_t)(name - First))->result =
				cqe->res;
		else if(name)
			opended(u, (Op *)(uintptr_t)name, cqe->res, fired, arg);
		n++;
	}
	io_uring_cq_advance(&u->ring, (unsigned int)n);
	return n;
}

/*
 * tells what has become of what was to be sent ahead, if all of it was handed
 * over and all reports were taken: see m.  Who is told has not run yet if its
 * Op has ended, so all of them are where they were.
 */
static void
reportsent(Uring *u, Fired *fired, void *arg)
{
	Sending *a;

	if(io_uring_sq_ready(&u->ring) > 0 ||
			io_uring_cq_has_overflow(&u->ring))
		return;
	while((a = u->sending)){
		u->sending = a->next;
		fired(arg, (uintptr_t)a, PollDone | PollSent);
	}
}

static void
uringleave(void *state)
{
	Uring *u = state;

	u->lost = 1;
}

static void
uringdrop(void *state)
{
	Uring *u = state;

	u->noted = u->underway = (Oplist){NULL, NULL};
	u->sending = NULL;
}

/* returns whether err says that the number is closed, or not this ring's. */
static int
ringlost(int err)
{
	return err == EBADF || err == EINVAL || err == EOPNOTSUPP ||
		err == EEXIST;
}

/*
 * A wait that finds reports does not have the kernel make more, of which the
 * eventfd may have told already.  timeout is zero.  Nothing is asked for
 * meanwhile, so this ends.
 */
static void
reportrest(Uring *u, struct timespec *timeout, Fired *fired, void *arg)
{
	int n;

	do
		n = task_sys.uringenter(&u->ring, ReportsMost, timeout) < 0 ?
			0 : report(u, fired, arg);
	while(n >= Portion);
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

	if(u->eventmark && !u->lost)	/* else it is the parent's */
		readevent(u);
	do{
		struct timespec nap = {0, 10 * Millisecond};
		if(u->lost)
			return -1;
		task_uringwrite(u);
		int r = task_sys.uringenter(&u->ring, most, timeout);
		u->lost |= r < 0 && ringlost(errno);
		n = report(u, fired, arg);
		reportsent(u, fired, arg);
		if(r < 0 || u->refused)
			task_sys.poll(NULL, 0, &nap);
		u->refused = 0;
		*timeout = (struct timespec){0, 0};
		most = ReportsMost;
	}while((n >= Portion && n < ReportsMost) || u->sending ||
		io_uring_sq_ready(&u->ring) > 0);
	if(u->eventmark && n > 0)
		reportrest(u, timeout, fired, arg);
	return 0;
}

static int
uringflush(void *state)
{
	Uring *u = state;

	while(!u->lost && (u->nchanged > 0 || u->noted.head ||
			io_uring_sq_ready(&u->ring) > 0)){
		task_uringwrite(u);
		if(task_sys.uringenter(&u->ring, 0, NULL) == 0)
			continue;
		u->lost |= ringlost(errno);
		return -1;
	}
	return u->lost ? -1 : 0;
}

static int
uringoutside(void *state)
{
	Uring *u = state;

	if(u->lost)
		return task_fail(EBADF);
	if(u->eventmark)
		return u->event;
	u->event = task_sys.eventopen();
	if(u->event < 0)
		return -1;
	u->eventmark = task_sys.mark(u->event);
	if(task_sys.uringevent(&u->ring, u->event) == 0)
		return u->event;
	closeevent(u);
	return -1;
}

/*
 * begins all ops anew, those that were under way first, and what they had to
 * send and was not handed over.  But the cancelled ones end, and with err all
 * do.
 */
static void
reopenops(Uring *u, int err, Fired *fired, void *arg)
{
	Oplist all[] = {u->underway, u->noted};
	Op *op, *next;

	for(; u->sending; u->sending = u->sending->next)
		u->sending->op->sending = u->sending;
	u->underway = u->noted = (Oplist){NULL, NULL};
	for(int i = 0; i < 2; i++)
		for(op = all[i].head; op; op = next){
			int unwanted = op->state >= Unwanted;
			next = op->next;
			if(!unwanted && err == 0){
				task_uringsubmit(u, op);
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

	closeevent(u);
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
	if(events == PollDone && op->kind == OpAccept && op->result >= 0)
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
		task_uringcancel(u, op);
	while(u->noted.head || u->underway.head){
		struct timespec t = {1, 0};
		if(uringwait(u, &t, drop, NULL) < 0)
			break;
	}
	closeevent(u);
	closering(u);
	task_sys.free(u->watches);
	task_sys.free(u->changed);
	task_sys.free(u);
}

const Poller task_uring = {
	.name = "uring",
	.forever = PollForever,
	.open = uringopen,
	.arm = task_uringarm,
	.disarm = task_uringdisarm,
	.submit = task_uringsubmit,
	.cancel = task_uringcancel,
	.holds = task_uringholds,
	.wait = uringwait,
	.close = uringclose,
	.outside = uringoutside,
	.flush = uringflush,
	.leave = uringleave,
	.drop = uringdrop,
	.renew = uringrenew,
};
#endif
