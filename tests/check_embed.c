/* SPDX-License-Identifier: MIT */
/* A scheduler in another loop: by hand, and in a loop of select(2). */
#include "test.h"
#include "watched.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>

static int nsteps;

/* Whether the descriptor can be read, within ms. */
static int
told(int ms)
{
	struct pollfd p = {.fd = procfd(), .events = POLLIN};

	return poll(&p, 1, ms) > 0 && p.revents == POLLIN;
}

/* The plainest host: a loop of select that knows nothing but the descriptor. */
static void
loop(void)
{
	int fd = procfd(), left;
	fd_set set;

	do{
		FD_ZERO(&set);
		FD_SET(fd, &set);
		struct timeval most = {10, 0};
		ck_assert_int_eq(select(fd + 1, &set, NULL, NULL, &most), 1);
		nsteps++;
		left = procstep(0);
		ck_assert_int_ge(left, 0);
	}while(left > 0);
}

/* steps until there is nothing more to do at once, however slow it is here. */
static int
step(int ms)
{
	int left;

	do
		left = procstep(ms);
	while(left == 2);
	return left;
}

static void
loopwith(void (*fn)(void *), void *arg)
{
	ck_assert_int_gt(procopen(fn, arg), 0);
	loop();
	ck_assert_int_eq(procclose(), 0);
}

static void
noting(void *text)
{
	notes(text);
}

static void
two(void *v)
{
	(void)v;
	note('a');
	taskcreate(noting, (void *)"b", 0);
	taskyield();
	note('c');
}

START_TEST(tasks_run_in_procstep_only_and_it_tells_what_is_left)
{
	ck_assert_int_gt(procopen(two, NULL), 0);
	ck_assert_str_eq(trace, "");
	ck_assert_int_eq(told(0), 1);
	ck_assert_int_eq(step(0), 0);
	ck_assert_str_eq(trace, "abc");
	ck_assert_int_eq(step(0), 0);
	ck_assert_int_eq(step(-1), 0);
	ck_assert_int_eq(told(0), 0);
	ck_assert_int_eq(procclose(), 0);
}
END_TEST

static void
exits(void *v)
{
	taskexit((int)(intptr_t)v);
}

START_TEST(procclose_returns_the_status_as_taskrun_does)
{
	ck_assert_int_gt(procopen(exits, (void *)5), 0);
	errno = ENOTTY;
	ck_assert_int_eq(step(-1), 0);
	ck_assert_int_eq(procclose(), 5);
	ck_assert_int_eq(errno, ENOTTY);
	ck_assert_int_eq(taskrun(exits, (void *)6), 6);
	ck_assert_int_gt(procopen(exits, (void *)7), 0);
	ck_assert_int_eq(step(-1), 0);
	ck_assert_int_eq(procclose(), 7);
}
END_TEST

static void
within(void *v)
{
	(void)v;
	FAILS(procopen(nothing, NULL), EBUSY);
	FAILS(procstep(0), EPERM);
	FAILS(procclose(), EPERM);
	ck_assert_int_gt(taskid(), 0);
}

static void *
elsewhere(void *v)
{
	FAILS(procfd(), EPERM);
	FAILS(procstep(0), EPERM);
	FAILS(procclose(), EPERM);
	return v;
}

START_TEST(what_cannot_be_is_told)
{
	pthread_t thread;
	Channel *c = chancreate(sizeof(long), 1);

	elsewhere(NULL);
	FAILS(procopen(NULL, NULL), EINVAL);
	run(within);
	loopwith(within, NULL);
	ck_assert_int_gt(procopen(nothing, NULL), 0);
	FAILS(procopen(nothing, NULL), EBUSY);
	FAILS(taskrun(nothing, NULL), EBUSY);
	FAILS(procstep(-2), EINVAL);
	FAILS(chansendul(c, 1), EPERM);
	FAILS(taskyield(), EPERM);
	FAILS(procself(), EPERM);
	ck_assert_int_eq(pthread_create(&thread, NULL, elsewhere, NULL), 0);
	pthread_join(thread, NULL);
	loop();
	ck_assert_int_eq(procclose(), 0);
	elsewhere(NULL);
	chanfree(c);
}
END_TEST

/* Time */

