/* SPDX-License-Identifier: MIT */
/* A fault in the guard of a stack: says which task, and dies of it. */
#include "inspect.h"
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

enum { HandlerStack = 64 * 1024 };

static struct sigaction oldsegv, oldbus;

/*
 * returns the running task if address is in the guard of its stack.  si_code
 * does not tell that: kinds of guard differ in it.
 */
static const Task *
overflown(const void *address)
{
	Proc *p = task_proc;

	if(p == NULL || p->running->stack == NULL)
		return NULL;
	intptr_t below = p->running->stack->low - (const char *)address;
	return below > 0 && (size_t)below <= task_guardbytes() ?
		p->running : NULL;
}

/* prints which function pc is in, or what addr2line needs to find it. */
static int
printfunction(char *buf, size_t n, const void *pc)
{
	Dl_info info;

	if(pc == NULL || dladdr(pc, &info) == 0)
		return snprintf(buf, n, "%p", pc);
	if(info.dli_sname)
		return snprintf(buf, n, "%s", info.dli_sname);
	return snprintf(buf, n, "%#tx of %s (see addr2line)",
		(const char *)pc - (const char *)info.dli_fbase,
		info.dli_fname);
}

static void
printoverflow(const Task *t, const void *pc)
{
	char buf[512], function[256], name[64];

	printfunction(function, sizeof function, pc);
	int n = snprintf(buf, sizeof buf,
		"task %u (%s): stack overflow in %s: %zu bytes are not "
		"enough; create the %s with a larger stack\n",
		t->id, task_show(name, sizeof name, task_name(t)), function, t->stack->bytes, task_kind(t));
	ssize_t ignored = write(2, buf, (size_t)n);
	(void)ignored;
}

/*
 * reports an overflow, and then calls whoever handled the signal before; by
 * default the signal ends the program.
 */
static void
faulted(int sig, siginfo_t *info, void *ucontext)
{
	struct sigaction *old = sig == SIGSEGV ? &oldsegv : &oldbus;
	const Task *t = overflown(info->si_addr);

	if(t)
		printoverflow(t, task_contextpc(ucontext));
	if(old->sa_flags & SA_SIGINFO)
		old->sa_sigaction(sig, info, ucontext);
	else if(old->sa_handler != SIG_DFL && old->sa_handler != SIG_IGN)
		old->sa_handler(sig);
	else{
		sigaction(sig, old, NULL);	/* the access faults again */
		if(info->si_code <= 0)	/* was sent: does not come again */
			raise(sig);
	}
}

static void
handlefaults(void)
{
	struct sigaction sa = {.sa_sigaction = faulted,
		.sa_flags = SA_SIGINFO | SA_ONSTACK};

	sigemptyset(&sa.sa_mask);
	sigaction(SIGSEGV, &sa, &oldsegv);
	sigaction(SIGBUS, &sa, &oldbus);
}

/* The handler needs a stack of its own, unless the thread has one already. */
int
task_overflowbegin(Proc *p)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	stack_t ss;

	pthread_once(&once, handlefaults);
	if(sigaltstack(NULL, &ss) < 0 || !(ss.ss_flags & SS_DISABLE))
		return 0;
	p->overflow = task_sys.map(HandlerStack);
	if(p->overflow == NULL)
		return -1;
	ss = (stack_t){.ss_sp = p->overflow, .ss_size = HandlerStack};
	return sigaltstack(&ss, NULL);
}

void
task_overflowend(Proc *p)
{
	if(p->overflow == NULL)
		return;
	sigaltstack(&(stack_t){.ss_flags = SS_DISABLE, .ss_size = HandlerStack},
		NULL);
	task_sys.unmap(p->overflow, HandlerStack);
}
