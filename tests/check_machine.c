/* SPDX-License-Identifier: MIT */
/* What a switch keeps: registers, floating point, errno, alignment. */
#if defined(__OPTIMIZE__) && !defined(__clang__)
#undef _FORTIFY_SOURCE
#define _FORTIFY_SOURCE 3
#endif
#include "test.h"
#include "registers.h"
#include "watched.h"
#include <dlfcn.h>
#include <execinfo.h>
#include <fenv.h>
#include <setjmp.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

static int done;

/* starts n tasks that run fn, with their numbers. */
static void
start(int n, void (*fn)(void *))
{
	for(intptr_t i = 0; i < n; i++)
		ck_assert_int_gt(taskcreate(fn, (void *)i, 0), 0);
}

#ifdef REGISTERS_AROUND
REGISTERS_AROUND(yield_around, taskyield);
REGISTERS_AROUND(delay_around, taskdelay);

static void
registers(void *v)
{
	uint64_t in[RegisterCount], out[RegisterCount];
	uint64_t seed = 88172645463325252 + (uintptr_t)v;
	int n = watched() ? 5000 : 250000;

	for(int k = 0; k < n; k++){
		for(int i = 0; i < RegisterCount; i++)
			in[i] = nextrandom(&seed);
		if(k % 5000 == 1)
			delay_around(in, out, (void *)1, NULL, 0);
		else
			yield_around(in, out, NULL, NULL, 0);
		if(memcmp(in, out, sizeof in) != 0)
			ck_abort_msg("a register was lost in switch %d", k);
	}
	done++;
}

TASK_TEST_BY(registers_keep_random_values_over_a_million_switches,
	run(body);
	ck_assert_int_eq(done, 4))
{
	start(4, registers);
}
#else
START_TEST(registers_keep_random_values_over_a_million_switches)
{
	TEST_SKIP("no assembly for this CPU in tests/registers.h");
}
END_TEST
#endif

static const int roundings[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD,
	FE_TOWARDZERO};

static void
rounding(void *v)
{
	int mine = roundings[(intptr_t)v];
	volatile double three = 3, third;

	ck_assert_int_eq(fegetround(), FE_TONEAREST);	/* not another task's */
	fesetround(mine);
	third = 1 / three;
	for(int i = 0; i < 1000; i++){
		if(i % 100 == 0)
			taskdelay(0);
		else
			taskyield();
		if(fegetround() != mine || 1 / three != third)
			ck_abort_msg("the rounding of task %u was lost",
				taskid());
	}
	done++;
}

TASK_TEST_BY(rounding_belongs_to_the_task,
	run(body);
	ck_assert_int_eq(done, 4);
	ck_assert_int_eq(fegetround(), FE_TONEAREST))
{
	start(4, rounding);
}

/* Flags are the task's from one switch to the next. */
static void
divides(void *v)
{
	volatile double divisor = (intptr_t)v, one = 1, r;

	for(int i = 0; i < 100; i++){
		feclearexcept(FE_ALL_EXCEPT);
		r = one / divisor;
		(void)r;
		if(!fetestexcept(FE_DIVBYZERO) != (divisor != 0))
			ck_abort_msg("not the flags of this division");
		ck_assert_int_eq(fegetround(), FE_TONEAREST);
		taskyield();
	}
	done++;
}

TASK_TEST_BY(exception_flags_are_the_task_s_until_it_switches,
	if(valgrind())
		TEST_SKIP("Valgrind has rounding only");
	run(body);
	ck_assert_int_eq(done, 4))
{
	start(4, divides);
}

#if defined(__x86_64__)
static unsigned short
controlword(void)
{
	unsigned short w;

	__asm__ volatile("fnstcw %0" : "=m"(w));
	return w;
}

/* Each task has its own masks, flushing, and x87 precision. */
static void
controls(void *v)
{
	static const unsigned int modes[] = {0x1f80, 0x1f80 | 0x8000,
		0x1f80 | 0x6000, 0x1d80};
	static const unsigned short words[] = {0x37f, 0x27f, 0x77f, 0x37b};
	int i = (int)(intptr_t)v;
	unsigned short w = words[i];

	_mm_setcsr(modes[i]);
	__asm__ volatile("fldcw %0" : : "m"(w));
	for(int k = 0; k < 1000; k++){
		if(k % 100 == 0)
			taskdelay(0);
		else
			taskyield();
		if((_mm_getcsr() & ~0x3fU) != modes[i] || controlword() != w)
			ck_abort_msg("task %u: %#x, %#x", taskid(),
				_mm_getcsr(), controlword());
	}
	done++;
}