static void
delaying(void *v)
{
	for(int i = 0; i < 3; i++){
		taskdelay((unsigned int)(intptr_t)v);
		note('.');
	}
}

START_TEST(delays_are_told_by_the_descriptor_and_never_early)
{
	int64_t from = nowns();

	loopwith(delaying, (void *)30);
	ck_assert_str_eq(trace, "...");
	ck_assert_int_ge(nowns() - from, 90000000);
	ck_assert_int_le(nsteps, 12);
}
END_TEST

START_TEST(procstep_waits_as_long_as_it_is_told_to)
{
	int64_t opened = nowns();

	ck_assert_int_gt(procopen(delaying, (void *)60), 0);
	ck_assert_int_eq(step(0), 1);
	int64_t from = nowns();
	ck_assert_int_eq(step(0), 1);
	ck_assert_int_eq(step(10), 1);
	ck_assert_int_ge(nowns() - from, 10000000);
	if(nowns() - opened < 60000000)
		ck_assert_str_eq(trace, "");
	if(*trace == '\0')
		ck_assert_int_eq(step(-1), 1);
	ck_assert_str_eq(trace, ".");
	ck_assert_int_eq(step(60000), 1);
	ck_assert_int_eq(step(60000), 0);
	ck_assert_str_eq(trace, "...");
	ck_assert_int_eq(procclose(), 0);
}
END_TEST

static void
deadline(void *v)
{
	int fds[2];
	char c;
	Timeout t;

	(void)v;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	fdnoblock(fds[0]);
	TIMEOUT(&t, 20)
		FAILS(fdread(fds[0], &c, 1), ETIMEDOUT);
	fdclose(fds[0]);
	close(fds[1]);
}

START_TEST(deadlines_hold)
{
	loopwith(deadline, NULL);
}
END_TEST

/* Descriptors */

static int pair[2];

static void
echoing(void *v)
{
	char buf[64];
	ssize_t n;

	(void)v;
	while((n = fdread(pair[0], buf, sizeof buf)) > 0)
		fdwrite(pair[0], buf, (size_t)n);
	fdclose(pair[0]);
}

static void
makepair(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	fdnoblock(pair[0]);
	fcntl(pair[1], F_SETFL, O_NONBLOCK);
}

/* steps while there is something to do at once. */
static int
steps(void)
{
	int left = 1;

	while(told(0))
		left = procstep(0);
	return left;
}

START_TEST(a_descriptor_that_can_be_read_is_told_and_then_not_any_more)
{
	char c = 'x';

	makepair();
	ck_assert_int_gt(procopen(echoing, NULL), 0);
	steps();
	for(int i = 0; i < 100; i++){
		ck_assert_int_eq(told(0), 0);
		ck_assert_int_eq(write(pair[1], &c, 1), 1);
		for(int j = 0; j < 10 && read(pair[1], &c, 1) < 0; j++){
			ck_assert_int_eq(told(5000), 1);
			ck_assert_int_gt(procstep(0), 0);
		}
		steps();
	}
	close(pair[1]);
	loop();
	ck_assert_int_eq(procclose(), 0);
}
END_TEST

enum { Pairs = 40, Rounds = 20 };

static void
asking(void *v)
{
	int fd = (int)(intptr_t)v;
	char c = 'q';

	for(int i = 0; i < Rounds; i++){
		ck_assert_int_eq(fdwrite(fd, &c, 1), 1);
		ck_assert_int_eq(fdread(fd, &c, 1), 1);
	}
	fdclose(fd);
	note('.');
}

static void
answering(void *v)
{
	int fd = (int)(intptr_t)v;
	char c;

	while(fdread(fd, &c, 1) == 1)
		fdwrite(fd, &c, 1);
	fdclose(fd);
}

static void
manypairs(void *v)
{
	int fds[2];

	(void)v;
	for(int i = 0; i < Pairs; i++){
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
		fdnoblock(fds[0]);
		fdnoblock(fds[1]);
		taskcreate(asking, (void *)(intptr_t)fds[0], 0);
		taskcreate(answering, (void *)(intptr_t)fds[1], 0);
	}
}

START_TEST(many_tasks_read_and_write_in_a_loop_of_select)
{
	loopwith(manypairs, NULL);
	ck_assert_uint_eq(strlen(trace), Pairs);
}
END_TEST

