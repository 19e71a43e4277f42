/* SPDX-License-Identifier: MIT */
/* Stacks as users see them: overflows, sizes, and very many tasks. */
#include "test.h"
#include "watched.h"
#include <limits.h>
#include <pthread.h>
#ifdef __linux__
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

enum { Neighbours = 8, Kept = 32 * 1024, Frame = 3 * 4096 };

/* Not static, so that the message can name them; each has a frame to fill. */
int recurse(int n);
int leap(int n);
int stride(int n);

UNWATCHED int
recurse(int n)
{
	volatile char frame[256];

	__asm__ volatile("" : : "r"(frame) : "memory");	/* it is all needed */
	frame[0] = (char)n;
	return n < 0 ? 0 : recurse(n + 1) + frame[0];
}

/* touches the lowest byte only of each three pages */
UNWATCHED int
leap(int n)
{
	volatile char frame[Frame];

	__asm__ volatile("" : : "r"(frame) : "memory");
	frame[0] = (char)n;
	return n < 0 ? 0 : leap(n + 1) + frame[0];
}

/*
 * touches every 60 KiB, as frames of that size do that were compiled without
 * help: the first is in the stack, the second in a guard of 64.
 */
UNWATCHED int
stride(int n)
{
	volatile char *here = __builtin_frame_address(0);

	here[-60 * 1024] = (char)n;
	here[-120 * 1024] = (char)n;
	return n;
}

static int (*overflow)(int) = recurse;
static volatile int sink;

static void
deep(void *v)
{
	(void)v;
	taskname("deep");
	sink = overflow(0);
}

static void
createdeep(void *v)
{
	(void)v;
	taskcreate(deep, NULL, 64 * 1024);
}

static void
rundeep(void)
{
	taskrun(createdeep, NULL);
}

/* SIGSEGV has ended the child; sanitizers end it in a way of their own. */
static void
diesof(int sig, int status, const char *err)
{
	if(!SANITIZED)
		ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == sig,
			"status %#x, stderr: %s", (unsigned)status, err);
	ck_assert_msg(status != 0, "stderr: %s", err);
}

/* dies of an overflow, with the line that says so. */
static void
overflows(void (*fn)(void), const char *who, const char *where)
{
	char err[65536];
	int status = child(fn, err, sizeof err);
	const char *line = strstr(err, who);

	diesof(SIGSEGV, status, err);
	ck_assert_msg(line != NULL, "no \"%s\" in: %s", who, err);
	if(!watched())	/* they have functions of their own below */
		ck_assert_msg(strstr(line, where) != NULL, "no %s in: %s",
			where, err);
	const char *size = strstr(line, ": 6");
	ck_assert_msg(size && atoi(size + 2) >= 64 * 1024, "no size in: %s",
		err);
}

START_TEST(an_overflow_names_the_task_its_stack_and_the_function)
{
	overflows(rundeep, "task 2 (deep): stack overflow", "recurse");
}
END_TEST

START_TEST(a_frame_of_three_pages_does_not_jump_over_the_guard)
{
	overflow = leap;
	overflows(rundeep, "task 2 (deep): stack overflow", "leap");
}
END_TEST

START_TEST(frames_of_60_KiB_do_not_step_over_the_guard)
{
	if(watched())
		TEST_SKIP("they have frames of their own below");
	overflow = stride;
	overflows(rundeep, "task 2 (deep): stack overflow", "stride");
}
END_TEST

/* Neighbours keep arrays on their stacks: what lies up to the control block. */
static struct
{
	unsigned char *low;
	unsigned char *end;
	unsigned long sum;
} kept[Neighbours];
static int nkept;

UNWATCHED static unsigned long
checksum(int i)
{
	unsigned long sum = 0;

	for(volatile unsigned char *p = kept[i].low; p < kept[i].end; p++)
		sum = sum * 31 + *p;
	return sum;
}

static void
neighbour(void *v)
{
	unsigned char array[Kept];
	int i = nkept++;

	(void)v;
	tasksystem();
	memset(array, i + 1, sizeof array);
	kept[i].low = array;
	kept[i].end = watched() ? array + sizeof array :
		(unsigned char *)(taskdata() + 1);
	for(;;){
		taskdelay(UINT_MAX);
		sink = array[sink % Kept];
	}
}

static void
deepbetween(void *v)
{
	(void)v;
	taskdelay(0);
	for(int i = 0; i < Neighbours; i++)
		kept[i].sum = checksum(i);
	sink = overflow(0);
}

static void
createneighbours(void *v)
{
	(void)v;
	for(int i = 0; i < Neighbours; i++){
		if(i == Neighbours / 2)
			taskcreate(deepbetween, NULL, 64 * 1024);
		taskcreate(neighbour, NULL, 64 * 1024);
	}
}

