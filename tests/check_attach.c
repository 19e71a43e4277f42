/* SPDX-License-Identifier: MIT */
/* taskattach and tasktop, with a program that has a console. */
#include "consoletest.h"
#include "screen.h"
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* The program: a task that waits, and one that ticks, computes and forks. */
static atomic_int *ticks, *compute, *forknow;
static pid_t server;
static int late[2];
static char base[64], dir[128], in[160], out[160], path[64];

/* What a child does for a while, before it becomes another program. */
static int
forks(int fd, int argc, char **argv, void *arg)
{
	(void)fd, (void)argc, (void)argv, (void)arg;
	if(fork() == 0){
		for(int i = 0; i < 50; i++)
			taskdelay(10);
		_exit(0);
	}
	return 0;
}

/*
 * It is told at the same time as who waits for the client, but before: in its
 * child the other is ready.
 */
static void
forklate(void *v)
{
	char c;

	(void)v;
	tasksystem();
	fdnoblock(late[0]);
	fdread(late[0], &c, 1);
	if(fork() == 0){
		for(int i = 0; i < 20; i++)
			taskdelay(10);
		_exit(0);
	}
	usleep(100000);
}

enum { ForkAll = 1, ForkAlone, Pause };

static void
ticker(void *v)
{
	pid_t me = getpid();

	(void)v;
	taskname("ticker");
	for(;;){
		taskdelay(10);
		atomic_fetch_add(ticks, 1);
		while(atomic_load(compute))
			;
		int how = atomic_exchange(forknow, 0);
		if(how == ForkAll)
			forks(0, 0, NULL, NULL);
		else if(how == Pause)
			usleep(200000);
		else if(how == ForkAlone && taskfork() == 0){
			while(getppid() == me)
				taskdelay(10);
			_exit(0);
		}
	}
}

static void
serverfirst(void *v)
{
	Channel *c = chancreate(sizeof(unsigned long), 0);

	(void)v;
	if(consolesignal(SIGUSR1) < 0 || consolesignal(SIGUSR2) == 0 ||
			errno != EBUSY || console(path) < 0)
		exit(9);
	c->name = (char *)(uintptr_t)"requests";
	consoleadd("fork", "makes a child", forks, NULL);
	taskname("first");
	taskcreate(ticker, NULL, 0);
	taskcreate(forklate, NULL, 0);
	atomic_fetch_add(ticks, 1);
	chanrecvul(c);
}

static void
until(int (*fn)(void))
{
	for(int i = 0; i < 60000 && !fn(); i++)
		usleep(1000);
	ck_assert(fn());
}

static int
ticked(void)
{
	return atomic_load(ticks) > 0;
}

/* It goes on whatever clients do. */
static void
goeson(void)
{
	atomic_store(ticks, 0);
	for(int i = 0; i < 15000 && atomic_load(ticks) < 5; i++)
		usleep(1000);
	ck_assert_int_ge(atomic_load(ticks), 5);
}

static void
names(const char *where)
{
	snprintf(dir, sizeof dir, "%s/task.%d", where, (int)server);
	snprintf(in, sizeof in, "%s/%d.in", dir, (int)server);
	snprintf(out, sizeof out, "%s/%d.out", dir, (int)server);
}

static void
begin(void)
{
	ticks = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED |
		MAP_ANONYMOUS, -1, 0);
	compute = ticks + 1;
	forknow = ticks + 2;
	strcpy(base, "/tmp/attach-test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	setenv("XDG_RUNTIME_DIR", base, 1);
	snprintf(path, sizeof path, "%s/console", base);
	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(pipe(late), 0);
	server = fork();
	if(server == 0)
		exit(taskrun(serverfirst, NULL));
	names(base);
	until(ticked);
}

static int
isgone(void)
{
	return access(dir, F_OK) < 0;
}

/* Nothing is left behind by any session. */
static void
end(void)
{
	int status;

	goeson();
	until(isgone);
	kill(server, SIGKILL);
	waitpid(server, &status, 0);
	unlink(path);
	ck_assert_int_eq(rmdir(base), 0);
}

/* runs a program with script as its input; returns its status. */
static int
with(const char *script, char *name, char **args)
{
	int fds[2], old = dup(0);

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(write(fds[1], script, strlen(script)),
		(ssize_t)strlen(script));
	close(fds[1]);
	dup2(fds[0], 0);
	close(fds[0]);
	int status = output(text, sizeof text, name, args);
	dup2(old, 0);
	close(old);
	return status;
}

static char *
pidtext(void)
{
	static char s[16];

	snprintf(s, sizeof s, "%d", (int)server);
	return s;
}