static void
tellpoller(void *v)
{
	*(const char **)v = taskpoller();
}

START_TEST(poll_is_epoll_here_and_the_others_stay)
{
	const char *name = NULL, *asked = getenv("TASKPOLLER");
	int uring = asked && strcmp(asked, "uring") == 0;

	loopwith(tellpoller, &name);
	ck_assert_str_eq(name, uring ? "uring" : "epoll");
}
END_TEST

/* Others, and the host itself */

static int host, stay;

static void
staying(void *v)
{
	(void)v;
	while(!taskcancelled() && stay)
		taskdelay(60000);
}

static void
counting(void *v)
{
	note(*(char *)v);
}

static void
endstay(void *v)
{
	(void)v;
	stay = 0;
	taskcancel(1);
}

static void *
posting(void *v)
{
	(void)v;
	for(int i = 0; i < 100; i++){
		ck_assert_int_eq(procpost(host, counting, (void *)".", 0), 0);
		if(i % 10 == 0)
			usleep(1000);
	}
	procpost(host, endstay, NULL, 0);
	return NULL;
}

static void
openstay(void)
{
	stay = 1;
	host = procopen(staying, NULL);
	ck_assert_int_gt(host, 0);
}

START_TEST(posts_of_other_threads_are_told_by_the_descriptor)
{
	pthread_t thread;

	openstay();
	ck_assert_int_eq(step(0), 1);
	ck_assert_int_eq(told(0), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, posting, NULL), 0);
	loop();
	pthread_join(thread, NULL);
	FAILS(procpost(host, nothing, NULL, 0), ESRCH);
	ck_assert_int_eq(procclose(), 0);
	ck_assert_uint_eq(strlen(trace), 100);
}
END_TEST

START_TEST(a_post_ends_a_wait_in_procstep)
{
	pthread_t thread;

	openstay();
	ck_assert_int_eq(pthread_create(&thread, NULL, posting, NULL), 0);
	while(procstep(-1) > 0)
		;
	pthread_join(thread, NULL);
	ck_assert_int_eq(procclose(), 0);
	ck_assert_uint_eq(strlen(trace), 100);
}
END_TEST

START_TEST(the_host_posts_and_creates_between_two_steps)
{
	openstay();
	steps();
	ck_assert_int_eq(procpost(host, counting, (void *)"p", 0), 0);
	ck_assert_int_eq(told(0), 1);
	ck_assert_int_eq(step(0), 1);
	ck_assert_str_eq(trace, "p");
	steps();
	ck_assert_int_eq(told(0), 0);
	ck_assert_int_eq(taskcreate(counting, (void *)"c", 0), 3);
	ck_assert_str_eq(trace, "p");
	ck_assert_int_eq(told(0), 1);
	ck_assert_int_eq(step(0), 1);
	ck_assert_str_eq(trace, "pc");
	taskcreate(endstay, NULL, 0);
	loop();
	ck_assert_int_gt(taskcreate(counting, (void *)"l", 0), 0);
	ck_assert_int_eq(procclose(), 0);
	ck_assert_str_eq(trace, "pc");
	run(nothing);	/* which has made the last one */
	ck_assert_str_eq(trace, "pcl");
}
END_TEST

static Channel *shared;

static void
recvshared(void *v)
{
	unsigned long n;

	(void)v;
	while(chanrecv(shared, &n) == 1)
		note((char)n);
}

START_TEST(the_host_uses_shared_channels_between_two_steps)
{
	shared = chanshared(sizeof(unsigned long), 0);
	ck_assert_int_gt(procopen(recvshared, NULL), 0);
	steps();
	ck_assert_int_eq(told(0), 0);
	ck_assert_int_eq(channbsendul(shared, 'a'), 1);
	FAILS(channbsendul(shared, 'b'), EAGAIN);
	ck_assert_int_eq(told(0), 1);
	ck_assert_str_eq(trace, "");
	ck_assert_int_eq(step(0), 1);
	ck_assert_str_eq(trace, "a");
	steps();
	ck_assert_int_eq(chanclose(shared), 0);
	loop();
	ck_assert_int_eq(procclose(), 0);
	chanfree(shared);
}
END_TEST

