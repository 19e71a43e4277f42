/* SPDX-License-Identifier: MIT */
/* The console: sessions of text commands, and who they must not disturb. */
#include "consoletest.h"
#include "watched.h"
#include <locale.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/stat.h>

static Talk one, two;
static Channel *requests;

static void
receives(void *v)
{
	(void)v;
	taskname("receiver");
	chanrecvul(requests);
	__asm__ volatile("");	/* it is in the call, and has not become it */
}

static int
parksone(void)
{
	requests = chancreate(sizeof(unsigned long), 0);
	requests->name = (char *)(uintptr_t)"requests";
	int id = taskcreate(receives, NULL, 0);
	settle();
	return id;
}

TASK_TEST(S0_15_a_session_lists_a_parked_task_and_what_it_waits_for)
{
	char line[64];
	int id = parksone();

	talk(&one);
	const char *ps = asks(&one, "ps");
	has(ps, "receiver ");
	has(ps, "chanrecv c \"requests\"\n");
	hasnot(ps, "fdtask");
	has(asks(&one, "ps -a"), "fdtask");
	has(asks(&one, "chans"), "\"requests\"");
	snprintf(line, sizeof line, "bt %d", id);
	const char *bt = asks(&one, line);
	has(bt, "chanrecv c \"requests\"\n");
	if(!valgrind())
		has(bt, "in receives+0x");
	has(asks(&one, "bt all"), "chanrecv c \"requests\"");
	has(asks(&one, "stats"), "channels     1\n");
	snprintf(line, sizeof line, "cancel %d", id);
	has(asks(&one, line), "(receiver) cancelled\n");
	settle();
	hasnot(asks(&one, "ps"), "receiver");
	has(asks(&one, line), "no such task");
	sends(&one, "quit\n");
	while(!one.over)
		taskdelay(1);
	ck_assert_int_eq(one.result, 0);
	fdclose(one.fd);
	chanfree(requests);
}

static QLock first, second;

static void
takesboth(void *v)
{
	QLock *l = v, *other = l == &first ? &second : &first;

	if(qlock(l) < 0)
		return;
	taskdelay(1);
	if(qlock(other) == 0)
		qunlock(other);
	qunlock(l);
}

static void
sleeps(void *v)
{
	taskname("sleeper");
	taskdelay((unsigned int)(uintptr_t)v);
}

static void
reads(void *v)
{
	char c;

	taskname("reader");
	fdread(*(int *)v, &c, 1);
}

TASK_TEST(locks_descriptors_and_timers_are_listed_with_those_who_wait)
{
	int fds[2], a = taskcreate(takesboth, &first, 0);
	int b = taskcreate(takesboth, &second, 0);
	int c = taskcreate(sleeps, (void *)(uintptr_t)100000, 0), d;
	char text[64];

	pair(fds);
	d = taskcreate(reads, &fds[0], 0);
	taskdelay(20);
	talk(&one);
	const char *locks = asks(&one, "locks");
	snprintf(text, sizeof text, "task %d", a);
	has(locks, text);
	has(locks, "    2 ");	/* the cycle */
	snprintf(text, sizeof text, " %d\n", b);
	has(locks, text);
	snprintf(text, sizeof text, "%6d %d ", fds[0], d);
	has(asks(&one, "fds"), text);
	has(asks(&one, "timers"), "sleeper");
	taskcancel(a);
	taskcancel(b);
	taskcancel(c);
	taskcancel(d);
	hangsup(&one);
	close(fds[0]);
	close(fds[1]);
}

/* Commands of a program's */

static int
echoes(int fd, int argc, char **argv, void *arg)
{
	ck_assert_ptr_eq(arg, &one);
	for(int i = 0; i < argc; i++)
		consoleprint(fd, "[%s]", argv[i]);
	return consoleprint(fd, "\n") == 1 ? 0 : -1;
}

static int
fails(int fd, int argc, char **argv, void *arg)
{
	(void)fd, (void)argv, (void)arg;
	errno = EIO;
	return argc == 1 ? -1 : 7;
}

TASK_TEST(a_program_adds_commands)
{
	FAILS(consoleadd(NULL, "", echoes, NULL), EINVAL);
	FAILS(consoleadd("a b", "", echoes, NULL), EINVAL);
	FAILS(consoleadd("", "", echoes, NULL), EINVAL);
	FAILS(consoleadd("x", "", NULL, NULL), EINVAL);
	FAILS(consoleadd("ps", "", echoes, NULL), EEXIST);
	FAILS(consoleadd("json", "", echoes, NULL), EEXIST);
	ck_assert_int_eq(consoleadd("echo", "says it again", echoes, &one), 0);
	FAILS(consoleadd("echo", "", echoes, &one), EEXIST);
	ck_assert_int_eq(consoleadd("fail", NULL, fails, NULL), 0);
	talk(&one);
	has(asks(&one, "help"), "says it again\n");
	ck_assert_str_eq(asks(&one, "  echo\t a  bc "), "[echo][a][bc]\n");
	ck_assert_str_eq(asks(&one, "fail"), "fail: Input/output error\n");
	ck_assert_str_eq(asks(&one, "fail 1"), "fail: failed with 7\n");
	ck_assert_str_eq(asks(&one, "json echo"),
		"{\"error\":\"echo: has no JSON\"}\n");
	hangsup(&one);
	FAILS(consoleprint(-1, "x"), EBADF);
	FAILS(consoleprint(1, NULL), EINVAL);
}

