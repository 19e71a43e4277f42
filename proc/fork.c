/* SPDX-License-Identifier: MIT */
/* A process like this one, in which one task goes on. */
#include "proc.h"
#include "../cron/cron.h"
#include "../fd/fd.h"
#include "../task/newnames.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>

/*
 * What fork(2) needs in any case the handlers have done that run.c and others
 * have given to pthread_atfork: there is one proc, no pool, and a poller and a
 * door of its own.  Here the other tasks go, and what other threads and the
 * kernel were doing for them.
 *
 * The descriptors' table comes behind the tasks, which are taken out of it.
 */
static void
goalone(Proc *p)
{
	Member *m = p->member;

	task_watchend(p);
	m->errands = (Errands){NULL, NULL};
	m->shutting = NULL;
	task_memberhasshut(m);
	task_callsalone(m, p->running);
	task_alone(p);
	task_cronalone(p);
	m->claims.head = m->claims.tail = NULL;
	task_fdalone(p);
}

/* A hook is called in the midst of a wait, and the fdtask is no task. */
static int
mayfork(const Proc *p)
{
	const Task *t = p->running;

	return t != &p->fdtask && !(t->own && t->own->inhook);
}

/*
 * A signal for the child waits until that is what it will be.  Else the handler
 * might take it for a watch that ends then, and nobody would hear of it.
 */
int
taskfork(void)
{
	Proc *p = task_here();
	sigset_t every, before;
	int err = errno;

	if(p == NULL)
		return -1;
	if(!mayfork(p))
		return task_fail(EPERM);
	sigfillset(&every);
	pthread_sigmask(SIG_SETMASK, &every, &before);
	int pid = (int)task_sys.fork();
	if(pid < 0)
		err = errno;
	if(pid == 0)
		goalone(p);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = err;
	return pid;
}
