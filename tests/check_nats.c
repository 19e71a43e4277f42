/* SPDX-License-Identifier: MIT */
/* The example nats, with a real server and one that says what it likes. */
#include "program.h"
#include "server.h"
#include <poll.h>

enum { LargeBytes = 1 << 20, Slow = 5000 };

static char address[32];	/* of the server: host:port */
static int port;

static void
setport(int number)
{
	port = number;
	snprintf(address, sizeof address, "127.0.0.1:%d", number);
}

/* starts the real one at port. */
static pid_t
startnats(void)
{
	char text[16];

	snprintf(text, sizeof text, "%d", port);
	return startserver(port, ARGS("nats-server", "-a", "127.0.0.1", "-p",
		text));
}

/* A socket that listens in its place. */
static int
announce(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in addr = local(0);
	socklen_t n = sizeof addr;

	ck_assert_int_eq(bind(fd, (void *)&addr, n), 0);
	ck_assert_int_eq(listen(fd, 16), 0);
	getsockname(fd, (void *)&addr, &n);
	setport(ntohs(addr.sin_port));
	return fd;
}

/* A test that needs the real server, which has the number server. */
#define SERVED_TEST(name) \
	static void name##_served(pid_t server); \
	START_TEST(name) \
	{ \
		if(!haveserver("nats-server")) \
			TEST_SKIP("there is no nats-server"); \
		setport(freeport()); \
		name##_served(startnats()); \
	} \
	END_TEST \
	static void \
	name##_served(pid_t server)

static Program
subscribe(char *subject, char *queue, char *name)
{
	char line[64];
	Program p = start("nats", ARGS(address, "sub", subject, queue, name));

	slurp(p.out, line, sizeof line, "\n");
	ck_assert_str_eq(line, "subscribed\n");
	return p;
}

static void
stop(Program *p)
{
	kill(p->pid, SIGTERM);
	ck_assert_int_eq(finish(p), -SIGTERM);
}

/* publishes lines; returns the status, and what was said in buf. */
static int
publish(char *subject, const char *lines, size_t n, char *buf, size_t size)
{
	int fds[2], in = dup(0);

	ck_assert_int_eq(pipe(fds), 0);
	fcntl(fds[1], F_SETFD, FD_CLOEXEC);
	dup2(fds[0], 0);
	close(fds[0]);
	Program p = start("nats", ARGS(address, "pub", subject));
	dup2(in, 0);
	close(in);
	signal(SIGPIPE, SIG_IGN);
	for(size_t done = 0; done < n; ){
		ssize_t r = write(fds[1], lines + done, n - done);
		if(r < 0)
			break;
		done += (size_t)r;
	}
	close(fds[1]);
	slurp(p.out, buf, size, NULL);
	return finish(&p);
}

static void
publishes(char *subject, const char *lines)
{
	char buf[256];

	ck_assert_msg(publish(subject, lines, strlen(lines), buf,
		sizeof buf) == 0, "%s", buf);
}

static void
reads(Program *p, const char *want, const char *end)
{
	char buf[1024];

	slurp(p->out, buf, sizeof buf, end);
	ck_assert_str_eq(buf, want);
}

/* Whether it says something within 100 ms. */
static int
comes(const Program *p)
{
	struct pollfd fd = {.fd = p->out, .events = POLLIN};

	return poll(&fd, 1, 100) == 1;
}

SERVED_TEST(what_is_published_comes_to_all_who_subscribe)
{
	Program all = subscribe("news.>", NULL, NULL);
	Program some = subscribe("news.*.weather", NULL, NULL);

	publishes("news.sport", "goal\n\nno goal\n");
	publishes("old.weather", "snow\n");
	publishes("news.here.weather", "rain\nend\n");
	reads(&all, "news.sport goal\nnews.sport \nnews.sport no goal\n"
		"news.here.weather rain\nnews.here.weather end\n", "end\n");
	reads(&some, "news.here.weather rain\nnews.here.weather end\n",
		"end\n");
	stop(&all);
	stop(&some);
	stopserver(server);
}

