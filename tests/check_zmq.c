/* SPDX-License-Identifier: MIT */
/* Sockets of ZeroMQ that tasks wait for: on both ends, and with plain ones. */
#include "fdtest.h"
#include "watched.h"
#include "../addons/zmq/taskzmq.h"
#include <pthread.h>
#include <zmq.h>

static void *context;

/* TSan does not see what its threads agree, Valgrind sees what they send. */
static int
unwatchable(void)
{
	return TestFewer > 1 || valgrind();
}

static int
term(void *v)
{
	return zmq_ctx_term(v);
}

/* The test's sockets are closed then. */
#define ZMQ_TEST(name) \
	TASK_TEST_BY(name, \
		if(unwatchable()) \
			TEST_SKIP("libzmq is not made for who watches it"); \
		context = zmq_ctx_new(); \
		run(body); \
		zmq_ctx_term(context))

static void *
opened(int type)
{
	void *s = zmq_socket(context, type);
	int linger = 0, most = 10;

	ck_assert_ptr_nonnull(s);
	zmq_setsockopt(s, ZMQ_LINGER, &linger, sizeof linger);
	zmq_setsockopt(s, ZMQ_SNDHWM, &most, sizeof most);
	zmq_setsockopt(s, ZMQ_RCVHWM, &most, sizeof most);
	return s;
}

static char address[64];

/* One that others connect to at address, over TCP. */
static void *
bound(int type)
{
	size_t n = sizeof address;
	void *s = opened(type);

	ck_assert_int_eq(zmq_bind(s, "tcp://127.0.0.1:*"), 0);
	zmq_getsockopt(s, ZMQ_LAST_ENDPOINT, address, &n);
	return s;
}

/* Two sockets, the first of which is connected to the second. */
static void
both(void **s, int from, int to)
{
	s[0] = opened(from);
	s[1] = bound(to);
	ck_assert_int_eq(zmq_connect(s[0], address), 0);
}

static void
closeboth(void **s)
{
	zmq_close(s[0]);
	zmq_close(s[1]);
}

static void
sends(void *socket, int number)
{
	errno = EDOM;
	ck_assert_int_eq(zmqsend(socket, &number, sizeof number, 0),
		sizeof number);
	ck_assert_int_eq(errno, EDOM);
}

static int
receives(void *socket)
{
	int number;

	errno = EDOM;
	ck_assert_int_eq(zmqrecv(socket, &number, sizeof number, 0),
		sizeof number);
	ck_assert_int_eq(errno, EDOM);
	return number;
}

static void
echo(void *socket)
{
	int number;

	tasksystem();
	while(zmqrecv(socket, &number, sizeof number, 0) > 0)
		zmqsend(socket, &number, sizeof number, 0);
}

ZMQ_TEST(a_question_has_its_answer)
{
	void *s[2];

	both(s, ZMQ_REQ, ZMQ_REP);
	taskcreate(echo, s[1], 0);
	for(int i = 0; i < 1000; i++){
		sends(s[0], i);
		ck_assert_int_eq(receives(s[0]), i);
	}
	closeboth(s);
}

enum { Messages = 3000 };
static void *pushed;

static void
push(void *v)
{
	for(int i = 0; i < *(int *)v; i++)
		sends(pushed, i);
}

ZMQ_TEST(a_sender_waits_for_a_slow_receiver)
{
	void *s[2];
	int n = Messages;

	both(s, ZMQ_PUSH, ZMQ_PULL);
	pushed = s[0];
	taskcreate(push, &n, 0);
	taskdelay(20);
	for(int i = 0; i < Messages; i++)
		ck_assert_int_eq(receives(s[1]), i);
	closeboth(s);
}

static void *ends[2];
static int nreceived;

static void
receiveall(void *v)
{
	for(int i = 0; i < Messages; i++, nreceived++)
		ck_assert_int_eq(receives(v), i);
}

static void
sendall(void *v)
{
	for(int i = 0; i < Messages; i++)
		sends(v, i);
}

