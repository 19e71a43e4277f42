/* SPDX-License-Identifier: MIT */
/* SIGPIPE: a peer that has gone is an error of the call. */
#include "fd.h"
#include "../machine/signal.h"

static void
brokenpipe(int sig, siginfo_t *info, void *ucontext);

static Arranged sigpipe[] = {{.sig = SIGPIPE, .fn = brokenpipe}};

static void
brokenpipe(int sig, siginfo_t *info, void *ucontext)
{
	int err = errno;

	if(atomic_load(&sigpipe->users) == 0 &&
			!task_passon(sigpipe, info, ucontext))
		raise(sig);
	errno = err;
}

/* A handler, not SIG_IGN: the programs that this one executes get the default. */
int
task_sigpipebegin(Proc *p)
{
	(void)p;
	task_arrange(sigpipe, 1);
	return 0;
}

void
task_sigpipeend(Proc *p)
{
	(void)p;
	task_unarrange(sigpipe, 1);
}

void
task_sigpipeforked(Proc *p)
{
	task_arrangeforked(sigpipe, 1, p != NULL);
}