SERVED_TEST(of_those_in_a_queue_one_gets_each)
{
	enum { Jobs = 200 };
	char lines[Jobs * 8] = "", first[8192], second[8192];
	size_t n = 0;
	Program a = subscribe("jobs", "workers", NULL);
	Program b = subscribe("jobs", "workers", NULL);

	for(int i = 0; i < Jobs; i++)
		n += (size_t)sprintf(lines + n, "<%d>\n", i);
	publishes("jobs", lines);
	/* what is published later to one comes later: both have had theirs */
	publishes("jobs", "end\nend\nend\nend\nend\nend\nend\nend\nend\nend\n"
		"end\nend\nend\nend\nend\nend\nend\nend\nend\nend\n");
	slurp(a.out, first, sizeof first, "end\n");
	slurp(b.out, second, sizeof second, "end\n");
	for(int i = 0; i < Jobs; i++){
		char job[16];
		sprintf(job, "<%d>\n", i);
		ck_assert_int_eq(occurs(first, job) + occurs(second, job), 1);
	}
	ck_assert_ptr_nonnull(strchr(first, '<'));
	ck_assert_ptr_nonnull(strchr(second, '<'));
	stop(&a);
	stop(&b);
	stopserver(server);
}

static int
ask(char *subject, char *text, char *ms, char *buf, size_t size)
{
	return output(buf, size, "nats", ARGS(address, "ask", subject, text,
		ms));
}

SERVED_TEST(a_question_gets_one_answer)
{
	char buf[256];
	Program a = subscribe("time", "clocks", "a");
	Program b = subscribe("time", "clocks", "b");

	for(int i = 0; i < 4; i++){
		ck_assert_int_eq(ask("time", "what is it?", NULL, buf,
			sizeof buf), 0);
		buf[0] = buf[0] == 'b' ? 'a' : buf[0];
		ck_assert_str_eq(buf, "a: what is it?\n");
	}
	ck_assert_int_eq(ask("space", "is anybody there?", "300", buf,
		sizeof buf), 1);
	ck_assert_str_eq(buf, "nats: Connection timed out\n");
	stop(&a);
	stop(&b);
	stopserver(server);
}

SERVED_TEST(after_a_crash_of_the_server_all_are_subscribed_again)
{
	char buf[256];
	Program a = subscribe("news", NULL, NULL);
	Program b = subscribe("time", "clocks", "b");

	for(int i = 0; i < 2; i++){
		stopserver(server);
		server = startnats();
		for(int tries = 0; ask("time", "now?", "300", buf,
				sizeof buf) != 0; )
			ck_assert_int_lt(++tries, 50);
		ck_assert_str_eq(buf, "b: now?\n");
	}
	for(int tries = 0; ; tries++){	/* a may come later than b */
		publishes("news", "here again\n");
		if(comes(&a))
			break;
		ck_assert_int_lt(tries, 100);
	}
	reads(&a, "news here again\n", "\n");
	stop(&a);
	stop(&b);
	stopserver(server);
}

SERVED_TEST(a_publisher_waits_for_its_server)
{
	char buf[256];

	stopserver(server);
	Program p = start("nats", ARGS(address, "ask", "time", "now?",
		"100"));
	ck_assert_int_eq(finish(&p), 1);
	p = start("nats", ARGS(address, "sub", "time", "", "a"));
	server = startnats();
	slurp(p.out, buf, sizeof buf, "\n");
	ck_assert_str_eq(buf, "subscribed\n");
	ck_assert_int_eq(ask("time", "now?", NULL, buf, sizeof buf), 0);
	ck_assert_str_eq(buf, "a: now?\n");
	stop(&p);
	stopserver(server);
}