/* The program's own handler: the library calls it on the stack for handlers. */
static void
ownhandler(int sig, siginfo_t *info, void *ucontext)
{
	(void)ucontext;
	if(sig != SIGSEGV || info->si_addr == NULL || nkept != Neighbours)
		_exit(3);
	for(int i = 0; i < Neighbours; i++)
		if(checksum(i) != kept[i].sum)
			_exit(4);
	_exit(42);
}

static void
handle(void (*fn)(int, siginfo_t *, void *))
{
	struct sigaction sa = {.sa_sigaction = fn,
		.sa_flags = SA_SIGINFO | SA_ONSTACK};

	sigaction(SIGSEGV, &sa, NULL);
}

static void
runneighbours(void)
{
	handle(ownhandler);
	taskrun(createneighbours, NULL);
}

static void
spares(void)
{
	char err[8192];
	int status = child(runneighbours, err, sizeof err);

	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 42,
		"status %#x, stderr: %s", (unsigned)status, err);
	ck_assert_msg(strstr(err, "task 6: stack overflow") != NULL, "%s",
		err);
}

START_TEST(an_overflow_leaves_the_neighbours_as_they_were)
{
	spares();
	overflow = leap;
	spares();
}
END_TEST

static volatile char *nowhere;	/* NULL */

/* Valgrind makes more of that than a signal, but not of a read-only page. */
static void
choosenowhere(void)
{
	if(watched())
		nowhere = mmap(NULL, 4096, PROT_READ,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void
derefnull(void *v)
{
	(void)v;
	*nowhere = 1;
}

static void
runnull(void)
{
	taskrun(derefnull, NULL);
}

START_TEST(another_fault_kills_and_is_no_overflow)
{
	char err[65536];

	choosenowhere();
	int status = child(runnull, err, sizeof err);

	diesof(SIGSEGV, status, err);
	ck_assert_msg(strstr(err, "overflow in") == NULL, "%s", err);
}
END_TEST

static void
nullhandler(int sig, siginfo_t *info, void *ucontext)
{
	(void)ucontext;
	_exit(sig == SIGSEGV && info->si_addr == nowhere ? 43 : 3);
}

static void
plainhandler(int sig)
{
	_exit(sig == SIGSEGV ? 44 : 3);
}

static void
runnullhandled(void)
{
	handle(nullhandler);
	taskrun(derefnull, NULL);
}

static void
runnullplain(void)
{
	signal(SIGSEGV, plainhandler);
	taskrun(derefnull, NULL);
}

START_TEST(another_fault_goes_to_whoever_handled_it_before)
{
	char err[8192];

	choosenowhere();
	int status = child(runnullhandled, err, sizeof err);

	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 43, "%s",
		err);
	status = child(runnullplain, err, sizeof err);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 44, "%s",
		err);
}
END_TEST

static pthread_barrier_t barrier;

static void
waitandoverflow(void *v)
{
	(void)v;
	pthread_barrier_wait(&barrier);
	taskcreate(deep, NULL, 64 * 1024);
}

static void
waitandlive(void *v)
{
	(void)v;
	taskname("main");
	pthread_barrier_wait(&barrier);
	taskdelay(10000);
}

static void *
thread(void *v)
{
	taskrun(waitandoverflow, v);
	return NULL;
}

static void
runthreads(void)
{
	pthread_t t;

	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&t, NULL, thread, NULL);
	taskrun(waitandlive, NULL);
}

START_TEST(an_overflow_in_a_second_thread_is_told_apart)
{
	overflows(runthreads, "2 (deep): stack overflow", "recurse");
}
END_TEST

START_TEST(a_handler_stack_of_the_program_stays_its_own)
{
	static char mine[64 * 1024];
	stack_t ss = {.ss_sp = mine, .ss_size = sizeof mine}, now;

	sigaltstack(&ss, NULL);
	run(nothing);
	sigaltstack(NULL, &now);
	ck_assert_ptr_eq(now.ss_sp, mine);
	sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
	run(nothing);
	sigaltstack(NULL, &now);
	ck_assert(now.ss_flags & SS_DISABLE);
}
END_TEST

static void
runlocked(void)
{
	mlockall(MCL_FUTURE);
	rundeep();
}

START_TEST(locked_memory_has_guards_too)
{
	if(mlockall(MCL_FUTURE) < 0)
		TEST_SKIP("mlockall is not allowed");
	munlockall();
	overflows(runlocked, "task 2 (deep): stack overflow", "recurse");
}
END_TEST

#ifdef __NR_process_madvise
/* what a container may answer to a call it does not know */
static int refusal;