/* Each of the two sockets has a reader and a writer: see addons/zmq/zmq.c. */
ZMQ_TEST(a_reader_and_a_writer_share_a_socket_and_none_sleeps_on)
{
	Group g = {.limit = 0};

	both(ends, ZMQ_DEALER, ZMQ_DEALER);
	for(int i = 0; i < 2; i++){
		groupspawn(&g, receiveall, ends[i], 0);
		groupspawn(&g, sendall, ends[i], 0);
	}
	ck_assert_int_eq(groupwait(&g), 0);
	ck_assert_int_eq(nreceived, 2 * Messages);
	closeboth(ends);
}

static void
worker(void *v)
{
	while(receives(v) >= 0)
		nreceived++;
}

ZMQ_TEST(many_tasks_receive_from_one_socket)
{
	enum { Workers = 20 };
	Group g = {.limit = 0};
	void *s[2];

	both(s, ZMQ_PUSH, ZMQ_PULL);
	for(int i = 0; i < Workers; i++)
		groupspawn(&g, worker, s[1], 0);
	for(int i = 0; i < Messages; i++)
		sends(s[0], i);
	for(int i = 0; i < Workers; i++)
		sends(s[0], -1);
	ck_assert_int_eq(groupwait(&g), 0);
	ck_assert_int_eq(nreceived, Messages);
	closeboth(s);
}

ZMQ_TEST(a_deadline_ends_a_wait_and_loses_nothing)
{
	void *s[2];
	int number;
	Timeout t;

	both(s, ZMQ_PUSH, ZMQ_PULL);
	for(int i = 0; i < 20; i++){
		TIMEOUT(&t, (unsigned int)i % 3)
			FAILS(zmqrecv(s[1], &number, sizeof number, 0),
				ETIMEDOUT);
		sends(s[0], i);
		ck_assert_int_eq(receives(s[1]), i);
	}
	FAILS(zmqrecv(s[1], &number, sizeof number, ZMQ_DONTWAIT), EAGAIN);
	zmq_close(s[1]);
	TIMEOUT(&t, 50)	/* nobody receives: in the end it is full */
		while(zmqsend(s[0], &number, sizeof number, 0) > 0)
			;
	ck_assert_int_eq(errno, ETIMEDOUT);
	zmq_close(s[0]);
}