SERVED_TEST(a_large_message_comes_whole_and_a_larger_one_is_refused)
{
	static char line[LargeBytes + 8], back[LargeBytes + 8];
	char buf[256];
	Program p = subscribe("large", NULL, NULL);

	for(size_t i = 0; i <= LargeBytes; i++)
		line[i] = (char)('a' + (i * 2654435761u >> 13) % 26);
	line[LargeBytes] = '\n';
	ck_assert_msg(publish("large", line, LargeBytes + 1, buf,
		sizeof buf) == 0, "%s", buf);
	size_t n = 0;
	for(ssize_t r; n < LargeBytes + 7; n += (size_t)r)
		ck_assert_int_gt(r = read(p.out, back + n, LargeBytes + 7 - n),
			0);
	ck_assert_int_eq(memcmp(back, "large ", 6), 0);
	ck_assert_int_eq(memcmp(back + 6, line, LargeBytes + 1), 0);
	line[LargeBytes] = 'x';
	line[LargeBytes + 1] = '\n';
	ck_assert_int_eq(publish("large", line, LargeBytes + 2, buf,
		sizeof buf), 1);
	ck_assert_str_eq(buf, "nats: Message too long\n");
	stop(&p);
	stopserver(server);
}

/* Its output is not read until all is published: nothing else waits for it. */
SERVED_TEST(a_slow_reader_loses_some_and_is_told)
{
	static char lines[Slow * 1001 + 1], buf[Slow * 1024];
	Program p = subscribe("much", NULL, NULL);
	int before = -1, number, nseen = 0, nlost = 0, nends = 0;
	ssize_t n = 0;

	for(int i = 0; i < Slow; i++)
		sprintf(lines + 1001 * i, "%01000d\n", i);
	publishes("much", lines);
	do{
		publishes("much", "end\n");
		nends++;
		while(comes(&p))
			n += read(p.out, buf + n, sizeof buf - 1 - (size_t)n);
	}while(strstr(buf, "end\n") == NULL);
	for(char *s = buf; (s = strstr(s, "much 0")) != NULL; nseen++){
		ck_assert_int_eq(sscanf(s += 5, "%d", &number), 1);
		ck_assert_int_gt(number, before);
		before = number;
	}
	for(char *s = buf; (s = strstr(s, " lost\n")) != NULL; s++){
		char *start = s;
		while(start[-1] != '\n')
			start--;
		nlost += atoi(start);
	}
	ck_assert_int_gt(nseen, 0);
	ck_assert_int_gt(nlost, 0);
	ck_assert_int_le(nseen + nlost, Slow + nends);
	stop(&p);
	stopserver(server);
}

/* The client, as its server sees it: what it says first is read. */
static int
greeted(int listener, const char *info)
{
	char buf[4096];
	int fd = accept(listener, NULL, NULL);

	ck_assert_int_ge(fd, 0);
	put(fd, info, strlen(info));
	slurp(fd, buf, sizeof buf, "PING\r\n");
	ck_assert_int_eq(strncmp(buf, "CONNECT {", 9), 0);
	ck_assert_ptr_nonnull(strstr(buf, "\r\nSUB news  1\r\n"));
	put(fd, "PONG\r\nPONG\r\n", 12);	/* it asks twice */
	return fd;
}

static void
ended(int fd)
{
	char buf[256];

	while(read(fd, buf, sizeof buf) > 0)
		;
	close(fd);
}

START_TEST(a_server_that_says_nonsense_is_left_and_dialled_again)
{
	static const char *const nonsense[] = {"\r\n", "HELLO\r\n", "MSG\r\n",
		"MSG news\r\n", "MSG news 1\r\n", "MSG news 1 x\r\n",
		"MSG news 1 -1\r\n", "MSG news 1 3x\r\nabc\r\n",
		"MSG news 1 1048577\r\n", "MSG news 1 99999999999999999999\r\n",
		"MSG news 1 a 3 4\r\nabc\r\n", "MSG news 1 3\r\nabcd\r\n",
		"MSG news x 3\r\nabc\r\n", "MSGnews 1 3\r\nabc\r\n",
		"PONG PONG\r\n", "INFO\r\n"};
	static char line[70000];
	char buf[8192];
	int listener = announce();
	Program p = start("nats", ARGS(address, "sub", "news"));

	for(size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++){
		int fd = greeted(listener, "INFO {}\r\n");
		put(fd, nonsense[i], strlen(nonsense[i]));
		ended(fd);
	}
	memset(line, 'x', sizeof line);	/* it may leave before it has all */
	int fd = greeted(listener, "INFO {}\r\n");
	ck_assert_int_gt(send(fd, line, sizeof line, MSG_NOSIGNAL), 0);
	ended(fd);
	fd = accept(listener, NULL, NULL);
	put(fd, "HELLO\r\n", 7);
	ended(fd);
	fd = greeted(listener, "INFO {}\r\n");
	put(fd, "MSG news 1 4\r\nlast\r\n", 20);
	slurp(p.out, buf, sizeof buf, "last\n");
	ck_assert_int_eq(occurs(buf, "news "), 1);
	ck_assert_int_eq(occurs(buf, "is not understood\n"),
		sizeof nonsense / sizeof nonsense[0]);
	close(fd);
	stop(&p);
}
END_TEST

