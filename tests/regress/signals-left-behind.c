/* SPDX-License-Identifier: MIT */
/*
 * What the library arranges for the process stayed behind when the last
 * scheduler had ended, and replaced what was there: SIGQUIT did nothing any
 * more, SIGPIPE neither; who had ignored SIGQUIT, as a shell does for jobs in
 * the background, no longer did, nor did the programs that it executed; a stack
 * for handlers that a task had set was switched off.  Now the last scheduler
 * puts back what the first has found, unless somebody has arranged otherwise.
 */
#include "../test.h"
#include "../watched.h"
#include <pthread.h>

static char err[8192];

/* SIGABRT and its kin are in the same table as SIGSEGV. */
static const int arranged[] = {SIGPIPE, SIGQUIT, SIGSEGV, SIGBUS, SIGFPE,
	SIGILL, SIGABRT};

enum { Arranged = sizeof arranged / sizeof arranged[0] };

static struct sigaction
action(int sig)
{
	struct sigaction sa;

	ck_assert_int_eq(sigaction(sig, NULL, &sa), 0);
	return sa;
}

static void
handler(int sig)
{
	(void)sig;
}

static void
other(int sig)
{
	(void)sig;
}

static void
allare(void (*fn)(int))
{
	for(int i = 0; i < Arranged; i++)
		ck_assert_msg(action(arranged[i]).sa_handler == fn, "signal %d",
			arranged[i]);
}

static void
setall(void (*fn)(int))
{
	for(int i = 0; i < Arranged; i++)
		signal(arranged[i], fn);
}

START_TEST(each_signal_is_as_before_when_the_last_scheduler_has_ended)
{
	setall(SIG_DFL);
	run(nothing);
	allare(SIG_DFL);
	setall(handler);
	run(nothing);
	allare(handler);
}
END_TEST

static void
stillignored(void *v)
{
	allare((void (*)(int))(uintptr_t)v);
}

START_TEST(what_is_ignored_stays_so_for_the_programs_that_are_executed)
{
	setall(SIG_IGN);
	taskrun(stillignored, (void *)(uintptr_t)SIG_IGN);
	allare(SIG_IGN);
}
END_TEST

static void
sethandlers(void *v)
{
	(void)v;
	setall(other);
}

START_TEST(what_a_task_sets_stays)
{
	setall(SIG_DFL);
	run(sethandlers);
	allare(other);
	run(nothing);
	allare(other);
}
END_TEST

static pthread_barrier_t barrier;

static void
meettwice(void *v)
{
	(void)v;
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
}

static void *
thread(void *v)
{
	taskrun(meettwice, v);
	return NULL;
}

START_TEST(another_threads_scheduler_keeps_the_arrangements)
{
	pthread_t t;

	setall(SIG_DFL);
	pthread_barrier_init(&barrier, NULL, 2);
	ck_assert_int_eq(pthread_create(&t, NULL, thread, NULL), 0);
	pthread_barrier_wait(&barrier);
	run(nothing);
	for(int i = 0; i < Arranged; i++)
		ck_assert(action(arranged[i]).sa_flags & SA_SIGINFO);
	pthread_barrier_wait(&barrier);
	pthread_join(t, NULL);
	allare(SIG_DFL);
}
END_TEST

