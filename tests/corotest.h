/* SPDX-License-Identifier: MIT */
/* What the tests of coroutines and generators share. */
#ifndef COROTEST_H
#define COROTEST_H

#include "test.h"
#include "watched.h"

static inline Co *
newco(void *(*fn)(void *))
{
	Co *c = cocreate(fn, NULL, 0);

	ck_assert_ptr_nonnull(c);
	return c;
}

static inline void *
same(void *v)
{
	return v;
}

static inline void *
waits(void *v)
{
	return coswitch(coparent(cocurrent()), v);
}

static inline Gen *
newgen(void *(*fn)(void *), void *arg)
{
	Gen *g = gencreate(fn, arg, 0);

	ck_assert_ptr_nonnull(g);
	return g;
}

/* g's next value, which must be there, and errno untouched. */
static inline intptr_t
next(Gen *g)
{
	void *v = NULL;

	errno = EDOM;
	ck_assert_int_eq(gennext(g, &v), 1);
	ck_assert_int_eq(errno, EDOM);
	return (intptr_t)v;
}

/* g has ended, now or before. */
static inline void
ended(Gen *g, const void *result)
{
	void *v = &v;

	errno = EDOM;
	ck_assert_int_eq(gennext(g, &v), 0);
	ck_assert_ptr_eq(v, result);
	ck_assert_int_eq(gennext(g, &v), 0);
	ck_assert_ptr_null(v);
	ck_assert_int_eq(gensend(g, g, NULL), 0);
	ck_assert_int_eq(genthrow(g, EIO, NULL), 0);
	ck_assert_int_eq(errno, EDOM);
}

static inline void
fails(int r, int err)
{
	ck_assert_int_eq(r, -1);
	ck_assert_int_eq(errno, err);
	errno = 0;
}

static inline void *
fibonacci(void *v)
{
	uintptr_t a = 0, b = 1;

	(void)v;
	while(genyield((void *)a)){
		uintptr_t c = a + b;
		a = b;
		b = c;
	}
	return NULL;
}

static inline void *
counts(void *v)
{
	for(uintptr_t i = 1; genyield((void *)i); i++)
		;
	return v;
}

UNWATCHED __attribute__((unused)) static int
recurse(int n)
{
	volatile char frame[256];

	__asm__ volatile("" : : "r"(frame) : "memory");
	frame[0] = (char)n;
	return n < 0 ? 0 : recurse(n + 1) + frame[0];
}

/* dies of an overflow, and is told what to do. */
static inline void
overflows(void (*fn)(void *), const char *advice)
{
	char err[65536];
	int status = childtask(fn, err, sizeof err);

	ck_assert_int_ne(status, 0);
	ck_assert_msg(strstr(err, "task 1 (deep): stack overflow in ") &&
		strstr(err, advice), "%s", err);
}

#endif
