/* SPDX-License-Identifier: MIT */
/* io_uring from the inside: what it costs, and what happens when it fails. */
#include "../fd/fd.h"
#ifdef TASK_URING
#include <liburing.h>
#endif
#include "fdtest.h"
#include "watched.h"

static Sys kernel;
static int nenter, ncall, nopen, openerror, refuse;
static char name[32];

static int
countenter(struct io_uring *ring, unsigned int n, struct timespec *timeout)
{
	nenter++;
	if(refuse > 1 && nenter % refuse == 0){
		errno = EAGAIN;
		return -1;
	}
	return kernel.uringenter(ring, n, timeout);
}

static int
tinyring(unsigned int requests, unsigned int reports, struct io_uring *ring)
{
	(void)requests, (void)reports;
	return kernel.uringopen(4, 8, ring);
}

static int
noring(unsigned int requests, unsigned int reports, struct io_uring *ring)
{
	(void)requests, (void)reports, (void)ring;
	nopen++;
	errno = openerror;
	return -1;
}

static ssize_t
countread(int fd, void *buf, size_t n)
{
	ncall++;
	return kernel.read(fd, buf, n);
}

static ssize_t
countsend(int fd, const void *buf, size_t n)
{
	ncall++;
	return kernel.send(fd, buf, n);
}

static void
askname(void *v)
{
	(void)v;
	snprintf(name, sizeof name, "%s", taskpoller());
}

/* Whether there is one to look into; then it is used. */
static int
prepare(void)
{
	kernel = task_sys;
	setenv("TASKPOLLER", "fastest", 1);
	run(askname);
	setenv("TASKPOLLER", "uring", 1);
	return strcmp(name, "uring") == 0;
}

#define URING_TEST(name, ...) TASK_TEST_BY(name, \
	if(!prepare()) \
		TEST_SKIP("there is no io_uring here"); \
	__VA_ARGS__; \
	run(body))

static int fds[2];

static void
echo(void *v)
{
	char buf[64];
	ssize_t n;

	(void)v;
	while((n = fdread(fds[1], buf, sizeof buf)) > 0)
		fdwrite(fds[1], buf, (size_t)n);
}

URING_TEST(a_message_costs_no_call_but_the_turns,
	task_sys.uringenter = countenter;
	task_sys.read = countread;
	task_sys.send = countsend)
{
	enum { Rounds = 1000 };
	char buf[64] = "ping";

	tcppair(fds);
	taskcreate(echo, NULL, 0);
	for(int i = 0; i < Rounds; i++){
		ck_assert_int_eq(fdwrite(fds[0], buf, 4), 4);
		ck_assert_int_eq(fdread(fds[0], buf, sizeof buf), 4);
	}
	fdclose(fds[0]);
	/* one to write, one to read, at each end */
	ck_assert_int_le(nenter, 4 * Rounds + 10);
	ck_assert_int_eq(ncall, 0);
}

static int nechoes;

static void
echoonce(void *v)
{
	int *pair = v;
	char c = 0;

	ck_assert_int_eq(fdread(pair[1], &c, 1), 1);
	ck_assert_int_eq(c, 'x');
	ck_assert_int_eq(fdwait(pair[1], 'w'), 0);
	ck_assert_int_eq(fdwrite(pair[1], "y", 1), 1);
	nechoes++;
}

/* Many tasks at once, through read and write operations and plain waits. */
static void
crowd(void)
{
	enum { Pairs = 200 };
	static int pairs[Pairs][2];
	Wait w[Pairs];
	char c;

	for(int i = 0; i < Pairs; i++){
		pair(pairs[i]);
		taskcreate(echoonce, pairs[i], 0);
		startwait(&w[i], pairs[i][0], 'r');
	}
	settle();
	for(int i = 0; i < Pairs; i++)
		ck_assert_int_eq(write(pairs[i][0], "x", 1), 1);
	while(nechoes < Pairs)
		taskdelay(1);
	for(int i = 0; i < 100; i++)
		taskdelay(0);
	for(int i = 0; i < Pairs; i++){
		woken(&w[i], 0);
		ck_assert_int_eq(fdread(pairs[i][0], &c, 1), 1);
		fdclose(pairs[i][0]);
		fdclose(pairs[i][1]);
	}
}

URING_TEST(a_ring_that_is_full_loses_nothing, task_sys.uringopen = tinyring)
{
	crowd();
}

URING_TEST(what_the_kernel_does_not_take_now_it_takes_later,
	task_sys.uringenter = countenter;
	refuse = 7)
{
	crowd();
}

static void
writer(void *v)
{
	static const char bytes[1 << 20];

	(void)v;
	ck_assert_int_eq(fdwrite(fds[0], bytes, sizeof bytes), sizeof bytes);
}

