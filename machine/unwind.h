/* SPDX-License-Identifier: MIT */
/* Walks stacks that do not run. */
#ifndef TASK_UNWIND_H
#define TASK_UNWIND_H

#include "machine.h"

#pragma GCC visibility push(hidden)

/* The registers that a walk needs, by DWARF's numbers for the CPU. */
#if defined(__x86_64__)
enum { SpColumn = 7, FpColumn = 6, ReturnColumn = 16, PcColumn = 16, Columns };
#elif defined(__aarch64__)
enum
{
	FpColumn = 29, ReturnColumn = 30, SpColumn = 31, PcColumn = 32, Columns
};
#else	/* no walk is known here */
enum { SpColumn, FpColumn, ReturnColumn, PcColumn, Columns };
#endif

typedef struct Registers
{
	uintptr_t r[Columns];
	int exact;	/* pc is where it stopped, not where it returns to */
} Registers;

/*
 * context.c: the registers with which c, which does not run, will go on; and
 * those that a signal interrupted.  -1: they are not known here.
 */
int task_contextregisters(const Context *c, Registers *r);
int task_signalregisters(const void *ucontext, Registers *r);

/* sets r to the registers here: a walk from them begins with this function. */
#if defined(__x86_64__)
#define task_hereregisters(at) \
	__asm__ volatile("movq %%rbx, 24(%0)\n\tmovq %%rbp, 48(%0)\n\t" \
		"movq %%rsp, 56(%0)\n\tmovq %%r12, 96(%0)\n\t" \
		"movq %%r13, 104(%0)\n\tmovq %%r14, 112(%0)\n\t" \
		"movq %%r15, 120(%0)\n\tleaq 0(%%rip), %%rcx\n\t" \
		"movq %%rcx, 128(%0)" : : "a"((at)->r) : "rcx", "memory")
#elif defined(__aarch64__)
#define task_hereregisters(at) \
	__asm__ volatile("stp x19, x20, [%0, #152]\n\t" \
		"stp x21, x22, [%0, #168]\n\tstp x23, x24, [%0, #184]\n\t" \
		"stp x25, x26, [%0, #200]\n\tstp x27, x28, [%0, #216]\n\t" \
		"stp x29, x30, [%0, #232]\n\tmov x9, sp\n\t" \
		"str x9, [%0, #248]\n\tadr x9, .\n\tstr x9, [%0, #256]" \
		: : "r"((at)->r) : "x9", "memory")
#else
#define task_hereregisters(at) ((at)->r[PcColumn] = 0)
#endif

/*
 * stores the addresses of at most n calls, the innermost first, in which
 * whoever has the registers r is; returns how many.  Its stack lies from low to
 * high; what it held is found moved bytes further, and nothing else is read.  A
 * handler of signals may call it.
 */
int task_unwind(const Registers *r, uintptr_t low, uintptr_t high,
	ptrdiff_t moved, void **pc, int n);

#pragma GCC visibility pop
#endif
