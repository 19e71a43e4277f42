/* SPDX-License-Identifier: MIT */
/* Walks of stacks that do not run, beside glibc's of those that do. */
#include "test.h"
#include "watched.h"
#include "../machine/unwind.h"
#include "../inspect/inspect.h"
#include "../inspect/symbol.h"
#include <sys/mman.h>
#if defined(__GLIBC__)
#include <execinfo.h>
#else
#define backtrace(pc, n) 0
#endif

enum { Most = 200, Depth = 50 };

static void *theirs[Most], *ours[Most];
static int ntheirs, nours, parked;
static volatile int sink;

/* What it calls needs all registers that calls keep. */
__attribute__((noinline)) static int
deep(int n, int a, int b, int c, int d, int e, int f)
{
	volatile char frame[64 + 16 * (n % 3)];

	frame[0] = (char)n;
	if(n == 0){
		ntheirs = backtrace(theirs, Most);
		parked = 1;
		taskdelay(1000000);
		return a + b + c + d + e + f;
	}
	int r = deep(n - 1, b, c, d, e, f, a + 1);
	return r + a * 3 + b * 5 + c * 7 + d * 11 + e * 13 + f * 17 + frame[0];
}

static void
deepest(void *v)
{
	(void)v;
	sink = deep(Depth, 1, 2, 3, 4, 5, 6);
}

/* Frames that are aligned, or as large as an argument says. */
__attribute__((noinline)) static int
aligned(int n)
{
	_Alignas(64) volatile char room[128];
	volatile char *more = __builtin_alloca((size_t)n * 16 + 1);

	room[0] = more[0] = 1;
	ntheirs = backtrace(theirs, Most);
	parked = 1;
	taskdelay(1000000);
	return room[0] + more[0] + (int)((uintptr_t)room % 64);
}

static void
alignedone(void *v)
{
	sink = aligned((int)(intptr_t)v);
	sink++;
}

/* Both end with the same calls; what they begin with differs. */
static void
sameouter(int most)
{
	int n = 0;

	while(n < nours && n < ntheirs &&
			ours[nours - 1 - n] == theirs[ntheirs - 1 - n])
		n++;
	ck_assert_msg(n >= most, "%d calls are the same, %d wanted; "
		"ours %d, theirs %d", n, most, nours, ntheirs);
}

static void
compare(void (*fn)(void *), void *arg, int most)
{
	int id = taskcreate(fn, arg, 512 * 1024);

	parked = 0;
	while(!parked)
		taskyield();
	taskyield();
	nours = taskstack(id, ours, Most);
	sameouter(most);
	taskcancel(id);
	taskyield();
}

#if (defined(__x86_64__) || defined(__aarch64__)) && defined(__GLIBC__) && \
	!defined(__OPTIMIZE_SIZE__)
enum { Walks = 1 };
#else
enum { Walks = 0 };
#endif

/* The innermost call that backtrace saw is at another place by then. */
TASK_TEST(a_parked_task_is_in_the_calls_that_backtrace_saw)
{
	if(!Walks)
		TEST_SKIP("there is nothing to walk by, or to compare with");
	compare(deepest, NULL, Depth + 1);
	for(intptr_t n = 0; n < 20; n++)
		compare(alignedone, (void *)n, 2);
}

static void
yields(void *v)
{
	parked = 1;
	deep(3, 1, 1, 1, 1, 1, 1);
	genyield(v);
}

static void *
generator(void *v)
{
	yields(v);
	return NULL;
}

static void
asks(void *v)
{
	void *value;
	Gen *g = gencreate(generator, v, 0);

	gennext(g, &value);
	genclose(g);
}

TASK_TEST(in_a_generator_it_is_the_generators_stack)
{
	if(!Walks)
		TEST_SKIP("there is nothing to walk by, or to compare with");
	compare(asks, NULL, 5);
}

static void
never(void *v)
{
	(void)v;
}

TASK_TEST(a_task_that_has_not_run_is_at_its_function)
{
	int id = taskcreate(never, NULL, 0);

	ck_assert_int_eq(taskstack(id, ours, Most), 1);
	ck_assert_ptr_eq(ours[0], (void *)(uintptr_t)never);
	FAILS(taskstack(id, ours, 0), EINVAL);
	FAILS(taskstack(id, NULL, 1), EINVAL);
	FAILS(taskstack(9999, ours, 1), ESRCH);
	taskyield();
	FAILS(taskstack(id, ours, Most), ESRCH);
}

/* The handler's own stack is another; the registers are the task's. */
static const Stack *stack;

