/* SPDX-License-Identifier: MIT */
/* Puts the library together and runs it. */
#include "coro/coro.h"
#include "cron/cron.h"
#include "fd/fd.h"
#include "inspect/inspect.h"
#include "inspect/layout.h"
#include "proc/proc.h"
#include "task/life.h"
#include "task/newnames.h"
#include <errno.h>
#include <pthread.h>

/* The bytes of taskmain's stack; a program may define it, see task.h. */
__attribute__((weak, visibility("default"))) int mainstacksize;

enum { MainStack = 256 * 1024 };

/*
 * A wing is a part of the library that keeps something in each proc.  begin
 * prepares a proc and returns 0, or -1 and errno; end frees what the wing has
 * then, also of tasks that are left.  A wing may use those before it in the
 * table.
 */
typedef struct Wing
{
	int (*begin)(Proc *p);
	void (*end)(Proc *p);
	/* NULL, or is called in the child of a fork(2); p may be NULL */
	void (*forked)(Proc *p);
} Wing;

static const Wing wings[] = {
	{task_lifebegin, task_lifeend, NULL},
	{task_cobegin, task_coend, NULL},
	{task_fdbegin, task_fdend, task_fdforked},
	{task_cronbegin, task_cronend, task_cronforked},
	{task_sigpipebegin, task_sigpipeend, task_sigpipeforked},
	{task_debugbegin, task_seersend, NULL},
	{task_quitbegin, task_quitend, task_quitforked},
	{task_faultbegin, task_faultend, task_faultforked},
	{task_memberbegin, task_memberend, task_memberforked},
	{task_tracingbegin, task_tracingend, task_tracingforked},
	{task_traceonbegin, task_traceonend, task_traceonforked},
	{task_watchbegin, task_watchend, task_watchforked},
	{task_watchdogbegin, task_watchdogend, task_watchdogforked},
	{task_consolebegin, task_consoleend, task_consoleforked},
};

enum { Wings = sizeof wings / sizeof wings[0] };

static void
forked(void)
{
	for(int i = 0; i < Wings; i++)
		if(wings[i].forked)
			wings[i].forked(task_proc ? task_proc : task_hosted);
}

static void
watchforks(void)
{
	pthread_atfork(NULL, NULL, forked);
}

static int runmember(void (*fn)(void *), void *arg, size_t stack, Member *m);

/* Not on the caller's stack, which may be a small one: it has 2 KiB. */
static Proc *
allocproc(void)
{
	Proc *p = task_sys.alloc(sizeof *p);

	if(p){
		p->now = task_sys.now;
		p->idle = fdtask;
		p->stalled = task_memberstalled;
		p->deadlock = task_deadlock;
		p->leaves = task_memberleaves;
		p->run = runmember;
		p->list = task_list;
		p->turns = task_turns;
		p->locks = task_locks;
	}
	return p;
}

static void
endwings(Proc *p, int n)
{
	while(n-- > 0)
		wings[n].end(p);
	task_stop(p);
}

Proc *
task_newproc(Member *member)
{
	static pthread_once_t forks = PTHREAD_ONCE_INIT;
	int n = 0;

	pthread_once(&forks, watchforks);
	Proc *p = allocproc();
	if(p == NULL)
		return NULL;
	p->member = member;
	p->layout = &task_layout;
	while(n < Wings && wings[n].begin(p) == 0)
		n++;
	if(n == Wings)
		return p;
	int err = errno;
	p->failed = err;
	endwings(p, n);
	task_sys.free(p);
	errno = err;
	return NULL;
}

void
task_endproc(Proc *p)
{
	endwings(p, Wings);
	task_sys.free(p);
}

/*
 * Meanwhile the thread is not cancelled: it would be in the midst of whatever
 * task makes a system call, and nobody would end the others or free anything.
 * member is proccreate's; NULL: a new one.
 */
static int
runmember(void (*fn)(void *), void *arg, size_t stack, Member *member)
{
	int err = errno, status = -1, cancels;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancels);
	Proc *p = task_newproc(member);
	if(p){
		status = task_start(p, fn, arg, stack);
		err = p->failed ? p->failed : err;
		task_endproc(p);
	}else
		err = errno;
	pthread_setcancelstate(cancels, NULL);
	errno = err;
	return status;
}

size_t
task_firststack(void)
{
	return mainstacksize > 0 ? (size_t)mainstacksize : MainStack;
}

int
task_run(void (*fn)(void *), void *arg)
{
	if(fn == NULL || task_proc || task_hosted)
		return task_fail(fn ? EBUSY : EINVAL);
	return runmember(fn, arg, task_firststack(), NULL);
}

int
taskrun(void (*fn)(void *), void *arg)
{
	return task_run(fn, arg);
}
