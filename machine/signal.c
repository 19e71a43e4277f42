/* SPDX-License-Identifier: MIT */
/* Arranges signals for the process, and puts back what was there. */
#include "signal.h"
#include <pthread.h>

/* Threads begin and end schedulers at the same time. */
static pthread_mutex_t arranging = PTHREAD_MUTEX_INITIALIZER;

static void
hold(void)
{
	pthread_mutex_lock(&arranging);
}

static void
letgo(void)
{
	pthread_mutex_unlock(&arranging);
}

/* So that a child finds it unlocked, whatever other threads were doing. */
static void
holdforks(void)
{
	pthread_atfork(hold, letgo, letgo);
}

static int
calls(const struct sigaction *sa, const Arranged *a)
{
	return (sa->sa_flags & SA_SIGINFO) && sa->sa_sigaction == a->fn;
}

static int
ishandler(const struct sigaction *sa)
{
	return (sa->sa_flags & SA_SIGINFO) ||
		(sa->sa_handler != SIG_DFL && sa->sa_handler != SIG_IGN);
}

static int
isignored(const struct sigaction *sa)
{
	return !ishandler(sa) && sa->sa_handler == SIG_IGN;
}

/*
 * A handler that was set over ours may call it: then ours must not be set over
 * that one in turn.
 */
static void
place(Arranged *a)
{
	struct sigaction sa = {.sa_sigaction = a->fn}, now;

	if(sigaction(a->sig, NULL, &now) < 0 || calls(&now, a) ||
			(ishandler(&now) && (a->placed || !(a->chains ||
			a->takes))) || (isignored(&now) && !a->takes))
		return;
	sa.sa_mask = now.sa_mask;
	sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART |
		(now.sa_flags & SA_NODEFER);
	a->old = now;
	a->placed = 1;
	sigaction(a->sig, &sa, NULL);
}

static void
putback(Arranged *a)
{
	struct sigaction now;

	if(sigaction(a->sig, NULL, &now) == 0 && calls(&now, a)){
		sigaction(a->sig, &a->old, NULL);
		a->placed = 0;
	}
}

void
task_arrange(Arranged *a, int n)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, holdforks);
	hold();
	for(int i = 0; i < n; i++)
		if(atomic_fetch_add(&a[i].users, 1) == 0)
			place(&a[i]);
	letgo();
}

void
task_unarrange(Arranged *a, int n)
{
	hold();
	for(int i = 0; i < n; i++)
		if(atomic_fetch_sub(&a[i].users, 1) == 1)
			putback(&a[i]);
	letgo();
}

int
task_arrangedignored(const Arranged *a)
{
	return a->placed && isignored(&a->old);
}

/* The lock is held, for other threads may have been here: see holdforks. */
void
task_arrangeforked(Arranged *a, int n, int nusers)
{
	for(int i = 0; i < n; i++)
		if(atomic_exchange(&a[i].users, nusers) > 0 && nusers == 0)
			putback(&a[i]);
}

int
task_passon(const Arranged *a, siginfo_t *info, void *ucontext)
{
	const struct sigaction *old = &a->old;

	if(!ishandler(old)){
		sigaction(a->sig, old, NULL);
		return 0;
	}
	if(old->sa_flags & SA_SIGINFO)
		old->sa_sigaction(a->sig, info, ucontext);
	else
		old->sa_handler(a->sig);
	return 1;
}