/* Bad input */

TASK_TEST(bad_input_gets_one_line_and_does_nothing)
{
	static char line[5000];

	talk(&one);
	ck_assert_str_eq(asks(&one, "nosuch"),
		"unknown command \"nosuch\": try help\n");
	ck_assert_str_eq(asks(&one, "p\xff\xfes"),
		"unknown command \"p\xff\xfes\": try help\n");
	ck_assert_str_eq(asks(&one, "ps\x01"), "a line is no text\n");
	ck_assert_str_eq(asks(&one, "a b c d e f g h i j k l m n o p q"),
		"too many words: 16 at most\n");
	ck_assert_str_eq(asks(&one, "ps -x"), "ps: -a, or nothing\n");
	ck_assert_str_eq(asks(&one, "bt"), "bt: of which task, or all?\n");
	ck_assert_str_eq(asks(&one, "bt x"), "x: no id of a task\n");
	ck_assert_str_eq(asks(&one, "bt 1.2.3"), "1.2.3: no id of a task\n");
	ck_assert_str_eq(asks(&one, "bt -1"), "-1: no id of a task\n");
	ck_assert_str_eq(asks(&one, "bt 99999999999"),
		"99999999999: no id of a task\n");
	ck_assert_str_eq(asks(&one, "bt 77.1"), "proc 77: there is none\n");
	ck_assert_str_eq(asks(&one, "cancel 77.1"), "proc 77: there is none\n");
	has(asks(&one, "set nothing 1"), "set: watchdog MS");
	has(asks(&one, "set watchdog x"), "how many milliseconds");
	has(asks(&one, "top 1x"), "for how many ms");
	has(asks(&one, "top 9999999"), "for how many ms");
	ck_assert_str_eq(asks(&one, "cont 1"),
		"cont: task 1 is not in consolebreak\n");
	ck_assert_str_eq(asks(&one, ""), "");
	ck_assert_str_eq(asks(&one, "json"),
		"{\"error\":\"json: of which command?\"}\n");
	memset(line, 'x', sizeof line - 1);
	ck_assert_str_eq(asks(&one, line),
		"a line is too long: 4096 bytes at most\n");
	line[4096] = '\0';
	has(asks(&one, line), "unknown command \"xxx");
	has(asks(&one, "ps\r"), "fdwait");
	hangsup(&one);
	ck_assert_int_eq(one.result, 0);
}

TASK_TEST(the_last_line_need_not_end)
{
	talk(&one);
	sends(&one, "mark");
	shutdown(one.fd, SHUT_WR);
	ck_assert_str_eq(answered(&one), "");
	hangsup(&one);
	FAILS(consoleserve(-1, -1), EBADF);
}

static void
drains(void *v)
{
	char buf[4096];

	while(fdread(*(int *)v, buf, sizeof buf) > 0)
		;
}

/* Lines of random bytes, and of commands with random arguments. */
TASK_TEST(random_lines_do_no_harm)
{
	static const char *const words[] = {"ps", "bt", "all", "-a", "chans",
		"json", "fds", "timers", "locks", "stats", "cancel", "set",
		"profile", "on", "off", "1.1", "2.17", "cont", "help", "top",
		"0", "watchdog"};
	Random r = randomstart();
	char line[256];
	int n = fewer(valgrind() ? 2000 : 100000);

	talk(&one);
	taskcreate(drains, &one.fd, 0);
	for(int i = 0; i < n; i++){
		size_t at = 0, most = randombelow(&r, 100);
		if(i % 20)
			for(; at < most; at++)
				line[at] = (char)randombelow(&r, 256);
		else
			while(at < most)
				at += (size_t)snprintf(line + at,
					sizeof line - at, "%s ", words[
					randombelow(&r, sizeof words /
					sizeof words[0])]);
		line[at++] = '\n';
		if(memmem(line, at, "cancel 1", 8) ||
				memmem(line, at, "top \n", 5))	/* a second */
			continue;
		if(fdwrite(one.fd, line, at) < 0)
			ck_abort_msg("ended by line %d, TEST_SEED=%lu", i,
				r.seed);
	}
	shutdown(one.fd, SHUT_WR);
	while(!one.over)
		taskdelay(1);
	ck_assert_int_eq(one.result, 0);
	taskprofile(0);
	taskwatchdog(0);
	fdclose(one.fd);
}

