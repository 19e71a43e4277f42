/* SPDX-License-Identifier: MIT */
/* Puts the library together and runs it. */
#include "coro/coro.h"
#include "fd/fd.h"
#include "inspect/inspect.h"
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
	{task_sigpipebegin, task_sigpipeend, task_sigpipeforked},
	{task_quitbegin, task_quitend, task_quitforked},
	{task_faultbegin, task_faultend, task_faultforked},
	{task_memberbegin, task_memberend, task_memberforked},
	{task_watchbegin, task_watchend, task_watchforked},
};

enum { Wings = sizeof wings / sizeof wings[0] };

static void
forked(void)
{
	for(int i = 0; i < Wings; i++)
		if(wings[i].forked)
			wings[i].forked(task_proc);
}

static void
watchforks(void)
{
	pthread_atfork(NULL, NULL, forked);
}

static int runmember(void (*fn)(void *), void *arg, size_t stack, Member *m);

/* Not on the caller's stack, which may be a small one: it has 2 KiB. */
static Proc *
newproc(void)
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

/*
 * Meanwhile the thread is not cancelled: it would be in the midst of whatever
 * task makes a system call, and nobody would end the others or free anything.
 * member is proccreate's; NULL: a new one.
 */
static int
runmember(void (*fn)(void *), void *arg, size_t stack, Member *member)
{
	static pthread_once_t forks = PTHREAD_ONCE_INIT;
	int err = errno, status = -1, n = 0, cancels;

	pthread_once(&forks, watchforks);
	Proc *p = newproc();
	if(p == NULL)
		return -1;
	p->member = member;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancels);
	while(n < Wings && wings[n].begin(p) == 0)
		n++;
	if(n == Wings)
		status = task_start(p, fn, arg, stack);
	else
		p->failed = errno;
	while(n-- > 0)
		wings[n].end(p);
	task_stop(p);
	pthread_setcancelstate(cancels, NULL);
	errno = p->failed ? p->failed : err;
	task_sys.free(p);
	return status;
}

int
task_run(void (*fn)(void *), void *arg)
{
	if(fn == NULL || task_proc)
		return task_fail(fn ? EBUSY : EINVAL);
	return runmember(fn, arg, mainstacksize > 0 ? (size_t)mainstacksize :
		MainStack, NULL);
}

int
taskrun(void (*fn)(void *), void *arg)
{
	return task_run(fn, arg);
}
