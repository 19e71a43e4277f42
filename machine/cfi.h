/* SPDX-License-Identifier: MIT */
/* The tables that say where a caller's registers are. */
#ifndef TASK_CFI_H
#define TASK_CFI_H

#include "unwind.h"
#include <string.h>

#pragma GCC visibility push(hidden)

/*
 * How the caller's register is found: it is the same, nobody knows, it was
 * saved at a distance from the CFA, is the CFA at a distance, is in another
 * register; or an expression says where it was saved, or what it is.
 */
enum How { Kept, Unknown, SavedAt, IsAt, InRegister, SavedByExpr, IsByExpr };

/* What the table says for one instruction; the last column is the CFA. */
enum { Cfa = Columns };

typedef struct Row
{
	unsigned char how[Columns + 1];
	int32_t value[Columns + 1];	/* of an expression: from base */
	int32_t offset;	/* of the CFA from its register */
	int signal;	/* a handler of signals returns to it */
	const unsigned char *base;
} Row;

/* Bytes that are read one after another; bad: they were not enough. */
typedef struct Reader
{
	const unsigned char *at;
	const unsigned char *end;
	int bad;
} Reader;

static inline uint64_t
takeint(Reader *b, size_t n)
{
	uint64_t x = 0;

	if((size_t)(b->end - b->at) < n){
		b->bad = 1;
		b->at = b->end;
		return 0;
	}
	memcpy(&x, b->at, n);	/* little-endian, as both CPUs are */
	b->at += n;
	return x;
}

static inline uint64_t
takeuleb(Reader *b)
{
	uint64_t x = 0, byte;
	unsigned int shift = 0;

	do{
		byte = takeint(b, 1);
		if(shift < 64)
			x |= (byte & 0x7f) << shift;
		shift += 7;
	}while(byte & 0x80);
	return x;
}

/* The same with a sign, which is the highest bit of the last byte. */
static inline int64_t
takesleb(Reader *b)
{
	const unsigned char *first = b->at;
	uint64_t x = takeuleb(b);
	size_t bits = 7 * (size_t)(b->at - first);

	if(bits > 0 && bits < 64 && (b->at[-1] & 0x40))
		x |= ~(uint64_t)0 << bits;
	return (int64_t)x;
}

/*
 * finds what is to be done in a call that stands at pc; -1: nobody knows.  It
 * looks at the tables each time.
 */
int task_cfirow(uintptr_t pc, Row *row);

/* returns how many modules have been unloaded so far. */
unsigned long long task_cfiunloaded(void);

#pragma GCC visibility pop
#endif
