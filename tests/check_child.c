/* SPDX-License-Identifier: MIT */
/* Children: spawned, waited for, killed. */
#include "test.h"
#include "watched.h"
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define SH(script) ((char *[]){"sh", "-c", script, NULL})
#define ARGV(...) ((char *[]){__VA_ARGS__, NULL})

static int
countfds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	ck_assert_ptr_nonnull(d);
	while(readdir(d))
		n++;
	closedir(d);
	return n;
}

/* This process has no child, not even a zombie. */
static void
childless(void)
{
	siginfo_t info;

	FAILS(waitid(P_ALL, 0, &info, WEXITED | WNOHANG), ECHILD);
}

static int
statusof(char *const argv[])
{
	Child c = {.pid = 0};
	int status = -1;

	ck_assert_int_eq(childspawn(&c, argv), 0);
	ck_assert_int_gt(c.pid, 0);
	ck_assert_int_ge(c.pidfd, 0);
	ck_assert_int_eq(childwait(&c, &status), 0);
	ck_assert_int_eq(c.pidfd, -1);
	return status;
}

/* reads all that comes out of fd, and closes it. */
static char *
all(int fd)
{
	static char buf[65536];
	ssize_t n = fdreadn(fd, buf, sizeof buf - 1);

	ck_assert_int_ge(n, 0);
	buf[n] = '\0';
	ck_assert_int_eq(fdclose(fd), 0);
	return buf;
}

/* What it prints; it must exit with 0. */
static char *
outputof(Child c, char *const argv[])
{
	int status;

	c.fd[1] = CHILDPIPE;
	ck_assert_int_eq(childspawn(&c, argv), 0);
	char *s = all(c.fd[1]);
	ck_assert_int_eq(childwait(&c, &status), 0);
	ck_assert_int_eq(status, 0);
	return s;
}

TASK_TEST(the_status_is_that_of_waitpid)
{
	ck_assert_int_eq(statusof(ARGV("true")), 0);
	int status = statusof(ARGV("false"));
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	status = statusof(SH("exit 42"));
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42);
	status = statusof(SH("kill -9 $$"));
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	status = statusof(SH("kill -SEGV $$"));
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	Child c = {.pid = 0};
	ck_assert_int_eq(childspawn(&c, ARGV("true")), 0);
	ck_assert_int_eq(childwait(&c, NULL), 0);
	childless();
}

TASK_TEST(the_errno_of_exec_comes_out)
{
	char file[] = "/tmp/check_childXXXXXX";
	int fd = mkstemp(file);

	statusof(ARGV("true"));	/* the scheduler has its door after that */
	int before = countfds();
	Child c = {.fd = {CHILDPIPE, CHILDPIPE, CHILDNULL}};

	FAILS(childspawn(&c, ARGV("/no/such/program")), ENOENT);
	FAILS(childspawn(&c, ARGV("no_such_program_either")), ENOENT);
	FAILS(childspawn(&c, ARGV("/etc/passwd/x")), ENOTDIR);
	FAILS(childspawn(&c, ARGV("/tmp")), EACCES);
	FAILS(childspawn(&c, ARGV(file)), EACCES);
	c.dir = "/no/such/directory";
	FAILS(childspawn(&c, ARGV("true")), ENOENT);
	c.dir = file;
	FAILS(childspawn(&c, ARGV("true")), ENOTDIR);
	c.dir = NULL;
	ck_assert_int_eq(c.fd[0], CHILDPIPE);
	ck_assert_int_eq(c.fd[2], CHILDNULL);
	ck_assert_int_eq(c.pid, 0);
	c.fd[1] = 1000;
	FAILS(childspawn(&c, ARGV("true")), EBADF);
	ck_assert_int_eq(countfds(), before);
	childless();
	close(fd);
	unlink(file);
}