/* JSON */

static const char *value(const char *s);

static const char *
string(const char *s)
{
	for(s++; *s != '"'; s++){
		ck_assert_uint_ge((unsigned char)*s, ' ');
		if(*s == '\\'){
			s++;
			ck_assert_ptr_nonnull(strchr("\"\\/bfnrtu", *s));
		}
	}
	return s + 1;
}

/* object or array */
static const char *
several(const char *s, char end)
{
	s++;
	while(*s != end){
		if(end == '}'){
			ck_assert_int_eq(*s, '"');
			s = string(s);
			ck_assert_int_eq(*s++, ':');
		}
		s = value(s);
		if(*s == ','){
			s++;
			ck_assert_int_ne(*s, end);
		}else
			ck_assert_int_eq(*s, end);
	}
	return s + 1;
}

static const char *
value(const char *s)
{
	if(*s == '"')
		return string(s);
	if(*s == '{' || *s == '[')
		return several(s, *s == '{' ? '}' : ']');
	if(strncmp(s, "null", 4) == 0)
		return s + 4;
	size_t n = strspn(s, "0123456789.-");
	ck_assert_uint_gt(n, 0);
	return s + n;
}

TASK_TEST(json_before_a_command_gives_one_line_of_it)
{
	static const char *const lines[] = {"ps", "ps -a", "bt 1", "bt all",
		"top 0", "top 10", "chans", "fds", "timers", "locks", "stats",
		"help", "set profile off", "nosuch\"", "bt"};
	char line[64];
	int id = parksone();

	taskname("\"quoted\\ \xff \xe2\x82\xac \x01");
	talk(&one);
	for(size_t i = 0; i < sizeof lines / sizeof lines[0]; i++){
		snprintf(line, sizeof line, "json %s", lines[i]);
		const char *s = asks(&one, line);
		if(*s)
			ck_assert_str_eq(value(s), "\n");
	}
	const char *ps = asks(&one, "json ps");
	has(ps, "\"name\":\"\\\"quoted\\\\ \\ufffd \xe2\x82\xac \\\\001\"");
	has(ps, "\"why\":\"chanrecv\",\"object\":\"c \\\"requests\\\"\"");
	taskcancel(id);
	hangsup(&one);
	settle();
	chanfree(requests);
}

/* Whom tasks print to */

static struct Printed
{
	char name[8];
	int over;
} printed[8];

static void
printslater(void *v)
{
	struct Printed *p = v;

	for(int i = 0; i < 3; i++){
		consoleprint(taskstdout(), "%s%d\n", p->name, i);
		taskdelay(1);
	}
	p->over = 1;
}

static int
prints(int fd, int argc, char **argv, void *arg)
{
	static int n;
	struct Printed *p = &printed[n++];

	(void)argc, (void)arg;
	ck_assert_int_eq(fd, taskstdout());
	snprintf(p->name, sizeof p->name, "%s", argv[1]);
	ck_assert_int_gt(taskcreate(printslater, p, 0), 0);
	while(!p->over)
		taskdelay(1);
	return 0;
}

TASK_TEST(S1_11_each_session_sees_what_its_own_tasks_print)
{
	consoleadd("print", "", prints, NULL);
	ck_assert_int_eq(taskstdout(), 1);
	talk(&one);
	talk(&two);
	sends(&one, "print a\nmark\n");
	sends(&two, "print b\nmark\n");
	ck_assert_str_eq(answered(&one), "a0\na1\na2\n");
	ck_assert_str_eq(answered(&two), "b0\nb1\nb2\n");
	ck_assert_int_eq(taskstdout(), 1);
	asks(&one, "stdio on");
	ck_assert_int_eq(taskstdout(), one.served);
	asks(&two, "stdio on");
	ck_assert_int_eq(taskstdout(), two.served);
	asks(&one, "stdio off");
	ck_assert_int_eq(taskstdout(), two.served);
	hangsup(&two);
	ck_assert_int_eq(taskstdout(), 1);
	hangsup(&one);
}

static int leftover = -1;

static void
outlives(void *v)
{
	(void)v;
	while(!one.over)
		taskdelay(1);
	leftover = taskstdout();
}

static int
leaves(int fd, int argc, char **argv, void *arg)
{
	(void)fd, (void)argc, (void)argv, (void)arg;
	return taskcreate(outlives, NULL, 0) > 0 ? 0 : -1;
}

TASK_TEST(who_outlives_its_session_prints_to_stdout)
{
	consoleadd("leave", "", leaves, NULL);
	talk(&one);
	asks(&one, "leave");
	hangsup(&one);
	settle();
	taskdelay(5);
	ck_assert_int_eq(leftover, 1);
}

/* What a session leaves when a task that prints to it lives longer. */

static void
stays(void *v)
{
	(void)v;
	tasksystem();
	taskdelay(100000);
}