/* The kernel reports the half-closed connection whenever it is asked. */
URING_TEST(a_writer_to_a_half_closed_peer_neither_spins_nor_makes_threads,
	task_sys.uringenter = countenter)
{
	int before, nthread = countthreads();

	pair(fds);
	taskcreate(writer, NULL, 0);
	settle();
	shutdown(fds[1], SHUT_WR);
	before = nenter;
	taskdelay(50);
	ck_assert_int_le(nenter - before, 6);
	ck_assert_int_eq(countthreads(), nthread);
	for(size_t n = 0; n < 1 << 20; taskdelay(0))
		n += drain(fds[1]);
}

/* Only the changes are reported: the second is told by asking anew. */
URING_TEST(writers_to_a_half_closed_peer_are_all_woken)
{
	Wait w[3];

	pair(fds);
	fill(fds[0]);
	shutdown(fds[1], SHUT_WR);
	for(int i = 0; i < 3; i++)
		startwait(&w[i], fds[0], 'w');
	settle();
	drain(fds[1]);
	settle();
	for(int i = 0; i < 3; i++)
		woken(&w[i], 0);
}

URING_TEST(a_write_to_a_half_closed_peer_that_is_full_makes_no_thread)
{
	int nthread = countthreads();

	pair(fds);
	fill(fds[0]);
	shutdown(fds[1], SHUT_WR);
	taskcreate(writer, NULL, 0);
	settle();
	ck_assert_int_eq(countthreads(), nthread);
	for(size_t n = 0; n < 1 << 20; taskdelay(0))
		n += drain(fds[1]);
}

static int nnap;

static int
countnap(struct pollfd *p, nfds_t n, struct timespec *timeout)
{
	nnap++;
	return kernel.poll(p, n, timeout);
}

/* The end of the one replaced is no news of the other. */
URING_TEST(a_request_can_take_the_place_of_another,
	task_sys.poll = countnap)
{
	Wait r, w;

	pair(fds);
	fill(fds[0]);
	startwait(&r, fds[0], 'r');
	settle();
	startwait(&w, fds[0], 'w');
	settle();
	ck_assert_int_eq(r.nwoken + w.nwoken + nnap, 0);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	settle();
	woken(&r, 0);
	ck_assert_int_eq(w.nwoken, 0);
	drain(fds[1]);
	settle();
	woken(&w, 0);
	ck_assert_int_eq(nnap, 0);
}

static int stranger[2];

static void
readmore(void *v)
{
	char buf[2] = "";

	(void)v;
	FAILS(fdreadn(fds[0], buf, 2), EBADF);
	ck_assert_str_eq(buf, "x");
	fds[0] = -1;
}

static void
exchange(void *v)
{
	(void)v;
	ck_assert_int_eq(fdread(fds[1], &(char){0}, 1), 1);
	ck_assert_int_eq(fdclose(fds[0]), 0);
	ck_assert_int_eq(dup2(stranger[0], fds[0]), fds[0]);
}

/* It is closed, and another file, between the first byte and what follows. */
URING_TEST(the_rest_of_a_read_does_not_come_from_the_next_file)
{
	pair(fds);
	pair(stranger);
	ck_assert_int_eq(write(stranger[1], "y", 1), 1);
	taskcreate(exchange, NULL, 0);
	settle();
	taskcreate(readmore, NULL, 0);
	settle();
	ck_assert_int_eq(write(fds[0], "y", 1), 1);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	while(fds[0] >= 0)
		taskdelay(1);
}

static char *buffer;

static void
reader(void *v)
{
	char buf[64] = "";

	(void)v;
	buffer = buf;
	FAILS(fdread(fds[0], buf, sizeof buf), EBADF);
	ck_assert_str_eq(buf, "");
	taskdelay(1);
	ck_assert_str_eq(buf, "");
	buffer = NULL;
}

URING_TEST(a_buffer_is_the_tasks_own_again_after_fdclose)
{
	pair(fds);
	taskcreate(reader, NULL, 0);
	settle();
	ck_assert_int_eq(fdclose(fds[0]), 0);
	ck_assert_int_lt(write(fds[1], "late", 4), 4 + 1);
	settle();
	while(buffer)
		taskdelay(1);
}

/* Its request has not been handed over when the number gets a new file. */
URING_TEST(a_request_does_not_go_to_the_next_file_of_its_number)
{
	char c;

	pair(fds);
	pair(stranger);
	taskcreate(reader, NULL, 0);
	taskyield();
	ck_assert_int_eq(fdclose(fds[0]), 0);
	ck_assert_int_eq(dup2(stranger[0], fds[0]), fds[0]);
	ck_assert_int_eq(write(stranger[1], "x", 1), 1);
	settle();
	ck_assert_int_eq(read(stranger[0], &c, 1), 1);
	while(buffer)
		taskdelay(1);
}

