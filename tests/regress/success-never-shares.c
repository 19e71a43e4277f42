/* SPDX-License-Identifier: MIT */
/* A task whose calls need never wait lets the others run all the same. */
/*
 * Cause: only calls on descriptors counted those that did not wait, and yielded
 * after 64 in a row.  A loop around chanrecv, qlock, semacquire, eventwait or
 * chanalt that always finds what it wants kept all others from running.
 * Cure: calls that take something count too, and share the thread after 256.
 * Calls that release or send, and those that never wait, do not.
 */
#include "../test.h"

static Channel *c, *closed, *shared;
static QLock q;
static RWLock rw;
static RecLock rec, held;
static Sem sem;
static Event event;

static void
make(void)
{
	c = chancreate(sizeof(unsigned long), 4);
	closed = chancreate(sizeof(unsigned long), 0);
	chanclose(closed);
	shared = chanshared(sizeof(unsigned long), 4);
	seminit(&sem, 1, 1);
	eventset(&event);
	reclock(&held);
}

static void
bychanrecv(void)
{
	unsigned long u = 1;

	ck_assert_int_eq(chansend(c, &u), 1);
	ck_assert_int_eq(chanrecv(c, &u), 1);
}

static void
pass(Channel *x)
{
	ck_assert_int_eq(chansendul(x, 7), 1);
	ck_assert_uint_eq(chanrecvul(x), 7);
}

static void
passn(Channel *x)
{
	unsigned long u[] = {1, 2};

	ck_assert_int_eq(chansendn(x, u, 2), 2);
	ck_assert_int_eq(chanrecvn(x, u, 2), 2);
}

static void
passalt(Channel *x)
{
	Alt a[] = {{.c = x, .op = CHANRCV}, {.op = CHANEND}};

	ck_assert_int_eq(chansendul(x, 7), 1);
	ck_assert_int_eq(chanalt(a), 0);
}

static void
bychanrecvul(void)
{
	pass(c);
}

static void
bychanrecvp(void)
{
	ck_assert_int_eq(chansendp(c, c), 1);
	ck_assert_ptr_eq(chanrecvp(c), c);
}

static void
bychanrecvn(void)
{
	passn(c);
}

static void
byshared(void)
{
	pass(shared);
}

static void
bysharedn(void)
{
	passn(shared);
}

static void
bysharedalt(void)
{
	passalt(shared);
}

static void
byclosed(void)
{
	ck_assert_int_eq(chanrecv(closed, NULL), 0);
}

static void
byalt(void)
{
	passalt(c);
}

static void
byaltevent(void)
{
	Alt a[] = {{.op = ALTEVENT, .e = &event}, {.op = CHANEND}};

	ck_assert_int_eq(chanalt(a), 0);
}

static void
byqlock(void)
{
	ck_assert_int_eq(qlock(&q), 0);
	qunlock(&q);
}

static void
byrlock(void)
{
	ck_assert_int_eq(rlock(&rw), 0);
	runlock(&rw);
}

static void
bywlock(void)
{
	ck_assert_int_eq(wlock(&rw), 0);
	wunlock(&rw);
}

static void
byreclock(void)
{
	ck_assert_int_eq(reclock(&rec), 0);
	recunlock(&rec);
}

static void
byheld(void)
{
	ck_assert_int_eq(reclock(&held), 0);
	recunlock(&held);
}

static void
bysem(void)
{
	ck_assert_int_eq(semacquire(&sem), 0);
	ck_assert_int_eq(semrelease(&sem), 0);
}

static void
byevent(void)
{
	ck_assert_int_eq(eventwait(&event), 0);
}

static void (*const takes[])(void) = {bychanrecv, bychanrecvul, bychanrecvp,
	bychanrecvn, byshared, bysharedn, bysharedalt, byclosed, byalt,
	byaltevent, byqlock, byrlock, bywlock, byreclock, byheld, bysem, byevent};

enum { Takes = sizeof takes / sizeof takes[0] };

static int ticks;

static void
tick(void *v)
{
	(void)v;
	for(int i = 0; i < 3; i++){
		taskdelay(1);
		ticks++;
	}
}

TASK_TEST(a_ticker_ticks_beside_calls_that_need_not_wait)
{
	make();
	for(int i = 0; i < Takes; i++){
		int64_t start = cpuns();
		ticks = 0;
		taskcreate(tick, NULL, 0);
		errno = E2BIG;
		while(ticks < 3){
			for(int n = 0; n < 1000; n++)
				takes[i]();
			ck_assert_msg(cpuns() - start < 5000000000, "%d", i);
		}
		ck_assert_int_eq(errno, E2BIG);
	}
}

static int nran;

static void
ran(void *v)
{
	(void)v;
	nran++;
}

