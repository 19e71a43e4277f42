/* SPDX-License-Identifier: MIT */
/* The machine under the tasks: system calls, contexts, stacks, sleeping. */
#ifndef TASK_MACHINE_H
#define TASK_MACHINE_H

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

#pragma GCC visibility push(hidden)

struct epoll_event;
struct io_uring;

static inline int
task_fail(int err)
{
	errno = err;
	return -1;
}

/* The next random number, by xorshift: enough for choices to be fair. */
static inline uint64_t
task_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* sys.c */

/* What tells the file of a descriptor from others. */
typedef struct Fileid
{
	dev_t device;
	ino_t inode;
} Fileid;

/*
 * Every system call of the library, and its memory.  None fails with EINTR.
 * Tests and the simulation put in other functions.
 */
typedef struct Sys
{
	int64_t (*now)(void);	/* monotonic clock in ns */
	/* the kernel itself reads timeout: a signal handler may zero it */
	int (*poll)(struct pollfd *fds, nfds_t nfds, struct timespec *timeout);
	int (*epollopen)(void);	/* these three on Linux only */
	int (*epollctl)(int epfd, int op, int fd, struct epoll_event *e);
	int (*epollwait)(int epfd, struct epoll_event *e, int n,
		struct timespec *timeout);
	int (*uringopen)(unsigned int requests, unsigned int reports,
		struct io_uring *ring);	/* these four with liburing only */
	/* hands over what is in the ring; waits for n reports, if n > 0 */
	int (*uringenter)(struct io_uring *ring, unsigned int n,
		struct timespec *timeout);
	/* has the eventfd fd written when there may be reports */
	int (*uringevent)(struct io_uring *ring, int fd);
	void (*uringclose)(struct io_uring *ring);

	int (*eventopen)(void);	/* an eventfd; these three on Linux only */
	/* a timerfd; it can be read from ns on, if that is not 0 */
	int (*timeropen)(void);
	int (*timerset)(int fd, int64_t ns);
	/*
	 * The clock on the wall, in ns since 1970; and a timerfd of that clock,
	 * on Linux only.  It can be read from ns on, and once somebody sets the
	 * clock after the timer was set: then read may fail with ECANCELED.
	 */
	int64_t (*wallnow)(void);
	int (*wallopen)(void);
	int (*wallset)(int fd, int64_t ns);
	/*
	 * await sleeps if word is value, until wake, which is called for one
	 * who sleeps; or it returns sooner.  wake does not touch the word.
	 */
	void (*await)(atomic_int *word, int value);
	void (*wake)(atomic_int *word);

	void *(*alloc)(size_t bytes);	/* zeroed */
	void *(*resize)(void *v, size_t bytes);
	void (*free)(void *v);
	void *(*map)(size_t bytes);	/* NULL if it fails */
	int (*unmap)(void *low, size_t bytes);
	/* forbid all access: with a map entry, or for all of v without any */
	int (*protect)(void *low, size_t bytes);
	int (*guard)(struct iovec *v, int n);
	/* gives back the memory, and keeps the addresses */
	int (*giveback)(void *low, size_t bytes);
	/* bit 0 of each byte in pages says whether there is memory */
	int (*resident)(void *low, size_t bytes, unsigned char *pages);

	ssize_t (*read)(int fd, void *buf, size_t n);
	ssize_t (*recv)(int fd, void *buf, size_t n);	/* sockets only */
	ssize_t (*write)(int fd, const void *buf, size_t n);
	ssize_t (*writev)(int fd, const struct iovec *v, int n);
	/* raise no SIGPIPE */
	ssize_t (*send)(int fd, const void *buf, size_t n);
	ssize_t (*sendmsg)(int fd, const struct msghdr *msg);
	ssize_t (*recvmsg)(int fd, struct msghdr *msg);	/* does not wait */
	int (*getfl)(int fd);	/* the flags of the open file */
	int (*setfl)(int fd, int flags);
	int (*close)(int fd);
	int (*fileid)(int fd, Fileid *id);
	ssize_t (*pread)(int fd, void *buf, size_t n, off_t at);
	/* ENOSYS, EINVAL: not with these files; it may raise SIGPIPE */
	ssize_t (*sendfile)(int to, int from, off_t at, size_t n);
	/*
	 * mark marks an open file otherwise than the last ones that it marked,
	 * and returns the mark; 0 if the file takes none.  marked returns it:
	 * 0 if there is none, -1 if fd is not open.  On Linux only.
	 */
	int (*mark)(int fd);
	int (*marked)(int fd);
	pid_t (*pid)(void);	/* of this process */
	pid_t (*tid)(void);	/* of this thread; 0: it has no number */
	pid_t (*fork)(void);

	/* socket and accept: non-blocking, close-on-exec */
	int (*socket)(int family, int type);
	int (*bind)(int fd, const struct sockaddr *sa, socklen_t n);
	int (*listen)(int fd, int backlog);
	int (*accept)(int fd, struct sockaddr *sa, socklen_t *n);
	int (*connect)(int fd, const struct sockaddr *sa, socklen_t n);
	int (*shutdown)(int fd, int how);
	int (*sockname)(int fd, struct sockaddr *sa, socklen_t *n);
	int (*peername)(int fd, struct sockaddr *sa, socklen_t *n);
	int (*getopt)(int fd, int level, int name, int *value);
	int (*setopt)(int fd, int level, int name, int value);
} Sys;

