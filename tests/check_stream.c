/* SPDX-License-Identifier: MIT */
/* Streams, as their users see them. */
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <termios.h>

#include "fdtest.h"

enum { ChunkBytes = 16 * 1024 };

static Stream *s;	/* of fds[0], for most tests */
static int fds[2];

static void
open2(size_t most)
{
	pair(fds);
	s = streamopen(fds[0], most);
	ck_assert_ptr_nonnull(s);
}

static void
put(int fd, const char *text)
{
	ck_assert_int_eq(fdwrite(fd, text, strlen(text)),
		(ssize_t)strlen(text));
}

/* ends both; the peer first, so that there is nothing to wait for. */
static void
close2(void)
{
	fdclose(fds[1]);
	streamclose(s);
}

static void
beside(void (*fn)(void *), void *v)
{
	ck_assert_int_gt(taskcreate(fn, v, 0), 0);
}

/* The next line of s. */
static void
isline(const char *text)
{
	char *line = NULL;

	ck_assert_int_eq(streamline(s, &line), (ssize_t)strlen(text));
	ck_assert_str_eq(line, text);
}

/* What can be read of s next, as much as that. */
static void
reads(const char *text)
{
	char buf[256];
	ssize_t n = (ssize_t)strlen(text);

	ck_assert_int_eq(streamread(s, buf, sizeof buf), n);
	ck_assert_mem_eq(buf, text, n);
}

/* What has come to fd. */
static void
came(int fd, const char *text)
{
	char buf[256];
	ssize_t n = (ssize_t)strlen(text);

	ck_assert_int_eq(read(fd, buf, sizeof buf), n);
	ck_assert_mem_eq(buf, text, n);
}

/* Reading */

TASK_TEST(streamread_gives_what_there_is)
{
	char c;

	open2(0);
	put(fds[1], "data");
	errno = EDOM;
	ck_assert_int_eq(streamread(s, &c, 1), 1);
	ck_assert_int_eq(c, 'd');
	ck_assert_int_eq(streamread(s, &c, 0), 0);
	reads("ata");
	fdclose(fds[1]);
	ck_assert_int_eq(streamread(s, &c, 1), 0);
	ck_assert_int_eq(streamread(s, &c, 1), 0);
	ck_assert_int_eq(errno, EDOM);
	ck_assert_int_eq(streamclose(s), 0);
	FAILS(fcntl(fds[0], F_GETFD), EBADF);
}

TASK_TEST(streamline_takes_off_either_end_of_a_line)
{
	char *line;

	open2(0);
	put(fds[1], "unix\nnet\r\n\n\r\na\rb\n\r\r\nrest");
	errno = EDOM;
	isline("unix");
	isline("net");
	isline("");
	isline("");
	isline("a\rb");
	isline("\r");
	ck_assert_int_eq(errno, EDOM);
	fdclose(fds[1]);
	FAILS(streamline(s, &line), ENODATA);
	FAILS(streamline(s, &line), ENODATA);
	reads("rest");
	FAILS(streamline(s, &line), ENODATA);
	streamclose(s);
}

TASK_TEST(a_line_may_have_zero_bytes_in_it)
{
	char *line;

	open2(0);
	ck_assert_int_eq(write(fds[1], "a\0b\n", 4), 4);
	ck_assert_int_eq(streamline(s, &line), 3);
	ck_assert_mem_eq(line, "a\0b", 4);
	close2();
}

static void
drip(void *v)
{
	for(const char *text = v; *text; text++){
		ck_assert_int_eq(fdwrite(fds[1], text, 1), 1);
		taskdelay(0);
	}
}

TASK_TEST(S4_10_streamuntil_finds_a_mark_that_comes_byte_by_byte)
{
	void *part;

	open2(0);
	beside(drip, "-ENEND-END");
	ck_assert_int_eq(streamuntil(s, "-END", 4, &part), 10);
	ck_assert_mem_eq(part, "-ENEND-END", 10);
	close2();
}

TASK_TEST(streamuntil_gives_a_part_with_its_mark_in_place)
{
	void *part, *w;

	open2(0);
	put(fds[1], "one--two--three");
	ck_assert_int_eq(streamuntil(s, "--", 2, &part), 5);
	ck_assert_mem_eq(part, "one--", 5);
	ck_assert_int_eq(streamuntil(s, "--", 2, &w), 5);
	ck_assert_ptr_eq(w, (char *)part + 5);
	fdclose(fds[1]);
	ck_assert_int_eq(streamuntil(s, "--", 2, &part), 0);
	ck_assert_int_eq(streamuntil(s, "--", 2, &part), 0);
	reads("three");
	streamclose(s);
}

TASK_TEST(S4_10_over_the_limit_is_EMSGSIZE_and_the_stream_is_usable)
{
	static char text[150];
	char *line, buf[100];
	void *part;

	open2(100);
	memset(text, 'x', sizeof text);
	memcpy(text + 120, "\nnext\n", 6);
	ck_assert_int_eq(write(fds[1], text, sizeof text), sizeof text);
	FAILS(streamline(s, &line), EMSGSIZE);
	FAILS(streamline(s, &line), EMSGSIZE);
	FAILS(streamuntil(s, "yy", 2, &part), EMSGSIZE);
	FAILS(streampeek(s, 101, &part), EMSGSIZE);
	ck_assert_int_eq(streampeek(s, 100, &part), 100);
	ck_assert_mem_eq(part, text, 100);
	ck_assert_int_eq(streamreadn(s, buf, 50), 50);
	ck_assert_mem_eq(buf, text, 50);
	isline("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxx");
	isline("next");
	close2();
}

TASK_TEST(a_line_as_long_as_the_limit_is_a_line)
{
	static char text[101];

	memset(text, 'x', 99);
	text[99] = '\n';
	open2(100);
	put(fds[1], text);
	text[99] = '\0';
	isline(text);
	close2();
}

TASK_TEST(streamreadn_gives_less_only_at_the_end)
{
	static char buf[300];

	open2(100);
	beside(drip, "abcdef");
	ck_assert_int_eq(streamreadn(s, buf, 0), 0);
	ck_assert_int_eq(streamreadn(s, buf, 6), 6);
	ck_assert_mem_eq(buf, "abcdef", 6);
	put(fds[1], "abc");
	fdclose(fds[1]);
	ck_assert_int_eq(streamreadn(s, buf, 5), 3);
	ck_assert_int_eq(fdgot(), 3);
	ck_assert_int_eq(streamreadn(s, buf, 300), 0);
	streamclose(s);
}

