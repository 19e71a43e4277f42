/* SPDX-License-Identifier: MIT */
/* Makes contexts and switches between them. */
#include "machine/machine.h"
#include "machine/unwind.h"
#include <signal.h>
#include <ucontext.h>

/*
 * Switching is two functions of 30 instructions, written for each CPU in arch/:
 * task_contextframe lays out what the switch would have left behind, and
 * task_contextswitch saves the registers of one context on its stack and loads
 * those of another from its own.  Where there is no such file, libc's
 * makecontext and swapcontext do the same, at the price of a system call for
 * the signal mask.  Either way all that is kept outside the stack is a pointer
 * into it.
 */

#ifdef TASK_UCONTEXT
typedef struct Frame
{
	ucontext_t uc;
	uintptr_t value;	/* for the switch to return */
	void (*fn)(void *);
	void *arg;
} Frame;

/*
 * What new contexts start from.  A ucontext_t holds the floating-point
 * environment too, so Fpenv is not used.
 */
static _Thread_local ucontext_t beginning;

void *
task_contextpass(Context *from, Context *to, uintptr_t value)
{
	Frame f, *next = to->sp;

	if(task_contextway < 0)
		next = task_tellbefore(from, to, &f);
	else
		from->sp = &f;
	next->value = value;
	/* the mask is the thread's: what next was left with is out of date */
	sigprocmask(SIG_BLOCK, NULL, &next->uc.uc_sigmask);
	swapcontext(&f.uc, &next->uc);
	if(task_contextway < 0)
		task_tellafter();
	return (void *)f.value;
}

int
task_contextswitch(Context *from, Context *to, uintptr_t value)
{
	return (int)(uintptr_t)task_contextpass(from, to, value);
}

/*
 * calls the function of a new context.  makecontext passes only ints, so the
 * address of its Frame comes in two halves.
 */
static void
enter(unsigned int high, unsigned int low)
{
	Frame *f = (Frame *)((uintptr_t)high << 16 << 16 | low);

	if(task_contextway < 0)
		task_tellafter();
	f->fn(f->arg);
}

void *
task_contextframe(void *low, void *top, void (*fn)(void *), void *arg,
	const Fpenv *fp)
{
	Frame *f = (Frame *)(((uintptr_t)top - sizeof *f) & ~(uintptr_t)63);
	uintptr_t u = (uintptr_t)f;

	(void)fp;
	f->uc = beginning;
	f->fn = fn;
	f->arg = arg;
	f->uc.uc_link = NULL;
	f->uc.uc_stack.ss_sp = low;
	f->uc.uc_stack.ss_size = (size_t)((char *)f - (char *)low);
	makecontext(&f->uc, (void (*)(void))enter, 2,
		(unsigned int)(u >> 16 >> 16), (unsigned int)u);
	return f;
}

void
task_contextfp(Fpenv *fp)
{
	(void)fp;
	getcontext(&beginning);
#if defined(__linux__) && defined(__x86_64__)
	/*
	 * A walk along frame pointers ends at 0; getcontext has the caller's.
	 */
	beginning.uc_mcontext.gregs[REG_RBP] = 0;
#endif
}
#endif

void
task_contextmaketold(Context *c, void *low, void *top, void (*fn)(void *),
	void *arg, const Fpenv *fp)
{
	Context *made = task_tellmade(c, low, top);

	made->sp = task_contextframe(low, made, fn, arg, fp);
}

void
task_contextfree(Context *c)
{
	if(task_contextway < 0)
		task_tellfree(c);
}

#ifdef TASK_UCONTEXT
static int
parkedregisters(const void *sp, Registers *r)
{
	return task_signalregisters(&((const Frame *)sp)->uc, r);
}
#elif defined(__x86_64__)
/* See arch/amd64.S, and arch/arm64.S below, for what the switch leaves. */
static int
parkedregisters(const void *sp, Registers *r)
{
	static const unsigned char column[] = {15, 14, 13, 12, 3, 6, 16};
	const uintptr_t *word = sp;

	for(size_t i = 0; i < sizeof column; i++)
		r->r[column[i]] = word[1 + i];
	r->r[SpColumn] = (uintptr_t)(word + 8);
	return 0;
}
#elif defined(__aarch64__)
static int
parkedregisters(const void *sp, Registers *r)
{
	const uintptr_t *word = sp;

	for(int i = 0; i < 12; i++)
		r->r[19 + i] = word[i];
	r->r[PcColumn] = word[11];
	r->r[SpColumn] = (uintptr_t)(word + 22);
	return 0;
}
#endif

int
task_contextregisters(const Context *c, Registers *r)
{
	const void *sp = task_contextway < 0 ? task_toldsp(c) : c->sp;

	*r = (Registers){.exact = 0};
	if(sp == NULL || parkedregisters(sp, r) < 0)
		return -1;
	r->exact = 0;
	return 0;
}

int
task_signalregisters(const void *ucontext, Registers *r)
{
	const ucontext_t *uc = ucontext;

	*r = (Registers){.exact = 1};
#if defined(__linux__) && defined(__x86_64__)
	static const unsigned char reg[] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX,
		REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8, REG_R9, REG_R10,
		REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
	for(int i = 0; i < Columns; i++)
		r->r[i] = (uintptr_t)uc->uc_mcontext.gregs[reg[i]];
	return 0;
#elif defined(__linux__) && defined(__aarch64__)
	for(int i = 0; i < 31; i++)
		r->r[i] = uc->uc_mcontext.regs[i];
	r->r[SpColumn] = uc->uc_mcontext.sp;
	r->r[PcColumn] = uc->uc_mcontext.pc;
	return 0;
#else
	(void)uc;
	return -1;
#endif
}
