/* SPDX-License-Identifier: MIT */
/* Contexts without tasks: registers, floating point, alignment, chain's end. */
#include "test.h"
#include "registers.h"
#include "watched.h"
#include "../machine/machine.h"
#include <fenv.h>

enum { Bytes = 256 * 1024, Contexts = 3 };

static Context here, there[Contexts];
static char *stack[Contexts];
static int done;

/* makes there[i] run fn, with its number, floating point as it is now. */
static void
make(int i, void (*fn)(void *))
{
	Fpenv fp;

	if(stack[i] == NULL){
		stack[i] = aligned_alloc(4096, Bytes);
		task_stackborn(stack[i], stack[i] + Bytes);
	}
	task_contextfp(&fp);
	task_contextmake(&there[i], stack[i], stack[i] + Bytes, fn,
		(void *)(intptr_t)i, &fp);
}

static void
finish(int i)
{
	done++;
	there[i].sp = NULL;
	task_contextswitch(&there[i], &here, 0);
}

static void
pass(void *v)
{
	int i = (int)(intptr_t)v;

	ck_assert_int_eq(task_contextswitch(&there[i], &here, 101), 7);
	ck_assert_int_eq(task_contextswitch(&there[i], &here, 102), 8);
	finish(i);
}

START_TEST(a_switch_returns_the_value_of_the_one_back)
{
	make(0, pass);
	ck_assert_int_eq(task_contextswitch(&here, &there[0], 6), 101);
	ck_assert_int_eq(task_contextswitch(&here, &there[0], 7), 102);
	ck_assert_int_eq(task_contextswitch(&here, &there[0], 8), 0);
	ck_assert_int_eq(done, 1);
}
END_TEST

#ifdef REGISTERS_AROUND
REGISTERS_AROUND(switch_around, task_contextswitch);

static void
passback(void *v)
{
	void *got = task_contextpass(&there[0], &here, 0);

	task_contextpass(&there[0], &here, (uintptr_t)got + 1);
	finish((int)(intptr_t)v);
}

START_TEST(a_switch_passes_all_bits_of_a_pointer)
{
	make(0, passback);
	uintptr_t x = (uintptr_t)stack << 20 | 1;
	task_contextpass(&here, &there[0], 0);
	ck_assert_ptr_eq(task_contextpass(&here, &there[0], x),
		(void *)(x + 1));
	task_contextswitch(&here, &there[0], 0);
	ck_assert_int_eq(done, 1);
}
END_TEST

static uint64_t seed = 88172645463325252;

/* switches with new values in all registers, and looks at them afterwards. */
static void
around(Context *from, Context *to)
{
	uint64_t in[RegisterCount], out[RegisterCount];

	for(int i = 0; i < RegisterCount; i++)
		in[i] = nextrandom(&seed);
	switch_around(in, out, from, to, 0);
	if(memcmp(in, out, sizeof in) != 0)
		ck_abort_msg("a register was lost");
}

static void
turns(void *v)
{
	int i = (int)(intptr_t)v;

	for(;;)
		around(&there[i], i + 1 < Contexts ? &there[i+1] : &here);
}

START_TEST(registers_keep_random_values_over_many_switches)
{
	int n = watched() ? 5000 : 250000;

	for(int i = 0; i < Contexts; i++)
		make(i, turns);
	for(int i = 0; i < n; i++)
		around(&here, &there[0]);
	for(int i = 0; i < Contexts; i++)
		task_contextfree(&there[i]);
}
END_TEST
#else
START_TEST(registers_keep_random_values_over_many_switches)
{
	TEST_SKIP("no assembly for this CPU in tests/registers.h");
}
END_TEST
#endif

static void
upward(void *v)
{
	int i = (int)(intptr_t)v;

	ck_assert_int_eq(fegetround(), FE_DOWNWARD);	/* as it was made */
	fesetround(FE_UPWARD);
	task_contextswitch(&there[i], &here, 0);
	ck_assert_int_eq(fegetround(), FE_UPWARD);
	finish(i);
}

