/* SPDX-License-Identifier: MIT */
/* Channels, as their users see them. */
#include "test.h"
#include <limits.h>

/* A channel for the tests that need one; each test has a process of its own. */
static Channel *c, *d;

/* runs fn as the first task, with c and d. */
static void (*inner)(void *);

static void
withchannels(void *v)
{
	int n = *(int *)v;

	c = chancreate(sizeof(unsigned long), n);
	d = chancreate(sizeof(unsigned long), n);
	inner(NULL);
	chanfree(c);
	chanfree(d);
}

static void
runwith(int n, void (*fn)(void *))
{
	inner = fn;
	ck_assert_int_eq(taskrun(withchannels, &n), 0);
}

static void
sendthree(void *v)
{
	(void)v;
	for(unsigned long i = 1; i <= 3; i++)
		ck_assert_int_eq(chansendul(c, i), 1);
}

TASK_TEST_BY(elements_arrive_in_the_order_sent,
	for(int n = 0; n < 5; n++)
		runwith(n, body))
{
	taskcreate(sendthree, NULL, 0);
	for(unsigned long i = 1; i <= 3; i++)
		ck_assert_uint_eq(chanrecvul(c), i);
}

static void
sendandnote(void *v)
{
	chansendul(c, (unsigned long)(intptr_t)v);
	note('s');
}

TASK_TEST_BY(without_a_buffer_the_sender_waits_for_the_receiver,
	runwith(0, body))
{
	taskcreate(sendandnote, (void *)1, 0);
	taskyield();
	taskyield();
	ck_assert_str_eq(trace, "");
	ck_assert_uint_eq(chanrecvul(c), 1);
	note('r');
	taskyield();
	ck_assert_str_eq(trace, "rs");
}

TASK_TEST_BY(a_buffer_takes_n_elements_before_a_sender_waits, runwith(3, body))
{
	for(unsigned long i = 0; i < 3; i++){
		ck_assert_uint_eq(c->nbuf, i);
		ck_assert_int_eq(chansendul(c, i), 1);
	}
	ck_assert_int_eq(channbsendul(c, 3), -1);
	ck_assert_int_eq(errno, EAGAIN);
	taskcreate(sendandnote, (void *)3, 0);
	taskyield();
	ck_assert_str_eq(trace, "");
	for(unsigned long i = 0; i < 4; i++)
		ck_assert_uint_eq(chanrecvul(c), i);
	taskyield();
	ck_assert_str_eq(trace, "s");
	ck_assert_uint_eq(c->nbuf, 0);
}

static void
recvandnote(void *v)
{
	unsigned long u = chanrecvul(c);

	note(*(char *)v);
	note((char)('0' + u));
}

TASK_TEST_BY(a_send_serves_the_first_receiver_and_does_not_switch,
	runwith(0, body);
	memset(trace, 0, sizeof trace);
	runwith(2, body))
{
	taskcreate(recvandnote, "a", 0);
	taskcreate(recvandnote, "b", 0);
	taskyield();
	ck_assert_int_eq(chansendul(c, 1), 1);
	ck_assert_int_eq(chansendul(c, 2), 1);
	ck_assert_uint_eq(c->nbuf, 0);	/* not by way of the buffer */
	ck_assert_str_eq(trace, "");	/* and without a switch */
	taskyield();
	ck_assert_str_eq(trace, "a1b2");
}

TASK_TEST_BY(senders_that_wait_are_served_in_the_order_of_arrival,
	for(int n = 0; n < 5; n++)
		runwith(n, body))
{
	for(intptr_t i = 1; i <= 5; i++)
		taskcreate(sendandnote, (void *)i, 0);
	taskyield();
	for(unsigned long i = 1; i <= 5; i++)
		ck_assert_uint_eq(chanrecvul(c), i);
}

/* The order of coming is drawn at random; who comes first is served first. */
enum { Comers = 50, Draws = 100000 };

static unsigned long ticket, served;
static Random dice;

static void
recvinturn(void *v)
{
	(void)v;
	tasksystem();
	while(served < Draws){
		for(unsigned int n = randombelow(&dice, 4); n > 0; n--)
			taskyield();
		unsigned long mine = ticket++, got = 0;
		if(chanrecv(c, &got) < 0)
			return;
		if(got != mine)
			ck_abort_msg("receiver %lu was given %lu, seed %lu",
				mine, got, dice.seed);
		served++;
	}
}

