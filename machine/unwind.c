/* SPDX-License-Identifier: MIT */
/* Walks stacks that do not run. */
#include "cfi.h"
#include <stdatomic.h>

/*
 * The compiler has left a table that says, for each instruction, where the
 * caller's registers are: how far above the stack pointer, or above another
 * register, the caller's frame ends (its CFA), and what was saved where below.
 * libgcc reads it too, but walks its caller's stack only.  Here it is the stack
 * of a parked task, or the copy of one that runs elsewhere.  No memory is
 * taken, and no address that is found there is believed, so that it can be done
 * where a program has just crashed.
 */
#if defined(__x86_64__) || defined(__aarch64__)

/*
 * Many tasks stand at the same places.  What was found for these is kept, until
 * a module is unloaded; whoever finds that another thread, or what a signal has
 * interrupted, is at it does without.
 */
enum { KeptRows = 64 };

static struct
{
	atomic_flag busy;
	unsigned long long unloaded;
	uintptr_t pc[KeptRows];
	Row row[KeptRows];
} cache = {.busy = ATOMIC_FLAG_INIT};

static int
knownrow(uintptr_t pc, Row *row, int mine)
{
	size_t i = (pc ^ pc >> 6) % KeptRows;

	if(mine && pc && cache.pc[i] == pc){
		*row = cache.row[i];
		return 0;
	}
	if(task_cfirow(pc, row) < 0)
		return -1;
	if(mine){
		cache.pc[i] = pc;
		cache.row[i] = *row;
	}
	return 0;
}

/* returns whether the cache may be used, until it is given back. */
static int
takecache(void)
{
	if(atomic_flag_test_and_set(&cache.busy))
		return 0;
	unsigned long long unloaded = task_cfiunloaded();
	if(unloaded != cache.unloaded)
		memset(cache.pc, 0, sizeof cache.pc);
	cache.unloaded = unloaded;
	return 1;
}

/* A stack that is walked, and the registers of whoever is in the call. */
typedef struct Walk
{
	uintptr_t r[Columns];
	uintptr_t low;
	uintptr_t high;
	ptrdiff_t moved;
	int bad;	/* somebody wanted a word that is not in the stack */
} Walk;

/* A task's stack is none of the running one's to sanitizers. */
__attribute__((no_sanitize("address", "thread"))) static uintptr_t
word(Walk *w, uintptr_t at)
{
	if(at < w->low || at > w->high - sizeof at || at % sizeof at){
		w->bad = 1;
		return 0;
	}
	return *(volatile const uintptr_t *)(at + (uintptr_t)w->moved);
}

enum { Operands = 16 };

/*
 * returns what an expression is, of those that compilers write: for jump tables
 * of the linker, aligned frames, and frames of signals.
 */
static uintptr_t
evaluate(Walk *w, const unsigned char *expr, uintptr_t cfa)
{
	uintptr_t v[Operands] = {cfa};
	Reader n = {expr, expr + 10, 0};
	uint64_t bytes = takeuleb(&n);
	Reader b = {n.at, n.at + bytes, 0};
	int top = 0;

	while(b.at < b.end && !b.bad && !w->bad){
		unsigned int op = (unsigned int)takeint(&b, 1);
		if(top + 1 == Operands)
			w->bad = 1;
		else if(op >= 0x70 && op < 0x70 + Columns && op < 0x90)
			v[++top] = w->r[op - 0x70] + (uintptr_t)takesleb(&b);
		else if(op >= 0x30 && op < 0x50)
			v[++top] = op - 0x30;
		else if(op == 0x06)
			v[top] = word(w, v[top]);
		else if(op == 0x08)
			v[++top] = takeint(&b, 1);
		else if(op == 0x0a)
			v[++top] = takeint(&b, 2);
		else if(op == 0x11)
			v[++top] = (uintptr_t)takesleb(&b);
		else if(op == 0x23)
			v[top] += takeuleb(&b);
		else if(top == 0)
			w->bad = 1;
		else{
			uintptr_t y = v[top--];
			if(op == 0x1a)
				v[top] &= y;
			else if(op == 0x1c)
				v[top] -= y;
			else if(op == 0x22)
				v[top] += y;
			else if(op == 0x24)
				v[top] = y < 64 ? v[top] << y : 0;
			else if(op == 0x2a)
				v[top] = (intptr_t)v[top] >= (intptr_t)y;
			else
				w->bad = 1;
		}
	}
	w->bad |= b.bad;
	return v[top];
}