TASK_TEST(after_a_deadline_streamreadn_has_all_still)
{
	char buf[6];
	Timeout t;

	open2(100);
	put(fds[1], "abc");
	TIMEOUT(&t, 1)
		FAILS(streamreadn(s, buf, 6), ETIMEDOUT);
	ck_assert_int_eq(fdgot(), 0);
	TIMEOUT(&t, 0)
		FAILS(streamreadn(s, buf, 6), ETIMEDOUT);
	put(fds[1], "def");
	ck_assert_int_eq(streamreadn(s, buf, 6), 6);
	ck_assert_mem_eq(buf, "abcdef", 6);
	close2();
}

TASK_TEST(after_a_deadline_fdgot_tells_of_more_than_the_limit)
{
	static char sent[250], buf[250];
	Timeout t;

	for(size_t i = 0; i < sizeof sent; i++)
		sent[i] = (char)i;
	open2(100);
	ck_assert_int_eq(write(fds[1], sent, 240), 240);
	TIMEOUT(&t, 1)
		FAILS(streamreadn(s, buf, 250), ETIMEDOUT);
	ck_assert_uint_eq(fdgot(), 240);
	ck_assert_int_eq(write(fds[1], sent + 240, 10), 10);
	ck_assert_int_eq(streamreadn(s, buf + 240, 10), 10);
	ck_assert_mem_eq(buf, sent, sizeof sent);
	close2();
}

TASK_TEST(after_a_deadline_a_line_goes_on)
{
	char *line;
	Timeout t;

	open2(0);
	for(int i = 0; i < 3; i++){
		put(fds[1], "ab");
		TIMEOUT(&t, i)
			FAILS(streamline(s, &line), ETIMEDOUT);
	}
	put(fds[1], "\n");
	isline("ababab");
	close2();
}

TASK_TEST(streampeek_shows_what_is_there_and_takes_nothing)
{
	void *part;

	open2(0);
	ck_assert_int_eq(streampeek(s, 0, &part), 0);
	put(fds[1], "abcdef");
	ck_assert_int_eq(streampeek(s, 0, &part), 0);
	ck_assert_int_eq(streampeek(s, 1, &part), 6);
	ck_assert_mem_eq(part, "abcdef", 6);
	ck_assert_int_eq(streampeek(s, 0, &part), 6);
	ck_assert_int_eq(streamskip(s, 2), 0);
	ck_assert_int_eq(streampeek(s, 3, &part), 4);
	ck_assert_mem_eq(part, "cdef", 4);
	fdclose(fds[1]);
	ck_assert_int_eq(streampeek(s, 5, &part), 4);
	reads("cdef");
	ck_assert_int_eq(streampeek(s, 5, &part), 0);
	streamclose(s);
}

TASK_TEST(streamskip_drops_what_is_to_come)
{
	static char many[100000];
	char buf[200];

	open2(100);
	put(fds[1], "abc");
	ck_assert_int_eq(streamskip(s, 2), 0);
	ck_assert_int_eq(streamskip(s, 3), 0);
	ck_assert_int_eq(streamskip(s, 2), 0);
	put(fds[1], "defghi");
	reads("hi");
	ck_assert_int_eq(write(fds[1], many, sizeof many), sizeof many);
	put(fds[1], "end");
	ck_assert_int_eq(streamskip(s, sizeof many), 0);
	ck_assert_int_eq(streamreadn(s, buf, 3), 3);
	ck_assert_mem_eq(buf, "end", 3);
	put(fds[1], "xend");
	fdclose(fds[1]);
	ck_assert_int_eq(streamskip(s, 1), 0);
	ck_assert_int_eq(streamreadn(s, buf, sizeof buf), 3);
	ck_assert_mem_eq(buf, "end", 3);
	ck_assert_int_eq(streamskip(s, 1), 0);
	ck_assert_int_eq(streamread(s, buf, 1), 0);
	streamclose(s);
}

static void
writemuch(void *v)
{
	char *much = calloc(1, 1 << 20);

	memset(much, '\n', 1 << 20);
	(void)v;
	fdwrite(fds[1], much, 1 << 20);
	free(much);
	note('w');
}

/* What the stream has taken from the kernel so far. */
static size_t
taken(void)
{
	return (1 << 20) - drain(fds[0]);
}

TASK_TEST(S3_5_a_slow_consumer_has_no_more_read_than_a_chunk)
{
	static char buf[3000];

	open2(0);
	setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &(int){1 << 21}, sizeof(int));
	if(fill(fds[1]) < 200000)
		TEST_SKIP("the kernel has no room for that");
	drain(fds[0]);
	for(int i = 0; i < 1000; i++)
		put(fds[1], "a line of some 20 b\n");
	for(int i = 0; i < 10; i++)
		isline("a line of some 20 b");
	ck_assert_uint_ge(drain(fds[0]), 20000 - 200 - ChunkBytes);
	ck_assert_int_eq(streamreadn(s, buf, 100), 100);
	close2();
}

TASK_TEST(the_rest_of_an_upload_stays_with_the_peer)
{
	char *line;

	open2(0);
	beside(writemuch, NULL);
	for(int i = 0; i < 100; i++)
		ck_assert_int_eq(streamline(s, &line), 0);
	settle();
	ck_assert_str_eq(trace, "");
	fdclose(fds[1]);
	settle();
	ck_assert_uint_le(taken(), 1 << 20);
	streamclose(s);
}

/* Writing */

TASK_TEST(what_is_written_waits_for_streamflush)
{
	open2(0);
	errno = EDOM;
	ck_assert_int_eq(streamwrite(s, "one ", 4), 4);
	ck_assert_int_eq(streamprint(s, "%s %d", "two", 3), 5);
	struct iovec pieces[] = {{" fo", 3}, {NULL, 0}, {"ur", 2}};
	ck_assert_int_eq(streamwritev(s, pieces, 3), 5);
	ck_assert_int_eq(errno, EDOM);
	ck_assert_uint_eq(drain(fds[1]), 0);
	errno = EDOM;
	ck_assert_int_eq(streamflush(s), 0);
	ck_assert_int_eq(streamflush(s), 0);
	ck_assert_int_eq(errno, EDOM);
	came(fds[1], "one two 3 four");
	ck_assert_int_eq(streamwrite(s, NULL, 0), 0);
	ck_assert_int_eq(streamwritev(s, NULL, 0), 0);
	ck_assert_int_eq(streamprint(s, "%s", ""), 0);
	close2();
}