TASK_TEST_BY(receivers_are_served_in_the_order_of_arrival_whoever_they_are,
	dice = randomstart();
	runwith(0, body);
	ck_assert_uint_ge(served, Draws))
{
	for(int i = 0; i < Comers; i++)
		taskcreate(recvinturn, NULL, 0);
	for(unsigned long i = 0; i < Draws + Comers; i++){
		if(served >= Draws)
			break;
		chansendul(c, i);
		if(randombelow(&dice, 3) == 0)
			taskyield();
	}
}

/* Elements. */

static void
sendbytes(void *v)
{
	chansend(c, v);
}

TASK_TEST(elements_have_any_size)
{
	unsigned char in[104], out[104];

	for(int size = 1; size <= 100; size++)
		for(int n = 0; n <= 2; n += 2){
			c = chancreate(size, n);
			for(int i = 0; i < 104; i++){
				in[i] = (unsigned char)(size + i);
				out[i] = 0xee;
			}
			taskcreate(sendbytes, in, 0);
			/* once sender first, once receiver first */
			if(n == 0)
				taskyield();
			ck_assert_int_eq(chanrecv(c, out + 1), 1);
			if(memcmp(out + 1, in, (size_t)size) != 0 ||
					out[0] != 0xee || out[size + 1] != 0xee)
				ck_abort_msg("an element of %d bytes is "
					"damaged", size);
			chanfree(c);
		}
}

static void
sendnothing(void *v)
{
	(void)v;
	chansend(c, NULL);
}

TASK_TEST_BY(v_NULL_sends_zeros_and_drops_what_is_received,
	runwith(0, body);
	memset(trace, 0, sizeof trace);
	runwith(1, body))
{
	unsigned long u = ULONG_MAX;

	taskcreate(sendnothing, NULL, 0);
	ck_assert_int_eq(chanrecv(c, &u), 1);
	ck_assert_uint_eq(u, 0);
	taskcreate(sendandnote, (void *)7, 0);
	ck_assert_int_eq(chanrecv(c, NULL), 1);
	taskyield();
	ck_assert_str_eq(trace, "s");
	taskcreate(sendnothing, NULL, 0);
	ck_assert_int_eq(chanrecv(c, NULL), 1);
}

static void
forms(void)
{
	int x;

	ck_assert_int_eq(chansendul(c, 5), 1);
	ck_assert_uint_eq(chanrecvul(c), 5);
	ck_assert_int_eq(chansendp(c, &x), 1);
	ck_assert_ptr_eq(chanrecvp(c), &x);
	ck_assert_int_eq(channbsendul(c, ULONG_MAX), 1);
	ck_assert_int_eq(channbsendul(c, 1), -1);
	ck_assert_int_eq(channbsendp(c, &x), -1);
	ck_assert_uint_eq(channbrecvul(c), ULONG_MAX);
	ck_assert_uint_eq(channbrecvul(c), 0);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(channbsendp(c, &x), 1);
	ck_assert_ptr_eq(channbrecvp(c), &x);
	errno = 0;
	ck_assert_ptr_null(channbrecvp(c));
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(channbrecv(c, &x), -1);
	ck_assert_int_eq(errno, EAGAIN);
}

TASK_TEST_BY(the_forms_for_pointers_and_unsigned_longs_carry_them,
	runwith(1, body))
{
	forms();
}

static const unsigned long words[] = {ULONG_MAX, 1, ULONG_MAX / 2 + 1, 0,
	ULONG_MAX - 1, UINT_MAX, 1UL + UINT_MAX / 2};

enum { Words = sizeof words / sizeof words[0] };

static void
hook(void *v)
{
	(void)v;
}

/* sends them as v says: by value, from memory, by chanalt. */
static void
sendwords(void *v)
{
	for(int i = 0; i < 3 * Words; i++){
		unsigned long w = words[i % Words];
		Alt a[] = {{.c = c, .v = &w, .op = CHANSND}, {.op = CHANEND}};
		if(v == (void *)1)
			chansendul(c, w);
		else if(v == (void *)2)
			chansend(c, &w);
		else
			chanalt(a);
	}
}

