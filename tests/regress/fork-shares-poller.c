/* SPDX-License-Identifier: MIT */
/* After fork(2) parent and child go on, each with its own events. */
/*
 * Cause: the epoll set or the ring was one for both.  A child's fdclose took
 * the parent's descriptor out of the set; events went to whoever asked first;
 * a ring answers its maker only, so a daemon's waits never ended, deadlines
 * neither.
 * Fix: a handler of pthread_atfork tells the child's poller that what it had in
 * the kernel is the parent's.  It makes another in its next wait, where all that
 * is waited for is armed anew, and calls that were under way are begun anew.
 */
#include <pthread.h>
#include "../fdtest.h"
#include "../watched.h"

/* In a child: says what was not so, and ends it. */
#define MUST(what) \
	do{ \
		if(!(what)){ \
			fprintf(stderr, "child, line %d: %s\n", __LINE__, #what); \
			_exit(1); \
		} \
	}while(0)

/*
 * To ThreadSanitizer tasks are threads, and it does not follow the child of a
 * process that has several.
 */
#define TASKS_IN_CHILD \
	if(TestFewer > 1) \
		TEST_SKIP("ThreadSanitizer does not see what a child does")

/* 0 in the child, which dies if it hangs. */
static pid_t
branch(void)
{
	pid_t pid = fork();

	if(pid == 0)
		alarm(TestSeconds / 2);
	else
		ck_assert_int_ge(pid, 0);
	return pid;
}

static void
ended(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

/* One fdread, in a task of its own. */
typedef struct Reader
{
	int fd;
	ssize_t n;
	int err;
	char c;
} Reader;

static void
reader(void *v)
{
	Reader *r = v;

	r->n = fdread(r->fd, &r->c, 1);
	r->err = errno;
}

static int
startread(Reader *r, int fd)
{
	*r = (Reader){.fd = fd, .n = -2};
	int id = taskcreate(reader, r, 0);
	settle();
	return id;
}

/* Messages there and back, as many as are to come. */
static int
talks(void)
{
	enum { Messages = 20 };
	Reader r;
	int fds[2], n = 0;

	if(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0)
		return 0;
	for(int i = 0; i < Messages; i++){
		startread(&r, fds[0]);
		if(fdwrite(fds[1], "x", 1) != 1)
			return 0;
		while(r.n == -2)
			taskdelay(1);
		n += r.n == 1;
	}
	fdclose(fds[0]);
	fdclose(fds[1]);
	return n == Messages;
}

TASK_TEST(a_child_that_closes_and_executes_leaves_the_parent_alone)
{
	int fds[2];
	Reader r;

	pair(fds);
	startread(&r, fds[0]);
	pid_t pid = branch();
	if(pid == 0){
		fdclose(fds[0]);
		fdclose(fds[1]);
		execlp("true", "true", (char *)NULL);
		_exit(127);
	}
	ended(pid);
	ck_assert_int_eq(fdwrite(fds[1], "x", 1), 1);
	settle();
	ck_assert_int_eq(r.n, 1);
}

TASK_TEST(a_daemon_goes_on_where_its_parent_ends)
{
	Timeout t;
	Reader r;
	int fds[2], status;
	pid_t pid = branch();

	TASKS_IN_CHILD;
	if(pid == 0){
		pid = fork();	/* the parent of a daemon is gone */
		if(pid > 0)
			_exit(waitpid(pid, &status, 0) != pid || status != 0);
		alarm(TestSeconds / 2);
		MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
			fds) == 0);
		MUST(talks());
		timeoutstart(&t, 1);
		MUST(fdread(fds[0], &r.c, 1) < 0 && errno == ETIMEDOUT);
		timeoutstop(&t);
		taskexitall(0);
	}
	ended(pid);
}

/* A number of the one is another file's in the other. */
TASK_TEST(both_hear_of_all_that_is_theirs)
{
	enum { Children = 3 };
	pid_t pids[Children];
	Reader r;
	int fds[2];

	TASKS_IN_CHILD;
	pair(fds);
	startread(&r, fds[0]);
	int n = openfds();
	for(int i = 0; i < Children; i++){
		pids[i] = branch();
		if(pids[i] == 0){
			MUST(talks());
			MUST(openfds() == n);
			_exit(0);
		}
	}
	ck_assert(talks());
	for(int i = 0; i < Children; i++)
		ended(pids[i]);
	ck_assert_int_eq(r.n, -2);
	ck_assert_int_eq(fdwrite(fds[1], "x", 1), 1);
	settle();
	ck_assert_int_eq(r.n, 1);
}

/* A read, and others behind it, are waited for when the child is made. */
TASK_TEST(who_waits_in_both_is_woken_in_both)
{
	enum { Readers = 3 };
	Reader r[Readers];
	int fds[2], ready[2], id[Readers];
	char c;

	TASKS_IN_CHILD;
	pair(fds);
	ck_assert_int_eq(pipe(ready), 0);
	for(int i = 0; i < Readers; i++)
		id[i] = startread(&r[i], fds[0]);
	pid_t pid = branch();
	if(pid == 0){
		MUST(read(ready[0], &c, 1) == 1);
		for(int i = 0; i < Readers; i++)
			while(r[i].n == -2)
				taskdelay(1);
		for(int i = 0; i < Readers; i++)
			MUST(r[i].n == 1 && r[i].c == 'a' + i);
		_exit(0);
	}
	for(int i = 0; i < Readers; i++){	/* the bytes are the child's */
		taskcancel(id[i]);
		settle();
		ck_assert_int_eq(r[i].err, ECANCELED);
	}
	ck_assert_int_eq(fdwrite(fds[1], "abc", 3), 3);
	ck_assert_int_eq(write(ready[1], "x", 1), 1);
	ended(pid);
}