/* Such a socket has ZMQ_POLLOUT always, and refuses all the same. */
ZMQ_TEST(one_that_refuses_what_it_said_it_could_takes_no_turn_from_others)
{
	void *s = opened(ZMQ_ROUTER);
	int on = 1;
	Timeout t;
	size_t n = sizeof address;

	zmq_setsockopt(s, ZMQ_ROUTER_MANDATORY, &on, sizeof on);
	ck_assert_int_eq(zmq_bind(s, "tcp://127.0.0.1:*"), 0);
	zmq_getsockopt(s, ZMQ_LAST_ENDPOINT, address, &n);
	void *deaf = opened(ZMQ_DEALER);	/* it never receives */
	zmq_setsockopt(deaf, ZMQ_ROUTING_ID, "deaf", 4);
	zmq_connect(deaf, address);
	taskcreate(beat, NULL, 0);
	while(zmq_send(s, "deaf", 4, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
		taskdelay(1);
	zmq_send(s, "", 0, ZMQ_DONTWAIT);
	nbeats = 0;
	TIMEOUT(&t, 200)
		while(zmqsend(s, "deaf", 4, ZMQ_SNDMORE) > 0){
			static char much[65536];
			if(zmqsend(s, much, sizeof much, 0) < 0)
				break;
		}
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_gt(nbeats, 0);
	zmq_close(deaf);
	zmq_close(s);
}

ZMQ_TEST(messages_of_parts_come_whole)
{
	void *s[2];
	zmq_msg_t m;
	int nparts = 0;

	both(s, ZMQ_PUSH, ZMQ_PULL);
	zmqsend(s[0], "a", 1, ZMQ_SNDMORE);
	zmqsend(s[0], "", 0, ZMQ_SNDMORE);
	ck_assert_int_eq(zmq_msg_init_size(&m, 100000), 0);
	memset(zmq_msg_data(&m), 'x', 100000);
	ck_assert_int_eq(zmqmsgsend(&m, s[0], 0), 100000);
	do{
		static const int sizes[] = {1, 0, 100000};
		zmq_msg_init(&m);
		ck_assert_int_eq(zmqmsgrecv(&m, s[1], 0), sizes[nparts++]);
		if(zmq_msg_more(&m))
			zmq_msg_close(&m);
	}while(nparts < 3);
	ck_assert_int_eq(zmq_msg_more(&m), 0);
	ck_assert_int_eq(((char *)zmq_msg_data(&m))[99999], 'x');
	zmq_msg_close(&m);
	closeboth(s);
}

ZMQ_TEST(what_a_socket_can_do_is_waited_for)
{
	void *s[2];
	Timeout t;

	both(s, ZMQ_DEALER, ZMQ_DEALER);
	TIMEOUT(&t, 10)
		FAILS(zmqwait(s[1], ZMQ_POLLIN), ETIMEDOUT);
	ck_assert_int_eq(zmqwait(s[0], ZMQ_POLLIN | ZMQ_POLLOUT), ZMQ_POLLOUT);
	sends(s[0], 1);
	ck_assert_int_eq(zmqwait(s[1], ZMQ_POLLIN), ZMQ_POLLIN);
	ck_assert_int_eq(receives(s[1]), 1);
	closeboth(s);
}

/* A peer that knows nothing of tasks. */
static void *
plain(void *v)
{
	void *s = zmq_socket(context, ZMQ_DEALER);
	int number;

	zmq_connect(s, v);
	for(int i = 0; i < Messages; i++){
		zmq_send(s, &i, sizeof i, 0);
		if(i % 10 == 0)
			zmq_recv(s, &number, sizeof number, 0);
	}
	zmq_close(s);
	return NULL;
}

ZMQ_TEST(another_thread_is_served_at_its_own_pace)
{
	void *s = bound(ZMQ_DEALER);
	pthread_t t;

	ck_assert_int_eq(pthread_create(&t, NULL, plain, address), 0);
	for(int i = 0; i < Messages; i++){
		ck_assert_int_eq(receives(s), i);
		if(i % 10 == 0)
			sends(s, i);
	}
	pthread_join(t, NULL);
	zmq_close(s);
}

ZMQ_TEST(what_is_wrong_with_a_call_is_told)
{
	void *s[2];
	int number;

	both(s, ZMQ_REQ, ZMQ_REP);
	FAILS(zmqrecv(s[0], &number, sizeof number, 0), EFSM);
	FAILS(zmqsend(s[1], &number, sizeof number, 0), EFSM);
	FAILS(zmqwait(NULL, ZMQ_POLLIN), ENOTSOCK);
	FAILS(zmqsend(NULL, "", 0, 0), ENOTSOCK);
	closeboth(s);
	for(int i = 0; i < 20; i++){	/* numbers are used again */
		both(s, ZMQ_REQ, ZMQ_REP);
		int id = taskcreate(echo, s[1], 0);
		sends(s[0], i);
		ck_assert_int_eq(receives(s[0]), i);
		taskcancel(id);
		taskyield();
		closeboth(s);
	}
	ck_assert_int_eq(offload(term, context), 0);
	context = zmq_ctx_new();
}

START_TEST(without_a_scheduler_it_fails_with_EPERM_if_it_must_wait)
{
	void *s[2];
	int number;

	if(unwatchable())
		TEST_SKIP("libzmq is not made for who watches it");
	context = zmq_ctx_new();
	both(s, ZMQ_PUSH, ZMQ_PULL);
	FAILS(zmqrecv(s[1], &number, sizeof number, 0), EPERM);
	FAILS(zmqwait(s[1], ZMQ_POLLIN), EPERM);
	closeboth(s);
	zmq_ctx_term(context);
}
END_TEST

TEST_MAIN("zmq", a_question_has_its_answer,
	a_sender_waits_for_a_slow_receiver,
	a_reader_and_a_writer_share_a_socket_and_none_sleeps_on,
	many_tasks_receive_from_one_socket,
	a_deadline_ends_a_wait_and_loses_nothing,
	one_that_refuses_what_it_said_it_could_takes_no_turn_from_others,
	messages_of_parts_come_whole, what_a_socket_can_do_is_waited_for,
	another_thread_is_served_at_its_own_pace,
	what_is_wrong_with_a_call_is_told,
	without_a_scheduler_it_fails_with_EPERM_if_it_must_wait)
