/* SPDX-License-Identifier: MIT */
/* Signals as messages: each one that is watched is sent to channels. */
#include "proc.h"
#include "../machine/signal.h"
#include "../sync/sync.h"
#include "../task/newnames.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>

/*
 * The handler runs in any thread, at any point of it.  It goes over the watches
 * of its signal and tells the note of each to the door of its proc; there the
 * note makes the watch's task ready, which sends to the channel.  A task for
 * each, for it waits while the channel is full.
 *
 *	kill --> handler: told = 1, note --> fdtask: more = 1 --> task: chansend
 *
 * told and more each stand for all signals that have come since they were 0: so
 * none is lost, and there is no queue that could grow.
 */
typedef struct Sigwatch Sigwatch;
struct Sigwatch
{
	_Atomic(Sigwatch *) next;	/* of this signal: for handlers */
	Note note;
	Door *door;	/* of its proc */
	atomic_int told;	/* note is in the door; 0 again when called */
	int sig;

	/* for its own thread only */
	Channel *c;
	Sigwatch *other;	/* of its proc */
	Task *task;	/* NULL when it has ended */
	int more;	/* task is to send */
	int sending;
	int gone;	/* no handler knows it; freed after task and note */
};

enum { Signals = NSIG };

/* What there is for each signal: for handlers; lock is held to change it. */
static struct
{
	_Atomic(Sigwatch *) first;
	Arranged arranged;
} watched[Signals];

static pthread_mutex_t watchlock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int looking;	/* handlers that look at the watches */

/* Who presses the key again wants an end, whatever the program is doing. */
static int
insists(int sig)
{
	return sig == SIGINT || sig == SIGTERM;
}

/* does what sig does by default, also in its handler, where it is blocked. */
static void
dieof(int sig)
{
	struct sigaction sa = {.sa_handler = SIG_DFL};
	sigset_t one;

	sigemptyset(&one);
	sigaddset(&one, sig);
	sigaction(sig, &sa, NULL);
	raise(sig);
	pthread_sigmask(SIG_UNBLOCK, &one, NULL);
}

/*
 * tells all who watch sig; returns -1 if nobody does, or else whether one has
 * not even answered the last one.
 */
static int
tellwatches(int sig)
{
	int late = -1;

	atomic_fetch_add(&looking, 1);
	for(Sigwatch *w = atomic_load(&watched[sig].first); w;
			w = atomic_load(&w->next)){
		int was = atomic_exchange(&w->told, 1);
		if(!was)
			task_doortell(w->door, &w->note);
		if(late < was)
			late = was;
	}
	atomic_fetch_sub(&looking, 1);
	return late;
}

static void
signalcame(int sig, siginfo_t *info, void *ucontext)
{
	int err = errno, late = tellwatches(sig);

	if(late > 0 && insists(sig))
		dieof(sig);
	if(late < 0 && !task_passon(&watched[sig].arranged, info, ucontext))
		raise(sig);
	errno = err;
}

/* frees w, which is gone, unless its task or note needs it; p may be NULL. */
static void
freewatch(Proc *p, Sigwatch *w)
{
	Sigwatch **at = p ? &p->watches : NULL;

	if(w->task || atomic_load(&w->told))
		return;
	while(at && *at && *at != w)
		at = &(*at)->other;
	if(at && *at)
		*at = w->other;
	task_sys.free(w);
}

static int
inbuffer(const Channel *c, int sig)
{
	const int *elems = (const int *)(const void *)c->buf;

	for(unsigned int i = 0; i < c->nbuf; i++)
		if(elems[(c->off + i) % c->bufsize] == sig)
			return 1;
	return 0;
}

/* Whether a signal that came before has not been received. */
static int
unreceived(const Sigwatch *w)
{
	return w->more || (w->sending && w->task->wait.number) ||
		inbuffer(w->c, w->sig);
}