static int order[8], norder;

static void
readone(void *v)
{
	char c;

	ck_assert_int_eq(fdread(fds[0], &c, 1), 1);
	ck_assert_int_eq(c, 'a' + (int)(intptr_t)v);
	order[norder++] = (int)(intptr_t)v;
}

URING_TEST(readers_of_one_socket_are_served_in_order)
{
	pair(fds);
	for(intptr_t i = 0; i < 8; i++)
		taskcreate(readone, (void *)i, 0);
	settle();
	ck_assert_int_eq(write(fds[1], "abcdefgh", 8), 8);
	while(norder < 8)
		taskdelay(1);
	for(int i = 0; i < 8; i++)
		ck_assert_int_eq(order[i], i);
}

static void
impatient(void *v)
{
	Timeout t;
	char c;

	(void)v;
	timeoutstart(&t, 1);
	FAILS(fdread(fds[0], &c, 1), ETIMEDOUT);
	timeoutstop(&t);
}

URING_TEST(who_comes_after_a_reader_that_gave_up_is_served)
{
	pair(fds);
	taskcreate(readone, (void *)0, 0);
	settle();
	taskcreate(impatient, NULL, 0);
	taskdelay(5);
	taskcreate(readone, (void *)1, 0);
	settle();
	ck_assert_int_eq(write(fds[1], "ab", 2), 2);
	while(norder < 2)
		taskdelay(1);
}

static void
systemreader(void *v)
{
	char buf[64];

	(void)v;
	tasksystem();
	fdread(fds[0], buf, sizeof buf);
	ck_abort_msg("came back");
}

/* Its stack goes with the scheduler. */
URING_TEST(what_is_under_way_ends_before_the_program)
{
	pair(fds);
	taskcreate(systemreader, NULL, 0);
	settle();
	write(fds[1], "x", 1);
}

static int ninterrupted;

/* enters, and says result in place of what was cancelled. */
static int
enterinstead(struct io_uring *ring, unsigned int n, struct timespec *timeout,
	int result)
{
	int r = kernel.uringenter(ring, n, timeout);
#ifdef TASK_URING
	struct io_uring_cqe *cqe;
	unsigned int head;

	io_uring_for_each_cqe(ring, head, cqe)
		if(cqe->res == -ECANCELED){
			cqe->res = result;
			ninterrupted++;
		}
#else
	(void)result;
#endif
	return r;
}

/* A cancel may interrupt what a thread of the kernel does. */
static int
interrupting(struct io_uring *ring, unsigned int n, struct timespec *timeout)
{
	return enterinstead(ring, n, timeout, -EINTR);
}

URING_TEST(what_is_interrupted_by_its_cancel_is_not_made_again,
	task_sys.uringenter = interrupting)
{
	Timeout t;
	char c;

	pair(fds);
	timeoutstart(&t, 1);
	FAILS(fdread(fds[0], &c, 1), ETIMEDOUT);
	ck_assert_int_eq(timeoutstop(&t), 1);
	ck_assert_int_ge(ninterrupted, 1);
}

static int listener;

static void
systemacceptor(void *v)
{
	(void)v;
	tasksystem();
	netaccept(listener, NULL, NULL);
	ck_abort_msg("came back");
}

/* A connection came before the cancel: 100 is its descriptor. */
static int
accepting(struct io_uring *ring, unsigned int n, struct timespec *timeout)
{
	return enterinstead(ring, n, timeout, 100);
}

TASK_TEST_BY(what_is_accepted_at_the_end_is_closed,
	if(!prepare())
		TEST_SKIP("there is no io_uring here");
	int before = openfds();
	task_sys.uringenter = accepting;
	run(body);
	close(listener);
	ck_assert_int_eq(ninterrupted, 1);
	ck_assert_int_eq(openfds(), before))
{
	listener = netannounce(TCP, "127.0.0.1", 0);
	taskcreate(systemacceptor, NULL, 0);
	settle();
	ck_assert_int_eq(dup2(listener, 100), 100);
}

static void
readx(void *v)
{
	char c;

	(void)v;
	ck_assert_int_eq(fdread(fds[0], &c, 1), 1);
	ck_assert_int_eq(c, 'x');
}

URING_TEST(what_is_interrupted_otherwise_is_made_again,
	task_sys.uringenter = interrupting)
{
	pair(fds);
	taskcreate(readx, NULL, 0);
	settle();
	const Polling *in = &task_proc->fds->polling;
	in->poller->cancel(in->state,
		task_fdknown(task_proc->fds, fds[0])->ops[Read].head);
	settle();
	ck_assert_int_eq(ninterrupted, 1);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
}

