/* SPDX-License-Identifier: MIT */
/* Streams with a layer below them, here a simple one. */
#include "fdtest.h"

/*
 * A byte more than this many others goes before them, and all that goes through
 * is turned over.  The first byte each way is H, the last one tells of no
 * bytes.
 */
enum { PieceMost = 200, Kept = 1000 };

typedef struct Plain
{
	int greeted, heard;
	int shut, ended;
	int failing;	/* errno of what is called next, or 0 */
	int nfreed;
	unsigned char in[256], out[Kept];
	size_t nin, nout;
} Plain;

static int
sendout(Plain *l, int fd)
{
	while(l->nout > 0){
		ssize_t n = write(fd, l->out, l->nout);
		if(n < 0)
			return -1;
		l->nout -= (size_t)n;
		memmove(l->out, l->out + n, l->nout);
	}
	return 0;
}

static int
failing(Plain *l)
{
	errno = l->failing;
	l->failing = 0;
	return errno != 0;
}

static int
plainbegin(void *v, int fd, const void *early, size_t n)
{
	Plain *l = v;
	int err = errno;

	if(failing(l))
		return -1;
	errno = err;
	if(n > 0)
		memcpy(l->in, early, n);
	l->nin += n;
	if(!l->greeted)
		l->out[l->nout++] = 'H';
	l->greeted = 1;
	if(sendout(l, fd) < 0 && errno != EAGAIN)
		return -1;
	if(l->nin == 0){
		ssize_t r = read(fd, l->in, 1);
		if(r <= 0){
			errno = r == 0 ? ECONNABORTED : errno;
			return -1;
		}
		l->nin = 1;
	}
	errno = l->in[0] == 'H' ? err : EPROTO;
	memmove(l->in, l->in + 1, --l->nin);
	return errno == EPROTO ? -1 : 0;
}

/* the bytes of the piece that is there, or -1. */
static int
piece(const Plain *l)
{
	return l->nin > 0 && l->nin > l->in[0] ? l->in[0] : -1;
}

static ssize_t
plainread(void *v, int fd, void *to, size_t n)
{
	Plain *l = v;
	int err = errno;

	if(failing(l))
		return -1;
	errno = err;
	while(!l->ended && piece(l) < 0){
		ssize_t r = read(fd, l->in + l->nin, sizeof l->in - l->nin);
		if(r <= 0){
			errno = r == 0 ? ECONNABORTED : errno;
			return -1;
		}
		l->nin += (size_t)r;
	}
	size_t has = l->ended ? 0 : l->in[0];
	l->ended = has == 0;
	n = n < has ? n : has;
	for(size_t i = 0; i < n; i++)
		((unsigned char *)to)[i] = l->in[1 + i] ^ 0xff;
	l->in[n] = (unsigned char)(has - n);
	size_t gone = n == has ? n + 1 : n;
	l->nin -= gone < l->nin ? gone : l->nin;
	memmove(l->in, l->in + gone, l->nin);
	return (ssize_t)n;
}

static ssize_t
plainwrite(void *v, int fd, const void *from, size_t n)
{
	Plain *l = v;

	if(failing(l) || sendout(l, fd) < 0)
		return -1;
	n = n < PieceMost ? n : PieceMost;
	l->out[l->nout++] = (unsigned char)n;
	for(size_t i = 0; i < n; i++)
		l->out[l->nout++] = ((const unsigned char *)from)[i] ^ 0xff;
	int err = errno;
	if(sendout(l, fd) < 0 && errno != EAGAIN)
		return -1;
	errno = err;
	return (ssize_t)n;
}

static int
plainflush(void *v, int fd)
{
	return sendout(v, fd);
}

static int
plainshut(void *v, int fd)
{
	Plain *l = v;

	(void)fd;
	if(!l->shut)
		l->out[l->nout++] = 0;
	l->shut = 1;
	return 0;
}

static size_t
plainunsent(void *v)
{
	return ((Plain *)v)->nout;
}

