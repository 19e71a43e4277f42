/* SPDX-License-Identifier: MIT */
/* Channels that are closed, and what is in them. */
#include "test.h"
#include <pthread.h>

static Channel *c, *d;

static void
make(int n)
{
	c = chancreate(sizeof(unsigned long), n);
	d = chancreate(sizeof(unsigned long), n);
}

static void
unmake(void)
{
	chanfree(c);
	chanfree(d);
}

/* A closed channel drains. */

TASK_TEST(S3_26_recv_on_a_closed_channel_drains_it_and_then_is_0)
{
	unsigned long u = 9;

	make(3);
	chansendul(c, 1);
	chansendul(c, 2);
	ck_assert_int_eq(chanclose(c), 0);
	ck_assert_int_eq(chanlen(c), 2);
	ck_assert_int_eq(chanrecv(c, &u), 1);
	ck_assert_uint_eq(u, 1);
	ck_assert_int_eq(channbrecv(c, &u), 1);
	ck_assert_uint_eq(u, 2);
	errno = E2BIG;
	ck_assert_int_eq(chanrecv(c, &u), 0);
	ck_assert_int_eq(channbrecv(c, &u), 0);
	ck_assert_int_eq(chanrecv(c, NULL), 0);
	ck_assert_int_eq(errno, E2BIG);
	ck_assert_uint_eq(u, 2);
	unmake();
}

TASK_TEST(S3_26_send_on_a_closed_channel_is_EPIPE)
{
	unsigned long u = 1;

	make(3);
	chanclose(c);
	errno = 0;
	ck_assert_int_eq(chansend(c, &u), -1);
	ck_assert_int_eq(errno, EPIPE);
	errno = 0;
	ck_assert_int_eq(channbsend(c, &u), -1);
	ck_assert_int_eq(errno, EPIPE);
	errno = 0;
	ck_assert_int_eq(chansendp(c, &u), -1);
	ck_assert_int_eq(chansendul(c, 1), -1);
	ck_assert_int_eq(channbsendp(c, &u), -1);
	ck_assert_int_eq(channbsendul(c, 1), -1);
	ck_assert_int_eq(errno, EPIPE);
	ck_assert_int_eq(chanlen(c), 0);
	unmake();
}

/* The forms that return the value say it by errno. */
TASK_TEST(a_value_received_from_a_closed_channel_is_0_with_EPIPE)
{
	unsigned long (*const forms[])(Channel *) = {chanrecvul, channbrecvul};
	void *(*const pforms[])(Channel *) = {chanrecvp, channbrecvp};

	make(2);
	for(int i = 0; i < 2; i++)
		chansendul(c, 0);
	chanclose(c);
	for(int i = 0; i < 2; i++){
		errno = 0;
		ck_assert_uint_eq(forms[i](c), 0);
		ck_assert_int_eq(errno, 0);
	}
	for(int i = 0; i < 2; i++){
		errno = 0;
		ck_assert_uint_eq(forms[i](c), 0);
		ck_assert_int_eq(errno, EPIPE);
		errno = 0;
		ck_assert_ptr_null(pforms[i](c));
		ck_assert_int_eq(errno, EPIPE);
	}
	unmake();
}

/* Those who wait. */

static void
recvend(void *v)
{
	unsigned long u = 7;

	errno = E2BIG;
	ck_assert_int_eq(chanrecv(c, &u), 0);
	ck_assert_int_eq(errno, E2BIG);
	ck_assert_uint_eq(u, 7);
	note(*(char *)v);
}

static void
sendend(void *v)
{
	ck_assert_int_eq(chansendul(c, 1), -1);
	ck_assert_int_eq(errno, EPIPE);
	note(*(char *)v);
}

static void
altend(void *v)
{
	unsigned long u = 7;
	Alt a[] = {
		{.c = d, .v = &u, .op = CHANRCV},
		{.op = CHANNOP},
		{.c = c, .v = &u, .op = *(char *)v == 'S' ? CHANSND : CHANRCV},
		{.op = CHANEND},
	};

	errno = E2BIG;
	ck_assert_int_eq(chanalt(a), 2);
	ck_assert_int_eq(errno, E2BIG);
	ck_assert_int_eq(a[2].err, EPIPE);
	ck_assert_uint_eq(u, 7);
	note(*(char *)v);
}

TASK_TEST(closing_wakes_all_that_wait_to_receive_with_0)
{
	make(1);
	taskcreate(recvend, "1", 0);
	taskcreate(altend, "R", 0);
	taskcreate(recvend, "2", 0);
	taskyield();
	ck_assert_int_eq(chanclose(c), 0);
	ck_assert_ptr_null(c->arecv.head);
	ck_assert_ptr_null(d->arecv.head);
	ck_assert_str_eq(trace, "");	/* without a switch */
	taskyield();
	ck_assert_str_eq(trace, "1R2");
	unmake();
}