TASK_TEST(wrong_arguments_are_refused)
{
	Child c = {.fd = {0, -3}}, none = {.pid = 0};

	FAILS(childspawn(&c, ARGV("true")), EINVAL);
	FAILS(childspawn(NULL, ARGV("true")), EINVAL);
	FAILS(childspawn(&none, NULL), EINVAL);
	FAILS(childspawn(&none, (char *[]){NULL}), EINVAL);
	FAILS(childwait(NULL, NULL), EINVAL);
	FAILS(childkill(NULL, SIGTERM), EINVAL);
	FAILS(childwait(&none, NULL), ECHILD);
	FAILS(childkill(&none, SIGTERM), ESRCH);
}

START_TEST(outside_a_task_it_is_EPERM)
{
	Child c = {.pid = 0};

	FAILS(childspawn(&c, ARGV("true")), EPERM);
	FAILS(childwait(&c, NULL), EPERM);
	FAILS(childkill(&c, SIGTERM), EPERM);
}
END_TEST

TASK_TEST(success_leaves_errno_alone)
{
	Child c = {.fd = {CHILDPIPE, CHILDNULL}};

	errno = 1234;
	ck_assert_int_eq(childspawn(&c, ARGV("sleep", "0.05")), 0);
	ck_assert_int_eq(errno, 1234);
	ck_assert_int_eq(childkill(&c, 0), 0);
	ck_assert_int_eq(errno, 1234);
	ck_assert_int_eq(childwait(&c, NULL), 0);
	ck_assert_int_eq(errno, 1234);
	fdclose(c.fd[0]);
}

TASK_TEST(pipes_go_there_and_back)
{
	enum { Bytes = 1000000 };
	Child c = {.fd = {CHILDPIPE, CHILDPIPE, CHILDPIPE}};
	static char sent[4096], got[4096];
	int status;

	ck_assert_int_eq(childspawn(&c, SH("echo oops >&2; cat")), 0);
	for(int i = 0; i < 3; i++){
		ck_assert(fcntl(c.fd[i], F_GETFD) & FD_CLOEXEC);
		ck_assert(fcntl(c.fd[i], F_GETFL) & O_NONBLOCK);
	}
	for(int i = 0; i < 200; i++){
		memset(sent, i, sizeof sent);
		ck_assert_int_eq(fdwrite(c.fd[0], sent, sizeof sent),
			sizeof sent);
		ck_assert_int_eq(fdreadn(c.fd[1], got, sizeof got),
			sizeof got);
		ck_assert_mem_eq(sent, got, sizeof got);
	}
	fdclose(c.fd[0]);
	ck_assert_str_eq(all(c.fd[1]), "");
	ck_assert_str_eq(all(c.fd[2]), "oops\n");
	ck_assert_int_eq(childwait(&c, &status), 0);
	ck_assert_int_eq(status, 0);
}

TASK_TEST(null_is_the_end_for_who_reads_and_takes_what_is_written)
{
	Child c = {.fd = {CHILDNULL, CHILDPIPE, CHILDNULL}};
	int status;

	ck_assert_int_eq(childspawn(&c, SH("cat; echo lost >&2 && echo out")),
		0);
	ck_assert_int_eq(c.fd[0], CHILDNULL);
	ck_assert_str_eq(all(c.fd[1]), "out\n");
	ck_assert_int_eq(childwait(&c, &status), 0);
	ck_assert_int_eq(status, 0);
}