/* In a row, from a task that has just waited: as often as is promised. */
TASK_TEST(others_run_after_so_many_calls)
{
	make();
	for(int i = 0; i < Takes; i++){
		int n;
		taskdelay(0);
		nran = 0;
		taskcreate(ran, NULL, 0);
		for(n = 0; nran == 0; n++)
			takes[i]();
		ck_assert_int_eq(n, 256);
	}
}

static void
onealt(unsigned int op)
{
	unsigned long u = 0;
	Alt a[] = {{.c = c, .v = &u, .op = op}, {.op = CHANNOBLK}};

	ck_assert_int_eq(chanalt(a), 0);
}

/* Old programs make these in signal handlers, and rely on going on. */
TASK_TEST(calls_that_release_or_send_or_never_wait_do_not_share)
{
	unsigned long u = 0;
	Sem other = {0};

	make();
	taskcreate(ran, NULL, 0);
	for(int i = 0; i < 10000; i++){
		ck_assert_int_eq(chansend(c, &u), 1);
		ck_assert_int_eq(channbrecv(c, &u), 1);
		ck_assert_int_eq(channbsendul(c, 1), 1);
		ck_assert_uint_eq(channbrecvul(c), 1);
		onealt(CHANSND);
		onealt(CHANRCV);
		ck_assert_int_eq(canqlock(&q), 1);
		qunlock(&q);
		ck_assert_int_eq(canreclock(&rec), 1);
		recunlock(&rec);
		ck_assert_int_eq(semrelease(&other), 0);
		ck_assert_int_eq(cansemacquire(&other), 1);
		ck_assert_int_eq(eventset(&event), 0);
		ck_assert_int_eq(eventclear(&event), 0);
	}
	ck_assert_int_eq(nran, 0);
}

/* What was free when the call began may be taken while it shares. */

static void
takelock(void *v)
{
	(void)v;
	note('o');
	ck_assert_int_eq(qlock(&q), 0);
	taskyield();
	note('u');
	qunlock(&q);
}

static void
takeunit(void *v)
{
	(void)v;
	note('o');
	ck_assert_int_eq(semacquire(&sem), 0);
	taskyield();
	note('u');
	semrelease(&sem);
}

static void
untilshared(void (*take)(void), void (*other)(void *))
{
	taskdelay(0);
	taskcreate(other, NULL, 0);
	for(int i = 0; i < 255; i++)
		take();
	ck_assert_str_eq(trace, "");
	take();
	ck_assert_str_eq(trace, "ou");
	*trace = '\0';
}

TASK_TEST(what_is_taken_while_a_call_shares_is_waited_for)
{
	make();
	untilshared(byqlock, takelock);
	untilshared(bysem, takeunit);
}

static void
freeall(void *v)
{
	(void)v;
	chanfree(c);
	chanfree(closed);
	c = closed = NULL;
	eventclear(&event);
}

/* An element that was got is kept, whatever becomes of the channel. */
TASK_TEST(a_channel_may_be_freed_while_its_receiver_shares)
{
	unsigned long u = 0;

	make();
	taskdelay(0);
	for(int i = 0; i < 255; i++)
		byevent();
	taskcreate(freeall, NULL, 0);
	ck_assert_int_eq(chansendul(c, 7), 1);
	ck_assert_int_eq(chanrecv(c, &u), 1);
	ck_assert_uint_eq(u, 7);
	ck_assert_ptr_null(c);
	ck_assert_int_eq(event.set, 0);
}

/* Functions that the library calls must not stop: there nothing is shared. */

static void
takeall(void *v)
{
	(void)v;
	for(int i = 0; i < 300; i++)
		byevent();
}

TASK_TEST(hooks_do_not_share)
{
	make();
	ck_assert_int_eq(tasksetswitch(takeall, takeall, NULL), 0);
	taskcreate(ran, NULL, 0);
	taskyield();
	ck_assert_int_eq(nran, 1);
	ck_assert_int_eq(tasksetswitch(NULL, NULL, NULL), 0);
}

static void
deadlocked(const char *report)
{
	(void)report;
	takeall(NULL);
	chanclose(c);
}

TASK_TEST(what_is_called_at_a_deadlock_does_not_share)
{
	make();
	tasksetdeadlock(deadlocked);
	ck_assert_int_eq(chanrecv(c, NULL), 0);
	tasksetdeadlock(NULL);
}

TEST_MAIN("success-never-shares",
	a_ticker_ticks_beside_calls_that_need_not_wait,
	others_run_after_so_many_calls,
	calls_that_release_or_send_or_never_wait_do_not_share,
	what_is_taken_while_a_call_shares_is_waited_for,
	a_channel_may_be_freed_while_its_receiver_shares,
	hooks_do_not_share,
	what_is_called_at_a_deadlock_does_not_share)