TASK_TEST(closing_wakes_all_that_wait_to_send_with_EPIPE)
{
	make(1);
	chansendul(c, 5);
	taskcreate(sendend, "1", 0);
	taskcreate(altend, "S", 0);
	taskcreate(sendend, "2", 0);
	taskyield();
	ck_assert_int_eq(chanclose(c), 0);
	ck_assert_ptr_null(c->asend.head);
	ck_assert_ptr_null(d->arecv.head);
	taskyield();
	ck_assert_str_eq(trace, "1S2");
	/* what was in the buffer before is still there, and no more */
	ck_assert_uint_eq(chanrecvul(c), 5);
	ck_assert_int_eq(chanrecv(c, NULL), 0);
	unmake();
}

/* Alt. */

TASK_TEST(S3_26_an_alt_counts_a_closed_channel_as_ready)
{
	unsigned long u = 7;

	make(2);
	Alt a[] = {
		{.c = d, .v = &u, .op = CHANRCV},
		{.c = c, .v = &u, .op = CHANRCV, .err = 77},
		{.op = CHANEND},
	};

	chansendul(c, 1);
	chanclose(c);
	ck_assert_int_eq(chanalt(a), 1);	/* what is left in the buffer */
	ck_assert_int_eq(a[1].err, 0);
	ck_assert_uint_eq(u, 1);
	ck_assert_int_eq(chanalt(a), 1);	/* and then the end */
	ck_assert_int_eq(a[1].err, EPIPE);
	a[2].op = CHANNOBLK;
	ck_assert_int_eq(chanalt(a), 1);
	a[1].op = CHANSND;
	ck_assert_int_eq(chanalt(a), 1);
	ck_assert_int_eq(a[1].err, EPIPE);
	ck_assert_uint_eq(u, 1);
	chansendul(d, 2);
	a[1].op = CHANNOP;
	a[0].err = 77;
	ck_assert_int_eq(chanalt(a), 0);
	ck_assert_int_eq(a[0].err, 0);
	unmake();
}

/* One of two is closed: both go on being chosen, 5000 times give or take 50. */
TASK_TEST(a_closed_channel_does_not_keep_an_alt_from_the_others)
{
	unsigned long u = 7;

	make(1);
	int chosen[2] = {0};
	Alt a[] = {
		{.c = d, .v = &u, .op = CHANRCV},
		{.c = c, .v = &u, .op = CHANRCV},
		{.op = CHANEND},
	};

	chanclose(c);
	for(int i = 0; i < 10000; i++){
		channbsendul(d, 1);
		chosen[chanalt(a)]++;
	}
	ck_assert_int_gt(chosen[0], 4600);
	ck_assert_int_gt(chosen[1], 4600);
	unmake();
}

/* Misuse. */

TASK_TEST(closing_twice_is_EPIPE)
{
	make(1);
	chansendul(c, 1);
	ck_assert_int_eq(chanclose(c), 0);
	errno = 0;
	ck_assert_int_eq(chanclose(c), -1);
	ck_assert_int_eq(errno, EPIPE);
	ck_assert_int_eq(chanlen(c), 1);
	errno = 0;
	ck_assert_int_eq(chanclose(NULL), -1);
	ck_assert_int_eq(errno, EINVAL);
	unmake();	/* a closed channel is freed like any other */
}

static void *
elsewhere(void *v)
{
	void (*fn)(void *) = *(void (**)(void *))v;

	ck_assert_int_eq(taskrun(fn, NULL), 0);
	return NULL;
}