/* Numbers below 3 are moved out of each other's way. */
TASK_TEST(descriptors_can_be_given_in_any_order)
{
	char file[] = "/tmp/check_childXXXXXX";
	int fd = mkstemp(file), err = dup(2);

	Child same = {.fd = {0, fd, fd}};
	ck_assert_int_eq(childspawn(&same, SH("echo a; echo b >&2")), 0);
	ck_assert_int_eq(childwait(&same, NULL), 0);
	/* ours: 1 is the file, 2 is a null; its 1 is our 2, and 2 our 1 */
	int out = dup(1), null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	dup3(fd, 1, O_CLOEXEC);
	dup3(null, 2, O_CLOEXEC);
	Child swapped = {.fd = {0, 2, 1}};
	int r = childspawn(&swapped, SH("echo c; echo d >&2"));
	Child itself = {.fd = {0, 1, 2}};	/* not close-on-exec then */
	int r2 = childspawn(&itself, SH("echo e; echo f >&2"));
	dup2(out, 1);
	dup2(err, 2);
	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(r2, 0);
	ck_assert_int_eq(childwait(&swapped, NULL), 0);
	ck_assert_int_eq(childwait(&itself, NULL), 0);
	char buf[64] = "";
	ck_assert_int_ge(pread(fd, buf, sizeof buf - 1, 0), 8);
	ck_assert(strncmp(buf, "a\nb\n", 4) == 0);
	ck_assert(strcmp(buf + 4, "d\ne\n") == 0 ||
		strcmp(buf + 4, "e\nd\n") == 0);
	close(fd);
	unlink(file);
}