START_TEST(S0_18_a_signal_attaches_a_session_again_and_again)
{
	begin();
	for(int i = 0; i < 3; i++){
		ck_assert_int_eq(with("ps\nchans\n", "taskattach",
			ARGS(pidtext())), 0);
		has(text, "chanrecv c \"requests\"");
		has(text, "ticker");
		has(text, "RECEIVERS");
		until(isgone);
	}
	ck_assert_int_eq(with("stats\nquit\nps\n", "taskattach",
		ARGS(pidtext(), "SIGUSR1")), 0);
	has(text, "poller");
	hasnot(text, "ticker");
	end();
}
END_TEST

START_TEST(a_socket_is_attached_to_by_its_path)
{
	begin();
	ck_assert_int_eq(with("ps", "taskattach", ARGS(path)), 0);
	has(text, "chanrecv c \"requests\"");
	ck_assert_int_eq(with("", "taskattach", ARGS("/nosuch/dir/x")), 1);
	ck_assert_int_eq(with("", "taskattach", ARGS("-x")), 2);
	end();
}
END_TEST

/* What was said is shown, though nobody takes any more what is still asked. */
START_TEST(who_asks_on_after_quit_gets_all_answers)
{
	static char script[60000];
	size_t n = 0;

	begin();
	while(n < 150)
		n += (size_t)sprintf(script + n, "ps\n");
	n += (size_t)sprintf(script + n, "stats\nquit\n");
	memset(script + n, 'x', sizeof script - 1 - n);
	ck_assert_int_eq(with(script, "taskattach", ARGS(path)), 0);
	has(text, "poller");
	end();
}
END_TEST

