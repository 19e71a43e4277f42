/* SPDX-License-Identifier: MIT */
/* Names tasks that do not let others run. */
#include "inspect.h"
#include "offence.h"
#include "snapshot.h"
#include "../proc/members.h"
#include "../task/newnames.h"
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * A thread looks at each proc some times in the limit: if the count of switches
 * is still the same, and it is not the fdtask that runs, a task has kept the
 * thread all the while.  Procs do nothing for that.  Only then is the thread
 * interrupted, to see what it does; see snapshot.c.
 *
 * Whoever is not let run itself, because the process was stopped or the machine
 * is overloaded, must not blame others for it: by how much a look comes late is
 * not counted, unless the task's CPU time shows that it was at it.
 */
static struct
{
	pthread_mutex_t lock;
	unsigned int ms;	/* 0: off */
	int running;	/* the thread */
} dog = {.lock = PTHREAD_MUTEX_INITIALIZER};

enum
{
	Looks = 4,	/* in the limit */
	RestMost = 100 * Millisecond,	/* between two looks */
	Watched = 64	/* procs, the others are not */
};

/* What it saw of a proc last. */
typedef struct Look
{
	int number;	/* of the proc; 0: free */
	int running;	/* it was in a task */
	unsigned int nswitch;
	int64_t since_ns;	/* when that was first seen */
	int64_t lost_ns;	/* by which looks since then were late */
	int64_t cpu_ns;	/* of its thread, then */
	int64_t last_ns;	/* when it was last looked at */
	int64_t lastcpu_ns;
	int64_t limit_ns;	/* twice as much after each report */
} Look;

static Look looks[Watched];	/* the thread's own */

static int64_t
cputime(pthread_t thread)
{
	struct timespec ts;
	clockid_t clock;

	if(pthread_getcpuclockid(thread, &clock) != 0 ||
			clock_gettime(clock, &ts) < 0)
		return 0;
	return ts.tv_sec * (int64_t)Second + ts.tv_nsec;
}

static Look
lookat(const Proc *p)
{
	Look is = {0};

	is.running = task_snapshotcount(p, &is.nswitch);
	return is;
}

static Look *
lookof(int number)
{
	Look *unused = NULL;

	for(int i = 0; i < Watched; i++)
		if(looks[i].number == number)
			return &looks[i];
		else if(looks[i].number == 0 && unused == NULL)
			unused = &looks[i];
	if(unused)
		*unused = (Look){.number = number};
	return unused;
}

/* the members are locked: returns whether the proc of m offends. */
static int
offends(Member *m, int64_t now, int64_t limit_ns, int64_t late_ns, Offence *o)
{
	Look *was = lookof(m->number);

	if(was == NULL)
		return 0;
	Look is = lookat(m->proc);
	if(!is.running || !was->running || is.nswitch != was->nswitch){
		is.number = m->number;
		is.since_ns = is.last_ns = now;
		is.cpu_ns = is.lastcpu_ns = is.running ?
			cputime(m->proc->thread) : 0;
		is.limit_ns = limit_ns;
		*was = is;
		return 0;
	}
	int64_t cpu = cputime(m->proc->thread);
	was->lost_ns += late_ns;
	*o = (Offence){
		.number = m->number,
		.nswitch = is.nswitch,
		.ns = now - was->since_ns - was->lost_ns,
		.cpu_ns = cpu - was->cpu_ns,
		.first = was->limit_ns == limit_ns,
		.computes = cpu - was->lastcpu_ns >=
			(now - was->last_ns - late_ns) / 2,
		.tid = m->proc->tid,
	};
	if(o->ns < o->cpu_ns)
		o->ns = o->cpu_ns;
	was->last_ns = now;
	was->lastcpu_ns = cpu;
	if(o->ns < was->limit_ns)
		return 0;
	was->limit_ns *= 2;
	return 1;
}

/* To report on another proc takes time: nobody is interrupted for nothing. */
static int
stillkeeps(const Offence *o)
{
	task_memberslock();
	Member *m = task_memberfind(o->number);
	int still = m && m->proc && lookat(m->proc).nswitch == o->nswitch;
	task_membersunlock();
	return still;
}