/* Even where the program has closed its own. */
TASK_TEST(pipes_work_where_0_1_and_2_are_closed)
{
	int keep[3], status = -1;
	char buf[16] = "";
	Child c = {.fd = {CHILDPIPE, CHILDPIPE, CHILDPIPE}};

	for(int i = 0; i < 3; i++){
		keep[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
		close(i);
	}
	int r = childspawn(&c, SH("cat; echo 2 >&2"));
	ssize_t w = fdwrite(c.fd[0], "hello\n", 6);
	fdclose(c.fd[0]);
	ssize_t n = fdreadn(c.fd[1], buf, sizeof buf);
	ssize_t m = fdreadn(c.fd[2], buf + 8, 8);
	fdclose(c.fd[1]);
	fdclose(c.fd[2]);
	int r2 = childwait(&c, &status);
	for(int i = 0; i < 3; i++){
		dup2(keep[i], i);
		close(keep[i]);
	}
	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(w, 6);
	ck_assert_int_eq(n, 6);
	ck_assert_int_eq(m, 2);
	ck_assert_str_eq(buf, "hello\n");
	ck_assert_int_eq(r2, 0);
	ck_assert_int_eq(status, 0);
}

TASK_TEST(environment_and_directory_are_what_they_are_set_to)
{
	char *env[] = {"ONE=1", "TWO=zwei", NULL};

	setenv("THREE", "3", 1);
	ck_assert_str_eq(outputof((Child){.env = env},
		SH("echo $ONE $TWO $THREE")), "1 zwei\n");
	ck_assert_str_eq(outputof((Child){.env = NULL},
		SH("echo $ONE $TWO $THREE")), "3\n");
	ck_assert_str_eq(outputof((Child){.dir = "/"}, ARGV("pwd")), "/\n");
	ck_assert_str_eq(outputof((Child){.dir = "/usr"}, ARGV("pwd")),
		"/usr\n");
}

TASK_TEST(a_script_without_a_first_line_is_the_shells)
{
	char file[] = "/tmp/check_childXXXXXX";
	int fd = mkstemp(file);

	ck_assert_int_eq(dprintf(fd, "echo script $1\n"), 15);
	fchmod(fd, 0700);
	close(fd);
	ck_assert_str_eq(outputof((Child){.pid = 0}, ARGV(file, "x")),
		"script x\n");
	unlink(file);
}

TASK_TEST(as_many_arguments_as_the_kernel_takes)
{
	enum { Args = 20000 };
	static char *argv[Args + 4];
	int n = 0;

	argv[n++] = "sh";
	argv[n++] = "-c";
	argv[n++] = "echo $#";
	while(n < Args + 3)
		argv[n++] = "x";
	ck_assert_str_eq(outputof((Child){.pid = 0}, argv), "19999\n");
	if(valgrind())
		TEST_SKIP("Valgrind dies of an execve that fails late");
	static char big[1 << 20];
	memset(big, 'x', sizeof big - 1);
	Child c = {.pid = 0};
	FAILS(childspawn(&c, ARGV("echo", big)), E2BIG);
	childless();
}

/* Signals */

TASK_TEST(childkill_sends_a_signal_until_it_was_waited_for)
{
	Child c = {.pid = 0};
	int status;

	ck_assert_int_eq(childspawn(&c, ARGV("sleep", "100")), 0);
	ck_assert_int_eq(childkill(&c, 0), 0);
	FAILS(childkill(&c, 1000), EINVAL);
	ck_assert_int_eq(childkill(&c, SIGTERM), 0);
	ck_assert_int_eq(childwait(&c, &status), 0);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	FAILS(childkill(&c, SIGTERM), ESRCH);
	FAILS(childwait(&c, &status), ECHILD);
	childless();
}

TASK_TEST(childkill_reaches_the_group)
{
	Child c = {.group = 1, .fd = {0, CHILDPIPE}};
	int status;

	ck_assert_int_eq(childspawn(&c, SH("sleep 100 & echo on; wait")), 0);
	ck_assert_int_eq(getpgid(c.pid), c.pid);
	char on[3];
	ck_assert_int_eq(fdreadn(c.fd[1], on, 3), 3);
	ck_assert_int_eq(childkill(&c, SIGKILL), 0);
	/* the pipe ends with the last process that has it */
	ck_assert_str_eq(all(c.fd[1]), "");
	ck_assert_int_eq(childwait(&c, &status), 0);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	FAILS(childkill(&c, SIGKILL), ESRCH);
	Child not = {.pid = 0};
	ck_assert_int_eq(childspawn(&not, ARGV("sleep", "0.01")), 0);
	ck_assert_int_eq(getpgid(not.pid), getpgrp());
	ck_assert_int_eq(childwait(&not, NULL), 0);
}

/* What /proc says of the child's signals: a mask of 64 bits. */
static uint64_t
sigfield(const char *status, const char *field)
{
	const char *s = strstr(status, field);

	ck_assert_ptr_nonnull(s);
	return strtoull(s + strlen(field), NULL, 16);
}

#define BIT(sig) (UINT64_C(1) << ((sig) - 1))

TASK_TEST(signals_are_as_they_were_before_the_library)
{
	Channel *c = chancreate(sizeof(int), 1);
	sigset_t set, old;

	signal(SIGHUP, SIG_IGN);	/* as by nohup: */
	signal(SIGUSR2, SIG_IGN);
	signalwatch(SIGHUP, c);	/* and watched all the same */
	signalwatch(SIGUSR1, c);
	signalwatch(SIGPIPE, c);
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	char *s = outputof((Child){.pid = 0}, ARGV("cat", "/proc/self/status"));
	uint64_t ignored = sigfield(s, "SigIgn:\t");
	uint64_t caught = sigfield(s, "SigCgt:\t");
	uint64_t blocked = sigfield(s, "SigBlk:\t");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	ck_assert(ignored & BIT(SIGHUP));
	ck_assert(ignored & BIT(SIGUSR2));
	ck_assert(!(ignored & (BIT(SIGUSR1) | BIT(SIGPIPE) | BIT(SIGQUIT))));
	if(!valgrind())
		ck_assert_uint_eq(caught, 0);
	ck_assert_uint_eq(blocked, BIT(SIGWINCH));
	/* here all is as it was */
	raise(SIGHUP);
	int sig;
	ck_assert_int_eq(chanrecv(c, &sig), 1);
	ck_assert_int_eq(sig, SIGHUP);
	sigset_t now;
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	ck_assert_int_eq(sigismember(&now, SIGUSR1), 0);
	ck_assert_int_eq(sigismember(&now, SIGWINCH), 0);
	chanfree(c);
}

/* How many of this process's descriptors its children have too. */
static int
countinherited(void)
{
	int n = 0;

	for(int fd = 0; fd < 1024; fd++){
		int flags = fcntl(fd, F_GETFD);
		n += flags >= 0 && !(flags & FD_CLOEXEC);
	}
	return n;
}

TASK_TEST(nothing_of_the_library_is_open_in_the_child)
{
	int before = countinherited();
	Child c = {.fd = {CHILDPIPE, CHILDPIPE, CHILDPIPE}}, d = c;
	Channel *chan = chancreate(sizeof(int), 1);

	signalwatch(SIGUSR1, chan);	/* there is a door */
	ck_assert_int_eq(childspawn(&c, ARGV("cat")), 0);
	d.fd[0] = d.fd[2] = CHILDNULL;
	/* and what ls reads the directory with */
	int n = 0, want = before + 1;
	for(char *s = outputof(d, ARGV("ls", "/proc/self/fd")); *s; s++)
		n += *s == '\n';
	if(!valgrind())
		ck_assert_int_eq(n, want);
	ck_assert_int_eq(countinherited(), before);
	for(int i = 0; i < 3; i++)
		fdclose(c.fd[i]);
	ck_assert_int_eq(childwait(&c, NULL), 0);
	chanfree(chan);
}

/* Waiting */

TASK_TEST(a_deadline_ends_the_wait_and_not_the_child)
{
	Child c = {.pid = 0};
	Timeout t;
	int status;

	ck_assert_int_eq(childspawn(&c, ARGV("sleep", "100")), 0);
	TIMEOUT(&t, 20)
		FAILS(childwait(&c, &status), ETIMEDOUT);
	ck_assert_int_eq(childkill(&c, 0), 0);
	ck_assert_int_eq(childkill(&c, SIGKILL), 0);
	ck_assert_int_eq(childwait(&c, &status), 0);
	ck_assert_int_eq(status, SIGKILL);
}

static void
tickandend(void *v)
{
	Child *c = v;

	for(int n = 0; n < 10; n++)
		taskdelay(1);
	fdclose(c->fd[0]);
}

TASK_TEST(others_run_while_one_waits)
{
	Child c = {.fd = {CHILDPIPE, CHILDNULL, CHILDNULL}};

	ck_assert_int_eq(childspawn(&c, ARGV("cat")), 0);
	taskcreate(tickandend, &c, 0);
	ck_assert_int_eq(childwait(&c, NULL), 0);
}

static void
waitsecond(void *v)
{
	FAILS(childwait(v, NULL), ECHILD);
	note('x');
}

TASK_TEST(of_several_who_wait_one_gets_the_status)
{
	static Child c;

	ck_assert_int_eq(childspawn(&c, ARGV("sleep", "0.05")), 0);
	/* this one waits first */
	for(int i = 0; i < 3; i++)
		taskcreate(waitsecond, &c, 0);
	ck_assert_int_eq(childwait(&c, NULL), 0);
	settle();
	ck_assert_str_eq(trace, "xxx");
}

TASK_TEST(chanalt_can_wait_for_the_end_of_a_child)
{
	Child c = {.pid = 0};
	int status;

	ck_assert_int_eq(childspawn(&c, SH("exit 7")), 0);
	Alt a[] = {{.op = ALTDELAY, .ms = 10000},
		{.op = ALTREAD, .fd = c.pidfd}, {.op = CHANEND}};
	ck_assert_int_eq(chanalt(a), 1);
	ck_assert_int_eq(childwait(&c, &status), 0);
	ck_assert_int_eq(WEXITSTATUS(status), 7);
}

TASK_TEST(where_SIGCHLD_is_ignored_the_status_is_lost)
{
	Child c = {.pid = 0};

	if(emulated())
		TEST_SKIP("no CLONE_PIDFD: a child may be gone too soon");
	signal(SIGCHLD, SIG_IGN);
	ck_assert_int_eq(childspawn(&c, ARGV("true")), 0);
	FAILS(childwait(&c, NULL), ECHILD);
	FAILS(childspawn(&c, ARGV("/no/such")), ENOENT);
	ck_assert_int_eq(c.pidfd, -1);
}

TASK_TEST(a_forked_child_cannot_wait_for_its_parents)
{
	Child c = {.pid = 0};
	int status;

	ck_assert_int_eq(childspawn(&c, ARGV("sleep", "100")), 0);
	pid_t pid = fork();
	if(pid == 0){
		int r = childwait(&c, NULL);
		_exit(r == -1 && errno == ECHILD ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(childkill(&c, SIGKILL), 0);
	ck_assert_int_eq(childwait(&c, NULL), 0);
}

TASK_TEST(a_child_of_fork_can_be_adopted)
{
	Child c = {.pid = 0}, none = {.pid = 0};
	int status;

	pid_t pid = fork();
	if(pid == 0)
		_exit(5);
	if(childadopt(&c, pid) < 0 && errno == ENOSYS)
		TEST_SKIP("there is no pidfd_open");	/* as in Valgrind */
	ck_assert_int_eq(c.pid, pid);
	ck_assert_int_eq(fcntl(c.pidfd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(childwait(&c, &status), 0);
	ck_assert_int_eq(WEXITSTATUS(status), 5);
	FAILS(childadopt(&none, pid), ECHILD);
	pid = fork();
	if(pid == 0)
		_exit(6);
	usleep(20000);	/* a zombie most likely */
	ck_assert_int_eq(childadopt(&c, pid), 0);
	ck_assert_int_eq(childwait(&c, &status), 0);
	ck_assert_int_eq(WEXITSTATUS(status), 6);
	pid = fork();
	if(pid == 0){
		pause();
		_exit(0);
	}
	ck_assert_int_eq(childadopt(&c, pid), 0);
	ck_assert_int_eq(childkill(&c, SIGKILL), 0);
	ck_assert_int_eq(childwait(&c, &status), 0);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	childless();
}

TASK_TEST(what_is_no_child_is_not_adopted)
{
	Child c = {.pid = 0};

	FAILS(childadopt(&c, getpid()), ECHILD);
	FAILS(childadopt(&c, 1), ECHILD);
	FAILS(childadopt(&c, 0), EINVAL);
	FAILS(childadopt(&c, -1), EINVAL);
	FAILS(childadopt(NULL, 1), EINVAL);
	ck_assert_int_eq(c.pid, 0);
	ck_assert_int_eq(c.pidfd, 0);
}

static void
spawninproc(void *v)
{
	*(int *)v = WEXITSTATUS(statusof(SH("exit 9")));
}

TASK_TEST(each_proc_can_have_children)
{
	int status[4] = {0}, proc[4];

	for(int i = 0; i < 4; i++)
		proc[i] = proccreate(spawninproc, &status[i], 0);
	for(int i = 0; i < 4; i++){
		ck_assert_int_eq(procwait(proc[i], NULL), 0);
		ck_assert_int_eq(status[i], 9);
	}
	childless();
}

/*
 * A limit of descriptors makes each of the calls fail in turn: whatever fails,
 * nothing is left, of what was opened and of who was to run.
 */
TASK_TEST(many_with_failures_leave_nothing_behind)
{
	Random rnd = randomstart();
	const char *asked = getenv("TEST_OPERATIONS");
	int n = asked ? atoi(asked) : watched() ? 150 : 1000, failed = 0;
	struct rlimit limit, less;
	static const int what[] = {0, CHILDPIPE, CHILDNULL};

	if(valgrind())
		TEST_SKIP("Valgrind dies where it has no descriptors");
	getrlimit(RLIMIT_NOFILE, &limit);
	less = limit;
	statusof(ARGV("true"));
	int before = countfds();
	for(int i = 0; i < n; i++){
		Child c = {.group = (int)randombelow(&rnd, 2)};
		for(int j = 0; j < 3; j++)
			c.fd[j] = what[randombelow(&rnd, 3)];
		int bad = randombelow(&rnd, 4) == 0;
		int next = dup(0);
		close(next);
		less.rlim_cur = (rlim_t)next + randombelow(&rnd, 14);
		setrlimit(RLIMIT_NOFILE, &less);
		int r = childspawn(&c, bad ? ARGV("/no/such") : ARGV("true"));
		int err = errno, status = -1;
		setrlimit(RLIMIT_NOFILE, &limit);
		if(r < 0){
			failed++;
			ck_assert_msg(err == EMFILE || (bad && err == ENOENT),
				"%d of seed %lu: %s", i, rnd.seed,
				strerror(err));
			childless();
		}else{
			ck_assert_int_eq(bad, 0);
			for(int j = 0; j < 3; j++)
				if(c.fd[j] > 0)
					fdclose(c.fd[j]);
			ck_assert_int_eq(childwait(&c, &status), 0);
			if(valgrind() == 0)
				ck_assert_int_eq(status, 0);
		}
		ck_assert_int_eq(countfds(), before);
	}
	ck_assert_int_gt(failed, n / 10);
	ck_assert_int_lt(failed, n);
	childless();
}

static int nspawned;

static void
spawnone(void *v)
{
	(void)v;
	ck_assert_int_eq(statusof(SH("sleep 0.0$(($$ % 10))")), 0);
	nspawned++;
}

TASK_TEST(many_at_once)
{
	Group g = {.limit = 20};
	int n = watched() ? 30 : 200;

	for(int i = 0; i < n; i++)
		ck_assert_int_gt(groupspawn(&g, spawnone, NULL, 0), 0);
	ck_assert_int_eq(groupwait(&g), 0);
	ck_assert_int_eq(nspawned, n);
	childless();
}

/* Signals hit this process all the while; children that begin die of none. */
static atomic_int going;

static void *
killself(void *v)
{
	(void)v;
	while(atomic_load(&going)){
		kill(getpid(), SIGUSR1);
		usleep(20);
	}
	return NULL;
}

TASK_TEST(signals_that_come_meanwhile_are_this_processs)
{
	Channel *c = chancreate(sizeof(int), 1);
	int n = watched() ? 30 : 300;
	pthread_t thread;

	signalwatch(SIGUSR1, c);
	atomic_store(&going, 1);
	pthread_create(&thread, NULL, killself, NULL);
	for(int i = 0; i < n; i++){
		ck_assert_int_eq(statusof(ARGV("true")), 0);
		ck_assert_int_eq(chanrecv(c, NULL), 1);
	}
	atomic_store(&going, 0);
	pthread_join(thread, NULL);
	chanfree(c);
}

TASK_TEST(P36_no_other_child_is_waited_for)
{
	int status;
	pid_t other = fork();

	if(other == 0)
		_exit(3);
	for(int i = 0; i < 3; i++)
		ck_assert_int_eq(statusof(ARGV("true")), 0);
	ck_assert_int_eq(waitpid(other, &status, 0), other);
	ck_assert_int_eq(WEXITSTATUS(status), 3);
}

TEST_MAIN("child",
	P36_no_other_child_is_waited_for,
	the_status_is_that_of_waitpid, the_errno_of_exec_comes_out,
	wrong_arguments_are_refused, outside_a_task_it_is_EPERM,
	success_leaves_errno_alone, pipes_go_there_and_back,
	null_is_the_end_for_who_reads_and_takes_what_is_written,
	descriptors_can_be_given_in_any_order,
	pipes_work_where_0_1_and_2_are_closed,
	environment_and_directory_are_what_they_are_set_to,
	a_script_without_a_first_line_is_the_shells,
	as_many_arguments_as_the_kernel_takes,
	childkill_sends_a_signal_until_it_was_waited_for,
	childkill_reaches_the_group,
	signals_are_as_they_were_before_the_library,
	nothing_of_the_library_is_open_in_the_child,
	a_deadline_ends_the_wait_and_not_the_child, others_run_while_one_waits,
	of_several_who_wait_one_gets_the_status,
	chanalt_can_wait_for_the_end_of_a_child,
	where_SIGCHLD_is_ignored_the_status_is_lost,
	a_forked_child_cannot_wait_for_its_parents,
	a_child_of_fork_can_be_adopted,
	what_is_no_child_is_not_adopted,
	each_proc_can_have_children,
	many_with_failures_leave_nothing_behind, many_at_once,
	signals_that_come_meanwhile_are_this_processs)