static void
watchtold(Note *n, void *owner)
{
	Sigwatch *w = structof(Sigwatch, note, n);

	atomic_store(&w->told, 0);
	if(w->gone){
		freewatch(owner, w);
		return;
	}
	if(insists(w->sig) && unreceived(w))
		dieof(w->sig);
	w->more = 1;
	if(w->task->wait.number && w->task->wait.why == WaitSignal)
		task_ready(w->task, w->task->wait.number, 0);
}

/*
 * ends w: takes it out of sight of the handlers, and waits until none looks at
 * it.  The caller sees to its task.
 */
static void
unwatch(Sigwatch *w)
{
	_Atomic(Sigwatch *) *at = &watched[w->sig].first;

	pthread_mutex_lock(&watchlock);
	while(atomic_load(at) != w)
		at = &atomic_load(at)->next;
	atomic_store(at, atomic_load(&w->next));
	task_unarrange(&watched[w->sig].arranged, 1);
	pthread_mutex_unlock(&watchlock);
	while(atomic_load(&looking))
		sched_yield();
	task_hope(-1);
	w->gone = 1;
}

/* ends w; its task, wherever it waits, is to end too. */
static void
endwatch(Sigwatch *w)
{
	Task *t = w->task;

	unwatch(w);
	if(t->wait.number)
		task_giveup(t, ECANCELED);
}

/* waits for a signal; -1 if none is to come any more. */
static int
awaitsignal(Sigwatch *w)
{
	while(!w->more && !w->gone)
		if(task_park(WaitSignal, (Object){.fd = w->sig}, NULL, NULL,
				-1) < 0 && errno != EINTR)
			return -1;
	return w->gone ? -1 : 0;
}

/* sends one; -1 if no more can be sent. */
static int
sendsignal(Sigwatch *w)
{
	int sig = w->sig, r;

	w->more = 0;
	w->sending = 1;
	while((r = chansend(w->c, &sig)) < 0 && errno == EINTR && !w->gone)
		;
	w->sending = 0;
	return r;
}

static void
sendsignals(void *v)
{
	Sigwatch *w = v;

	while(awaitsignal(w) == 0 && sendsignal(w) > 0)
		;
	if(!w->gone)	/* somebody has cancelled the task */
		unwatch(w);
	w->task = NULL;
	freewatch(task_proc, w);
	task_quit();
}

/* Proc.chanends */
static void
endwatches(Proc *p, const Channel *c)
{
	for(Sigwatch *w = p->watches; w; w = w->other)
		if(w->c == c && !w->gone)
			endwatch(w);
}

/* Those of a program's own faults are not: it would go on faulting. */
static int
watchable(int sig)
{
	static const int never[] = {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE,
		SIGILL, SIGABRT, SIGTRAP, SIGSYS};
	struct sigaction now;
	int err = errno;

	for(size_t i = 0; i < sizeof never / sizeof never[0]; i++)
		if(sig == never[i])
			return 0;
	int can = sig > 0 && sig < Signals && sigaction(sig, NULL, &now) == 0;
	errno = err;
	return can;
}

/* returns the caller's proc if its arguments are right; NULL with errno. */
static Proc *
callerwatch(int sig, const Channel *c)
{
	Proc *p = task_caller(c);
	int err = p ? task_chanwrong(c) : 0;

	if(err == 0 && p && (!watchable(sig) || c->elemsize != sizeof(int)))
		err = EINVAL;
	if(err)
		errno = err;
	return err ? NULL : p;
}

static Sigwatch *
findwatch(const Proc *p, int sig, const Channel *c)
{
	Sigwatch *w = p->watches;

	while(w && (w->sig != sig || w->c != c || w->gone))
		w = w->other;
	return w;
}

/*
 * While the thread forks it holds the lock, and a signal waits: for in the
 * child a note would get lost that is told before the door is the child's own.
 */
static sigset_t beforefork;

