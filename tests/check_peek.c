/* SPDX-License-Identifier: MIT */
/* tasktop with programs that do not answer: it reads them from outside. */
#include "consoletest.h"
#include "screen.h"
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>

/* The programs: they say when they are ready, and count as they go on. */
static struct
{
	atomic_int ready;
	atomic_int ticks;
	atomic_int end;
} *shared;
static pid_t target;
static char path[64];

static void
ticker(void *v)
{
	(void)v;
	taskname("ticker");
	while(!atomic_load(&shared->end)){
		taskdelay(10);
		atomic_fetch_add(&shared->ticks, 1);
	}
}

static Channel *requests;
static QLock lock;
static int fds[2];

static void
receiver(void *v)
{
	(void)v;
	taskname("receiver");
	chanrecvul(requests);
}

static void
reader(void *v)
{
	char c;

	(void)v;
	taskname("reader");
	fdread(fds[0], &c, 1);
}

static void
locker(void *v)
{
	(void)v;
	taskname("locker");
	qlock(&lock);
}

static void
chooser(void *v)
{
	unsigned long u;
	Alt alts[] = {
		{.c = requests, .v = &u, .op = CHANRCV},
		{.fd = fds[0], .op = ALTREAD},
		{.op = CHANEND}};

	(void)v;
	taskname("chooser\033[31m");
	chanalt(alts);
}

static void
other(void *v)
{
	(void)v;
	taskname("other");
	atomic_fetch_add(&shared->ready, 1);
	taskdelay(1000000);
}

/* Each of them waits for something else. */
static void
waiting(void *v)
{
	(void)v;
	taskname("first");
	requests = chancreate(sizeof(unsigned long), 0);
	requests->name = (char *)(uintptr_t)"requests";
	if(pipe(fds) < 0 || fdnoblock(fds[0]) < 0 || qlock(&lock) < 0)
		exit(9);
	taskcreate(receiver, NULL, 0);
	taskcreate(reader, NULL, 0);
	taskcreate(locker, NULL, 0);
	taskcreate(chooser, NULL, 0);
	taskcreate(ticker, NULL, 0);
	proccreate(other, NULL, 0);
	taskyield();
	atomic_fetch_add(&shared->ready, 1);
	while(!atomic_load(&shared->end))
		taskdelay(500);
	_exit(5);
}

/* Has no name yet, but its function has. */
static void
fresh(void *v)
{
	(void)v;
	atomic_store(&shared->end, 1);
}

static void
computing(void *v)
{
	(void)v;
	taskname("computes");
	taskcreate(fresh, NULL, 0);
	atomic_store(&shared->ready, 2);
	while(!atomic_load(&shared->end))
		atomic_fetch_add(&shared->ticks, 1);
	_exit(5);
}

static void
serving(void *v)
{
	(void)v;
	taskname("serves");
	if(console(path) < 0)
		exit(9);
	taskcreate(ticker, NULL, 0);
	atomic_store(&shared->ready, 2);
	while(!atomic_load(&shared->end))
		taskdelay(10);
	_exit(5);
}

/* Lives for a turn or two. */
static void
brief(void *v)
{
	(void)v;
	if(atomic_fetch_add(&shared->ticks, 1) % 3)
		taskyield();
}

static void
making(void *v)
{
	(void)v;
	taskname("maker");
	atomic_store(&shared->ready, 2);
	while(!atomic_load(&shared->end)){
		for(int i = 0; i < 50; i++)
			taskcreate(brief, NULL, 0);
		taskyield();
	}
	_exit(5);
}

/* What the kernel lets tasktop do, which is no parent of the program. */
static int
mayread(void)
{
	int status;
	pid_t pid = fork();

	if(pid == 0){
		char c;
		struct iovec to = {&c, 1}, from = {&shared, 1};
		_exit(process_vm_readv(target, &to, 1, &from, 1, 0) == 1 ? 0 :
			errno);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status == 0 && !emulated();
}

/* starts a program; returns whether it can be read. */
static int
begin(void (*first)(void *))
{
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED |
		MAP_ANONYMOUS, -1, 0);
	snprintf(path, sizeof path, "/tmp/peek-test.%d", (int)getpid());
	target = fork();
	if(target == 0){
		prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
		exit(taskrun(first, NULL));
	}
	for(int i = 0; i < 15000 && atomic_load(&shared->ready) < 2; i++)
		usleep(1000);
	ck_assert_int_eq(atomic_load(&shared->ready), 2);
	return mayread();
}

