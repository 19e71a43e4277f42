/* SPDX-License-Identifier: MIT */
/* Signals that end a program: says in which task, does what was arranged. */
#include "inspect.h"
#include "../machine/signal.h"
#include "../machine/unwind.h"
#include "symbol.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

enum
{
	HandlerStack = 64 * 1024,
	RedZone = 128	/* bytes below sp that a function may use */
};

static void faulted(int sig, siginfo_t *info, void *ucontext);

static Arranged faults[] = {
	{.sig = SIGSEGV, .name = "SIGSEGV", .fn = faulted, .chains = 1},
	{.sig = SIGBUS, .name = "SIGBUS", .fn = faulted, .chains = 1},
	{.sig = SIGFPE, .name = "SIGFPE", .fn = faulted, .chains = 1},
	{.sig = SIGILL, .name = "SIGILL", .fn = faulted, .chains = 1},
	{.sig = SIGABRT, .name = "SIGABRT", .fn = faulted, .chains = 1},
};

enum { Faults = sizeof faults / sizeof faults[0] };

/* Room for the line, and for what it consists of; the line is not cut. */
enum { LineBytes = 384, NameBytes = 64 };

/*
 * Whether the running task has left its stack, by address: kinds of guard
 * differ in what si_code they give.  A large frame steps over the guard, and
 * the address is that of nothing at all or of another's guard; but it is in the
 * frame, between the stack pointer and the stack.  The fdtask is on the stack
 * of taskrun's caller, of which only p->base is known.
 */
static int
overflown(const Proc *p, uintptr_t address, uintptr_t sp)
{
	const Stack *s = p->running->stack;
	uintptr_t low = s ? (uintptr_t)s->low : (uintptr_t)p->base;

	if(address >= low)
		return 0;
	return (s && low - address <= task_guardbytes()) ||
		(sp < low && address >= sp - RedZone);
}

static int
overflowtext(char *buf, int n, const Task *t, const char *place)
{
	if(t->stack == NULL)
		return snprintf(buf, (size_t)n, "stack overflow in %s, on the "
			"stack that taskrun was called on; give it more\n",
			place);
	return snprintf(buf, (size_t)n, "stack overflow in %s: %zu bytes are "
		"not enough; create the %s with a larger stack\n", place,
		t->stack->bytes, task_kind(t));
}

/* SIGABRT and what kill(2) sends come from no place in the program. */
static int
faulttext(char *buf, int n, const Arranged *a, const siginfo_t *info,
	const char *place)
{
	if(info->si_code > 0)
		return snprintf(buf, (size_t)n, "%s at %p in %s\n", a->name,
			info->si_addr, place);
	if(info->si_pid == getpid())
		return snprintf(buf, (size_t)n, "%s\n", a->name);
	return snprintf(buf, (size_t)n, "%s, sent by process %d\n", a->name,
		(int)info->si_pid);
}

static void
putsignalsafe(const char *s, int n)
{
	ssize_t ignored = write(2, s, (size_t)n);

	(void)ignored;
}

/* prints the calls that t is in, and who made it. */
__attribute__((noinline)) static void
printstack(const Proc *p, const Task *t, const Registers *r)
{
	char line[MakerBytes];
	void *pc[StackFrames];
	int n = task_unwind(r, (uintptr_t)t->stack->low,
		(uintptr_t)t->stack->top, 0, pc, StackFrames);

	n = task_calls(pc, n);
	for(int i = 0; i < n; ){
		i = task_frameline(line, sizeof line, pc, n, i, 1);
		putsignalsafe(line, (int)strlen(line));
	}
	if(n == StackFrames)
		putsignalsafe("    ...\n", 8);
	if(*task_maker(line, p->number, t->made, t->creator)){
		putsignalsafe("    ", 4);
		putsignalsafe(line, (int)strlen(line));
		putsignalsafe("\n", 1);
	}
}

static void
printfault(const Proc *p, const Arranged *a, const siginfo_t *info,
	const void *ucontext)
{
	char buf[LineBytes], place[SymbolBytes] = "?", name[NameBytes];
	const Task *t = p->running;
	Registers r = {.r[SpColumn] = UINTPTR_MAX};	/* above all stacks */
	int sent = info->si_code <= 0;
	int n = snprintf(buf, sizeof buf, "%s: ", task_showtask(name,
		sizeof name, p, t));

	if(task_signalregisters(ucontext, &r) == 0 && !sent)
		task_symbol(place, sizeof place, (void *)r.r[PcColumn], 0);
	if(!sent && overflown(p, (uintptr_t)info->si_addr, r.r[SpColumn]))
		n += overflowtext(buf + n, LineBytes - n, t, place);
	else
		n += faulttext(buf + n, LineBytes - n, a, info, place);
	putsignalsafe(buf, n);
	if(t->stack && r.exact)
		printstack(p, t, &r);
}

/* Then whoever handled it before; by default that ends the program. */
static void
faulted(int sig, siginfo_t *info, void *ucontext)
{
	Arranged *a = faults;
	Proc *p = task_proc;
	int err = errno;

	while(a->sig != sig)
		a++;
	if(p && !(p->told && sig == SIGABRT)){
		p->told = 1;
		printfault(p, a, info, ucontext);
	}
	errno = err;
	/* By default it faults again, unless it was sent. */
	if(!task_passon(a, info, ucontext) && info->si_code <= 0)
		raise(sig);
}

/* The handler needs a stack of its own, unless the thread has one already. */
int
task_faultbegin(Proc *p)
{
	stack_t ss;

	p->base = __builtin_frame_address(0);
	if(sigaltstack(NULL, &ss) == 0 && (ss.ss_flags & SS_DISABLE)){
		p->handlers = task_sys.map(HandlerStack);
		if(p->handlers == NULL)
			return -1;
		ss = (stack_t){.ss_sp = p->handlers, .ss_size = HandlerStack};
		sigaltstack(&ss, NULL);
	}
	task_arrange(faults, Faults);
	return 0;
}

/*
 * A task may have set another one, which is the program's and stays; whoever
 * did so may put ours back one day, so that stays mapped.
 */
void
task_faultend(Proc *p)
{
	stack_t ss;

	task_unarrange(faults, Faults);
	if(p->handlers && sigaltstack(NULL, &ss) == 0 &&
			ss.ss_sp == p->handlers && sigaltstack(&(stack_t){
			.ss_flags = SS_DISABLE, .ss_size = HandlerStack},
			NULL) == 0)
		task_sys.unmap(p->handlers, HandlerStack);
}

void
task_faultforked(Proc *p)
{
	task_arrangeforked(faults, Faults, p != NULL);
}