/* Reports are made when the members are not locked any more. */
static void
lookatall(int64_t limit_ns, int64_t late_ns)
{
	static Offence offences[Watched];
	int n = 0;

	task_memberslock();
	int64_t now = task_sys.now();
	for(Member *m = *task_members; m && n < Watched; m = m->next)
		if(m->proc && offends(m, now, limit_ns, late_ns, &offences[n]))
			n++;
	for(int i = 0; i < Watched; i++)
		if(looks[i].number && task_memberfind(looks[i].number) == NULL)
			looks[i].number = 0;
	task_membersunlock();
	for(int i = 0; i < n; i++)
		if(stillkeeps(&offences[i]))
			task_blame(&offences[i]);
}

/* returns the limit; 0: it is off, and the thread is to end. */
static int64_t
limit(void)
{
	pthread_mutex_lock(&dog.lock);
	int64_t ns = dog.ms * (int64_t)Millisecond;
	if(ns == 0){
		dog.running = 0;
		task_snapshotarrange(0);
	}
	pthread_mutex_unlock(&dog.lock);
	return ns;
}

static void *
watch(void *v)
{
	int64_t limit_ns, rest_ns;

	(void)v;
	while((limit_ns = limit()) > 0){
		rest_ns = limit_ns / Looks < RestMost ? limit_ns / Looks :
			RestMost;
		int64_t until = task_sys.now() + rest_ns;
		task_sys.poll(NULL, 0, &(struct timespec){0, (long)rest_ns});
		lookatall(limit_ns, task_sys.now() - until);
	}
	return NULL;
}

/* The child of a fork has no thread; it gets one with its first scheduler. */
static void
forkedwithout(void)
{
	if(task_proc || task_hosted)	/* task_watchdogforked is called */
		return;
	pthread_mutex_init(&dog.lock, NULL);
	dog.running = 0;
	task_snapshotforked(0);
}

static void
watchforkswithout(void)
{
	pthread_atfork(NULL, NULL, forkedwithout);
}

/* begins the thread, which takes no signals. */
static int
startwatching(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	sigset_t none, before;
	pthread_attr_t attr;
	pthread_t thread;

	pthread_once(&once, watchforkswithout);
	memset(looks, 0, sizeof looks);
	sigfillset(&none);
	pthread_sigmask(SIG_SETMASK, &none, &before);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	int err = pthread_create(&thread, &attr, watch, NULL);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	dog.running = err == 0;
	return err ? task_fail(err) : 0;
}

/* the lock is held: sees to it that the thread runs if it is to. */
static int
resume(void)
{
	if(dog.ms == 0 || dog.running)
		return 0;
	if(startwatching() == 0){
		task_snapshotarrange(1);
		return 0;
	}
	dog.ms = 0;
	return -1;
}

int
task_setwatchdog(unsigned int ms)
{
	pthread_mutex_lock(&dog.lock);
	dog.ms = ms;
	int r = resume();
	pthread_mutex_unlock(&dog.lock);
	return r;
}

int
taskwatchdog(unsigned int ms)
{
	return task_setwatchdog(ms);
}

void
taskbusy(int on)
{
	Proc *p = task_here();

	if(p)
		p->running->busy = on != 0;
}

/* TASKWATCHDOG is looked at when the first scheduler begins. */
static void
fromenvironment(void)
{
	unsigned long ms;

	if(task_envnumber("TASKWATCHDOG", "milliseconds", INT_MAX, &ms) &&
			task_setwatchdog((unsigned int)ms) < 0)
		fprintf(stderr, "TASKWATCHDOG=%lu: no thread for it: %s\n",
			ms, strerror(errno));
}

/* In the child of a fork the first scheduler may begin later. */
int
task_watchdogbegin(Proc *p)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)p;
	pthread_once(&once, fromenvironment);
	pthread_mutex_lock(&dog.lock);
	if(resume() < 0)
		fprintf(stderr, "taskwatchdog: no thread for it: %s\n",
			strerror(errno));
	pthread_mutex_unlock(&dog.lock);
	return 0;
}

void
task_watchdogend(Proc *p)
{
	(void)p;
}

/* The thread is the parent's: the child needs one of its own. */
void
task_watchdogforked(Proc *p)
{
	int on = dog.ms > 0;

	if(p == NULL)
		return;
	pthread_mutex_init(&dog.lock, NULL);
	dog.running = 0;
	if(on && startwatching() < 0){
		fprintf(stderr, "taskwatchdog: no thread for it in the child: "
			"%s\n", strerror(errno));
		on = 0;
		dog.ms = 0;
	}
	task_snapshotforked(on);
}
