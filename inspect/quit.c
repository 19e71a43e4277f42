/* SPDX-License-Identifier: MIT */
/* SIGQUIT asks for the list of tasks. */
#include "inspect.h"
#include "../machine/signal.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/*
 * The handler only asks for the list: it sets signalled, ends the fdtask's
 * wait, and the fdtask prints.  If another signal comes before that, a task has
 * kept the thread all the while: then the handler itself names it and lists the
 * others, with calls that are safe there.  Between two calls of procstep the
 * signal has the host make another one, by way of the door.
 */

/*
 * The threads with schedulers: where the signal goes on to from a thread
 * without one.  A slot is free (0), being filled (1), or names a thread (2).
 * More schedulers than slots work too, but are not asked from other threads.
 */
static struct Quit
{
	atomic_int state;
	pthread_t thread;
} threads[64];

enum { Slots = sizeof threads / sizeof threads[0] };

static atomic_int asking;	/* handlers that look at the table */

static void
putsafe(const char *s)
{
	ssize_t ignored = write(2, s, strlen(s));

	(void)ignored;
}

static void
puttask(const Proc *p, const Task *t)
{
	char name[ShownBytes];

	putsafe(task_showtask(name, sizeof name, p, t));
}

/*
 * prints the list from the handler.  The last store that makes a task links it
 * in, so the list can be walked forward at any time.
 */
static void
listsafe(Proc *p)
{
	puttask(p, p->running);
	putsafe(" has not let others run since the last SIGQUIT\ntask list:\n");
	for(const Task *t = p->all.head; t; t = t->younger){
		putsafe("    ");
		puttask(p, t);
		putsafe(t == p->running ? " (running)\n" : "\n");
	}
}

static void asked(int sig, siginfo_t *info, void *ucontext);

static Arranged quits[] = {
	{.sig = SIGQUIT, .fn = asked},
#ifdef SIGINFO
	{.sig = SIGINFO, .fn = asked},
#endif
};

enum { Quits = sizeof quits / sizeof quits[0] };

/* Other threads have schedulers, for whom it may be. */
static void
askothers(int sig)
{
	atomic_fetch_add(&asking, 1);
	for(int i = 0; i < Slots; i++)
		if(atomic_load(&threads[i].state) == 2 &&
				!pthread_equal(threads[i].thread,
				pthread_self()))
			pthread_kill(threads[i].thread, sig);
	atomic_fetch_sub(&asking, 1);
}

static void
asked(int sig, siginfo_t *info, void *ucontext)
{
	int err = errno;
	Proc *p = task_proc ? task_proc : task_hosted;
	const Arranged *a = quits;

	while(a->sig != sig)
		a++;
	if(p){
		if(p->signalled)
			listsafe(p);
		p->signalled = 1;
		p->timeout = (struct timespec){0, 0};
		if(task_proc == NULL)
			task_doorring(p->door);
	}else if(atomic_load(&a->users) > 0)
		askothers(sig);
	else if(!task_passon(a, info, ucontext))
		raise(sig);
	errno = err;
}

int
task_quitbegin(Proc *p)
{
	int i = 0, empty = 0;

	task_arrange(quits, Quits);
	while(i < Slots && !atomic_compare_exchange_strong(&threads[i].state,
			&empty, 1)){
		empty = 0;
		i++;
	}
	if(i < Slots){
		p->quit = &threads[i];
		p->quit->thread = pthread_self();
		atomic_store(&p->quit->state, 2);
	}
	return 0;
}

void
task_quitend(Proc *p)
{
	task_unarrange(quits, Quits);
	if(p->quit == NULL)
		return;
	atomic_store(&p->quit->state, 0);
	while(atomic_load(&asking))	/* a handler may signal this thread */
		sched_yield();
}

/* The child has this thread only; those of the parent must not be asked. */
void
task_quitforked(Proc *p)
{
	for(int i = 0; i < Slots; i++)
		if(p == NULL || p->quit != &threads[i])
			atomic_store(&threads[i].state, 0);
	atomic_store(&asking, 0);
	task_arrangeforked(quits, Quits, p != NULL);
}