/* Each write is a packet there. */
TASK_TEST(S3_21_a_thousand_appends_are_one_write)
{
	char buf[16 * 1000 + 1], want[16 * 1000 + 1] = "";

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0,
		fds), 0);
	s = streamopen(fds[0], 0);
	for(int i = 0; i < 1000; i++){
		ck_assert_int_gt(streamprint(s, "piece %d\n", i), 0);
		sprintf(want + strlen(want), "piece %d\n", i);
	}
	ck_assert_int_eq(streamflush(s), 0);
	ssize_t n = recv(fds[1], buf, sizeof buf - 1, 0);
	ck_assert_int_eq(n, (int)strlen(want));
	buf[n] = '\0';
	ck_assert_str_eq(buf, want);
	close2();
}

TASK_TEST(streampush_writes_what_there_is_room_for)
{
	char lot[1000] = {0};

	open2(1 << 20);
	ck_assert_int_eq(streampush(s), 0);
	ck_assert_int_eq(streamwrite(s, "one", 3), 3);
	errno = EDOM;
	ck_assert_int_eq(streampush(s), 0);
	ck_assert_int_eq(errno, EDOM);
	came(fds[1], "one");
	fill(fds[0]);
	errno = EDOM;
	ck_assert_int_eq(streamwrite(s, lot, sizeof lot), sizeof lot);
	ck_assert_int_eq(streampush(s), 1);
	ck_assert_int_eq(streampush(s), 1);
	ck_assert_int_eq(errno, EDOM);
	drain(fds[1]);
	while(streampush(s) > 0)
		drain(fds[1]);
	ck_assert_uint_ge(drain(fds[1]), 1);
	ck_assert_int_eq(streamwrite(s, "x", 1), 1);
	fdclose(fds[1]);
	FAILS(streampush(s), EPIPE);
	FAILS(streampush(s), EPIPE);
	streamclose(s);
}

TASK_TEST(what_is_buffered_is_written_before_the_reader_waits)
{
	char *line;
	Timeout t;

	open2(0);
	streamwrite(s, "one ", 4);
	streamwrite(s, "write", 5);
	put(fds[1], "first\nsecond\n");
	isline("first");
	came(fds[1], "one write");
	streamwrite(s, "answer", 6);
	isline("second");
	ck_assert_uint_eq(drain(fds[1]), 0);
	TIMEOUT(&t, 1)
		FAILS(streamline(s, &line), ETIMEDOUT);
	came(fds[1], "answer");
	close2();
}

/* Both ask and answer in small pieces, and nobody flushes. */
static void
serve(void *v)
{
	Stream *conn = streamopen(*(int *)v, 0);
	char *line;
	void *mark;

	while(streamline(conn, &line) > 0){
		streamprint(conn, "%s", "you said ");
		streamprint(conn, "%s", line);
		streamwrite(conn, ".", 1);
	}
	ck_assert_int_eq(streamuntil(conn, "x", 1, &mark), 0);
	ck_assert_int_eq(streamclose(conn), 0);
	note('c');
}

TASK_TEST(two_in_lock_step_need_no_flush)
{
	void *part;

	open2(0);
	beside(serve, &fds[1]);
	for(int i = 0; i < 100; i++){
		char want[32];
		streamprint(s, "%d", i);
		streamwrite(s, "\r\n", 2);
		ssize_t n = streamuntil(s, ".", 1, &part);
		ck_assert_int_eq(n, snprintf(want, sizeof want,
			"you said %d.", i));
		ck_assert_mem_eq(part, want, (size_t)n);
	}
	ck_assert_int_eq(streamclose(s), 0);
	settle();
	ck_assert_str_eq(trace, "c");
}

TASK_TEST(S3_2_packets_of_one_byte_and_pipelined_requests_are_answered_in_order)
{
	char buf[200];

	open2(0);
	int peer = dup(fds[1]);
	beside(serve, &fds[0]);
	for(const char *c = "one\r\n"; *c; c++){
		ck_assert_int_eq(write(peer, c, 1), 1);
		settle();
	}
	came(peer, "you said one.");
	put(peer, "two\r\nthree\r\nfour\r\n\r\n");
	settle();
	came(peer, "you said two.you said three.you said four.");
	shutdown(peer, SHUT_WR);
	settle();
	ck_assert_int_eq(read(peer, buf, sizeof buf), 0);
	close(peer);
}

TASK_TEST(S1_1_a_server_says_hello_world)
{
	char buf[32];

	int listener = netannounce(TCP, "127.0.0.1", 0);
	int fd = netdial(TCP, "127.0.0.1", portof(listener));
	s = streamopen(netaccept(listener, NULL, NULL), 0);
	ck_assert_int_eq(streamprint(s, "hello %s\r\n", "world"), 13);
	fdnoblock(fd);
	shutdown(fd, SHUT_WR);
	ck_assert_int_eq(streamclose(s), 0);
	ck_assert_int_eq(fdreadn(fd, buf, sizeof buf), 13);
	ck_assert_mem_eq(buf, "hello world\r\n", 13);
}

static void
readline(void *v)
{
	char *line;

	(void)v;
	ck_assert_int_eq(streamline(s, &line), 1);
	note(*line);
	if(*line != 'z')
		readline(v);
}

TASK_TEST(a_reader_whose_answer_has_no_room_waits_for_either)
{
	char words[1000] = "";

	open2(0);
	ck_assert_int_eq(streamwrite(s, words, sizeof words), sizeof words);
	size_t n = fill(fds[0]);
	beside(readline, NULL);
	settle();
	put(fds[1], "a\n");	/* the peer has read nothing yet */
	settle();
	put(fds[1], "b\n");
	settle();
	ck_assert_str_eq(trace, "ab");
	for(size_t had = 0; had < n + sizeof words; had += drain(fds[1]))
		settle();
	put(fds[1], "z\n");
	settle();
	ck_assert_str_eq(trace, "abz");
	close2();
}

static void
writealot(void *v)
{
	static char bytes[100];

	(void)v;
	for(int i = 0; i < 1000; i++){
		ck_assert_int_eq(streamwrite(s, bytes, sizeof bytes), 100);
		nbeats++;
	}
	note('w');
}

TASK_TEST(P49_a_writer_waits_when_the_buffer_is_full_and_the_peer_reads_nothing)
{
	open2(1000);
	size_t n = fill(fds[0]);
	beside(writealot, NULL);
	settle();
	ck_assert_int_eq(nbeats, 10);
	for(n -= drain(fds[1]); trace[0] == '\0'; n -= drain(fds[1]))
		settle();
	ck_assert_int_eq(streamflush(s), 0);
	n -= drain(fds[1]);
	ck_assert_uint_eq(n, (size_t)0 - 100000);
	close2();
}

