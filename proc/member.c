/* SPDX-License-Identifier: MIT */
/* All schedulers of the process: their numbers, and when none can go on. */
#include "proc.h"
#include "../fd/fd.h"
#include "../task/newnames.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>

/*
 * A proc is idle when it waits in the kernel for a note and for nothing else.
 * When all are, and no thread outside is to wake one, nothing can ever happen.
 * That is exact: a proc counts itself idle only after its door says that it
 * sleeps, and no longer before it answers a note.  So who finds all idle and a
 * door that does not say so knows that a note is under way.
 */
typedef struct Waiter Waiter;

static struct
{
	pthread_mutex_t lock;
	Member *members;	/* the living, and the dead not waited for */
	int last;	/* number that was given */
	int nprocs;	/* that live */
	int nidle;
	int hope;
	pthread_cond_t ended;	/* some nmade has become 0 */
} all = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};

/* One task in procwait. */
struct Waiter
{
	Errand errand;
	Waiter *next;
	int status;
	int told;	/* the note has been sent */
};

static void
lock(void)
{
	pthread_mutex_lock(&all.lock);
}

static void
unlock(void)
{
	pthread_mutex_unlock(&all.lock);
}

static Member *
findmember(int number)
{
	Member *m = all.members;

	while(m && m->number != number)
		m = m->next;
	return m;
}

/* the lock is held */
static void
releasemember(Member *m)
{
	if(--m->users == 0)
		task_sys.free(m);
}

/* the lock is held: nobody finds m any more. */
static void
forgetmember(Member *m)
{
	Member **at = &all.members;

	while(*at != m)
		at = &(*at)->next;
	*at = m->next;
	releasemember(m);
}

static int
issleeping(const Member *m)
{
	return m->door && task_doorsleeps(m->door);
}

/*
 * the lock is held: has the first of the idle say that nothing can go on, if so
 * it is; it has the next do the same.
 */
static void
checkstall(void)
{
	Member *first = NULL;

	if(all.nprocs == 0 || all.nidle < all.nprocs || all.hope > 0)
		return;
	for(Member *m = all.members; m; m = m->next)
		if(!m->over && !issleeping(m))
			return;
		else if(!m->over)
			first = m;
	task_doortell(first->door, &first->stalled);
}

int
task_hope(int more)
{
	lock();
	int wrong = more < 0 && all.hope + more < 0;
	if(!wrong)
		all.hope += more;
	checkstall();
	unlock();
	return wrong ? task_fail(EINVAL) : 0;
}

int
taskhope(int more)
{
	return task_hope(more);
}

/* the lock is held: the next older proc that lives, or NULL. */
static Member *
nextstalled(const Member *me)
{
	Member *next = NULL;

	for(Member *m = all.members; m; m = m->next)
		if(!m->over && !m->out && m->number > me->number)
			next = m;
	return next;
}

static void
saystalled(Note *n, void *owner)
{
	Proc *p = owner;	/* NULL: it has ended */

	lock();
	Member *next = nextstalled(structof(Member, stalled, n));
	unlock();
	if(p)
		p->deadlock(p, next != NULL);
	if(next)
		task_doortell(next->door, &next->stalled);
}

void
task_memberstalled(Proc *p)
{
	if(p->door == NULL){
		p->deadlock(p, 0);
		return;
	}
	if(!task_doorsleep(p->door))
		return;
	lock();
	all.nidle++;
	checkstall();
	unlock();
	task_fdforever(p);
	lock();
	all.nidle--;
	unlock();
}

/* What is left of errands and calls in the child of a fork(2). */
static void
endlost(Note *n, void *owner)
{
	(void)n;
	if(owner)
		task_errandslost(owner);
}

/* the lock is held */
static void
addmember(Member *m, Member *root)
{
	m->root = root ? root : m;
	m->users = root ? 2 : 1;
	m->number = ++all.last;
	m->next = all.members;
	all.members = m;
	all.nprocs++;
	if(root)
		root->nmade++;
	m->stalled.fn = saystalled;
	m->forked.fn = endlost;
}

/* returns a new member, of those that root has made; NULL with ENOMEM. */
static Member *
newmember(Member *root)
{
	Member *m = task_sys.alloc(sizeof *m);

	if(m){
		lock();
		addmember(m, root);
		unlock();
	}
	return m;
}

int
task_memberbegin(Proc *p)
{
	if(p->member == NULL)	/* not proccreate's */
		p->member = newmember(NULL);
	if(p->member == NULL)
		return -1;
	p->door = p->member->door;
	return p->door ? task_fddoor(p->fds, p->door) : 0;
}

void
task_memberreach(Proc *p, Door *d)
{
	lock();
	p->member->door = d;
	unlock();
}

/*
 * The number is out before the last notes are answered, and posts are told
 * under the lock: so one that was accepted is run.
 */
int
task_memberleaves(Proc *p)
{
	Member *m = p->member;

	lock();
	if(m->door == NULL || !task_doorfull(m->door))
		m->out = 1;
	unlock();
	if(!m->out)
		task_dooranswer(p->door, p);
	return m->out;
}

/* the lock is held: m is over. */
static void
memberover(Member *m, int status)
{
	m->over = 1;
	m->status = status;
	m->door = NULL;
	all.nprocs--;
	while(m->waiters){
		Waiter *w = m->waiters;
		m->waiters = w->next;
		w->status = status;
		w->told = 1;
		task_doortell(w->errand.home, &w->errand.note);
	}
	checkstall();
}