static size_t
plainpending(void *v)
{
	return piece(v) >= 0;
}

static void
plainfree(void *v)
{
	((Plain *)v)->nfreed++;
}

static const Streamlayer ops = {plainbegin, plainread, plainwrite, plainflush,
	plainshut, plainunsent, plainpending, plainfree};

static int fds[2];
static Stream *a, *b;
static Plain la, lb;

static void
beside(void (*fn)(void *), void *v)
{
	ck_assert_int_gt(taskcreate(fn, v, 0), 0);
}

static void
open2(size_t most)
{
	pair(fds);
	a = streamopen(fds[0], most);
	b = streamopen(fds[1], most);
}

static void
layera(void *v)
{
	(void)v;
	ck_assert_int_eq(streamlayer(a, &ops, &la), 0);
}

static void
layered(size_t most)
{
	open2(most);
	beside(layera, NULL);
	errno = EDOM;
	ck_assert_int_eq(streamlayer(b, &ops, &lb), 0);
	ck_assert_int_eq(errno, EDOM);
	settle();
}

static void
closer(void *s)
{
	ck_assert_int_eq(streamclose(s), 0);
}

static void
close2(void)
{
	beside(closer, a);
	closer(b);
	settle();
	ck_assert_int_eq(la.nfreed, 1);
	ck_assert_int_eq(lb.nfreed, 1);
}

static void
hears(Stream *s, const char *text)
{
	char buf[300];
	size_t n = strlen(text);

	ck_assert_int_eq(streamreadn(s, buf, n), (ssize_t)n);
	ck_assert_mem_eq(buf, text, n);
}

static void
says(Stream *s, const char *text)
{
	ck_assert_int_eq(streamwrite(s, text, strlen(text)),
		(ssize_t)strlen(text));
	ck_assert_int_eq(streamflush(s), 0);
}

TASK_TEST(what_goes_through_is_the_same_at_the_other_end)
{
	char c, *line;

	layered(0);
	says(b, "a line\nand");
	ck_assert_int_eq(streamline(a, &line), 6);
	ck_assert_str_eq(line, "a line");
	hears(a, "and");
	ck_assert_int_eq(streamprint(a, "%0500d", 7), 500);
	ck_assert_int_eq(streamshut(a), 0);
	FAILS(streamwrite(a, "x", 1), EPIPE);
	ck_assert_int_eq(streamskip(b, 499), 0);
	hears(b, "7");
	errno = EDOM;
	ck_assert_int_eq(streamread(b, &c, 1), 0);
	ck_assert_int_eq(streamread(b, &c, 1), 0);
	ck_assert_int_eq(errno, EDOM);
	says(b, "still");
	hears(a, "still");
	close2();
}

TASK_TEST(what_was_read_ahead_is_the_layer_s_and_what_was_written_goes_before)
{
	char *line;

	open2(0);
	ck_assert_int_eq(streamwrite(a, "bare\n", 5), 5);
	ck_assert_int_eq(write(fds[1], "bare\nH\3\x9e\x9d\x9c", 10), 10);
	ck_assert_int_eq(streamline(a, &line), 4);
	ck_assert_int_eq(streamlayer(a, &ops, &la), 0);
	hears(a, "abc");
	ck_assert_int_eq(streamline(b, &line), 4);
	ck_assert_int_eq(streamlayer(b, &ops, &lb), 0);
	close2();
}

TASK_TEST(streampeek_shows_what_the_layer_has_without_a_wait)
{
	void *seen;

	layered(0);
	ck_assert_int_eq(streampeek(a, 0, &seen), 0);
	says(b, "12");
	says(b, "345");
	ck_assert_int_eq(streampeek(a, 0, &seen), 0);	/* it is not asked */
	hears(a, "1");
	ck_assert_int_eq(streampeek(a, 0, &seen), 1);
	hears(a, "2");
	ck_assert_int_eq(streamskip(a, 1), 0);
	ck_assert_int_eq(streampeek(a, 0, &seen), 2);
	ck_assert_mem_eq(seen, "45", 2);
	says(b, "6");
	ck_assert_int_eq(streamshut(b), 0);
	hears(a, "456");
	ck_assert_int_eq(streampeek(a, 0, &seen), 0);
	ck_assert_int_eq(fdwait(fds[0], 'r'), 0);
	close2();
}