/* It is in a group of its own, which a signal for the group would end. */
START_TEST(what_is_no_process_gets_no_signal)
{
	static char *const wrong[] = {"", "0", "00"};
	int status;

	for(size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++){
		pid_t pid = fork();
		if(pid == 0){
			setpgid(0, 0);
			become("taskattach", ARGS(wrong[i]));
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	}
	begin();
	ck_assert_int_eq(with("", "taskattach", ARGS(pidtext(), "USR3")), 2);
	ck_assert_int_eq(with("", "taskattach", ARGS(pidtext(), "")), 2);
	end();
}
END_TEST

/* Clients that are not as they should be */

static int
ismade(void)
{
	return access(in, F_OK) == 0 && access(out, F_OK) == 0;
}

/* TSan keeps a signal for the task in which it came, and loses it with that. */
static void
untilmade(void)
{
	kill(server, SIGUSR1);
	for(int i = 1; TestFewer > 1 && i < 30000 && !ismade(); i++){
		usleep(1000);
		if(i % 1000 == 0)
			kill(server, SIGUSR1);
	}
	until(ismade);
}

/* opens both ends as taskattach does. */
static void
attachby(int *from, int *to)
{
	struct stat st;

	untilmade();
	ck_assert_int_eq(lstat(dir, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0700);
	ck_assert_int_eq(lstat(in, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	*from = open(in, O_RDONLY | O_NONBLOCK);
	ck_assert_int_ge(*from, 0);
	while((*to = open(out, O_WRONLY | O_NONBLOCK)) < 0 && errno == ENXIO)
		usleep(1000);
	ck_assert_int_ge(*to, 0);
	ck_assert_int_eq(write(*to, "1\n\n", 3), 3);
	unlink(in);
	until(isgone);
}

static void
frame(int fd, const char *s)
{
	dprintf(fd, "%zu\n%s", strlen(s), s);
}

/* The session is over when its end is. */
static void
untilend(int from)
{
	struct pollfd p = {from, POLLIN, 0};
	size_t n = 0;

	for(ssize_t r = 1; r > 0; n += (size_t)r){
		ck_assert_int_gt(poll(&p, 1, 15000), 0);
		r = read(from, text + n, sizeof text - 1 - n);
		ck_assert_int_ge(r, 0);
	}
	text[n] = '\0';
}

START_TEST(S0_16_frames_that_are_cut_off_end_the_session_and_nothing_else)
{
	static const char *const wrong[] = {"99\nstats", "5", "x\n",
		"-1\n", "99999999\n", "4\nps\n", "5\nstats"};
	int from, to;

	begin();
	for(size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++){
		attachby(&from, &to);
		ck_assert_int_gt(write(to, wrong[i], strlen(wrong[i])), 0);
		close(to);
		untilend(from);
		has(text, "a line is no text\n");
		hasnot(text, "poller");	/* what is cut off is not done */
		close(from);
	}
	attachby(&from, &to);
	frame(to, "st");	/* a line may be in two */
	frame(to, "ats\n");
	ck_assert_int_eq(write(to, "0\n", 2), 2);
	untilend(from);
	int size = 0;
	ck_assert_int_eq(sscanf(text, "%d\n", &size), 1);
	ck_assert_uint_eq((size_t)size, strlen(strchr(text, '\n') + 1));
	has(text, "poller");
	close(to);
	close(from);
	end();
}
END_TEST

/* Bytes that are almost frames, of almost commands. */
static size_t
almostframes(Random *r, char *to, size_t most)
{
	static const char *const parts[] = {"3\nps\n", "6\nstats\n", "0\n",
		"5\nhelp\n", "4\nbt 1", "1\n\n", "65536\n", "65537\n", "12\n",
		"\n", "-1\n", "9999999999999999\n", "x", "1", "\001", "cont\n",
		"cancel 1\n", "json ", "top 1\n"};
	size_t n = 0, k;

	while(randombelow(r, 12) && n + 32 < most){
		const char *part = parts[randombelow(r, sizeof parts /
			sizeof parts[0])];
		k = strlen(part);
		memcpy(to + n, part, k);
		n += k;
		if(randombelow(r, 8) == 0)
			to[randombelow(r, n)] = (char)randombelow(r, 256);
	}
	return n;
}

/* By hand for longer: FUZZSECONDS=600. */
START_TEST(S0_16_random_frames_do_no_harm)
{
	const char *seconds = getenv("FUZZSECONDS");
	int64_t last_ns = nowns() + (seconds ? atoi(seconds) : 2) *
		(int64_t)1000000000;
	Random r = randomstart();
	char bytes[512];
	int from, to, n = 0;

	begin();
	do{
		attachby(&from, &to);
		size_t m = almostframes(&r, bytes, sizeof bytes);
		if(write(to, bytes, m) < 0)
			ck_assert_int_eq(errno, EPIPE);
		if(randombelow(&r, 2) == 0)
			usleep((useconds_t)randombelow(&r, 20000));
		close(to);
		close(from);
		goeson();
		n++;
	}while(nowns() < last_ns);
	if(seconds)
		fprintf(stderr, "%d clients\n", n);
	ck_assert_int_eq(with("stats\n", "taskattach", ARGS(pidtext())), 0);
	has(text, "poller");
	end();
}
END_TEST

START_TEST(S0_16_a_client_that_reads_nothing_lets_tasks_go_on)
{
	int from, to;

	begin();
	attachby(&from, &to);
	for(int i = 0; i < 2000; i++)
		frame(to, "help\n");	/* more than the FIFO holds */
	goeson();
	ck_assert_int_eq(with("ps\n", "taskattach", ARGS(pidtext())), 0);
	has(text, "requests");	/* nor another client */
	close(from);	/* as when it is killed */
	close(to);
	end();
}
END_TEST

/* The FIFOs are in the child's hands too, and its tasks go on. */
START_TEST(the_child_of_a_fork_takes_nothing_of_what_is_asked)
{
	int from, to;

	if(TestFewer > 1)
		TEST_SKIP("TSan does not follow what a child does");
	begin();
	attachby(&from, &to);
	frame(to, "fork\n");
	for(int i = 0; i < 20; i++){
		usleep(10000);
		ck_assert_int_eq(write(to, "6\nst", 4), 4);
		usleep(10000);
		ck_assert_int_eq(write(to, "ats\n", 4), 4);
	}
	ck_assert_int_eq(write(to, "0\n", 2), 2);
	untilend(from);
	ck_assert_int_eq(occurs(text, "poller "), 20);
	close(to);
	close(from);
	end();
}
END_TEST

START_TEST(the_child_of_a_fork_does_not_take_what_has_come_already)
{
	int from, to;

	if(TestFewer > 1)
		TEST_SKIP("TSan does not follow what a child does");
	begin();
	attachby(&from, &to);
	atomic_store(forknow, Pause);
	while(atomic_load(forknow) != 0)
		usleep(1000);
	ck_assert_int_eq(write(late[1], "", 1), 1);
	frame(to, "stats\n");
	usleep(300000);
	frame(to, "quit\n");
	untilend(from);
	ck_assert_int_eq(occurs(text, "poller "), 1);
	close(to);
	close(from);
	end();
}
END_TEST

/* Else the end of the session would not be seen while the child lives. */
START_TEST(the_child_of_taskfork_lets_go_of_the_session)
{
	int from, to;

	if(TestFewer > 1)
		TEST_SKIP("TSan does not follow what a child does");
	begin();
	attachby(&from, &to);
	atomic_store(forknow, ForkAlone);
	usleep(100000);
	frame(to, "quit\n");
	untilend(from);
	close(to);
	close(from);
	end();
}
END_TEST

START_TEST(the_child_of_a_fork_does_not_await_who_was_awaited)
{
	int from, to;

	if(TestFewer > 1)
		TEST_SKIP("TSan does not follow what a child does");
	begin();
	untilmade();
	atomic_store(forknow, ForkAll);
	usleep(100000);
	kill(server, SIGSTOP);	/* and its child goes on */
	from = open(in, O_RDONLY | O_NONBLOCK);
	usleep(100000);
	to = open(out, O_WRONLY | O_NONBLOCK);
	ck_assert(to < 0 && errno == ENXIO);
	kill(server, SIGCONT);
	while((to = open(out, O_WRONLY | O_NONBLOCK)) < 0 && errno == ENXIO)
		usleep(1000);
	ck_assert_int_eq(write(to, "1\n\n", 3), 3);
	unlink(in);
	frame(to, "quit\n");
	untilend(from);
	close(to);
	close(from);
	end();
}
END_TEST

START_TEST(clients_that_come_at_once_take_turns)
{
	Program p[3];

	begin();
	for(int i = 0; i < 3; i++){
		int fds[2], old = dup(0);
		ck_assert_int_eq(pipe(fds), 0);
		ck_assert_int_eq(write(fds[1], "ps\n", 3), 3);
		close(fds[1]);
		dup2(fds[0], 0);
		close(fds[0]);
		p[i] = start("taskattach", ARGS(pidtext()));
		dup2(old, 0);
		close(old);
	}
	for(int i = 0; i < 3; i++){
		slurp(p[i].out, text, sizeof text, NULL);
		has(text, "requests");
		ck_assert_int_eq(finish(&p[i]), 0);
	}
	end();
}
END_TEST

START_TEST(a_signal_that_nobody_follows_and_old_files_do_no_harm)
{
	begin();
	ck_assert_int_eq(mkdir(dir, 0700), 0);	/* of one with its number */
	ck_assert_int_eq(mkfifo(in, 0600), 0);
	fclose(fopen(out, "w"));
	kill(server, SIGUSR1);
	usleep(30000);
	goeson();
	ck_assert_int_eq(with("ps\n", "taskattach", ARGS(pidtext())), 0);
	has(text, "requests");
	end();
}
END_TEST

/* Somebody else's directory, or what might be one. */
START_TEST(a_directory_that_others_can_enter_is_not_used)
{
	char real[128];

	begin();
	ck_assert_int_eq(mkdir(dir, 0755), 0);
	chmod(dir, 0755);
	names("/tmp");
	snprintf(real, sizeof real, "%s/real", base);
	ck_assert_int_eq(mkdir(real, 0700), 0);
	ck_assert_int_eq(symlink(real, dir), 0);
	kill(server, SIGUSR1);
	usleep(100000);
	goeson();
	ck_assert_int_lt(access(in, F_OK), 0);
	unlink(dir);
	names(base);
	ck_assert_int_lt(access(in, F_OK), 0);
	rmdir(dir);
	rmdir(real);
	ck_assert_int_eq(with("ps\n", "taskattach", ARGS(pidtext())), 0);
	has(text, "requests");
	end();
}
END_TEST

/* tasktop */

/* A console that answers each line with n bytes of v, until it is hung up. */
static pid_t
fakeconsole(const char *v, size_t n)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	char line[100];

	snprintf(sa.sun_path, sizeof sa.sun_path, "%s/fake", base);
	unlink(sa.sun_path);
	ck_assert_int_eq(bind(listener, (void *)&sa, sizeof sa), 0);
	ck_assert_int_eq(listen(listener, 5), 0);
	pid_t pid = fork();
	if(pid == 0){
		int fd = accept(listener, NULL, NULL);
		while(read(fd, line, sizeof line) > 0)
			put(fd, v, n);
		_exit(0);
	}
	close(listener);
	return pid;
}

/* runs tasktop with such a console; its status. */
static int
topfake(const char *v, size_t n)
{
	char where[128];

	snprintf(where, sizeof where, "%s/fake", base);
	pid_t pid = fakeconsole(v, n);
	int status = output(text, sizeof text, "tasktop",
		ARGS("-b", "-d", "10", where));
	waitpid(pid, NULL, 0);
	unlink(where);
	return status;
}

/* Names may come from anywhere, and answers from who is no console. */
START_TEST(tasktop_does_not_believe_a_console)
{
	enum { Size = 65535 };
	static char answer[Size + 1];

	begin();
	snprintf(answer, sizeof answer, "%s\n", "[{\"id\":\"1\","
		"\"name\":\"\033]0;owned\a\",\"state\":\"\033[31mparked\"}]");
	ck_assert_int_eq(topfake(answer, strlen(answer)), 0);
	hasnot(text, "\033]");
	hasnot(text, "\033[31m");
	has(text, "?]0;owned?");
	memset(answer, 'x', Size);
	memcpy(answer, "[{\"id\":\"1\",\"name\":\"", 19);
	memcpy(answer + Size - 3, "\\u\n", 3);
	topfake(answer, Size);
	memset(answer, 'x', Size);
	answer[0] = '{';
	answer[Size - 1] = '\n';
	topfake(answer, Size);
	end();
}
END_TEST

START_TEST(tasktop_prints_a_table_once)
{
	begin();
	ck_assert_int_eq(output(text, sizeof text, "tasktop",
		ARGS("-b", "-d", "100", "-s", "id", path)), 0);
	has(text, " tasks, ");
	has(text, ", by its console\n");
	has(text, "Idv");
	has(text, "\n    1 first ");
	has(text, " parked ");
	has(text, "chanrecv c \"requests\"");
	ck_assert_int_eq(output(text, sizeof text, "tasktop",
		ARGS("-b", "-d", "50", "-p", pidtext())), 0);
	has(text, "ticker ");
	ck_assert_int_eq(output(text, sizeof text, "tasktop",
		ARGS("-b", "/nosuch/dir/x")), 1);
	ck_assert_int_eq(output(text, sizeof text, "tasktop", ARGS("-b")), 2);
	atomic_store(compute, 1);
	ck_assert_int_eq(output(text, sizeof text, "tasktop",
		ARGS("-b", "-d", "50", path)), 0);
	has(text, "the proc computes");
	has(text, " ticker ");
	has(text, " running ");
	atomic_store(compute, 0);
	end();
}
END_TEST

/* No row is wider than the screen. */
static void
fits(void)
{
	for(char *line = strtok(text, "\r\n"); line; line = strtok(NULL,
			"\r\n")){
		int n = 0;
		for(const char *c = line; *c; c++)
			if(*c == '\033')
				c += strcspn(c, "mHKJhl");
			else
				n++;
		ck_assert_msg(n <= 80, "%d columns: %s", n, line);
	}
}

START_TEST(tasktop_draws_sorts_and_leaves_the_terminal_as_it_was)
{
	int status;

	begin();
	Screen s = startscreen(ARGS("-d", "100", path));
	seen(&s, "Busy%v");
	ck_assert_int_eq(cooks(&s), 0);
	seen(&s, "ticker");
	seen(&s, "q: quit");
	fits();
	ck_assert_int_eq(write(s.fd, ">", 1), 1);
	seen(&s, "Schedv");
	ck_assert_int_eq(write(s.fd, "2r", 2), 2);
	seen(&s, "Name^");
	ck_assert_int_eq(write(s.fd, "q", 1), 1);
	seen(&s, "\033[?1049l");
	ck_assert_int_eq(waitpid(s.pid, &status, 0), s.pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(cooks(&s), 1);
	close(s.fd);
	close(s.tty);
	s = startscreen(ARGS("-d", "100", path));
	seen(&s, "q: quit");
	kill(s.pid, SIGTERM);
	seen(&s, "\033[?1049l");
	ck_assert_int_eq(waitpid(s.pid, &status, 0), s.pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	ck_assert_int_eq(cooks(&s), 1);
	end();
}
END_TEST

PROGRAM_MAIN("attach",
	S0_18_a_signal_attaches_a_session_again_and_again,
	a_socket_is_attached_to_by_its_path,
	who_asks_on_after_quit_gets_all_answers,
	what_is_no_process_gets_no_signal,
	S0_16_frames_that_are_cut_off_end_the_session_and_nothing_else,
	S0_16_random_frames_do_no_harm,
	S0_16_a_client_that_reads_nothing_lets_tasks_go_on,
	the_child_of_a_fork_takes_nothing_of_what_is_asked,
	the_child_of_a_fork_does_not_take_what_has_come_already,
	the_child_of_taskfork_lets_go_of_the_session,
	the_child_of_a_fork_does_not_await_who_was_awaited,
	clients_that_come_at_once_take_turns,
	a_signal_that_nobody_follows_and_old_files_do_no_harm,
	a_directory_that_others_can_enter_is_not_used,
	tasktop_does_not_believe_a_console,
	tasktop_prints_a_table_once,
	tasktop_draws_sorts_and_leaves_the_terminal_as_it_was)
