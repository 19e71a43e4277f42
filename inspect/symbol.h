/* SPDX-License-Identifier: MIT */
/* The names of places in the code. */
#ifndef TASK_SYMBOL_H
#define TASK_SYMBOL_H

#include <stddef.h>

#pragma GCC visibility push(hidden)

enum { SymbolBytes = 160 };	/* room for what follows; more is cut */

/*
 * puts "parse+0x1d server(+0x123d)" into buf, and returns that: the function
 * and how far within it, the file and where addr2line finds it there.  The
 * function is left out where its name is not known, all but the address where
 * nothing is.  call: pc is where a call returns to, the place is that of the
 * call.
 * Handlers of signals may call it.
 */
const char *task_symbol(char *buf, size_t n, const void *pc, int call);

/*
 * puts a line about the i-th of the n calls that task_unwind has found, and of
 * those equal to it that follow, into buf; returns which is the next.  exact:
 * the first is no call, but where a signal came.
 */
int task_frameline(char *buf, size_t size, void *const *pc, int n, int i,
	int exact);

/* puts the bare name of the function, or all the above, into buf likewise. */
const char *task_function(char *buf, size_t n, const void *pc);

#pragma GCC visibility pop
#endif