TASK_TEST(after_a_deadline_what_was_not_taken_is_not_written)
{
	char text[300] = "";
	Timeout t;

	open2(100);
	size_t n = fill(fds[0]);
	ck_assert_int_eq(streamwrite(s, "0123456789", 10), 10);
	TIMEOUT(&t, 1)
		FAILS(streamwrite(s, text, 95), ETIMEDOUT);
	ck_assert_uint_eq(fdwritten(), 0);
	TIMEOUT(&t, 1)
		FAILS(streamprint(s, "%95s", "x"), ETIMEDOUT);
	TIMEOUT(&t, 1)
		FAILS(streamflush(s), ETIMEDOUT);
	TIMEOUT(&t, 1)
		FAILS(streamwrite(s, text, sizeof text), ETIMEDOUT);
	ck_assert_uint_eq(fdwritten(), 90);
	while(n > 0)
		n -= drain(fds[1]);
	ck_assert_int_eq(streamflush(s), 0);
	ck_assert_uint_eq(drain(fds[1]), 100);
	close2();
}

TASK_TEST(streamprint_prints_what_is_longer_than_all_buffers)
{
	static char got[5000];

	open2(100);
	ck_assert_int_eq(streamprint(s, "<%4000d|%3d>", 5, 7), 4006);
	ck_assert_int_eq(streamprint(s, "<%50d>", 5), 52);
	ck_assert_int_eq(streamprint(s, "<%60d>", 5), 62);
	ck_assert_int_eq(streamflush(s), 0);
	ck_assert_int_eq(read(fds[1], got, sizeof got), 4006 + 52 + 62);
	ck_assert_mem_eq(got + 3990, "          5|  7><    ", 20);
	close2();
}

/* Files */

static int
tempfile(size_t n)
{
	char name[] = "/tmp/check_stream.XXXXXX";
	int fd = mkstemp(name);

	char *bytes = malloc(n + 1);
	unlink(name);
	for(size_t i = 0; i < n; i++)
		bytes[i] = (char)(i / 7);
	ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
	free(bytes);
	return fd;
}

static size_t nsame;

static void
readfile(void *v)
{
	static char buf[100000];
	ssize_t n;

	while((n = fdread(*(int *)v, buf, sizeof buf)) > 0)
		for(ssize_t i = 0; i < n; i++, nsame++)
			ck_assert_int_eq(buf[i], (char)((nsame + 3) / 7));
	note('r');
}

static void
sends(size_t n, size_t want)
{
	int fd = tempfile(300000);

	nsame = 0;
	beside(readfile, &fds[1]);
	ck_assert_int_eq(streamsendfile(s, fd, 3, n), (ssize_t)want);
	ck_assert_int_eq(streamsendfile(s, fd, 3 + (off_t)want, 0), 0);
	ck_assert_int_eq(streamshut(s), 0);
	while(trace[0] == '\0')
		taskdelay(1);
	ck_assert_uint_eq(nsame, want);
	ck_assert_int_eq(fcntl(fd, F_GETFD), 0);
	close(fd);
	close2();
}

TASK_TEST(streamsendfile_sends_a_large_file)
{
	open2(0);
	sends(290000, 290000);
}

TASK_TEST(streamsendfile_sends_a_small_file_with_what_is_around_it)
{
	char buf[100];

	open2(0);
	int fd = tempfile(20);
	streamwrite(s, "head", 4);
	ck_assert_int_eq(streamsendfile(s, fd, 0, 7), 7);
	ck_assert_int_eq(streamsendfile(s, fd, 14, 100), 6);
	ck_assert_uint_eq(drain(fds[1]), 0);
	streamflush(s);
	ck_assert_int_eq(read(fds[1], buf, sizeof buf), 4 + 7 + 6);
	ck_assert_mem_eq(buf, "head\0\0\0\0\0\0\0\2\2\2\2\2\2", 17);
	close2();
	close(fd);
}

TASK_TEST(streamsendfile_sends_less_only_if_the_file_ends)
{
	open2(0);
	sends(400000, 299997);
}

TASK_TEST(streamsendfile_sends_to_a_pipe_too)
{
	int ends[2];

	nonblockpipe(ends);
	fds[0] = ends[1];
	fds[1] = ends[0];
	s = streamopen(fds[0], 5000);
	int fd = tempfile(300000);
	beside(readfile, &fds[1]);
	nsame = (size_t)0;
	ck_assert_int_eq(streamsendfile(s, fd, 3, 290000), 290000);
	ck_assert_int_eq(streamclose(s), 0);
	while(trace[0] == '\0')
		taskdelay(1);
	ck_assert_uint_eq(nsame, 290000);
}

TASK_TEST(streamsendfile_of_no_file_fails_and_the_stream_goes_on)
{
	int ends[2];

	open2(0);
	nonblockpipe(ends);
	FAILS(streamsendfile(s, ends[0], 0, 100000), ESPIPE);
	FAILS(streamsendfile(s, -1, 0, 100000), EBADF);
	FAILS(streamsendfile(s, -1, 0, 10), EBADF);
	FAILS(streamsendfile(s, ends[0], -1, 10), EINVAL);
	streamwrite(s, "x", 1);
	ck_assert_int_eq(streamflush(s), 0);
	came(fds[1], "x");
	close2();
}