static int
statusof(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static void
forkchild(void *v)
{
	pid_t pid;

	pthread_barrier_wait(&barrier);
	pid = fork();
	if(pid != 0)
		*(pid_t *)v = pid;
}

/* In a child only the thread that has forked is left, and its scheduler. */
START_TEST(a_childs_only_scheduler_is_the_last)
{
	pthread_t t;
	pid_t pid = 0, parent = getpid();

	if(TestFewer > 1)
		TEST_SKIP("ThreadSanitizer does not see what a child does");
	setall(SIG_DFL);
	pthread_barrier_init(&barrier, NULL, 2);
	ck_assert_int_eq(pthread_create(&t, NULL, thread, NULL), 0);
	ck_assert_int_eq(taskrun(forkchild, &pid), 0);
	if(getpid() != parent){
		for(int i = 0; i < Arranged; i++)
			if(action(arranged[i]).sa_handler != SIG_DFL)
				_exit(arranged[i]);
		/* no exit: what the other thread had would be a leak */
		execlp("true", "true", (char *)NULL);
		_exit(127);
	}
	pthread_barrier_wait(&barrier);
	pthread_join(t, NULL);
	ck_assert_int_eq(statusof(pid), 0);
}
END_TEST

static struct sigaction below;
static volatile sig_atomic_t nchained;

/* As a crash reporter that a task sets up, and that calls who was there. */
static void
chained(int sig, siginfo_t *info, void *ucontext)
{
	if(nchained++ < 3)
		below.sa_sigaction(sig, info, ucontext);
	_exit(nchained);
}

static void
chain(void *v)
{
	struct sigaction sa = {.sa_sigaction = chained,
		.sa_flags = SA_SIGINFO | SA_ONSTACK};

	(void)v;
	sigaction(SIGSEGV, &sa, &below);
}

static void
runchained(void)
{
	signal(SIGSEGV, SIG_DFL);
	run(chain);
	run(nothing);
	raise(SIGSEGV);
}

/* Ours must not be set over one that calls it: they would turn for ever. */
START_TEST(a_handler_that_calls_ours_is_called_once)
{
	if(valgrind())
		TEST_SKIP("Valgrind forgets that a handlers' stack is gone");
	int status = child(runchained, err, sizeof err);

	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 1,
		"status %#x: %s", (unsigned)status, err);
}
END_TEST

static void
quitafter(void)
{
	signal(SIGQUIT, SIG_DFL);
	run(nothing);
	raise(SIGQUIT);
}

START_TEST(SIGQUIT_ends_the_program_again)
{
	int status = child(quitafter, err, sizeof err);

	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGQUIT);
}
END_TEST

static char stack[64 * 1024];

static void
setstack(void *v)
{
	stack_t ss = {.ss_sp = stack, .ss_size = sizeof stack};

	(void)v;
	ck_assert_int_eq(sigaltstack(&ss, NULL), 0);
}

static void
noaltstack(void)
{
	sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
}

START_TEST(a_stack_for_handlers_that_a_task_sets_stays)
{
	stack_t now;

	noaltstack();
	run(setstack);
	ck_assert_int_eq(sigaltstack(NULL, &now), 0);
	ck_assert_int_eq(now.ss_flags & SS_DISABLE, 0);
	ck_assert_ptr_eq(now.ss_sp, stack);
	noaltstack();
}
END_TEST

static stack_t ours;

static void
borrowstack(void *v)
{
	stack_t ss = {.ss_sp = stack, .ss_size = sizeof stack};

	(void)v;
	ck_assert_int_eq(sigaltstack(&ss, &ours), 0);
}

/* It may be put back after taskrun, by who is careful to do so. */
START_TEST(the_librarys_own_stays_mapped_if_a_task_has_replaced_it)
{
	noaltstack();
	run(borrowstack);
	ck_assert_int_eq(sigaltstack(&ours, NULL), 0);
	((volatile char *)ours.ss_sp)[ours.ss_size - 1] = 1;
	noaltstack();
}
END_TEST

START_TEST(without_one_there_is_none_afterwards)
{
	stack_t now;

	noaltstack();
	run(nothing);
	ck_assert_int_eq(sigaltstack(NULL, &now), 0);
	ck_assert_int_ne(now.ss_flags & SS_DISABLE, 0);
}
END_TEST

TEST_MAIN("signals-left-behind",
	each_signal_is_as_before_when_the_last_scheduler_has_ended,
	what_is_ignored_stays_so_for_the_programs_that_are_executed,
	what_a_task_sets_stays,
	another_threads_scheduler_keeps_the_arrangements,
	a_childs_only_scheduler_is_the_last,
	a_handler_that_calls_ours_is_called_once,
	SIGQUIT_ends_the_program_again,
	a_stack_for_handlers_that_a_task_sets_stays,
	the_librarys_own_stays_mapped_if_a_task_has_replaced_it,
	without_one_there_is_none_afterwards)