enum { Much = 1 << 20 };

static void
echo(void *v)
{
	char buf[3000];
	ssize_t n;

	(void)v;
	while((n = streamread(a, buf, sizeof buf)) > 0)
		ck_assert_int_eq(streamwrite(a, buf, (size_t)n), n);
	ck_assert_int_eq(n, 0);
	ck_assert_int_eq(streamclose(a), 0);
}

static void
pump(void *v)
{
	char buf[997];

	(void)v;
	for(size_t at = 0, n; at < Much; at += n){
		n = Much - at < sizeof buf ? Much - at : sizeof buf;
		for(size_t i = 0; i < n; i++)
			buf[i] = (char)((at + i) % 251);
		ck_assert_int_eq(streamwrite(b, buf, n), (ssize_t)n);
	}
	ck_assert_int_eq(streamshut(b), 0);
}

/* Who echoes has to read on while what it has written finds no room. */
TASK_TEST(what_the_layer_keeps_is_written_while_its_reader_waits)
{
	char buf[5000];
	size_t at = 0;
	ssize_t n;

	layered(4000);
	beside(echo, NULL);
	beside(pump, NULL);
	while((n = streamread(b, buf, sizeof buf)) > 0){
		for(ssize_t i = 0; i < n; i++)
			if(buf[i] != (char)((at + (size_t)i) % 251))
				ck_abort_msg("another byte at %zu", at);
		at += (size_t)n;
	}
	ck_assert_int_eq(n, 0);
	ck_assert_uint_eq(at, Much);
	ck_assert_int_eq(streamclose(b), 0);
	ck_assert_int_eq(la.nfreed + lb.nfreed, 2);
}

static void
filesender(void *f)
{
	ck_assert_int_eq(streamsendfile(b, fileno(f), 0, 60000), 60000);
	ck_assert_int_eq(streamflush(b), 0);
}

TASK_TEST(a_file_is_copied)
{
	char buf[3000], got[3000];
	FILE *f = tmpfile();

	memset(buf, 'f', sizeof buf);
	for(int i = 0; i < 20; i++)
		fwrite(buf, 1, sizeof buf, f);
	fflush(f);
	layered(0);
	beside(filesender, f);
	for(int i = 0; i < 20; i++){
		ck_assert_int_eq(streamreadn(a, got, sizeof got), 3000);
		ck_assert_mem_eq(got, buf, sizeof got);
	}
	fclose(f);
	close2();
}

TASK_TEST(a_flush_waits_until_the_layer_keeps_nothing)
{
	Timeout t;
	char buf[4096] = {0};

	layered(0);
	while(fill(fds[0]) > 0)
		;
	ck_assert_int_eq(streamwrite(a, "x", 1), 1);
	timeoutstart(&t, 5);
	FAILS(streamflush(a), ETIMEDOUT);
	timeoutstop(&t);
	timeoutstart(&t, 5);
	FAILS(streamshut(a), ETIMEDOUT);
	timeoutstop(&t);
	while(read(fds[1], buf, sizeof buf) == sizeof buf)
		;
	ck_assert_int_eq(streamshut(a), 0);
	ssize_t n = 0, r;
	while((r = read(fds[1], buf, sizeof buf)) > 0)
		n = r;
	ck_assert_int_eq(r, 0);
	ck_assert_mem_eq(buf + n - 3, "\1\x87\0", 3);
	close2();
}

