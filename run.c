/* SPDX-License-Identifier: MIT */
/* Puts the library together and runs it. */
#include "taskimpl.h"
#include "inspect/inspect.h"
#include "poll/poller.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* A program may define it; see taskmain. */
__attribute__((weak, visibility("default"))) int mainstacksize;

enum { MainStack = 256 * 1024 };

static void
ignore(int sig)
{
	(void)sig;
}

/*
 * A peer that has gone is an error of the call; the program may arrange
 * otherwise.  A handler, not SIG_IGN: the programs that this one executes get
 * the default back.
 */
static void
ignoresigpipe(void)
{
	struct sigaction sa;

	if(sigaction(SIGPIPE, NULL, &sa) == 0 && !(sa.sa_flags & SA_SIGINFO) &&
			sa.sa_handler == SIG_DFL){
		sa.sa_handler = ignore;
		sa.sa_flags = SA_RESTART;
		sigaction(SIGPIPE, &sa, NULL);
	}
}

/* Signals belong to the process: they are arranged by the first thread here. */
static void
setsignals(void)
{
	ignoresigpipe();
	task_listsignals();
	task_overflowsignals();
}

/* TASKPOLLER names one of the pollers, or is not set. */
static const Poller *
askedpoller(void)
{
	const char *name = getenv("TASKPOLLER");
	const Poller *const *p = task_pollers;

	if(name == NULL || *name == '\0')
		return NULL;
	while(*p && strcmp((*p)->name, name) != 0)
		p++;
	if(*p)
		return *p;
	fprintf(stderr, "libtask: there is no poller TASKPOLLER=%s; "
		"use one of:", name);
	for(p = task_pollers; *p; p++)
		fprintf(stderr, " %s", (*p)->name);
	fputc('\n', stderr);
	exit(2);
}

int
task_run(void (*fn)(void *), void *arg)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int err = errno;
	size_t stack = mainstacksize > 0 ? (size_t)mainstacksize : MainStack;
	Proc p = {.now = task_sys.now, .idle = fdtask,
		.stalled = task_deadlock, .list = task_list};

	if(fn == NULL || task_proc)
		return task_fail(fn ? EBUSY : EINVAL);
	p.poller = askedpoller();
	if(task_overflowbegin(&p) < 0)
		return -1;
	pthread_once(&once, setsignals);
	task_listbegin(&p);
	int status = task_start(&p, fn, arg, stack);
	task_syncend(&p);
	task_listend(&p);
	task_overflowend(&p);
	errno = p.failed ? p.failed : err;
	return status;
}

NEWNAME int
taskrun(void (*fn)(void *), void *arg)
{
	return task_run(fn, arg);
}