static void
recvwords(void *v)
{
	for(int i = 0; i < 3 * Words; i++){
		unsigned long w = 7;
		Alt a[] = {{.c = c, .v = &w, .op = CHANRCV}, {.op = CHANEND}};
		if(v == (void *)1)
			w = chanrecvul(c);
		else if(v == (void *)2)
			w = (unsigned long)(uintptr_t)chanrecvp(c);
		else
			chanalt(a);
		ck_assert_uint_eq(w, words[i % Words]);
	}
}

/*
 * Whoever waits, and whatever the other side uses; also when each stop looks at
 * the clock, and when switch hooks are called.
 */
TASK_TEST_BY(words_come_whole_to_those_who_wait_for_them,
	runwith(0, body);
	runwith(2, body))
{
	for(intptr_t k = 0; k < 18; k++){
		if(k == 9)
			tasksetswitch(hook, hook, NULL);
		taskcreate(sendwords, (void *)(k / 3 % 3), 0);
		recvwords((void *)(k % 3));
		taskcreate(recvwords, (void *)(k % 3), 0);
		if(k >= 9)
			taskyield();
		sendwords((void *)(k / 3 % 3));
		while(taskyield())
			;
	}
}

static void
endwait(void *v)
{
	if(v == (void *)1)
		chanfree(c);
	else
		taskcancel(1);
}

TASK_TEST_BY(a_wait_for_a_word_that_fails_returns_0_and_errno,
	run(body))
{
	Timeout t;

	for(int hooks = 0; hooks < 2; hooks++){
		c = chancreate(sizeof(unsigned long), 0);
		timeoutstart(&t, 1);
		ck_assert_uint_eq(chanrecvul(c), 0);
		ck_assert_int_eq(errno, ETIMEDOUT);
		ck_assert_ptr_null(chanrecvp(c));	/* at once */
		ck_assert_int_eq(errno, ETIMEDOUT);
		timeoutstop(&t);
		taskcreate(endwait, (void *)1, 0);
		errno = 0;
		ck_assert_uint_eq(chanrecvul(c), 0);
		ck_assert_int_eq(errno, EPIPE);
		tasksetswitch(hook, hook, NULL);
	}
	c = chancreate(sizeof(unsigned long), 0);
	taskcreate(endwait, NULL, 0);
	ck_assert_ptr_null(chanrecvp(c));
	ck_assert_int_eq(errno, ECANCELED);
	chanfree(c);
}

