/* SPDX-License-Identifier: MIT */
/*
 * Cooperative tasks, channels, locks, descriptors and sockets.  Sections, their
 * pages of the manual, and the calls in them:
 *
 * Part one, what libtask had:
 *   Tasks        task(3)     taskmain taskcreate taskexit taskexitall
 *                            tasksystem taskyield anyready taskdelay taskid
 *                            taskdata needstack taskname taskstate taskgetname
 *                            taskgetstate
 *   Channels     chan(3)     chancreate chaninit chanfree chansend chanrecv
 *                            channbsend channbrecv chansendp chanrecvp
 *                            channbsendp channbrecvp chansendul chanrecvul
 *                            channbsendul channbrecvul chanalt
 *   Locks        lock(3)     qlock canqlock qunlock rlock canrlock runlock
 *                            wlock canwlock wunlock tasksleep taskwakeup
 *                            taskwakeupall
 *   Descriptors  fd(3)       fdnoblock fdread fdread1 fdwrite fdwait fdtask
 *   Network      net(3)      netannounce netaccept netdial netlookup
 *
 * Part two, what libtask had not:
 *   Schedulers   task(3)     taskrun tasksetdeadlock tasksetalloc tasktrim
 *                            taskinit taskscheduler
 *   Values       task(3)     taskkey tasklocal tasksetlocal taskkeyinherit
 *                            tasksetswitch taskwrap
 *   Deadlines    timeout(3)  timeoutstart timeoutstartas timeoutstop
 *                            timeoutfired timeoutpending withtimeout
 *                            withtimeoutdef TIMEOUT
 *   Cancelling   cancel(3)   taskcancel taskinterrupt taskcancelled taskshield
 *                            taskunshield taskdefer taskundefer
 *   Results      join(3)     taskspawn taskwait tasklink taskunlink taskfail
 *   Groups       group(3)    groupown groupspawn groupmap groupwait
 *                            groupcancel
 *   Timers       timer(3)    timerstart timeragain timerstop timerremaining
 *                            timermissed timername taskafter tasknow
 *                            taskdelayuntil
 *   Crons        cron(3)     cronstart cronstop cronnext
 *   Channels     chan(3)     chanclose chanlen chancap chanshared chanhold
 *                            chansendn chanrecvn
 *   Semaphores   sem(3)      seminit semacquire cansemacquire semrelease
 *                            eventwait eventset eventclear reclock canreclock
 *                            recunlock
 *   Coroutines   co(3)       cocreate coswitch cothrow cofree cocurrent comain
 *                            coparent cosetparent costate
 *   Generators   gen(3)      gencreate gennext gensend genthrow genyield
 *                            genclose gendelegate genrange GENFOR
 *   Descriptors  fd(3)       fdreadn fdgot fdclose fdwritten fdon fdoff
 *                            fdwritev taskpoller
 *   Network      net(3)      netacceptaddr netresolve neterror netsendto
 *                            netrecvfrom netoption
 *   Streams      stream(3)   streamopen streamread streamreadn streamuntil
 *                            streamline streampeek streamskip streamwrite
 *                            streamwritev streamprint streamsendfile
 *                            streamflush streamshut streampush streamclose
 *                            streamfd streamlayer streamlayerof
 *   Servers      server(3)   serverstart serverlisten serverport serverlive
 *                            serverspread serverstop serverstopping
 *   Procs        proc(3)     proccreate procself proccpus procpost proccall
 *                            procwait taskshutdown taskhope
 *   Embedding    embed(3)    procopen procfd procstep procclose
 *   Threads      offload(3)  offload offloadmax
 *   Signals      signalwatch(3)  signalwatch signalunwatch
 *   Children     child(3)    childspawn childwait childkill childadopt
 *   Fork         fork(3)     taskfork
 *   Inspecting   inspect(3)  tasklist taskinfo taskstack taskdump taskwhy
 *                            taskstats taskstackused taskprofile tasksettrace
 *   Watchdog     watchdog(3) taskwatchdog taskbusy
 *   Console      console(3)  console consoleserve consoleadd consoleprint
 *                            consolesignal consolebreak taskstdout
 *   Tracing      trace(3)    tracestart tracestop tracesave traceon tracemark
 *                            tracebegin traceend
 */
#ifndef TASK_H
#define TASK_H

/*
 * What holds for every call here:
 *
 * A call that fails returns -1 (or NULL) and sets errno; a call that succeeds
 * leaves errno alone.  errno and the control of floating point (rounding and
 * masks, not the flags) belong to the task.  EINVAL means an argument that can
 * never work, ENOMEM that memory or map entries ran out: in both cases nothing
 * has changed.
 *
 * The calls work inside a task.  Where no scheduler runs they fail with EPERM,
 * those without another error return 0.  These work anywhere: taskcreate (for
 * the scheduler to come, or procopen's), taskrun, taskinit, taskscheduler,
 * procopen, taskexit, taskexitall and taskfail (there they are exit),
 * tasksetdeadlock, tasksetalloc, taskkey, taskkeyinherit, tasknow, anyready,
 * timeoutfired, cronnext, chancreate, chaninit, chanfree, chanshared, on shared
 * channels all calls but chanalt, seminit, fdnoblock, netlookup, netresolve,
 * neterror, proccpus, procpost, taskhope, offloadmax, taskwhy, taskwatchdog,
 * consoleadd, and taskstdout (there it is 1).
 *
 * Each thread has its own tasks, and an object is for those of one thread; but
 * channels of chanshared are for all.  In another thread EPERM is what calls
 * fail with on channels, streams, timers, crons, generators and groups made
 * elsewhere, and on locks, semaphores, events and Rendez that tasks there hold
 * or wait for; calls that unlock are misuse.
 *
 * Calls that say "Blocks" let other tasks run meanwhile; the others never do.
 * Of many in a row that need not wait, one lets others run too, if it receives
 * or takes something, or is for a descriptor.
 * In place of waiting they fail with ETIMEDOUT when a deadline has passed (see
 * timeoutstart), with ECANCELED in a task that was cancelled (taskcancel), and
 * once with EINTR in one that was interrupted (taskinterrupt).
 *
 * Misuse that no correct program can run into (unlocking what is not locked)
 * prints one line on stderr and the list of tasks, and aborts.
 *
 * A program written for libtask may have functions named like those of part
 * two, or types: Child, Co, Cron, Event, Gen, Group, RecLock, Sem, Server,
 * Stream, Streamlayer, Taskinfo, Taskstats, Timeout, Timer.  With TASK_COMPAT
 * defined part two is not declared, and the linker prefers the program's own
 * functions in any case.
 */

#include <stdarg.h>
#include <stddef.h>
#include <inttypes.h>
#include <sys/types.h>

