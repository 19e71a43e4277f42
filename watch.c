/* SPDX-License-Identifier: MIT */
/* What sanitizers and Valgrind are told of stacks and switches. */
#include "machine.h"
#include "watch.h"

#if defined(__SANITIZE_ADDRESS__)
#define ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define TSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASAN 1
#elif __has_feature(thread_sanitizer)
#define TSAN 1
#endif
#endif

#ifdef TASK_WATCH
/*
 * Sanitizers keep a picture of each stack.  They are told before a switch where
 * it leads, and after it that it has happened; a context that has left for good
 * can only be forgotten by the next one.
 */
#if ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#elif TSAN
#include <sanitizer/tsan_interface.h>
#endif

static _Thread_local Context *came;	/* the context that was left last */
static _Thread_local int last;	/* it will not come back */

__attribute__((always_inline)) static inline void
leavefiber(Context *from, Context *to)
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
arrivefiber(Context *c)
{
#if ASAN
	const void *low;
	size_t bytes;

	__sanitizer_finish_switch_fiber(c->shadow, &low, &bytes);
	if(came->low == NULL){
		/* the thread's own stack: now its bounds are known */
		came->low = low;
		came->bytes = bytes;
		/* it is no longer the one that is looked at for pointers */
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
	leavefiber(from, to);
	void *result = task_contextjump(from, to, value);
	arrivefiber(from);
	return result;
}

int
task_contextswitch(Context *from, Context *to, uintptr_t value)
{
	return (int)(uintptr_t)task_contextpass(from, to, value);
}

static void
beginfiber(void *v)
{
	Context *c = v;

	arrivefiber(c);
	c->fn(c->arg);
}

void
task_contextmake(Context *c, void *low, void *top, void (*fn)(void *),
	void *arg, const Fpenv *fp)
{
	*c = (Context){.low = low, .bytes = (size_t)((char *)top - (char *)low),
		.fn = fn, .arg = arg};
#if ASAN
	/* what the last task left */
	ASAN_UNPOISON_MEMORY_REGION(low, c->bytes);
#elif TSAN
	c->shadow = __tsan_create_fiber(0);
#endif
	c->sp = task_contextframe(low, top, beginfiber, c, fp);
}

/*
 * TSan wants a fiber to have been current before it is destroyed.  What has no
 * fn is the thread's own.
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

int
task_stackswatched(void)
{
#ifdef TASK_WATCH
	return 1;
#else
	return RUNNING_ON_VALGRIND != 0;
#endif
}

unsigned
task_stackborn(void *low, void *end)
{
	return VALGRIND_STACK_REGISTER(low, (char *)end - 1);
}

void
task_stackdead(unsigned number)
{
	VALGRIND_STACK_DEREGISTER(number);
}

/* What only a sleeping task points to is no leak. */
void
task_slabborn(void *low, size_t bytes)
{
#if ASAN
	__lsan_register_root_region(low, bytes);
#endif
	(void)low, (void)bytes;
}

void
task_slabdead(void *low, size_t bytes)
{
#if ASAN
	__lsan_unregister_root_region(low, bytes);
	ASAN_UNPOISON_MEMORY_REGION(low, bytes);
#endif
	(void)low, (void)bytes;
}
