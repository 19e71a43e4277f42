/* SPDX-License-Identifier: MIT */
/*
 * Only an overflow within the guard of a task said which task it was.  A fault
 * elsewhere, a failed assertion, an overflow of the stack that taskrun was
 * called on, and a frame so large that it lands in unmapped memory beyond the
 * guard were bare signals.  All of them now say which task, and where, and then
 * do what was arranged before.
 */
#include "../../taskimpl.h"
#include "../test.h"
#include "../watched.h"
#undef NDEBUG
#include <assert.h>
#include <pthread.h>
#include <sys/mman.h>

int derefnull(volatile int *at);
int divide(int a, int b);
int recurse(int n);
int leap(int n);

static char err[65536];
static volatile int zero, sink;

UNWATCHED int
derefnull(volatile int *at)
{
	return *at;
}

#if defined(__x86_64__)
UNWATCHED int
divide(int a, int b)
{
	return a / b;
}
#endif

UNWATCHED int
recurse(int n)
{
	volatile char frame[256];

	__asm__ volatile("" : : "r"(frame) : "memory");
	frame[0] = (char)n;
	return n < 0 ? 0 : recurse(n + 1) + frame[0];
}

/* Its lowest byte is beyond all that the stacks of tasks have mapped. */
UNWATCHED int
leap(int n)
{
	volatile char frame[64 << 20];

	__asm__ volatile("" : : "r"(frame) : "memory");
	frame[0] = (char)n;
	return frame[0];
}

/* fn dies of sig with text on stderr, once. */
static void
dies(void (*fn)(void *), int sig, const char *text)
{
	int status = childtask(fn, err, sizeof err);

	if(!SANITIZED)
		ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == sig,
			"status %#x: %s", (unsigned)status, err);
	ck_assert_int_ne(status, 0);
	const char *at = strstr(err, text);
	ck_assert_msg(at != NULL, "no \"%s\" in: %s", text, err);
	ck_assert_msg(strstr(at + 1, "task 1 (") == NULL, "%s", err);
}

TASK_TEST_BY(a_fault_names_the_task_the_address_and_the_function,
	/* Valgrind has no names for what faults under it */
	dies(body, SIGSEGV, valgrind() ?
		"task 1 (parser): SIGSEGV at 0x10 in " :
		"task 1 (parser): SIGSEGV at 0x10 in derefnull+"))
{
	taskname("parser");
	sink = derefnull((volatile int *)16);
}

TASK_TEST_BY(a_failed_assertion_names_the_task,
	dies(body, SIGABRT, "task 1 (parser\\n): SIGABRT\n"))
{
	taskname("parser\n");
	assert(zero == 1);
}

#if defined(__x86_64__)
TASK_TEST_BY(a_division_by_zero_names_the_task,
	dies(body, SIGFPE, "task 1: SIGFPE at "))
{
	sink = divide(1, zero);
}
#else
TASK_TEST(a_division_by_zero_names_the_task)
{
	puts("no such thing on this CPU");
}
#endif

/* A page of a file that has none. */
TASK_TEST_BY(a_bus_error_names_the_task,
	dies(body, SIGBUS, "task 1: SIGBUS at 0x"))
{
	int fd = memfd_create("empty", MFD_CLOEXEC);
	volatile int *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	ck_assert(page != MAP_FAILED);
	sink = derefnull(page);
}

#if defined(__x86_64__) || defined(__aarch64__)
TASK_TEST_BY(an_illegal_instruction_names_the_task,
	dies(body, SIGILL, "task 1: SIGILL at 0x"))
{
#if defined(__x86_64__)
	__asm__ volatile("ud2");
#else
	__asm__ volatile(".inst 0");
#endif
}
#else
TASK_TEST(an_illegal_instruction_names_the_task)
{
	puts("not known for this CPU");
}
#endif

static void
misuse(void *v)
{
	static QLock l;

	(void)v;
	qunlock(&l);
}

START_TEST(misuse_has_told_already)
{
	dies(misuse, SIGABRT, "task 1: qunlock: ");
	ck_assert_ptr_null(strstr(err, "SIGABRT"));
}
END_TEST

TASK_TEST_BY(what_another_process_sends_says_who,
	dies(body, SIGABRT, "task 1 (idle): SIGABRT, sent by process "))
{
	pid_t pid = getpid();

	taskname("idle");
	if(fork() == 0){
		kill(pid, SIGABRT);
		_exit(0);
	}
	pause();	/* not a call of the library: the task is running */
}