static int
stayers(int fd, int argc, char **argv, void *arg)
{
	(void)fd, (void)argc, (void)argv, (void)arg;
	return taskcreate(stays, NULL, 0) > 0 ? 0 : -1;
}

static void
outlived(void)
{
	const char *path = testpath();
	char c;

	consoleadd("stay", "makes a task that stays", stayers, NULL);
	ck_assert_int_eq(console(path), 0);
	talkto(&one, path);
	asks(&one, "stay");
	sends(&one, "quit\n");
	ck_assert_int_eq(fdread(one.fd, &c, 1), 0);
	fdclose(one.fd);
	taskdelay(20);
}

static int dups[50];

TASK_TEST_BY(the_end_of_the_proc_closes_no_descriptor_of_others,
	run(body);
	for(int i = 0; i < 50; i++)
		ck_assert_int_eq(close(dups[i]), 0))
{
	outlived();
	for(int i = 0; i < 50; i++)
		dups[i] = dup(0);
}

static int early;

static void
delays(void *v)
{
	(void)v;
	early += taskdelay(100) < 100;
}

TASK_TEST(the_child_of_a_fork_wakes_nobody_for_a_session_that_is_over)
{
	int status;

	if(TestFewer > 1)
		TEST_SKIP("TSan does not know tasks in the child of a fork");
	outlived();
	for(int i = 0; i < 20; i++)
		taskcreate(delays, NULL, 262144);
	taskdelay(5);
	pid_t pid = fork();
	if(pid == 0){
		taskdelay(150);
		_exit(early);
	}
	while(waitpid(pid, &status, WNOHANG) == 0)
		taskdelay(5);
	ck_assert_int_eq(status, 0);
}

static void
goesalone(void *v)
{
	int status;

	pid_t pid = taskfork();
	if(pid == 0){
		taskdelay(20);
		_exit(taskstdout() == 1 ? 0 : 1);
	}
	while(waitpid(pid, &status, WNOHANG) == 0)
		taskdelay(5);
	consoleprint((int)(intptr_t)v, "child %d\n", status);
}

static int
alone(int fd, int argc, char **argv, void *arg)
{
	(void)argc, (void)argv, (void)arg;
	taskwait(taskcreate(goesalone, (void *)(intptr_t)fd, 0), NULL);
	return 0;
}

TASK_TEST(a_task_of_a_session_that_goes_on_alone_prints_to_stdout)
{
	consoleadd("alone", "makes a task that forks", alone, NULL);
	talk(&one);
	ck_assert_str_eq(asks(&one, "alone"), "child 0\n");
	hangsup(&one);
}

/* Breaks */

static int broken;

static void
breaks(void *v)
{
	(void)v;
	taskname("breaker");
	broken = consolebreak("before the request");
}

TASK_TEST(S0_17_a_break_waits_while_a_session_is_attached)
{
	char line[32];

	ck_assert_int_eq(consolebreak("nobody is there"), 0);
	talk(&one);
	asks(&one, "ps");
	broken = -2;
	int id = taskcreate(breaks, NULL, 0);
	settle();
	ck_assert_int_eq(broken, -2);
	has(asks(&one, "ps"), "consolebreak \"before the request\"");
	snprintf(line, sizeof line, "cont %d", id);
	ck_assert_str_eq(asks(&one, line), "");
	settle();
	ck_assert_int_eq(broken, 1);
	broken = -2;
	taskcreate(breaks, NULL, 0);
	settle();
	asks(&one, "cont");
	settle();
	ck_assert_int_eq(broken, 1);
	broken = -2;
	taskcreate(breaks, NULL, 0);
	settle();
	hangsup(&one);	/* its end has them go on */
	settle();
	ck_assert_int_eq(broken, 1);
	ck_assert_int_eq(consolebreak("nobody is there"), 0);
}

/* The socket */

TASK_TEST_BY(S1_12_a_console_is_for_its_user_only_and_goes_when_the_proc_does,
	run(body);
	ck_assert_int_lt(access(testpath(), F_OK), 0))
{
	const char *path = testpath();
	char toolong[200];
	struct stat st;

	memset(toolong, 'x', sizeof toolong);
	toolong[sizeof toolong - 1] = '\0';
	FAILS(console(NULL), EINVAL);
	FAILS(console(""), EINVAL);
	FAILS(console(toolong), ENAMETOOLONG);
	FAILS(console("/nosuch/dir/x"), ENOENT);
	errno = 99;
	ck_assert_int_eq(console(path), 0);
	ck_assert_int_eq(errno, 99);
	FAILS(console(path), EBUSY);
	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	ck_assert(S_ISSOCK(st.st_mode));
	talkto(&one, path);
	talkto(&two, path);
	becomes(&one, "ps", "fdwait fd");
	has(asks(&two, "ps -a"), "console");
	fdclose(one.fd);
	becomes(&two, "ps", "fdwait fd");
	fdclose(two.fd);
	taskdelay(20);
}