static void
stop(void)
{
	int status;

	kill(target, SIGSTOP);
	ck_assert_int_eq(waitpid(target, &status, WUNTRACED), target);
	ck_assert(WIFSTOPPED(status));
}

/* The program goes on, and ends as it would have. */
static void
goeson(void)
{
	int before = atomic_load(&shared->ticks), status;

	kill(target, SIGCONT);
	for(int i = 0; i < 15000 && atomic_load(&shared->ticks) < before + 5;
			i++)
		usleep(1000);
	ck_assert_int_ge(atomic_load(&shared->ticks), before + 5);
	atomic_store(&shared->end, 1);
	ck_assert_int_eq(waitpid(target, &status, 0), target);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 5,
		"status %#x", (unsigned)status);
	unlink(path);
}

static void
abandon(void)
{
	kill(target, SIGKILL);
	waitpid(target, NULL, 0);
	unlink(path);
}

#define SKIPIF(cannot) \
	do{ \
		if(cannot){ \
			abandon(); \
			TEST_SKIP("process_vm_readv is not allowed here"); \
		} \
	}while(0)

static char *
pidtext(pid_t pid)
{
	static char s[16];

	snprintf(s, sizeof s, "%d", (int)pid);
	return s;
}

static int
peeks(pid_t pid)
{
	return output(text, sizeof text, "tasktop",
		ARGS("-b", "-x", "-p", pidtext(pid)));
}

/* The row of a task has these words, in this order. */
static void
row(const char *id, const char *name, const char *state, const char *why)
{
	char line[512], head[64];

	snprintf(head, sizeof head, "\n%5s %s ", id, name);
	const char *s = strstr(text, head), *words[] = {state, why};
	ck_assert_msg(s != NULL, "no task %s %s in: %s", id, name, text);
	snprintf(line, sizeof line, "%.*s", (int)strcspn(s + 1, "\n"), s + 1);
	s = line;
	for(int i = 0; i < 2; i++){
		s = strstr(s, words[i]);
		ck_assert_msg(s != NULL, "no %s in: %s", words[i], line);
	}
}

static void
waitingrows(void)
{
	row("1", "first", "parked", "taskdelay, ");
	row("2", "receiver", "parked", "chanrecv c \"requests\"");
	row("4", "locker", "parked", "qlock held by task 1 (first)");
	row("5", "chooser?[31m", "parked", "chanalt recv c \"requests\", fd ");
	row("6", "ticker", "", "");
	row("2.1", "other", "parked", "taskdelay, ");
}

