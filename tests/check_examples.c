/* SPDX-License-Identifier: MIT */
/* The small examples: each is run, and what it says is compared. */
#include "program.h"
#include "watched.h"

START_TEST(hello_greets_in_turns)
{
	char buf[1024];

	ck_assert_int_eq(output(buf, sizeof buf, "hello", ARGS(NULL)), 0);
	ck_assert_str_eq(buf, "hello from Alice\nhello from Bob\n"
		"hello from Alice\nhello from Bob\n"
		"hello from Alice\nhello from Bob\n");
}
END_TEST

static void
greenlet(char *name, const char *what)
{
	char buf[1024];

	ck_assert_int_eq(output(buf, sizeof buf, "greenlet", ARGS(name)), 0);
	ck_assert_str_eq(buf, what);
}

START_TEST(S0_5_S0_8_S2_1_S2_2_S2_3_greenlet)
{
	greenlet(NULL, "12\n56\n34\n");
	greenlet("argument", "12 foo bar\n56\n34\n");
	greenlet("values", "hello world\n42\n");
	greenlet("child", "coroutine foo\ncoroutine bar\n"
		"bar return value\n");
	greenlet("sibling", "coroutine foo\ncoroutine bar\n"
		"coroutine bar return value\n");
}
END_TEST

static void
pipeline(char *way, const char *first)
{
	char buf[1024], want[256];

	snprintf(want, sizeof want, "%shello world\ntest hello\n", first);
	ck_assert_int_eq(output(buf, sizeof buf, "pipeline", ARGS(way, "hello",
		"hello world", "test hello", "nothing")), 0);
	ck_assert_str_eq(buf, want);
}

START_TEST(S0_19_pipeline_greps_in_three_ways)
{
	pipeline("pull", "");
	pipeline("push", "Looking for hello\n");
	pipeline("channels", "");
}
END_TEST

static int
isprime(int n)
{
	for(int i = 2; i * i <= n; i++)
		if(n % i == 0)
			return 0;
	return n > 1;
}

START_TEST(primes_are_the_primes)
{
	char buf[8192], want[8192] = "";
	size_t n = 0;

	for(int i = 2; i <= 1000; i++)
		if(isprime(i))
			n += (size_t)sprintf(want + n, "%d\n", i);
	ck_assert_int_eq(output(buf, sizeof buf, "primes", ARGS("1000")), 0);
	ck_assert_str_eq(buf, want);
	ck_assert_int_eq(output(buf, sizeof buf, "primes", ARGS("2")), 0);
	ck_assert_str_eq(buf, "2\n");
	ck_assert_int_eq(output(buf, sizeof buf, "primes", ARGS("1")), 0);
	ck_assert_str_eq(buf, "");
}
END_TEST

START_TEST(delays_end_in_the_order_of_their_length)
{
	char buf[1024];
	int64_t start = nowns();

	ck_assert_int_eq(output(buf, sizeof buf, "delay",
		ARGS("90", "30", "60")), 0);
	ck_assert_str_eq(buf, "30\n60\n90\n");
	ck_assert_int_ge(nowns() - start, 90000000);
}
END_TEST

static const char *const philosophers[] = {
	"Hypatia", "Hume", "Kant", "Laozi", "Arendt"};

START_TEST(philosophers_all_eat)
{
	char buf[4096], line[64];

	ck_assert_int_eq(output(buf, sizeof buf, "philosophers", ARGS(NULL)),
		0);
	for(int i = 0; i < 5; i++)
		for(int meal = 1; meal <= 3; meal++){
			snprintf(line, sizeof line, "%s eats meal %d\n",
				philosophers[i], meal);
			ck_assert_msg(strstr(buf, line) != NULL, "no %sin: %s",
				line, buf);
		}
}
END_TEST

START_TEST(careless_philosophers_are_told_who_holds_what)
{
	char buf[4096], text[128];

	ck_assert_int_eq(output(buf, sizeof buf, "philosophers",
		ARGS("deadlock")), 1);
	ck_assert_msg(strstr(buf, "no runnable tasks! 5 tasks stalled\n") !=
		NULL, "it said: %s", buf);
	for(int i = 0; i < 5; i++){
		int next = (i + 1) % 5;
		snprintf(text, sizeof text, "has fork %d, wants fork %d  "
			"qlock held by task %d (%s)", i, next, next + 2,
			philosophers[next]);
		ck_assert_msg(strstr(buf, text) != NULL, "no \"%s\" in: %s",
			text, buf);
	}
}
END_TEST

