/* SPDX-License-Identifier: MIT */
/* The example httpd, asked rightly and wrongly, and httpload. */
#include "program.h"
#include <dirent.h>
#include <sys/stat.h>

enum { BigBytes = 3000000 };

static char
bigbyte(size_t i)
{
	return (char)(i * 2654435761u >> 13);
}

static char site[] = "/tmp/check_examples.XXXXXX";

static void
putfile(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

/* A directory to serve, beside a file that nobody may see. */
static void
makesite(void)
{
	ck_assert_ptr_nonnull(mkdtemp(site));
	ck_assert_int_eq(chdir(site), 0);
	ck_assert_int_eq(mkdir("www", 0700) | mkdir("www/sub", 0700) |
		mkdir("wwwelse", 0700), 0);
	putfile("secret", "secret");
	putfile("wwwelse/secret", "secret");
	putfile("www/.hidden", "secret");
	putfile("www/index.html", "<p>front");
	putfile("www/a.txt", "A");
	putfile("www/sub/b.c", "int b;");
	putfile("www/two words", "two");
	putfile("www/empty", "");
	FILE *f = fopen("www/big", "w");
	for(size_t i = 0; i < BigBytes; i++)
		putc(bigbyte(i), f);
	fclose(f);
	ck_assert_int_eq(symlink("a.txt", "www/inside") |
		symlink("../secret", "www/out") | symlink("..", "www/outdir") |
		symlink("/", "www/top") | symlink("../wwwelse", "www/else") |
		mkfifo("www/fifo", 0600), 0);
}

static void
removesite(void)
{
	static const char *const names[] = {"secret", "wwwelse/secret",
		"www/.hidden", "www/index.html", "www/a.txt", "www/sub/b.c",
		"www/two words", "www/empty", "www/big", "www/inside",
		"www/out", "www/outdir", "www/top", "www/else", "www/fifo",
		"www/sub", "www", "wwwelse"};

	for(size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		ck_assert_int_eq(remove(names[i]), 0);
	ck_assert_int_eq(rmdir(site), 0);
}

static Program httpd;

static void
begin(void)
{
	makesite();
	httpd = serve("httpd", ARGS("0", "www"));
}

static void
end(void)
{
	kill(httpd.pid, SIGTERM);
	ck_assert_int_eq(finish(&httpd), -SIGTERM);
	removesite();
}

/* All that comes back for n bytes of request, with nothing more to follow. */
static size_t
ask(const char *request, size_t n, char *answer, size_t size)
{
	int fd = dial(httpd.port);

	put(fd, request, n);
	shutdown(fd, SHUT_WR);
	n = slurp(fd, answer, size, NULL);
	close(fd);
	return n;
}

static void
expect(const char *request, const char *start, const char *ending)
{
	char answer[4096];
	size_t n = ask(request, strlen(request), answer, sizeof answer);

	ck_assert_msg(strncmp(answer, start, strlen(start)) == 0 &&
		n >= strlen(ending) &&
		strcmp(answer + n - strlen(ending), ending) == 0 &&
		strstr(answer, "secret") == NULL,
		"to: %s\nexpected: %s ... %s\ncame: %s", request, start, ending,
		answer);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

START_TEST(files_are_served)
{
	begin();
	expect(GET("/a.txt"), "HTTP/1.1 200 OK\r\n",
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Length: 1\r\nConnection: keep-alive\r\n\r\nA");
	expect(GET("/"), "HTTP/1.1 200 OK\r\n", "Content-Type: text/html; "
		"charset=utf-8\r\nContent-Length: 8\r\n"
		"Connection: keep-alive\r\n\r\n<p>front");
	expect(GET("/sub/b.c?v=1"), "HTTP/1.1 200 OK\r\n", "\r\n\r\nint b;");
	expect(GET("/sub/../a.txt"), "HTTP/1.1 404 ", "\r\n\r\n404 Not Found");
	expect(GET("/%61.tx%74"), "HTTP/1.1 200 OK\r\n", "\r\n\r\nA");
	expect(GET("/two%20words"), "HTTP/1.1 200 OK\r\n",
		"Content-Type: application/octet-stream\r\n"
		"Content-Length: 3\r\nConnection: keep-alive\r\n\r\ntwo");
	expect(GET("/empty"), "HTTP/1.1 200 OK\r\n",
		"Content-Length: 0\r\nConnection: keep-alive\r\n\r\n");
	expect(GET("/inside"), "HTTP/1.1 200 OK\r\n", "\r\n\r\nA");
	expect("HEAD /a.txt HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\n",
		"Content-Length: 1\r\nConnection: keep-alive\r\n\r\n");
	end();
}
END_TEST

START_TEST(what_is_wrong_is_refused_by_its_number)
{
	static const char *const bad[] = {"\r\n\r\n", "GET\r\n\r\n",
		"GET /a.txt\r\n\r\n", "GET a.txt HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /a.txt HTTP/1.1\r\n\r\n",
		"GET /a.txt HTTP/2.0\r\nHost: h\r\n\r\n",
		"get /a.txt HTTP/1.0\r\n\r\n", "GET /a\x1b[2J HTTP/1.0\r\n\r\n",
		"GET /a.txt HTTP/1.0x\r\n\r\n", GET("/%"), GET("/%4"),
		GET("/%zz"), GET("/a.txt%00"), GET("/%1b[2J"),
		GET("/a.txt%00.html"), "GET /a.txt\nHTTP/1.0\r\n\r\n",
		"GET /a.txt\r\n HTTP/1.0\r\n\r\n",
		"GET /a.txt HTTP/1.0\r\n: nameless\r\n\r\n",
		"GET /a.txt HTTP/1.0\r\nX: 1\r\n folded\r\n\r\n",
		"GET /a.txt HTTP/1.0\r\nno colon\r\n\r\n",
		"GET /a.txt HTTP/1.0\r\nX: \x7f\r\n\r\n",
		"GET /a.txt HTTP/1.1\r\nHost: h\r\nHOST: h\r\n\r\n"};

	begin();
	for(size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		expect(bad[i], "HTTP/1.1 400 ",
			"Connection: close\r\n\r\n400 Bad Request");
	expect(GET("/nothing"), "HTTP/1.1 404 ",
		"Connection: keep-alive\r\n\r\n404 Not Found");
	expect(GET("/sub"), "HTTP/1.1 404 ", "404 Not Found");
	expect(GET("/fifo"), "HTTP/1.1 404 ", "404 Not Found");
	expect("HEAD /nothing HTTP/1.0\r\n\r\n", "HTTP/1.1 404 ",
		"Content-Length: 13\r\nConnection: close\r\n\r\n");
	expect("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
		"HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\n",
		"Connection: close\r\n\r\n405 Method Not Allowed");
	end();
}
END_TEST

/* How a proxy might read a body where the server sees none. */
START_TEST(a_body_is_never_taken_for_a_request)
{
	static const char *const hidden[] = {"Content-Length : %zu\r\n",
		"Content-Length\t: %zu\r\n", " Content-Length: %zu\r\n",
		"X: y\nContent-Length: %zu\r\n",
		"X: y\rContent-Length: %zu\r\n",
		"X: y\r\rContent-Length: %zu\r\n",
		"X: y\r\n\tz\r\n Content-Length: %zu\r\n",
		"Content-Length: %zu\n\nX: y\r\n"};
	const char *body = GET("/sub/b.c");
	char request[512], field[64];

	begin();
	for(size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++){
		snprintf(field, sizeof field, hidden[i], strlen(body));
		snprintf(request, sizeof request, "GET /a.txt HTTP/1.1\r\n"
			"Host: h\r\n%s\r\n%s", field, body);
		expect(request, "HTTP/1.1 400 ",
			"Connection: close\r\n\r\n400 Bad Request");
	}
	end();
}
END_TEST

START_TEST(no_path_leads_out_of_the_directory)
{
	static const char *const paths[] = {"/../secret", "/%2e%2e/secret",
		"/..%2fsecret", "/%2e%2e%2fsecret",
		"/sub/../../secret", "/sub/..%2f..%2fsecret",
		"/./../secret", "//../secret", "/out", "/outdir/secret",
		"/else/secret", "/../wwwelse/secret", "/..", "/sub/..",
		"/%2e%2e", "/.hidden", "/%2ehidden", "/top/etc/passwd",
		"//etc/passwd", "/%2fetc%2fpasswd", "/\\..\\secret"};
	char request[256], absolute[128];

	begin();
	for(size_t i = 0; i < sizeof paths / sizeof paths[0]; i++){
		snprintf(request, sizeof request, GET("%s"), paths[i]);
		expect(request, "HTTP/1.1 404 ", "404 Not Found");
	}
	snprintf(absolute, sizeof absolute, "%s/secret", site);
	snprintf(request, sizeof request, GET("%s"), absolute);
	expect(request, "HTTP/1.1 404 ", "404 Not Found");
	snprintf(request, sizeof request, GET("/top%s"), absolute);
	expect(request, "HTTP/1.1 404 ", "404 Not Found");
	end();
}
END_TEST

START_TEST(headers_may_have_8192_bytes_and_no_more)
{
	char request[20000], answer[1024];
	size_t n = (size_t)sprintf(request,
		"GET /a.txt HTTP/1.1\r\nHost: h\r\nX: ");

	begin();
	memset(request + n, 'x', sizeof request - n);
	memcpy(request + 8192 - 4, "\r\n\r\n", 4);
	ask(request, 8192, answer, sizeof answer);
	ck_assert_msg(strncmp(answer, "HTTP/1.1 200 ", 13) == 0, "%s", answer);
	memset(request + 8192 - 4, 'x', 4);
	memcpy(request + 8193 - 4, "\r\n\r\n", 4);
	ask(request, 8193, answer, sizeof answer);
	ck_assert_msg(strncmp(answer, "HTTP/1.1 431 ", 13) == 0, "%s", answer);
	memset(request + 8193 - 4, 'x', 4);
	ask(request, sizeof request, answer, sizeof answer);
	ck_assert_msg(strncmp(answer, "HTTP/1.1 431 ", 13) == 0, "%s", answer);
	request[100] = '\0';
	ask(request, 200, answer, sizeof answer);
	ck_assert_msg(strncmp(answer, "HTTP/1.1 400 ", 13) == 0, "%s", answer);
	end();
}
END_TEST

/* After one request: does another on the same connection get its answer? */
static int
kept(const char *first)
{
	char answer[2048];
	int fd = dial(httpd.port);

	put(fd, first, strlen(first));
	slurp(fd, answer, sizeof answer, "\r\n\r\nA");
	int says = strstr(answer, "Connection: keep-alive\r\n") != NULL;
	const char *last = "GET /sub/b.c HTTP/1.0\r\n\r\n";
	send(fd, last, strlen(last), MSG_NOSIGNAL);
	slurp(fd, answer, sizeof answer, NULL);
	int does = strstr(answer, "int b;") != NULL;
	close(fd);
	ck_assert_int_eq(says, does);
	return does;
}

START_TEST(connections_are_kept_as_the_version_and_the_header_say)
{
	begin();
	ck_assert(kept(GET("/a.txt")));
	ck_assert(!kept("GET /a.txt HTTP/1.1\r\nHost: h\r\n"
		"Connection: close\r\n\r\n"));
	ck_assert(!kept("GET /a.txt HTTP/1.1\r\nHost: h\r\n"
		"connection:Close\r\n\r\n"));
	ck_assert(!kept("GET /a.txt HTTP/1.0\r\n\r\n"));
	ck_assert(kept("GET /a.txt HTTP/1.0\r\n"
		"Connection: Keep-Alive\r\n\r\n"));
	ck_assert(!kept("GET /a.txt HTTP/1.1\r\nHost: h\r\n"
		"Content-Length: 3\r\n\r\n"));
	end();
}
END_TEST

START_TEST(pipelined_requests_are_answered_in_order)
{
	char answer[4096];
	const char *requests = GET("/a.txt") GET("/nothing")
		"HEAD /a.txt HTTP/1.1\r\nHost: h\r\n\r\n"
		GET("/sub/b.c") "GET / HTTP/1.0\r\n\r\n" GET("/a.txt");

	begin();
	ask(requests, strlen(requests), answer, sizeof answer);
	char *s = answer;
	const char *const order[] = {"\r\n\r\nA", "404 Not Found\r\n",
		"\r\n\r\n404 Not Found", "Content-Length: 1\r\n",
		"\r\n\r\nint b;", "Connection: close\r\n\r\n<p>front"};
	for(size_t i = 0; i < sizeof order / sizeof order[0]; i++){
		s = strstr(s, order[i]);
		ck_assert_msg(s != NULL, "no %s in its place in: %s", order[i],
			answer);
		s += strlen(order[i]);
	}
	ck_assert_str_eq(s, "");
	end();
}
END_TEST

START_TEST(requests_may_come_byte_by_byte)
{
	char answer[1024];
	const char *request = GET("/a.txt") "GET /sub/b.c HTTP/1.0\r\n\r\n";
	int one = 1;

	begin();
	int fd = dial(httpd.port);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	for(const char *s = request; *s; s++)
		put(fd, s, 1);
	slurp(fd, answer, sizeof answer, NULL);
	ck_assert_ptr_nonnull(strstr(answer, "\r\n\r\nAHTTP/1.1 200 OK\r\n"));
	ck_assert_ptr_nonnull(strstr(answer, "\r\n\r\nint b;"));
	close(fd);
	end();
}
END_TEST

static void
expectbig(int fd)
{
	static char buf[BigBytes + 1024];
	char header[1024];

	slurp(fd, header, sizeof header, "\r\n\r\n");
	ck_assert_ptr_nonnull(strstr(header, "Content-Length: 3000000\r\n"));
	ck_assert_uint_eq(slurp(fd, buf, sizeof buf, NULL), BigBytes);
	for(size_t i = 0; i < BigBytes; i++)
		if(buf[i] != bigbyte(i))
			ck_abort_msg("byte %zu is wrong", i);
}

START_TEST(a_client_that_does_not_read_keeps_nobody_waiting)
{
	char list[8192], next;
	int one = 4096;

	if(TestFewer > 1)
		TEST_SKIP("TSan loses a signal with the task in which it came");
	begin();
	int slow = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in addr = local(httpd.port);
	setsockopt(slow, SOL_SOCKET, SO_RCVBUF, &one, sizeof one);
	ck_assert_int_eq(connect(slow, (void *)&addr, sizeof addr), 0);
	put(slow, "GET /big HTTP/1.0\r\n\r\n", 21);
	int silent = dial(httpd.port);
	put(silent, "GET /a", 6);
	for(int i = 0; i < 20; i++)
		expect(GET("/a.txt"), "HTTP/1.1 200 OK\r\n", "\r\n\r\nA");
	do{	/* it may still be filling the connection: "(ready)" */
		kill(httpd.pid, SIGQUIT);
		slurp(httpd.out, list, sizeof list, "GET /big ");
		ck_assert_int_eq(read(httpd.out, &next, 1), 1);
	}while(next == '(');
	ck_assert_msg(strstr(list, "taskmain             fdwait fd ") != NULL,
		"%s", list);
	expectbig(slow);
	close(slow);
	close(silent);
	end();
}
END_TEST

/* How many descriptors the server has. */
static int
serverfds(void)
{
	char path[64];
	int n = 0;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)httpd.pid);
	DIR *d = opendir(path);
	while(d && readdir(d))
		n++;
	if(d)
		closedir(d);
	return n;
}

/* Silent, slow to ask, slow to take. */
START_TEST(a_client_that_does_nothing_is_left_after_a_time)
{
	static char buf[BigBytes + 1024];
	int small = 4096;

	makesite();
	httpd = serve("httpd", ARGS("0", "www", "1"));
	int before = serverfds();
	int64_t start = nowns();
	int silent = dial(httpd.port), asks = dial(httpd.port);
	put(asks, "GET /a.txt HT", 13);
	int takes = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in addr = local(httpd.port);
	setsockopt(takes, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	ck_assert_int_eq(connect(takes, (void *)&addr, sizeof addr), 0);
	put(takes, "GET /big HTTP/1.0\r\n\r\n", 21);
	ck_assert_uint_eq(slurp(silent, buf, sizeof buf, NULL), 0);
	ck_assert_uint_eq(slurp(asks, buf, sizeof buf, NULL), 0);
	ck_assert_int_ge(nowns() - start, 1000000000);
	close(silent);
	close(asks);
	if(before == 0)
		TEST_SKIP("no /proc");
	while(serverfds() > before)
		usleep(10000);
	ck_assert_uint_lt(slurp(takes, buf, sizeof buf, NULL), BigBytes);
	close(takes);
	expect(GET("/a.txt"), "HTTP/1.1 200 OK\r\n", "\r\n\r\nA");
	end();
}
END_TEST

START_TEST(httpload_counts_what_it_gets)
{
	char buf[1024], port[16], *rest;

	begin();
	sprintf(port, "%d", httpd.port);
	ck_assert_int_eq(output(buf, sizeof buf, "httpload",
		ARGS("4", "200", "127.0.0.1", port, "/a.txt")), 0);
	ck_assert_ptr_nonnull(strstr(buf, "4 connections are at work\n"));
	rest = strstr(buf, " requests per second, 0 errors, ");
	ck_assert_msg(rest != NULL, "%s", buf);
	/* 200 times the header and the one byte of the file */
	char answer[1024];
	size_t n = ask(GET("/a.txt"), strlen(GET("/a.txt")), answer,
		sizeof answer);
	ck_assert_uint_eq(strtoul(strstr(rest, "errors, ") + 8, NULL, 10),
		200 * n);
	ck_assert_int_eq(output(buf, sizeof buf, "httpload",
		ARGS("2", "10", "127.0.0.1", port, "/nothing")), 1);
	ck_assert_ptr_nonnull(strstr(buf, " 10 errors, "));
	end();
}
END_TEST

PROGRAM_MAIN("httpd", files_are_served, what_is_wrong_is_refused_by_its_number,
	a_body_is_never_taken_for_a_request,
	no_path_leads_out_of_the_directory,
	headers_may_have_8192_bytes_and_no_more,
	connections_are_kept_as_the_version_and_the_header_say,
	pipelined_requests_are_answered_in_order,
	requests_may_come_byte_by_byte,
	a_client_that_does_not_read_keeps_nobody_waiting,
	a_client_that_does_nothing_is_left_after_a_time,
	httpload_counts_what_it_gets)
