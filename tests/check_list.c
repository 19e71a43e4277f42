/* SPDX-License-Identifier: MIT */
/* The list of tasks that SIGQUIT prints. */
#include "test.h"
#include "watched.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/time.h>

/*
 * In these tests stderr is a pipe back to the test: a task that reads it waits
 * until the list is there, and so is itself in the list as one that waits.
 */
static int err;
static char list[1 << 16];

static void
listento(void (*fn)(void *))
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(dup2(fds[1], 2), 2);
	err = fds[0];
	fdnoblock(err);
	run(fn);
}

static void
readlist(void)
{
	ssize_t n = fdread(err, list, sizeof list - 1);

	ck_assert_int_gt(n, 0);
	list[n] = '\0';
	unplaced(list);
}

static void
askforlist(void)
{
	raise(SIGQUIT);
	readlist();
	ck_assert_msg(strncmp(list, "task list:\n", 11) == 0, "%s", list);
}

/* The line about a task, with libtask's columns, and what follows them. */
static void
lists(int id, char system, const char *name, const char *rest)
{
	char line[1024];

	snprintf(line, sizeof line, "\n%6d%c %-20s %s\n", id, system, name,
		rest);
	ck_assert_msg(strstr(list, line) != NULL, "no \"%s\" in: %s", line,
		list);
}

static Channel *c;
static QLock ql;

static void
waitinchannel(void *v)
{
	(void)v;
	taskname("client");
	chanrecvul(c);
}

static void
waitwithstate(void *v)
{
	(void)v;
	taskname("a name of more than twenty bytes");
	taskstate("request %d", 7);
	chanrecvul(c);
}

static void
waitinlock(void *v)
{
	(void)v;
	tasksystem();
	qlock(&ql);
}

static void
sleeplong(void *v)
{
	(void)v;
	tasksystem();
	taskdelay(1000 * 1000);
}

static void
spin(void *v)
{
	(void)v;
	tasksystem();
	taskname("spinner");
	taskstate("spinning");
	for(;;)
		taskyield();
}

TASK_TEST_BY(the_list_has_libtasks_columns_and_then_what_a_task_waits_for,
	listento(body))
{
	char line[64];

	taskname("first");
	c = chancreate(sizeof(unsigned long), 0);
	c->name = "requests";
	qlock(&ql);
	taskcreate(waitinchannel, NULL, 0);
	taskcreate(waitwithstate, NULL, 0);
	taskcreate(waitinlock, NULL, 0);
	taskcreate(sleeplong, NULL, 0);
	taskcreate(spin, NULL, 0);
	taskyield();
	askforlist();
	snprintf(line, sizeof line, "fdwait fd %d r", err);
	lists(0, 's', "fdtask", " (running)");
	lists(1, ' ', "first", line);
	lists(2, ' ', "client", "chanrecv c \"requests\"");
	lists(3, ' ', "a name of more than twenty bytes",
		"request 7  chanrecv c \"requests\"");
	lists(4, 's', "waitinlock()", "qlock held by task 1 (first)");
	lists(6, 's', "spinner", "spinning (ready)");
	ck_assert_ptr_nonnull(strstr(list,
		"\n     5s sleeplong()          taskdelay, 99"));
	chansendul(c, 1);	/* the program goes on */
	chansendul(c, 1);
	taskyield();
	chanfree(c);
}

TASK_TEST_BY(the_program_goes_on_and_can_be_asked_again, listento(body))
{
	for(int i = 0; i < 3; i++)
		askforlist();
}

static void
quit(int sig)
{
	(void)sig;
	raise(SIGQUIT);
}

/* Nobody runs, and nothing else will ever end the fdtask's wait. */
TASK_TEST_BY(an_idle_program_prints_the_list_at_once, listento(body))
{
	struct itimerval soon = {.it_value = {.tv_usec = 20000}};

	signal(SIGALRM, quit);
	setitimer(ITIMER_REAL, &soon, NULL);
	readlist();
	ck_assert_msg(strncmp(list, "task list:\n", 11) == 0, "%s", list);
}

static void
hog(void *v)
{
	(void)v;
	taskname("hog");
	raise(SIGQUIT);
	raise(SIGQUIT);
	ssize_t n = read(err, list, sizeof list - 1);
	list[n > 0 ? n : 0] = '\0';
}