static int
twice(void *v)
{
	note('x');
	return 2 * *(int *)v;
}

static void
calling(void *v)
{
	int n = 21;

	(void)v;
	ck_assert_int_eq(proccall(host, twice, &n), 42);
	procpost(host, endstay, NULL, 0);
}

static void
callback(void *v)
{
	(void)v;
	host = procself();
	stay = 1;
	ck_assert_int_eq(host, *(int *)v);
	ck_assert_int_gt(proccreate(calling, NULL, 0), 0);
	staying(NULL);
}

START_TEST(other_procs_call_into_it_and_it_waits_for_them)
{
	int number = procopen(callback, &number);

	ck_assert_int_gt(number, 0);
	loop();
	ck_assert_int_eq(procclose(), 0);
	ck_assert_str_eq(trace, "x");
}
END_TEST

static int
sleepy(void *v)
{
	usleep(20000);
	return (int)(intptr_t)v;
}

static void
offloading(void *v)
{
	(void)v;
	ck_assert_int_eq(offload(sleepy, (void *)9), 9);
	note('o');
}

START_TEST(what_a_thread_of_the_pool_has_done_is_told)
{
	loopwith(offloading, NULL);
	ck_assert_str_eq(trace, "o");
}
END_TEST

static void
blocked(void *v)
{
	chanrecvul(v);
	note('r');
}

static void
unblock(void *v)
{
	chansendul(v, 1);
}

START_TEST(a_scheduler_that_only_its_host_can_wake_is_no_deadlock)
{
	Channel *c = chancreate(sizeof(unsigned long), 0);

	ck_assert_int_gt(procopen(blocked, c), 0);
	ck_assert_int_eq(step(0), 1);
	ck_assert_int_eq(step(20), 1);
	ck_assert_int_eq(told(20), 0);
	taskcreate(unblock, c, 0);
	ck_assert_int_eq(step(-1), 0);
	ck_assert_str_eq(trace, "r");
	ck_assert_int_eq(procclose(), 0);
	chanfree(c);
}
END_TEST

/* Ends */

static void
spinning(void *v)
{
	for(*(int *)v = 1; ; )
		taskyield();
}

START_TEST(tasks_that_always_can_go_on_let_the_host_run)
{
	int runs = 0;

	ck_assert_int_gt(procopen(spinning, &runs), 0);
	for(int i = 0; i < 5; i++){
		ck_assert_int_eq(procstep(-1), 2);
		ck_assert_int_eq(told(0), 1);
	}
	ck_assert_int_eq(runs, 1);
	FAILS(procclose(), ECANCELED);
}
END_TEST

static void
shutting(void *v)
{
	(void)v;
	ck_assert_int_eq(taskshutdown(), 0);
	note('s');
}

static void
cleaning(void *v)
{
	notes(v);
}

static void
deferring(void *v)
{
	(void)v;
	taskdefer(cleaning, (void *)"d");
	taskdelay(60000);
}

START_TEST(tasks_that_are_left_are_given_up_or_shut_down)
{
	Channel *c = chancreate(sizeof(unsigned long), 0);

	ck_assert_int_gt(procopen(blocked, c), 0);
	ck_assert_int_eq(step(0), 1);
	FAILS(procclose(), ECANCELED);
	ck_assert_str_eq(trace, "");
	chanfree(c);	/* nobody is in its queue */
	ck_assert_int_gt(procopen(deferring, NULL), 0);
	ck_assert_int_eq(step(0), 1);
	taskcreate(shutting, NULL, 0);
	loop();
	ck_assert_int_eq(procclose(), 0);
	ck_assert_str_eq(trace, "ds");
}
END_TEST

static void
asystem(void *v)
{
	(void)v;
	tasksystem();
	taskdelay(60000);
}

static void
withsystem(void *v)
{
	(void)v;
	taskcreate(asystem, NULL, 0);
	taskdelay(10);
}

START_TEST(system_tasks_do_not_keep_it_open)
{
	loopwith(withsystem, NULL);
}
END_TEST

START_TEST(it_can_be_closed_before_anything_has_run)
{
	for(int i = 0; i < 100; i++){
		ck_assert_int_gt(procopen(manypairs, NULL), 0);
		FAILS(procclose(), ECANCELED);
	}
	int fd = dup(0);
	ck_assert_int_lt(fd, 20);
	close(fd);
}
END_TEST

