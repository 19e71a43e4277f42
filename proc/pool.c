/* SPDX-License-Identifier: MIT */
/* Threads for what stops them: they are made when needed, and end when idle. */
#include "pool.h"
#include "../machine/list.h"
#include "../machine/machine.h"
#include "../machine/spin.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>

enum { WorkerStack = 256 * 1024 };	/* bytes: getaddrinfo has plugins */

_Atomic(int64_t) task_poolidle_ns = 10 * (int64_t)Second;

typedef struct Lane
{
	Job *head;
	Job *tail;
	int nrunning;	/* threads at work for it */
	int most;
} Lane;

/* A thread of the pool; on its own stack. */
typedef struct Worker Worker;
struct Worker
{
	Worker *next;	/* among the idle */
	pthread_cond_t wake;
	_Atomic(Job *) job;	/* what it is to run, as running; or NULL */
	Spin spin;
};

/*
 * A job is handed to a thread by whoever finds both, under the lock: so none is
 * idle while there is a job that may run, and no more threads are made than
 * lanes may have at work.  Of the idle the last is woken first, and the others
 * can end.
 */
static struct
{
	pthread_mutex_t lock;
	Lane lanes[Lanes];
	Worker *idle;
	int nworkers;
} pool = {PTHREAD_MUTEX_INITIALIZER, {{.most = 16}, {.most = 4}}, NULL, 0};

/* The threads are not in the child of a fork(2), and it may have the lock. */
static void
poolforked(void)
{
	pthread_mutex_init(&pool.lock, NULL);
	for(int i = 0; i < Lanes; i++)
		pool.lanes[i] = (Lane){.most = pool.lanes[i].most};
	pool.idle = NULL;
	pool.nworkers = 0;
}

static void
watchpoolfork(void)
{
	pthread_atfork(NULL, NULL, poolforked);
}

/*
 * the lock is held: takes a job that may run now, of this lane if it has one.
 */
static Job *
takejob(int lane)
{
	for(int i = 0; i < Lanes; i++){
		Lane *l = &pool.lanes[(lane + i) % Lanes];
		Job *j = l->head;
		if(j && l->nrunning < l->most){
			listshift(l, j, prev, next);
			j->queued = 0;
			l->nrunning++;
			return j;
		}
	}
	return NULL;
}

/* the lock is held: puts j back, which was taken last. */
static void
untakejob(Job *j)
{
	Lane *l = &pool.lanes[j->lane];

	l->nrunning--;
	j->queued = 1;
	j->prev = NULL;
	j->next = l->head;
	if(l->head)
		l->head->prev = j;
	else
		l->tail = j;
	l->head = j;
}

/* the lock is held, but not while it looks whether me gets a job. */
static void
spin(Worker *me, int64_t until)
{
	pthread_mutex_unlock(&pool.lock);
	while(me->job == NULL && task_sys.now() < until)
		relax();
	pthread_mutex_lock(&pool.lock);
	spun(&me->spin, me->job != NULL);
}

/* the lock is held: returns when me has a job, or NULL: the thread may end. */
static Job *
awaitjob(Worker *me)
{
	int64_t now = task_sys.now(), end = now + task_poolidle_ns;
	struct timespec until = {(time_t)(end / Second), (long)(end % Second)};
	int r = 0;

	if(me->job == NULL && spins(&me->spin))
		spin(me, now + SpinNs);
	while(me->job == NULL && r == 0)
		r = pthread_cond_timedwait(&me->wake, &pool.lock, &until);
	if(me->job == NULL){
		Worker **at = &pool.idle;
		while(*at != me)
			at = &(*at)->next;
		*at = me->next;
	}else
		came(&me->spin, now);
	return me->job;
}

/*
 * the lock is held: runs the job of me, and has it be free, or have the next
 * one, before anybody hears of that.  Else who hears of it, and comes again,
 * would have a thread made for nothing.
 */
static void
runjob(Worker *me)
{
	Job *j = me->job;

	pthread_mutex_unlock(&pool.lock);
	j->run(j);
	pthread_mutex_lock(&pool.lock);
	pool.lanes[j->lane].nrunning--;
	me->job = takejob(j->lane + 1);
	if(me->job == NULL){
		me->next = pool.idle;
		pool.idle = me;
	}
	pthread_mutex_unlock(&pool.lock);
	j->done(j);
	pthread_mutex_lock(&pool.lock);
}

/* It is made under the lock, and so begins when its maker is done. */
static void *
workermain(void *v)
{
	Worker me = {.job = v};
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&me.wake, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_lock(&pool.lock);
	do
		runjob(&me);
	while(awaitjob(&me));
	pool.nworkers--;
	pthread_mutex_unlock(&pool.lock);
	pthread_cond_destroy(&me.wake);
	return NULL;
}

/*
 * Signals for the process are handled by the threads that the program knows;
 * those that a fault raises come to where it was.
 */
static void
blocksignals(sigset_t *before)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP,
		SIGSYS, SIGABRT};
	sigset_t set;

	sigfillset(&set);
	for(size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
		sigdelset(&set, faults[i]);
	pthread_sigmask(SIG_SETMASK, &set, before);
}

/* the lock is held */
static int
makeworker(Job *j)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t before;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, WorkerStack);
	blocksignals(&before);
	int err = pthread_create(&thread, &attr, workermain, j);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if(err)
		return -1;
	pool.nworkers++;
	return 0;
}

/*
 * the lock is held: hands out what jobs may run.  If no thread can be made for
 * one it stays queued for those that there are.
 */
static void
handout(int lane)
{
	Job *j;

	while((j = takejob(lane))){
		Worker *w = pool.idle;
		if(w){
			pool.idle = w->next;
			w->job = j;
			pthread_cond_signal(&w->wake);
		}else if(makeworker(j) < 0){
			untakejob(j);
			return;
		}
	}
}

int
task_poolput(Job *j, int lane)
{
	static pthread_once_t forks = PTHREAD_ONCE_INIT;
	int err = errno, none;

	pthread_once(&forks, watchpoolfork);
	j->lane = lane;
	j->queued = 1;
	pthread_mutex_lock(&pool.lock);
	listadd(&pool.lanes[lane], j, prev, next);
	handout(lane);
	if((none = pool.nworkers == 0))
		listremove(&pool.lanes[lane], j, prev, next);
	pthread_mutex_unlock(&pool.lock);
	errno = err;
	return none ? task_fail(EAGAIN) : 0;
}

int
task_pooltake(Job *j)
{
	pthread_mutex_lock(&pool.lock);
	int queued = j->queued;
	if(queued)
		listremove(&pool.lanes[j->lane], j, prev, next);
	j->queued = 0;
	pthread_mutex_unlock(&pool.lock);
	return queued;
}

void
task_poolmost(int lane, int most)
{
	pthread_mutex_lock(&pool.lock);
	pool.lanes[lane].most = most;
	handout(lane);
	pthread_mutex_unlock(&pool.lock);
}
