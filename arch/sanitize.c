/* SPDX-License-Identifier: MIT */
/* The switch as sanitizers must be told of it, around the one of the CPU. */
#include "../machine/machine.h"
#include "../machine/tell.h"

#ifdef TASK_SANITIZED
/*
 * Sanitizers keep a picture of each stack.  They are told before a switch where
 * it leads, and after it that it has happened; a context that will not run
 * again can only be forgotten by the next one.
 */
#if ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#elif TSAN
#include <sanitizer/tsan_interface.h>
#endif

static _Thread_local Context *came;	/* context before the last switch */
static _Thread_local int last;	/* came will not come back */

__attribute__((always_inline)) static inline void
tellbefore(Context *from, Context *to)
{
	came = from;
	last = from->sp == NULL && from->low;
#if ASAN
	__sanitizer_start_switch_fiber(last ? NULL : &from->shadow,
		to->low, to->bytes);
#elif TSAN
	if(from->shadow == NULL)
		from->shadow = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(to->shadow, 0);
#endif
}

__attribute__((always_inline)) static inline void
tellafter(Context *c)
{
#if ASAN
	const void *low;
	size_t bytes;

	__sanitizer_finish_switch_fiber(c->shadow, &low, &bytes);
	if(came->low == NULL){
		/* the thread's own stack: now its bounds are known */
		came->low = low;
		came->bytes = bytes;
		/* LSan looks for pointers in the current stack only */
		__lsan_register_root_region(low, bytes);
	}
#elif TSAN
	(void)c;
	if(last)
		task_contextfree(came);
#endif
}

__attribute__((no_sanitize("thread"))) void *
task_contextpass(Context *from, Context *to, uintptr_t value)
{
	tellbefore(from, to);
	void *result = task_contextjump(from, to, value);
	tellafter(from);
	return result;
}

int
task_contextswitch(Context *from, Context *to, uintptr_t value)
{
	return (int)(uintptr_t)task_contextpass(from, to, value);
}

static void
begintold(void *v)
{
	Context *c = v;

	tellafter(c);
	c->fn(c->arg);
}

void
task_contextmake(Context *c, void *low, void *top, void (*fn)(void *),
	void *arg, const Fpenv *fp)
{
	*c = (Context){.low = low, .bytes = (size_t)((char *)top - (char *)low),
		.fn = fn, .arg = arg};
#if ASAN
	/* what the last user of the stack has poisoned */
	ASAN_UNPOISON_MEMORY_REGION(low, c->bytes);
#elif TSAN
	c->shadow = __tsan_create_fiber(0);
#endif
	c->sp = task_contextframe(low, top, begintold, c, fp);
}

/*
 * TSan wants a fiber to have been current before it is destroyed.  A context
 * without fn is the thread's own.
 */
__attribute__((no_sanitize("thread"))) void
task_contextfree(Context *c)
{
#if ASAN
	if(c->fn == NULL && c->low)
		__lsan_unregister_root_region(c->low, c->bytes);
#elif TSAN
	void *self = __tsan_get_current_fiber();

	if(c->fn == NULL)
		return;
	__tsan_switch_to_fiber(c->shadow, 0);
	__tsan_switch_to_fiber(self, 0);
	__tsan_destroy_fiber(c->shadow);
#endif
	c->shadow = NULL;
}
#endif