TASK_TEST_BY(the_socket_goes_although_the_program_is_elsewhere_then,
	run(body);
	ck_assert_int_lt(access(testpath(), F_OK), 0))
{
	ck_assert_int_eq(chdir("/tmp"), 0);
	ck_assert_int_eq(console(strrchr(testpath(), '/') + 1), 0);
	ck_assert_int_eq(access(testpath(), F_OK), 0);
	ck_assert_int_eq(chdir("/"), 0);
}

TASK_TEST_BY(the_socket_of_a_dead_process_is_replaced_and_no_other,
	run(body);
	unlink(testpath()))
{
	const char *path = testpath();
	struct sockaddr_un sa = unixaddr(path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	FAILS(console(path), EADDRINUSE);
	ck_assert_int_eq(access(path, F_OK), 0);
	close(fd);
	ck_assert_int_eq(console(path), 0);
	talkto(&one, path);
	has(asks(&one, "stats"), "poller");
	fdclose(one.fd);
}

TASK_TEST(a_file_that_is_no_socket_stays)
{
	const char *path = testpath();

	fclose(fopen(path, "w"));
	FAILS(console(path), EADDRINUSE);
	ck_assert_int_eq(unlink(path), 0);
}

/* A stranger is one who could connect, were the file's mode not what it is. */
TASK_TEST(another_user_is_sent_away)
{
	const char *path = testpath();
	char text[256];
	int fds[2], status;

	if(getuid() != 0)
		TEST_SKIP("only root can be somebody else");
	ck_assert_int_eq(console(path), 0);
	chmod(path, 0666);
	ck_assert_int_eq(pipe(fds), 0);
	pid_t pid = fork();
	if(pid == 0){
		if(setgid(65534) < 0 || setuid(65534) < 0)
			_exit(2);
		int fd = calls(path);
		ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text);
		_exit(write(fds[1], text, n > 0 ? (size_t)n : 0) == n ? 0 : 1);
	}
	close(fds[1]);
	fdnoblock(fds[0]);
	ssize_t n = fdread(fds[0], text, sizeof text - 1);
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	ck_assert_str_eq(text, "this console is another user's\n");
	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, 0);
	fdclose(fds[0]);
}

static int ticks;

static void
ticker(void *v)
{
	for(;;){
		taskdelay(10);
		ticks++;
	}
	(void)v;
}

TASK_TEST(S0_16_a_client_that_reads_nothing_stops_nobody)
{
	const char *path = testpath();

	ck_assert_int_eq(console(path), 0);
	for(int i = 0; i < fewer(500); i++)
		taskcreate(sleeps, (void *)(uintptr_t)30000, 0);
	int id = taskcreate(ticker, NULL, 0);
	talkto(&one, path);
	for(int i = 0; i < 200; i++)
		if(write(one.fd, "ps\nbt all\n", 10) < 0)
			break;
	ticks = 0;
	while(ticks < 20)
		taskdelay(1);
	talkto(&two, path);	/* nor another */
	has(asks(&two, "ps -a"), "fdwait fd");
	fdclose(one.fd);
	fdclose(two.fd);
	taskcancel(id);
	taskexitall(0);
}

static pid_t
clientprocess(const char *path, const char *text)
{
	pid_t pid = fork();

	if(pid == 0){
		int fd = calls(path);
		if(fd < 0 || write(fd, text, strlen(text)) < 0)
			_exit(1);
		for(;;)
			pause();
	}
	return pid;
}