/* What the kernel says of a process that somebody could change. */
static void
keepstatus(char *to, size_t n)
{
	static const char *const kept[] = {"State:", "TracerPid:", "SigPnd:",
		"ShdPnd:", "Threads:"};
	char name[64], line[256];
	snprintf(name, sizeof name, "/proc/%d/status", (int)target);
	FILE *f = fopen(name, "r");

	ck_assert_ptr_nonnull(f);
	*to = '\0';
	while(fgets(line, sizeof line, f))
		for(size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
			if(strncmp(line, kept[i], strlen(kept[i])) == 0)
				strncat(to, line, n - strlen(to) - 1);
	fclose(f);
}

START_TEST(a_stopped_program_is_read_and_stays_as_it_is)
{
	static char before[4096], after[4096];

	SKIPIF(!begin(waiting));
	stop();
	keepstatus(before, sizeof before);
	int ticks = atomic_load(&shared->ticks);
	ck_assert_int_eq(output(text, sizeof text, "tasktop",
		ARGS("-b", "-p", pidtext(target))), 0);
	has(text, " tasks, ");
	has(text, ", read from outside; it is stopped\n");
	waitingrows();
	row("3", "reader", "parked", "fdwait fd ");
	keepstatus(after, sizeof after);
	ck_assert_str_eq(before, after);
	ck_assert_int_eq(atomic_load(&shared->ticks), ticks);
	goeson();
}
END_TEST

START_TEST(a_program_that_runs_is_read_as_one_that_is_stopped)
{
	SKIPIF(!begin(waiting));
	ck_assert_int_eq(peeks(target), 0);
	has(text, ", read from outside\n");
	waitingrows();
	goeson();
}
END_TEST

START_TEST(who_made_a_task_is_told_and_what_was_not_counted_is_not)
{
	char id[16], name[64], busy[16], share[16];

	SKIPIF(!begin(waiting));
	stop();
	ck_assert_int_eq(peeks(target), 0);
	const char *s = strstr(text, "\n    2 ");
	ck_assert_ptr_nonnull(s);
	ck_assert_int_eq(sscanf(s, "%15s %63s parked %*s %15s %15s", id, name,
		busy, share), 4);
	ck_assert_str_eq(busy, "-");
	ck_assert_str_eq(share, "-");
	s += 1 + strcspn(s + 1, "\n");
	ck_assert_msg(strncmp(s - 4, "1 -", 3) == 0 ||
		strncmp(s - 3, "1 -", 3) == 0, "no creator: %s", text);
	goeson();
}
END_TEST

START_TEST(a_task_that_computes_is_shown_running)
{
	SKIPIF(!begin(computing));
	ck_assert_int_eq(output(text, sizeof text, "tasktop",
		ARGS("-b", "-p", pidtext(target))), 0);
	has(text, "3 tasks, ");
	has(text, ", read from outside\n");
	row("1", "computes", "running", "");
	row("2", "fresh()", "ready", "");
	goeson();
}
END_TEST

START_TEST(a_program_under_a_debugger_is_read)
{
	int status;

	SKIPIF(!begin(waiting));
	if(ptrace(PTRACE_ATTACH, target, NULL, NULL) < 0){
		abandon();
		TEST_SKIP("ptrace is not allowed here");
	}
	ck_assert_int_eq(waitpid(target, &status, 0), target);
	ck_assert_int_eq(peeks(target), 0);
	has(text, "; a debugger has stopped it\n");
	waitingrows();
	ck_assert_int_eq(ptrace(PTRACE_DETACH, target, NULL, NULL), 0);
	goeson();
}
END_TEST

/* What was asked while it was stopped does no harm either. */
START_TEST(a_console_is_asked_unless_it_does_not_answer)
{
	SKIPIF(!begin(serving));
	char *asks[] = {"-b", "-d", "50", "-p", pidtext(target), NULL};
	ck_assert_int_eq(output(text, sizeof text, "tasktop", asks), 0);
	has(text, ", by its console");
	row("1", "serves", "", "");
	ck_assert_int_eq(peeks(target), 0);
	has(text, ", read from outside\n");
	stop();
	ck_assert_int_eq(output(text, sizeof text, "tasktop", asks), 0);
	has(text, ", read from outside; it is stopped\n");
	row("1", "serves", "", "");
	kill(target, SIGCONT);
	ck_assert_int_eq(output(text, sizeof text, "tasktop", asks), 0);
	has(text, ", by its console");
	goeson();
}
END_TEST

START_TEST(the_screen_shows_who_stops_and_who_ends)
{
	int status;

	SKIPIF(!begin(serving));
	Screen s = startscreen(ARGS("-d", "50", "-p", pidtext(target)));
	seen(&s, ", by its console");
	seen(&s, "serves");
	stop();
	seen(&s, "read from outside; it is stopped");
	seen(&s, "serves");
	kill(target, SIGCONT);
	seen(&s, "read from outside\033");
	abandon();
	seen(&s, "the program has ended");
	ck_assert_int_eq(waitpid(s.pid, &status, 0), s.pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(cooks(&s), 1);
}
END_TEST

START_TEST(a_program_without_libtask_has_none)
{
	target = fork();
	if(target == 0){
		execlp("sleep", "sleep", "1000", (char *)NULL);
		_exit(127);
	}
	int status = 0;
	for(int i = 0; i < 1000 && status == 0; i++){
		usleep(10000);	/* it has ours until it is another program */
		status = peeks(target);
	}
	ck_assert_int_eq(status, 1);
	SKIPIF(strstr(text, "may not be read"));
	has(text, "no libtask in process ");
	has(text, pidtext(target));
	abandon();
}
END_TEST

START_TEST(arguments_that_mean_nothing_are_refused)
{
	char *const wrong[][3] = {{"-x", "-b", "-b"}, {"-b", "-s", "nosuch"},
		{"-b", "-d", "x"}, {"-b", "-d", "0"}, {"-b", "-d", "5s"}};

	for(size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		ck_assert_int_eq(output(text, sizeof text, "tasktop",
			ARGS(wrong[i][0], wrong[i][1], wrong[i][2],
			"/nosuch/path")), 2);
}
END_TEST

START_TEST(a_process_that_has_gone_is_missed)
{
	siginfo_t info;

	target = fork();
	if(target == 0)
		_exit(0);
	ck_assert_int_eq(waitid(P_PID, (id_t)target, &info, WEXITED | WNOWAIT),
		0);
	ck_assert_int_eq(peeks(target), 1);	/* nobody has waited for it */
	has(text, "no process ");
	abandon();
	ck_assert_int_eq(peeks(target), 1);
	has(text, "no process ");
}
END_TEST

/* Process 1 is root's, who becomes nobody for that. */
START_TEST(a_process_of_somebody_else_may_not_be_read)
{
	struct stat st;
	char program[4200];
	int root = geteuid() == 0;

	if(stat("/proc/1", &st) < 0 || st.st_uid != 0)
		TEST_SKIP("process 1 is not root's");
	if(root && seteuid(65534) < 0)
		TEST_SKIP("root is nobody else here");
	snprintf(program, sizeof program, "%s/tasktop", bin);
	int may = faccessat(AT_FDCWD, program, R_OK | X_OK, AT_EACCESS) == 0;
	int status = peeks(1);
	if(root)
		ck_assert_int_eq(seteuid(0), 0);
	if(!may)
		TEST_SKIP("others may not execute tasktop here");
	ck_assert_int_eq(status, 1);
	has(text, "process 1 may not be read: that is for its user, or root");
}
END_TEST

/* Rows are in the order of ids, so one that is there twice is seen. */
static void
eachonce(void)
{
	int last = -1, id, n = 0;
	const char *s = strchr(strchr(text, '\n') + 1, '\n');

	for(; s && s[1]; s = strchr(s + 1, '\n'), n++){
		ck_assert_msg(sscanf(s, "%d", &id) == 1 && id > last,
			"after task %d: %.80s", last, s);
		last = id;
	}
	ck_assert_msg(atoi(text) == n, "not %d tasks: %.80s", n, text);
}

/* When many come and go the list does not hold while it is read. */
START_TEST(tasks_that_come_and_go_are_read_again_and_again)
{
	int n = valgrind() ? 10 : fewer(200);

	SKIPIF(!begin(making));
	while(n-- > 0){
		ck_assert_msg(peeks(target) == 0, "%s", text);
		has(text, ", read from outside");
		has(text, "0 fdtask ");
		has(text, "1 maker ");
		eachonce();
	}
	goeson();
}
END_TEST

PROGRAM_MAIN("peek",
	a_stopped_program_is_read_and_stays_as_it_is,
	a_program_that_runs_is_read_as_one_that_is_stopped,
	who_made_a_task_is_told_and_what_was_not_counted_is_not,
	a_task_that_computes_is_shown_running,
	a_program_under_a_debugger_is_read,
	a_console_is_asked_unless_it_does_not_answer,
	the_screen_shows_who_stops_and_who_ends,
	a_program_without_libtask_has_none,
	arguments_that_mean_nothing_are_refused,
	a_process_that_has_gone_is_missed,
	a_process_of_somebody_else_may_not_be_read,
	tasks_that_come_and_go_are_read_again_and_again)