static int nmissed;

/* What has just been woken is not found by its cancel. */
static int
missing(struct io_uring *ring, unsigned int n, struct timespec *timeout)
{
#ifdef TASK_URING
	for(unsigned int i = ring->sq.sqe_head; i != ring->sq.sqe_tail; i++){
		unsigned int at = i % ring->sq.ring_entries;
		struct io_uring_sqe *sqe = &ring->sq.sqes[at];
		if(sqe->opcode == IORING_OP_ASYNC_CANCEL && nmissed++ == 0)
			sqe->addr ^= 1 << 20;
	}
#endif
	return kernel.uringenter(ring, n, timeout);
}

URING_TEST(a_cancel_that_fails_is_made_again, task_sys.uringenter = missing)
{
	Timeout t;
	char c;

	pair(fds);
	timeoutstart(&t, 1);
	FAILS(fdread(fds[0], &c, 1), ETIMEDOUT);
	ck_assert_int_eq(timeoutstop(&t), 1);
	ck_assert_int_eq(nmissed, 2);
}

URING_TEST(a_file_with_the_number_of_a_socket_costs_one_turn,
	task_sys.uringenter = countenter)
{
	char c;

	pair(fds);
	ck_assert_int_eq(fdwrite(fds[0], "x", 1), 1);
	ck_assert_int_eq(close(fds[0]), 0);
	ck_assert_int_eq(open("/dev/zero", O_RDONLY | O_CLOEXEC), fds[0]);
	ck_assert_int_eq(fdread(fds[0], &c, 1), 1);
	int before = nenter;
	for(int i = 0; i < 10; i++)
		ck_assert_int_eq(fdread(fds[0], &c, 1), 1);
	ck_assert_int_eq(nenter, before);
}

static int
neverenter(struct io_uring *ring, unsigned int n, struct timespec *timeout)
{
	(void)ring, (void)n, (void)timeout;
	nenter++;
	errno = EINVAL;
	return -1;
}

/* It may be a ring's number no more; and it may be so of each one. */
URING_TEST(a_kernel_that_refuses_each_ring_is_not_asked_in_a_loop,
	task_sys.uringenter = neverenter)
{
	Timeout t;
	char c;
	int n = openfds();

	tcppair(fds);
	timeoutstart(&t, 100);
	FAILS(fdread(fds[0], &c, 1), ETIMEDOUT);
	timeoutstop(&t);
	ck_assert_int_ge(nenter, 2);
	ck_assert_int_le(nenter, 15);
	ck_assert_int_eq(openfds(), n + 2);
}

static void
runnothing(void)
{
	taskrun(askname, NULL);
}

static void
refused(int err)
{
	char line[1024];

	task_sys.uringopen = noring;
	openerror = err;
	nopen = 0;
	setenv("TASKPOLLER", "uring", 1);
	int status = child(runnothing, line, sizeof line);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 2);
	ck_assert_str_eq(line, "libtask: TASKPOLLER=uring: the kernel does not "
		"allow it here; use one of: poll epoll fastest\n");
	setenv("TASKPOLLER", "fastest", 1);
	run(askname);
	ck_assert_str_eq(name, "epoll");
	ck_assert_int_eq(nopen, 1);
}

START_TEST(where_it_is_forbidden_that_is_said_or_epoll_taken)
{
	if(!prepare())
		TEST_SKIP("there is no io_uring here");
	refused(EPERM);
	refused(ENOSYS);
}
END_TEST

TEST_MAIN("uring inside",
	a_message_costs_no_call_but_the_turns,
	a_ring_that_is_full_loses_nothing,
	what_the_kernel_does_not_take_now_it_takes_later,
	a_writer_to_a_half_closed_peer_neither_spins_nor_makes_threads,
	writers_to_a_half_closed_peer_are_all_woken,
	a_write_to_a_half_closed_peer_that_is_full_makes_no_thread,
	a_request_can_take_the_place_of_another,
	the_rest_of_a_read_does_not_come_from_the_next_file,
	a_buffer_is_the_tasks_own_again_after_fdclose,
	a_request_does_not_go_to_the_next_file_of_its_number,
	readers_of_one_socket_are_served_in_order,
	who_comes_after_a_reader_that_gave_up_is_served,
	what_is_under_way_ends_before_the_program,
	what_is_accepted_at_the_end_is_closed,
	what_is_interrupted_by_its_cancel_is_not_made_again,
	what_is_interrupted_otherwise_is_made_again,
	a_cancel_that_fails_is_made_again,
	a_file_with_the_number_of_a_socket_costs_one_turn,
	a_kernel_that_refuses_each_ring_is_not_asked_in_a_loop,
	where_it_is_forbidden_that_is_said_or_epoll_taken)
