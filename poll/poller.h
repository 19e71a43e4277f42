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
 * edge-triggered ones report it when it becomes true, and when it is when it is
 * armed.
 */
enum	/* the numbers are those of poll(2) */
{
	PollIn = POLLIN,	/* can be read, or accepts */
	PollOut = POLLOUT,	/* can be written, or is connected */
	PollPri = POLLPRI,	/* something exceptional, such as urgent data */

	/* reported whether armed or not */
	PollErr = POLLERR,	/* error or hang-up */
	PollHup = POLLHUP,	/* the peer will send no more */
	PollBad = POLLNVAL,	/* not an open descriptor */

	PollDone = 64	/* the cookie is the address of an Op that has ended */
};

/* What poll(2) says of a descriptor, as events. */
static inline int
task_pollevents(int revents)
{
	return (revents & (PollIn | PollOut | PollPri | PollBad)) |
		(revents & (POLLERR | POLLHUP) ? PollErr : 0);
}

enum Opkind { OpRecv, OpSend, OpAccept, OpConnect };

/*
 * A call that the poller makes in place of its caller, and that waits if need
 * be.  It must stay where it is until it has ended, and so must its buffer.
 */
typedef struct Op
{
	enum Opkind kind;
	int fd;
	void *buf;	/* of an address: where accept writes the peer's */
	size_t n;
	socklen_t *len;	/* accept's */
	int result;	/* what the call returned, or -errno */

	/* the poller's */
	int state;
	struct Op *next;
	struct Op *prev;

	/* its maker's */
	void *owner;
	struct Op *behind;
	unsigned char unwanted;
	unsigned char done;
} Op;

/* In the order of arrival. */
typedef struct Oplist
{
	Op *head;
	Op *tail;	/* valid if there is a head */
} Oplist;

typedef void Fired(void *arg, uint64_t cookie, int events);

/*
 * Seconds: the longest that anybody waits for, and what Linux takes for no
 * timeout at all: then it sets no timer, which each wait would pay for.
 */
enum { PollForever = 1000000000 };
#define PollNever ((time_t)(sizeof(time_t) > 4 ? 10000000000 : PollForever))

typedef struct Poller
{
	const char *name;
	int edge;	/* of the second kind */
	time_t forever;	/* the timeout of a wait that has none, s */

	/* returns the state that the others are called with; NULL and errno */
	void *(*open)(void);

	/*
	 * watches fd for events from now on, in place of those that were armed
	 * for it, 0 if none.  Returns 0; -1 and errno, and then they stay so:
	 * EPERM for a file that is always ready.
	 */
	int (*arm)(void *state, int fd, int were, int events, uint64_t cookie);
	void (*disarm)(void *state, int fd);

	/*
	 * NULL, or: makes op's call, at the latest in the next wait.  cancel
	 * returns 1 if it has not been begun: then it has ended.  Else 0, and
	 * it ends soon, one way or another.
	 */
	void (*submit)(void *state, Op *op);
	int (*cancel)(void *state, Op *op);

	/*
	 * NULL, or: whether a watch that is disarmed keeps fd's file open until
	 * the next wait, as a cancelled op may.
	 */
	int (*holds)(void *state, int fd);

	/*
	 * waits for at most timeout, and calls fired for each descriptor that
	 * has events and each op that has ended.  fired may arm, disarm and
	 * submit.  What was disarmed or cancelled lets go of its file.
	 * timeout lies where a signal handler can zero it, which ends the wait
	 * even if it has not begun.  A kernel that cannot wait is no excuse:
	 * what is true is told all the same, a little later, and nothing that
	 * is not.
	 */
	void (*wait)(void *state, struct timespec *timeout, Fired *fired,
		void *arg);
	void (*close)(void *state);
} Poller;

/* A poller in use. */
typedef struct Polling
{
	const Poller *poller;
	void *state;
} Polling;

/* What it watches a descriptor for. */
typedef struct Interest
{
	uint32_t generation;	/* counts the files its number has stood for */
	unsigned char armed;	/* events */
} Interest;

#pragma GCC visibility push(hidden)

extern const Poller task_poll, task_epoll, task_uring;

/* Those there are here, the simplest first; NULL ends them. */
extern const Poller *const task_pollers[];

/* The one for many descriptors that works wherever it is; or NULL. */
extern const Poller *const task_largepoller;

/* interest.c: all but relax and rearm may fail with errno */

/* watches for these events, and for nothing else. */
int task_arm(const Polling *p, Interest *i, int fd, int events);
void task_disarm(const Polling *p, Interest *i, int fd);

/*
 * sees to it that who is going to wait for event, beside those who wait for
 * wanted, is told.  found: a call has just found that it would have to wait.
 */
int task_armfor(const Polling *p, Interest *i, int fd, int wanted, int event,
	int found);

/* Some have gone: from now on only wanted is of interest. */
void task_relax(const Polling *p, Interest *i, int fd, int wanted);

/* The number may be another file's now: it is watched as if for the first time. */
void task_rearm(const Polling *p, Interest *i, int fd, int wanted);

/*
 * The number will be another file's: nothing that happens to this one is told.
 * Returns whether the poller keeps the file open until its next wait.
 */
int task_forget(const Polling *p, Interest *i, int fd);

/* has another poller watch for what is armed. */
int task_rearmwith(const Polling *to, Interest *i, int fd);

#pragma GCC visibility pop

#endif