/* What the declarations are made with: programs use nothing of it. */
#ifdef __cplusplus
extern "C" {
#endif
#ifdef __GNUC__
#pragma GCC visibility push(default)
#define TASK_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define TASK_NORETURN __attribute__((noreturn))
#define TASK_CLEANUP(fn) __attribute__((cleanup(fn)))
#define TASK_INLINE static __inline__
#else
#define TASK_PRINTF(fmt, args)
#define TASK_NORETURN
#define TASK_CLEANUP(fn)
#define TASK_INLINE static inline
#endif

struct iovec;	/* of <sys/uio.h> */
struct sockaddr_storage;	/* of <sys/socket.h> */

/* The first and the last who wait, in the order of arrival. */
typedef struct Tasklist
{
	struct Task *head;
	struct Task *tail;
} Tasklist;

typedef struct Altlist
{
	struct Alt *head;
	struct Alt *tail;
} Altlist;

/*
 * Part one: what libtask had.  Two tasks and a channel between them:
 *
 *	#include <stdio.h>
 *	#include <task.h>
 *
 *	static void
 *	tick(void *c)
 *	{
 *		for(unsigned long n = 1; n <= 3; n++){
 *			taskdelay(100);
 *			chansendul(c, n);
 *		}
 *	}
 *
 *	void
 *	taskmain(int argc, char **argv)
 *	{
 *		Channel *c = chancreate(sizeof(unsigned long), 0);
 *
 *		(void)argc, (void)argv;
 *		taskcreate(tick, c, 32768);
 *		for(int i = 0; i < 3; i++)
 *			printf("%lu\n", chanrecvul(c));
 *	}
 */

/* Tasks: task(3) */

typedef struct Task Task;

/*
 * taskmain is the program's first task, with id 1; the library supplies main.
 * Sizes: its stack has mainstacksize bytes, an int that the program may define
 * (0 or absent: 256 KiB).
 * Returns: returning ends this task, not the program.
 * From: libtask; Plan 9 threadmain.
 */
void taskmain(int argc, char **argv);

/*
 * taskcreate makes a task that will call fn(arg), and puts it at the tail of
 * the ready queue; the caller runs on.  Returning from fn is taskexit(0).  In a
 * thread without scheduler the task is kept, and made when one starts, behind
 * its first function.
 * Sizes: stack is in bytes and is rounded up, to 64 KiB at least; all of it can
 * be used.  Memory is taken as it is touched: an idle task costs one page.
 * Returns the task's id: 2, 3, 4 ... in the order of creation; -1 with EINVAL
 * (no fn), ENOMEM.
 * From: libtask; Plan 9 threadcreate.
 */
int taskcreate(void (*fn)(void *arg), void *arg, unsigned int stack);

/*
 * taskexit ends the running task.  When the last task that is not a system task
 * has ended, the program ends, and v of the last taskexit is its exit status:
 * to fail at once whatever others say, use taskexitall.
 * From: libtask; Plan 9 threadexits.
 */
void taskexit(int v) TASK_NORETURN;

/*
 * taskexitall ends the program: it calls what this task has deferred, and then
 * exit(v), on its stack.
 * From: libtask; Plan 9 threadexitsall.
 */
void taskexitall(int v) TASK_NORETURN;

/*
 * tasksystem makes the running task a system task: the program does not wait
 * for it to end.  Calling it again changes nothing.
 * From: libtask.
 */
void tasksystem(void);

/*
 * taskyield lets the other ready tasks run, each once, and then goes on.
 * Returns how many switches to others happened meanwhile, the fdtask's
 * included: 0 if nobody else was ready; -1 with EPERM.
 * From: libtask.
 */
int taskyield(void);

/*
 * anyready tells whether another task is ready to run.
 * Returns 1 or 0.
 * From: libtask.
 */
int anyready(void);

/*
 * taskdelay sleeps for ms milliseconds at least; the clock is the monotonic
 * one.  Equal deadlines wake in the order in which they were set.  taskdelay(0)
 * waits until descriptors and timers have been looked at once.
 * Returns the milliseconds really slept: fewer, with errno set, if a deadline
 * or a cancel ended it.
 * Blocks: for that time.
 * From: libtask.
 */
unsigned int taskdelay(unsigned int ms);

/*
 * taskid tells the running task's id.  Ids count up from 1 and are not used
 * again before 2^31-1 tasks have been made.
 * Returns the id; 0 outside a task.
 * From: libtask.
 */
unsigned int taskid(void);

/*
 * taskdata gives the address of one pointer that belongs to the running task
 * and is NULL at first.
 * Returns the address; NULL with EPERM.
 * From: libtask; Plan 9 threaddata.
 */
void **taskdata(void);

/*
 * needstack makes sure that n bytes of stack are left, and some more.
 * Returns if so.  If not, the stack is about to overflow: one line, abort.
 * From: libtask.
 */
void needstack(int n);

/*
 * taskname and taskstate set the two texts that the list of tasks shows, as
 * printf would print them.  Control characters in them are shown as \n or \033.
 * Sizes: 255 bytes are kept of each.
 * From: libtask; Plan 9 threadsetname, threadsetstate.
 */
void taskname(const char *fmt, ...) TASK_PRINTF(1, 2);
void taskstate(const char *fmt, ...) TASK_PRINTF(1, 2);

/*
 * taskgetname and taskgetstate give the running task's texts.
 * Returns the buffer itself, of 256 bytes and "" at first; NULL with EPERM.
 * From: libtask; Plan 9 threadgetname.
 */
char *taskgetname(void);
char *taskgetstate(void);

/* Channels: chan(3) */

typedef struct Alt Alt;
typedef struct Channel Channel;

enum
{
	CHANEND,	/* ends an Alt array: block until an entry can go */
	CHANSND,
	CHANRCV,
	CHANNOP,	/* an entry to skip */
	CHANNOBLK	/* ends an Alt array: do not block */
};

/* An Alt is one of the operations among which chanalt chooses. */
struct Alt
{
	Channel *c;
	void *v;	/* element to send, or where to put the one received */
	unsigned int op;	/* one of those above, or of part two */

	/* for the operations of part two */
	int fd;	/* to be waited for */
	unsigned int ms;	/* how long */
	int id;	/* of the task whose end is waited for */
	struct TaskEvent *e;	/* an Event, to be set */

	int err;	/* of the entry that was done: see chanalt */

	/* the library's, while the task waits */
	unsigned int generation;	/* of fd: its open file */
	Task *task;
	Alt *next;
	Alt *prev;
	Altlist *queue;	/* that it is in */
};

struct Channel
{
	/* the program may look */
	unsigned int bufsize;	/* elements the buffer holds */
	unsigned int elemsize;	/* bytes of one */

	/* the library's, but for name */
	unsigned char *buf;
	unsigned int nbuf;	/* elements in it now */
	unsigned int off;	/* the oldest of them */
	Altlist asend;
	Altlist arecv;
	char *name;	/* the program may set it; the list of tasks shows it */
	void *home;	/* the thread that made it, until it is closed */
	void *closed;	/* the same, from then on */
	int owned;	/* 1: made by chancreate, and chanfree frees it too */
};

/*
 * chancreate makes a channel with a buffer.  With n = 0 there is none, and the
 * channel is a rendezvous: sender and receiver wait for each other.
 * Sizes: an element has elemsize bytes, and the buffer holds n elements.
 * Returns the channel; NULL with EINVAL (elemsize < 1, n < 0) or ENOMEM.
 * From: libtask; Plan 9 chancreate; Newsqueak.
 */
Channel *chancreate(int elemsize, int n);

/*
 * chaninit makes a channel as chancreate does, in storage of the program's.
 * Sizes: elemsize and n as for chancreate.
 * Returns 0; -1 with EINVAL or ENOMEM.
 * From: libtask, which declared it; Plan 9.
 */
int chaninit(Channel *c, int elemsize, int n);

/*
 * chanfree gives a channel's memory back, and the Channel itself if chancreate
 * made it.  Tasks that wait on it fail with EPIPE.  NULL is fine.
 * From: libtask; Plan 9 chanfree.
 */
void chanfree(Channel *c);

/*
 * chansend copies one element from v into c; chanrecv copies the next one of c
 * to v.  v may be NULL: zeros are sent, what is received is dropped.
 * Sizes: v holds c->elemsize bytes; c keeps no pointer to it afterwards.
 * Returns 1; chanrecv 0 if c is closed and empty; -1 with EINVAL, EPERM, or
 * EPIPE if c was freed meanwhile or, chansend, if it is closed.
 * Blocks: until a receiver or room, a sender or an element is there; served in
 * the order of arrival.
 * From: libtask; Plan 9 send, recv; Newsqueak.
 */
int chansend(Channel *c, void *v);
int chanrecv(Channel *c, void *v);

/*
 * channbsend and channbrecv are chansend and chanrecv that do not wait.
 * Returns what those return; -1 with EAGAIN if they would have to wait.
 * From: libtask; Plan 9 nbsend, nbrecv.
 */
int channbsend(Channel *c, void *v);
int channbrecv(Channel *c, void *v);

/*
 * The calls ending in p and ul send and receive a pointer or an unsigned long
 * by value.
 * Sizes: c->elemsize bytes of the value are copied; a larger one is EINVAL.
 * Returns what the calls without p and ul return; but those that receive return
 * the value itself: NULL or 0 if they fail, with EPIPE also if c is closed and
 * empty, and channbrecvp and channbrecvul with EAGAIN if there is none.
 * Blocks: chansendp, chanrecvp, chansendul and chanrecvul, as chansend and
 * chanrecv.
 * From: libtask; Plan 9 sendp, sendul.
 */
int chansendp(Channel *c, void *v);
void *chanrecvp(Channel *c);
int channbsendp(Channel *c, void *v);
void *channbrecvp(Channel *c);
int chansendul(Channel *c, unsigned long v);
unsigned long chanrecvul(Channel *c);
int channbsendul(Channel *c, unsigned long v);
unsigned long channbrecvul(Channel *c);

/*
 * chanalt does one of the operations in a, whichever can go first; among
 * several that can go at once it chooses fairly at random.  An entry whose
 * channel is closed can go.  err of the entry that was done is EPIPE if its
 * channel is closed and nothing was moved, else 0.
 * Sizes: a ends with an entry whose op is CHANEND or CHANNOBLK.
 * Returns the index of the one that was done; -1 with EAGAIN (CHANNOBLK and
 * none could go), EINVAL, ENOMEM (only with operations of part two), EPERM,
 * EPIPE if one of its channels was freed meanwhile.
 * Blocks: if a ends with CHANEND, until one can go; for ever if a has none.
 * From: libtask; Plan 9 alt; Newsqueak select; CSP.
 */
int chanalt(Alt *a);

/* Locks: lock(3) */

/* All three are ready for use when zeroed: unlocked, and nobody waits. */
typedef struct QLock QLock;
typedef struct RWLock RWLock;
typedef struct Rendez Rendez;

/*
 * A QLock has one owner.  qlock takes l; canqlock takes it if it is free;
 * qunlock gives it to the task that has waited longest, without switching to
 * that task.  Only the owner may unlock.
 * Returns 0, or -1 with EDEADLK if the caller has it, EINVAL, EPERM; canqlock
 * returns 1 if it took l, else 0.
 * Blocks: qlock, until it has l.
 * From: libtask; Plan 9 qlock.
 */
int qlock(QLock *l);
int canqlock(QLock *l);
void qunlock(QLock *l);

/*
 * An RWLock has many readers or one writer.  rlock and canrlock take l as a
 * reader, wlock and canwlock as the writer.  A reader queues behind a waiting
 * writer; the last runlock hands over to the first writer; wunlock lets all
 * waiting readers in, or else the next writer.
 * Returns 0, or -1 with EDEADLK if the caller is the writer, EINVAL, EPERM;
 * canrlock and canwlock return 1 if they took it, else 0.
 * Blocks: rlock and wlock, until they have l.
 * From: libtask; Plan 9 rlock, wlock.
 */
int rlock(RWLock *l);
int canrlock(RWLock *l);
void runlock(RWLock *l);
int wlock(RWLock *l);
int canwlock(RWLock *l);
void wunlock(RWLock *l);

struct Rendez
{
	QLock *l;	/* NULL, or what protects the condition waited for */
	Tasklist waiting;	/* the library's */
};

/*
 * tasksleep waits at r.  If r->l is set the caller has it; it is released while
 * the task sleeps and held again afterwards, however that ended.  Test the
 * condition again: another task may have run first.
 * Returns 0; -1 with EINVAL, EPERM.
 * Blocks: until taskwakeup or taskwakeupall.
 * From: libtask; Plan 9 rsleep; POSIX condition variables.
 */
int tasksleep(Rendez *r);

/*
 * taskwakeup makes the task ready that has slept longest at r, taskwakeupall
 * all of them.  The caller need not have r->l.
 * Returns how many were woken; -1 with EINVAL, EPERM.
 * From: libtask; Plan 9 rwakeup.
 */
int taskwakeup(Rendez *r);
int taskwakeupall(Rendez *r);

/* Descriptors: fd(3) */

/*
 * fdnoblock makes fd non-blocking.  Do this once before the calls below, or
 * they may block the whole thread.  It also shows a new file to the library:
 * tasks that wait for one that the number stood for before fail with EBADF; on
 * a file that is the same still it disturbs nobody.  Other processes share the
 * flag of descriptors 0 to 2: exit clears what this process has set there.
 * Returns what fcntl returns: -1 with EBADF.
 * From: libtask.
 */
int fdnoblock(int fd);

/*
 * fdread reads at most n bytes into buf; it tries first and waits only if there
 * is nothing.  fdread1 does the same but waits first, for descriptors that
 * cannot be made non-blocking.
 * Returns the bytes read, 0 at the end of file, -1 with the errno of read(2).
 * EAGAIN does not come out, nor does EINTR but by taskinterrupt.
 * Blocks: until there is something to read.
 * From: libtask.
 */
ssize_t fdread(int fd, void *buf, size_t n);
ssize_t fdread1(int fd, void *buf, size_t n);

/*
 * fdwrite writes all n bytes.  Several of them on one descriptor are done one
 * after the other, each whole, in the order of the calls; one that fails after
 * some bytes lets the next go on.  n may be 0: that is an empty datagram on a
 * datagram socket, and nothing elsewhere.  A peer that has gone is EPIPE, never
 * a signal.
 * Returns n; -1 with the errno of write(2): some of it may have been written.
 * Blocks: until the kernel has taken all of it.
 * From: libtask.
 */
ssize_t fdwrite(int fd, const void *buf, size_t n);

/*
 * fdwait waits until fd can be read (rw = 'r') or written ('w'), until its peer
 * has gone ('h'), or, with any other rw, until something exceptional happens to
 * it.  A peer has gone that will send no more, though what it has sent may be
 * unread: it has closed, or shut down its side.  Errors and hang-ups of both
 * sides end all these waits.  Several tasks may wait for the same: each event
 * wakes the one that has waited longest.  Files can always be read and written,
 * and have no peer.  That fdwait returns is a hint: another task may be faster.
 * Limits: an error that lasts until it is read from a socket's error queue ends
 * some dozens of such waits at once, and then some again after 10 ms.
 * Returns 0; -1 with EBADF (not open, or closed meanwhile), ENOMEM, EPERM.
 * Blocks: until fd is ready.
 * From: libtask.
 */
int fdwait(int fd, int rw);

/* fdtask is the system task behind fdwait and taskdelay; it has the id 0. */
void fdtask(void *v);

/* Network: net(3) */

enum
{
	UDP = 0,
	TCP = 1
};

/*
 * netannounce makes a socket that listens (proto TCP) or receives (UDP) at
 * addr, which is an IPv4 or IPv6 address or a host name; NULL or "*" is any
 * address of both, or of IPv4 if there is no IPv6 here.  port is the number of
 * a port; 0 lets the kernel choose one.  Sockets that this family of calls
 * makes are non-blocking and close-on-exec.
 * Returns the descriptor; -1 with EINVAL, ENOENT (no such host), EAGAIN (none
 * can be asked), ENOMEM, or the errno of socket(2), bind(2), listen(2).
 * Blocks: while a host name is looked up.
 * From: libtask; Plan 9 announce.
 */
int netannounce(int proto, const char *addr, int port);

/*
 * netaccept waits for one connection to fd.  server gets the peer's address as
 * text, port its port; either may be NULL.  When descriptors or memory run out
 * it waits and tries again, from 10 ms doubling to 1 s; the first time in the
 * process it says so in a line on stderr.  After 5 s of that connections that
 * wait are refused, by a descriptor that a process with 64 of them has in
 * reserve.
 * Sizes: server holds 16 bytes.  An IPv6 address too long for that is cut: its
 * first 13 characters and "..".  A peer without address is "".
 * Returns the connection; -1 with EBADF, EPERM, or as accept(2) if fd is no
 * listener: EINVAL, ENOTSOCK, EOPNOTSUPP.
 * Blocks: until there is one.
 * From: libtask; Plan 9 accept.
 */
int netaccept(int fd, char *server, int *port);

/*
 * netdial connects to port of host.  Of several addresses the next one is tried
 * too when one has failed, or has not answered for 250 ms; the first that is
 * connected is taken.  UDP sockets are connected too and may send to a
 * broadcast address.  A socket that the kernel has connected to itself is not
 * returned.
 * Sizes: 16 of a host's addresses are tried.
 * Returns the descriptor; -1 with EINVAL, ENOENT (no such host), EAGAIN (none
 * can be asked), ENOMEM, EMFILE, ENFILE, or the errno of connect(2) for the
 * last address tried, an earlier one if that is not for this machine.
 * Blocks: until connected.
 * From: libtask; Plan 9 dial; RFC 8305.
 */
int netdial(int proto, const char *host, int port);

/*
 * netlookup finds the IPv4 address of the host with the name.
 * Sizes: ip gets the 4 bytes of the address, in network byte order.
 * Returns 0; -1 with EINVAL, ENOENT, EAGAIN, ENOMEM, EMFILE or ENFILE as
 * netdial.
 * Blocks: while a host name is looked up; the thread, if no scheduler runs.
 * From: libtask.
 */
int netlookup(const char *name, uint32_t *ip);

/* The library's own, for part one. */

struct QLock
{
	Task *owner;
	unsigned int ownerid;	/* its id, for owner may have ended */
	unsigned int ownerproc;	/* and its scheduler */
	Tasklist waiting;
};

struct RWLock
{
	int readers;	/* how many have it for reading */
	Task *writer;
	unsigned int writerid;	/* its id, for writer may have ended */
	unsigned int writerproc;	/* and its scheduler */
	Tasklist rwaiting;
	Tasklist wwaiting;
};

#ifndef TASK_COMPAT
/*
 * Part two: what libtask had not.  Which of the hosts answer within half a
 * second, asked by eight tasks at a time:
 *
 *	#include <stdio.h>
 *	#include <task.h>
 *
 *	static void
 *	ask(void *host)
 *	{
 *		int fd = -1;
 *		Timeout t;
 *
 *		TIMEOUT(&t, 500)
 *			fd = netdial(TCP, host, 80);
 *		printf("%s %s\n", (char *)host, timeoutfired(&t) ? "is late" :
 *			fd < 0 ? "does not answer" : "answers");
 *		fdclose(fd);
 *	}
 *
 *	void
 *	taskmain(int argc, char **argv)
 *	{
 *		Group asking = {.limit = 8};
 *
 *		for(int i = 1; i < argc; i++)
 *			groupspawn(&asking, ask, argv[i], 32768);
 *		groupwait(&asking);
 *	}
 */

/* What there is, for #ifdef: sections of this part that part one has not. */
#define TASKHAVESCHEDULERS 1
#define TASKHAVEVALUES 1
#define TASKHAVEDEADLINES 1
#define TASKHAVECANCELLING 1
#define TASKHAVERESULTS 1
#define TASKHAVEGROUPS 1
#define TASKHAVETIMERS 1
#define TASKHAVECRONS 1
#define TASKHAVESEMAPHORES 1
#define TASKHAVECOROUTINES 1
#define TASKHAVEGENERATORS 1
#define TASKHAVESTREAMS 1
#define TASKHAVESERVERS 1
#define TASKHAVEPROCS 1
#define TASKHAVEEMBEDDING 1
#define TASKHAVETHREADS 1
#define TASKHAVESIGNALS 1
#define TASKHAVECHILDREN 1
#define TASKHAVEFORK 1
#define TASKHAVEINSPECTING 1
#define TASKHAVEWATCHDOG 1
#define TASKHAVECONSOLE 1
#define TASKHAVETRACING 1

/* Schedulers: task(3) */

/*
 * taskrun is for programs with a main of their own, and for threads: it runs
 * fn(arg) as task 1 of a new scheduler and comes back when the last task that
 * is not a system task has ended.  Each thread may run one; stacks of system
 * tasks that are left are given back without being run again.
 * Returns the v of the last taskexit; -1 with EINVAL (no fn), EBUSY (called in
 * a task), ENOMEM, EDEADLK (see tasksetdeadlock), or, with TASKPOLLER set,
 * EMFILE or ENFILE.
 * Blocks: the calling thread.
 * From: the main of libtask.
 */
int taskrun(void (*fn)(void *arg), void *arg);

/*
 * tasksetdeadlock has fn called, in place of the report on stderr and exit(1),
 * when no task of this thread can ever go on: nothing is ready, nobody sleeps,
 * nobody waits for a descriptor.  fn gets the report and must not keep it; it
 * may make tasks ready.  If none is ready afterwards, taskrun returns -1 with
 * EDEADLK.  fn runs outside any task and must not block.  fn NULL restores the
 * report.
 * From: Go's "all goroutines are asleep"; gevent's LoopExit.
 */
void tasksetdeadlock(void (*fn)(const char *report));

/*
 * tasksetalloc has the library use alloc, resize and release in place of
 * malloc, realloc and free; three times NULL restores these.  They may return
 * NULL, and must not call the library.  Call it before all else: what one has
 * made the other cannot release.  Stacks are mapped, and not asked for by this.
 * Returns 0; -1 with EBUSY (called in a task), EINVAL (some are NULL).
 * From: CPython's tp_alloc and PyMem_SetAllocator.
 */
int tasksetalloc(void *(*alloc)(size_t bytes),
	void *(*resize)(void *v, size_t bytes), void (*release)(void *v));

/*
 * tasktrim gives the memory of stacks that no task uses back to the system now,
 * which else happens by and by, half of it each second; and a few buffers that
 * are kept for streams.
 * Returns how many stacks had some; -1 with EPERM.
 * From: glibc malloc_trim; CPython's arenas.
 */
int tasktrim(void);

/*
 * taskinit and taskscheduler are for old programs with a main of their own:
 * taskscheduler is taskrun of the function that taskinit has set last, if any,
 * and of the tasks made before; and exits with what that returns.
 * Returns: taskinit 0; -1 with EINVAL (no fn), EBUSY (called in a task).
 * Blocks: taskscheduler, for ever.
 * From: copies of libtask that show what it hides.
 */
int taskinit(void (*fn)(void *arg), void *arg);
void taskscheduler(void);

/* Values: task(3) */

/*
 * taskkey makes a key under which each task has a value of its own, NULL at
 * first: tasksetlocal sets it, tasklocal gives it.  When a task ends, destroy,
 * if there is one, is called in it with each value that is not NULL, in the
 * order of the keys, after what it has deferred; values that are set by this
 * are destroyed too, three times more.  taskkey works anywhere, and its key in
 * all threads.
 * Sizes: there are 128 keys; they are not given back.
 * Returns: taskkey the key, -1 with EAGAIN; tasklocal the value, NULL with
 * EINVAL (no such key), EPERM; tasksetlocal 0, -1 with EINVAL, ENOMEM, EPERM.
 * From: POSIX pthread_key_create; gevent.local.
 */
int taskkey(void (*destroy)(void *v));
void *tasklocal(int key);
int tasksetlocal(int key, void *v);

/*
 * taskkeyinherit is taskkey for values that children inherit: when a task makes
 * another, copy is called in it with its value, if that is not NULL, and what
 * it returns is the child's; NULL is none.  copy must not block.
 * Returns as taskkey; -1 also with EINVAL (no copy).
 * From: Python's contextvars; pthread_atfork.
 */
int taskkeyinherit(void *(*copy)(void *v), void (*destroy)(void *v));

/*
 * tasksetswitch has out(arg) called whenever the running task stops, and
 * in(arg) before it goes on, however it was woken; in also at once, and out at
 * the task's end and when other hooks, or NULL for none, are set.  Hooks run on
 * the task's stack and must not block.
 * Returns 0; -1 with EBUSY (called by a hook), ENOMEM, EPERM.
 * From: greenlet's settrace; gevent's backdoor, which swaps standard output.
 */
int tasksetswitch(void (*in)(void *arg), void (*out)(void *arg), void *arg);

/*
 * taskwrap puts hooks around the function of each task that is made from now on
 * in this thread: the task calls before(arg) first, and after(arg) when it
 * ends, however that is, after what it has deferred.  Either may be NULL.  Of
 * several the one set last is outermost.  They may block.
 * Returns 0; -1 with EINVAL (neither), ENOMEM, EPERM.
 * From: Python's decorators.
 */
int taskwrap(void (*before)(void *arg), void (*after)(void *arg), void *arg);

/* Deadlines: timeout(3) */

/*
 * A Timeout is a deadline scope.  It need not be set to anything before
 * timeoutstart; zeroed it is a scope that was never opened.  It belongs to the
 * task that opened it, and must stay where it is until it is closed or the task
 * has ended.
 */
typedef struct Timeout Timeout;

/*
 * timeoutstart opens a scope on the running task: from ms milliseconds after
 * now until timeoutstop, each call that blocks fails with ETIMEDOUT in place of
 * waiting.  What the call waited on stays usable, and nothing that was handed
 * over is lost.  Calls that need not wait succeed, and taskyield does not
 * notice.  Scopes nest, and the earliest counts; ms = 0 lets waits see what has
 * happened already.  A scope that is open begins anew.
 * Returns 0; -1 with EINVAL (no t), EPERM.
 * From: gevent.Timeout; libdill's deadlines.
 */
int timeoutstart(Timeout *t, unsigned int ms);

/*
 * timeoutstartas is timeoutstart of a scope by which calls fail with err in
 * place of ETIMEDOUT: a number above 0, to which the library gives no meaning.
 * Returns as timeoutstart; -1 with EINVAL also for an err below 1.
 * From: gevent.Timeout with an exception of the program's.
 */
int timeoutstartas(Timeout *t, unsigned int ms, int err);

/*
 * timeoutstop closes the scope t; several are closed in any order.  A scope
 * that is not open, or another task's, is left alone.
 * Returns 1 if t ended a call since it was opened, else 0.
 */
int timeoutstop(Timeout *t);

/*
 * timeoutfired tells whether t has ended a call since it was opened, also
 * after it was closed; timeoutpending, whether it is open on the running task
 * and has not.
 * Returns 1 or 0.
 */
int timeoutfired(const Timeout *t);
int timeoutpending(const Timeout *t);

/*
 * withtimeout and withtimeoutdef call fn(arg) in a scope of ms milliseconds.
 * Returns what fn returns; if the scope ended a call of fn, withtimeout -1 with
 * ETIMEDOUT, and withtimeoutdef otherwise.  Before that, -1 with EINVAL (no
 * fn), EPERM.
 * From: gevent.with_timeout.
 */
int withtimeout(unsigned int ms, int (*fn)(void *arg), void *arg);
int withtimeoutdef(unsigned int ms, int (*fn)(void *arg), void *arg,
	int otherwise);

/*
 * TIMEOUT(&t, ms){ ... } opens a scope of ms milliseconds for the block, and
 * closes it.  Where the compiler knows attributes the block may be left by
 * break, continue, return and goto too; elsewhere not.  timeoutfired(&t)
 * afterwards tells how it went.  It is a macro, defined at the end of part two.
 */

/* Cancelling: cancel(3) */

/*
 * taskcancel cancels the task with the id: from now on until it ends, each call
 * of it that blocks fails with ECANCELED in place of waiting, the one that it
 * is in too.  If it was handed something before, that call succeeds, and the
 * next one fails.  A task that has not run yet never calls its function.  To
 * cancel twice changes nothing; to cancel oneself is allowed.
 * Returns 0; -1 with ESRCH (no task has the id), EPERM; ENOMEM, the first time
 * only.
 * From: gevent's kill; Trio's cancel scopes.
 */
int taskcancel(int id);

/*
 * taskinterrupt has the call that the task with the id waits in fail with
 * EINTR, or if it does not wait the next one that would: once.  A shield holds
 * it off.  To interrupt again before the task has run changes nothing.
 * Returns as taskcancel.
 * From: copies of libtask with a tasksignal; POSIX signals.
 */
int taskinterrupt(int id);

/*
 * taskcancelled tells whether the running task was cancelled, for tasks that
 * compute.
 * Returns 1 or 0.
 */
int taskcancelled(void);

/*
 * taskshield opens a shield, for cleaning up: until taskunshield, but for ms
 * milliseconds at most, calls of the running task wait although it was
 * cancelled or interrupted, or the deadline of a scope opened before has
 * passed.  A shield
 * within another only has to be closed too: nobody can prolong the grace.  A
 * nearer deadline is a scope inside.
 * Returns 0; -1 with EPERM; taskunshield, EINVAL if there is no shield.
 * From: Trio's shielded scopes.
 */
int taskshield(unsigned int ms);
int taskunshield(void);

/*
 * taskdefer has fn(arg) called when the running task ends, however it ends,
 * also by taskexitall, but not if others have ended the program: the last fn
 * first, by the task itself.  fn may block; if the task was cancelled, fn needs
 * a shield for that.
 * taskundefer takes back what the task has deferred last with this fn and arg,
 * for it is done, or somebody else's to do.
 * Returns 0; -1 with EPERM; taskdefer, EINVAL (no fn), ENOMEM; taskundefer,
 * ENOENT if there is no such call.
 * From: Go's defer; pop_all of Python's ExitStack.
 */
int taskdefer(void (*fn)(void *arg), void *arg);
int taskundefer(void (*fn)(void *arg), void *arg);

/* Results: join(3) */

/*
 * taskspawn is taskcreate for a function with a result, which is kept until
 * taskwait collects it.
 * Sizes: stack as for taskcreate.
 * Returns as taskcreate.
 * From: gevent.spawn; pthread_create.
 */
int taskspawn(void *(*fn)(void *arg), void *arg, unsigned int stack);

/*
 * taskwait waits for the end of the task with the id, or collects its result if
 * it has ended.  Any number of tasks may wait for one; all get its result.  One
 * that was made by taskcreate can be waited for while it lives.  result, if not
 * NULL, gets what the task's function returned; NULL if it did not return.
 * Returns 0; -1 with the errno that the task failed with, with ECANCELED if it
 * was cancelled and knew, and with EDEADLK (it is the caller), ESRCH (no such
 * task, or collected), ENOMEM, EPERM.
 * Blocks: until it has ended.
 * From: gevent's get and join; pthread_join.
 */
int taskwait(int id, void **result);

/*
 * tasklink has fn(arg) called when the task with the id has ended, by that
 * task, after what it has deferred; of several the first link first.  If the
 * task has ended already and its result is still to be collected, a new task
 * calls fn.  taskunlink takes back a link whose fn has not been called yet.
 * Returns 0; -1 with ESRCH (no such task; taskunlink, no such link), EINVAL (no
 * fn), ENOMEM, EPERM.
 * From: gevent's link and unlink.
 */
int tasklink(int id, void (*fn)(void *arg), void *arg);
int taskunlink(int id, void (*fn)(void *arg), void *arg);

/*
 * taskfail ends the running task as failed: taskwait gives err, a positive
 * errno, and stderr gets a line with the task, the message and what err means.
 * Otherwise taskfail is taskexit(1).  fmt may be NULL.
 * From: Plan 9 sysfatal; gevent's report of exceptions.
 */
void taskfail(int err, const char *fmt, ...) TASK_PRINTF(2, 3) TASK_NORETURN;

/* Groups: group(3) */

typedef struct Group Group;

/*
 * A Group holds tasks that end together.  Zeroed it has no children.  It
 * belongs to the task that makes its first child, or has called groupown before
 * that: before that task ends, all children are cancelled and waited for.
 */
struct Group
{
	/* the program may set */
	unsigned int limit;	/* children alive at a time; 0: any number */
	int failfast;	/* a child that fails cancels the others */

	unsigned int number;	/* the library's */
	void *home;	/* the thread of its children */
};

/*
 * groupown makes the running task the owner of g, whoever makes the first child
 * then: for tasks that share a group, and may end before the others.  It is so
 * until groupwait has waited for the children.
 * Returns 0, also if g is the caller's; -1 with EBUSY (g is another task's),
 * EINVAL, ENOMEM, EPERM.
 */
int groupown(Group *g);

/*
 * groupspawn is taskcreate for a child of g.  Calls of the child fail with
 * ETIMEDOUT when the scopes do that are open on the caller now.
 * Sizes: stack as for taskcreate.
 * Returns as taskcreate; -1 also with ECANCELED (the group was cancelled, and
 * not waited for since), EDEADLK (a child of g would have to wait).
 * Blocks: while g->limit children are alive; served in the order of arrival.
 * From: Trio's nurseries; gevent's Pool.
 */
int groupspawn(Group *g, void (*fn)(void *arg), void *arg, unsigned int stack);

/*
 * groupmap calls fn for each of the n elements at base, in a child of g for
 * each, and waits as groupwait does; results are what fn leaves in them.  If a
 * child cannot be made the others are cancelled, and waited for.
 * Sizes: an element has size bytes; stack as for taskcreate.
 * Returns as groupwait; -1 also as groupspawn.
 * Blocks: until no child is alive.
 * From: gevent's Pool.map.
 */
int groupmap(Group *g, void (*fn)(void *element), void *base, size_t n,
	size_t size, unsigned int stack);

/*
 * groupwait waits until no child of g is alive; then g is as new.  If anything
 * else ends the wait, such as a deadline, the children are cancelled, and
 * waited for nevertheless.
 * Returns 0; -1 with the errno of the first child that failed (cancelled is not
 * failed), EDEADLK (a child of g waits for itself), EINVAL, EPERM.
 * Blocks: until no child is alive.
 * From: gevent's joinall; Go's WaitGroup.
 */
int groupwait(Group *g);

/*
 * groupcancel cancels all children of g, and those that are in groupspawn.
 * Returns 0; -1 with EINVAL, EPERM.
 * From: gevent's killall.
 */
int groupcancel(Group *g);

/* Timers: timer(3) */

typedef struct Timer Timer;

/*
 * timerstart has fn(arg) called by a task of its own: once the milliseconds in
 * after are over, and then each time those in every are; every = 0 is once.
 * Times are counted from the start: a slow fn does not make them drift.  Calls
 * whose time passes while fn runs are made up for by a single one.  A timer
 * counts as a task that the program waits for, while a call is to come.
 * Returns the timer, which is valid until timerstop; NULL with EINVAL (no fn),
 * ENOMEM, EPERM.
 * From: libev's ev_timer, gevent's timer.
 */
Timer *timerstart(unsigned int after, unsigned int every,
	void (*fn)(void *arg), void *arg);

/*
 * timeragain starts t anew: the next call is every ms from now, or after ms if
 * t is for once.  It does not matter whether a call was still to come.
 * Returns 0; -1 with EINVAL (no timer, or stopped), ENOMEM, EPERM.
 * From: libev's ev_timer_again.
 */
int timeragain(Timer *t);

/*
 * timerstop ends t: fn is not called any more, even if it is due already.  A
 * call that is being made goes on, and may be where timerstop is called.
 * Returns 1 if a call was still to come, else 0; -1 with EINVAL, EPERM.
 */
int timerstop(Timer *t);

/*
 * timerremaining tells the ms until the next call, rounded up; timermissed, how
 * many calls were not made because their time had passed.
 * Returns the ms, or the number; -1 with EINVAL, EPERM; timerremaining, ENOENT
 * if no call is to come.
 */
int64_t timerremaining(const Timer *t);
int64_t timermissed(const Timer *t);

/*
 * timername sets the name that the list of tasks shows for t, "timer" at first,
 * as printf would print it.
 * Sizes: 31 bytes are kept.
 * Returns 0; -1 with EINVAL, EPERM.
 */
int timername(Timer *t, const char *fmt, ...) TASK_PRINTF(2, 3);

/*
 * taskafter makes a task that calls fn(arg) after ms milliseconds, if it is not
 * cancelled before.
 * Returns the task's id, for taskcancel; -1 as taskcreate.
 */
int taskafter(unsigned int ms, void (*fn)(void *arg), void *arg);

/*
 * tasknow tells the time of the monotonic clock.
 * Returns nanoseconds since some point in the past.
 */
int64_t tasknow(void);

/*
 * taskdelayuntil sleeps until tasknow is ns at least: a point in time, in
 * nanoseconds.
 * Returns 0; -1 with EPERM.
 * Blocks: until that time.
 */
int taskdelayuntil(int64_t ns);

/* Crons: cron(3) */

typedef struct Cron Cron;

/*
 * cronstart has fn(arg) called whenever the clock on the wall, in the local
 * time zone, shows what spec says: minute, hour, day of the month, month and
 * day of the week, with blanks between them, as in crontab(5).  Each is a star
 * or a range, either with a step if you like (9-17/2), or a number, or a list
 * of these with commas.  Months are also jan to dec, days of the week sun to
 * sat; Sunday is 0 and 7.  If neither field of days begins with a star, either
 * is enough.  Or spec is @hourly, @daily, @midnight, @weekly, @monthly, @yearly
 * or @annually.
 *
 * Where the clock changes for summer time, a spec whose hours are all 24 is for
 * each hour that passes.  One for some hours is for what the clock shows: what
 * is skipped is made up for by one call right after, and what is shown twice
 * counts the first time.  If somebody sets the clock ahead, what it has skipped
 * is made up for by one call too.  If it is set back, by three hours at most,
 * no time counts again that has counted.
 *
 * Each call is made by a task of its own.  While that goes on no other is made.
 * Until cronstop a cron counts as a task that the program waits for: there is
 * one for all of them, named cron, and whoever cancels it ends their calls.
 * Sizes: spec is copied.
 * Returns the cron, which is valid until cronstop; NULL with EINVAL (no fn, or
 * not such a spec), ENOENT (there is no such day, as 31 February), ENOMEM,
 * EMFILE, ENFILE, ENOSYS (not on Linux), EPERM, ECANCELED (that one was
 * cancelled, and has not ended yet).
 * From: V7's cron; Paul Vixie's for summer time.
 */
Cron *cronstart(const char *spec, void (*fn)(void *arg), void *arg);

/*
 * cronstop ends c, and waits for nothing: no call begins any more.  One that
 * has begun goes on, and may be where cronstop is called.
 * Returns 1 if a call goes on, else 0; -1 with EINVAL (no cron, or stopped),
 * EPERM.
 */
int cronstop(Cron *c);

/*
 * cronnext tells when a cron of that spec would make its first call after
 * after_s: both in seconds since 1970, as time(2) tells them.  It works in any
 * thread.
 * Returns the seconds; -1 with EINVAL (not such a spec), ENOENT (there is no
 * such day), ERANGE (before the year 2 or after 9998).
 */
int64_t cronnext(const char *spec, int64_t after_s);

/* Channels: chan(3) */

/*
 * chanalt has more operations, which can go when something has happened to what
 * they named when it began.  Those for descriptors read and write nothing, and
 * can go with EBADF as err if fd is not open, or is closed by fdclose.  ALTTASK
 * collects no result, and can go with EDEADLK (the caller's id) or ESRCH as
 * err, as taskwait would fail.  They have chanalt fail with ENOMEM when fdwait
 * or taskwait would.
 */
enum
{
	ALTREAD = CHANNOBLK + 1,	/* fd can be read, as fdwait says it */
	ALTWRITE,	/* fd can be written */
	ALTDELAY,	/* ms milliseconds are over */
	ALTTASK,	/* the task with the id has ended */
	ALTEVENT,	/* the Event e is set; it stays so */
	ALTHANGUP	/* the peer of fd has gone, as fdwait says it */
};

/*
 * chanclose says that nothing more will be sent: receivers get what is in the
 * buffer, and then 0.  Tasks that wait to send fail with EPIPE, tasks that wait
 * to receive get 0.
 * Returns 0; -1 with EPIPE (c is closed already), EINVAL, EPERM.
 * From: Plan 9 chanclose; Go.
 */
int chanclose(Channel *c);

/*
 * chanlen tells how many elements are in the buffer of c, chancap how many it
 * can hold.
 * Returns the number; -1 with EINVAL, EPERM.
 * From: Go's len and cap.
 */
int chanlen(const Channel *c);
int chancap(const Channel *c);

/*
 * chanshared makes a channel as chancreate does, but for the tasks of all procs
 * (see proccreate) and for threads without scheduler; all calls on channels
 * take it.  In a thread without scheduler chansend, chanrecv and their forms
 * block the thread until they can go; chanalt works in tasks only, and takes
 * shared channels beside all else.  Elements arrive in the order in which they
 * were sent, whoever sends them.  No call on a shared channel may be made in a
 * signal handler.  In the child of a fork(2) or taskfork they fail with EPERM
 * on channels made before, and so do those that wait there.
 *
 * chanhold has one more call of chanfree to come before the channel is freed:
 * those before the last only count.
 * Sizes: elemsize and n as for chancreate.
 * Returns the channel; NULL with EINVAL (chanhold: c is not shared), ENOMEM,
 * chanhold EPERM.  Calls that may wait for a shared channel fail also with
 * EMFILE, ENFILE or ENOMEM, if other threads cannot be given a way to wake the
 * proc.
 * From: Go, whose channels are so.
 */
Channel *chanshared(int elemsize, int n);
Channel *chanhold(Channel *c);

/*
 * chansendn and chanrecvn are chansend and chanrecv for up to n elements: they
 * move as many as can go when the first can, and wait for no more than that.
 * Nobody else's elements come between those of one call.  Through a shared
 * channel go 64 at a time at most, or as many as have 4096 bytes, but one in
 * any case.
 * Sizes: v holds n elements of c->elemsize bytes, or is NULL.
 * Returns how many were moved, 1 to n; else as chansend and chanrecv, and -1
 * with EINVAL also for an n below 1.
 * Blocks: chansendn, chanrecvn, as chansend and chanrecv.
 */
int chansendn(Channel *c, const void *v, int n);
int chanrecvn(Channel *c, void *v, int n);

/* Semaphores: sem(3) */

typedef struct Sem Sem;
typedef struct TaskEvent Event;
typedef struct RecLock RecLock;

/* A Sem that is zeroed has no unit free and no bound. */
struct Sem
{
	/* the program may look */
	unsigned int n;	/* units free now */
	unsigned int most;	/* how many there can be; 0: UINT_MAX */

	Tasklist waiting;	/* the library's */
};

/*
 * seminit sets s up with n units free; with most > 0 there are never more.
 * Returns 0; -1 with EINVAL (no s, n > most).
 */
int seminit(Sem *s, unsigned int n, unsigned int most);

/*
 * semacquire takes a unit of s; cansemacquire takes one if one is free;
 * semrelease gives one to the task that has waited longest, without switching
 * to that task, or else makes it free.  Any task may release.
 * Returns 0; -1 with EINVAL, EPERM; semrelease also with EOVERFLOW if it would
 * be one too many.  cansemacquire returns 1 if it took a unit, else 0.
 * Blocks: semacquire, until it has a unit.
 * From: Dijkstra's P and V; Plan 9 semacquire; gevent's BoundedSemaphore.
 */
int semacquire(Sem *s);
int cansemacquire(Sem *s);
int semrelease(Sem *s);

/* An Event that is zeroed is not set. */
struct TaskEvent
{
	int set;	/* 1 or 0; the program may look */
	Altlist waiting;	/* the library's */
};

/*
 * eventwait waits until e is set, and leaves it so.  eventset sets e and wakes
 * all that wait, in their order; they go on even if eventclear, which makes e
 * not set, is called before they run.
 * Returns 0; -1 with EINVAL, EPERM; eventset returns how many it woke.
 * Blocks: eventwait, until e is set.
 * From: gevent's and Python's Event.
 */
int eventwait(Event *e);
int eventset(Event *e);
int eventclear(Event *e);

/*
 * A RecLock is a QLock that its owner can take again: it is free when it has
 * been unlocked as often as it was locked.  One that is zeroed is unlocked.
 * Returns 0; -1 with EINVAL, EPERM, EOVERFLOW (4294967296 times); canreclock
 * returns 1 if it took l, else 0.
 * Blocks: reclock, until it has l.
 * From: Python's RLock.
 */
int reclock(RecLock *l);
int canreclock(RecLock *l);
void recunlock(RecLock *l);

/* Coroutines: co(3) */

typedef struct Co Co;

enum
{
	CONEW,		/* its function has not been entered */
	COWAITING,	/* in a coswitch to another */
	CORUNNING,
	CODEAD		/* its function has returned */
};

/*
 * cocreate makes a coroutine of the running task, as a child of parent (NULL:
 * of the running coroutine).  Nothing runs yet.  The first coswitch to it calls
 * fn, with the value that it passes; what fn returns goes to the nearest living
 * ancestor, as from a coswitch.  A coroutine can be used only by its task, and
 * is freed when that ends.
 * Sizes: stack as for taskcreate.
 * Returns the coroutine; NULL with EINVAL (no fn, or parent is another task's),
 * ENOMEM.
 * From: greenlet.
 */
Co *cocreate(void *(*fn)(void *arg), Co *parent, unsigned int stack);

/*
 * coswitch goes on in c, where the pending coswitch returns v.  If c is dead
 * its nearest living ancestor is meant; if that is the caller, v comes back at
 * once.  errno, floating point and C++ exceptions belong to the coroutine.
 * Other tasks do not run; but c may block, and its task with it.
 * Returns what is passed when somebody switches back; NULL with EINVAL (no c),
 * EPERM (another task's), or the errno of a cothrow.
 * From: greenlet switch.
 */
void *coswitch(Co *c, void *v);

/*
 * cothrow goes on in c, where the pending coswitch returns NULL with err as
 * errno.  If c was not started yet it ends, and its parent is meant.  err is a
 * number above 0, to which the library gives no meaning.
 * Returns as coswitch; NULL with EINVAL also for an err below 1.
 * From: greenlet throw.
 */
void *cothrow(Co *c, int err);

/*
 * cofree frees a coroutine in any state but running, without running it: what
 * it has on its stack is gone, generators it is in the middle of end.  Its
 * children become its parent's.  NULL is fine.
 * Returns 0; -1 with EBUSY (it runs), EINVAL (a main one), EPERM.
 */
int cofree(Co *c);

/*
 * cocurrent is the running coroutine.  comain is the one that a task itself is:
 * the root of the tree, which cannot be dead.
 * Returns the coroutine; NULL with EPERM.
 * From: greenlet getcurrent.
 */
Co *cocurrent(void);
Co *comain(void);

/*
 * coparent is whom the result of c goes to if alive; cosetparent changes that.
 * Returns the parent, NULL for the main one, or NULL with EINVAL, EPERM;
 * cosetparent 0, or -1 with EINVAL (c is the main one or an ancestor of parent,
 * or they are not of one task), EPERM.
 * From: greenlet parent.
 */
Co *coparent(const Co *c);
int cosetparent(Co *c, Co *parent);

/*
 * costate tells what c is doing.
 * Returns CONEW, COWAITING, CORUNNING or CODEAD; -1 with EINVAL, EPERM.
 * From: greenlet dead; Lua coroutine.status.
 */
int costate(const Co *c);

/* Generators: gen(3) */

typedef struct Gen Gen;

/*
 * gencreate makes a generator: fn(arg) on a stack of its own.  It is not
 * entered before it is first asked for a value, and runs as part of whoever
 * asks.  All tasks of the thread may ask.  It lives until genclose.
 * Sizes: stack as for taskcreate.
 * Returns the generator; NULL with EINVAL (no fn), ENOMEM, EPERM.
 * From: Python generators.
 */
Gen *gencreate(void *(*fn)(void *arg), void *arg, unsigned int stack);

/*
 * gennext runs g to its next genyield, and stores what that hands out in v.
 * gensend has the genyield that g stopped in return in; with in NULL it is
 * gennext.  genthrow has it return NULL, with err as errno; g ends if it has
 * not been entered.  v may be NULL.
 * Returns 1; 0 if g has ended, with v what fn returned, and NULL from then on;
 * -1 with EBUSY (g is being asked already), EINVAL (no g, an in before the
 * first value, an err below 1), EPERM (another thread's).
 * From: Python next, send, throw (PEP 342).
 */
int gennext(Gen *g, void **v);
int gensend(Gen *g, void *in, void **v);
int genthrow(Gen *g, int err, void **v);

/*
 * genyield hands out v, and comes back when the next value is asked for.
 * Returns what gensend passed, or the generator itself if nothing was; NULL
 * with the errno of genthrow, ECANCELED in genclose: the generator should end;
 * NULL with EPERM outside a generator.
 * From: Python yield.
 */
void *genyield(void *v);

/*
 * genclose has the genyield that g stopped in fail with ECANCELED, lets g run
 * to its end, and frees it.  A generator that yields again is freed where it
 * is; one that was not entered never is.  NULL is fine.
 * Returns 0; -1 with EBUSY, EPERM.
 * From: Python close.
 */
int genclose(Gen *g);

/*
 * gendelegate, in a generator, hands out all that other yields, passes to it
 * what is sent and thrown, and closes it.
 * Returns 0 when other has ended, with what its fn returned in result, which
 * may be NULL; -1 with the errno thrown if other ended of that, and as gennext:
 * then other is not closed.
 * From: Python yield from (PEP 380).
 */
int gendelegate(Gen *other, void **result);

/*
 * genrange makes a generator of the numbers first, first + step, ... before
 * end, or with a step below 0 behind it: each is a void *, to be cast to
 * intptr_t.  However many there are, they take no memory.
 * Returns as gencreate; NULL with EINVAL if step is 0.
 * From: Python xrange.
 */
Gen *genrange(intptr_t first, intptr_t end, intptr_t step);

/*
 * GENFOR(v, g){ ... } runs the block for each value v that g has yet to yield.
 * It declares v, as a void *.
 */
#define GENFOR(v, g) for(void *v; gennext((g), &v) > 0; )

/* Descriptors: fd(3) */

/*
 * fdreadn reads into buf until it has n bytes or the file ends.  Other tasks
 * that read from fd wait until it has ended, so no bytes come between its own.
 * Returns the bytes read, less than n only at the end; -1 as fdread.
 * Blocks: until it has them.
 * From: 0intro's libtask; readn of Stevens.
 */
ssize_t fdreadn(int fd, void *buf, size_t n);

/*
 * fdgot tells how many bytes the running task's last fdreadn put into its
 * buffer, also if it failed: what a deadline or a cancel has cut is not lost.
 * Returns the bytes.
 */
size_t fdgot(void);

/*
 * fdclose wakes the tasks that wait for fd with EBADF and closes it.  Use it in
 * place of close(2): a task can be told of a descriptor closed behind its back
 * only when its number is used again.
 * Returns 0; -1 with the errno of close(2).
 * From: Go's poll.FD.Close; trio's notify_closing.
 */
int fdclose(int fd);

/*
 * fdwritten tells how many bytes the kernel took of the running task's last
 * fdwrite: n if that succeeded, perhaps fewer if it failed.
 * Returns the bytes.
 */
size_t fdwritten(void);

/*
 * fdon has a task made that calls fn(arg) when fd is ready for rw, which is as
 * in fdwait: once, and fn may call fdon again.  What waits until then is 32
 * bytes, and no stack.  It does not keep the program from ending.  fdoff drops
 * all that is waited for so at fd, as fdclose does; what has been made goes on.
 * Sizes: the stack has 64 KiB.  While there is no memory for a task it is tried
 * again.
 * They return 0; -1 with EINVAL (no fn), EEXIST (fd is waited for so already),
 * EBADF, ENOMEM; fdoff with ENOENT (it is not).
 * From: gevent, loop.io.
 */
int fdon(int fd, int rw, void (*fn)(void *), void *arg);
int fdoff(int fd);

/*
 * fdwritev writes all that lies in the n places of v, as fdwrite would write it
 * from one; to a datagram socket as one datagram.
 * Sizes: n is 1024 at most.
 * Returns the number of bytes; -1 with EINVAL, or as fdwrite: fdwritten tells
 * how many of them have been written.
 * Blocks: until the kernel has taken all of it.
 * From: writev(2); Go's net.Buffers.
 */
ssize_t fdwritev(int fd, const struct iovec *v, int n);

/*
 * taskpoller names what the fdtask waits with: "poll" at first, and on Linux
 * "epoll" once many tasks wait for descriptors.  TASKPOLLER=poll, epoll or
 * uring in the environment of the program fixes it; with "uring" the calls on
 * sockets are made by the kernel in the next turn, with those of others.
 * TASKPOLLER=fastest is uring where the kernel allows it, else epoll.
 * Returns the name; NULL with EPERM.
 */
const char *taskpoller(void);

/* Network: net(3) */

/*
 * With TCP | NETSHARED, or UDP | NETSHARED, netannounce makes a socket that may
 * have its address in common with others that are announced so by programs of
 * this user.  The kernel gives each connection to one of them, and each
 * datagram of one peer to the same.  Where another has the address otherwise,
 * it is EADDRINUSE as ever; other calls fail with EINVAL for it.
 * From: SO_REUSEPORT.
 */
enum { NETSHARED = 16 };

/*
 * With TCP | NETBACKLOG(n), or UNIX | NETBACKLOG(n), so many connections may
 * wait to be accepted, if the system allows that; else as many as it allows.
 */
#define NETBACKLOG(n) ((n) << 8)

/*
 * netannounce and netdial know UNIX sockets, too: UNIX is for connections,
 * UNIXGRAM for datagrams.  In place of a host they have a path, or "@" and a
 * name that is no file's, which Linux has; port is nothing to them.  What lasts
 * of a process that has ended gives way to netannounce.  The file's mode is
 * what umask(2) leaves, and whoever closes the socket may unlink it.
 * netdial waits while the listener has no room for more.
 * They return the descriptor; -1 with EINVAL (no path), ENAMETOOLONG,
 * EADDRINUSE (somebody answers there, or it is no socket), or as socket(2),
 * bind(2) and connect(2): ENOENT and ECONNREFUSED if nobody is there.
 */
enum
{
	UNIX = 2,
	UNIXGRAM = 3
};

/*
 * netacceptaddr is netaccept that gives the address whole.
 * Sizes: addr holds size bytes; 64 are enough for every address.
 * Returns as netaccept; before that, EINVAL (no addr), ENOSPC (size under 64).
 * Blocks: as netaccept.
 */
int netacceptaddr(int fd, char *addr, size_t size, int *port);

/*
 * netresolve finds the addresses of host, and puts them with port into v, in
 * the order in which they should be tried.
 * Sizes: v holds n addresses; 16 are enough.
 * Returns how many there are in v; -1 as netlookup.
 * Blocks: as netlookup.
 * From: getaddrinfo.
 */
int netresolve(const char *host, int port, struct sockaddr_storage *v, int n);

/*
 * neterror gives the text of an errno that netannounce, netdial, netlookup or
 * netresolve has failed with: that of strerror, which does not know that ENOENT
 * is a host that does not exist here and EAGAIN a name server that does not
 * answer.
 * Returns the text, which lasts as long as that of strerror.
 * From: gai_strerror.
 */
const char *neterror(int err);

/*
 * netsendto sends n bytes as one datagram to addr, which is an address in
 * numbers or "localhost", and port; or, from a UNIXGRAM socket, to a path or
 * "@" name; NULL is the peer of a socket of netdial.  It never asks for a name:
 * netresolve does.
 * netrecvfrom receives one, and tells where it is from, if addr is not NULL.
 * Sizes: addr has NETADDRSIZE bytes at least; "" if the peer has no address.
 * What of a datagram does not fit into n bytes is lost.
 * They return its bytes; -1 with EINVAL (no address in numbers), ENOSPC (size),
 * ENAMETOOLONG, EMSGSIZE, or as sendto(2) and recvfrom(2): ECONNREFUSED may be
 * about an earlier one.
 * Blocks: until the socket has room; until there is one.
 * From: recvfrom(2); Go's UDPConn.
 */
ssize_t netsendto(int fd, const void *buf, size_t n, const char *addr,
	int port);
ssize_t netrecvfrom(int fd, void *buf, size_t n, char *addr, size_t size,
	int *port);

enum { NETADDRSIZE = 112 };

/*
 * netoption sets an option of a socket:
 * NETKEEPALIVE: after so many s of silence the peer is asked whether it is
 * there, three times before the connection is given up; 0: it is not asked.
 * NETNODELAY: small pieces are sent at once (1, as netaccept and netdial do) or
 * gathered (0).  NETSENDBUF, NETRECVBUF: bytes in the kernel.  NETBROADCAST: 1
 * allows it.  NETUNACKED: after so many ms without an acknowledgement the
 * connection is given up.  NETDEFER: a listener's connections are accepted when
 * they have sent something, or after so many s.
 * Returns 0; -1 with EINVAL (no such option, or below 0), or as setsockopt(2).
 */
int netoption(int fd, int option, int value);

enum
{
	NETKEEPALIVE = 1,
	NETNODELAY,
	NETSENDBUF,
	NETRECVBUF,
	NETBROADCAST,
	NETUNACKED,
	NETDEFER
};

/* Streams: stream(3) */

/*
 * A stream reads and writes a descriptor through two buffers.  What has been
 * read and nobody has taken yet is in one, what is to be written in the other.
 * A buffer is there only while something is in it, or while io_uring reads into
 * it: an idle stream costs 128 bytes.  Four of 1 KiB are kept for the next that
 * need one.
 *
 * The calls on a stream have two sides, reading and writing.  One task at a
 * time can be in a call of each: another's fails with EBUSY.  The reader and
 * the writer may be two tasks.  A call that a deadline, a cancel or an
 * interruption ends has lost nothing: made again, it goes on.  When the
 * descriptor is closed (fdclose), calls fail with EBADF.  An error of the
 * descriptor stays: what was read before it is given first.  Calls fail with
 * EINVAL (no stream), EBUSY, ENOMEM, EPERM, and otherwise as they say.
 *
 * What is buffered is written by streamflush, streamshut and streamclose; when
 * most does not hold what comes; and when a reading call is going to ask the
 * kernel for more, as far as there is room now: the rest goes while it waits.
 * So a task that reads requests and answers them need not flush.  One that
 * writes while another task reads must, as one that waits for something else
 * than input of this stream.
 */
typedef struct Stream Stream;

/*
 * streamopen makes a stream of a socket, pipe, terminal or file; not of a
 * datagram socket.  fd becomes non-blocking, as by fdnoblock, and is the
 * stream's: nothing else should read or write it meanwhile.
 * Sizes: most is how many bytes each buffer holds; 0: 64 KiB.
 * Returns it; NULL with EBADF, EINVAL (most is absurd), ENOMEM, EPERM.
 * From: Tornado's IOStream; Plan 9 bio(2).
 */
Stream *streamopen(int fd, size_t most);

/*
 * streamread reads at most n bytes, and waits only if there are none.
 * streamreadn waits until it has n.  If that fails before, all are still in the
 * stream, unless n is more than most: then v has as many as fdgot tells.
 * Returns how many; 0 at the end, of streamreadn less than n; -1 as fdread.
 * Blocks: until there is something; until there are n.
 */
ssize_t streamread(Stream *s, void *v, size_t n);
ssize_t streamreadn(Stream *s, void *v, size_t n);

/*
 * streamuntil takes what comes up to and with the first mark, which has n
 * bytes.  *v points to it, in the buffer: it may be changed, and stays until
 * the next reading call.
 * Returns how many bytes; 0 if the input ends without a mark; -1 with EMSGSIZE
 * if most bytes have come without one, EINVAL, or as fdread.  In all these
 * cases what has come can still be read.
 * Blocks: until the mark has come.
 * From: Tornado, read_until.
 */
ssize_t streamuntil(Stream *s, const void *mark, size_t n, void **v);

/*
 * streamline takes a line, without the \n or \r\n that it ends in, and a zero
 * byte after it.  It stays as what streamuntil gives.
 * Returns its length, which may be 0; -1 with ENODATA at the end, or as
 * streamuntil.  What comes last and is no line can still be read.
 * Blocks: until a line has come.
 */
ssize_t streamline(Stream *s, char **line);

/*
 * streampeek shows what is buffered, which stays there, when that is n bytes at
 * least.  n may be 0: it does not wait, and shows what a layer has if nothing
 * is buffered.  streamskip drops n bytes: those that
 * are buffered now, and the others when they come, so it does not wait.
 * Returns: streampeek how many there are, fewer than n only at the end, and -1
 * with EMSGSIZE (n is more than most) or as fdread; streamskip 0, or -1.
 * Blocks: streampeek, until there are n.
 */
ssize_t streampeek(Stream *s, size_t n, void **v);
int streamskip(Stream *s, size_t n);

/*
 * streamwrite writes all n bytes: it copies them into the buffer, and waits
 * only while that has no room.  streamwritev does the same with n pieces,
 * streamprint with what printf would print.
 * Sizes: what is more than most is not copied, but for its end.
 * Returns how many bytes, all; -1 as fdwrite, for what was buffered before too.
 * A call that fails has taken nothing, or, of more than most, as many as
 * fdwritten tells.  An error of the descriptor drops what is buffered.
 * Blocks: until all of it has room.
 */
ssize_t streamwrite(Stream *s, const void *v, size_t n);
ssize_t streamwritev(Stream *s, const struct iovec *v, int n);
int streamprint(Stream *s, const char *fmt, ...) TASK_PRINTF(2, 3);

/*
 * streamsendfile writes n bytes of the file fd, from offset at on.  Of more
 * than 16 KiB to a socket the kernel moves them itself.
 * Returns how many, fewer only if the file ends; -1 as streamwrite, or as
 * pread(2): ESPIPE if fd is no file; fdwritten tells how many then.
 * Blocks: as streamwrite.  A disk that is read stops the thread meanwhile.
 */
ssize_t streamsendfile(Stream *s, int fd, off_t at, size_t n);

/*
 * streamflush writes what is buffered.  streamshut does that, and then tells
 * the peer of a socket that no more will come; later calls that write fail with
 * EPIPE.
 * Returns 0; -1 as fdwrite, and what is not written is still buffered, unless
 * the descriptor has failed.
 * Blocks: until the kernel has taken all of it.
 */
int streamflush(Stream *s);
int streamshut(Stream *s);

/*
 * streampush writes what is buffered as far as there is room for it now, for
 * who has no time to wait, or wants no deadline where there is no wait.  It may
 * let other tasks run.
 * Returns 0 if nothing is left; 1 if something is; -1 as streamflush.
 */
int streampush(Stream *s);

/*
 * streamclose ends a stream: it does what streamshut does, reads from a socket
 * until the peer closes too, for 2 s at most, closes the descriptor, and frees
 * the stream.  To close at once what the peer still sends to would have it
 * lose what was written last.
 * Returns 0; -1 with EBUSY if another task is in a call on it, and nothing is
 * done; -1 as streamflush or close(2), or if a deadline or cancel ends it, and
 * all the same it is closed and gone.
 * Blocks: for that time.
 */
int streamclose(Stream *s);

/*
 * streamfd tells the descriptor of a stream: for netoption, or to wait until
 * the peer has gone, with fdwait or ALTHANGUP.
 * Returns it; -1 with EINVAL (no stream), EPERM.
 */
int streamfd(const Stream *s);

/*
 * A layer stands between a stream and its descriptor and makes other bytes of
 * those that go through: it encrypts them, or compresses.  All calls on the
 * stream go on as they do without.  Its functions get the layer that
 * streamlayer was given.  They read and write the descriptor themselves, must
 * not wait, nor call what blocks, and fail with -1 and errno; EAGAIN has the
 * stream wait and call again.  One that fails otherwise ends the stream, or its
 * side.
 *
 * begin makes the layer ready: 0, or EAGAIN if it has to wait for the peer.  At
 * first v has n bytes that the stream had read ahead, which it keeps a copy of.
 * read is as recv(2): 0 at the proper end, and EAGAIN only when the descriptor
 * has said that; EINTR has others run first, before it is called again.  write
 * takes some of n bytes, as send(2), and may keep what it has made of them if
 * the descriptor has no room; while it keeps that, it takes no more: EAGAIN.
 * flush sends what is kept: 0 when that is all.  shut has the peer told that no
 * more will be written, as flush; it may be called again.  unsent tells how
 * many bytes are kept.  pending tells whether read would give some, the end or
 * an error without asking the descriptor.  free frees the layer.  read may have
 * something to send too, and then keeps it as well.
 */
typedef struct Streamlayer
{
	int (*begin)(void *layer, int fd, const void *v, size_t n);
	ssize_t (*read)(void *layer, int fd, void *v, size_t n);
	ssize_t (*write)(void *layer, int fd, const void *v, size_t n);
	int (*flush)(void *layer, int fd);
	int (*shut)(void *layer, int fd);
	size_t (*unsent)(void *layer);
	size_t (*pending)(void *layer);
	void (*free)(void *layer);
} Streamlayer;

/*
 * streamlayer writes what is buffered, puts a layer below the stream and has it
 * begin; input that is buffered is the layer's.  So is all that comes, and the
 * layer is the stream's, which frees it when it is closed.  io_uring does not
 * make the calls on a stream with a layer, and files that are sent are copied.
 * Returns 0; -1 with EALREADY (it has one), EINVAL (some input is to be
 * skipped), or as streamflush, and nothing has changed; or as begin or a wait
 * fails: then streamclose is all that the stream is good for.  Whenever it
 * fails, layer is the caller's still.
 * Blocks: until the layer is ready.
 */
int streamlayer(Stream *s, const Streamlayer *ops, void *layer);

/*
 * streamlayerof finds the layer that streamlayer was given with the same ops.
 * Returns it; NULL with EINVAL (no stream), ENOENT (no such layer), EPERM.
 */
void *streamlayerof(const Stream *s, const Streamlayer *ops);

/* Servers: server(3) */

/*
 * A Server accepts connections and has a function called for each, in a task of
 * its own.  Zeroed but for fn it is valid.  It must stay where it is until
 * serverstop has returned and, if that has cancelled some, as long as they are
 * in fn.  The calls here are for the proc where it was started, but those that
 * only tell something: serverport, serverlive, serverstopping; in others they
 * fail with EPERM.
 */
typedef struct Server Server;
struct Server
{
	/* the program sets these before serverstart */
	int max;	/* connections at a time; 0: any number */
	int idle_ms;	/* a connection that waits longer is closed; 0: never */
	int backlog;	/* as NETBACKLOG's; 0: as many as the system allows */
	int reuseport;	/* 1: procs accept by themselves, see serverspread */
	unsigned int stack;	/* of a connection's task, as for taskcreate */
	size_t most;	/* of its stream, as for streamopen */
	int (*fn)(Server *s, Stream *c, void *arg);
	void *arg;

	/* the library's */
	struct Serverhome *home;
	int stopping;
};

/*
 * fn is called with the stream of a connection that has been accepted.  It may
 * return 1: then it is called again when there is something to read, in the
 * buffer already, and until then the connection has no task, and takes less
 * than 400 bytes.  If it leaves all that was there, as one that finds half a
 * message may, it is called when there is more.  The first call comes at once,
 * for fn may be the one that speaks first: if not, it returns 1 when
 * streampeek(c, 0, &v) shows nothing.
 * When it returns anything else, or its task ends, or the peer has closed and
 * all it sent was read, the connection is closed, by streamclose.
 *
 * A connection is in one task at a time.  fn need not flush what it writes.  It
 * should read with a deadline, for idle_ms is only about connections that wait
 * for fn to be called, and about how long writing what is left may take at the
 * end.  Other tasks that use the stream must have left it when fn returns: if
 * not, the connection is shut down, and closed when they have.
 */

/*
 * serverstart has s listen at an address and port, as netannounce with TCP.
 * serverlisten has it accept at fd, a socket that listens: of another kind, or
 * passed on by a process that restarts.  Both can be called several times, for
 * several addresses.  What is listened at is the server's, which closes it at
 * the end.
 * While there are max connections none is accepted: others wait in the kernel.
 * Returns 0; -1 with EBUSY (it is stopping), EINVAL (no fn, a backlog that
 * cannot be, or fd does not listen), ENOMEM, ENOTSOCK, EPERM; serverstart also
 * as netannounce.
 * Blocks: serverstart, while a host name is looked up.
 * From: Tornado's TCPServer; gevent's StreamServer.
 */
int serverstart(Server *s, const char *addr, int port);
int serverlisten(Server *s, int fd);

/*
 * serverport tells the port of what was listened at last, 0 if that has none;
 * serverlive, how many connections there are now.
 * Returns it; serverport -1 with EINVAL if the server does not run.
 */
int serverport(const Server *s);
int serverlive(const Server *s);

/*
 * serverspread has the connections that are accepted from now on served in n
 * procs: each in the one with the fewest.  The caller's may be among them.  fn
 * is called in tasks of these procs, so what it shares with others has to be
 * for that.  A proc does not end before the server has stopped.
 * With reuseport each of these procs has a socket of its own at the addresses
 * of serverstart, accepts max / n connections at most, rounded up, and serves
 * them itself: so more can be accepted than one proc could hand out.  The
 * kernel deals them out blindly, to a busy proc as to an idle one, and those
 * that wait at a socket when it is closed are lost.  It comes after serverstart
 * then, and once: later calls of both fail with EALREADY.
 * Returns 0; -1 with EBUSY (it is stopping), EINVAL (no procs, or with
 * reuseport no address), EALREADY, or as proccall and netannounce.
 * Blocks: until the procs know.
 */
int serverspread(Server *s, const int *procs, int n);

/*
 * serverstop ends a server.  It accepts no more, but takes those connections
 * that the kernel has accepted already.  Those that wait for fn to be called
 * have 100 ms yet, and are closed then; where fn has been called because there
 * was something to read, the connection is closed when it returns.  When the
 * caller's deadline has passed, or it is cancelled, the tasks that are left are
 * cancelled, and have a second to clean up.
 * serverstopping tells fn that this has begun, so that it may say goodbye.
 * Returns how many connections were cancelled while fn had not returned; 0 if s
 * does not run; -1 with EBUSY (another task stops it), EDEADLK (called in the
 * task of one of its connections), EPERM; serverstopping 1 or 0.
 * Blocks: serverstop, until the last connection is closed, or that second is
 * over.
 * From: gevent's stop; hyper's graceful shutdown.
 */
int serverstop(Server *s);
int serverstopping(const Server *s);

/* Procs: proc(3) */

/*
 * A proc is a scheduler with a thread of its own.  Tasks never change theirs,
 * and what they share (channels, locks, groups) is for the tasks of one proc;
 * another's calls fail with EPERM.  What goes between procs goes by the calls
 * here.  Procs have numbers: 1 is the first scheduler of the process, and none
 * is used twice.
 *
 * proccreate starts a thread with a scheduler, whose first task is fn(arg) with
 * a stack of stack bytes; 0: 64 KiB.  The proc ends when its last task that is
 * not a system task has; taskrun returns only when the procs have ended that
 * were made in it, and by those.
 * Returns its number; -1 with EINVAL (no fn), ENOMEM, EAGAIN (no more threads),
 * EMFILE, ENFILE, EPERM.
 * From: Plan 9.
 */
int proccreate(void (*fn)(void *arg), void *arg, unsigned int stack);

/*
 * Returns the number of the caller's proc, which others can post to from then
 * on; -1 with EMFILE, ENFILE, ENOMEM, EPERM.
 */
int procself(void);

/*
 * Returns how many processors this process may use: as many as there are, less
 * what its affinity and its control group take away.  Works in any thread.
 * From: Go's NumCPU.
 */
int proccpus(void);

/*
 * procpost makes a task fn(arg) in another proc, or in its own, and does not
 * wait for it.  It works in any thread.  Posts of one thread begin in the order
 * in which they were made.
 * Returns 0; -1 with EINVAL (no fn), ENOMEM, ESRCH (no such proc: it has ended,
 * or cannot be reached, for it has not called procself or proccreate).
 * From: muduo's runInLoop.
 */
int procpost(int proc, void (*fn)(void *arg), void *arg, unsigned int stack);

/*
 * proccall calls fn(arg) in a task of another proc and waits until it has
 * returned; in the caller's own proc it just calls it.  The task has as much
 * stack as the caller.  The caller's deadline and a cancel end the waits of fn
 * there; proccall comes back only after fn has.
 * Returns what fn returned, with its errno if that is -1; -1 with ECANCELED
 * (the task ended otherwise), EINVAL (no fn), ESRCH (as procpost), ENOMEM,
 * EMFILE, ENFILE, EPERM.
 * Blocks: until fn has returned.
 */
int proccall(int proc, int (*fn)(void *arg), void *arg);

/*
 * procwait waits for the end of a proc that proccreate has made.  Its status is
 * kept until somebody has waited for it.
 * Returns 0, and in *status (may be NULL) what taskrun would have returned; -1
 * with EDEADLK (its own), ESRCH (none, or waited for already), ENOMEM, EMFILE,
 * ENFILE, EPERM.
 * Blocks: until the proc has ended.
 */
int procwait(int proc, int *status);

/*
 * taskshutdown cancels all other tasks, of all procs that can be reached, and
 * waits for their end as long as the caller's scopes allow.  System tasks are
 * left alone.  After it taskrun returns when the caller ends, whatever is left;
 * but a task that computes keeps its proc until it waits.
 * Returns how many tasks of this proc, and how many other procs, have not
 * ended; -1 with EBUSY (another task is in it), EPERM.
 * Blocks: until all have ended, or a deadline or cancel ends that.
 * From: Trio's cancel scopes.
 */
int taskshutdown(void);

/*
 * taskhope says that so many more threads that are no procs may yet post
 * something, or, with a negative number, fewer.  While there are some, no
 * deadlock is reported.  It works in any thread.
 * Returns 0; -1 with EINVAL (there would be less than 0, or more than INT_MAX).
 */
int taskhope(int more);

/* Embedding: embed(3) */

/*
 * A thread whose loop is another library's can have a scheduler as well: the
 * loop waits for one descriptor, and calls procstep when that can be read.
 *
 * procopen makes a scheduler in the calling thread, whose first task is
 * fn(arg), with a stack as taskrun's.  Nothing runs yet.  Only this thread may
 * make the calls here, outside tasks.  Between them no scheduler runs in it,
 * and calls fail so; but taskcreate makes a task here, which the next procstep
 * runs; after one that has returned 0, the next scheduler.  procpost and
 * proccall reach it as any proc; on a channel of chanshared the host should not
 * wait.
 * Returns its number; -1 with EBUSY (the thread has one already), EINVAL (no
 * fn), ENOMEM, EMFILE, ENFILE, ENOSYS (not on Linux).
 */
int procopen(void (*fn)(void *arg), void *arg);

/*
 * procfd gives a descriptor that can be read while procstep(0) would do
 * something: for poll, epoll and the like, not for read.  It stays the same,
 * also in the child of a fork(2), until procclose, which closes it; only if the
 * program itself has closed it is there another one.
 * Returns it; -1 with EPERM (procopen was not called here), EMFILE, ENFILE,
 * ENOMEM.
 */
int procfd(void);

/*
 * procstep looks what has come, from descriptors, deadlines and other threads,
 * and runs the tasks that can go on, for a turn: until all wait, or for about a
 * millisecond.  If there is nothing to do it waits for it, for ms milliseconds
 * at most; 0: not at all, -1: without limit.
 * Returns 2 if there is more to do at once, 1 if tasks are left and wait, 0 if
 * the last task that is not a system task has ended: then nothing will run any
 * more; -1 with EINVAL (ms under -1), EPERM (procopen was not called here, or
 * the caller is a task).
 */
int procstep(int ms);

/*
 * procclose ends the scheduler, and waits for the procs that were made in it,
 * as the end of taskrun does.  Tasks that are left are given up, as system
 * tasks are there: nothing of theirs runs any more.  The thread must do this
 * before it ends, and may then call procopen or taskrun again.
 * Returns the status of the last taskexit; -1 with ECANCELED if tasks that are
 * not system tasks were given up, with EPERM as procstep.
 */
int procclose(void);

/* Threads: offload(3) */

/*
 * offload has a thread of a pool call fn(arg), while other tasks go on: for
 * what computes for long, and for calls that stop their thread, such as those
 * on files.  arg may lie on the caller's stack.  In fn no scheduler runs: the
 * calls here fail as they do without one, with EPERM.
 * If no thread is free the call waits for one, and a deadline or a cancel ends
 * that wait.  When a thread has begun, offload returns what fn returns,
 * whatever comes first.
 * Returns what fn returned, with its errno if that is -1; -1 with EAGAIN (there
 * is no thread, nor can one be made), EINVAL (no fn), ESRCH (in the child of a
 * fork(2) that came meanwhile), ENOMEM, EMFILE, ENFILE, EPERM.
 * Blocks: until fn has returned.
 * From: Plan 9's ioproc; libuv's uv_queue_work.
 */
int offload(int (*fn)(void *arg), void *arg);

/*
 * offloadmax has so many threads at most run functions of offload at a time, in
 * the whole process; 16 at first.  They are made when they are needed, and end
 * when they have had nothing to do for 10 s.  It works in any thread.
 * Returns 0; -1 with EINVAL (less than 1).
 */
int offloadmax(int threads);

/* Signals: signalwatch(3) */

/*
 * signalwatch has each sig of this process sent to c: its number, an int.  A
 * task of the library sends it, and waits while c is full.  Signals of a number
 * that come before the last one was sent may become one; none is lost.  Several
 * channels, of several procs too, may get the same signal: each gets it, in
 * place of what it did before, which it does again when the last is unwatched.
 * But a second SIGINT or SIGTERM kills as it does by default, if one of the
 * channels' receivers has not received the first yet.
 *
 * signalunwatch ends that, and so does the end of c or of the scheduler.  What
 * was not sent by then is dropped.  As long as any signal is watched no
 * deadlock is reported, for one may come.
 * Sizes: c is of ints.
 * Returns 0, also if c gets the signal already; -1 with EINVAL (no c, or not of
 * ints; no such signal; SIGKILL, SIGSTOP, or one that means a fault: SIGSEGV,
 * SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS), EPIPE (c is closed),
 * ENOMEM, EMFILE, ENFILE, EPERM, also if c is shared; signalunwatch with ENOENT
 * if c does not get it.
 * From: Plan 9 threadnotify; Go's signal.Notify.
 */
int signalwatch(int sig, Channel *c);
int signalunwatch(int sig, Channel *c);

/* Children: child(3) */

typedef struct Child Child;

/* What may stand in Child.fd in place of a descriptor. */
enum
{
	CHILDPIPE = -1,	/* a pipe, whose other end is found there */
	CHILDNULL = -2	/* /dev/null */
};

/* A Child that is zeroed inherits all from this process. */
struct Child
{
	/* the program sets these before childspawn */
	char *const *env;	/* its environment; NULL: this process's */
	const char *dir;	/* its working directory; NULL: the same */
	int fd[3];	/* what become its 0, 1, 2; 0: it inherits that one */
	int group;	/* 1: it gets a process group of its own */

	/* childspawn sets these */
	int pid;
	int pidfd;	/* can be read when it has ended; -1: waited for */
};

/*
 * childspawn runs a program: argv[0], which is looked for along the PATH if it
 * has no slash, with the arguments argv, of which NULL is the last.  It has the
 * signals ignored and blocked that this process would have without the library.
 * Of this process's descriptors it has those that are not close-on-exec; all of
 * the library are.  The ends of pipes that c->fd gets are non-blocking, for
 * fdread and fdwrite; use fdclose on them.  A thread of offload's pool makes
 * it, and reads the arguments meanwhile; a deadline or a cancel ends the wait
 * for a thread.
 * Returns 0; -1 with the errno of execve(2) (ENOENT, EACCES, E2BIG ...), of
 * chdir(2), EBADF (a c->fd is not open), EINVAL (no argv[0], a c->fd below
 * CHILDNULL), EAGAIN (too many processes or threads), ENOMEM, EMFILE, ENFILE,
 * ENOSYS (the kernel has no pidfd_open), EPERM, or as offload.  Then c is as it
 * was, and there is no such process.
 * Blocks: until the program has begun.
 * From: posix_spawn; Go's exec.Cmd.
 */
int childspawn(Child *c, char *const argv[]);

/*
 * childwait waits for the end of a child, which can be waited for once.  If a
 * deadline or a cancel ends the wait, the child runs on.
 * Returns 0, with what waitpid(2) gives in *status, which may be NULL; -1 with
 * ECHILD (not spawned, or waited for already, or SIGCHLD is ignored), EINVAL,
 * EPERM, or as fdwait.
 * Blocks: until it has ended.
 */
int childwait(Child *c, int *status);

/*
 * childkill sends the child a signal, or its group if it has one of its own.
 * Returns 0; -1 with ESRCH (not spawned, or waited for already), EBADF (pidfd
 * was closed, and it has no group), EINVAL, EPERM.
 */
int childkill(Child *c, int sig);

/*
 * childadopt makes a Child of the process pid, a child of this one that was
 * made in another way: by taskfork, or fork(2).  Then childwait waits for it.
 * Nobody else must have.  c->group says, as ever, that it has a process group
 * of its own.
 * Returns 0; -1 with ECHILD (no child of this process, or waited for already),
 * EINVAL (no c, pid below 1), ENOMEM, EMFILE, ENFILE, ENOSYS (the kernel has
 * no pidfd_open), EPERM.
 */
int childadopt(Child *c, int pid);

/* Fork: fork(3) */

/*
 * taskfork makes a process like this one, as fork(2) does, in which the calling
 * task goes on alone.  The other tasks have not ended there, but are gone, with
 * nothing done that they had deferred.  They wait for nothing any more; what
 * they hold, such as a lock, stays held.  There are no other procs, no threads
 * of offload and no timers, but for the one whose function the caller is; no
 * cron makes a call, no signal is watched, and the children are the parent's.
 * Channels that chanshared made before fail with EPERM, and are not freed; new
 * ones work.
 * The caller keeps its id and its scopes, procself its number; its groups are
 * empty, and it is no system task.  Memory is as it was, and in it what stdio
 * has not written yet; but the stacks of the others are there for new tasks.
 * Descriptors are open, and share their files with the parent's.  When the task
 * ends so does the program, in the way it always does: taskrun returns there
 * too, and procstep, to the loop that it was called by.
 *
 * fork(2) itself may be called as well; then all tasks of the caller's proc go
 * on in both processes.
 * Returns the number of the process, and 0 there; -1 with EAGAIN (too many
 * processes), ENOMEM, EPERM (also in a hook of tasksetswitch).
 * From: POSIX fork in a program with threads.
 */
int taskfork(void);

/* Inspecting: inspect(3) */

/*
 * A task, as it was when that was asked for.  Times are in ns, on the clock of
 * tasknow.  More may be added at the end.
 */
typedef struct Taskinfo
{
	int id;
	int proc;	/* of its scheduler: procself */
	int status;	/* one of those below */
	int system;
	int cancelled;
	const char *why;	/* the call it waits in, "ready", "running" */
	char object[256];	/* what it waits for, as in the list of tasks */
	char name[256];	/* as taskname and taskstate set them */
	char state[256];
	int64_t since_ns;	/* when it began to wait; -1: it does not */
	int64_t deadline_ns;	/* when that ends at the latest; -1: never */
	uint64_t ran_ns;	/* how long it ran; see taskprofile */
	uint64_t longest_ns;	/* at most, before it let others run */
	unsigned int switches;	/* how often it went on */
	size_t stack;	/* bytes; 0: not the library's */
	size_t stackused;	/* of these, now; see taskstackused */
	const void *entry;	/* the function that it was made with */
	int creator;	/* id of the task that made it; 0: none */
	const void *made;	/* the code that made it; NULL: the library */
	uint64_t ready_ns;	/* how long it was ready and did not run */
} Taskinfo;

enum { TASKRUNNING, TASKREADY, TASKPARKED };	/* Taskinfo.status */

/*
 * tasklist calls fn with the fdtask and then with each task of this proc, the
 * oldest first, until it returns other than 0; fn must not block.  since_ns is
 * when the turn of the scheduler began in which the task parked: up to a
 * millisecond or one task's run too early.
 * Returns what fn returned last; -1 with EINVAL.
 * From: gevent, print_run_info.
 */
int tasklist(int (*fn)(const Taskinfo *info, void *arg), void *arg);

/*
 * tells of one task of this proc; id 0 is the fdtask.
 * Sizes: size is sizeof *info: a program that was compiled with a smaller
 * Taskinfo gets that.
 * Returns 0; -1 with EINVAL, ESRCH (no such task), ENOMEM.
 */
int taskinfo(int id, Taskinfo *info, size_t size);

/*
 * stores in pc, which has room for n, the addresses to which the calls will
 * return that a task of this proc is in, the innermost first; or, of one that
 * has not run yet, its function.
 * Returns how many: 0 of the fdtask, and on other CPUs than x86-64 and AArch64;
 * -1 with EINVAL, ESRCH, ENOMEM.
 * From: glibc, backtrace.
 */
int taskstack(int id, void **pc, int n);

/*
 * writes to fd about all tasks of all procs: a line for those that are alike,
 * the calls that they are in, what made them, and their ids.  The functions are
 * named, and tools/tasklines adds files and lines.  A proc that does not answer
 * within a second is interrupted by SIGURG: the task that lets no other run has
 * its calls told, and of the others (256 at most) is said what they wait in.
 * Returns 0; -1 with ENOMEM, or what fdwrite fails with.
 * Blocks: until all have answered, and as fdwrite.
 * From: Go, SIGQUIT.
 */
int taskdump(int fd);

/*
 * names a reason to stop, as tasksettrace gets it: the call that the task waits
 * in, "yield" for 0, "end" for others than these.
 */
const char *taskwhy(int why);

/* Numbers of this proc.  More may be added at the end. */
typedef struct Taskstats
{
	unsigned int tasks;	/* that live, the system's too */
	unsigned int system;
	unsigned int ready;

	/* of those that wait: for a channel or chanalt, ... */
	unsigned int channels;
	unsigned int delays;
	unsigned int locks;
	unsigned int descriptors;
	unsigned int events;	/* semaphores and rendezvous too */
	unsigned int tasksends;	/* taskwait, groups */
	unsigned int others;	/* other threads, signals */

	unsigned int waiting;	/* waits for descriptors, in chanalt too */
	unsigned int timers;	/* deadlines to come */
	unsigned int warm;	/* free stacks with memory */
	unsigned int cold;	/* free stacks that have given it back */
	size_t bytes;	/* of addresses for stacks and their guards */
	uint64_t waits;	/* that were begun; each but the present ones woke */
	unsigned int switches;	/* since the start, modulo 2^32 */
	uint64_t turns;	/* of the fdtask */
} Taskstats;

/* Sizes: as of taskinfo.  Returns 0; -1 with EINVAL.  It looks at each task. */
int taskstats(Taskstats *stats, size_t size);

/*
 * Sizes: bytes of the task's stack that have been touched, in whole pages, by
 * it or by tasks that had that stack before, since tasktrim or idleness gave
 * the memory back.
 * Returns that; 0 with ESRCH, ENOMEM.
 */
size_t taskstackused(int id);

/*
 * on counts for each task of this proc how long it runs: Taskinfo has the sums
 * since then.  Each switch takes some 25 ns more.  The fdtask's is the time for
 * descriptors, and that when nothing was ready.
 * Returns 0; -1 with ENOMEM.
 * From: tokio-console; gevent's monitor.
 */
int taskprofile(int on);

/*
 * has fn called in this proc before each switch from one task to another, the
 * fdtask being 0, on the stack of the one that stops; why is for taskwhy.  fn
 * must not block.  NULL: it is called no more.
 * Returns 0; -1 with ENOMEM.
 * From: greenlet, settrace.
 */
int tasksettrace(void (*fn)(int from, int to, int why, void *arg), void *arg);

/* Watchdog: watchdog(3) */

/*
 * has a thread of the library name tasks, of all procs, that have not let
 * others run for ms: one report on stderr says which, for how long, whether it
 * computes, is blocked in a call or was not given a CPU, and the calls that it
 * is in.  Of a place the first run is reported, the 2nd, 4th, 8th, and each
 * that lasts twice as long as any before; no more than 5 reports are made in a
 * second.  0: no more.  An idle scheduler, the time for which the process was
 * stopped, what a debugger holds, and tasks that have called taskbusy are not
 * reported.  The child of a fork is watched too.  TASKWATCHDOG=ms in the
 * environment does the same.  It costs a task nothing that lets others run; one
 * that does not is interrupted by SIGURG, so that calls like sleep(3) return
 * early.
 * Returns 0; -1 with EAGAIN.  Works anywhere.
 * From: Seastar's stall detector, gevent's monitor.
 */
int taskwatchdog(unsigned int ms);

/*
 * on: the calling task computes for long, and knows it; 0, or its end: no
 * longer.
 */
void taskbusy(int on);

/* Console: console(3) */

/*
 * A console is a session of text commands with the running program: "ps" lists
 * the tasks, "bt 12" says which calls task 12 is in, "help" lists the others.
 *
 * console opens one as a Unix socket at path, for this user and root only.  Its
 * sessions are those of this proc, and do not keep the program from ending; a
 * deadlock is reported while it is open, but not while a session is attached.
 * While a task computes a thread of the library answers what can be answered
 * from outside.  The file of a process that has died is replaced; this one's is
 * removed at the end of the proc, or by exit.  TASKCONSOLE=path in the
 * environment does the same when the first scheduler begins.
 * Returns 0; -1 with EBUSY (this process has one), EADDRINUSE (another has, or
 * path is no socket), EINVAL (no path), ENAMETOOLONG, ENOENT, EACCES, ENOMEM,
 * EMFILE, ENFILE, EAGAIN (no thread).
 * From: gevent's BackdoorServer; tokio-console.
 */
int console(const char *path);

/*
 * consoleserve serves one session, on any two descriptors or one, which become
 * non-blocking and stay open.  When what it writes is not taken for a minute it
 * ends.
 * Returns 0 at the end of in, by "quit", or if out takes no more; -1 with what
 * fdread or fdnoblock fails with, ENOMEM.
 * Blocks: until then.
 * From: Python's Pdb on any files.
 */
int consoleserve(int in, int out);

/*
 * consoleadd adds a command to all consoles of the process, now and later.  fn
 * is called in the session's task, with the session's out, for consoleprint or
 * fdwrite; argv[0] is name, and all of argv stays until fn returns.  It may
 * block.  fn returns 0; -1: the session says what errno means; or a number,
 * which it says.
 * Sizes: name and help are not copied.  Stacks of the console's have 256 KiB.
 * Returns 0; -1 with EINVAL (no fn or name, or blanks in it), EEXIST, ENOMEM.
 * Works anywhere.
 */
int consoleadd(const char *name, const char *help,
	int (*fn)(int fd, int argc, char **argv, void *arg), void *arg);

/*
 * consoleprint writes to fd as printf would.  It waits as fdwrite does, but no
 * longer than a minute for each part that is taken.
 * Returns how many bytes; -1 with ETIMEDOUT, EINVAL (no fmt), ENOMEM, or as
 * fdwrite.
 * Blocks: as fdwrite.
 */
int consoleprint(int fd, const char *fmt, ...) TASK_PRINTF(2, 3);

/*
 * consolesignal has sig attach a session: when it comes, a directory task.PID
 * with two FIFOs is made, in $XDG_RUNTIME_DIR or /tmp, that this user only can
 * open, and the first who opens them within 10 s has one: taskattach(1) does
 * all that.  The signal is watched: see signalwatch.
 * Returns 0; -1 with EBUSY (there is one in this process), or as signalwatch.
 * From: Python's remote debugging by SIGUSR1 and a pipe.
 */
int consolesignal(int sig);

/*
 * consolebreak waits, if a session is attached to this proc, until one says
 * "cont", or the last has ended; the list of tasks shows what.  A command of
 * consoleadd goes on.
 * Sizes: what stays as it is meanwhile.
 * Returns 1 if it has waited, 0 if not; -1 with EPERM.
 * Blocks: until then.
 */
int consolebreak(const char *what);

/*
 * taskstdout says where this task is to print: to the session that has said
 * "stdio on", or, first, to that of the command that has made it, or made who
 * made it; else to 1.
 * Returns a descriptor, for consoleprint or fdwrite.
 * From: gevent's BackdoorServer, which swaps sys.stdout.
 */
int taskstdout(void);

/* Tracing: trace(3) */

/*
 * tracestart has all procs record who runs, why each task stops and who wakes
 * it, in a ring that always has the last of it; tracestop ends that and drops
 * the rings.  TASKTRACE=file in the environment records a whole program, and
 * writes the file when it ends.
 * Sizes: bytes are for each proc: rounded up to a power of two, 64 KiB at
 * least; 0: 16 MiB.  An event takes 16, a switch is one or two.
 * Returns 0; -1 with EINVAL, ENOMEM.
 * Blocks: until all procs have begun or ended, a second at most for each.
 * From: Go, flight recorder; Chrome's tracing.
 */
int tracestart(size_t bytes);
int tracestop(void);

/*
 * writes what was recorded to fd, while that goes on; tools/view.html shows it,
 * and tools/tracejson makes JSON for Chrome and Perfetto.
 * Returns 0; -1 with EINVAL (nothing is recorded), ENOMEM, or what fdwrite
 * fails with.
 * Blocks: until other procs have answered, a second at most, and as fdwrite.
 */
int tracesave(int fd);

/*
 * traceon has what was recorded saved by itself when something is amiss, into
 * a new file trace.PID.N.tt in the working directory, and says so on stderr:
 * TRACERAN: a task has let no other run for n ms; TRACEREADY: one was ready for
 * n ms while others ran; TRACESIGNAL: the signal n has come.  n 0 ends that.
 * It begins to record, as tracestart(0), if nothing is recorded.
 * Sizes: of TRACERAN and TRACEREADY no more than a file in 10 s and 10 in all,
 * lest a disk be filled.  Each switch takes some ns more.
 * Returns 0; -1 with EINVAL (what is none of these), EBUSY (there is a signal
 * already), ENOMEM, or as signalwatch.
 * Blocks: as tracestart.
 * From: Go, FlightRecorder in a test that was slow; seastar's stall detector.
 */
int traceon(int what, unsigned int n);

enum { TRACERAN = 1, TRACEREADY, TRACESIGNAL };

/*
 * puts a mark into the trace, at the running task: a moment with a text, or a
 * section from tracebegin to traceend; sections may be nested.  Nothing happens
 * while nothing is recorded.
 * Sizes: 127 bytes are kept of a text; 4096 different ones, 64 KiB in all.
 */
void tracemark(const char *fmt, ...) TASK_PRINTF(1, 2);
void tracebegin(const char *name);
void traceend(void);

/* The library's own, for part two. */

struct Timeout
{
	Timeout *outer;
	int64_t deadline_ns;
	const void *opener;	/* the coroutine or generator that opened it */
	int fired;
	int err;	/* what calls fail with; 0: ETIMEDOUT */
};

struct RecLock
{
	QLock l;
	unsigned int again;	/* how often the owner has taken it again */
};

TASK_INLINE void
task_leave(Timeout *const *t)
{
	timeoutstop(*t);
}

/* Each line has names of its own: compilers warn of one within another. */
#define TASK_NAME(name, line) name##line
#define TASK_TIMEOUT(t, ms, line) \
	for(Timeout *const TASK_NAME(task_scope, line) \
		TASK_CLEANUP(task_leave) = (timeoutstart(t, ms), (t)), \
		*TASK_NAME(task_once, line) = TASK_NAME(task_scope, line); \
		TASK_NAME(task_once, line); \
		timeoutstop(TASK_NAME(task_scope, line)), \
		TASK_NAME(task_once, line) = NULL)
#define TASK_SCOPE(t, ms, line) TASK_TIMEOUT(t, ms, line)
#define TIMEOUT(t, ms) TASK_SCOPE(t, ms, __LINE__)
#endif

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