TASK_TEST(a_client_that_is_killed_leaves_nothing)
{
	const char *path = testpath();

	ck_assert_int_eq(console(path), 0);
	int nfds = openfds();
	for(int i = 0; i < 5; i++){
		pid_t pid = clientprocess(path, "top 100\nps\nhelp\ntop 10\n");
		taskdelay(30);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	for(int i = 0; i < 1000 && openfds() > nfds; i++)
		taskdelay(10);
	ck_assert_int_eq(openfds(), nfds);
	talkto(&one, path);
	hasnot(asks(&one, "ps"), "console");
	fdclose(one.fd);
}

static int
ends(int fd, int argc, char **argv, void *arg)
{
	(void)fd, (void)argc, (void)argv, (void)arg;
	taskexit(0);
	return 0;
}

TASK_TEST(a_command_that_ends_its_task_ends_the_session)
{
	const char *path = testpath();
	char c;

	consoleadd("end", "ends the task", ends, NULL);
	ck_assert_int_eq(console(path), 0);
	int nfds = openfds();
	talkto(&one, path);
	sends(&one, "end\nps\n");
	ck_assert_int_eq(fdread(one.fd, &c, 1), 0);
	fdclose(one.fd);
	ck_assert_int_eq(openfds(), nfds);
	talk(&two);
	sends(&two, "end\n");
	settle();
	ck_assert_int_eq(consolebreak("nobody is there"), 0);
}

static int64_t
cputime(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * (int64_t)1000 + ts.tv_nsec / 1000000;
}

TASK_TEST(a_client_for_whom_there_is_no_descriptor_costs_no_time)
{
	const char *path = testpath();
	struct rlimit was;

	if(valgrind())
		TEST_SKIP("Valgrind keeps descriptors back");
	ck_assert_int_eq(console(path), 0);
	getrlimit(RLIMIT_NOFILE, &was);
	int fd = calls(path);
	talkto(&one, path);
	asks(&one, "stats");	/* the first one has been let in */
	fdclose(one.fd);
	taskdelay(20);
	int client = socket(AF_UNIX, SOCK_STREAM, 0);
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){(rlim_t)client + 1,
		was.rlim_max});
	while(dup(0) >= 0)
		;
	struct sockaddr_un sa = unixaddr(path);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&sa, sizeof sa), 0);
	int64_t ms = cputime();
	taskdelay(600);
	ck_assert_int_lt(cputime() - ms, 300);
	setrlimit(RLIMIT_NOFILE, &was);
	one.fd = client;
	fcntl(client, F_SETFL, O_NONBLOCK);
	has(asks(&one, "stats"), "poller");
	close(fd);
	taskexitall(0);
}

/* While a task computes */

static atomic_int asked, computing;
static char outside[1 << 16];
static int ended;	/* the session, at the end of its input */

/* A thread is no task: it goes on while none does. */
static void *
asksoutside(void *v)
{
	static const char *const lines[] = {"ps\n", "json ps\n", "help\n",
		"chans\n", "bt all\n"};
	/* TSan puts signals off, now and then to where no calls are seen */
	int nlines = TestFewer > 1 ? 20 : 5;
	int fd = calls(v);
	size_t n = 0;

	while(!atomic_load(&computing))
		usleep(1000);
	for(int i = 0, tries = 0; i < nlines; i++){
		const char *line = lines[i < 5 ? i : 4];
		size_t before = n;
		if(write(fd, line, strlen(line)) < 0)
			break;
		for(int ms = 0; ms < 15000; ms++){
			ssize_t r = recv(fd, outside + n, sizeof outside - 1 -
				n, MSG_DONTWAIT);
			n += r > 0 ? (size_t)r : 0;
			if(r > 0)
				break;
			usleep(1000);
		}
		/* it had no CPU for 100 ms */
		if(strstr(outside + before, "does not answer") && tries++ < 8){
			memset(outside + before, 0, n - before);
			n = before;
			i--;
		}
	}
	shutdown(fd, SHUT_WR);
	for(int ms = 0; ms < 5000 && !ended; ms++){
		ssize_t r = recv(fd, outside + n, sizeof outside - 1 - n,
			MSG_DONTWAIT);
		n += r > 0 ? (size_t)r : 0;
		ended = r == 0;
		usleep(1000);
	}
	atomic_store(&asked, 1);
	close(fd);
	return NULL;
}

__attribute__((noinline)) static void
computes(void *v)
{
	int64_t end = nowns() + 60 * (int64_t)1000000000;
	int kind = valgrind();	/* one thread at a time runs then */

	(void)v;
	taskname("parser");
	atomic_store(&computing, 1);
	while(!atomic_load(&asked) && nowns() < end)
		if(kind)
			sched_yield();
	__asm__ volatile("");
}

TASK_TEST(a_proc_that_computes_is_answered_for_from_outside)
{
	const char *path = testpath();
	pthread_t thread;
	int id = parksone();

	ck_assert_int_eq(console(path), 0);
	pthread_create(&thread, NULL, asksoutside, (void *)(uintptr_t)path);
	taskcreate(computes, NULL, 0);
	taskdelay(1);
	while(!atomic_load(&asked))
		taskdelay(1);
	pthread_join(thread, NULL);
	has(outside, "proc 1 computes in task 3 (parser) for ");
	has(outside, "receiver             parked ");
	has(outside, " chanrecv \n");
	has(outside, "parser               running");
	has(outside, "\"name\":\"parser\",\"state\":\"running\"");
	if(!valgrind())
		has(outside, "in computes+0x");
	has(outside, "lists the tasks");
	has(outside, "proc 1 computes: until it stops only help, ps, bt and "
		"quit are answered\n");
	ck_assert_int_eq(ended, 1);
	talkto(&one, path);	/* and now it is as ever */
	has(asks(&one, "chans"), "\"requests\"");
	fdclose(one.fd);
	taskcancel(id);
	settle();
	chanfree(requests);
}

/* Other procs */

static void
othermain(void *v)
{
	taskname("other");
	chanrecvul(v);
}

static void
computesthere(void *v)
{
	taskdelay(1);
	computes(v);
}

