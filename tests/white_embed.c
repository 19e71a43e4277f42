/* SPDX-License-Identifier: MIT */
/* A scheduler in another loop while memory and descriptors run out. */
#include "chatter.h"
#include "fault.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

FAULTY(int, epollopen, (void), (), -1, EMFILE, ENFILE, ENOMEM)
FAULTY(int, epollctl, (int set, int op, int fd, struct epoll_event *e),
	(set, op, fd, e), -1, ENOMEM, ENOSPC, ENOMEM)
FAULTY(int, eventopen, (void), (), -1, EMFILE, ENFILE, ENOMEM)
FAULTY(int, timeropen, (void), (), -1, EMFILE, ENFILE, ENOMEM)
FAULTY(int, uringevent, (struct io_uring *ring, int fd), (ring, fd), -1,
	ENOMEM, EBUSY, EINVAL)

static void
start(void)
{
	faultstart();
	task_sys.epollopen = fault_epollopen;
	task_sys.epollctl = fault_epollctl;
	task_sys.eventopen = fault_eventopen;
	task_sys.timeropen = fault_timeropen;
	task_sys.uringevent = fault_uringevent;
}

/* How many descriptors are open. */
static int
nopen(void)
{
	int n = 0;

	for(int fd = 0; fd < 64; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void
loop(void)
{
	struct pollfd p = {.fd = procfd(), .events = POLLIN};

	do
		ck_assert_int_eq(poll(&p, 1, 5000), 1);
	while(procstep(0) > 0);
}

/* What is called when all has been made. */
static void
first(void *v)
{
	(void)v;
	note('f');
}

START_TEST(it_is_made_or_nothing_is_left_of_it)
{
	int nfds = 0;

	start();
	for(int kind = 0; kind < FaultKinds; kind++)
		for(long n = 1; ; n++){
			faultarm(n, 1, kind);
			int opened = procopen(first, NULL), err = errno;
			int failed = fault.nfailed > 0;
			faultarm(0, 0, 0);
			if(opened < 0)
				ck_assert_msg(err == ENOMEM || err == EMFILE ||
					err == ENFILE || err == ENOSPC,
					"%s: %s", fault.failed, strerror(err));
			else{
				loop();
				ck_assert_int_eq(procclose(), 0);
			}
			FAILS(procfd(), EPERM);
			/* the door stays, to be used again */
			if(n == 1 && kind == 0)
				nfds = nopen() + 1;
			ck_assert_int_le(nopen(), nfds);
			if(!failed)
				break;
			ck_assert_int_lt(n, 200);
		}
	ck_assert_uint_ge(strlen(trace), FaultKinds);
}
END_TEST

/* The timer is the first that is put into the set, and the last. */
static int
onlytimer(int set, int op, int fd, struct epoll_event *e)
{
	static int n;

	if(op == EPOLL_CTL_ADD && e->data.u64 == 0 && n++ > 0){
		errno = ENOSPC;
		return -1;
	}
	return fault.real.epollctl(set, op, fd, e);
}

static int pair[2];

static void
reading(void *v)
{
	char c;

	(void)v;
	ck_assert_int_eq(fdread(pair[0], &c, 1), 1);
	note(c);
	fdclose(pair[0]);
}

START_TEST(where_the_poller_cannot_tell_somebody_looks_in_time)
{
	fault.real = task_sys;
	task_sys.epollctl = onlytimer;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(fdnoblock(pair[0]), 0);
	ck_assert_int_gt(procopen(reading, NULL), 0);
	ck_assert_int_gt(procstep(0), 0);
	ck_assert_int_eq(write(pair[1], "x", 1), 1);
	loop();
	ck_assert_int_eq(procclose(), 0);
	ck_assert_str_eq(trace, "x");
}
END_TEST

START_TEST(notes_that_wake_nobody_do_not_keep_a_step_from_its_descriptors)
{
	int n = 0;

	ck_assert_int_ge(procopen(readsamongnotes, &n), 1);
	while(procstep(-1) > 0)
		;
	ck_assert_int_eq(procclose(), 0);
	ck_assert_int_le(n, SendAt + 2);	/* each step looks */
}
END_TEST

TEST_MAIN("embed, inside", it_is_made_or_nothing_is_left_of_it,
	where_the_poller_cannot_tell_somebody_looks_in_time,
	notes_that_wake_nobody_do_not_keep_a_step_from_its_descriptors)