START_TEST(an_idle_host_uses_no_cpu)
{
	struct pollfd p = {.events = POLLIN};
	int64_t from, end;

	makepair();
	openstay();
	taskcreate(echoing, NULL, 0);
	steps();
	taskcreate(nothing, NULL, 0);
	steps();
	p.fd = procfd();
	from = cpuns();
	end = nowns() + 400000000;
	/* stacks that idle are given back, once a second: a step or two */
	for(int64_t left; (left = end - nowns()) > 0; )
		if(poll(&p, 1, (int)(left / 1000000) + 1) > 0){
			nsteps++;
			procstep(0);
		}
	ck_assert_int_le(nsteps, 3);
	if(!watched())
		ck_assert_int_lt(cpuns() - from, 50000000);
	close(pair[1]);
	taskcreate(endstay, NULL, 0);
	loop();
	ck_assert_int_eq(procclose(), 0);
}
END_TEST

static atomic_int nhosts;

static void
delayonly(void *v)
{
	taskdelay((unsigned int)(intptr_t)v);
}

static void *
hosting(void *v)
{
	ck_assert_int_gt(procopen(delayonly, (void *)5), 0);
	while(procstep(-1) > 0)
		;
	ck_assert_int_eq(procclose(), 0);
	atomic_fetch_add(&nhosts, 1);
	return v;
}

START_TEST(each_thread_may_have_one)
{
	pthread_t threads[4];

	for(int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
			hosting, NULL), 0);
	loopwith(delaying, (void *)5);
	for(int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(nhosts, 4);
}
END_TEST

/* Signals and forks */

static void
quitted(void)
{
	openstay();
	steps();
	raise(SIGQUIT);
	ck_assert_int_eq(told(1000), 1);
	ck_assert_int_eq(step(0), 1);
	steps();
	taskcreate(endstay, NULL, 0);
	loop();
	procclose();
}

START_TEST(SIGQUIT_between_two_steps_lists_the_tasks_in_the_next)
{
	char err[8192];

	ck_assert_int_eq(child(quitted, err, sizeof err), 0);
	ck_assert_ptr_nonnull(strstr(err, "task list"));
	ck_assert_ptr_nonnull(strstr(err, "delay"));
}
END_TEST