TASK_TEST(tasks_of_other_procs_are_listed_with_their_procs_number)
{
	Channel *c = chanshared(sizeof(unsigned long), 0);
	int proc = proccreate(othermain, c, 0);
	char text[64];

	ck_assert_int_gt(proc, 1);
	talk(&one);
	for(int i = 0; i < 1000 && !strstr(asks(&one, "ps"), "other"); i++)
		taskdelay(1);
	snprintf(text, sizeof text, "    %d.1 other ", proc);
	becomes(&one, "ps", text);
	snprintf(text, sizeof text, "bt %d.1", proc);
	becomes(&one, text, "chanrecv c ");
	const char *s = asks(&one, "json ps -a");
	ck_assert_str_eq(value(s), "\n");
	chanclose(c);
	procwait(proc, NULL);
	if(valgrind())	/* it lets who computes go on, and others wait */
		return;
	atomic_store(&asked, 0);
	atomic_store(&computing, 0);
	proc = proccreate(computesthere, NULL, 0);
	while(!atomic_load(&computing))
		taskdelay(1);
	taskdelay(100);
	snprintf(text, sizeof text, "proc %d computes in task %d.1 (parser) "
		"for ", proc, proc);
	becomes(&one, "ps", text);
	atomic_store(&asked, 1);
	procwait(proc, NULL);
	hangsup(&one);
	chanfree(c);
}

static void
talksthere(void *v)
{
	char text[64];

	taskname("other");
	talk(&two);
	snprintf(text, sizeof text, "%d.1 other", procself());
	has(asks(&two, "ps"), text);
	has(asks(&two, "ps"), "     1 first");
	has(asks(&two, "bt 1"), "     1  first");	/* as it is shown */
	snprintf(text, sizeof text, "bt %d.1", procself());
	has(asks(&two, text), ".1  other");
	snprintf(text, sizeof text, "%d.", procself());
	has(asks(&two, "fds"), text);
	hangsup(&two);
	*(int *)v = 1;
}

TASK_TEST(an_id_that_is_typed_means_the_task_that_is_shown_so)
{
	int done = 0;

	taskname("first");
	procwait(proccreate(talksthere, &done, 0), NULL);
	ck_assert_int_eq(done, 1);
}

/* What must be as without a console */

static void
diverges(void *v)
{
	(void)v;
	if(console(testpath()) < 0)
		exit(3);
	chanrecvul(chancreate(sizeof(unsigned long), 0));
}

START_TEST(a_deadlock_is_found_although_a_console_is_open)
{
	char err[8192];
	int status = childtask(diverges, err, sizeof err);

	ck_assert_int_eq(WEXITSTATUS(status), 1);
	has(err, "no runnable tasks! 1 tasks stalled");
}
END_TEST

static char toosoon[64];

static void
speaks(void *v)
{
	(void)v;
	fprintf(stderr, "here\n");
	if(access(toosoon, F_OK) == 0)
		fprintf(stderr, "open\n");
}

START_TEST(the_environment_opens_a_console)
{
	char err[8192];

	snprintf(toosoon, sizeof toosoon, "%s", testpath());
	setenv("TASKCONSOLE", toosoon, 1);
	ck_assert_int_eq(childtask(speaks, err, sizeof err), 0);
	ck_assert_str_eq(err, "here\nopen\n");
	ck_assert_int_lt(access(toosoon, F_OK), 0);
	setenv("TASKCONSOLE", "/nosuch/dir/x", 1);
	ck_assert_int_eq(childtask(speaks, err, sizeof err), 0);
	ck_assert_str_eq(err, "TASKCONSOLE=/nosuch/dir/x: no console: No such "
		"file or directory\nhere\n");
	unsetenv("TASKCONSOLE");
}
END_TEST

TASK_TEST_BY(the_child_of_a_fork_leaves_the_parents_sessions_alone,
	if(TestFewer > 1)
		TEST_SKIP("no threads in a fork's child here");
	run(body))
{
	const char *path = testpath();
	int status;

	ck_assert_int_eq(console(path), 0);
	talkto(&one, path);
	has(asks(&one, "stats"), "poller");
	pid_t pid = fork();	/* its tasks go on there */
	if(pid == 0){
		taskdelay(100);
		taskexitall(access(path, F_OK) == 0 ? 0 : 1);
	}
	sends(&one, "stats\nmark\n");
	usleep(150000);	/* now the child could read that, and nobody else */
	has(answered(&one), "poller");
	while(waitpid(pid, &status, WNOHANG) == 0)
		taskdelay(5);
	ck_assert_int_eq(status, 0);
	pid = taskfork();
	if(pid == 0)
		taskexitall(consolebreak("nobody is there") == 0 ? 0 : 1);
	while(waitpid(pid, &status, WNOHANG) == 0)
		taskdelay(5);
	ck_assert_int_eq(status, 0);
	has(asks(&one, "stats"), "poller");
	ck_assert_int_eq(access(path, F_OK), 0);
	fdclose(one.fd);
}