static void
holdwatches(void)
{
	sigset_t every, now;

	sigfillset(&every);
	pthread_sigmask(SIG_SETMASK, &every, &now);
	pthread_mutex_lock(&watchlock);
	beforefork = now;
}

static void
letgowatches(void)
{
	sigset_t then = beforefork;

	pthread_mutex_unlock(&watchlock);
	pthread_sigmask(SIG_SETMASK, &then, NULL);
}

static void
holdforkedwatches(void)
{
	pthread_atfork(holdwatches, letgowatches, letgowatches);
}

/* From the last store of the first part on, handlers know w. */
static void
showwatch(Proc *p, Sigwatch *w)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	Arranged *a = &watched[w->sig].arranged;

	pthread_once(&once, holdforkedwatches);
	task_hope(1);
	w->other = p->watches;
	p->watches = w;
	p->chanends = endwatches;
	pthread_mutex_lock(&watchlock);
	atomic_store(&w->next, atomic_load(&watched[w->sig].first));
	atomic_store(&watched[w->sig].first, w);
	a->sig = w->sig;
	a->fn = signalcame;
	a->takes = 1;
	task_arrange(a, 1);
	pthread_mutex_unlock(&watchlock);
}

int
task_signalwatch(int sig, Channel *c)
{
	Proc *p = callerwatch(sig, c);

	if(p == NULL)
		return -1;
	if(c->closed)
		return task_fail(EPIPE);
	if(findwatch(p, sig, c))
		return 0;
	Door *d = task_door(p);
	Sigwatch *w = d ? task_sys.alloc(sizeof *w) : NULL;
	if(w == NULL)
		return -1;
	w->note.fn = watchtold;
	w->door = d;
	w->sig = sig;
	w->c = c;
	w->task = task_createsystem(p, "signalwatch", sendsignals, w,
		0);
	if(w->task == NULL){
		task_sys.free(w);
		return -1;
	}
	showwatch(p, w);
	return 0;
}

int
signalwatch(int sig, Channel *c)
{
	return task_signalwatch(sig, c);
}

int
signalunwatch(int sig, Channel *c)
{
	Proc *p = callerwatch(sig, c);
	Sigwatch *w = p ? findwatch(p, sig, c) : NULL;

	if(w == NULL)
		return p ? task_fail(ENOENT) : -1;
	endwatch(w);
	return 0;
}

void
task_watchignored(sigset_t *set)
{
	pthread_mutex_lock(&watchlock);
	for(int sig = 1; sig < Signals; sig++)
		if(task_arrangedignored(&watched[sig].arranged))
			sigaddset(set, sig);
	pthread_mutex_unlock(&watchlock);
}

int
task_watchbegin(Proc *p)
{
	(void)p;
	return 0;
}

/* The tasks run no more.  A note that is told is answered by the door's end. */
void
task_watchend(Proc *p)
{
	Sigwatch *w = p->watches, *next;

	p->watches = NULL;
	for(; w; w = next){
		next = w->other;
		if(!w->gone)
			unwatch(w);
		w->task = NULL;
		freewatch(NULL, w);
	}
}

/* The lock is held: see holdwatches.  Notes are the parent's. */
void
task_watchforked(Proc *p)
{
	int users[Signals] = {0}, n = 0;

	atomic_store(&looking, 0);
	for(int sig = 1; sig < Signals; sig++)
		atomic_store(&watched[sig].first, NULL);
	for(Sigwatch *w = p ? p->watches : NULL; w; w = w->other){
		atomic_store(&w->told, 0);
		if(w->gone)
			continue;
		atomic_store(&w->next, atomic_load(&watched[w->sig].first));
		atomic_store(&watched[w->sig].first, w);
		users[w->sig]++;
		n++;
	}
	for(int sig = 1; sig < Signals; sig++)
		if(watched[sig].arranged.fn)
			task_arrangeforked(&watched[sig].arranged, 1,
				users[sig]);
	if(n > 0)
		task_hope(n);
}