extern Sys task_sys;

/* clock.c: entries of task_sys. */
int64_t task_sysnow(void);
int64_t task_syswallnow(void);
int task_systimeropen(void);
int task_systimerset(int fd, int64_t ns);
int task_syswallopen(void);
int task_syswallset(int fd, int64_t ns);

/* file.c: entries of that */
int task_fileid(int fd, Fileid *id);
ssize_t task_pread(int fd, void *buf, size_t n, off_t at);
ssize_t task_sendfile(int to, int from, off_t at, size_t n);

enum { Millisecond = 1000000, Second = 1000000000 };	/* in ns */

/* context.c */

/*
 * What is kept of a computation while it does not run.  The switch pushes the
 * registers on its stack and has sp point at them.  A context that will not run
 * again says so by setting sp to NULL before its last switch.
 */
typedef struct Context
{
	void *sp;
} Context;

/* A floating-point environment, as the CPU keeps it, to start contexts with. */
typedef struct Fpenv
{
	uint64_t w[2];
} Fpenv;

/* task_contextmake where sanitizers are told. */
void task_contextmaketold(Context *c, void *low, void *top, void (*fn)(void *),
	void *arg, const Fpenv *fp);

/*
 * stops from and goes on in to, where the call that stopped it returns value.
 * There are two names, for a compiler makes no tail call where the types
 * differ.
 */
int task_contextswitch(Context *from, Context *to, uintptr_t value);
void *task_contextpass(Context *from, Context *to, uintptr_t value);

/* tells sanitizers that c, whose sp is not NULL, will not run again. */
void task_contextfree(Context *c);

/*
 * tell.c: sanitizers and Valgrind, which look at stacks too, are told of them.
 */
int task_told(void);	/* whether guards must be ones that they see */
unsigned task_stackborn(void *low, void *end);	/* number for task_stackdead */
void task_stackdead(unsigned number);

/* arch/, or context.c where there is no file for the CPU */

/* lays out a first frame under top; returns the sp that calls fn(arg) there. */
void *task_contextframe(void *low, void *top, void (*fn)(void *), void *arg,
	const Fpenv *fp);
void task_contextfp(Fpenv *fp);	/* stores the one in use */

/* arch/sanitize.c */

/*
 * How a switch goes.  Negative: it tells sanitizers, for the program has some.
 * Else 1: x86-64 compares MXCSR before it loads it.
 */
extern signed char task_contextway;

/*
 * makes c call fn(arg), which never returns, when it is first switched to.  Its
 * stack is what lies between low and top.
 */
static inline void
task_contextmake(Context *c, void *low, void *top, void (*fn)(void *),
	void *arg, const Fpenv *fp)
{
	if(task_contextway < 0)
		task_contextmaketold(c, low, top, fn, arg, fp);
	else
		c->sp = task_contextframe(low, top, fn, arg, fp);
}