static void
closetheirs(void *v)
{
	(void)v;
	errno = 0;
	ck_assert_int_eq(chanclose(c), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(chanlen(c), -1);
	ck_assert_int_eq(chancap(c), -1);
	ck_assert_int_eq(chansendul(d, 1), -1);	/* which is closed */
	ck_assert_int_eq(errno, EPERM);
	errno = 0;
	ck_assert_int_eq(chanrecv(d, NULL), -1);
	ck_assert_int_eq(errno, EPERM);
}

static void
closemine(void *v)
{
	(void)v;
	chanclose(d);
}

START_TEST(another_threads_channel_or_no_scheduler_is_EPERM)
{
	void (*fn)(void *) = closetheirs;
	pthread_t t;

	make(1);
	errno = 0;
	ck_assert_int_eq(chanclose(c), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(chanlen(c), -1);
	run(closemine);
	ck_assert_int_eq(chanrecv(d, NULL), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(pthread_create(&t, NULL, elsewhere, &fn), 0);
	pthread_join(t, NULL);
	unmake();
}
END_TEST

/* Queries. */

TASK_TEST(chanlen_and_chancap_tell_what_is_in_the_buffer)
{
	make(3);
	Channel *e = chancreate(1, 0);
	errno = E2BIG;
	for(int i = 0; i < 3; i++){
		ck_assert_int_eq(chanlen(c), i);
		chansendul(c, 1);
	}
	ck_assert_int_eq(chanlen(c), 3);
	ck_assert_int_eq(chancap(c), 3);
	chanrecvul(c);
	ck_assert_int_eq(chanlen(c), 2);
	ck_assert_int_eq(chanlen(e), 0);
	ck_assert_int_eq(chancap(e), 0);
	ck_assert_int_eq(errno, E2BIG);
	ck_assert_int_eq(chanlen(NULL), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(chancap(NULL), -1);
	chanfree(e);
	unmake();
}

/* Two tasks pass a number back and forth, and the one who has enough closes. */

static void
pong(void *v)
{
	unsigned long u;

	(void)v;
	while(chanrecv(c, &u) == 1)
		chansendul(d, u + 1);
	chanclose(d);
}

TASK_TEST(S3_26_ping_pong_ends_when_one_closes)
{
	unsigned long u = 0;

	make(0);
	taskcreate(pong, NULL, 0);
	while(u < 1000){
		chansendul(c, u);
		ck_assert_int_eq(chanrecv(d, &u), 1);
	}
	chanclose(c);
	ck_assert_int_eq(chanrecv(d, &u), 0);
	ck_assert_uint_eq(u, 1000);
	unmake();
}

/*
 * The model: what was accepted from a sender before or after the closing, by
 * whatever operation, is received exactly once, and nothing else is.
 */
enum { Tasks = 5 };

static Random dice;
static int sent, received, left;

static void
modelsend(void *v)
{
	(void)v;
	for(int r = 1; r >= 0 || errno == EAGAIN; ){
		unsigned long u = 1;
		Alt a[] = {
			{.c = c, .v = &u, .op = CHANSND},
			{.c = c, .v = &u, .op = CHANSND},
			{.op = CHANEND},
		};

		switch(randombelow(&dice, 4)){
		case 0: r = chansend(c, &u); break;
		case 1: r = channbsend(c, &u); break;
		case 2: taskyield(); r = 0; break;
		case 3:
			r = chanalt(a);
			errno = a[r].err;
			r = errno ? -1 : 1;
			break;
		}
		sent += r == 1;
	}
	ck_assert_int_eq(errno, EPIPE);
	left--;
}

static void
modelrecv(void *v)
{
	int r = 1;

	(void)v;
	while(r != 0){
		unsigned long u = 0;
		Alt a[] = {
			{.c = c, .v = &u, .op = CHANRCV},
			{.op = CHANNOP},
			{.op = CHANEND},
		};

		switch(randombelow(&dice, 4)){
		case 0: r = chanrecv(c, &u); break;
		case 1: r = channbrecv(c, &u); break;
		case 2: taskyield(); r = -1; break;
		case 3: chanalt(a); r = a[0].err ? 0 : 1; break;
		}
		ck_assert_uint_eq(u, r == 1);
		received += r == 1;
	}
	left--;
}

TASK_TEST_BY(what_was_sent_before_the_closing_arrives_once,
	dice = randomstart();
	for(int i = TestFewer > 1 ? 270 : 0; i < 300; i++)
		run(body))
{
	sent = received = 0;
	c = chancreate(sizeof(unsigned long), (int)randombelow(&dice, 9));
	left = 2 * Tasks;
	for(int i = 0; i < Tasks; i++){
		taskcreate(modelsend, NULL, 0);
		taskcreate(modelrecv, NULL, 0);
	}
	for(unsigned int n = randombelow(&dice, 30); n > 0; n--)
		taskyield();
	ck_assert_int_eq(chanclose(c), 0);
	while(left > 0)
		taskyield();
	if(sent != received)
		ck_abort_msg("%d sent, %d received, seed %lu", sent, received,
			dice.seed);
	chanfree(c);
}

TEST_MAIN("close",
	S3_26_recv_on_a_closed_channel_drains_it_and_then_is_0,
	S3_26_send_on_a_closed_channel_is_EPIPE,
	a_value_received_from_a_closed_channel_is_0_with_EPIPE,
	closing_wakes_all_that_wait_to_receive_with_0,
	closing_wakes_all_that_wait_to_send_with_EPIPE,
	S3_26_an_alt_counts_a_closed_channel_as_ready,
	a_closed_channel_does_not_keep_an_alt_from_the_others,
	closing_twice_is_EPIPE,
	another_threads_channel_or_no_scheduler_is_EPERM,
	chanlen_and_chancap_tell_what_is_in_the_buffer,
	S3_26_ping_pong_ends_when_one_closes,
	what_was_sent_before_the_closing_arrives_once)
