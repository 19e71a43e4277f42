/* SPDX-License-Identifier: MIT */
/* What a kernel interface for waiting looks like to the fdtask. */
#ifndef TASK_POLLER_H
#define TASK_POLLER_H

#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

/*
 * A poller watches descriptors for a proc.  It knows nothing of tasks: each
 * descriptor has a cookie, which comes back with its events.  There are two
 * kinds: level-triggered ones report what is armed and true in every wait;
 * edge-triggered ones report it when it becomes true, and if it is true at the
 * time of arming.
 */
enum	/* the numbers are those of poll(2) */
{
	PollIn = POLLIN,	/* can be read, or accepts */
	PollOut = POLLOUT,	/* can be written, or is connected */
	PollPri = POLLPRI,	/* something exceptional, such as urgent data */

	/* the peer will send no more; edges report it whether armed or not */
	PollHup = POLLHUP,

	/* reported whether armed or not */
	PollErr = POLLERR,	/* error or hang-up */
	PollBad = POLLNVAL,	/* not an open descriptor */

	PollDone = 64,	/* the cookie is the address of an Op that has ended */
	PollSent = 256,	/* besides: of a Sending, whose result is known */

	/*
	 * armed besides others, with level-triggered pollers only: PollErr is
	 * true and no call clears it, so it is no news.  What else comes, and
	 * the next error, is reported, but for a poller that omits.
	 */
	PollCalm = 128
};

#ifndef POLLRDHUP	/* then nobody knows before both sides have closed */
#define POLLRDHUP 0
#endif

/* turns what poll(2) says of a descriptor into events, and back. */
static inline int
task_pollevents(int revents)
{
	return (revents & (PollIn | PollOut | PollPri | PollBad)) |
		(revents & (POLLERR | POLLHUP) ? PollErr : 0) |
		(revents & POLLRDHUP ? PollHup : 0);
}

static inline int
task_pollmask(int events)
{
	return (events & (PollIn | PollOut | PollPri)) |
		(events & PollHup ? POLLRDHUP : 0);
}

enum Opkind { OpRecv, OpSend, OpAccept, OpConnect };

/*
 * What a recv sends before it begins, by the same system call.  It is sent
 * without waiting, so the buffer is the sender's again when the wait that hands
 * it over has ended.  That wait reports it, before or after the recv if this
 * ends then too.  What was cancelled before that is neither sent nor reported.
 */
typedef struct Sending Sending;
struct Sending
{
	_Alignas(8) const void *buf;
	size_t n;
	int result;	/* how much of it was sent, or -errno */

	/* hears that; returns whether the recv is wanted still */
	int (*sent)(Sending *a);

	/* for the poller and fd/op.c */
	struct Op *op;
	Sending *next;
};

/*
 * An Op is a call that the poller makes in place of its caller, and that waits
 * if need be.  The Op and its buffer must stay where they are until it has
 * ended.
 */
typedef struct Op
{
	_Alignas(8) enum Opkind kind;
	int fd;
	void *buf;	/* or an address: accept writes the peer's */
	size_t n;	/* bytes in buf; not accept's */
	socklen_t *len;	/* bytes in buf, for accept only */
	int result;	/* what the call returned, or -errno */
	Sending *sending;	/* a recv's, until it is handed over, or NULL */

	/* for the poller only */
	int state;
	struct Op *next;
	struct Op *prev;

	/* for fd/op.c only */
	void *owner;	/* the task that waits for it */
	struct Op *behind;	/* the next of its direction and descriptor */
	unsigned char unwanted;	/* given up, or fd was closed */
	unsigned char done;	/* ended: result is valid */
} Op;

/* Ops in the order of arrival. */
typedef struct Oplist
{
	Op *head;
	Op *tail;	/* valid if there is a head */
} Oplist;

/*
 * What a wait calls for a descriptor with events, an Op that has ended, or a
 * Sending that was sent.
 */
typedef void Fired(void *arg, uint64_t cookie, int events);

/*
 * In seconds: PollForever is the longest that anybody waits for.  PollNever is
 * so long that Linux takes it for no timeout: then it sets no timer, which each
 * wait would pay for.
 */
enum { PollForever = 1000000000 };
#define PollNever ((time_t)(sizeof(time_t) > 4 ? 10000000000 : PollForever))

