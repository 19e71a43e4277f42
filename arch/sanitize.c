/* SPDX-License-Identifier: MIT */
/* What sanitizers are told of contexts, in programs that have them. */
#include "../machine/machine.h"

/*
 * Sanitizers keep a picture of each stack.  They are told before a switch where
 * it leads, and after it that it has happened; a context that will not run
 * again can only be forgotten by the next one.  Their calls are weak, so the
 * library as installed tells them in programs compiled with -fsanitize, whether
 * it was so itself or not; in others it asks one byte, for which the switch of
 * x86-64 has a use of its ofthread.
 *
 * This file is compiled without: its functions return on another stack, or to
 * another fiber, than they were called on.
 */
void __sanitizer_start_switch_fiber(void **shadow, const void *low,
	size_t bytes) __attribute__((weak));
void __sanitizer_finish_switch_fiber(void *shadow, const void **low,
	size_t *bytes) __attribute__((weak));
void __asan_poison_memory_region(const volatile void *low, size_t bytes)
	__attribute__((weak));
void __asan_unpoison_memory_region(const volatile void *low, size_t bytes)
	__attribute__((weak));
void __lsan_register_root_region(const void *low, size_t bytes)
	__attribute__((weak));
void __lsan_unregister_root_region(const void *low, size_t bytes)
	__attribute__((weak));
void *__tsan_get_current_fiber(void) __attribute__((weak));
void *__tsan_create_fiber(unsigned int flags) __attribute__((weak));
void __tsan_destroy_fiber(void *fiber) __attribute__((weak));
void __tsan_switch_to_fiber(void *fiber, unsigned int flags)
	__attribute__((weak));
int __tsan_atomic32_load(const volatile int *from, int order)
	__attribute__((weak));

/*
 * Stands in for a context, whose sp leads here: above the first frame of its
 * own stack, or in the thread.
 */
typedef struct Told
{
	Context context;	/* as the switch leaves it */
	const void *low;	/* of its stack; NULL: not known yet */
	size_t bytes;
	void *shadow;	/* ASan's fake stack, while it does not run */
	void *fiber;	/* TSan's */
} Told;

/* In a line that nobody writes to: each switch reads it. */
_Alignas(64) signed char task_contextway;

static _Thread_local Told ofthread;	/* of the thread's own stack */
static _Thread_local Told *running;	/* NULL: ofthread */
static _Thread_local Told *leaving;	/* what ran before the last switch */
static _Thread_local int forgood;	/* who is left will not run again */

__attribute__((constructor)) static void
findsanitizers(void)
{
	if(__sanitizer_start_switch_fiber || __tsan_switch_to_fiber)
		task_contextway |= -128;
}

/* From here on a pointer into the stack is an error, until it is used again. */
static void
bury(const Told *t)
{
	if(__asan_poison_memory_region)
		__asan_poison_memory_region(t->low, t->bytes);
	if(__tsan_destroy_fiber)
		__tsan_destroy_fiber(t->fiber);
}

Context *
task_tellmade(Context *c, void *low, void *top)
{
	Told *t = (void *)(((uintptr_t)top - sizeof *t) & ~(uintptr_t)63);

	if(__asan_unpoison_memory_region)	/* as the last task left it */
		__asan_unpoison_memory_region(low,
			(size_t)((char *)top - (char *)low));
	*t = (Told){.low = low, .bytes = (size_t)((char *)t - (char *)low)};
	if(__tsan_create_fiber)
		t->fiber = __tsan_create_fiber(0);
	c->sp = t;
	return &t->context;
}

/*
 * A signal that TSan has put off would wait for this fiber to go on: an atomic
 * access is the least by which it handles it now.
 */
static void
signalsfirst(void)
{
	static int none;

	if(__tsan_atomic32_load)
		__tsan_atomic32_load(&none, __ATOMIC_RELAXED);
}

void *
task_tellbefore(Context *from, const Context *to, void *sp)
{
	signalsfirst();
	Told *me = running ? running : &ofthread, *next = to->sp;

	leaving = me;
	forgood = from->sp == NULL && me != &ofthread;
	running = next;
	me->context.sp = sp;
	if(!forgood)
		from->sp = me;
	if(__sanitizer_start_switch_fiber)
		__sanitizer_start_switch_fiber(forgood ? NULL : &me->shadow,
			next->low, next->bytes);
	if(__tsan_switch_to_fiber){
		if(me->fiber == NULL)
			me->fiber = __tsan_get_current_fiber();
		__tsan_switch_to_fiber(next->fiber, 0);
	}
	return next->context.sp;
}

void
task_tellafter(void)
{
	const void *low;
	size_t bytes;

	if(__sanitizer_finish_switch_fiber){
		__sanitizer_finish_switch_fiber(running->shadow, &low, &bytes);
		if(leaving == &ofthread && ofthread.low == NULL){
			ofthread.low = low;
			ofthread.bytes = bytes;
			/* LSan looks for pointers on the stack in use only */
			task_slabborn(low, bytes);
		}
	}
	if(forgood)
		bury(leaving);
}

const void *
task_toldsp(const Context *c)
{
	const Told *t = c->sp;

	return t ? t->context.sp : NULL;
}

/* TSan wants a fiber to have been current before it is destroyed. */
void
task_tellfree(Context *c)
{
	Told *t = c->sp;

	if(t == &ofthread){
		if(ofthread.low)
			task_slabdead(ofthread.low, ofthread.bytes);
		ofthread = (Told){.low = NULL};
	}else if(t){
		if(__tsan_destroy_fiber){
			void *self = __tsan_get_current_fiber();

			__tsan_switch_to_fiber(t->fiber, 0);
			__tsan_switch_to_fiber(self, 0);
		}
		bury(t);
	}
	c->sp = NULL;
}

/*
 * tells LSan to look for pointers here: what only a parked task points to is no
 * leak.
 */
void
task_slabborn(const void *low, size_t bytes)
{
	if(__lsan_register_root_region)
		__lsan_register_root_region(low, bytes);
}

void
task_slabdead(const void *low, size_t bytes)
{
	if(__lsan_unregister_root_region)
		__lsan_unregister_root_region(low, bytes);
	if(__asan_unpoison_memory_region)
		__asan_unpoison_memory_region(low, bytes);
}