TASK_TEST(a_stream_of_a_file_reads_and_writes_it)
{
	int fd = tempfile(0);

	s = streamopen(dup(fd), 0);
	for(int i = 0; i < 5000; i++)
		ck_assert_int_gt(streamprint(s, "line %d\n", i), 0);
	ck_assert_int_eq(streamshut(s), 0);
	ck_assert_int_eq(streamclose(s), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	s = streamopen(fd, 0);
	for(int i = 0; i < 5000; i++){
		char want[32];
		snprintf(want, sizeof want, "line %d", i);
		isline(want);
	}
	FAILS(streamline(s, &(char *){NULL}), ENODATA);
	ck_assert_int_eq(streamclose(s), 0);
}

TASK_TEST(a_stream_of_a_terminal_reads_and_writes_it)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	struct termios raw;

	if(master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		TEST_SKIP("there are no terminals here");
	int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	tcgetattr(slave, &raw);
	cfmakeraw(&raw);
	tcsetattr(slave, TCSANOW, &raw);
	fds[0] = slave;
	fds[1] = master;
	fdnoblock(master);
	s = streamopen(slave, 0);
	streamprint(s, "%s", "name? ");
	beside(drip, "me\n");
	isline("me");
	came(master, "name? ");
	ck_assert_int_eq(streamclose(s), 0);
}

TASK_TEST(streams_of_pipes_carry_a_line)
{
	int ends[2];

	nonblockpipe(ends);
	Stream *out = streamopen(ends[1], 0);
	s = streamopen(ends[0], 0);
	ck_assert_int_eq(streamwrite(out, "through\n", 8), 8);
	ck_assert_int_eq(streamclose(out), 0);
	isline("through");
	FAILS(streamline(s, &(char *){NULL}), ENODATA);
	ck_assert_int_eq(streamclose(s), 0);
}

/* Two tasks, and errors */

TASK_TEST(a_second_reader_fails_with_EBUSY)
{
	char *line;
	void *part;

	open2(0);
	beside(readline, NULL);
	settle();
	FAILS(streamline(s, &line), EBUSY);
	FAILS(streamread(s, &line, 1), EBUSY);
	FAILS(streamreadn(s, &line, 1), EBUSY);
	FAILS(streamuntil(s, "x", 1, &part), EBUSY);
	FAILS(streampeek(s, 1, &part), EBUSY);
	FAILS(streamskip(s, 1), EBUSY);
	FAILS(streamclose(s), EBUSY);
	ck_assert_int_eq(streamwrite(s, "out", 3), 3);
	ck_assert_int_eq(streamflush(s), 0);
	came(fds[1], "out");
	put(fds[1], "z\n");
	settle();
	ck_assert_str_eq(trace, "z");
	close2();
}

TASK_TEST(a_second_writer_fails_with_EBUSY)
{
	open2(1000);
	size_t n = fill(fds[0]);
	beside(writealot, NULL);
	settle();
	FAILS(streamwrite(s, "x", 1), EBUSY);
	FAILS(streamwritev(s, NULL, 0), EBUSY);
	FAILS(streamprint(s, "x"), EBUSY);
	FAILS(streamflush(s), EBUSY);
	FAILS(streamshut(s), EBUSY);
	FAILS(streamsendfile(s, 0, 0, 1), EBUSY);
	FAILS(streamclose(s), EBUSY);
	put(fds[1], "in\n");
	isline("in");
	while(trace[0] == '\0'){
		drain(fds[1]);
		settle();
	}
	(void)n;
	close2();
}

static void
failingline(void *v)
{
	char *line;

	FAILS(streamline(s, &line), *(int *)v);
	note('f');
}

TASK_TEST(what_is_left_to_do_after_fdclose_is_EBADF_though_it_is_nothing)
{
	Timeout t;
	char c;

	open2(0);
	timeoutstart(&t, 1);
	FAILS(streamread(s, &c, 1), ETIMEDOUT);
	timeoutstop(&t);
	fdclose(fds[0]);
	FAILS(streamflush(s), EBADF);
	FAILS(streamshut(s), EBADF);
	FAILS(streamclose(s), EBADF);
}

TASK_TEST(fdclose_wakes_the_reader_with_EBADF)
{
	char c;

	open2(0);
	beside(failingline, &(int){EBADF});
	settle();
	fdclose(fds[0]);
	settle();
	ck_assert_str_eq(trace, "f");
	int other = open("/dev/zero", O_RDONLY);
	ck_assert_int_eq(other, fds[0]);
	fdnoblock(other);
	FAILS(streamread(s, &c, 1), EBADF);
	FAILS(streamread(s, &c, 1), EBADF);
	streamwrite(s, "x", 1);
	FAILS(streamflush(s), EBADF);
	FAILS(streamclose(s), EBADF);
	ck_assert_int_eq(read(other, &c, 1), 1);
}

TASK_TEST(an_error_of_writing_stays_and_reading_goes_on)
{
	char *line;

	open2(0);
	put(fds[1], "first\nsecond\n");
	isline("first");
	close(fds[1]);
	streamwrite(s, "lost", 4);
	isline("second");
	FAILS(streamline(s, &line), ENODATA);
	FAILS(streamwrite(s, "x", 1), EPIPE);
	FAILS(streamflush(s), EPIPE);
	FAILS(streamprint(s, "x"), EPIPE);
	FAILS(streamwritev(s, &(struct iovec){"x", 1}, 1), EPIPE);
	ck_assert_int_eq(streamclose(s), 0);
}

TASK_TEST(streamclose_tells_of_an_error_that_nobody_was_told_of)
{
	char c;

	open2(0);
	streamwrite(s, "lost", 4);
	close(fds[1]);
	FAILS(streamclose(s), EPIPE);
	open2(0);
	streamwrite(s, "lost", 4);
	close(fds[1]);
	ck_assert_int_eq(streamread(s, &c, 1), 0);
	FAILS(streamclose(s), EPIPE);
}

TASK_TEST(what_came_before_a_reset_is_read_before_the_error)
{
	char *line, c;

	tcppair(fds);
	s = streamopen(fds[0], 0);
	put(fds[1], "one\ntwo\nthree");
	isline("one");
	setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
		sizeof(struct linger));
	fdclose(fds[1]);
	settle();
	isline("two");
	FAILS(streamline(s, &line), ECONNRESET);
	reads("three");
	FAILS(streamread(s, &c, 1), ECONNRESET);
	FAILS(streamread(s, &c, 1), ECONNRESET);
	streamclose(s);
}

TASK_TEST(a_deadline_is_no_error_of_the_stream)
{
	char *line;
	Timeout t;

	open2(0);
	for(int i = 0; i < 3; i++)
		TIMEOUT(&t, i)
			FAILS(streamline(s, &line), ETIMEDOUT);
	put(fds[1], "late\n");
	isline("late");
	close2();
}

static void
cancelledline(void *v)
{
	char *line;

	(void)v;
	FAILS(streamline(s, &line), ECANCELED);
	note('l');
	streamwrite(s, "bye", 3);
	FAILS(streamclose(s), ECANCELED);
	note('c');
}

TASK_TEST(a_cancelled_task_closes_its_stream_at_once)
{
	open2(0);
	int id = taskcreate(cancelledline, NULL, 0);
	settle();
	taskcancel(id);
	settle();
	ck_assert_str_eq(trace, "lc");
	came(fds[1], "bye");
	ck_assert_int_eq(read(fds[1], trace, 1), 0);
}