/*
 * What is told: where there are sanitizers, c leads to another context, which
 * is the one to be made, below it; from is left with sp, and to goes on with
 * what is returned; to goes on; c will not run again.
 */
Context *task_tellmade(Context *c, void *low, void *top);
void *task_tellbefore(Context *from, const Context *to, void *sp);
void task_tellafter(void);
void task_tellfree(Context *c);
const void *task_toldsp(const Context *c);	/* of the other context */

/* LSan looks for pointers there, or does no longer. */
void task_slabborn(const void *low, size_t bytes);
void task_slabdead(const void *low, size_t bytes);

/* stack.c */

enum
{
	StackMin = 64 * 1024,	/* libtask's 8 KiB do not survive printf */
	StackClasses = 17,	/* StackMin doubled up to 4 GiB */
#ifndef TASK_GUARD_BYTES
#define TASK_GUARD_BYTES 65536
#endif
	GuardBytes = TASK_GUARD_BYTES	/* no smaller frame can jump over it */
};

/*
 * A stack.  Its description is kept outside its memory, which can so be given
 * back whole.
 */
typedef struct Stack
{
	char *low;	/* first usable byte: the guard ends here */
	char *top;	/* behind the last one, coloured */
	size_t bytes;	/* that a task can use */
	int class;
	unsigned number;	/* Valgrind's */
} Stack;

typedef struct Slab Slab;

/* The stacks of one size. */
typedef struct Stackclass
{
	Stack **free;	/* last in, first out; room for all there are */
	int nfree;
	int ncold;	/* the first of free: their memory is given back */
	int idle;	/* the least nfree since the last trim */
	int due;	/* give back until ncold is this */
	int nstack;	/* all there are, free or not */
	Slab *slab;	/* the newest; new stacks are cut from it */
} Stackclass;

typedef struct Stackpool
{
	Slab *slabs;
	Stackclass class[StackClasses];
	int nclass;	/* no stack has been made of this class or above */
	int64_t trim_ns;	/* when to trim next */
} Stackpool;

/*
 * returns a guarded stack with bytes usable, and room for a control block; NULL
 * and errno.
 */
Stack *task_stackget(Stackpool *pool, size_t bytes);

static inline void
task_stackput(Stackpool *pool, Stack *s)
{
	Stackclass *c = &pool->class[s->class];

	c->free[c->nfree++] = s;
}

/* gives back memory of idle stacks; returns when to be called next, or -1. */
int64_t task_stacktrim(Stackpool *pool, int64_t now);

/*
 * gives back the memory of all free stacks, also their addresses if no other
 * of that size is in use; returns how many stacks had some.
 */
int task_stackdrop(Stackpool *pool);
void task_stackfree(Stackpool *pool);
size_t task_stackbytes(const Stackpool *pool);	/* addresses of all stacks */

/* returns how much of s has been touched, from its top, in whole pages. */
size_t task_stackmark(const Stack *s);
size_t task_guardbytes(void);	/* whole pages */

/* sleep.c */

typedef struct Sleeper
{
	int64_t deadline_ns;
	uint64_t seq;	/* the order of insertion, for equal deadlines */
	size_t index;	/* in the heap, counted from 1; 0: not in it */
} Sleeper;

/*
 * A deadline is here too, so that four children are compared in one cache line.
 */
typedef struct Sleepentry
{
	int64_t deadline_ns;
	Sleeper *s;
} Sleepentry;

typedef struct Sleepqueue
{
	Sleepentry *heap;	/* from 1 to n */
	size_t n;
	size_t cap;
	uint64_t seq;	/* for the next sleeper */
} Sleepqueue;

/* makes room for n sleepers: inserting cannot fail afterwards. */
int task_sleepreserve(Sleepqueue *q, size_t n);
void task_sleepshrink(Sleepqueue *q, size_t n);	/* n or more, not much more */
void task_sleepinsert(Sleepqueue *q, Sleeper *s, int64_t deadline_ns);
void task_sleepremove(Sleepqueue *q, Sleeper *s);
Sleeper *task_sleepfirst(Sleepqueue *q);	/* NULL if nobody sleeps */

#pragma GCC visibility pop
#endif