TASK_TEST(a_value_that_does_not_fill_an_element_is_not_sent)
{
	unsigned char b = 0;

	c = chancreate(1, 1);
	ck_assert_int_eq(chansendul(c, 0xff), 1);
	ck_assert_int_eq(chanrecv(c, &b), 1);
	ck_assert_uint_eq(b, 0xff);
	chanfree(c);
	c = chancreate(sizeof(unsigned long) + 1, 1);
	ck_assert_int_eq(chansendul(c, 1), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(chansendp(c, &b), -1);
	ck_assert_uint_eq(chanrecvul(c), 0);
	ck_assert_ptr_null(chanrecvp(c));
	ck_assert_uint_eq(c->nbuf, 0);
	chanfree(c);
}

/* Alt. */

TASK_TEST_BY(S3_26_an_alt_that_ends_with_CHANNOBLK_is_a_select_with_default,
	runwith(0, body))
{
	unsigned long u = 7;
	Alt a[] = {
		{.c = c, .v = &u, .op = CHANRCV},
		{.c = d, .v = &u, .op = CHANSND},
		{.op = CHANNOBLK},
	};

	ck_assert_int_eq(chanalt(a), -1);
	ck_assert_int_eq(errno, EAGAIN);
	taskcreate(sendandnote, (void *)3, 0);
	taskyield();
	ck_assert_int_eq(chanalt(a), 0);
	ck_assert_uint_eq(u, 3);
}

TASK_TEST_BY(chanalt_skips_CHANNOP_and_returns_the_index, runwith(1, body))
{
	unsigned long u = 0;
	Alt a[] = {
		{NULL, NULL, CHANNOP, 0, 0, 0, NULL, 0, 0, NULL, NULL,
			NULL, NULL},
		{c, &u, CHANRCV, 0, 0, 0, NULL, 0, 0, NULL, NULL,
			NULL, NULL},
		{.op = CHANNOP},
		{.op = CHANEND},
	};

	chansendul(c, 4);
	ck_assert_int_eq(chanalt(a), 1);
	ck_assert_uint_eq(u, 4);
	taskcreate(sendandnote, (void *)5, 0);
	ck_assert_int_eq(chanalt(a), 1);	/* this time it waits */
	ck_assert_uint_eq(u, 5);
	a[1].op = CHANNOP;
	a[3].op = CHANNOBLK;
	ck_assert_int_eq(chanalt(a), -1);
	ck_assert_int_eq(errno, EAGAIN);
}

static int which;

static void
altoftwo(void *v)
{
	unsigned long u = 0, w = 9;
	Alt a[] = {
		{.c = c, .v = &u, .op = CHANRCV},
		{.c = d, .v = &u, .op = CHANRCV},
		{.c = d, .v = &w, .op = CHANSND},
		{.c = c, .v = &u, .op = CHANRCV},
		{.op = CHANEND},
	};

	(void)v;
	which = chanalt(a);
}

TASK_TEST_BY(all_entries_are_off_their_queues_before_the_task_is_woken,
	runwith(0, body))
{
	which = -2;
	taskcreate(altoftwo, NULL, 0);
	taskyield();
	ck_assert_ptr_nonnull(c->arecv.head);
	ck_assert_ptr_nonnull(d->arecv.head);
	ck_assert_ptr_nonnull(d->asend.head);
	ck_assert_int_eq(chansendul(d, 1), 1);
	ck_assert_ptr_null(c->arecv.head);
	ck_assert_ptr_null(d->arecv.head);
	ck_assert_ptr_null(d->asend.head);
	ck_assert_int_eq(channbsendul(c, 1), -1);
	ck_assert_int_eq(which, -2);
	taskyield();
	ck_assert_int_eq(which, 1);
	taskcreate(altoftwo, NULL, 0);
	taskyield();
	ck_assert_uint_eq(channbrecvul(d), 9);
	ck_assert_int_eq(channbsendul(d, 1), -1);
	taskyield();
	ck_assert_int_eq(which, 2);
}

static unsigned long got[2];

static void
altbothways(void *v)
{
	int i = (int)(intptr_t)v;
	unsigned long mine = (unsigned long)i + 1;
	Alt a[] = {
		{.c = c, .v = &mine, .op = CHANSND},
		{.c = c, .v = &got[i], .op = CHANRCV},
		{.op = CHANEND},
	};

	note((char)('0' + chanalt(a)));
}

TASK_TEST_BY(an_alt_both_ways_on_one_channel_never_serves_itself,
	for(int i = 0; i < 20; i++){
		memset(trace, 0, sizeof trace);
		got[0] = got[1] = 0;
		runwith(0, body);
	})
{
	taskcreate(altbothways, (void *)0, 0);
	taskyield();
	taskyield();
	ck_assert_str_eq(trace, "");	/* it does not serve itself */
	taskcreate(altbothways, (void *)1, 0);
	taskyield();
	taskyield();
	/* one has sent, the other has received that */
	ck_assert_uint_eq(strlen(trace), 2);
	ck_assert_int_ne(trace[0], trace[1]);
	ck_assert_uint_eq(got[0] + got[1], got[0] ? 2 : 1);
	ck_assert_ptr_null(c->asend.head);
	ck_assert_ptr_null(c->arecv.head);
}

enum { Choices = 4, Tries = 10000 };

/* Each of four comes 2500 times, give or take 43; 300 are seven times that. */
TASK_TEST_BY(chanalt_chooses_fairly_among_those_that_can_go, runwith(4, body))
{
	int chosen[Choices] = {0};
	unsigned long u = 0;
	Alt a[] = {
		{.c = c, .v = &u, .op = CHANSND},
		{.c = c, .v = &u, .op = CHANRCV},
		{.c = d, .v = &u, .op = CHANRCV},
		{.c = d, .v = &u, .op = CHANRCV},
		{.op = CHANEND},
	};

	for(int i = 0; i < Tries; i++){
		while(c->nbuf < 2)
			chansendul(c, 1);
		while(c->nbuf > 2)
			chanrecvul(c);
		while(d->nbuf < 2)
			chansendul(d, 1);
		chosen[chanalt(a)]++;
	}
	for(int i = 0; i < Choices; i++)
		ck_assert_msg(abs(chosen[i] - Tries / Choices) < 300,
			"entry %d of 4 was chosen %d times of 10000", i,
			chosen[i]);
}

/* chanfree. */

static void
recvuntilfreed(void *v)
{
	ck_assert_int_eq(chanrecv(v, NULL), -1);
	ck_assert_int_eq(errno, EPIPE);
	note('r');
}

static void
senduntilfreed(void *v)
{
	ck_assert_int_eq(chansendul(v, 1), -1);
	ck_assert_int_eq(errno, EPIPE);
	note('s');
}

static void
altuntilfreed(void *v)
{
	Alt a[] = {
		{.c = d, .op = CHANRCV},
		{.c = v, .op = CHANRCV},
		{.op = CHANEND},
	};

	ck_assert_int_eq(chanalt(a), -1);
	ck_assert_int_eq(errno, EPIPE);
	note('a');
}

TASK_TEST_BY(chanfree_wakes_all_that_wait_with_EPIPE, runwith(0, body))
{
	Channel *e = chancreate(sizeof(unsigned long), 0);
	Channel *f = chancreate(sizeof(unsigned long), 0);

	taskcreate(recvuntilfreed, e, 0);
	taskcreate(altuntilfreed, e, 0);
	taskcreate(recvuntilfreed, e, 0);
	taskcreate(senduntilfreed, f, 0);
	taskcreate(senduntilfreed, f, 0);
	taskyield();
	chanfree(e);
	chanfree(f);
	ck_assert_ptr_null(d->arecv.head);
	ck_assert_str_eq(trace, "");
	taskyield();
	ck_assert_str_eq(trace, "rarss");
}

TASK_TEST(chaninit_makes_a_channel_in_storage_of_the_programs)
{
	struct { Channel c; char after[8]; } mine;
	unsigned long u;

	memset(&mine, 0xee, sizeof mine);
	for(int i = 0; i < 3; i++){
		ck_assert_int_eq(chaninit(&mine.c, sizeof u, 2), 0);
		chansendul(&mine.c, 1);
		chansendul(&mine.c, 2);
		ck_assert_uint_eq(chanrecvul(&mine.c), 1);
		ck_assert_uint_eq(chanrecvul(&mine.c), 2);
		chanfree(&mine.c);
	}
	ck_assert_int_eq(mine.after[0], (char)0xee);
}

TASK_TEST_BY(a_channel_may_be_made_before_the_scheduler_runs,
	c = chancreate(sizeof(unsigned long), 1);
	ck_assert_ptr_nonnull(c);
	run(body);
	chanfree(c))
{
	forms();
}

/* Bad arguments. */

TASK_TEST(arguments_that_cannot_work_fail_with_EINVAL)
{
	Channel mine;
	Alt noend[] = {{.c = NULL, .op = CHANRCV}, {.op = CHANEND}};
	Alt badop[] = {{.c = NULL, .op = 77}, {.op = CHANEND}};

	chanfree(NULL);
	errno = 0;
	ck_assert_ptr_null(chancreate(0, 1));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_null(chancreate(-1, 1));
	ck_assert_ptr_null(chancreate(1, -1));
	ck_assert_int_eq(chaninit(NULL, 1, 1), -1);
	ck_assert_int_eq(chaninit(&mine, 0, 1), -1);
	ck_assert_int_eq(chaninit(&mine, 1, -1), -1);
	ck_assert_int_eq(errno, EINVAL);

	errno = 0;
	ck_assert_int_eq(chansend(NULL, NULL), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(chanrecv(NULL, NULL), -1);
	ck_assert_int_eq(channbsend(NULL, NULL), -1);
	ck_assert_int_eq(channbrecv(NULL, NULL), -1);
	ck_assert_int_eq(chansendp(NULL, NULL), -1);
	ck_assert_int_eq(chansendul(NULL, 1), -1);
	ck_assert_int_eq(channbsendp(NULL, NULL), -1);
	ck_assert_int_eq(channbsendul(NULL, 1), -1);
	ck_assert_ptr_null(chanrecvp(NULL));
	ck_assert_ptr_null(channbrecvp(NULL));
	ck_assert_uint_eq(chanrecvul(NULL), 0);
	ck_assert_uint_eq(channbrecvul(NULL), 0);
	ck_assert_int_eq(errno, EINVAL);

	errno = 0;
	ck_assert_int_eq(chanalt(NULL), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(chanalt(noend), -1);
	ck_assert_int_eq(chanalt(badop), -1);
	ck_assert_int_eq(errno, EINVAL);
}

START_TEST(a_buffer_that_is_too_large_fails_with_ENOMEM)
{
	errno = 0;
	ck_assert_ptr_null(chancreate(INT_MAX, INT_MAX));
	ck_assert_int_eq(errno, ENOMEM);
}
END_TEST

TASK_TEST_BY(calls_that_succeed_leave_errno_alone, runwith(2, body))
{
	Alt a[] = {{.c = c, .op = CHANRCV}, {.op = CHANNOBLK}};

	errno = E2BIG;
	chansendul(c, 1);
	channbsendul(c, 1);
	chanrecvul(c);
	channbrecvul(c);
	chansendul(c, 1);
	chanalt(a);
	chanfree(chancreate(1, 1));
	int err = errno;
	ck_assert_int_eq(err, E2BIG);
}

/* The sieve: a task for each prime, which lets pass what it does not divide. */

static void
sift(void *v)
{
	Channel *in = v, *out = chancreate(sizeof(unsigned long), 0);
	unsigned long prime = chanrecvul(in);

	chansendul(d, prime);
	taskcreate(sift, out, 0);
	for(;;){
		unsigned long u = chanrecvul(in);
		if(u % prime != 0)
			chansendul(out, u);
	}
}

static void
count(void *v)
{
	(void)v;
	for(unsigned long u = 2; ; u++)
		chansendul(c, u);
}

TASK_TEST_BY(S3_26_a_sieve_of_channels_finds_the_hundredth_prime,
	char err[4096];

	ck_assert_int_eq(childtask(body, err, sizeof err), 0);
	ck_assert_str_eq(err, "541"))
{
	unsigned long u = 0;

	c = chancreate(sizeof u, 0);
	d = chancreate(sizeof u, 0);
	taskcreate(count, NULL, 0);
	taskcreate(sift, c, 0);
	for(int i = 0; i < 100; i++)
		u = chanrecvul(d);
	fprintf(stderr, "%lu", u);
	taskexitall(0);
}

/*
 * The model: senders number what they send; whatever operations they and the
 * receivers use, and whatever the buffers hold, each element arrives once, and
 * a receiver that gets two elements of one sender by one channel gets them in
 * order.
 */
enum { Most = 4, Each = 300 };

typedef struct Model
{
	Random dice;
	Channel *c[2];
	int nchan, nsend, nrecv;
	int sending, receiving;	/* tasks */
	int total, over;
	unsigned char count[Most][Each];
} Model;

typedef struct Element
{
	int sender;
	int number;
	char more[9];	/* not a round size */
} Element;

static Model m;

static void
dawdle(void)
{
	if(randombelow(&m.dice, 4) == 0)
		taskyield();
}

static void
modelsend(void *v)
{
	Element e = {.sender = (int)(intptr_t)v};

	for(e.number = 0; e.number < Each; e.number++){
		Channel *one = m.c[randombelow(&m.dice, (unsigned)m.nchan)];
		Alt a[] = {
			{.c = m.c[0], .v = &e, .op = CHANSND},
			{.c = m.c[m.nchan - 1], .v = &e, .op = CHANSND},
			{.op = randombelow(&m.dice, 2) ? CHANEND : CHANNOBLK},
		};

		dawdle();
		switch(randombelow(&m.dice, 3)){
		case 0:
			chansend(one, &e);
			break;
		case 1:
			while(channbsend(one, &e) < 0)
				taskyield();
			break;
		case 2:
			while(chanalt(a) < 0)
				taskyield();
			break;
		}
	}
	m.sending--;
}

/* receives by way of any operation; which channel it was, or -1. */
static int
modelget(Element *e)
{
	Alt a[] = {
		{.c = m.c[0], .v = e, .op = CHANRCV},
		{.op = CHANNOP},
		{.c = m.c[m.nchan - 1], .v = e, .op = CHANRCV},
		{.op = randombelow(&m.dice, 2) ? CHANEND : CHANNOBLK},
	};
	int one = (int)randombelow(&m.dice, (unsigned)m.nchan);

	switch(randombelow(&m.dice, 3)){
	case 0:
		/* to wait for one of two might be to wait for ever */
		if(m.nchan == 1)
			return chanrecv(m.c[0], e) < 0 ? -1 : 0;
		/* fall through */
	case 1:
		return channbrecv(m.c[one], e) < 0 ? -1 : one;
	default:
		one = chanalt(a);
		return one == 2 ? m.nchan - 1 : one;
	}
}

static void
modelrecv(void *v)
{
	int last[2][Most];

	(void)v;
	memset(last, -1, sizeof last);
	while(!m.over){
		Element e = {.sender = -1};
		int by = modelget(&e);

		if(by < 0){
			taskyield();
			continue;
		}
		if(e.sender < 0 || e.sender >= m.nsend ||
				last[by][e.sender] >= e.number)
			ck_abort_msg("element %d of sender %d after %d, "
				"seed %lu", e.number, e.sender,
				last[by][e.sender], m.dice.seed);
		last[by][e.sender] = e.number;
		m.count[e.sender][e.number]++;
		m.total++;
		dawdle();
	}
	m.receiving--;
}

static void
model(void *v)
{
	(void)v;
	for(int i = 0; i < m.nchan; i++)
		m.c[i] = chancreate(sizeof(Element),
			(int)randombelow(&m.dice, 9));
	for(int i = 0; i < m.nsend; i++, m.sending++)
		taskcreate(modelsend, (void *)(intptr_t)i, 0);
	for(int i = 0; i < m.nrecv; i++, m.receiving++)
		taskcreate(modelrecv, NULL, 0);
	while(m.total < m.nsend * Each || m.sending > 0)
		taskyield();
	m.over = 1;
	for(int i = 0; i < m.nchan; i++)
		chanfree(m.c[i]);
	while(m.receiving > 0)
		taskyield();
}

START_TEST(whatever_the_operations_each_element_arrives_once_and_in_order)
{
	Random r = randomstart();

	for(int round = 0; round < 60; round++){
		memset(&m, 0, sizeof m);
		m.dice = r;
		m.nchan = 1 + (int)randombelow(&m.dice, 2);
		m.nsend = 1 + (int)randombelow(&m.dice, Most);
		m.nrecv = 1 + (int)randombelow(&m.dice, Most);
		run(model);
		for(int i = 0; i < m.nsend; i++)
			for(int k = 0; k < Each; k++)
				if(m.count[i][k] != 1)
					ck_abort_msg("element %d of %d came "
						"%d times, seed %lu", k, i,
						m.count[i][k], r.seed);
		r = m.dice;
	}
}
END_TEST

TEST_MAIN("chan",
	elements_arrive_in_the_order_sent,
	without_a_buffer_the_sender_waits_for_the_receiver,
	a_buffer_takes_n_elements_before_a_sender_waits,
	a_send_serves_the_first_receiver_and_does_not_switch,
	senders_that_wait_are_served_in_the_order_of_arrival,
	receivers_are_served_in_the_order_of_arrival_whoever_they_are,
	elements_have_any_size,
	v_NULL_sends_zeros_and_drops_what_is_received,
	the_forms_for_pointers_and_unsigned_longs_carry_them,
	words_come_whole_to_those_who_wait_for_them,
	a_wait_for_a_word_that_fails_returns_0_and_errno,
	a_value_that_does_not_fill_an_element_is_not_sent,
	S3_26_an_alt_that_ends_with_CHANNOBLK_is_a_select_with_default,
	chanalt_skips_CHANNOP_and_returns_the_index,
	all_entries_are_off_their_queues_before_the_task_is_woken,
	an_alt_both_ways_on_one_channel_never_serves_itself,
	chanalt_chooses_fairly_among_those_that_can_go,
	chanfree_wakes_all_that_wait_with_EPIPE,
	chaninit_makes_a_channel_in_storage_of_the_programs,
	a_channel_may_be_made_before_the_scheduler_runs,
	arguments_that_cannot_work_fail_with_EINVAL,
	a_buffer_that_is_too_large_fails_with_ENOMEM,
	calls_that_succeed_leave_errno_alone,
	S3_26_a_sieve_of_channels_finds_the_hundredth_prime,
	whatever_the_operations_each_element_arrives_once_and_in_order)
