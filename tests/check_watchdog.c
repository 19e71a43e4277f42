/* SPDX-License-Identifier: MIT */
/* The watchdog names who does not let others run, and nobody else. */
#include "corotest.h"

/*
 * Valgrind lets one thread run at a time, and not in turns: the watchdog may
 * not come to look.  A signal that it hands on late then goes to a stack of
 * handlers that was given up, which Valgrind 3.19 does not take note of.
 */
#define NEEDS_THREADS() \
	do{ \
		if(valgrind()) \
			TEST_SKIP("the watchdog may not be let run"); \
	}while(0)

/* Under tools that slow a program down all of it takes longer. */
static char err[1 << 16];
static volatile int sink;

__attribute__((noinline)) static void
compute(int ms)
{
	int64_t end = nowns() + ms * (int64_t)1000000;

	while(nowns() < end)
		sink++;
	__asm__ volatile("");
}

static void
has(const char *text)
{
	ck_assert_msg(strstr(err, text) != NULL, "no \"%s\" in: %s", text, err);
}

static void
runs(void (*fn)(void *))
{
	test_places = 1;
	ck_assert_int_eq(childtask(fn, err, sizeof err), 0);
}

/*
 * The same until it is told of text; a machine that is too busy tries again,
 * and so does who was found in a library without frame pointers, beyond which
 * no caller is seen.
 */
static void
tells(void (*fn)(void *), const char *text)
{
	for(int i = 0; i < 8; i++){
		runs(fn);
		if(strstr(err, text))
			return;
	}
	has(text);
}

/* Where the machine is busy it may not be let compute, or nobody look. */
static void
computes(void)
{
	ck_assert_msg(strstr(err, " ms: it computes (") || strstr(err,
		" ms: it was not given a CPU ("), "%s", err);
}

static void
silent(void)
{
	ck_assert_msg(strstr(err, "not let others run") == NULL, "%s", err);
}

__attribute__((noinline)) static void
parse(void *v)
{
	(void)v;
	taskname("parser\n");
	compute(500);
	taskdelay(1);
}

TASK_TEST_BY(S3_19_who_computes_is_named_with_the_calls_it_is_in,
	NEEDS_THREADS();
	tells(body, "in parse+0x");
	has("task 2 (parser\\n) has not let others run for ");
	computes();
	has("in compute+0x");
	has("    made in ");
	ck_assert_int_le(occurs(err, "taskyield(3) and offload(3) let"), 1);
	/* after 100, 200 and 400 ms */
	ck_assert_int_ge(occurs(err, "parser"), 1);
	ck_assert_int_le(occurs(err, "parser"), 3))
{
	ck_assert_int_eq(taskwatchdog(100), 0);
	taskcreate(parse, NULL, 0);
	taskdelay(1);
}

enum { ShortRuns = 12 };

/*
 * It would be 12 reports, or 9 by the limit for a second.  They are of one
 * place: the loop is not to be unrolled.
 */
TASK_TEST_BY(of_a_place_the_1st_2nd_4th_and_8th_run_are_reported,
	if(watched() || emulated())
		TEST_SKIP("runs are of any length here");
	tells(body, "task 1 has not let others run for ");
	ck_assert_int_ge(occurs(err, "task 1 "), 2);
	ck_assert_int_le(occurs(err, "task 1 "), 7))
{
	volatile int left = ShortRuns;

	taskwatchdog(100);
	while(left-- > 0){
		taskdelay(1);
		compute(150);
	}
}

static void *
deepens(void *v)
{
	compute(300);
	return v;
}

TASK_TEST_BY(in_a_coroutine_the_task_is_named_with_the_coroutines_calls,
	NEEDS_THREADS();
	tells(body, "in deepens+0x");
	has("task 1 has not let others run for ");
	computes())
{
	taskwatchdog(100);
	coswitch(newco(deepens), NULL);
	taskdelay(1);
}

static void
locksstderr(void *v)
{
	(void)v;
	flockfile(stderr);
	compute(300);
	ck_assert_int_eq(write(2, "unlocked\n", 9), 9);
	funlockfile(stderr);
	taskdelay(1);
}

static int
told(void)
{
	const char *task = strstr(err, "task 2");

	return task && task < strstr(err, "unlocked");
}

TASK_TEST_BY(it_does_not_wait_for_stdio,
	NEEDS_THREADS();
	for(int i = 0; i < 8 && !told(); i++)
		tells(body, "task 2 has not let others run for ");
	ck_assert_msg(told(), "%s", err))
{
	taskwatchdog(100);
	taskcreate(locksstderr, NULL, 0);
	taskdelay(1);
}