TASK_TEST_BY(a_second_SIGQUIT_names_the_task_that_lets_nobody_run,
	listento(body);
	ck_assert_msg(strncmp(list, "task 2 (hog) ", 13) == 0, "%s", list);
	ck_assert_msg(strstr(list, "task list:\n") != NULL, "%s", list);
	ck_assert_msg(strstr(list, "task 1 (meek)\n") != NULL, "%s", list);
	ck_assert_msg(strstr(list, "task 2 (hog) (running)\n") != NULL, "%s",
		list))
{
	taskname("meek");
	taskcreate(hog, NULL, 0);
	taskyield();
}

/* A signal for the process may come to a thread that runs no scheduler. */

static pthread_barrier_t started;
static atomic_int listed;

static void
listonce(void *v)
{
	(void)v;
	pthread_barrier_wait(&started);
	readlist();
	listed = 1;
	pthread_barrier_wait(&started);
}

static void *
listinthread(void *v)
{
	taskrun(listonce, v);
	return NULL;
}

/* Without the thread's scheduler SIGQUIT would do what it does by default. */
START_TEST(a_thread_without_a_scheduler_passes_the_signal_on)
{
	pthread_t thread;

	if(valgrind())
		TEST_SKIP("Valgrind forgets that a handlers' stack is gone");
	listento(nothing);
	pthread_barrier_init(&started, NULL, 2);
	ck_assert_int_eq(pthread_create(&thread, NULL, listinthread, NULL), 0);
	pthread_barrier_wait(&started);
	raise(SIGQUIT);
	/* ThreadSanitizer keeps it back until the next call that it knows */
	for(; TestFewer > 1 && !listed; usleep(100000))
		raise(SIGQUIT);
	pthread_barrier_wait(&started);
	pthread_join(thread, NULL);
	ck_assert_ptr_nonnull(strstr(list, "task list:\n"));
}
END_TEST

static volatile sig_atomic_t quits;

static void
countquit(int sig)
{
	(void)sig;
	quits++;
}

TASK_TEST_BY(a_handler_of_the_programs_own_is_left_alone,
	struct sigaction sa = {.sa_handler = countquit};

	sigaction(SIGQUIT, &sa, NULL);
	run(body);
	ck_assert_int_eq(quits, 2))
{
	raise(SIGQUIT);
	raise(SIGQUIT);
	taskdelay(1);
}

/* returns whether the list has a task of this name. */
static int
named(const char *name)
{
	char part[64];

	snprintf(part, sizeof part, "  %-20s ", name);
	askforlist();
	return strstr(list, part) != NULL;
}

static Timer *timer;

static void
endtask(void *v)
{
	(void)v;
	taskexit(0);
}

TASK_TEST_BY(timers_have_names,
	listento(body))
{
	timer = timerstart(1000000, 0, nothing, NULL);
	ck_assert(named("timer"));
	ck_assert_int_eq(timername(timer, "flush %d of %s", 7, "the log"), 0);
	ck_assert(named("flush 7 of the log"));
	ck_assert(!named("timer"));
	/* a name is cut, not written beyond its end */
	ck_assert_int_eq(timername(timer, "%040d", 1), 0);
	ck_assert(named("0000000000000000000000000000000"));
	ck_assert_int_eq(timername(timer, NULL), 0);
	ck_assert(named("timer"));
	ck_assert_int_eq(timerstop(timer), 1);
	FAILS(timername(NULL, "x"), EINVAL);
	/* its next task has the name too */
	timer = timerstart(0, 1000000, endtask, NULL);
	timername(timer, "poll");
	taskdelay(1);
	ck_assert(named("poll"));
	timerstop(timer);
}

TEST_MAIN("list",
	timers_have_names,
	the_list_has_libtasks_columns_and_then_what_a_task_waits_for,
	the_program_goes_on_and_can_be_asked_again,
	an_idle_program_prints_the_list_at_once,
	a_second_SIGQUIT_names_the_task_that_lets_nobody_run,
	a_thread_without_a_scheduler_passes_the_signal_on,
	a_handler_of_the_programs_own_is_left_alone)