/* A proc of taskrun ends when those have that it has made, and these. */
void
task_memberend(Proc *p)
{
	Member *m = p->member;
	Door *d = p->door;

	lock();
	m->out = 1;
	unlock();
	task_callsend(p);
	task_errandsend(p);
	p->door = NULL;
	if(d)
		task_doorleave(d);
	lock();
	memberover(m, p->failed ? -1 : p->status);
	while(m->root == m && m->nmade > 0)
		pthread_cond_wait(&all.ended, &all.lock);
	if(m->root == m)
		forgetmember(m);
	unlock();
}

void
task_memberforked(Proc *p)
{
	Member *m = p ? p->member : NULL;

	pthread_mutex_init(&all.lock, NULL);
	all.members = m;
	all.nprocs = m != NULL;
	all.nidle = all.hope = 0;
	task_doorforked(p ? p->door : NULL);
	if(m == NULL)
		return;
	m->next = NULL;
	m->root = m;
	m->nmade = 0;
	m->waiters = NULL;
	task_callsforked(m);
	if(p->door)
		task_doortell(p->door, &m->forked);
}

int
task_membertell(int number, Note *n)
{
	lock();
	Member *m = findmember(number);
	int r = m && !m->out && m->door ? task_doortell(m->door, n) :
		task_fail(ESRCH);
	unlock();
	return r;
}

/* What a thread begins with. */
typedef struct Start
{
	int (*run)(void (*fn)(void *), void *arg, size_t stack, Member *m);
	void (*fn)(void *);
	void *arg;
	size_t stack;
	Member *member;
} Start;

/* The last thing done is to say so: then the process may end. */
static void *
procmain(void *v)
{
	Start s = *(Start *)v;

	task_sys.free(v);
	int status = s.run(s.fn, s.arg, s.stack, s.member);
	lock();
	if(!s.member->over)	/* it could not begin */
		memberover(s.member, status);
	Member *root = s.member->root;
	if(--root->nmade == 0)
		pthread_cond_broadcast(&all.ended);
	releasemember(s.member);
	unlock();
	return NULL;
}

enum { ThreadStack = 256 * 1024 };

static int
startthread(Start *s)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, ThreadStack);
	int err = pthread_create(&thread, &attr, procmain, s);
	pthread_attr_destroy(&attr);
	return err;
}

/* The thread could not be made: m has never been. */
static void
unmake(Member *m)
{
	if(m->door)
		task_doorleave(m->door);
	lock();
	m->root->nmade--;
	memberover(m, -1);
	forgetmember(m);
	releasemember(m);
	unlock();
}

/*
 * The door is made and the proc counted before the thread runs: else its maker
 * might be idle alone meanwhile, and that be taken for the end.
 */
int
proccreate(void (*fn)(void *), void *arg, unsigned int stack)
{
	Proc *p = task_caller(fn);

	if(p == NULL || task_door(p) == NULL)
		return -1;
	Start *s = task_sys.alloc(sizeof *s);
	Member *m = s ? newmember(p->member->root) : NULL;
	if(m == NULL){
		task_sys.free(s);
		return -1;
	}
	*s = (Start){p->run, fn, arg, stack, m};
	int number = m->number, err = 0;
	lock();
	m->door = task_dooropen();
	unlock();
	if(m->door == NULL || (err = startthread(s))){
		err = err ? err : errno;
		unmake(m);
		task_sys.free(s);
		return task_fail(err);
	}
	return number;
}

int
procself(void)
{
	Proc *p = task_here();

	return p && task_door(p) ? p->member->number : -1;
}

/*
 * has w wait for the end of the proc; returns 0, or the errno; over: it has
 * ended, and w has its status.
 */
static int
enterwaiter(Proc *p, int proc, Waiter *w, int *over)
{
	int err = 0;

	lock();
	Member *m = findmember(proc);
	*over = m && m->over;
	if(m == NULL)
		err = ESRCH;
	else if(m == p->member)
		err = EDEADLK;
	else if(m->over){
		w->status = m->status;
		forgetmember(m);
	}else if(task_errandbegin(p, &w->errand, "procwait", proc) < 0)
		err = errno;
	else{
		w->next = m->waiters;
		m->waiters = w;
	}
	unlock();
	return err;
}

/* takes w back, whose wait was cut; returns whether it had been told. */
static int
leavewaiter(Proc *p, int proc, Waiter *w)
{
	lock();
	Member *m = w->told ? NULL : findmember(proc);
	if(m){
		Waiter **at = &m->waiters;
		while(*at != w)
			at = &(*at)->next;
		*at = w->next;
	}
	unlock();
	if(!w->told)
		task_erranddone(p, &w->errand);
	return w->told;
}

/* frees what was kept of a proc for who waits for it. */
static void
collectmember(int proc)
{
	lock();
	Member *m = findmember(proc);
	if(m && m->over && m->root != m)
		forgetmember(m);
	unlock();
}

int
procwait(int proc, int *status)
{
	Proc *p = task_here();
	Waiter w = {.told = 0};
	int over, err;

	if(p == NULL || task_door(p) == NULL)
		return -1;
	if((err = enterwaiter(p, proc, &w, &over)))
		return task_fail(err);
	if(!over && task_errandwait(&w.errand, -1) < 0){
		err = errno;
		Cut cut = task_lastcut(p->running);
		if(!leavewaiter(p, proc, &w))
			return task_fail(err);
		task_errandwait(&w.errand, Uninterrupted);
		task_uncut(p->running, cut);
	}
	if(w.errand.lost)
		return task_fail(ESRCH);
	if(!over)
		collectmember(proc);
	if(status)
		*status = w.status;
	return 0;
}