/* Ending */

TASK_TEST(after_streamshut_the_peer_can_still_answer)
{
	char buf[8];

	open2(0);
	streamwrite(s, "ask", 3);
	ck_assert_int_eq(streamshut(s), 0);
	came(fds[1], "ask");
	ck_assert_int_eq(read(fds[1], buf, sizeof buf), 0);
	FAILS(streamwrite(s, "x", 1), EPIPE);
	put(fds[1], "answer\n");
	isline("answer");
	close2();
}

/* sends on, unread, and reads the answer late. */
static void
chatty(void *v)
{
	static char bytes[50000], got[100000];
	int fd = *(int *)v;

	for(int i = 0; i < 10; i++){
		ck_assert_int_ge(fdwrite(fd, bytes, sizeof bytes), 0);
		taskdelay(2);
	}
	ck_assert_int_eq(fdreadn(fd, got, sizeof got), 60000);
	note('a');
	fdclose(fd);
}

TASK_TEST(streamclose_lets_the_peer_have_all_of_the_answer)
{
	static char answer[60000];

	tcppair(fds);
	s = streamopen(fds[0], 0);
	beside(chatty, &fds[1]);
	ck_assert_int_eq(streamread(s, trace, 1), 1);
	trace[0] = '\0';
	ck_assert_int_eq(streamwrite(s, answer, sizeof answer), 60000);
	ck_assert_int_eq(streamclose(s), 0);
	settle();
	ck_assert_str_eq(trace, "a");
}

TASK_TEST(streamclose_waits_2_s_at_most)
{
	open2(0);
	int64_t start = nowns();
	ck_assert_int_eq(streamclose(s), 0);
	ck_assert_int_ge(nowns() - start, 1999999999);
	FAILS(fcntl(fds[0], F_GETFD), EBADF);
}

TASK_TEST(a_deadline_ends_streamclose_which_has_closed)
{
	Timeout t;

	open2(0);
	TIMEOUT(&t, 1)
		FAILS(streamclose(s), ETIMEDOUT);
	FAILS(fcntl(fds[0], F_GETFD), EBADF);
}

/* Memory */

static size_t held, mostheld;
static int counting;

typedef union Block
{
	size_t n;
	max_align_t align;
} Block;

static void *
resizecounted(void *v, size_t n)
{
	Block *b = v ? (Block *)v - 1 : NULL;
	size_t had = b ? b->n : 0;

	b = realloc(b, sizeof *b + n);
	b->n = n;
	if(counting)
		held += n - had;
	mostheld = held > mostheld ? held : mostheld;
	return b + 1;
}

static void *
alloccounted(size_t n)
{
	return memset(resizecounted(NULL, n), 0, n);
}

static void
freecounted(void *v)
{
	if(v == NULL)
		return;
	if(counting)
		held -= ((Block *)v - 1)->n;
	free((Block *)v - 1);
}

#define COUNTED \
	tasksetalloc(alloccounted, resizecounted, freecounted); \
	run(body); \
	tasksetalloc(NULL, NULL, NULL)

/* The library's table of descriptors and its like are there already. */
static void
countfrom(void)
{
	taskdelay(1);
	held = mostheld = 0;
	counting = 1;
}

/* Both buffers are used at once. */
static void
writeandread(void)
{
	streamwrite(s, "x", 1);
	beside(readline, NULL);
	settle();
}

TASK_TEST_BY(an_idle_stream_takes_no_more_than_250_bytes, COUNTED)
{
	int uring = strcmp(taskpoller(), "uring") == 0;
	void *part;

	open2(0);
	fdwait(fds[1], 'w');
	writeandread();
	put(fds[1], "z\n");
	settle();
	ck_assert_int_eq(streampeek(s, 0, &part), 0);
	countfrom();	/* a few buffers are kept, whoever had them */
	Stream *t = streamopen(open("/dev/null", O_RDWR), 0);
	ck_assert_uint_le(held, 250);
	size_t idle = held;
	streamclose(t);
	ck_assert_uint_eq(held, 0);
	writeandread();
	ck_assert_uint_le(held, uring ? 4096 : idle);
	put(fds[1], "z\n");
	settle();
	ck_assert_str_eq(trace, "zz");
	ck_assert_int_eq(streampeek(s, 0, &part), 0);
	ck_assert_uint_le(held, idle);
	counting = 0;
	close2();
}

TASK_TEST_BY(a_stream_holds_no_more_than_twice_its_limit, COUNTED)
{
	enum { Limit = 20000 };
	static char bytes[10 * Limit];
	char *line;
	Timeout t;

	open2(Limit);
	fdwait(fds[1], 'w');
	countfrom();
	fill(fds[0]);
	for(size_t n = 1; n < sizeof bytes; n *= 2)
		TIMEOUT(&t, 1)
			streamwrite(s, bytes, n);
	for(int i = 0; i < 10; i++){
		TIMEOUT(&t, 10)
			fdwrite(fds[1], bytes, 7000);
		TIMEOUT(&t, 1)
			ck_assert_int_eq(streamline(s, &line), -1);
	}
	FAILS(streamline(s, &line), EMSGSIZE);
	ck_assert_uint_ge(mostheld, 2 * Limit);
	ck_assert_uint_le(mostheld, 2 * Limit + 1000);
	counting = 0;
	fdclose(fds[0]);
	streamclose(s);
}

/* Others run meanwhile */

static void
fastwriter(void *v)
{
	(void)v;
	tasksystem();
	while(fdwrite(fds[1], "line\nline\nline\nline\n", 20) > 0)
		;
}

TASK_TEST(a_reader_that_never_has_to_wait_lets_others_run)
{
	int file = open("/dev/zero", O_RDONLY);
	static char buf[100];

	beside(beat, NULL);
	s = streamopen(file, 0);
	for(int i = 0; i < 10000000 && nbeats < 3; i++)
		ck_assert_int_gt(streamread(s, buf, sizeof buf), 0);
	ck_assert_int_ge(nbeats, 3);
	streamclose(s);
	open2(0);
	beside(fastwriter, NULL);
	nbeats = 0;
	while(nbeats < 3)
		isline("line");
	close2();
}

/* Arguments */

START_TEST(calls_outside_a_scheduler_fail_with_EPERM)
{
	char *line;

	errno = 0;
	ck_assert_ptr_null(streamopen(0, 0));
	ck_assert_int_eq(errno, EPERM);
	FAILS(streamline(NULL, &line), EPERM);
	FAILS(streamclose(NULL), EPERM);
}
END_TEST