TASK_TEST_BY(control_words_belong_to_the_task,
	if(valgrind())
		TEST_SKIP("Valgrind has rounding only");
	unsigned int csr = _mm_getcsr();
	unsigned short w = controlword();
	run(body);
	ck_assert_int_eq(done, 4);
	ck_assert_uint_eq(_mm_getcsr(), csr);
	ck_assert_uint_eq(controlword(), w))
{
	start(4, controls);
}
#else
START_TEST(control_words_belong_to_the_task)
{
	TEST_SKIP("they are x86's");
}
END_TEST
#endif

static void
errnos(void *v)
{
	int mine = 1000 + (int)(intptr_t)v;

	ck_assert_int_eq(errno, 0);
	errno = mine;
	for(int i = 0; i < 1000; i++){
		if(i % 100 == 0)
			taskdelay(0);
		else
			taskyield();
		ck_assert_int_eq(errno, mine);
	}
	done++;
}

TASK_TEST_BY(errno_belongs_to_the_task,
	run(body);
	ck_assert_int_eq(done, 3))
{
	errno = 77;
	start(3, errnos);
	ck_assert_int_eq(errno, 77);
}

static void
aligned(void *v)
{
	_Alignas(16) char local[16];
	volatile uintptr_t at = (uintptr_t)local;
	char text[64];

	(void)v;
	ck_assert_uint_eq(at % 16, 0);
#if defined(__x86_64__)
	__asm__ volatile("movaps %%xmm0, (%0)" : : "r"(local) : "memory");
#endif
	snprintf(text, sizeof text, "%.3Lf", (long double)at * 0 + 1.5L);
	ck_assert_str_eq(text, "1.500");
	done++;
}

TASK_TEST_BY(the_stack_is_aligned_to_16_bytes,
	run(body);
	ck_assert_int_eq(done, 40))
{
	start(40, aligned);	/* of every colour */
}

static void
back(jmp_buf *env)
{
	taskyield();
	longjmp(*env, 1);
}

/* The compiler is not to see that this never returns. */
static void (*volatile leave)(jmp_buf *) = back;

static void
jump(jmp_buf *env, int n)
{
	volatile char frame[100] = {0};

	taskyield();
	if(n > frame[0])
		jump(env, n - 1);
	else
		leave(env);
}

static void
jumps(void *v)
{
	jmp_buf env;
	volatile int n = 0;

	if(setjmp(env) != 0)
		n++;
	taskyield();
	if(n < 20)
		jump(&env, 5);
	done++;
	(void)v;
}

TASK_TEST_BY(longjmp_works_within_a_task_when_it_is_checked,
	run(body);
	ck_assert_int_eq(done, 3))
{
	start(3, jumps);
}

/* Not static, so that its name can be found. */
void lookback(void *v);

void
lookback(void *v)
{
	void *pc[64];
	int n = backtrace(pc, 64), found = 0;
	Dl_info info;

	(void)v;
	ck_assert_int_ge(n, 2);
	/* it goes no further than the entry function */
	ck_assert_int_lt(n, 16);
	for(int i = 0; i < n; i++)
		if(dladdr(pc[i], &info) && info.dli_sname)
			found += strcmp(info.dli_sname, "lookback") == 0;
	ck_assert_int_eq(found, 1);
	taskyield();
	done++;
}

TASK_TEST_BY(a_backtrace_ends_at_the_entry_function,
	void *pc[4];

	/* loads what it needs, on a stack with room for that */
	backtrace(pc, 4);
	run(body);
	ck_assert_int_eq(done, 2))
{
	start(2, lookback);
}

/* Each frame pointer leads further up, and the last one is 0. */
UNWATCHED static void
walk(void *v)
{
	void **fp = __builtin_frame_address(0);
	int n = 0;

	(void)v;
	for(; fp; n++){
		void **up = *fp;
		ck_assert(up == NULL ||
			(up > fp && (char *)up < (char *)fp + 65536));
		fp = up;
	}
	ck_assert_int_ge(n, 1);
	done++;
}

TASK_TEST_BY(a_walk_along_frame_pointers_ends_at_0,
	run(body);
	ck_assert_int_eq(done, 2))
{
	start(2, walk);
}

TEST_MAIN("machine",
	registers_keep_random_values_over_a_million_switches,
	rounding_belongs_to_the_task,
	exception_flags_are_the_task_s_until_it_switches,
	control_words_belong_to_the_task,
	errno_belongs_to_the_task,
	the_stack_is_aligned_to_16_bytes,
	longjmp_works_within_a_task_when_it_is_checked,
	a_backtrace_ends_at_the_entry_function,
	a_walk_along_frame_pointers_ends_at_0)