static void
blocks(void *v)
{
	int fds[2];
	char c;

	(void)v;
	ck_assert_int_eq(pipe(fds), 0);
	alarm(1);
	while(read(fds[0], &c, 1) < 0 && errno == EINTR)
		if(sink)
			break;
}

static void
rings(int sig)
{
	(void)sig;
	sink = 1;
}

TASK_TEST_BY(who_is_blocked_in_a_call_is_said_to_be,
	if(valgrind() || TestFewer > 1)
		TEST_SKIP("no thread sees that of a blocked one here");
	tells(body, "in blocks+0x");
	has(" ms: it is blocked in a call (");
	has("task 2 has not let others run for "))
{
	struct sigaction sa = {.sa_handler = rings};	/* no SA_RESTART */

	sigaction(SIGALRM, &sa, NULL);
	taskwatchdog(100);
	taskcreate(blocks, NULL, 0);
	taskdelay(1);
}

/* The signal that asks what it does ends each call. */
static void
naps(void *v)
{
	int64_t end = nowns() + 400 * (int64_t)1000000;

	(void)v;
	while(nowns() < end)
		usleep(400000);
	taskdelay(1);
}

TASK_TEST_BY(one_that_sleeps_is_blocked_and_named_too,
	if(valgrind() || TestFewer > 1)
		TEST_SKIP("no thread sees that of a blocked one here");
	tells(body, "in naps+0x");
	has(" ms: it is blocked in a call (");
	has("task 2 has not let others run for "))
{
	taskwatchdog(100);
	taskcreate(naps, NULL, 0);
	taskdelay(1);
}

static void
ticks(void *v)
{
	for(int i = 0; i < 30; i++)
		taskdelay(10);
	(void)v;
}

static void
yields(void *v)
{
	int64_t end = nowns() + 300 * (int64_t)1000000;

	(void)v;
	while(nowns() < end){
		compute(1);
		taskyield();
	}
}

static void
staysbusy(void *v)
{
	(void)v;
	taskbusy(1);
}

TASK_TEST_BY(busy_ends_with_the_task,
	NEEDS_THREADS();
	tells(body, "task 3 (parser\\n) has not let others run for "))
{
	taskwatchdog(100);
	taskcreate(staysbusy, NULL, 0);
	taskdelay(1);
	taskcreate(parse, NULL, 0);	/* on the same stack */
	taskdelay(1);
}

static void
computesbusy(void *v)
{
	(void)v;
	taskbusy(1);
	compute(400);
	taskbusy(0);
	taskdelay(1);
}

/* A thread that gets no CPU for so long is told of, rightly. */
TASK_TEST_BY(idle_schedulers_yields_and_busy_tasks_do_not_offend,
	for(int i = 0; i == 0 || (i < 3 && strstr(err, "given a CPU")); i++)
		runs(body);
	silent())
{
	taskwatchdog(150);
	taskdelay(600);
	taskcreate(ticks, NULL, 0);
	taskcreate(yields, NULL, 0);
	taskcreate(yields, NULL, 0);
	taskdelay(600);
	taskcreate(computesbusy, NULL, 0);
	taskdelay(1);
	ck_assert_int_eq(taskwatchdog(0), 0);
	taskdelay(200);		/* the thread has gone, or looks no more */
	compute(400);
}

/*
 * The child is stopped in the midst of a run, which goes on after that; who
 * stops and continues it is outside.
 */
static void
stops(void *v)
{
	pid_t me = getpid();

	(void)v;
	taskwatchdog(1500);
	taskdelay(50);
	if(fork() == 0){
		taskwatchdog(0);
		usleep(50000);
		kill(me, SIGSTOP);
		usleep(2500000);
		kill(me, SIGCONT);
		_exit(0);
	}
	int64_t last = nowns(), now;
	while((now = nowns()) - last < 2000 * (int64_t)1000000)
		last = now;
	int64_t end = cpuns() + 150 * (int64_t)1000000;
	while(cpuns() < end)
		sink++;
	taskdelay(1);
}

/* The 200 ms of the run may last 1500 where others want the CPU too. */
START_TEST(a_process_that_was_stopped_blames_nobody)
{
	if(watched() || emulated())
		TEST_SKIP("they slow the run down until it is an offence");
	for(int i = 0; i == 0 || (i < 3 && strstr(err, "not let")); i++)
		runs(stops);
	silent();
}
END_TEST

static void
second(void *v)
{
	(void)v;
	taskname("second");
	compute(300);
	taskdelay(1);
}

