/* SPDX-License-Identifier: MIT */
/* Where a thread's C++ exceptions are, whenever C++ comes. */
#include "../taskimpl.h"
#include <dlfcn.h>
#include <stdatomic.h>

/*
 * C++ asks for the place by these two names of its ABI.  They are here too, so
 * that the library hears of it when somebody asks first in a program that was
 * without C++ until then, for dlopen has brought it: from then on the switch
 * exchanges what is there, and until then nothing was.
 *
 * The dynamic linker gives all callers the first of several definitions, in
 * programs that export their functions or have libtask.so.  In one that has the
 * C++ library from the beginning this may be ours: then the place is that of
 * the next one, as it would be without us.  In static programs it is theirs.
 */
Exceptions *__cxa_get_globals(void)
	__attribute__((weak, visibility("default")));
Exceptions *__cxa_get_globals_fast(void)
	__attribute__((weak, visibility("default")));

typedef Exceptions *Globals(void);

/* The place if there is no next one; the ABI of 32-bit ARM has a word more. */
static _Thread_local Exceptions onlyplace[2];

static Exceptions *
placehere(void)
{
	if(task_proc)
		task_proc->exceptions = onlyplace;
	return onlyplace;
}

/* The answer stays what it was first, or there would be two places. */
static Globals *
nextglobals(void)
{
	static _Atomic(Globals *) found;
	Globals *next = found, *none = NULL;

	if(next)
		return next;
	*(void **)&next = dlsym(RTLD_NEXT, "__cxa_get_globals");
	if(next == NULL){
		dlerror();	/* or the program would find ours */
		next = placehere;
	}
	return atomic_compare_exchange_strong(&found, &none, next) ? next :
		none;
}

Exceptions *
__cxa_get_globals(void)
{
	return nextglobals()();
}

Exceptions *
__cxa_get_globals_fast(void)
{
	return nextglobals()();
}

Exceptions *
task_exceptions(void)
{
	Exceptions *e = __cxa_get_globals();

	return e == onlyplace && !e->caught && !e->uncaught ? NULL : e;
}
