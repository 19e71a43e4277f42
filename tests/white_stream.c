/* SPDX-License-Identifier: MIT */
/* Streams from inside: system calls, memory, what the kernel may refuse. */
#include <pthread.h>

#include "../net/stream.h"
#include "fault.h"
#include "fdtest.h"

static int fds[2];
static Stream *s;

static void
beside(void (*fn)(void *), void *v)
{
	ck_assert_int_gt(taskcreate(fn, v, 0), 0);
}

/* System calls that a conversation takes, without those of other threads. */

static Sys real;
static pthread_t counted;
static long ncalls, nsends, nshuts;

static void
count(void)
{
	ncalls += pthread_equal(pthread_self(), counted) != 0;
}

#define COUNT(type, name, params, args) \
	static type \
	count_##name params \
	{ \
		count(); \
		return real.name args; \
	}

COUNT(int, poll, (struct pollfd *f, nfds_t n, struct timespec *t), (f, n, t))
COUNT(int, epollwait, (int ep, struct epoll_event *e, int n,
	struct timespec *t), (ep, e, n, t))
COUNT(int, epollctl, (int ep, int op, int fd, struct epoll_event *e),
	(ep, op, fd, e))
COUNT(int, uringenter, (struct io_uring *u, unsigned int n,
	struct timespec *t), (u, n, t))
COUNT(ssize_t, read, (int fd, void *v, size_t n), (fd, v, n))
COUNT(ssize_t, recv, (int fd, void *v, size_t n), (fd, v, n))
COUNT(ssize_t, write, (int fd, const void *v, size_t n), (fd, v, n))
COUNT(int, getopt, (int fd, int l, int name, int *v), (fd, l, name, v))
COUNT(int, getfl, (int fd), (fd))
COUNT(int, setfl, (int fd, int flags), (fd, flags))
COUNT(int, fileid, (int fd, Fileid *id), (fd, id))

static ssize_t
count_send(int fd, const void *v, size_t n)
{
	count();
	nsends++;
	return real.send(fd, v, n);
}

static int
count_shutdown(int fd, int how)
{
	count();
	nshuts++;
	return real.shutdown(fd, how);
}

static void
countcalls(void)
{
	real = task_sys;
	counted = pthread_self();
	task_sys.poll = count_poll;
	task_sys.epollwait = count_epollwait;
	task_sys.epollctl = count_epollctl;
	task_sys.uringenter = count_uringenter;
	task_sys.read = count_read;
	task_sys.recv = count_recv;
	task_sys.write = count_write;
	task_sys.send = count_send;
	task_sys.shutdown = count_shutdown;
	task_sys.getopt = count_getopt;
	task_sys.getfl = count_getfl;
	task_sys.setfl = count_setfl;
	task_sys.fileid = count_fileid;
}

enum { Requests = 1000 };

static void *
asks(void *v)
{
	char answer[64];
	int *fd = v;

	fcntl(*fd, F_SETFL, 0);
	for(int i = 0; i < Requests; i++){
		if(write(*fd, "GET /\r\nHost: x\r\n\r\n", 18) != 18 ||
				read(*fd, answer, sizeof answer) <= 0)
			abort();
	}
	close(*fd);
	return NULL;
}

/*
 * The kernel is asked for the request and takes the answer, and is waited for
 * between them; io_uring does all three by one call.  Some waits may end for
 * other reasons on a busy machine, and nothing else may be.
 */
TASK_TEST(a_request_in_lock_step_takes_three_system_calls_and_one_of_io_uring)
{
	pthread_t peer;
	char *line;
	int per = strcmp(taskpoller(), "uring") == 0 ? 1 : 3;

	tcppair(fds);
	countcalls();
	s = streamopen(fds[0], 0);
	pthread_create(&peer, NULL, asks, &fds[1]);
	for(int i = 0; i < Requests; i++){
		while(streamline(s, &line) > 0)
			;
		streamprint(s, "HTTP/1.1 %d OK\r\n", 200);
		streamwrite(s, "\r\n", 2);
		streamwrite(s, "hello", 5);
	}
	ck_assert_int_eq(streamline(s, &line), -1);
	ck_assert_int_eq(streamclose(s), 0);
	pthread_join(peer, NULL);
	ck_assert_int_eq(nshuts, 0);
	printf("note: %s: %.3f system calls a request\n", taskpoller(),
		(double)ncalls / Requests);
	ck_assert_int_le(ncalls, per * Requests + Requests / 20 + 30);
	task_sys = real;
}

