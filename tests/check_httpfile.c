/* SPDX-License-Identifier: MIT */
/* Files as answers of HTTP: what is sent of them, and what is not. */
#include "httptest.h"
#include <sys/stat.h>

enum { BigBytes = 3000000 };

static char site1[] = "/tmp/check_httpfile.XXXXXX";
static int root;

static char
bigbyte(size_t i)
{
	return (char)(i * 2654435761u >> 13);
}

static void
file(const char *name, const char *text)
{
	int fd = openat(root, name, O_WRONLY | O_CREAT, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void
serve(Http *h)
{
	ck_assert_int_le(httpfile(h, root, httpparam(h, "*")), 0);
}

static const Httproute routes[] = {
	{"GET", "/f/*", serve, NULL},
	{NULL, NULL, NULL, NULL}
};

static void
beginsite(void)
{
	struct timespec then[2] = {{784111777, 0}, {784111777, 0}};

	ck_assert_ptr_nonnull(mkdtemp(site1));
	int top = open(site1, O_RDONLY | O_DIRECTORY);
	ck_assert_int_eq(mkdirat(top, "www", 0700), 0);
	root = top;
	file("secret", "secret");
	root = openat(top, "www", O_RDONLY | O_DIRECTORY);
	close(top);
	ck_assert_int_eq(mkdirat(root, "sub", 0700), 0);
	file(".hidden", "secret");
	file("a.txt", "0123456789");
	file("empty.css", "");
	file("two words", "two");
	file("sub/index.html", "<p>sub");
	ck_assert_int_eq(symlinkat("a.txt", root, "inside") |
		symlinkat("../secret", root, "out") |
		symlinkat("..", root, "outdir") |
		symlinkat("/", root, "top") | mkfifoat(root, "fifo", 0600) |
		mkdirat(root, "piped", 0700) |
		mkfifoat(root, "piped/index.html", 0600), 0);
	utimensat(root, "a.txt", then, 0);
	begin(routes);
}

static void
endsite(void)
{
	static const char *const names[] = {".hidden", "a.txt", "empty.css",
		"two words", "sub/index.html", "inside", "out", "outdir", "top",
		"fifo", "big", "../secret", "piped/index.html"};
	char path[64];

	end();
	for(size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unlinkat(root, names[i], 0);
	ck_assert_int_eq(unlinkat(root, "sub", AT_REMOVEDIR) |
		unlinkat(root, "piped", AT_REMOVEDIR), 0);
	close(root);
	snprintf(path, sizeof path, "%s/www", site1);
	ck_assert_int_eq(rmdir(path) | rmdir(site1), 0);
}

static void
get(const char *path, const char *fields)
{
	char request[512];

	snprintf(request, sizeof request, REQUEST("GET", "%s") "%s" ONCE, path,
		fields);
	ask(request);
}

TASK_TEST(files_have_their_type_length_and_date)
{
	beginsite();
	get("/f/a.txt", "");
	STATUS(200);
	HAS("\r\nContent-Type: text/plain; charset=utf-8\r\n");
	HAS("\r\nContent-Length: 10\r\n");
	HAS("\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
	HAS("\r\nAccept-Ranges: bytes\r\n");
	ck_assert_str_eq(body(), "0123456789");
	get("/f/empty.css", "");
	HAS("\r\nContent-Type: text/css; charset=utf-8\r\n");
	HAS("\r\nContent-Length: 0\r\n");
	get("/f/two%20words", "");
	ck_assert_str_eq(body(), "two");
	get("/f/sub/", "");
	HAS("\r\nContent-Type: text/html; charset=utf-8\r\n");
	ck_assert_str_eq(body(), "<p>sub");
	get("/f/sub?a=b", "");
	STATUS(301);
	HAS("\r\nLocation: /f/sub/?a=b\r\n");
	ask(REQUEST("HEAD", "/f/a.txt") ONCE);
	HAS("\r\nContent-Length: 10\r\n");
	ck_assert_str_eq(body(), "");
	endsite();
}

TASK_TEST(nothing_leads_out_of_the_directory)
{
	static const char *const paths[] = {"/f/../secret", "/f/..%2fsecret",
		"/f/%2e%2e/secret", "/f/sub/../../secret", "/f/.hidden",
		"/f/out", "/f/outdir/secret", "/f/outdir/", "/f/top/etc/passwd",
		"/f/inside", "/f//secret", "/f/%2fetc/passwd", "/f/./a.txt",
		"/f/fifo", "/f/none", "/f/a.txt/", "/f/a.txt/x", "/f/", "/f/.",
		"/f/sub//index.html", "/f/piped/"};

	beginsite();
	for(size_t i = 0; i < sizeof paths / sizeof paths[0]; i++){
		get(paths[i], "");
		STATUS(404);
		HASNOT("secret");
	}
	endsite();
}

TASK_TEST(a_part_of_a_file_is_206)
{
	static const struct { const char *range, *told, *part; } parts[] = {
		{"bytes=0-0", "bytes 0-0/10", "0"},
		{"bytes=2-4", "bytes 2-4/10", "234"},
		{"bytes=7-", "bytes 7-9/10", "789"},
		{"bytes=8-100", "bytes 8-9/10", "89"},
		{"bytes=-3", "bytes 7-9/10", "789"},
		{"bytes=-99", "bytes 0-9/10", "0123456789"},
		{"bytes=9-99999999999999999999", "bytes 9-9/10", "9"}
	};
	char text[128];

	beginsite();
	for(size_t i = 0; i < sizeof parts / sizeof parts[0]; i++){
		snprintf(text, sizeof text, "Range: %s\r\n", parts[i].range);
		get("/f/a.txt", text);
		STATUS(206);
		snprintf(text, sizeof text, "\r\nContent-Range: %s\r\n",
			parts[i].told);
		HAS(text);
		ck_assert_str_eq(body(), parts[i].part);
	}
	endsite();
}

TASK_TEST(a_part_is_for_GET)
{
	beginsite();
	ask(REQUEST("HEAD", "/f/a.txt") "Range: bytes=2-4\r\n" ONCE);
	STATUS(200);
	HAS("\r\nContent-Length: 10\r\n");
	HASNOT("Content-Range");
	endsite();
}

TASK_TEST(a_part_that_is_none_is_416_and_what_is_no_part_is_all)
{
	static const char *const none[] = {"bytes=10-", "bytes=10-20",
		"bytes=-0"};
	static const char *const all[] = {"bytes=1-2,4-5", "bytes=4-2",
		"bytes=a-b", "bytes=-", "bytes=", "chars=1-2", "bytes=1-2x",
		"bytes=--1"};
	char text[128];

	beginsite();
	for(size_t i = 0; i < sizeof none / sizeof none[0]; i++){
		snprintf(text, sizeof text, "Range: %s\r\n", none[i]);
		get("/f/a.txt", text);
		STATUS(416);
		HAS("\r\nContent-Range: bytes */10\r\n");
	}
	for(size_t i = 0; i < sizeof all / sizeof all[0]; i++){
		snprintf(text, sizeof text, "Range: %s\r\n", all[i]);
		get("/f/a.txt", text);
		STATUS(200);
		ck_assert_str_eq(body(), "0123456789");
	}
	endsite();
}

TASK_TEST(who_has_the_file_is_told_so)
{
	char etag[64] = "", text[160];

	beginsite();
	get("/f/a.txt", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
	STATUS(304);
	HASNOT("Content-Length");
	ck_assert_str_eq(body(), "");
	get("/f/a.txt", "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n");
	STATUS(200);
	get("/f/a.txt", "If-Modified-Since: yesterday\r\n");
	STATUS(200);
	sscanf(strstr(answer, "ETag: "), "ETag: %63s", etag);
	snprintf(text, sizeof text, "If-None-Match: \"x\", W/%s\r\n", etag);
	get("/f/a.txt", text);
	STATUS(304);
	HAS(etag);
	get("/f/a.txt", "If-None-Match: \"x\"\r\n"
		"If-Modified-Since: Sun, 06 Nov 2094 08:49:37 GMT\r\n");
	STATUS(200);
	snprintf(text, sizeof text, "Range: bytes=1-2\r\nIf-Range: %s\r\n",
		etag);
	get("/f/a.txt", text);
	STATUS(206);
	get("/f/a.txt", "Range: bytes=1-2\r\nIf-Range: \"x\"\r\n");
	STATUS(200);
	endsite();
}

TASK_TEST(a_large_file_comes_whole)
{
	char *big = malloc(BigBytes), *line;

	beginsite();
	for(size_t i = 0; i < BigBytes; i++)
		big[i] = bigbyte(i);
	int fd = openat(root, "big", O_WRONLY | O_CREAT, 0600);
	ck_assert_int_eq(write(fd, big, BigBytes), BigBytes);
	close(fd);
	Stream *s = streamopen(dialserver(), 0);
	streamprint(s, REQUEST("GET", "/f/big") "\r\n"
		REQUEST("GET", "/f/a.txt") ONCE);
	while(streamline(s, &line) > 0);
	memset(big, 0, BigBytes);
	ck_assert_int_eq(streamreadn(s, big, BigBytes), BigBytes);
	for(size_t i = 0; i < BigBytes; i++)
		if(big[i] != bigbyte(i))
			ck_abort_msg("byte %zu", i);
	ck_assert_int_ge(streamline(s, &line), 0);
	ck_assert_str_eq(line, "HTTP/1.1 200 OK");
	streamclose(s);
	free(big);
	endsite();
}

TEST_MAIN("httpfile",
	files_have_their_type_length_and_date,
	nothing_leads_out_of_the_directory,
	a_part_of_a_file_is_206,
	a_part_is_for_GET,
	a_part_that_is_none_is_416_and_what_is_no_part_is_all,
	who_has_the_file_is_told_so,
	a_large_file_comes_whole)