TASK_TEST_BY(tasks_of_all_procs_are_watched,
	NEEDS_THREADS();
	tells(body, ".1 (second) has not let others run for ");
	ck_assert_int_eq(occurs(err, "task 1"), 0))
{
	taskwatchdog(100);
	procwait(proccreate(second, NULL, 0), NULL);
}

static volatile sig_atomic_t urgent;

static void
onurgent(int sig)
{
	(void)sig;
	urgent++;
}

TASK_TEST_BY(a_programs_handler_of_SIGURG_goes_on_to_get_its_own,
	NEEDS_THREADS();
	tells(body, "task 1 has not let others run for ");
	computes())
{
	signal(SIGURG, onurgent);
	taskwatchdog(100);
	taskdelay(1);
	raise(SIGURG);
	ck_assert_int_eq(urgent, 1);
	compute(300);
	ck_assert_int_eq(urgent, 1);
	taskdelay(1);
}

TASK_TEST_BY(one_that_was_set_later_keeps_it_and_the_report_says_so,
	NEEDS_THREADS();
	tells(body, "a task has not let others run for ");
	has("SIGURG is not answered"))
{
	taskwatchdog(100);
	taskdelay(1);
	signal(SIGURG, onurgent);
	compute(600);
	taskdelay(1);
}

static void
environment(void *v)
{
	parse(v);
}

START_TEST(the_environment_switches_it_on)
{
	NEEDS_THREADS();
	setenv("TASKWATCHDOG", "100", 1);
	tells(environment, "has not let others run for ");
	computes();
	setenv("TASKWATCHDOG", "often", 1);
	runs(environment);
	has("TASKWATCHDOG=often: not a number of milliseconds\n");
	silent();
	setenv("TASKWATCHDOG", "", 1);
	runs(environment);
	ck_assert_str_eq(err, "");
}
END_TEST

static void
forks(void *v)
{
	int status;

	(void)v;
	taskwatchdog(100);
	taskdelay(1);
	pid_t pid = fork();
	if(pid == 0){
		taskname("child");
		compute(400);
		taskdelay(1);
		_exit(0);
	}
	while(waitpid(pid, &status, WNOHANG) == 0)
		taskdelay(10);
	ck_assert_int_eq(status, 0);
}

START_TEST(a_child_of_fork_has_a_watchdog_of_its_own)
{
	if(TestFewer > 1 || emulated() || valgrind())
		TEST_SKIP("no threads in a fork's child here");
	tells(forks, "task 1 (child) has not let others run for ");
}
END_TEST

static void
computesfirst(void *v)
{
	(void)v;
	compute(400);
	taskdelay(1);
}

static void
forkswithout(void)
{
	int status;

	taskwatchdog(100);
	pid_t pid = fork();
	if(pid == 0)
		_exit(taskrun(computesfirst, NULL));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

START_TEST(in_a_child_of_fork_it_waits_for_a_scheduler_too)
{
	if(TestFewer > 1 || emulated() || valgrind())
		TEST_SKIP("no threads in a fork's child here");
	for(int i = 0; i < 8 && occurs(err, "not let others run") == 0; i++)
		ck_assert_int_eq(child(forkswithout, err, sizeof err), 0);
	has("task 1 has not let others run for ");
}
END_TEST

START_TEST(without_a_scheduler_it_waits_for_one)
{
	ck_assert_int_eq(taskwatchdog(100), 0);
	errno = 0;
	taskbusy(1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(taskwatchdog(0), 0);
}
END_TEST

TEST_MAIN("watchdog",
	S3_19_who_computes_is_named_with_the_calls_it_is_in,
	of_a_place_the_1st_2nd_4th_and_8th_run_are_reported,
	in_a_coroutine_the_task_is_named_with_the_coroutines_calls,
	it_does_not_wait_for_stdio,
	who_is_blocked_in_a_call_is_said_to_be,
	one_that_sleeps_is_blocked_and_named_too,
	busy_ends_with_the_task,
	idle_schedulers_yields_and_busy_tasks_do_not_offend,
	a_process_that_was_stopped_blames_nobody,
	tasks_of_all_procs_are_watched,
	a_programs_handler_of_SIGURG_goes_on_to_get_its_own,
	one_that_was_set_later_keeps_it_and_the_report_says_so,
	the_environment_switches_it_on,
	a_child_of_fork_has_a_watchdog_of_its_own,
	in_a_child_of_fork_it_waits_for_a_scheduler_too,
	without_a_scheduler_it_waits_for_one)