/* makes process_madvise fail, and madvise too if it is to guard. */
static void
forbid(int guards)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_process_madvise, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
			guards ? __NR_madvise : -1, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 102, 0, 1),
		BPF_STMT(BPF_RET | BPF_K,
			SECCOMP_RET_ERRNO | (unsigned)refusal),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {sizeof code / sizeof code[0], code};

	if(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
			prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0)
		_exit(77);
}

static void
runforbidden(void)
{
	forbid(1);
	errno = 0;
	if(syscall(__NR_process_madvise, -1, NULL, 0, 0, 0) != -1 ||
			errno != refusal)
		_exit(78);
	rundeep();
}

static void
runhalfforbidden(void)
{
	forbid(0);
	rundeep();
}

static void
tryfilter(void)
{
	forbid(1);
	_exit(0);
}

START_TEST(a_filter_that_forbids_guards_gets_the_other_kind)
{
	static const int refusals[] = {EPERM, ENOSYS, EINVAL};
	char err[1024];

	if(watched())
		TEST_SKIP("guards are of the other kind in any case");
	if(child(tryfilter, err, sizeof err) != 0)
		TEST_SKIP("no seccomp filters here");
	for(int i = 0; i < 3; i++){
		refusal = refusals[i];
		overflows(runforbidden, "task 2 (deep): stack overflow",
			"recurse");
		overflows(runhalfforbidden, "task 2 (deep): stack overflow",
			"recurse");
	}
}
END_TEST
#else
START_TEST(a_filter_that_forbids_guards_gets_the_other_kind)
{
	TEST_SKIP("no process_madvise");
}
END_TEST
#endif

/* fills n bytes of the stack, every one of them. */
static void
use(void *v)
{
	size_t n = *(size_t *)v;
	volatile char array[n + 1];

	memset((char *)array, 1, n);
	*(size_t *)v = 0;
	sink = array[n / 2];
}

TASK_TEST(every_byte_of_the_size_asked_for_can_be_used)
{
	static const unsigned int sizes[] = {0, 1, 4095, 4096, 8192, 32768,
		65535, 65536, 65537, 100000, 131072, 1 << 20};

	for(size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++){
		size_t n = sizes[i] < 65536 ? 65536 : sizes[i];
		if(SANITIZED)	/* they surround each array */
			n -= n / 4;
		ck_assert_int_gt(taskcreate(use, &n, sizes[i]), 0);
		while(taskyield())
			;
		ck_assert_uint_eq(n, 0);
	}
}

static int ran;

static void
count(void *v)
{
	(void)v;
	ran++;
}

TASK_TEST(a_size_of_gigabytes_works_or_is_ENOMEM)
{
	for(unsigned int size = 1U << 30; size; size <<= 1){
		errno = 0;
		int id = taskcreate(count, NULL, size);
		if(id < 0)
			ck_assert_int_eq(errno, ENOMEM);
	}
	errno = 0;
	if(taskcreate(count, NULL, UINT_MAX) < 0)
		ck_assert_int_eq(errno, ENOMEM);
	ck_assert_int_gt(taskcreate(count, NULL, 0), 0);
	while(taskyield())
		;
	ck_assert_int_gt(ran, 0);
}

enum { Many = 40000 };

static void
nap(void *v)
{
	(void)v;
	taskdelay(1);
	ran++;
}

TASK_TEST_BY(forty_thousand_tasks_have_guards_and_few_map_entries,
	if(watched() || !cheapguards())
		TEST_SKIP("guards need a map entry each here");
	run(body);
	ck_assert_int_eq(ran, Many))
{
	int before = countmaps();

	for(int i = 0; i < Many; i++)
		if(taskcreate(nap, NULL, 8192) < 0)
			ck_abort_msg("task %d: %s", i, strerror(errno));
	ck_assert_int_lt(countmaps() - before, 200);
}

TEST_MAIN("stack",
	an_overflow_names_the_task_its_stack_and_the_function,
	a_frame_of_three_pages_does_not_jump_over_the_guard,
	frames_of_60_KiB_do_not_step_over_the_guard,
	an_overflow_leaves_the_neighbours_as_they_were,
	another_fault_kills_and_is_no_overflow,
	another_fault_goes_to_whoever_handled_it_before,
	an_overflow_in_a_second_thread_is_told_apart,
	a_handler_stack_of_the_program_stays_its_own,
	locked_memory_has_guards_too,
	a_filter_that_forbids_guards_gets_the_other_kind,
	every_byte_of_the_size_asked_for_can_be_used,
	a_size_of_gigabytes_works_or_is_ENOMEM,
	forty_thousand_tasks_have_guards_and_few_map_entries)