static uintptr_t
callers(Walk *w, const Row *row, int column, uintptr_t cfa)
{
	int32_t value = row->value[column];

	switch(row->how[column]){
	case SavedAt:
		return word(w, cfa + (uintptr_t)(intptr_t)value);
	case IsAt:
		return cfa + (uintptr_t)(intptr_t)value;
	case InRegister:
		return value >= 0 && value < Columns ? w->r[value] : 0;
	case SavedByExpr:
		return word(w, evaluate(w, row->base + value, cfa));
	case IsByExpr:
		return evaluate(w, row->base + value, cfa);
	case Unknown:
		return 0;
	default:
		return w->r[column];
	}
}

static uintptr_t
cfaof(Walk *w, const Row *row)
{
	if(row->how[Cfa] == IsByExpr)
		return evaluate(w, row->base + row->value[Cfa], 0);
	if(row->how[Cfa] == InRegister && row->value[Cfa] < Columns)
		return w->r[row->value[Cfa]] +
			(uintptr_t)(intptr_t)row->offset;
	return 0;
}

/* Arm signs return addresses in the bits that addresses do not use. */
static inline uintptr_t
unsignedaddress(uintptr_t x)
{
#ifdef __aarch64__
	return x & 0x0000ffffffffffff;
#else
	return x;
#endif
}

/* goes on to the caller; 0: there is none, or nobody knows. */
static int
climb(Walk *w, const Row *row)
{
	uintptr_t r[Columns], cfa = cfaof(w, row);

	if(w->bad || cfa < w->r[SpColumn] || cfa > w->high ||
			row->how[ReturnColumn] == Unknown)
		return 0;
	for(int i = 0; i < Columns; i++)
		r[i] = callers(w, row, i, cfa);
	/* what is on another stack is not walked; a frame takes some room */
	if(w->bad || (cfa == w->r[SpColumn] &&
			r[ReturnColumn] == w->r[PcColumn]))
		return 0;
	memcpy(w->r, r, sizeof r);
	if(row->how[SpColumn] == Kept)
		w->r[SpColumn] = cfa;
	w->r[PcColumn] = unsignedaddress(r[ReturnColumn]);
	return w->r[PcColumn] != 0;
}

/* The same where there is no table, if there is a chain of frame pointers. */
static int
climbframe(Walk *w)
{
	uintptr_t fp = w->r[FpColumn];

	if(fp < w->r[SpColumn])
		return 0;
	uintptr_t outer = word(w, fp), pc = word(w, fp + sizeof fp);
	if(w->bad)
		return 0;
	w->r[SpColumn] = fp + 2 * sizeof fp;
	w->r[FpColumn] = outer;
	w->r[PcColumn] = unsignedaddress(pc);
	return pc != 0;
}

/* The same where a function has been called that is none. */
static int
climbcall(Walk *w)
{
#ifdef __x86_64__
	w->r[PcColumn] = word(w, w->r[SpColumn]);
	w->r[SpColumn] += sizeof(uintptr_t);
#else
	w->r[PcColumn] = unsignedaddress(w->r[ReturnColumn]);
#endif
	return !w->bad && w->r[PcColumn] != 0;
}

static int
walk(Walk *w, int exact, int mine, void **pc, int n)
{
	int k = 0, more = 1;
	Row row;

	while(k < n && more){
		uintptr_t at = w->r[PcColumn];
		pc[k++] = (void *)at;
		if(knownrow(exact ? at : at - 1, &row, mine) < 0){
			more = exact && k == 1 ? climbcall(w) : climbframe(w);
			exact = 0;
		}else{
			exact = row.signal;
			more = climb(w, &row);
		}
	}
	return k;
}

int
task_unwind(const Registers *r, uintptr_t low, uintptr_t high,
	ptrdiff_t moved, void **pc, int n)
{
	Walk w = {.low = low, .high = high, .moved = moved};
	int mine = takecache();

	memcpy(w.r, r->r, sizeof w.r);
	int k = walk(&w, r->exact, mine, pc, n);
	if(mine)
		atomic_flag_clear(&cache.busy);
	return k;
}
#else
int
task_unwind(const Registers *r, uintptr_t low, uintptr_t high,
	ptrdiff_t moved, void **pc, int n)
{
	(void)r, (void)low, (void)high, (void)moved, (void)pc, (void)n;
	return 0;
}
#endif
