/* SPDX-License-Identifier: MIT */
/* What is arranged for the process: what task(7) says and no other test has. */
#include "test.h"
#include "watched.h"
#include <sys/wait.h>

static char err[16384];

/* Those of a process that does nothing but say what it inherits. */
static void
execstatus(void *v)
{
	(void)v;
	dup2(2, 1);
	execlp("cat", "cat", "/proc/self/status", (char *)NULL);
	_exit(127);
}

static void
executes(void)
{
	signal(SIGQUIT, SIG_IGN);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGSEGV, SIG_DFL);
	taskrun(execstatus, NULL);
}

static uint64_t
mask(const char *name)
{
	const char *at = strstr(err, name);

	ck_assert_msg(at != NULL, "no %s in: %s", name, err);
	return strtoull(at + strlen(name), NULL, 16);
}

static uint64_t
bit(int sig)
{
	return UINT64_C(1) << (sig - 1);
}

START_TEST(what_is_ignored_is_so_in_programs_executed_and_the_rest_is_default)
{
	if(valgrind() || emulated())
		TEST_SKIP("who looks on has signals of its own there");
	ck_assert_int_eq(child(executes, err, sizeof err), 0);
	ck_assert(mask("SigIgn:") & bit(SIGQUIT));
	ck_assert(!(mask("SigIgn:") & (bit(SIGPIPE) | bit(SIGSEGV))));
	ck_assert(!(mask("SigCgt:") & (bit(SIGPIPE) | bit(SIGQUIT) |
		bit(SIGSEGV) | bit(SIGABRT))));
}
END_TEST

static void
raisesquit(void *v)
{
	(void)v;
	raise(SIGQUIT);
	taskdelay(1);
}

static void
runsignoring(void)
{
	signal(SIGQUIT, SIG_IGN);
	taskrun(raisesquit, NULL);
}

static void
runsdefault(void)
{
	runsignoring();
	signal(SIGQUIT, SIG_DFL);
	taskrun(raisesquit, NULL);
}

START_TEST(who_ignores_SIGQUIT_has_no_list_until_it_sets_the_default_action)
{
	ck_assert_int_eq(child(runsignoring, err, sizeof err), 0);
	ck_assert_str_eq(err, "");
	ck_assert_int_eq(child(runsdefault, err, sizeof err), 0);
	ck_assert_ptr_eq(strstr(err, "task list:\n"), err);
}
END_TEST

/* It has the signal itself blocked and those it asks for, and no others. */
static void
looksatmask(int sig)
{
	sigset_t now;

	sigprocmask(SIG_BLOCK, NULL, &now);
	_exit(sigismember(&now, SIGUSR1) && sigismember(&now, sig) &&
		!sigismember(&now, SIGUSR2) ? 42 : 43);
}

static void
aborting(void *v)
{
	(void)v;
	abort();
}

static void
runsmasked(void)
{
	struct sigaction sa = {.sa_handler = looksatmask};

	sigaddset(&sa.sa_mask, SIGUSR1);
	sigaction(SIGABRT, &sa, NULL);
	taskrun(aborting, NULL);
}

START_TEST(the_handler_that_was_there_has_the_signals_blocked_it_asks_for)
{
	if(TestFewer > 1)
		TEST_SKIP("ThreadSanitizer blocks all while it calls one");
	int status = child(runsmasked, err, sizeof err);

	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 42,
		"status %#x: %s", (unsigned)status, err);
	ck_assert_ptr_eq(strstr(err, "task 1: SIGABRT\n"), err);
}
END_TEST

static size_t sizes[2];

static void
looksatstack(void *v)
{
	stack_t now;

	ck_assert_int_eq(sigaltstack(NULL, &now), 0);
	*(size_t *)v = now.ss_flags & SS_DISABLE ? 0 : now.ss_size;
}

TASK_TEST(each_thread_with_tasks_has_a_stack_of_64_KiB_for_handlers)
{
	if(SANITIZED)
		TEST_SKIP("the sanitizer's has been there before");
	looksatstack(&sizes[0]);
	int proc = proccreate(looksatstack, &sizes[1], 0);
	ck_assert_int_eq(procwait(proc, NULL), 0);
	ck_assert_uint_eq(sizes[0], 64 * 1024);
	ck_assert_uint_eq(sizes[1], 64 * 1024);
}

static void (*actionof(int sig))(int)
{
	struct sigaction sa;

	ck_assert_int_eq(sigaction(sig, NULL, &sa), 0);
	return sa.sa_handler;
}

TASK_TEST_BY(SIGURG_has_a_handler_while_the_watchdog_is_on_also_if_ignored,
	signal(SIGURG, SIG_IGN);
	run(body);
	ck_assert(actionof(SIGURG) == SIG_IGN))
{
	ck_assert(actionof(SIGURG) == SIG_IGN);
	ck_assert_int_eq(taskwatchdog(60000), 0);
	ck_assert(actionof(SIGURG) != SIG_IGN);
	ck_assert_int_eq(taskwatchdog(0), 0);
	for(int i = 0; i < 1000 && actionof(SIGURG) != SIG_IGN; i++)
		taskdelay(10);	/* its thread notices */
	ck_assert(actionof(SIGURG) == SIG_IGN);
}

static void
counts(void *v)
{
	taskdelay(1);
	++*(int *)v;
}

/* What pthread_atfork has set stays, and does nothing. */
START_TEST(a_fork_after_the_last_scheduler_is_as_ever)
{
	int n = 0, status;

	signal(SIGQUIT, SIG_DFL);
	run(nothing);
	pid_t pid = fork();
	if(pid == 0){
		if(actionof(SIGQUIT) != SIG_DFL)
			_exit(1);
		_exit(taskrun(counts, &n) == 0 && n == 1 ? 0 : 2);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(taskrun(counts, &n), 0);
	ck_assert_int_eq(n, 1);
}
END_TEST

TEST_MAIN("arranged",
	what_is_ignored_is_so_in_programs_executed_and_the_rest_is_default,
	who_ignores_SIGQUIT_has_no_list_until_it_sets_the_default_action,
	the_handler_that_was_there_has_the_signals_blocked_it_asks_for,
	each_thread_with_tasks_has_a_stack_of_64_KiB_for_handlers,
	SIGURG_has_a_handler_while_the_watchdog_is_on_also_if_ignored,
	a_fork_after_the_last_scheduler_is_as_ever)
