/* SPDX-License-Identifier: MIT */
/* Puts the library together and runs it. */
#include "taskimpl.h"
#include "inspect/inspect.h"
#include "sync/coro.h"
#include "task/life.h"
#include "fd/fd.h"
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
	if(task_overflowbegin(&p) < 0)
		return -1;
	if(task_lifebegin(&p) < 0){
		task_overflowend(&p);
		return -1;
	}
	if(task_fdbegin(&p) < 0){
		task_lifeend(&p);
		task_overflowend(&p);
		return -1;
	}
	pthread_once(&once, setsignals);
	task_listbegin(&p);
	task_cobegin(&p);
	int status = task_start(&p, fn, arg, stack);
	task_fdend(&p);
	task_coend(&p);
	task_lifeend(&p);
	task_stop(&p);
	task_listend(&p);
	task_overflowend(&p);
	errno = p.failed ? p.failed : err;
	return status;
}

int
taskrun(void (*fn)(void *), void *arg)
{
	return task_run(fn, arg);
}