static void
overhere(const char *report)
{
	(void)report;
	sink = recurse(0);
}

static void
stall(void *v)
{
	(void)v;
	tasksetdeadlock(overhere);
	Channel *c = chancreate(1, 0);
	chanrecv(c, NULL);
}

static void *
stallthread(void *v)
{
	taskrun(stall, v);
	return NULL;
}

static void
stallinthread(void)
{
	pthread_t t;

	pthread_create(&t, NULL, stallthread, NULL);
	pthread_join(t, NULL);
}

static void
callersstack(int status)
{
	ck_assert_int_ne(status, 0);
	ck_assert_msg(strstr(err, "task 0 (fdtask): stack overflow in recurse+")
		&& strstr(err, ", on the stack that taskrun was called on; "
		"give it more\n"), "%s", err);
}

START_TEST(an_overflow_of_the_stack_of_taskruns_caller_says_so)
{
	if(watched() || emulated())
		TEST_SKIP("they report it themselves, or have that stack");
	callersstack(childtask(stall, err, sizeof err));
	callersstack(child(stallinthread, err, sizeof err));
}
END_TEST

TASK_TEST_BY(a_frame_beyond_the_guard_is_an_overflow_too,
	if(watched())
		TEST_SKIP("they report it themselves");
	dies(body, SIGSEGV, "task 1: stack overflow in leap+"))
{
	sink = leap(1);
}

/* A handler that was there is called, and ends the program as it likes. */
static void
crash(int sig)
{
	(void)sig;
	_exit(42);
}

static void
callabort(void *v)
{
	(void)v;
	abort();
}

static void
handled(void *v)
{
	signal(SIGABRT, crash);	/* in the place of ours, which is its right */
	callabort(v);
}

static void
runhandled(void)
{
	signal(SIGABRT, crash);
	taskrun(callabort, NULL);
}

START_TEST(the_handler_that_was_there_is_called)
{
	int status = child(runhandled, err, sizeof err);

	ck_assert_int_eq(WEXITSTATUS(status), 42);
	ck_assert_ptr_eq(strstr(err, "task 1: SIGABRT\n    in "), err);
	status = childtask(handled, err, sizeof err);
	ck_assert_int_eq(WEXITSTATUS(status), 42);
	ck_assert_str_eq(err, "");
}
END_TEST

/*
 * taskcreate takes what needstack does not know of.  Each amount of stack left
 * is enough, or one clear line.
 */
static int left;

/* Nothing of what it takes off is touched. */
UNWATCHED __attribute__((noinline)) static void
createwith(void)
{
	char *here = __builtin_frame_address(0);
	volatile char *taken = __builtin_alloca((size_t)(here -
		task_proc->running->stack->low - left));

	__asm__ volatile("" : : "r"(taken) : "memory");
	for(int i = 0; i < 2000; i++)
		if(taskcreate(nothing, NULL, 0) < 0)
			return;
}

static void
deepcreate(void *v)
{
	(void)v;
	createwith();
}

START_TEST(taskcreate_with_little_stack_left_succeeds_or_says_so)
{
	int good = 0;

	if(watched())
		TEST_SKIP("frames are theirs");
	for(left = 128; left < 24000; left += 32 + left / 32){
		int status = childtask(deepcreate, err, sizeof err);
		good += status == 0;
		if(status == 0)
			continue;
		ck_assert_msg(strstr(err, "task 1: stack overflow in "),
			"%d bytes, status %#x: %s", left, (unsigned)status,
			err);
	}
	ck_assert_int_gt(good, 0);
}
END_TEST

TEST_MAIN("fault-names-no-task",
	a_fault_names_the_task_the_address_and_the_function,
	a_failed_assertion_names_the_task,
	a_division_by_zero_names_the_task,
	a_bus_error_names_the_task,
	an_illegal_instruction_names_the_task,
	misuse_has_told_already,
	what_another_process_sends_says_who,
	an_overflow_of_the_stack_of_taskruns_caller_says_so,
	a_frame_beyond_the_guard_is_an_overflow_too,
	the_handler_that_was_there_is_called,
	taskcreate_with_little_stack_left_succeeds_or_says_so)