TASK_TEST(the_child_of_taskfork_can_have_a_signal_attach)
{
	int status;

	ck_assert_int_eq(consolesignal(SIGUSR1), 0);
	pid_t pid = taskfork();
	if(pid == 0){
		if(consolesignal(SIGUSR1) < 0)
			taskexitall(1);
		taskexitall(consolesignal(SIGUSR1) < 0 ? 0 : 2);
	}
	while(waitpid(pid, &status, WNOHANG) == 0)
		taskdelay(5);
	ck_assert_int_eq(status, 0);
	FAILS(consolesignal(SIGUSR1), EBUSY);
}

TASK_TEST(a_trace_is_recorded_and_saved)
{
	char line[128], file[80];
	struct stat st;

	snprintf(file, sizeof file, "%s.trace", testpath());
	snprintf(line, sizeof line, "trace save %s", file);
	talk(&one);
	ck_assert_str_eq(asks(&one, "trace"),
		"trace: start, stop or save FILE?\n");
	ck_assert_str_eq(asks(&one, line), "trace: nothing is recorded\n");
	ck_assert_str_eq(asks(&one, "trace start"), "");
	ck_assert_str_eq(asks(&one, line), "");
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_int_gt(st.st_size, 0);
	ck_assert_str_eq(asks(&one, line), "trace: File exists\n");
	ck_assert_str_eq(asks(&one, "trace stop"), "");
	hangsup(&one);
	unlink(file);
}

static int
profiles(void)
{
	Taskinfo i;

	taskdelay(2);
	ck_assert_int_eq(taskinfo(0, &i, sizeof i), 0);
	uint64_t before = i.ran_ns;
	taskdelay(5);
	ck_assert_int_eq(taskinfo(0, &i, sizeof i), 0);
	return i.ran_ns > before;
}

TASK_TEST(json_has_points_where_people_have_commas)
{
	if(setlocale(LC_NUMERIC, "de_DE.UTF-8") == NULL)
		TEST_SKIP("no such locale");
	talk(&one);
	ck_assert_str_eq(value(asks(&one, "json top 1")), "\n");
	hangsup(&one);
}

TASK_TEST(top_measures_as_long_as_the_session_lasts)
{
	talk(&one);
	ck_assert_int_eq(profiles(), 0);
	has(asks(&one, "top 20"), "%");
	ck_assert_int_eq(profiles(), 1);
	hangsup(&one);
	ck_assert_int_eq(profiles(), 0);
	taskprofile(1);	/* the program's own stays */
	talk(&one);
	asks(&one, "top 1");
	hangsup(&one);
	ck_assert_int_eq(profiles(), 1);
	taskprofile(0);
	talk(&one);
	asks(&one, "top 1");
	taskprofile(1);	/* also if it came later */
	hangsup(&one);
	ck_assert_int_eq(profiles(), 1);
}

TEST_MAIN("console",
	a_trace_is_recorded_and_saved,
	S0_15_a_session_lists_a_parked_task_and_what_it_waits_for,
	locks_descriptors_and_timers_are_listed_with_those_who_wait,
	a_program_adds_commands,
	bad_input_gets_one_line_and_does_nothing,
	the_last_line_need_not_end,
	random_lines_do_no_harm,
	json_before_a_command_gives_one_line_of_it,
	S1_11_each_session_sees_what_its_own_tasks_print,
	who_outlives_its_session_prints_to_stdout,
	the_end_of_the_proc_closes_no_descriptor_of_others,
	the_child_of_a_fork_wakes_nobody_for_a_session_that_is_over,
	a_task_of_a_session_that_goes_on_alone_prints_to_stdout,
	S0_17_a_break_waits_while_a_session_is_attached,
	S1_12_a_console_is_for_its_user_only_and_goes_when_the_proc_does,
	the_socket_goes_although_the_program_is_elsewhere_then,
	the_socket_of_a_dead_process_is_replaced_and_no_other,
	a_file_that_is_no_socket_stays,
	another_user_is_sent_away,
	S0_16_a_client_that_reads_nothing_stops_nobody,
	a_client_that_is_killed_leaves_nothing,
	a_command_that_ends_its_task_ends_the_session,
	a_client_for_whom_there_is_no_descriptor_costs_no_time,
	a_proc_that_computes_is_answered_for_from_outside,
	tasks_of_other_procs_are_listed_with_their_procs_number,
	an_id_that_is_typed_means_the_task_that_is_shown_so,
	a_deadlock_is_found_although_a_console_is_open,
	the_environment_opens_a_console,
	the_child_of_a_fork_leaves_the_parents_sessions_alone,
	the_child_of_taskfork_can_have_a_signal_attach,
	json_has_points_where_people_have_commas,
	top_measures_as_long_as_the_session_lasts)
