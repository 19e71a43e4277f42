/* SPDX-License-Identifier: MIT */
/* Signals sent to channels. */
#include "test.h"
#include "watched.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

static Channel *
ints(int n)
{
	Channel *c = chancreate(sizeof(int), n);

	ck_assert_ptr_nonnull(c);
	return c;
}

/* The next number that comes; fails if none does. */
static int
next(Channel *c)
{
	Timeout t;
	int sig = 0, r = 0;

	TIMEOUT(&t, 10000)
		r = chanrecv(c, &sig);
	ck_assert_int_eq(r, 1);
	return sig;
}

static void
nomore(Channel *c)
{
	settle();
	FAILS(channbrecv(c, NULL), EAGAIN);
}

static int
isdefault(int sig)
{
	struct sigaction sa;

	ck_assert_int_eq(sigaction(sig, NULL, &sa), 0);
	return sa.sa_handler == SIG_DFL;
}

TASK_TEST(a_watched_signal_is_received)
{
	Channel *c = ints(0);

	ck_assert_int_eq(signalwatch(SIGUSR1, c), 0);
	ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
	ck_assert_int_eq(next(c), SIGUSR1);
	nomore(c);
	raise(SIGUSR1);
	ck_assert_int_eq(next(c), SIGUSR1);
	nomore(c);
	ck_assert_int_eq(signalunwatch(SIGUSR1, c), 0);
	ck_assert(isdefault(SIGUSR1));
	chanfree(c);
}

static void
killsoon(void *v)
{
	taskdelay(20);
	kill(getpid(), (int)(intptr_t)v);
}

TASK_TEST(who_waits_for_a_signal_alone_is_not_a_deadlock)
{
	Channel *c = ints(1);
	pid_t me = getpid(), pid = fork();

	if(pid == 0){
		usleep(100000);
		kill(me, SIGUSR2);
		_exit(0);
	}
	ck_assert_int_eq(signalwatch(SIGUSR2, c), 0);
	int64_t cpu = cpuns();
	ck_assert_int_eq(chanrecv(c, NULL), 1);
	if(!watched())
		ck_assert_int_lt(cpuns() - cpu, 50000000);
	waitpid(pid, NULL, 0);
	chanfree(c);
}

static void
waitforever(void *v)
{
	Channel *c = ints(0);

	(void)v;
	ck_assert_int_eq(signalwatch(SIGUSR1, c), 0);
	ck_assert_int_eq(signalunwatch(SIGUSR1, c), 0);
	chanrecv(c, NULL);
}

START_TEST(a_deadlock_is_reported_once_nothing_is_watched)
{
	char err[8192];
	int status = childtask(waitforever, err, sizeof err);

	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	ck_assert_msg(strstr(err, "stalled") != NULL, "%s", err);
}
END_TEST