TASK_TEST(pipelined_requests_are_answered_by_one_call)
{
	char *line, got[1000];

	pair(fds);
	countcalls();
	s = streamopen(fds[0], 0);
	for(int i = 0; i < 10; i++)
		ck_assert_int_eq(write(fds[1], "ask\n", 4), 4);
	shutdown(fds[1], SHUT_WR);
	while(streamline(s, &line) > 0)
		streamprint(s, "%s", "answer");
	ck_assert_int_eq(read(fds[1], got, sizeof got), 60);
	ck_assert_int_eq(nsends, strcmp(taskpoller(), "uring") ? 1 : 0);
	streamclose(s);
	task_sys = real;
}

TASK_TEST(a_read_asks_for_more_if_there_was_more_and_for_less_again)
{
	static char many[50000];
	char *line;

	tcppair(fds);
	s = streamopen(fds[0], 0);
	ck_assert_uint_eq(s->chunk, ChunkLeast);
	memset(many, '\n', sizeof many);
	ck_assert_int_eq(fdwrite(fds[1], many, sizeof many), sizeof many);
	for(size_t i = 0; i < sizeof many; i++)
		ck_assert_int_eq(streamline(s, &line), 0);
	ck_assert_uint_gt(s->chunk, ChunkLeast);
	for(int i = 0; i < 10; i++){
		ck_assert_int_eq(write(fds[1], "\n", 1), 1);
		ck_assert_int_eq(streamline(s, &line), 0);
	}
	ck_assert_uint_eq(s->chunk, ChunkLeast);
	fdclose(fds[1]);
	streamclose(s);
}

/* What the kernel may refuse */

static ssize_t
nosendfile(int to, int fd, off_t at, size_t n)
{
	(void)to, (void)fd, (void)at, (void)n;
	errno = ENOSYS;
	return -1;
}

static void
drainall(void *v)
{
	static char buf[5000];
	size_t *n = v;
	ssize_t r;

	while((r = fdread(fds[1], buf, sizeof buf)) > 0)
		*n += (size_t)r;
	note('d');
}

TASK_TEST(without_sendfile_a_file_is_copied)
{
	char name[] = "/tmp/white_stream.XXXXXX";
	size_t n = 0;
	int file = mkstemp(name);

	unlink(name);
	ck_assert_int_eq(ftruncate(file, 200000), 0);
	real = task_sys;
	task_sys.sendfile = nosendfile;
	pair(fds);
	s = streamopen(fds[0], 0);
	beside(drainall, &n);
	ck_assert_int_eq(streamsendfile(s, file, 0, 300000), 200000);
	ck_assert_int_eq(streamshut(s), 0);
	while(trace[0] == '\0')
		taskdelay(1);
	ck_assert_uint_eq(n, 200000);
	fdclose(fds[1]);
	streamclose(s);
	close(file);
	task_sys = real;
}

TASK_TEST(streamclose_gives_up_on_a_peer_that_goes_on_for_long)
{
	int64_t start = nowns();

	task_linger_ms = 20;
	pair(fds);
	s = streamopen(fds[0], 0);
	ck_assert_int_eq(streamclose(s), 0);
	ck_assert_int_ge(nowns() - start, 20 * (int64_t)Millisecond);
	FAILS(fcntl(fds[0], F_GETFD), EBADF);
	close(fds[1]);
}

/* A writer comes while the poller sends for the reader */

static void
readone(void *v)
{
	char *line;

	(void)v;
	ck_assert_int_eq(streamline(s, &line), 1);
	note('r');
}

static void
writeone(void *v)
{
	note(s->pushing ? 'p' : 'w');
	ck_assert_int_eq(streamwrite(s, v, 5), 5);
	ck_assert_int_eq(streamflush(s), 0);
	note('f');
}

TASK_TEST(a_writer_waits_while_the_reader_is_pushing)
{
	char got[32];
	int uring = strcmp(taskpoller(), "uring") == 0;

	pair(fds);
	s = streamopen(fds[0], 0);
	streamwrite(s, "first", 5);
	beside(readone, NULL);
	beside(writeone, "later");
	settle();
	ck_assert_str_eq(trace, uring ? "pf" : "wf");
	ck_assert_int_eq(read(fds[1], got, sizeof got), 10);
	ck_assert_mem_eq(got, "firstlater", 10);
	ck_assert_int_eq(write(fds[1], "x\n", 2), 2);
	settle();
	ck_assert_str_eq(trace, uring ? "pfr" : "wfr");
	close(fds[1]);
	streamclose(s);
}