START_TEST(echo_sends_back_to_each_client_what_it_sent)
{
	enum { Clients = 20 };
	int fd[Clients];
	char sent[64], back[64];
	Program echo = serve("echo", ARGS("0"));

	for(int i = 0; i < Clients; i++)
		fd[i] = dial(echo.port);
	for(int i = 0; i < Clients; i++){
		snprintf(sent, sizeof sent, "I am client %d\n", i);
		put(fd[i], sent, strlen(sent));
	}
	for(int i = Clients - 1; i >= 0; i--){
		snprintf(sent, sizeof sent, "I am client %d\n", i);
		shutdown(fd[i], SHUT_WR);
		slurp(fd[i], back, sizeof back, NULL);
		ck_assert_str_eq(back, sent);
		close(fd[i]);
	}
	kill(echo.pid, SIGTERM);
	ck_assert_int_eq(finish(&echo), -SIGTERM);
}
END_TEST

/* One says nothing, the other takes nothing: both are left after a second. */
START_TEST(echo_leaves_a_client_that_does_nothing)
{
	static char buf[65536];
	Program echo = serve("echo", ARGS("0", "1"));
	int64_t start = nowns();
	int silent = dial(echo.port), deaf = dial(echo.port);
	struct timeval second = {.tv_sec = 1};
	ssize_t r = 0;

	setsockopt(deaf, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
	while((r = send(deaf, buf, sizeof buf, MSG_NOSIGNAL)) > 0 ||
			(r < 0 && (errno == EAGAIN || errno == EINTR)))
		;	/* until it is closed there */
	ck_assert(errno == ECONNRESET || errno == EPIPE);
	ck_assert_int_ge(nowns() - start, 1000000000);
	ck_assert_uint_eq(slurp(silent, buf, sizeof buf, NULL), 0);
	close(silent);
	close(deaf);
	kill(echo.pid, SIGTERM);
	ck_assert_int_eq(finish(&echo), -SIGTERM);
}
END_TEST

START_TEST(a_hundred_thousand_tasks_take_a_page_each)
{
	char buf[1024];
	int few = watched() || !cheapguards();
	long n = 0;
	double seconds, kib;
	int maps;

	ck_assert_int_eq(output(buf, sizeof buf, "million",
		ARGS(few ? "1000" : "100000")), 0);
	ck_assert_msg(sscanf(buf, "%ld tasks parked in %lf s, %lf KiB each, "
		"%d map entries", &n, &seconds, &kib, &maps) == 4, "%s", buf);
	ck_assert_int_eq(n, few ? 1000 : 100000);
	ck_assert_msg(strstr(buf, "all awake and gone") != NULL, "%s", buf);
	if(few)
		TEST_SKIP("guards need a map entry each here");
	/* libc's ucontext_t alone is a quarter of a page, on the stack */
	const char *context = getenv("CONTEXT");
	double most = context && strcmp(context, "ucontext") == 0 ? 8.4 : 4.4;
	ck_assert_msg(kib <= most && maps < 300, "%s", buf);
}
END_TEST

START_TEST(pool_gives_the_jobs_to_a_few_workers)
{
	char buf[1024];

	ck_assert_int_eq(output(buf, sizeof buf, "pool", ARGS(NULL)), 0);
	ck_assert_str_eq(buf, "10 of 10 jobs, at most 3 at a time\n");
	ck_assert_int_eq(output(buf, sizeof buf, "pool", ARGS("100", "1",
		"50")), 0);
	ck_assert_msg(strstr(buf, " of 100 jobs, at most 1 at a time, and no "
		"time for more\n") != NULL, "%s", buf);
}
END_TEST

START_TEST(ticker_keeps_time_beside_slow_work)
{
	char buf[1024], *s = buf;
	long long at, before = 0;

	ck_assert_int_eq(output(buf, sizeof buf, "ticker", ARGS(NULL)), 0);
	for(int i = 1; i <= 5; i++){
		ck_assert_msg(sscanf(s, "tick at %lld ms\n", &at) == 1, "%s",
			buf);
		ck_assert_msg(at >= 20 * i && at >= before, "%s", buf);
		before = at;
		s = strchr(s, '\n') + 1;
	}
	ck_assert_msg(strstr(s, " left out\n") != NULL, "%s", buf);
}
END_TEST

START_TEST(crawl_finds_all_pages_and_does_not_wait_for_the_slow_one)
{
	char buf[1024];

	ck_assert_int_eq(output(buf, sizeof buf, "crawl", ARGS(NULL)), 0);
	if(watched())
		TEST_SKIP("500 ms may be too short here");
	ck_assert_str_eq(buf, "page 5 takes too long\n"
		"13 pages, 1 of them too late\n");
}
END_TEST

START_TEST(run_gives_a_command_so_much_time)
{
	char buf[1024];

	ck_assert_int_eq(output(buf, sizeof buf, "run", ARGS("10000", "sh",
		"-c", "echo a; echo b; exit 3")), 3);
	ck_assert_str_eq(buf, "| a\n| b\n2 lines, 4 bytes, status 3\n");
	ck_assert_int_eq(output(buf, sizeof buf, "run", ARGS("500", "sh", "-c",
		"echo a; sleep 100; echo b")), 1);
	if(!watched())
		ck_assert_str_eq(buf, "| a\n1 lines, 2 bytes, too late\n");
	ck_assert_int_eq(output(buf, sizeof buf, "run", ARGS("10000", "sh",
		"-c", "kill -9 $$")), 1);
	ck_assert_str_eq(buf, "0 lines, 0 bytes, signal 9\n");
	ck_assert_int_eq(output(buf, sizeof buf, "run", ARGS("10000",
		"/no/such/program")), 127);
	ck_assert_str_eq(buf, "/no/such/program: No such file or "
		"directory\n");
}
END_TEST

START_TEST(run_can_be_interrupted)
{
	char buf[1024];
	Program p = start("run", ARGS("100000", "sh", "-c",
		"echo on >&2; sleep 100"));

	slurp(p.out, buf, sizeof buf, "on\n");
	kill(p.pid, SIGINT);
	slurp(p.out, buf, sizeof buf, NULL);
	ck_assert_str_eq(buf, "0 lines, 0 bytes, interrupted\n");
	ck_assert_int_eq(finish(&p), 1);
}
END_TEST

static void
within(const char *buf, const char *text)
{
	ck_assert_msg(strstr(buf, text) != NULL, "no \"%s\" in: %s", text,
		buf);
}

/* The number of the worker that has answered, with the line that was sent. */
static int
answeredby(int fd, const char *line)
{
	char buf[512], want[512];
	int pid = 0;

	put(fd, line, strlen(line));
	slurp(fd, buf, sizeof buf, NULL);
	close(fd);
	sscanf(buf, "%d:", &pid);
	snprintf(want, sizeof want, "%d: %s", pid, line);
	ck_assert_str_eq(buf, want);
	return pid;
}

/* finds n workers; returns how many of them are not in known, if there is. */
static int
findworkers(int port, int *workers, int n, const int *known)
{
	int nnew = 0;

	for(int found = 0, tries = 0; found < n; tries++){
		int pid = answeredby(dial(port), "who?\n"), i = 0;
		ck_assert_int_lt(tries, 1000);
		while(i < found && workers[i] != pid)
			i++;
		if(i < found)
			continue;
		workers[found++] = pid;
		for(i = 0; known && i < n && known[i] != pid; i++)
			;
		nnew += i == n;
	}
	return nnew;
}

/* begins a test of prefork. */
#define PREFORK() \
	do{ \
		if(TestFewer > 1) \
			TEST_SKIP("TSan does not follow what a child does"); \
		if(valgrind()) \
			TEST_SKIP("Valgrind has no pidfd_open"); \
	}while(0)

START_TEST(S3_1_prefork_replaces_workers_and_loses_no_connection)
{
	enum { Workers = 3, Clients = 30 };
	int before[Workers], after[Workers], fd[Clients];
	char buf[256], line[64];

	PREFORK();
	Program p = serve("prefork", ARGS("0", "3"));
	ck_assert_int_eq(findworkers(p.port, before, Workers, NULL), 0);
	kill(before[1], SIGKILL);
	slurp(p.out, buf, sizeof buf, "\n");
	snprintf(line, sizeof line, "process %d, died of signal 9\n",
		before[1]);
	ck_assert_msg(strstr(buf, line) != NULL, "%s", buf);
	for(int i = 0; i < Clients; i++)	/* some wait for the next one */
		fd[i] = dial(p.port);
	for(int i = 0; i < Clients; i++)
		answeredby(fd[i], "is anybody there?\n");
	ck_assert_int_eq(findworkers(p.port, after, Workers, before), 1);
	for(int i = 0; i < Workers; i++)
		ck_assert_int_ne(after[i], before[1]);

	for(int i = 0; i < Clients; i++)
		fd[i] = dial(p.port);
	kill(p.pid, SIGTERM);
	for(int i = 0; i < Clients; i++)
		answeredby(fd[i], "the last one\n");
	ck_assert_int_eq(finish(&p), 0);
	for(int i = 0; i < Workers; i++)
		ck_assert(kill(after[i], 0) < 0 && errno == ESRCH);
}
END_TEST

/* returns the number of the worker in the next line, which says what. */
static int
workerin(const Program *p, const char *what)
{
	char buf[256];
	int number, process, n = 0;

	slurp(p->out, buf, sizeof buf, "\n");
	sscanf(buf, "worker %d, process %d, %n", &number, &process, &n);
	ck_assert_msg(n > 0 && strcmp(buf + n, what) == 0, "%s", buf);
	return number;
}

START_TEST(S3_1_a_worker_keeps_its_number_and_may_end_and_not_die_too_often)
{
	enum { Two = 2 };
	int first[Two], then[Two], number;
	char buf[256];

	PREFORK();
	Program p = serve("prefork", ARGS("0", "2", "1"));
	findworkers(p.port, first, Two, NULL);
	kill(first[0], SIGKILL);
	number = workerin(&p, "died of signal 9\n");
	ck_assert_int_eq(findworkers(p.port, then, Two, first), 1);
	int *survivor = &first[1];
	kill(then[0] == *survivor ? then[1] : then[0], SIGTERM);
	ck_assert_int_eq(workerin(&p, "ended with status 0\n"), number);
	for(int i = 0; i < 20; i++)	/* it is not made again */
		answeredby(dial(p.port), "is the other there?\n");
	ck_assert_int_eq(findworkers(p.port, then, 1, survivor), 0);
	kill(*survivor, SIGKILL);
	ck_assert_int_ne(workerin(&p, "died of signal 9\n"), number);
	slurp(p.out, buf, sizeof buf, "\n");
	ck_assert_str_eq(buf, "too many have died\n");
	ck_assert_int_eq(finish(&p), 1);
}
END_TEST

START_TEST(prefork_ends_when_no_worker_is_left)
{
	int worker;

	PREFORK();
	Program p = serve("prefork", ARGS("0", "1"));
	findworkers(p.port, &worker, 1, NULL);
	kill(worker, SIGTERM);
	workerin(&p, "ended with status 0\n");
	ck_assert_int_eq(finish(&p), 0);
}
END_TEST

START_TEST(prefork_ends_with_its_first_process)
{
	int worker;

	PREFORK();
	Program p = serve("prefork", ARGS("0", "1"));
	findworkers(p.port, &worker, 1, NULL);
	kill(p.pid, SIGKILL);
	ck_assert_int_eq(finish(&p), -SIGKILL);	/* it has read to the end */
}
END_TEST

START_TEST(an_argument_that_is_no_number_ends_an_example_with_2)
{
	static char *const wrong[][4] = {{"echo", "--help"}, {"echo", "65536"},
		{"echo", "0", "1s"}, {"httpd", "http"}, {"prefork", "0", "0"},
		{"prefork", "0", "1", "-1"}, {"udp", "ten"},
		{"tcpproxy", "0", "localhost", "0"}, {"run", "x", "true"}};
	char buf[256];

	for(size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++){
		char *const *w = wrong[i];
		ck_assert_int_eq(output(buf, sizeof buf, w[0],
			ARGS(w[1], w[2], w[3])), 2);
		within(buf, "not a number from ");
	}
}
END_TEST

START_TEST(udp_asks_again_for_what_is_lost)
{
	char buf[1024];
	int n, nasked, nanswers, nsent, ncame, nlost;

	ck_assert_int_eq(output(buf, sizeof buf, "udp", ARGS("10", "3")), 0);
	ck_assert_msg(sscanf(buf, "%d questions, asked %d times, %d answers\n"
		"%d sent at once, %d came, %d lost\n", &n, &nasked, &nanswers,
		&nsent, &ncame, &nlost) == 6, "%s", buf);
	ck_assert_int_eq(n, 10);
	ck_assert_int_eq(nanswers, 10);
	ck_assert_int_ge(nasked, 14);	/* 4 of these are forgotten */
	ck_assert_int_gt(ncame, 0);
	ck_assert_int_gt(nlost, 0);
	ck_assert_int_eq(ncame + nlost, nsent);
}
END_TEST

static Program
unixecho(char *path)
{
	char line[256], want[256];
	Program p = start("unixecho", ARGS(path));

	slurp(p.out, line, sizeof line, "\n");
	snprintf(want, sizeof want, "listening on %s\n", path);
	ck_assert_str_eq(line, want);
	return p;
}

static void
asksunixecho(char *path)
{
	char buf[1024];

	ck_assert_int_eq(output(buf, sizeof buf, "unixecho", ARGS(path,
		"first", "", "the last")), 0);
	ck_assert_str_eq(buf, "first\n\nthe last\n");
}

START_TEST(unixecho_takes_the_place_of_a_killed_one_but_not_of_a_live_one)
{
	char dir[] = "/tmp/unixechoXXXXXX", path[64], buf[1024];

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/socket", dir);
	Program killed = unixecho(path);
	asksunixecho(path);
	kill(killed.pid, SIGKILL);
	ck_assert_int_eq(finish(&killed), -SIGKILL);
	do	/* of a dead process io_uring lets the sockets go a bit later */
		ck_assert_int_eq(output(buf, sizeof buf, "unixecho",
			ARGS(path, "?")), 1);
	while(strstr(buf, "Connection reset"));
	within(buf, "Connection refused");
	Program live = unixecho(path);
	ck_assert_int_eq(output(buf, sizeof buf, "unixecho", ARGS(path)), 1);
	within(buf, "in use");
	asksunixecho(path);
	kill(live.pid, SIGTERM);
	ck_assert_int_eq(finish(&live), 0);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

START_TEST(unixecho_refuses_a_line_that_is_too_long)
{
	static char line[5001], buf[8192];
	char path[64];

	snprintf(path, sizeof path, "@unixecho-%d", (int)getpid());
	Program p = unixecho(path);
	asksunixecho(path);
	memset(line, 'x', 4000);
	ck_assert_int_eq(output(buf, sizeof buf, "unixecho", ARGS(path, line)),
		0);
	ck_assert_uint_eq(strlen(buf), 4001);
	memset(line, 'x', 5000);
	ck_assert_int_eq(output(buf, sizeof buf, "unixecho", ARGS(path, line)),
		0);
	ck_assert_str_eq(buf, "that line is too long\n");
	kill(p.pid, SIGINT);
	ck_assert_int_eq(finish(&p), 0);
}
END_TEST

PROGRAM_MAIN("examples", hello_greets_in_turns,
	S0_5_S0_8_S2_1_S2_2_S2_3_greenlet, S0_19_pipeline_greps_in_three_ways,
	pool_gives_the_jobs_to_a_few_workers,
	ticker_keeps_time_beside_slow_work,
	crawl_finds_all_pages_and_does_not_wait_for_the_slow_one,
	S3_1_prefork_replaces_workers_and_loses_no_connection,
	S3_1_a_worker_keeps_its_number_and_may_end_and_not_die_too_often,
	prefork_ends_when_no_worker_is_left,
	prefork_ends_with_its_first_process,
	an_argument_that_is_no_number_ends_an_example_with_2,
	run_gives_a_command_so_much_time, run_can_be_interrupted,
	primes_are_the_primes,
	delays_end_in_the_order_of_their_length, philosophers_all_eat,
	careless_philosophers_are_told_who_holds_what,
	echo_sends_back_to_each_client_what_it_sent,
	echo_leaves_a_client_that_does_nothing,
	udp_asks_again_for_what_is_lost,
	unixecho_takes_the_place_of_a_killed_one_but_not_of_a_live_one,
	unixecho_refuses_a_line_that_is_too_long,
	a_hundred_thousand_tasks_take_a_page_each)