/* The child has the tasks too, and does what it wants with them. */
static int
forkand(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if(pid == 0){
		fn();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static void
pingpong(void)
{
	char c = 'x';
	struct pollfd p = {.fd = procfd(), .events = POLLIN};

	ck_assert_int_eq(write(pair[1], &c, 1), 1);
	while(read(pair[1], &c, 1) < 0){
		ck_assert_int_eq(poll(&p, 1, 5000), 1);
		ck_assert_int_gt(procstep(0), 0);
	}
	steps();
	ck_assert_int_eq(told(0), 0);
}

static void
inchild(void)
{
	int fd = procfd();

	for(int i = 0; i < 3; i++)
		pingpong();
	ck_assert_int_eq(procpost(host, counting, (void *)"p", 0), 0);
	ck_assert_int_eq(told(0), 1);
	steps();
	ck_assert_int_eq(trace[0], 'p');
	ck_assert_int_eq(procfd(), fd);
	stay = 0;
	FAILS(procclose(), ECANCELED);
}

START_TEST(the_child_of_a_fork_goes_on_by_the_same_number_alone)
{
	if(TestFewer > 1)
		TEST_SKIP("TSan does not know tasks in the child of a fork");
	makepair();
	openstay();
	taskcreate(echoing, NULL, 0);
	steps();
	pingpong();
	int fd = procfd();
	ck_assert_int_eq(forkand(inchild), 0);
	ck_assert_int_eq(procfd(), fd);
	for(int i = 0; i < 3; i++)
		pingpong();
	close(pair[1]);
	taskcreate(endstay, NULL, 0);
	loop();
	ck_assert_int_eq(procclose(), 0);
	ck_assert_str_eq(trace, "");
}
END_TEST

static void
forking(void *v)
{
	*(pid_t *)v = fork();
	taskdelay(10);
	note('f');
}

START_TEST(a_task_may_fork)
{
	pid_t pid = -1;
	int status;

	if(TestFewer > 1)
		TEST_SKIP("TSan does not know tasks in the child of a fork");
	loopwith(forking, &pid);
	ck_assert_str_eq(trace, "f");
	if(pid == 0)
		_exit(3);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 3 << 8);
}
END_TEST

/* Check's own are closed too: it cannot tell what fails here. */
#define SURE(what) if(!(what)) fprintf(stderr, "%d: %s\n", __LINE__, #what)

static void
closesall(void)
{
	char c = 'x';

	makepair();
	openstay();
	taskcreate(echoing, NULL, 0);
	steps();
	for(int fd = 3; fd < 64; fd++)
		if(fd != pair[0] && fd != pair[1])
			close(fd);
	int other = open("/dev/null", O_RDONLY);
	int fd = procfd();
	SURE(fd >= 0 && fd != other);
	SURE(write(pair[1], &c, 1) == 1);
	for(int i = 0; i < 100 && (c = '\0', read(pair[1], &c, 1)) < 0; i++)
		if(told(100))
			SURE(procstep(0) > 0);
	SURE(c == 'x');
	SURE(read(other, &c, 1) == 0);
	SURE(procclose() == -1 && errno == ECANCELED);
	SURE(read(other, &c, 1) == 0);
	_exit(0);
}

START_TEST(a_program_that_closes_all_descriptors_asks_for_another)
{
	char err[8192];

	int status = child(closesall, err, sizeof err);
	ck_assert_msg(status == 0 && *err == '\0', "%#x: %s",
		(unsigned)status, err);
}
END_TEST

static pid_t forked = -1;

static void
forkalone(void *v)
{
	taskdelay(1);
	forked = taskfork();
	taskdelay(1);
	if(forked == 0)
		*(int *)v = 7;
	taskexit(forked == 0 ? 7 : 0);
}

static void
neverends(void *v)
{
	for(;;)
		taskdelay(*(int *)v ? 100 : 1);
}

START_TEST(one_task_goes_on_in_a_forks_child_of_the_host)
{
	int alone = 0, status;

	if(TestFewer > 1)
		TEST_SKIP("TSan does not follow what a child does");
	ck_assert_int_gt(procopen(forkalone, &alone), 0);
	taskcreate(neverends, &alone, 0);
	while(forked < 0)
		procstep(-1);
	if(forked == 0){	/* the child's loop ends, for it is alone */
		loop();
		_exit(procclose() == 7 && alone ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(forked, &status, 0), forked);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(procstep(0) >= 1, 1);
	ck_assert_int_eq(procclose(), -1);
}
END_TEST

TEST_MAIN("embed",
	one_task_goes_on_in_a_forks_child_of_the_host,
	tasks_run_in_procstep_only_and_it_tells_what_is_left,
	procclose_returns_the_status_as_taskrun_does, what_cannot_be_is_told,
	delays_are_told_by_the_descriptor_and_never_early,
	procstep_waits_as_long_as_it_is_told_to, deadlines_hold,
	a_descriptor_that_can_be_read_is_told_and_then_not_any_more,
	many_tasks_read_and_write_in_a_loop_of_select,
	poll_is_epoll_here_and_the_others_stay,
	posts_of_other_threads_are_told_by_the_descriptor,
	a_post_ends_a_wait_in_procstep,
	the_host_posts_and_creates_between_two_steps,
	the_host_uses_shared_channels_between_two_steps,
	other_procs_call_into_it_and_it_waits_for_them,
	what_a_thread_of_the_pool_has_done_is_told,
	a_scheduler_that_only_its_host_can_wake_is_no_deadlock,
	tasks_that_always_can_go_on_let_the_host_run,
	tasks_that_are_left_are_given_up_or_shut_down,
	system_tasks_do_not_keep_it_open,
	it_can_be_closed_before_anything_has_run, an_idle_host_uses_no_cpu,
	each_thread_may_have_one,
	SIGQUIT_between_two_steps_lists_the_tasks_in_the_next,
	the_child_of_a_fork_goes_on_by_the_same_number_alone,
	a_task_may_fork, a_program_that_closes_all_descriptors_asks_for_another)
