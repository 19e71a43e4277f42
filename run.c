/* SPDX-License-Identifier: MIT */
/* Puts the library together and runs it. */
#include "taskimpl.h"
#include "inspect/inspect.h"
#include "sync/coro.h"
#include "task/life.h"
#include "poll/poller.h"
#include "task/newnames.h"
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

/* What is asked for by TASKPOLLER cannot be: one line, and the end. */
static void
nopoller(const char *name, const char *why)
{
	fprintf(stderr, "libtask: TASKPOLLER=%s: %s; use one of:", name, why);
	for(const Poller *const *at = task_pollers; *at; at++)
		if(strcmp((*at)->name, name) != 0)
			fprintf(stderr, " %s", (*at)->name);
	fputs(" fastest\n", stderr);
	exit(2);
}

/* TASKPOLLER names one of the pollers, or all that work here, or is not set. */
static void
askpoller(Proc *p, const char *name)
{
	const Poller *const *at = task_pollers;

	if(name == NULL || *name == '\0')
		return;
	p->orsimpler = strcmp(name, "fastest") == 0;
	while(*at && strcmp((*at)->name, name) != 0)
		at++;
	if(*at == NULL && !p->orsimpler)
		nopoller(name, "there is no such poller");
	p->poller = *at ? at : at - 1;
}

int
task_run(void (*fn)(void *), void *arg)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int err = errno;
	size_t stack = mainstacksize > 0 ? (size_t)mainstacksize : MainStack;
	Proc p = {.now = task_sys.now, .idle = fdtask,
		.stalled = task_deadlock, .list = task_list};

	const char *name = getenv("TASKPOLLER");

	if(fn == NULL || task_proc)
		return task_fail(fn ? EBUSY : EINVAL);
	askpoller(&p, name);
	if(task_overflowbegin(&p) < 0)
		return -1;
	if(task_lifebegin(&p) < 0){
		task_overflowend(&p);
		return -1;
	}
	pthread_once(&once, setsignals);
	task_listbegin(&p);
	task_cobegin(&p);
	int status = task_start(&p, fn, arg, stack);
	task_coend(&p);
	task_lifeend(&p);
	task_stop(&p);
	task_listend(&p);
	task_overflowend(&p);
	if(p.failed == ENOSYS || p.failed == EPERM)
		nopoller(name, "the kernel does not allow it here");
	errno = p.failed ? p.failed : err;
	return status;
}

int
taskrun(void (*fn)(void *), void *arg)
{
	return task_run(fn, arg);
}