static void
elsewhere(void *v)
{
	char *line;

	(void)v;
	FAILS(streamline(s, &line), EPERM);
	FAILS(streamflush(s), EPERM);
	FAILS(streamclose(s), EPERM);
}

TASK_TEST(arguments_that_cannot_work_are_EINVAL_and_other_threads_EPERM)
{
	char c;

	errno = 0;
	ck_assert_ptr_null(streamopen(-1, 0));
	ck_assert_int_eq(errno, EBADF);
	open2(10);
	ck_assert_ptr_null(streamopen(fds[0], SIZE_MAX));
	ck_assert_int_eq(errno, EINVAL);
	FAILS(streamread(NULL, &c, 1), EINVAL);
	FAILS(streamclose(NULL), EINVAL);
	FAILS(streamline(s, NULL), EINVAL);
	FAILS(streamuntil(s, "", 0, &(void *){NULL}), EINVAL);
	FAILS(streamuntil(s, "elevenbytes", 11, &(void *){NULL}), EINVAL);
	FAILS(streampeek(s, 1, NULL), EINVAL);
	FAILS(streamreadn(s, &c, SIZE_MAX), EINVAL);
	FAILS(streamwrite(s, &c, SIZE_MAX), EINVAL);
	FAILS(streamwritev(s, NULL, 1), EINVAL);
	FAILS(streamwritev(s, &(struct iovec){&c, 1}, -1), EINVAL);
	struct iovec pieces[] = {{&c, SIZE_MAX / 2}, {&c, SIZE_MAX / 2},
		{&c, 5}};
	FAILS(streamwritev(s, pieces, 3), EINVAL);
	ck_assert_int_eq(streamskip(s, SIZE_MAX), 0);
	FAILS(streamskip(s, 1), EINVAL);
	procwait(proccreate(elsewhere, NULL, 0), NULL);
	close2();
}

/* Any calls in any order */

enum { Total = 60000 };

static char text[Total];
static size_t nout, nin;
static Stream *from, *to;
static Random r;
static int writerdone;

static size_t
some(size_t most)
{
	size_t limit = randombelow(&r, 20) == 0 ? 3 * most : most / 4;

	return randombelow(&r, (unsigned int)limit + 2);
}

static size_t rmost;	/* of both streams */

static void
maketext(void)
{
	for(size_t i = 0; i < Total; ){
		size_t n = some(rmost) / (1 + randombelow(&r, 8));
		for(; n > 0 && i < Total; n--)
			text[i] = (char)('a' + (i * 7 + i / 251) % 26), i++;
		if(i < Total && randombelow(&r, 2))
			text[i++] = '\r';
		if(i < Total)
			text[i++] = '\n';
	}
}

static void
writesome(size_t n)
{
	size_t left = Total - nout;

	n = n < left ? n : left;
	size_t half = randombelow(&r, (unsigned int)n + 1);
	struct iovec v[] = {{text + nout, half},
		{text + nout + half, n - half}};
	ssize_t done = 0;
	switch(randombelow(&r, 5)){
	case 0:
		done = streamprint(to, "%.*s", (int)n, text + nout);
		break;
	case 1:
		done = streamwritev(to, v, 2);
		break;
	case 2:
		ck_assert(streamflush(to) == 0 || errno == ETIMEDOUT);
		return;
	default:
		done = streamwrite(to, text + nout, n);
	}
	ck_assert_msg(done == (ssize_t)n || (done < 0 && errno == ETIMEDOUT),
		"seed %lu: %zd of %zu, errno %d", r.seed, done, n, errno);
	ck_assert_uint_eq(fdwritten(), done < 0 ? fdwritten() : n);
	if(done < 0 && n <= rmost)
		ck_assert_uint_eq(fdwritten(), 0);
	nout += fdwritten();
}

static void
anywriter(void *v)
{
	Timeout t;

	(void)v;
	while(nout < Total){
		int timed = randombelow(&r, 3) == 0;
		if(timed)
			timeoutstart(&t, randombelow(&r, 2));
		writesome(some(rmost));
		timeoutstop(&t);
		if(randombelow(&r, 4) == 0)
			taskyield();
	}
	ck_assert_int_eq(streamshut(to), 0);
	ck_assert_int_eq(streamclose(to), 0);
	writerdone = 1;
}

/* n bytes are the next ones. */
static void
same(const void *v, size_t n)
{
	ck_assert_uint_le(nin + n, Total);
	if(n > 0 && memcmp(v, text + nin, n) != 0)
		ck_abort_msg("seed %lu: other bytes from %zu on", r.seed, nin);
	nin += n;
}

static ssize_t
readaline(void)
{
	char *line;
	ssize_t n = streamline(from, &line);

	if(n < 0)
		return errno == ENODATA ? 0 : -1;
	ck_assert_int_eq(line[n], '\0');
	same(line, (size_t)n);
	if(text[nin] == '\r')
		nin++;
	ck_assert_int_eq(text[nin], '\n');
	nin++;
	return 1;
}

static ssize_t
readuntil(void)
{
	size_t at = nin + some(rmost), n = 1 + randombelow(&r, 9);
	void *v;

	if(at + n > Total || n > rmost)
		return 1;
	ssize_t got = streamuntil(from, text + at, n, &v);
	if(got > 0){
		ck_assert_ptr_eq(memmem(text + nin, Total - nin, text + at, n),
			text + nin + got - n);
		same(v, (size_t)got);
	}
	return got;
}

/* Returns what the call did: 0 at the end. */
static ssize_t
readinto(char *buf, size_t n)
{
	size_t left = Total - nin;
	void *v;
	ssize_t got = 1;

	switch(randombelow(&r, 6)){
	case 0:
		got = streamreadn(from, buf, n);
		same(buf, fdgot());
		return n == 0 ? 1 : got;
	case 1:
		got = streampeek(from, n % (rmost + 1), &v);
		if(got > 0){
			same(v, (size_t)got);
			nin -= (size_t)got;
		}
		return got < 0 ? -1 : 1;
	case 2:
		n = n < left ? n : left;
		ck_assert_int_eq(streamskip(from, n), 0);
		nin += n;
		return 1;
	case 3:
		return readaline();
	case 4:
		return readuntil();
	default:
		got = streamread(from, buf, n);
		if(got > 0)
			same(buf, (size_t)got);
		return n == 0 ? 1 : got;
	}
}

