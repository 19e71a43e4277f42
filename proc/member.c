/* SPDX-License-Identifier: MIT */
/* All schedulers of the process: their numbers, and when none can go on. */
#include "members.h"
#include "shared.h"
#include "../fd/fd.h"
#include "../task/newnames.h"
#include <errno.h>
#include <pthread.h>

/*
 * A proc is idle when it waits in the kernel for a note and for nothing else.
 * When all are, and no thread outside is to wake one, nothing can ever happen.
 * That is exact: a proc counts itself idle only after its door says that it
 * sleeps, and no longer before it answers a note.  So who finds all idle and a
 * door that does not say so knows that a note is under way.
 */
static struct
{
	pthread_mutex_t lock;
	Member *members;	/* the living, and the dead not waited for */
	int last;	/* number that was given */
	int nprocs;	/* that live */
	int cpus;	/* that they may use, or 0: unknown */
	int pooled;	/* the pool runs functions of tasks */
	int nidle;
	int hope;
	Member *shutting;	/* a task of it is in taskshutdown; or NULL */
	pthread_cond_t ended;	/* some nmade has become 0 */
} all = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};

Member *const *const task_members = &all.members;

void
task_memberslock(void)
{
	pthread_mutex_lock(&all.lock);
}

int
task_memberstrylock(void)
{
	return pthread_mutex_trylock(&all.lock) == 0;
}

void
task_membersunlock(void)
{
	pthread_mutex_unlock(&all.lock);
}

Member *
task_memberfind(int number)
{
	Member *m = all.members;

	while(m && m->number != number)
		m = m->next;
	return m;
}

void
task_memberrelease(Member *m)
{
	if(--m->users == 0)
		task_sys.free(m);
}

/* the lock is held: nobody finds m any more. */
void
task_memberforget(Member *m)
{
	Member **at = &all.members;

	while(*at != m)
		at = &(*at)->next;
	*at = m->next;
	task_memberrelease(m);
}

int
task_membershuts(Member *m)
{
	task_memberslock();
	int already = all.shutting != NULL;
	if(!already)
		all.shutting = m;
	task_membersunlock();
	return already ? task_fail(EBUSY) : 0;
}

void
task_memberhasshut(Member *m)
{
	task_memberslock();
	if(all.shutting == m)
		all.shutting = NULL;
	task_membersunlock();
}

Member *
task_memberafter(Member *m)
{
	m = m ? m->next : all.members;
	while(m && (m->over || m->door == NULL))
		m = m->next;
	return m;
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
	task_memberslock();
	int sum, wrong = __builtin_add_overflow(all.hope, more, &sum) ||
		(more < 0 && sum < 0);
	if(!wrong)
		all.hope = sum;
	checkstall();
	task_membersunlock();
	return wrong ? task_fail(EINVAL) : 0;
}

int
taskhope(int more)
{
	return task_hope(more);
}

/* the lock is held: the idle proc with the next number, or NULL. */
static Member *
nextstalled(const Member *me)
{
	Member *next = NULL;

	for(Member *m = all.members; m; m = m->next)
		if(!m->over && !m->out && m->number > me->number &&
				issleeping(m))
			next = m;
	return next;
}

/* Who said so before may have let p go on. */
static int
goeson(const Proc *p)
{
	return p->ready.head || p->sleeping.n > 0 || p->fds->nwaiting > 0 ||
		task_doorfull(p->door);
}

static void
saystalled(Note *n, void *owner)
{
	Proc *p = owner;	/* NULL: it has ended */
	Member *me = structof(Member, stalled, n), *next;

	if(p && goeson(p))
		return;
	task_memberslock();
	next = nextstalled(me);
	task_membersunlock();
	if(p)
		p->deadlock(p, next != NULL);
	task_memberslock();
	next = nextstalled(me);
	if(next)
		task_doortell(next->door, &next->stalled);
	task_membersunlock();
}

void
task_memberstalled(Proc *p, int64_t now, int64_t deadline)
{
	if(p->door == NULL){
		p->deadlock(p, 0);
		return;
	}
	if(!task_doorawait(p->door, deadline - now))
		return;
	task_memberslock();
	all.nidle++;
	checkstall();
	task_membersunlock();
	task_fdpoll(p, now, deadline);
	task_memberslock();
	all.nidle--;
	task_membersunlock();
}

/* the lock is held: there are to be processors for all procs, and the pool. */
static void
setspins(void)
{
	int n = all.nprocs + all.pooled;

	atomic_store(&task_mayspin, n > 1 && n <= all.cpus);
}

void
task_memberpool(void)
{
	int cpus = task_cpus();

	task_memberslock();
	all.pooled = 1;
	all.cpus = cpus;
	setspins();
	task_membersunlock();
}

/* What is left of errands and calls in the child of a fork(2). */
static void
endlost(Note *n, void *owner)
{
	(void)n;
	if(owner){
		task_errandslost(owner);
		task_sharelost(owner);
	}
}