START_TEST(a_server_may_speak_in_bytes_and_of_what_was_not_asked)
{
	static const char lines[] = "+OK\r\n-ERR 'none'\r\npInG\r\n"
		"INFO {\"max_payload\":10}\r\nMSG news 77 3\r\nabc\r\n"
		"MSG\tnews 1 \t reply\t 0\r\n\r\nmsg news 1 5\r\na\0\r\nb\r\n"
		"MSG news 1 3\r\nend\r\n";
	static const char want[] = "subscribed\nnews \nnews a\0\r\nb\n"
		"news end\n";
	char buf[256], *at;
	size_t n = 0;
	int listener = announce();
	Program p = start("nats", ARGS(address, "sub", "news"));
	int fd = greeted(listener, "INFO {\"max_payload\":3}\r\n");

	for(size_t i = 0; i < sizeof lines - 1; i++)
		put(fd, lines + i, 1);
	slurp(fd, buf, sizeof buf, "PONG\r\n");
	ck_assert_ptr_nonnull(strstr(buf, "PONG\r\n"));
	do
		ck_assert_int_eq(read(p.out, buf + n++, 1), 1);
	while(n < 4 || memcmp(buf + n - 4, "end\n", 4) != 0);
	at = memmem(buf, n, "nats: the server says 'none'\n", 29);
	ck_assert_ptr_nonnull(at);
	memmove(at, at + 29, n - 29 - (size_t)(at - buf));
	ck_assert_uint_eq(n - 29, sizeof want - 1);
	ck_assert_int_eq(memcmp(buf, want, sizeof want - 1), 0);
	close(fd);
	stop(&p);
}
END_TEST

START_TEST(a_silent_server_is_asked_and_then_left)
{
	char buf[64];
	int listener = announce();

	setenv("NATSQUIET", "300", 1);
	Program p = start("nats", ARGS(address, "sub", "news"));
	int fd = greeted(listener, "INFO {}\r\n");
	for(int i = 0; i < 2; i++){	/* it stays for who answers */
		slurp(fd, buf, sizeof buf, "PING\r\n");
		ck_assert_str_eq(buf, "PING\r\n");
		put(fd, "PONG\r\n", 6);
	}
	slurp(fd, buf, sizeof buf, NULL);
	ck_assert_str_eq(buf, "PING\r\n");
	close(fd);
	close(greeted(listener, "INFO {}\r\n"));
	stop(&p);
}
END_TEST

START_TEST(a_wrong_call_is_told)
{
	char buf[1024];

	announce();
	ck_assert_int_eq(output(buf, sizeof buf, "nats", ARGS(address, "get",
		"news")), 2);
	ck_assert_int_eq(output(buf, sizeof buf, "nats", ARGS("nowhere", "sub",
		"news")), 2);
	ck_assert_int_eq(output(buf, sizeof buf, "nats", ARGS(address, "sub",
		"the news")), 1);
	ck_assert_str_eq(buf, "nats: Invalid argument\n");
}
END_TEST

PROGRAM_MAIN("nats", what_is_published_comes_to_all_who_subscribe,
	of_those_in_a_queue_one_gets_each, a_question_gets_one_answer,
	after_a_crash_of_the_server_all_are_subscribed_again,
	a_publisher_waits_for_its_server,
	a_large_message_comes_whole_and_a_larger_one_is_refused,
	a_slow_reader_loses_some_and_is_told,
	a_server_that_says_nonsense_is_left_and_dialled_again,
	a_server_may_speak_in_bytes_and_of_what_was_not_asked,
	a_silent_server_is_asked_and_then_left, a_wrong_call_is_told)