TASK_TEST(a_layer_that_cannot_begin_ends_the_stream_and_is_the_caller_s)
{
	Timeout t;
	char c;

	open2(0);
	ck_assert_int_eq(write(fds[1], "X", 1), 1);
	FAILS(streamlayer(a, &ops, &la), EPROTO);
	FAILS(streamread(a, &c, 1), EPROTO);
	FAILS(streamwrite(a, &c, 1), EPROTO);
	FAILS(streamlayer(a, &ops, &la), EPROTO);
	timeoutstart(&t, 5);
	drain(fds[1]);
	FAILS(streamlayer(b, &ops, &lb), ETIMEDOUT);
	timeoutstop(&t);
	FAILS(streamread(b, &c, 1), ECONNABORTED);
	FAILS(streamlayerof(b, &ops) ? 0 : -1, ENOENT);
	beside(closer, b);
	ck_assert_int_eq(streamclose(a), 0);
	settle();
	ck_assert_int_eq(la.nfreed + lb.nfreed, 0);
}

static void
elsewhere(void *v)
{
	(void)v;
	FAILS(streamlayer(a, &ops, &la), EPERM);
	ck_assert_ptr_null(streamlayerof(a, &ops));
	ck_assert_int_eq(errno, EPERM);
}

static void
reader(void *v)
{
	char c;

	(void)v;
	ck_assert_int_eq(streamread(a, &c, 1), 1);
	note('r');
}

TASK_TEST(calls_that_cannot_work_change_nothing)
{
	open2(0);
	FAILS(streamlayer(a, NULL, &la), EINVAL);
	FAILS(streamlayer(NULL, &ops, &la), EINVAL);
	FAILS(streamlayerof(NULL, &ops) ? 0 : -1, EINVAL);
	FAILS(streamlayerof(a, &ops) ? 0 : -1, ENOENT);
	procwait(proccreate(elsewhere, NULL, 0), NULL);
	ck_assert_int_eq(streamskip(a, 1), 0);
	FAILS(streamlayer(a, &ops, &la), EINVAL);
	beside(reader, NULL);
	settle();
	FAILS(streamlayer(a, &ops, &la), EBUSY);
	says(b, "12");
	settle();
	ck_assert_str_eq(trace, "r");
	beside(layera, NULL);
	ck_assert_int_eq(streamlayer(b, &ops, &lb), 0);
	settle();
	ck_assert_ptr_eq(streamlayerof(a, &ops), &la);
	FAILS(streamlayer(a, &ops, &la), EALREADY);
	says(a, "on");
	hears(b, "on");
	close2();
}

START_TEST(outside_a_scheduler_they_fail_with_EPERM)
{
	FAILS(streamlayer(NULL, &ops, &la), EPERM);
	FAILS(streamlayerof(NULL, &ops) ? 0 : -1, EPERM);
}
END_TEST

TASK_TEST(a_layer_that_fails_ends_a_side_and_one_that_is_busy_is_called_again)
{
	char c;

	layered(0);
	says(b, "1");
	la.failing = EINTR;
	beside(notes, "o");
	hears(a, "1");
	ck_assert_str_eq(trace, "o");
	la.failing = EPROTO;
	FAILS(streamread(a, &c, 1), EPROTO);
	FAILS(streamread(a, &c, 1), EPROTO);
	says(a, "2");
	hears(b, "2");
	la.failing = EPROTO;
	ck_assert_int_eq(streamwrite(a, "3", 1), 1);
	FAILS(streamflush(a), EPROTO);
	FAILS(streamwrite(a, "3", 1), EPROTO);
	close2();
}

TEST_MAIN("stream layers",
	what_goes_through_is_the_same_at_the_other_end,
	what_was_read_ahead_is_the_layer_s_and_what_was_written_goes_before,
	streampeek_shows_what_the_layer_has_without_a_wait,
	what_the_layer_keeps_is_written_while_its_reader_waits,
	a_file_is_copied,
	a_flush_waits_until_the_layer_keeps_nothing,
	a_layer_that_cannot_begin_ends_the_stream_and_is_the_caller_s,
	calls_that_cannot_work_change_nothing,
	outside_a_scheduler_they_fail_with_EPERM,
	a_layer_that_fails_ends_a_side_and_one_that_is_busy_is_called_again)