/* the lock is held */
static void
addmember(Member *m, Member *root)
{
	m->root = root ? root : m;
	m->users = root ? 2 : 1;
	m->number = ++all.last;
	m->first = all.nprocs == 0;
	m->next = all.members;
	all.members = m;
	all.nprocs++;
	if(root)
		root->nmade++;
	setspins();
	m->stalled.fn = saystalled;
	m->forked.fn = endlost;
}

/* returns a new member, of those that root has made; NULL with ENOMEM. */
Member *
task_membernew(Member *root)
{
	Member *m = task_sys.alloc(sizeof *m);
	int cpus = root ? task_cpus() : 0;

	if(m){
		task_memberslock();
		all.cpus = cpus ? cpus : all.cpus;
		addmember(m, root);
		task_membersunlock();
	}
	return m;
}

int
task_memberbegin(Proc *p)
{
	if(p->member == NULL)	/* not proccreate's */
		p->member = task_membernew(NULL);
	if(p->member == NULL)
		return -1;
	p->number = p->member->first ? 0 : p->member->number;
	task_memberslock();
	p->member->proc = p;
	p->thread = pthread_self();
	p->tid = task_sys.tid();
	task_membersunlock();
	p->door = p->member->door;
	return p->door ? task_fddoor(p->fds, p->door) : 0;
}

void
task_memberreach(Member *m, Door *d)
{
	task_memberslock();
	m->door = d;
	task_membersunlock();
}

/*
 * The number is out before the last notes are answered, and posts are told
 * under the lock: so one that was accepted is run.
 */
int
task_memberleaves(Proc *p)
{
	Member *m = p->member;

	if(m->shutting){
		task_ready(m->shutting, m->shutting->wait.number, 0);
		return 0;
	}
	while(p->ntask == p->nsystem){
		task_memberslock();
		m->out = m->door == NULL || !task_doorfull(m->door);
		task_membersunlock();
		if(m->out)
			return 1;
		task_dooranswer(p->door, p);
	}
	return 0;
}

/* the lock is held: m is over. */
void
task_memberover(Member *m, int status)
{
	m->over = 1;
	m->status = status;
	m->door = NULL;
	m->proc = NULL;
	all.nprocs--;
	setspins();
	while(m->waiters){
		Waiter *w = m->waiters;
		m->waiters = w->next;
		w->status = status;
		w->told = 1;
		task_doortell(w->errand.home, &w->errand.note);
	}
	checkstall();
}

void
task_memberfailed(Member *m)
{
	task_memberslock();
	Door *d = m->over ? NULL : m->door;
	m->out = 1;
	m->door = NULL;
	task_membersunlock();
	if(d)
		task_doorleave(d);
	task_memberslock();
	if(!m->over)
		task_memberover(m, -1);
	task_membersunlock();
}

void
task_memberunmade(Member *m)
{
	if(--m->root->nmade == 0)
		pthread_cond_broadcast(&all.ended);
	task_memberrelease(m);
}

/*
 * A proc of taskrun ends when those have that it has made, and these.  Their
 * threads have gone by then, and what libraries do at a thread's end is done:
 * the process may be about to take these libraries' memory away.
 */
void
task_memberend(Proc *p)
{
	Member *m = p->member;
	Door *d = p->door;

	task_memberslock();
	m->out = 1;
	task_membersunlock();
	task_callsend(p);
	task_errandsend(p);
	task_shareend(p);
	p->door = NULL;
	if(d)
		task_doorleave(d);
	task_memberslock();
	task_memberover(m, p->failed ? -1 : p->status);
	while(m->root == m && m->nmade > 0)
		pthread_cond_wait(&all.ended, &all.lock);
	Member *list = task_memberended(m);
	if(m->root == m)
		task_memberforget(m);
	task_membersunlock();
	task_memberjoin(list);
}

void
task_memberforked(Proc *p)
{
	Member *m = p ? p->member : NULL;

	pthread_mutex_init(&all.lock, NULL);
	pthread_cond_init(&all.ended, NULL);
	all.members = m;
	all.nprocs = m != NULL;
	all.nidle = all.hope = 0;
	if(all.shutting != m)	/* its task is not in this process */
		all.shutting = NULL;
	setspins();
	task_doorforked(p ? p->door : NULL);
	if(m == NULL)
		return;
	p->tid = task_sys.tid();
	m->next = NULL;
	m->root = m;
	m->nmade = 0;
	m->unjoined = NULL;	/* the parent joins its threads */
	m->waiters = NULL;
	m->posts.head = m->posts.tail = NULL;	/* the parent runs them */
	m->again.fn = m->cancel.fn = m->giveup.fn = NULL;
	task_callsforked(m);
	task_errandslose(m);
	if(p->door)
		task_doortell(p->door, &m->forked);
}

int
task_memberfirst(void)
{
	task_memberslock();
	Member *m = task_memberafter(NULL);
	while(m && !m->first)
		m = task_memberafter(m);
	int number = m ? m->number : 0;
	task_membersunlock();
	return number;
}

int
task_membertell(int number, Note *n)
{
	task_memberslock();
	Member *m = task_memberfind(number);
	int r = m && !m->out && m->door ? task_doortell(m->door, n) :
		task_fail(ESRCH);
	task_membersunlock();
	return r;
}