TASK_TEST(wrong_arguments_are_refused)
{
	static const int never[] = {0, -1, 1000, 32, SIGKILL, SIGSTOP, SIGSEGV,
		SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
	Channel *c = ints(1), *wide = chancreate(8, 1);

	for(size_t i = 0; i < sizeof never / sizeof never[0]; i++)
		FAILS(signalwatch(never[i], c), EINVAL);
	FAILS(signalwatch(SIGUSR1, NULL), EINVAL);
	FAILS(signalwatch(SIGUSR1, wide), EINVAL);
	FAILS(signalunwatch(SIGUSR1, NULL), EINVAL);
	FAILS(signalunwatch(SIGUSR1, c), ENOENT);
	ck_assert_int_eq(signalwatch(SIGUSR1, c), 0);
	FAILS(signalunwatch(SIGUSR2, c), ENOENT);
	ck_assert_int_eq(signalunwatch(SIGUSR1, c), 0);
	FAILS(signalunwatch(SIGUSR1, c), ENOENT);
	chanclose(c);
	FAILS(signalwatch(SIGUSR1, c), EPIPE);
	chanfree(c);
	chanfree(wide);
}

START_TEST(outside_a_task_it_is_EPERM)
{
	Channel *c = ints(1);

	FAILS(signalwatch(SIGUSR1, c), EPERM);
	FAILS(signalunwatch(SIGUSR1, c), EPERM);
	chanfree(c);
}
END_TEST

static Channel *foreign;

static void
watchforeign(void *v)
{
	(void)v;
	FAILS(signalwatch(SIGUSR1, foreign), EPERM);
	FAILS(signalunwatch(SIGUSR1, foreign), EPERM);
}

TASK_TEST(a_shared_channel_is_EPERM)
{
	Channel *c = chanshared(sizeof(int), 1);

	FAILS(signalwatch(SIGUSR1, c), EPERM);
	FAILS(signalunwatch(SIGUSR1, c), EPERM);
	chanclose(c);
	FAILS(signalwatch(SIGUSR1, c), EPERM);
	chanfree(c);
}

TASK_TEST(a_channel_of_another_proc_is_EPERM)
{
	foreign = ints(1);
	int proc = proccreate(watchforeign, NULL, 0);
	ck_assert_int_gt(proc, 0);
	ck_assert_int_eq(procwait(proc, NULL), 0);
	ck_assert_int_eq(signalwatch(SIGUSR1, foreign), 0);
	chanfree(foreign);
}

TASK_TEST(to_watch_twice_is_to_watch_once)
{
	Channel *c = ints(4);

	ck_assert_int_eq(signalwatch(SIGUSR1, c), 0);
	ck_assert_int_eq(signalwatch(SIGUSR1, c), 0);
	raise(SIGUSR1);
	ck_assert_int_eq(next(c), SIGUSR1);
	nomore(c);
	ck_assert_int_eq(signalunwatch(SIGUSR1, c), 0);
	ck_assert(isdefault(SIGUSR1));
	chanfree(c);
}

TASK_TEST(several_channels_and_signals_do_not_mix)
{
	Channel *a = ints(4), *b = ints(0), *both = ints(4);

	signalwatch(SIGUSR1, a);
	signalwatch(SIGUSR2, b);
	signalwatch(SIGUSR1, both);
	signalwatch(SIGUSR2, both);
	raise(SIGUSR1);
	ck_assert_int_eq(next(both), SIGUSR1);
	ck_assert_int_eq(next(a), SIGUSR1);
	nomore(b);
	raise(SIGUSR2);
	ck_assert_int_eq(next(both), SIGUSR2);
	ck_assert_int_eq(next(b), SIGUSR2);
	nomore(a);
	signalunwatch(SIGUSR1, a);
	raise(SIGUSR1);
	ck_assert_int_eq(next(both), SIGUSR1);
	nomore(a);
	chanfree(a);
	chanfree(b);
	chanfree(both);
	ck_assert(isdefault(SIGUSR1));
	ck_assert(isdefault(SIGUSR2));
}

/* The full channel is nobody's but its own trouble. */
TASK_TEST(P33_a_full_channel_keeps_no_other_waiting_and_loses_nothing)
{
	Channel *full = ints(1), *free = ints(8);
	int other = 1000;

	ck_assert_int_eq(chansend(full, &other), 1);
	signalwatch(SIGUSR1, full);
	signalwatch(SIGUSR1, free);
	for(int i = 0; i < 5; i++){
		raise(SIGUSR1);
		ck_assert_int_eq(next(free), SIGUSR1);
	}
	ck_assert_int_eq(next(full), 1000);
	/* the one that was being sent, and all since then */
	ck_assert_int_eq(next(full), SIGUSR1);
	ck_assert_int_eq(next(full), SIGUSR1);
	nomore(full);
	chanfree(full);
	chanfree(free);
}

/* After the last one is sent a last one is received. */
enum { Kills = 10000 };

static void *
killmany(void *done)
{
	for(int i = 0; i < Kills; i++)
		kill(getpid(), SIGUSR1);
	atomic_store((atomic_int *)done, 1);
	return NULL;
}

TASK_TEST(ten_thousand_signals_from_another_thread)
{
	Channel *c = ints(0);
	atomic_int done = 0;
	pthread_t thread;
	int n = 0, last = 0;
	Alt a[] = {{.c = c, .v = &last, .op = CHANRCV},
		{.op = ALTDELAY, .ms = 200}, {.op = CHANEND}};

	signalwatch(SIGUSR1, c);
	pthread_create(&thread, NULL, killmany, &done);
	while(chanalt(a) == 0 || !atomic_load(&done)){
		n++;
		ck_assert_int_le(n, Kills + 100);
	}
	pthread_join(thread, NULL);
	ck_assert_int_ge(n, 1);
	raise(SIGUSR1);
	ck_assert_int_eq(next(c), SIGUSR1);
	chanfree(c);
}

/* Each signal is answered before the next one is sent: so none may merge. */
TASK_TEST(ten_thousand_signals_one_by_one)
{
	Channel *c = ints(0);
	int n = watched() ? Kills / 10 : Kills;

	signalwatch(SIGUSR1, c);
	for(int i = 0; i < n; i++){
		kill(getpid(), SIGUSR1);
		ck_assert_int_eq(next(c), SIGUSR1);
	}
	nomore(c);
	chanfree(c);
}

static void
receiveone(void *v)
{
	atomic_int *got = v;
	Channel *c = ints(0);

	signalwatch(SIGUSR2, c);
	atomic_store(got, -1);
	atomic_store(got, next(c));
	chanfree(c);
}

TASK_TEST(each_proc_that_watches_gets_it)
{
	enum { Procs = 4 };
	atomic_int got[Procs] = {0};
	int proc[Procs];
	Channel *c = ints(0);

	procself();
	signalwatch(SIGUSR2, c);
	for(int i = 0; i < Procs; i++)
		proc[i] = proccreate(receiveone, &got[i], 0);
	for(int i = 0; i < Procs; i++)
		while(atomic_load(&got[i]) == 0)
			taskdelay(1);
	raise(SIGUSR2);
	ck_assert_int_eq(next(c), SIGUSR2);
	for(int i = 0; i < Procs; i++){
		ck_assert_int_eq(procwait(proc[i], NULL), 0);
		ck_assert_int_eq(atomic_load(&got[i]), SIGUSR2);
	}
	chanfree(c);
	ck_assert(isdefault(SIGUSR2));
}

/* Watches come and go in several procs while signals arrive all the time. */
static atomic_int stopped;

static void
comeandgo(void *v)
{
	int n = *(int *)v;
	Channel *c = ints(1);

	for(int i = 0; i < n; i++){
		ck_assert_int_eq(signalwatch(SIGUSR1, c), 0);
		if(i % 3 == 0)
			chanrecv(c, NULL);
		else if(i % 3 == 1)
			taskyield();
		ck_assert_int_eq(signalunwatch(SIGUSR1, c), 0);
		while(channbrecv(c, NULL) == 1)
			;
	}
	chanfree(c);
}

static void *
killon(void *v)
{
	(void)v;
	while(!atomic_load(&stopped)){
		kill(getpid(), SIGUSR1);
		sched_yield();
	}
	return NULL;
}

TASK_TEST(watches_come_and_go_while_signals_come)
{
	Channel *always = ints(1);
	int n = watched() ? 60 : 1000, proc[3];
	pthread_t thread;

	signalwatch(SIGUSR1, always);
	pthread_create(&thread, NULL, killon, NULL);
	for(int i = 0; i < 3; i++)
		proc[i] = proccreate(comeandgo, &n, 0);
	comeandgo(&n);
	for(int i = 0; i < 3; i++)
		ck_assert_int_eq(procwait(proc[i], NULL), 0);
	atomic_store(&stopped, 1);
	pthread_join(thread, NULL);
	ck_assert_int_eq(next(always), SIGUSR1);
	chanfree(always);
}

TASK_TEST(a_channel_that_is_closed_is_not_watched_any_more)
{
	Channel *c = ints(1), *unbuffered = ints(0);

	signalwatch(SIGUSR1, c);
	signalwatch(SIGUSR1, unbuffered);
	raise(SIGUSR1);
	settle();
	chanclose(c);
	ck_assert(!isdefault(SIGUSR1));
	chanclose(unbuffered);	/* while the signal is being sent there */
	ck_assert(isdefault(SIGUSR1));
	ck_assert_int_eq(next(c), SIGUSR1);
	ck_assert_int_eq(chanrecv(c, NULL), 0);
	ck_assert_int_eq(chanrecv(unbuffered, NULL), 0);
	FAILS(signalunwatch(SIGUSR1, c), ENOENT);
	chanfree(c);
	chanfree(unbuffered);
}

TASK_TEST(a_channel_that_is_freed_is_not_watched_any_more)
{
	for(int n = 0; n < 3; n++)
		for(int when = 0; when < 3; when++){
			Channel *c = ints(n);
			for(int sig = SIGUSR1; sig <= SIGUSR2; sig += SIGUSR2 -
					SIGUSR1)
				signalwatch(sig, c);
			if(when > 0)
				raise(SIGUSR1);
			if(when > 1)
				settle();
			chanfree(c);
			ck_assert(isdefault(SIGUSR1));
			ck_assert(isdefault(SIGUSR2));
			settle();
		}
}

static volatile sig_atomic_t handled;

static void
ownhandler(int sig)
{
	handled = sig;
}

static void
watchandend(void *v)
{
	Channel **c = v;

	signalwatch(SIGUSR1, c[0]);
	signalwatch(SIGUSR2, c[0]);
	signalwatch(SIGHUP, c[1]);
	raise(SIGUSR1);	/* not even answered at the end */
}

START_TEST(the_end_of_the_scheduler_puts_back_what_was_there)
{
	signal(SIGUSR1, ownhandler);
	signal(SIGHUP, SIG_IGN);
	for(int i = 0; i < 20; i++){
		Channel *c[] = {ints(0), ints(1)};
		ck_assert_int_eq(taskrun(watchandend, c), 0);
		chanfree(c[0]);
		chanfree(c[1]);
		ck_assert_int_eq(handled, 0);
		raise(SIGHUP);
		raise(SIGUSR1);
		ck_assert_int_eq(handled, SIGUSR1);
		handled = 0;
		ck_assert(isdefault(SIGUSR2));
	}
}
END_TEST

TASK_TEST(an_ignored_signal_can_be_watched)
{
	struct sigaction sa;
	Channel *c = ints(0);

	signal(SIGHUP, SIG_IGN);
	signalwatch(SIGHUP, c);
	raise(SIGHUP);
	ck_assert_int_eq(next(c), SIGHUP);
	signalunwatch(SIGHUP, c);
	sigaction(SIGHUP, NULL, &sa);
	ck_assert(sa.sa_handler == SIG_IGN);
	chanfree(c);
}

TASK_TEST(a_handler_set_over_the_watch_stays)
{
	Channel *c = ints(0);

	signalwatch(SIGUSR1, c);
	signal(SIGUSR1, ownhandler);
	raise(SIGUSR1);
	ck_assert_int_eq(handled, SIGUSR1);
	signalunwatch(SIGUSR1, c);
	handled = 0;
	raise(SIGUSR1);
	ck_assert_int_eq(handled, SIGUSR1);
	chanfree(c);
}

/* A second one before the first was received */

static void
twice(int sig, int buffer)
{
	Channel *c = ints(buffer);

	ck_assert_int_eq(signalwatch(sig, c), 0);
	raise(sig);
	raise(sig);
	exit(3);
}

static void
twiceatonce(void *v)
{
	(void)v;
	twice(SIGINT, 0);
}

static void
twiceterm(void *v)
{
	(void)v;
	twice(SIGTERM, 1);
}

static void
twicehup(void *v)
{
	(void)v;
	twice(SIGHUP, 1);
}

static void
whileithangs(int buffer)
{
	Channel *c = ints(buffer);

	ck_assert_int_eq(signalwatch(SIGINT, c), 0);
	raise(SIGINT);
	settle();
	raise(SIGINT);
	settle();
	exit(3);
}

static void
whilesending(void *v)
{
	(void)v;
	whileithangs(0);
}

static void
whileinbuffer(void *v)
{
	(void)v;
	whileithangs(5);
}

static void
bothreceived(void *v)
{
	(void)v;
	signal(SIGINT, SIG_DFL);	/* it is Check's */
	for(int n = 0; n < 4; n++){
		Channel *c = ints(n);
		ck_assert_int_eq(signalwatch(SIGINT, c), 0);
		for(int i = 0; i < 100; i++){
			raise(SIGINT);
			ck_assert_int_eq(next(c), SIGINT);
		}
		chanfree(c);
	}
	raise(SIGINT);	/* now it is as before */
	exit(3);
}

static int
diesof(void (*fn)(void *))
{
	char err[8192];
	int status = childtask(fn, err, sizeof err);

	return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

START_TEST(P34_a_second_SIGINT_or_SIGTERM_before_the_first_is_received_kills)
{
	ck_assert_int_eq(diesof(twiceatonce), SIGINT);
	ck_assert_int_eq(diesof(twiceterm), SIGTERM);
	ck_assert_int_eq(diesof(whilesending), SIGINT);
	ck_assert_int_eq(diesof(whileinbuffer), SIGINT);
}
END_TEST

START_TEST(a_second_one_of_others_does_not)
{
	ck_assert_int_eq(diesof(twicehup), -3);
}
END_TEST

START_TEST(a_second_SIGINT_after_the_first_is_received_does_not)
{
	ck_assert_int_eq(diesof(bothreceived), SIGINT);
}
END_TEST

static void
computing(void *v)
{
	Channel *c = ints(1);

	(void)v;
	ck_assert_int_eq(signalwatch(SIGTERM, c), 0);
	fprintf(stderr, "ready");
	for(;;)
		usleep(1000);
}

START_TEST(a_program_that_lets_nobody_run_dies_of_the_second)
{
	int fds[2], status;
	char c[5];

	ck_assert_int_eq(pipe(fds), 0);
	pid_t pid = fork();
	if(pid == 0){
		dup2(fds[1], 2);
		taskrun(computing, NULL);
		_exit(3);
	}
	for(size_t n = 0; n < sizeof c; n++)
		ck_assert_int_eq(read(fds[0], &c[n], 1), 1);
	kill(pid, SIGTERM);
	usleep(50000);
	ck_assert_int_eq(waitpid(pid, &status, WNOHANG), 0);
	do{	/* one that comes before the first was handled is the same */
		kill(pid, SIGTERM);
		usleep(10000);
	}while(waitpid(pid, &status, WNOHANG) == 0);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}
END_TEST

/* Threads without a scheduler, and fork */

static void *
raisehere(void *v)
{
	errno = 1234;
	raise((int)(intptr_t)v);
	ck_assert_int_eq(errno, 1234);
	return NULL;
}

TASK_TEST(the_signal_may_hit_a_thread_without_scheduler)
{
	Channel *c = ints(0);
	pthread_t thread;

	signalwatch(SIGUSR1, c);
	pthread_create(&thread, NULL, raisehere, (void *)(intptr_t)SIGUSR1);
	ck_assert_int_eq(next(c), SIGUSR1);
	pthread_join(thread, NULL);
	nomore(c);
	chanfree(c);
}

TASK_TEST(a_forked_child_watches_for_itself)
{
	Channel *c = ints(1);
	int status;

	if(TestFewer > 1)
		TEST_SKIP("TSan ignores what the task that forked does");
	signalwatch(SIGUSR1, c);
	raise(SIGUSR1);
	ck_assert_int_eq(next(c), SIGUSR1);
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if(pid == 0){
		for(int i = 0; i < 100; i++){
			kill(getpid(), SIGUSR1);
			if(next(c) != SIGUSR1)
				_exit(1);
		}
		settle();
		if(channbrecv(c, NULL) != -1 ||
				signalunwatch(SIGUSR1, c) < 0 ||
				!isdefault(SIGUSR1))
			_exit(2);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	nomore(c);	/* of what the child got */
	raise(SIGUSR1);
	ck_assert_int_eq(next(c), SIGUSR1);
	chanfree(c);
}

/* The signal comes just before the fork, and so the note is in the door. */
TASK_TEST(what_the_parent_was_told_keeps_nothing_from_the_child)
{
	Channel *c = ints(1);
	int status;

	if(TestFewer > 1)
		TEST_SKIP("TSan ignores what the task that forked does");
	signalwatch(SIGUSR1, c);
	raise(SIGUSR1);
	pid_t pid = fork();
	if(pid == 0){
		settle();
		if(channbrecv(c, NULL) != -1)
			_exit(1);
		kill(getpid(), SIGUSR1);
		/* there is nothing else to wait for: no deadlock */
		_exit(chanrecv(c, NULL) == 1 ? 0 : 2);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(next(c), SIGUSR1);
	pid = fork();
	if(pid == 0)
		_exit(chanrecv(c, NULL) == 1 ? 0 : 2);
	usleep(50000);	/* meanwhile the child waits, for this alone */
	kill(pid, SIGUSR1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	chanfree(c);
}

/* The child of a thread without scheduler has none that could receive. */
static void *
forkhere(void *v)
{
	int *status = v;
	pid_t pid = fork();

	if(pid == 0){
		raise(SIGUSR1);
		_exit(0);
	}
	waitpid(pid, status, 0);
	return NULL;
}

TASK_TEST(a_child_without_scheduler_has_the_signal_as_it_was)
{
	Channel *c = ints(1);
	pthread_t thread;
	int status;

	signalwatch(SIGUSR1, c);
	pthread_create(&thread, NULL, forkhere, &status);
	pthread_join(thread, NULL);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
	nomore(c);
	chanfree(c);
}

TASK_TEST(signals_that_come_while_others_fork_are_not_lost)
{
	Channel *c = ints(1);

	if(TestFewer > 1)
		TEST_SKIP("TSan ignores what the task that forked does");
	signalwatch(SIGUSR1, c);
	for(int i = 0; i < 20; i++){
		pid_t pid = fork();
		if(pid == 0){
			Timeout t;
			int got = 0;
			TIMEOUT(&t, 10000)
				got = chanrecv(c, NULL);
			_exit(got != 1);
		}
		kill(pid, SIGUSR1);	/* perhaps before it has begun */
		int status;
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(status, 0);
	}
	nomore(c);
	chanfree(c);
}

TASK_TEST(SIGQUIT_goes_to_who_watches_it)
{
	Channel *c = ints(0);

	signalwatch(SIGQUIT, c);
	raise(SIGQUIT);
	ck_assert_int_eq(next(c), SIGQUIT);
	signalunwatch(SIGQUIT, c);
	chanfree(c);
}

static void
quitthenlist(void *v)
{
	Channel *c = ints(0);

	(void)v;
	signalwatch(SIGQUIT, c);
	raise(SIGQUIT);
	next(c);
	settle();
	fprintf(stderr, "unwatched\n");
	signalunwatch(SIGQUIT, c);
	raise(SIGQUIT);
	settle();
	chanfree(c);
}

START_TEST(SIGQUIT_asks_for_the_list_of_tasks_again_afterwards)
{
	char err[8192];
	int status = childtask(quitthenlist, err, sizeof err);

	ck_assert_int_eq(status, 0);
	ck_assert_msg(strncmp(err, "unwatched\n", 10) == 0, "%s", err);
	ck_assert_msg(strstr(err, "task list") != NULL, "%s", err);
}
END_TEST

static void
listedwatch(void *v)
{
	Channel *c = ints(0);

	(void)v;
	signalwatch(SIGUSR1, c);
	settle();
	raise(SIGQUIT);
	settle();
	chanfree(c);
}

START_TEST(the_list_of_tasks_shows_the_watch)
{
	char err[8192], want[64];
	int status = childtask(listedwatch, err, sizeof err);

	ck_assert_int_eq(status, 0);
	snprintf(want, sizeof want, "signal %d\n", SIGUSR1);
	ck_assert_msg(strstr(err, want) != NULL, "%s", err);
}
END_TEST

/* As fd/sigpipe.c has it: output that nobody reads ends who does not watch. */
static void
printtonobody(void *v)
{
	Channel *c = ints(1);
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	dup2(fds[1], 1);
	close(fds[0]);
	close(fds[1]);
	if(v == NULL)
		signalwatch(SIGPIPE, c);
	ck_assert_int_eq(write(1, "x", 1), -1);
	ck_assert_int_eq(next(c), SIGPIPE);
	chanfree(c);
}

START_TEST(SIGPIPE_goes_to_who_watches_it)
{
	ck_assert_int_eq(diesof(printtonobody), 0);
}
END_TEST

/* The task that sends is the library's, but can be cancelled. */
TASK_TEST(a_cancelled_sender_ends_the_watch)
{
	Channel *c = ints(0);

	signalwatch(SIGUSR1, c);
	settle();
	int id = (int)taskid() + 1;
	ck_assert_int_eq(taskcancel(id), 0);
	settle();
	ck_assert(isdefault(SIGUSR1));
	FAILS(signalunwatch(SIGUSR1, c), ENOENT);
	signalwatch(SIGUSR1, c);
	raise(SIGUSR1);
	ck_assert_int_eq(taskinterrupt(id + 1), 0);
	ck_assert_int_eq(next(c), SIGUSR1);
	chanfree(c);
}

TASK_TEST(chanalt_waits_for_a_signal_beside_other_things)
{
	Channel *c = ints(1);
	int sig = 0;
	Alt a[] = {{.op = ALTDELAY, .ms = 10000},
		{.c = c, .v = &sig, .op = CHANRCV}, {.op = CHANEND}};

	signalwatch(SIGINT, c);
	taskcreate(killsoon, (void *)(intptr_t)SIGINT, 0);
	ck_assert_int_eq(chanalt(a), 1);
	ck_assert_int_eq(sig, SIGINT);
	chanfree(c);
}

/* A handler could do none of this: what receives the signal is a task. */
static void
allocating(void *v)
{
	Channel *seen = v;
	Channel *c = ints(0);
	unsigned char *p = malloc(100);
	int sig;

	signalwatch(SIGUSR1, c);
	for(unsigned long n = 0; chanrecv(c, &sig) == 1; n++){
		free(p);
		p = malloc(100 + n % 1000);
		if(chansendul(seen, n) != 1)
			break;
	}
	free(p);
	chanfree(c);
}

TASK_TEST(S0_18_a_thousand_signals_while_tasks_allocate)
{
	Channel *seen = chancreate(sizeof(unsigned long), 2000);
	int n = fewer(1000);

	taskcreate(allocating, seen, 0);
	taskyield();
	for(int i = 0; i < n; i++){
		ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
		free(malloc(50 + (size_t)i));
		if(i % 3 == 0)
			taskyield();
	}
	taskdelay(20);		/* what merged has come by then */
	int before = chanlen(seen);
	ck_assert_int_ge(before, 1);
	ck_assert_int_le(before, n);
	ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
	taskdelay(20);
	ck_assert_int_eq(chanlen(seen), before + 1);
	chanclose(seen);
	kill(getpid(), SIGUSR1);
	taskdelay(20);
	chanfree(seen);
}

TEST_MAIN("watch",
	S0_18_a_thousand_signals_while_tasks_allocate,
	a_watched_signal_is_received,
	who_waits_for_a_signal_alone_is_not_a_deadlock,
	a_deadlock_is_reported_once_nothing_is_watched,
	wrong_arguments_are_refused, outside_a_task_it_is_EPERM,
	a_channel_of_another_proc_is_EPERM, a_shared_channel_is_EPERM,
	to_watch_twice_is_to_watch_once,
	several_channels_and_signals_do_not_mix,
	P33_a_full_channel_keeps_no_other_waiting_and_loses_nothing,
	ten_thousand_signals_from_another_thread,
	ten_thousand_signals_one_by_one, each_proc_that_watches_gets_it,
	watches_come_and_go_while_signals_come,
	a_channel_that_is_closed_is_not_watched_any_more,
	a_channel_that_is_freed_is_not_watched_any_more,
	the_end_of_the_scheduler_puts_back_what_was_there,
	an_ignored_signal_can_be_watched,
	a_handler_set_over_the_watch_stays,
	P34_a_second_SIGINT_or_SIGTERM_before_the_first_is_received_kills,
	a_second_one_of_others_does_not,
	a_second_SIGINT_after_the_first_is_received_does_not,
	a_program_that_lets_nobody_run_dies_of_the_second,
	the_signal_may_hit_a_thread_without_scheduler,
	a_forked_child_watches_for_itself,
	a_child_without_scheduler_has_the_signal_as_it_was,
	what_the_parent_was_told_keeps_nothing_from_the_child,
	signals_that_come_while_others_fork_are_not_lost,
	SIGQUIT_goes_to_who_watches_it,
	SIGQUIT_asks_for_the_list_of_tasks_again_afterwards,
	the_list_of_tasks_shows_the_watch, SIGPIPE_goes_to_who_watches_it,
	a_cancelled_sender_ends_the_watch,
	chanalt_waits_for_a_signal_beside_other_things)