static void
walkhere(int sig, siginfo_t *info, void *ucontext)
{
	Registers r;

	(void)sig, (void)info;
	ck_assert_int_eq(task_signalregisters(ucontext, &r), 0);
	nours = task_unwind(&r, (uintptr_t)stack->low, (uintptr_t)stack->top,
		0, ours, Most);
	/* and from a copy */
	size_t n = (size_t)(stack->top - stack->low);
	char *copy = mmap(NULL, n, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(copy, stack->low, n);
	void *again[Most];
	ck_assert_int_eq(task_unwind(&r, (uintptr_t)stack->low,
		(uintptr_t)stack->top, copy - stack->low, again, Most), nours);
	ck_assert_int_eq(memcmp(again, ours, (size_t)nours * sizeof *ours), 0);
	munmap(copy, n);
	ntheirs = backtrace(theirs, Most);
}

__attribute__((noinline)) static int
raises(int n)
{
	if(n == 0)
		raise(SIGUSR1);
	else
		sink = raises(n - 1);
	return sink + 1;
}

TASK_TEST(what_a_signal_interrupted_is_walked_from_there)
{
	struct sigaction sa = {.sa_sigaction = walkhere,
		.sa_flags = SA_SIGINFO};

	if(!Walks || watched())
		TEST_SKIP("there is nothing to walk by, or to compare with");
	stack = task_proc->running->stack;
	sigaction(SIGUSR1, &sa, NULL);
	raises(10);
	sameouter(11);
}

/* Garbage leads nowhere: neither out of the stack nor round for ever. */
TASK_TEST(a_stack_of_garbage_ends_every_walk)
{
	enum { Words = 512 };
	static uintptr_t words[Words];
	Random dice = randomstart();
	Registers r;
	uintptr_t low = (uintptr_t)words, high = (uintptr_t)(words + Words);
	const uintptr_t code[] = {(uintptr_t)deep, (uintptr_t)taskdelay,
		(uintptr_t)strtoul, (uintptr_t)aligned, (uintptr_t)qsort};

	for(int k = 0; k < (watched() ? 3000 : 100000); k++){
		for(int i = 0; i < 32; i++){
			unsigned int at = randombelow(&dice, Words);
			words[at] = randombelow(&dice, 2) ?
				low + randombelow(&dice, sizeof words) :
				code[randombelow(&dice, 5)] +
				randombelow(&dice, 64);
		}
		for(int i = 0; i < Columns; i++)
			r.r[i] = low + randombelow(&dice, sizeof words);
		r.r[PcColumn] = code[randombelow(&dice, 5)] +
			randombelow(&dice, 64);
		r.exact = (int)randombelow(&dice, 2);
		int n = task_unwind(&r, low, high, 0, ours, Most);
		ck_assert_msg(n >= 1 && n <= Most, "seed %lu", dice.seed);
	}
}

TASK_TEST(an_address_is_named_by_its_function_and_its_place)
{
	char text[SymbolBytes], place[64];

	if(valgrind())
		TEST_SKIP("the program is Valgrind's then");
	task_function(text, sizeof text, (void *)(uintptr_t)deepest);
	ck_assert_str_eq(text, "deepest");
	task_symbol(text, sizeof text, (char *)(uintptr_t)deepest + 1, 0);
	ck_assert_ptr_eq(strstr(text, "deepest+0x1 white_unwind(+0x"), text);
	/* of a call, what is behind it may be another function's */
	task_symbol(text, sizeof text, (void *)(uintptr_t)deepest, 1);
	ck_assert_ptr_null(strstr(text, "deepest+"));
	task_symbol(text, sizeof text, (void *)0x10, 0);
	ck_assert_str_eq(text, "0x10");
	snprintf(place, sizeof place, "%p", (void *)&place);
	task_symbol(text, sizeof text, &place, 0);
	ck_assert_str_eq(text, place);
	task_function(text, sizeof text, (void *)(uintptr_t)strtoul);
	ck_assert_msg(strstr(text, "strto") != NULL, "%s", text);
	/* there is no more room than said */
	memset(text, 'x', sizeof text);
	task_symbol(text, 8, (void *)(uintptr_t)deepest, 0);
	ck_assert_str_eq(text, "deepest");
	ck_assert_int_eq(text[8], 'x');
}

TEST_MAIN("unwind, inside",
	a_parked_task_is_in_the_calls_that_backtrace_saw,
	in_a_generator_it_is_the_generators_stack,
	a_task_that_has_not_run_is_at_its_function,
	what_a_signal_interrupted_is_walked_from_there,
	a_stack_of_garbage_ends_every_walk,
	an_address_is_named_by_its_function_and_its_place)