typedef struct Poller
{
	const char *name;
	int edge;	/* whether it is edge-triggered */
	int omits;	/* what is with PollCalm, until it is armed anew */
	time_t forever;	/* the timeout of a wait that has none, s */

	/* returns the state that the others are called with; NULL and errno */
	void *(*open)(void);

	/*
	 * watches fd for events from now on, in place of were, those armed for
	 * it until now, or 0.  Returns 0; -1 and errno, and then nothing has
	 * changed: EPERM for a file that is always ready.
	 */
	int (*arm)(void *state, int fd, int were, int events, uint64_t cookie);
	void (*disarm)(void *state, int fd);

	/*
	 * NULL, or returns whether what is armed for fd is another open file
	 * than the one that the number stands for now.  Then it must be
	 * disarmed.
	 */
	int (*another)(void *state, int fd);

	/*
	 * Both are NULL in a poller that makes no calls.  submit has op's call
	 * made, at the latest in the next wait.  cancel returns 1 if the call
	 * had not begun: then op is over, and fired is not called for it.  Else
	 * it returns 0, and op ends soon, one way or another.
	 */
	void (*submit)(void *state, Op *op);
	int (*cancel)(void *state, Op *op);

	/*
	 * NULL, or: returns whether the file of fd, though disarmed, is kept
	 * open until the next wait, as by a cancelled op it may be.
	 */
	int (*holds)(void *state, int fd);

	/*
	 * waits for at most timeout, and calls fired for each descriptor that
	 * has events and each op that has ended.  fired may arm, disarm and
	 * submit.  No file is kept open after it by what was disarmed or
	 * cancelled before.  timeout lies where a signal handler can zero it,
	 * which ends the wait even if it has not begun.  Where the kernel
	 * cannot wait, what is true is reported all the same, a little later,
	 * and nothing that is not.  Returns 0; -1 if the poller will never wait
	 * again unless it is renewed.
	 */
	int (*wait)(void *state, struct timespec *timeout, Fired *fired,
		void *arg);
	void (*close)(void *state);

	/*
	 * For who waits otherwise than by wait.  outside is NULL, or returns a
	 * descriptor that can be read when wait would find something, another
	 * one perhaps after a renewal; -1 and errno.  flush is NULL, or hands
	 * over what is noted, as a wait does, but reports nothing: so the
	 * kernel knows of all that is armed and submitted.  Returns 0; -1 if
	 * something is noted still, or the poller is to be renewed.
	 */
	int (*outside)(void *state);
	int (*flush)(void *state);

	/*
	 * leave and renew are NULL for a poller that has nothing in the kernel.
	 * What others have there can be lost: the program may close its number,
	 * and in the child of a fork(2) it is the parent's.  leave tells the
	 * child's poller so, in a handler of pthread_atfork.  A poller that has
	 * lost it does not touch it again: wait returns -1, and the other
	 * functions only note what they are asked for.
	 *
	 * renew makes another, where nothing is armed.  Ops are begun anew
	 * there, and those that were cancelled end.  Returns 0; -1 and errno,
	 * with which all ops have ended, and renew may be called again.
	 */
	void (*leave)(void *state);

	/*
	 * NULL in a poller that makes no calls.  After leave: no op is there
	 * any more, and none ends.
	 */
	void (*drop)(void *state);
	int (*renew)(void *state, Fired *fired, void *arg);
} Poller;

/* A poller in use. */
typedef struct Polling
{
	const Poller *poller;
	void *state;
} Polling;

/* What the poller in use watches a descriptor for. */
typedef struct Interest
{
	uint32_t generation;	/* counts the files its number has stood for */
	unsigned char armed;	/* events */
} Interest;

#pragma GCC visibility push(hidden)

extern const Poller task_poll, task_epoll, task_uring;

/* The pollers of this system, the simplest first; the last is NULL. */
extern const Poller *const task_pollers[];

/* The poller for many descriptors, which works wherever it is; or NULL. */
extern const Poller *const task_largepoller;

/*
 * interest.c: task_arm, task_armfor, task_rearmwith return 0, or -1 and errno
 */

/* watches fd for these events, and for nothing else. */
int task_arm(const Polling *p, Interest *i, int fd, int events);
void task_disarm(const Polling *p, Interest *i, int fd);

/*
 * arms fd for a task that is going to wait for event, beside those who wait for
 * wanted.  found: the task has just found, by a call, that it would have to
 * wait; then event may be with PollCalm.
 */
int task_armfor(const Polling *p, Interest *i, int fd, int wanted, int event,
	int found);

/* disarms what is not wanted any more, when some have stopped waiting. */
void task_relax(const Polling *p, Interest *i, int fd, int wanted);

/*
 * disarms fd, whose number will be another file's: nothing that happens to the
 * present one is reported.
 * Returns whether the poller keeps the file open until its next wait.
 */
int task_forget(const Polling *p, Interest *i, int fd);

/* has to, another poller, watch fd for what is armed, without PollCalm. */
int task_rearmwith(const Polling *to, const Interest *i, int fd);

/* outside.c */

/*
 * What a poller and the next deadline are for another loop: one descriptor, of
 * an epoll set, that can be read when there is something to do.
 */
typedef struct Outside Outside;

enum { AtOnce = 1 };	/* in place of a deadline */
#define NoDeadline INT64_MAX

/* returns a new one; NULL and errno. */
Outside *task_outsideopen(void);
void task_outsideclose(Outside *o);

/*
 * returns its descriptor.  If the number is another file's by now, or closed, a
 * new one is made; -1 and errno.
 */
int task_outsidefd(Outside *o, const Polling *p);

/*
 * has it tell from now on what is to be told: that a wait of p would find
 * something, or door be read, which p is armed with, or deadline_ns has come.
 */
void task_outsidearm(Outside *o, const Polling *p, int door,
	int64_t deadline_ns);

/* has it tell nothing any more until task_outsidearm is called again. */
void task_outsidequiet(Outside *o);

/* The poller has been renewed, or is another one. */
void task_outsideanew(Outside *o);

/*
 * The child of a fork(2) gets one of its own, by the same number, which tells
 * at once; o may be NULL.
 */
void task_outsideforked(Outside *o);

#pragma GCC visibility pop

#endif