static void
writecancelled(void *v)
{
	FAILS(streamwrite(s, v, 5), ECANCELED);
	note('c');
}

TASK_TEST(a_writer_that_waits_for_the_reader_can_be_cancelled)
{
	char got[32];

	if(strcmp(taskpoller(), "uring") != 0)
		TEST_SKIP("only io_uring pushes while others run");
	pair(fds);
	s = streamopen(fds[0], 0);
	streamwrite(s, "first", 5);
	beside(readone, NULL);
	int id = taskcreate(writecancelled, "never", 0);
	taskyield();
	ck_assert_int_eq(s->pushing, 1);
	ck_assert_ptr_nonnull(s->waiting.head);
	taskcancel(id);
	settle();
	ck_assert_str_eq(trace, "c");
	ck_assert_int_eq(read(fds[1], got, sizeof got), 5);
	ck_assert_int_eq(write(fds[1], "x\n", 2), 2);
	settle();
	ck_assert_int_eq(streamwrite(s, "x", 1), 1);
	close(fds[1]);
	streamclose(s);
}

/* Each call to the system and each allocation fails in its turn */

static int nright;

static void
answers(void *v)
{
	Stream *conn = streamopen(*(int *)v, 500);
	char *line;

	if(conn == NULL){
		fdclose(*(int *)v);
		return;
	}
	while(streamline(conn, &line) >= 0 &&
			streamprint(conn, "%s%600s\n", line, "") > 0)
		;
	streamclose(conn);
}

static unsigned int patience_ms;	/* after a failure it waits so long */

/*
 * An error that only the kernel's has, not the peer's, may leave both waiting:
 * hence the deadline.
 */
static void
conversation(void *v)
{
	static char got[2000];
	Timeout t;

	(void)v;
	nright = 0;
	pair(fds);
	Stream *mine = streamopen(fds[0], 700);
	if(mine == NULL)
		fdclose(fds[0]);
	if(taskcreate(answers, &fds[1], 0) < 0)
		fdclose(fds[1]);
	if(mine == NULL)
		return;
	timeoutstart(&t, patience_ms);
	for(int i = 0; i < 2; i++){
		struct iovec line[] = {{"as", 2}, {"k\n", 2}};
		if(streamwritev(mine, line, 2) == 4 &&
				streamreadn(mine, got, 604) == 604)
			nright += memcmp(got, "ask   ", 6) == 0;
	}
	int file = open("tests/white_stream.c", O_RDONLY);
	if(file >= 0)
		streamsendfile(mine, file, 0, 600);
	close(file);
	streamshut(mine);
	while(streamread(mine, got, sizeof got) > 0)
		;
	timeoutstop(&t);
	streamclose(mine);
}

START_TEST(whatever_fails_memory_and_descriptors_are_given_back)
{
	int nfds = openfds();

	task_linger_ms = 20;
	faultstart();
	faultarm(0, 0, 0);
	patience_ms = 20000;
	ck_assert_int_eq(taskrun(conversation, NULL), 0);
	ck_assert_int_eq(nright, 2);
	patience_ms = 20;
	for(int kind = 0; kind < FaultKinds; kind++)
		for(long n = 1; ; n++){
			faultarm(n, 1, kind);
			taskrun(conversation, NULL);
			long nfailed = fault.nfailed;
			faultarm(0, 0, 0);
			ck_assert_msg(fault.nlive == 0 && openfds() == nfds,
				"call %ld (%s): %ld blocks, %d descriptors", n,
				fault.failed, fault.nlive, openfds() - nfds);
			if(nfailed == 0)
				break;
		}
}
END_TEST

TEST_MAIN("stream from inside",
	a_request_in_lock_step_takes_three_system_calls_and_one_of_io_uring,
	pipelined_requests_are_answered_by_one_call,
	a_read_asks_for_more_if_there_was_more_and_for_less_again,
	without_sendfile_a_file_is_copied,
	streamclose_gives_up_on_a_peer_that_goes_on_for_long,
	a_writer_waits_while_the_reader_is_pushing,
	a_writer_that_waits_for_the_reader_can_be_cancelled,
	whatever_fails_memory_and_descriptors_are_given_back)