static void
anyreader(void)
{
	char *buf = malloc(4 * rmost + 10);
	Timeout t;
	ssize_t got = 1;

	for(int ended = 0; ended < 20; ended += got == 0){
		int timed = randombelow(&r, 3) == 0;
		if(timed)
			timeoutstart(&t, randombelow(&r, 2));
		got = readinto(buf, some(rmost));
		ck_assert_msg(got >= 0 || errno == ETIMEDOUT ||
			errno == EMSGSIZE, "seed %lu: errno %d", r.seed, errno);
		timeoutstop(&t);
		if(randombelow(&r, 8) == 0)
			taskyield();
	}
	free(buf);
}

static void
ends(int kind)
{
	switch(kind){
	case 0:
		nonblockpipe(fds);
		break;
	case 1:
		tcppair(fds);
		break;
	default:
		pair(fds);
	}
}

TASK_TEST(nothing_is_lost_or_doubled_whatever_is_called_and_cut)
{
	r = randomstart();
	for(int round = 0; round < fewer(50) + 6; round++){
		rmost = 1 + randombelow(&r, round % 2 ? 300 : 30000);
		nin = nout = 0;
		writerdone = 0;
		ends(round % 3);
		maketext();
		from = streamopen(fds[0], rmost);
		to = streamopen(fds[1], rmost);
		beside(anywriter, NULL);
		anyreader();
		ck_assert_msg(nin == Total, "seed %lu: %zu", r.seed, nin);
		streamclose(from);
		while(!writerdone)
			taskdelay(1);
	}
}

/* A server reads, and answers with more than it has got, without flushing. */
static void
doubler(void *v)
{
	Stream *conn = v;
	ssize_t n;
	char buf[5000];

	while((n = streamread(conn, buf, sizeof buf)) > 0)
		for(ssize_t i = 0; i < n; i++){
			char twice[2] = {buf[i], buf[i]};
			ck_assert_int_eq(streamwrite(conn, twice, 2), 2);
		}
	ck_assert_int_eq(streamclose(conn), 0);
	note('d');
}

static void
asker(void *v)
{
	(void)v;
	for(size_t n; nout < Total; nout += n){
		n = 1 + randombelow(&r, 3000);
		n = n < Total - nout ? n : Total - nout;
		ck_assert_int_eq(streamwrite(to, text + nout, n), (ssize_t)n);
		if(randombelow(&r, 3))
			ck_assert_int_eq(streamflush(to), 0);
	}
	ck_assert_int_eq(streamshut(to), 0);
}

TASK_TEST(one_task_reads_and_another_writes_at_once)
{
	char buf[2];

	r = randomstart();
	rmost = 5000;
	maketext();
	tcppair(fds);
	to = streamopen(fds[0], 5000);
	beside(doubler, streamopen(fds[1], 7000));
	beside(asker, NULL);
	for(nin = 0; nin < Total; ){
		ck_assert_int_eq(streamreadn(to, buf, 2), 2);
		ck_assert_int_eq(buf[0], buf[1]);
		same(buf, 1);
	}
	ck_assert_int_eq(streamread(to, buf, 1), 0);
	ck_assert_int_eq(streamclose(to), 0);
	settle();
	ck_assert_str_eq(trace, "d");
}

TEST_MAIN("stream",
	streamread_gives_what_there_is,
	streamline_takes_off_either_end_of_a_line,
	a_line_may_have_zero_bytes_in_it,
	S4_10_streamuntil_finds_a_mark_that_comes_byte_by_byte,
	streamuntil_gives_a_part_with_its_mark_in_place,
	S4_10_over_the_limit_is_EMSGSIZE_and_the_stream_is_usable,
	a_line_as_long_as_the_limit_is_a_line,
	streamreadn_gives_less_only_at_the_end,
	after_a_deadline_streamreadn_has_all_still,
	after_a_deadline_fdgot_tells_of_more_than_the_limit,
	after_a_deadline_a_line_goes_on,
	streampeek_shows_what_is_there_and_takes_nothing,
	streamskip_drops_what_is_to_come,
	S3_5_a_slow_consumer_has_no_more_read_than_a_chunk,
	the_rest_of_an_upload_stays_with_the_peer,
	what_is_written_waits_for_streamflush,
	S3_21_a_thousand_appends_are_one_write,
	streampush_writes_what_there_is_room_for,
	what_is_buffered_is_written_before_the_reader_waits,
	two_in_lock_step_need_no_flush,
	S3_2_packets_of_one_byte_and_pipelined_requests_are_answered_in_order,
	S1_1_a_server_says_hello_world,
	a_reader_whose_answer_has_no_room_waits_for_either,
	P49_a_writer_waits_when_the_buffer_is_full_and_the_peer_reads_nothing,
	after_a_deadline_what_was_not_taken_is_not_written,
	streamprint_prints_what_is_longer_than_all_buffers,
	streamsendfile_sends_a_large_file,
	streamsendfile_sends_a_small_file_with_what_is_around_it,
	streamsendfile_sends_less_only_if_the_file_ends,
	streamsendfile_sends_to_a_pipe_too,
	streamsendfile_of_no_file_fails_and_the_stream_goes_on,
	a_stream_of_a_file_reads_and_writes_it,
	a_stream_of_a_terminal_reads_and_writes_it,
	streams_of_pipes_carry_a_line,
	a_second_reader_fails_with_EBUSY,
	a_second_writer_fails_with_EBUSY,
	what_is_left_to_do_after_fdclose_is_EBADF_though_it_is_nothing,
	fdclose_wakes_the_reader_with_EBADF,
	an_error_of_writing_stays_and_reading_goes_on,
	streamclose_tells_of_an_error_that_nobody_was_told_of,
	what_came_before_a_reset_is_read_before_the_error,
	a_deadline_is_no_error_of_the_stream,
	a_cancelled_task_closes_its_stream_at_once,
	after_streamshut_the_peer_can_still_answer,
	streamclose_lets_the_peer_have_all_of_the_answer,
	streamclose_waits_2_s_at_most,
	a_deadline_ends_streamclose_which_has_closed,
	an_idle_stream_takes_no_more_than_250_bytes,
	a_stream_holds_no_more_than_twice_its_limit,
	a_reader_that_never_has_to_wait_lets_others_run,
	calls_outside_a_scheduler_fail_with_EPERM,
	arguments_that_cannot_work_are_EINVAL_and_other_threads_EPERM,
	nothing_is_lost_or_doubled_whatever_is_called_and_cut,
	one_task_reads_and_another_writes_at_once)