/* The kernel has yet to say that they have ended; to the child it never will. */
TASK_TEST(calls_that_were_given_up_before_end_in_both)
{
	Reader r[2];
	int fds[2][2];

	TASKS_IN_CHILD;
	pair(fds[0]);
	pair(fds[1]);
	int id = startread(&r[0], fds[0][0]);
	startread(&r[1], fds[1][0]);
	taskcancel(id);
	fdclose(fds[1][0]);
	pid_t pid = branch();
	while(r[0].n == -2 || r[1].n == -2)
		taskdelay(1);
	if(pid == 0){
		MUST(r[0].err == ECANCELED && r[1].err == EBADF);
		MUST(talks());
		_exit(0);
	}
	ended(pid);
	ck_assert_int_eq(r[0].err, ECANCELED);
	ck_assert_int_eq(r[1].err, EBADF);
}

/* It may be any call that ends what it waits for, before the first wait. */
TASK_TEST(a_child_may_cut_what_waited_before_it_was_made)
{
	Reader r[3];
	int fds[2], id[3];

	TASKS_IN_CHILD;
	pair(fds);
	for(int i = 0; i < 3; i++)
		id[i] = startread(&r[i], fds[0]);
	pid_t pid = branch();
	if(pid == 0){
		taskcancel(id[1]);
		taskyield();
		MUST(r[1].err == ECANCELED);
		taskcancel(id[0]);
		while(r[0].n == -2)
			taskyield(), taskdelay(0);
		MUST(r[0].err == ECANCELED && r[2].n == -2);
		fdclose(fds[0]);
		while(r[2].n == -2)
			taskdelay(0);
		MUST(r[2].err == EBADF);
		_exit(0);
	}
	ended(pid);
	ck_assert_int_eq(fdwrite(fds[1], "abc", 3), 3);
	settle();
	for(int i = 0; i < 3; i++)
		ck_assert_int_eq(r[i].n, 1);
}

static int port, dialled;

static void
dialler(void *v)
{
	(void)v;
	dialled = netdial(TCP, "127.0.0.1", port);
}

static int
accepted(int listener)
{
	return netaccept(listener, NULL, NULL) >= 0;
}

/* The queue of the listener is full, so the third waits for an answer. */
TASK_TEST(a_connection_that_was_begun_before_is_made_in_both)
{
	int listener = netannounce(TCP, "127.0.0.1", 0);

	TASKS_IN_CHILD;
	ck_assert_int_eq(listen(listener, 0), 0);
	port = portof(listener);
	ck_assert_int_ge(netdial(TCP, "127.0.0.1", port), 0);
	taskcreate(dialler, NULL, 0);
	dialled = -2;
	settle();
	if(dialled >= 0){
		dialled = -2;
		taskcreate(dialler, NULL, 0);
		settle();
	}
	pid_t pid = branch();
	if(pid == 0){
		MUST(dialled == -2);
		while(dialled == -2)
			taskdelay(1);
		MUST(dialled >= 0);
		_exit(0);
	}
	ck_assert(accepted(listener));
	while(dialled == -2)
		taskdelay(1);
	ck_assert_int_ge(dialled, 0);
	ended(pid);
}

static void
inchild(void *v)
{
	(void)v;
	MUST(talks());
}

/* No task and no scheduler in the child; the parent has one in another thread. */
static void *
forker(void *v)
{
	pid_t *pid = v;

	*pid = branch();
	if(*pid == 0){
		MUST(taskrun(inchild, NULL) == 0);
		/* no exit: what libc kept of the other thread would be a leak */
		execlp("true", "true", (char *)NULL);
		_exit(127);
	}
	return NULL;
}

TASK_TEST(a_thread_without_a_scheduler_may_fork)
{
	pthread_t thread;
	Reader r;
	pid_t pid;
	int fds[2];

	TASKS_IN_CHILD;
	if(emulated())
		TEST_SKIP("the emulator loses count of a child's threads");
	pair(fds);
	startread(&r, fds[0]);
	int err = pthread_create(&thread, NULL, forker, &pid);
	pthread_join(thread, NULL);	/* no assertion, Check locks then */
	ck_assert_int_eq(err, 0);
	ended(pid);
	ck_assert_int_eq(fdwrite(fds[1], "x", 1), 1);
	settle();
	ck_assert_int_eq(r.n, 1);
}

static pid_t made;

static void
systemreader(void *v)
{
	tasksystem();
	reader(v);
}

TASK_TEST_BY(a_child_may_end_its_scheduler_and_begin_another,
	TASKS_IN_CHILD;
	run(body);
	if(made == 0){
		MUST(taskrun(inchild, NULL) == 0);
		_exit(0);
	}
	ended(made))
{
	static Reader r;
	int fds[2];

	pair(fds);
	r = (Reader){.fd = fds[0], .n = -2};
	taskcreate(systemreader, &r, 0);
	settle();
	made = branch();
}

TEST_MAIN("fork-shares-poller",
	a_child_that_closes_and_executes_leaves_the_parent_alone,
	a_daemon_goes_on_where_its_parent_ends,
	both_hear_of_all_that_is_theirs,
	who_waits_in_both_is_woken_in_both,
	calls_that_were_given_up_before_end_in_both,
	a_child_may_cut_what_waited_before_it_was_made,
	a_connection_that_was_begun_before_is_made_in_both,
	a_thread_without_a_scheduler_may_fork,
	a_child_may_end_its_scheduler_and_begin_another)
