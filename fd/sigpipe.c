/* SPDX-License-Identifier: MIT */
/* SIGPIPE: a peer that has gone is an error of the call, but for the output. */
#include "fd.h"
#include "../machine/signal.h"
#include <sys/stat.h>
#include <poll.h>

/* Whether fd is a pipe that nobody reads any more. */
static int
unread(int fd)
{
	struct pollfd f = {.fd = fd};
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) &&
		poll(&f, 1, 0) == 1 && (f.revents & POLLERR);
}

/*
 * Nobody reads what the program prints: it ends, as those do that know nothing
 * of SIGPIPE.  printf does not come through the library, and few look at what
 * it returns, so the handler has to ask.
 */
static void
brokenpipe(int sig, siginfo_t *info, void *ucontext);

static Arranged sigpipe[] = {{.sig = SIGPIPE, .fn = brokenpipe}};

static void
brokenpipe(int sig, siginfo_t *info, void *ucontext)
{
	int err = errno;

	if((atomic_load(&sigpipe->users) == 0 || unread(1) || unread(2)) &&
			!task_passon(sigpipe, info, ucontext))
		raise(sig);
	errno = err;
}

/* A handler, not SIG_IGN: programs that this one executes get the default. */
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