START_TEST(rounding_belongs_to_the_context_and_begins_as_it_was_made)
{
	fesetround(FE_DOWNWARD);
	make(0, upward);
	fesetround(FE_TOWARDZERO);
	task_contextswitch(&here, &there[0], 0);
	ck_assert_int_eq(fegetround(), FE_TOWARDZERO);
	fesetround(FE_TONEAREST);
	task_contextswitch(&here, &there[0], 0);
	ck_assert_int_eq(fegetround(), FE_TONEAREST);
	ck_assert_int_eq(done, 1);
}
END_TEST


static void
flagsandrounding(void *v)
{
	int i = (int)(intptr_t)v;

	for(int k = 0; k < 2; k++){
		feclearexcept(FE_ALL_EXCEPT);
		fesetround(FE_UPWARD);
		feraiseexcept(FE_DIVBYZERO);
		task_contextswitch(&there[i], &here, 0);
		ck_assert_int_eq(fegetround(), FE_UPWARD);
	}
	finish(i);
}

static int
choosesway(void)
{
#if defined(__x86_64__) && !defined(TASK_UCONTEXT)
	return 1;
#else
	return 0;
#endif
}

/* returns whether the flags of another came along in the last of 3 switches. */
static int
flagscome(signed char way)
{
	task_contextway = way;
	make(0, flagsandrounding);
	for(int k = 0; k < 2; k++){
		fesetround(k == 0 ? FE_DOWNWARD : FE_UPWARD);
		feclearexcept(FE_ALL_EXCEPT);
		task_contextswitch(&here, &there[0], 0);
		ck_assert_int_eq(fegetround(), k == 0 ? FE_DOWNWARD :
			FE_UPWARD);
	}
	int come = fetestexcept(FE_DIVBYZERO) != 0;
	task_contextswitch(&here, &there[0], 0);
	fesetround(FE_TONEAREST);
	return come;
}

/*
 * Whichever way is forced, rounding is kept; only the one that compares spares
 * a load where no more than a flag differs.
 */
START_TEST(both_ways_to_load_MXCSR_keep_its_control_bits)
{
	if(!choosesway() || valgrind() || task_contextway < 0)
		TEST_SKIP("this switch does not choose, or nobody sees flags");
	signed char own = task_contextway;
	ck_assert(!flagscome(0));
	ck_assert(flagscome(1));
	task_contextway = own;
}
END_TEST

static void
aligned(void *v)
{
	_Alignas(16) char local[16];
	volatile uintptr_t at = (uintptr_t)local;

	ck_assert_uint_eq(at % 16, 0);
	finish((int)(intptr_t)v);
}

START_TEST(the_stack_is_aligned_whatever_its_top)
{
	Fpenv fp;

	task_contextfp(&fp);
	make(0, aligned);
	task_contextfree(&there[0]);
	for(int cut = 0; cut < 64; cut++){
		task_contextmake(&there[0], stack[0], stack[0] + Bytes - cut,
			aligned, NULL, &fp);
		task_contextswitch(&here, &there[0], 0);
	}
	ck_assert_int_eq(done, 64);
}
END_TEST

/* Each frame pointer leads further up, to the last one, which is 0. */
UNWATCHED static int
framepointers(int i)
{
	void **fp = __builtin_frame_address(0);
	int n = 0;

	while(fp){
		if((char *)fp < stack[i] || (char *)fp >= stack[i] + Bytes)
			return -1;
		fp = *fp;
		n++;
	}
	return n;
}

static int nframes;

UNWATCHED static void
walk(void *v)
{
	nframes = framepointers((int)(intptr_t)v);
	finish((int)(intptr_t)v);
}

START_TEST(a_walk_along_frame_pointers_ends_at_0)
{
	make(0, walk);
	task_contextswitch(&here, &there[0], 0);
	ck_assert_int_ge(nframes, 1);
}
END_TEST

START_TEST(a_context_that_never_ran_can_be_freed)
{
	for(int i = 0; i < 100; i++){
		make(0, pass);
		task_contextfree(&there[0]);
	}
}
END_TEST

TEST_MAIN("context",
	a_switch_returns_the_value_of_the_one_back,
	a_switch_passes_all_bits_of_a_pointer,
	registers_keep_random_values_over_many_switches,
	rounding_belongs_to_the_context_and_begins_as_it_was_made,
	both_ways_to_load_MXCSR_keep_its_control_bits,
	the_stack_is_aligned_whatever_its_top,
	a_walk_along_frame_pointers_ends_at_0,
	a_context_that_never_ran_can_be_freed)
