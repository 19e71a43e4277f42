/* SPDX-License-Identifier: MIT */
/* One alt over channels, descriptors and delays. */
#include "test.h"
#include <fcntl.h>

static Channel *c, *d;
static int fds[2];	/* a pipe: read from the first */

static void
make(void)
{
	c = chancreate(sizeof(unsigned long), 0);
	d = chancreate(sizeof(unsigned long), 1);
	ck_assert_int_eq(pipe(fds), 0);
	fdnoblock(fds[0]);
	fdnoblock(fds[1]);
}

static void
unmake(void)
{
	chanfree(c);
	chanfree(d);
	fdclose(fds[0]);
	fdclose(fds[1]);
}

enum { Recv, Readable, Writable, Later, End, Entries };

static void
fill(Alt *a)
{
	static unsigned long u;

	memset(a, 0, Entries * sizeof *a);
	a[Recv] = (Alt){.c = c, .v = &u, .op = CHANRCV, .err = 77};
	a[Readable] = (Alt){.op = ALTREAD, .fd = fds[0], .err = 77};
	a[Writable] = (Alt){.op = CHANNOP};
	a[Later] = (Alt){.op = ALTDELAY, .ms = 20000, .err = 77};
	a[End] = (Alt){.op = CHANEND};
}

/* What is ready already. */

TASK_TEST(S3_26_what_is_ready_is_chosen_at_once)
{
	Alt a[Entries];
	char b[1 << 16] = {0};

	make();
	fill(a);
	a[End].op = CHANNOBLK;
	errno = 0;
	ck_assert_int_eq(chanalt(a), -1);
	ck_assert_int_eq(errno, EAGAIN);
	a[Writable] = (Alt){.op = ALTWRITE, .fd = fds[1], .err = 77};
	errno = E2BIG;
	ck_assert_int_eq(chanalt(a), Writable);
	ck_assert_int_eq(a[Writable].err, 0);
	while(write(fds[1], b, sizeof b) > 0)
		;
	ck_assert_int_eq(errno, EAGAIN);
	errno = E2BIG;
	ck_assert_int_eq(chanalt(a), Readable);
	ck_assert_int_eq(a[Readable].err, 0);
	ck_assert_int_eq(errno, E2BIG);
	unmake();
}

/* Files are always ready, and what is not open is so with EBADF. */
TASK_TEST(a_file_is_ready_and_what_is_not_open_is_EBADF)
{
	Alt a[Entries];

	make();
	fill(a);
	int fd = a[Readable].fd = open("/dev/null", O_RDONLY);
	ck_assert_int_eq(chanalt(a), Readable);
	ck_assert_int_eq(a[Readable].err, 0);
	fdclose(fd);
	int bad[] = {fd, -1, INT32_MIN, 1 << 30};
	for(int i = 0; i < 4; i++){
		a[Readable].fd = bad[i];
		a[Readable].err = 0;
		ck_assert_int_eq(chanalt(a), Readable);
		ck_assert_int_eq(a[Readable].err, EBADF);
	}
	unmake();
}

/* All that can go are chosen: a channel does not keep a descriptor waiting. */
TASK_TEST(an_alt_chooses_fairly_among_channels_and_descriptors)
{
	int chosen[Entries] = {0};
	Alt a[Entries];

	make();
	fill(a);
	a[Recv].c = d;
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	a[Writable] = (Alt){.op = ALTWRITE, .fd = fds[1]};
	for(int i = 0; i < 3000; i++){
		channbsendul(d, 1);
		chosen[chanalt(a)]++;
	}
	for(int i = 0; i < 3; i++)
		ck_assert_int_gt(chosen[i], 800);
	unmake();
}

/* What becomes ready while the alt waits. */

static int which, errof, alterid;
static Alt entries[Entries];

static void
alter(void *v)
{
	(void)v;
	which = -2;
	fill(entries);
	errno = E2BIG;
	which = chanalt(entries);
	ck_assert(which < 0 || errno == E2BIG);
	errof = which < 0 ? errno : entries[which].err;
}

static void
startalter(void)
{
	alterid = taskcreate(alter, NULL, 0);
	settle();
	ck_assert_int_eq(which, -2);
}

TASK_TEST(S3_26_a_waiting_alt_takes_whichever_comes_first)
{
	char b;

	make();
	for(int i = 0; i < 3; i++){
		startalter();
		ck_assert_int_eq(fdwrite(fds[1], "x", 1), 1);
		while(which == -2)
			taskdelay(0);
		ck_assert_int_eq(which, Readable);
		ck_assert_int_eq(errof, 0);
		ck_assert_ptr_null(c->arecv.head);
		ck_assert_int_eq(fdread(fds[0], &b, 1), 1);

		startalter();
		ck_assert_int_eq(channbsendul(c, 1), 1);
		settle();
		ck_assert_int_eq(which, Recv);
		ck_assert_int_eq(errof, 0);
		/* nobody is left at the descriptor: this is for us */
		ck_assert_int_eq(fdwrite(fds[1], "x", 1), 1);
		ck_assert_int_eq(fdread1(fds[0], &b, 1), 1);
	}
	unmake();
}

static void
hangup(void)
{
	fdclose(fds[1]);
}

static void
closefile(void)
{
	fdclose(fds[0]);
}

static void
closechannel(void)
{
	ck_assert_int_eq(chanclose(c), 0);
}

static void
freechannel(void)
{
	chanfree(c);
	c = NULL;
}

static const struct
{
	void (*act)(void);
	int which;
	int err;
} endings[] = {
	{hangup, Readable, 0},
	{closefile, Readable, EBADF},
	{closechannel, Recv, EPIPE},
	{freechannel, -1, EPIPE},
};

TASK_TEST_BY(closing_what_an_alt_waits_for_ends_it,
	for(int i = 0; i < 4; i++)
		ck_assert_int_eq(taskrun(body, &i), 0))
{
	int i = *(int *)v;

	make();
	startalter();
	endings[i].act();
	while(which == -2)
		taskdelay(0);
	ck_assert_int_eq(which, endings[i].which);
	ck_assert_int_eq(errof, endings[i].err);
	unmake();
}

/* Each event of a descriptor is for one, be that in fdwait or an alt. */

static void
waitplain(void *name)
{
	ck_assert_int_eq(fdwait(fds[0], 'r'), 0);
	note(*(char *)name);
}

static void
waitalt(void *name)
{
	Alt a[] = {{.c = c, .op = CHANRCV}, {.op = ALTREAD, .fd = fds[0]},
		{.op = CHANEND}};

	ck_assert_int_eq(chanalt(a), 1);
	ck_assert_int_eq(a[1].err, 0);
	note(*(char *)name);
}

TASK_TEST(waiters_and_alts_are_served_in_the_order_of_arrival)
{
	make();
	taskcreate(waitplain, "a", 0);
	taskcreate(waitalt, "b", 0);
	taskcreate(waitplain, "c", 0);
	taskcreate(waitalt, "d", 0);
	taskcreate(waitalt, "e", 0);
	settle();
	ck_assert_str_eq(trace, "");
	/* none of them reads: so the next turn serves the next */
	ck_assert_int_eq(fdwrite(fds[1], "x", 1), 1);
	settle();
	ck_assert_str_eq(trace, "abcde");
	unmake();
}

TASK_TEST(a_deadline_and_a_cancel_take_an_alt_off_its_descriptors)
{
	Alt a[] = {{.op = ALTREAD, .fd = fds[0]}, {.op = CHANEND}};
	Timeout t;

	make();
	a[0].fd = fds[0];
	startalter();
	taskcreate(waitplain, "a", 0);
	settle();
	TIMEOUT(&t, 1)
		FAILS(chanalt(a), ETIMEDOUT);
	ck_assert_int_eq(timeoutfired(&t), 1);
	ck_assert_int_eq(which, -2);
	ck_assert_int_eq(taskcancel(alterid), 0);
	settle();
	ck_assert_int_eq(which, -1);
	ck_assert_int_eq(errof, ECANCELED);
	ck_assert_int_eq(fdwrite(fds[1], "x", 1), 1);
	settle();
	ck_assert_str_eq(trace, "a");
	unmake();
}

/* Delays. */

TASK_TEST(S3_26_an_alt_waits_no_longer_than_its_shortest_delay)
{
	Alt a[Entries];

	make();
	fill(a);
	a[Writable] = (Alt){.op = ALTDELAY, .ms = 10};
	errno = E2BIG;
	int64_t start = nowns();
	ck_assert_int_eq(chanalt(a), Writable);
	ck_assert_int_ge(nowns() - start, 10 * 1000000);
	ck_assert_int_eq(errno, E2BIG);
	ck_assert_ptr_null(c->arecv.head);

	/* the first of equal ones, and 0 looks around once */
	a[Writable].ms = a[Later].ms = 0;
	ck_assert_int_eq(chanalt(a), Writable);
	ck_assert_int_eq(a[Writable].err, 0);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	ck_assert_int_eq(chanalt(a), Readable);

	Alt only[] = {{.op = ALTDELAY, .ms = 1}, {.op = CHANEND}};
	ck_assert_int_eq(chanalt(only), 0);
	only[1].op = CHANNOBLK;
	ck_assert_int_eq(chanalt(only), -1);
	ck_assert_int_eq(errno, EAGAIN);
	unmake();
}

/* Tasks. */

static void *
giveback(void *v)
{
	taskdelay(1);
	return v;
}

static void *
sleeplong(void *v)
{
	taskdelay(1000 * 1000);
	return v;
}

static void
cancelsoon(void *v)
{
	taskdelay(1);
	taskcancel(*(int *)v);
}

TASK_TEST(S3_26_an_alt_waits_for_the_end_of_a_task)
{
	Alt a[Entries];
	void *got = NULL;
	int me = (int)taskid();

	make();
	fill(a);
	int id = taskspawn(giveback, "x", 0);
	a[Writable] = (Alt){.op = ALTTASK, .id = id, .err = 77};
	errno = E2BIG;
	ck_assert_int_eq(chanalt(a), Writable);	/* it waits, */
	ck_assert_int_eq(a[Writable].err, 0);
	a[Writable].err = 77;
	ck_assert_int_eq(chanalt(a), Writable);	/* and now it need not */
	ck_assert_int_eq(a[Writable].err, 0);
	ck_assert_int_eq(errno, E2BIG);
	ck_assert_int_eq(taskwait(id, &got), 0);	/* it is there */
	ck_assert_str_eq(got, "x");
	ck_assert_int_eq(chanalt(a), Writable);
	ck_assert_int_eq(a[Writable].err, ESRCH);
	a[Writable].id = me;
	ck_assert_int_eq(chanalt(a), Writable);
	ck_assert_int_eq(a[Writable].err, EDEADLK);
	a[Writable].id = -5;
	ck_assert_int_eq(chanalt(a), Writable);
	ck_assert_int_eq(a[Writable].err, ESRCH);

	/* how it ended is the affair of taskwait */
	id = taskspawn(sleeplong, "z", 0);
	a[Writable] = (Alt){.op = ALTTASK, .id = id, .err = 77};
	taskcreate(cancelsoon, &id, 0);
	ck_assert_int_eq(chanalt(a), Writable);
	ck_assert_int_eq(a[Writable].err, 0);
	ck_assert_int_eq(taskwait(id, NULL), -1);
	ck_assert_int_eq(errno, ECANCELED);

	/* it is not waited for any more: the delay was over before */
	id = taskspawn(giveback, "y", 0);
	a[Writable] = (Alt){.op = ALTTASK, .id = id};
	a[Later].ms = 0;
	ck_assert_int_eq(chanalt(a), Later);
	ck_assert_int_eq(taskwait(id, &got), 0);
	ck_assert_str_eq(got, "y");
	unmake();
}

/* Events. */

static Event event;

static void
alterevent(void *name)
{
	Alt a[] = {{.c = c, .op = CHANRCV}, {.op = ALTEVENT, .e = &event},
		{.op = CHANEND}};

	a[1].err = 77;
	errno = E2BIG;
	ck_assert_int_eq(chanalt(a), 1);
	ck_assert_int_eq(a[1].err, 0);
	ck_assert_int_eq(errno, E2BIG);
	note(*(char *)name);
}

static void
waitevent(void *name)
{
	ck_assert_int_eq(eventwait(&event), 0);
	note(*(char *)name);
}

TASK_TEST(ALTEVENT_an_alt_waits_until_an_event_is_set)
{
	make();
	event = (Event){0};
	taskcreate(alterevent, "a", 0);
	taskcreate(waitevent, "b", 0);
	taskcreate(alterevent, "c", 0);
	settle();
	ck_assert_str_eq(trace, "");
	ck_assert_int_eq(eventset(&event), 3);
	ck_assert_int_eq(eventclear(&event), 0);
	settle();
	ck_assert_str_eq(trace, "abc");
	ck_assert_ptr_null(c->arecv.head);

	ck_assert_int_eq(eventset(&event), 0);
	alterevent("d");	/* it need not wait, and leaves it set */
	ck_assert_int_eq(event.set, 1);
	unmake();
}

TASK_TEST(ALTEVENT_an_alt_that_stops_waiting_leaves_the_event)
{
	Alt a[] = {{.op = ALTEVENT, .e = &event}, {.c = d, .op = CHANRCV},
		{.op = ALTEVENT, .e = &event}, {.op = CHANEND}};
	Timeout t;

	make();
	event = (Event){0};
	a[1].c = d;
	a[3].op = CHANNOBLK;
	FAILS(chanalt(a), EAGAIN);
	a[3].op = CHANEND;
	TIMEOUT(&t, 1)
		FAILS(chanalt(a), ETIMEDOUT);
	ck_assert_ptr_null(event.waiting.head);
	taskcreate(waitevent, "a", 0);
	taskyield();
	ck_assert_int_eq(eventset(&event), 1);
	a[0].e = NULL;
	FAILS(chanalt(a), EINVAL);
	unmake();
}

/* Set once, it wakes an alt once, whichever entry is for it. */
static void
setevent(void *v)
{
	(void)v;
	ck_assert_int_eq(eventset(&event), 1);
}

TASK_TEST(ALTEVENT_two_entries_for_one_event_are_one_wait)
{
	Alt a[] = {{.op = ALTEVENT, .e = &event}, {.op = ALTEVENT, .e = &event},
		{.op = CHANEND}};

	event = (Event){0};
	taskcreate(setevent, NULL, 0);
	ck_assert_int_eq(chanalt(a), 0);
}

/* Nobody else waits for an alt. */

static void
exitwith3(void *v)
{
	(void)v;
	taskexit(3);
}

TASK_TEST_BY(an_alt_does_not_change_the_exit_status,
	ck_assert_int_eq(taskrun(body, NULL), 3))
{
	Alt a[Entries];

	make();
	taskcreate(exitwith3, NULL, 0);
	fill(a);
	a[Later].ms = 1;
	ck_assert_int_eq(chanalt(a), Later);
	settle();
	tasksystem();	/* nobody is left: the last status counts */
	taskdelay(1);
}

TASK_TEST_BY(an_alt_of_what_only_tasks_do_is_still_a_deadlock,
	char err[4096], event_is[64];

	ck_assert_int_eq(WEXITSTATUS(childtask(body, err, sizeof err)), 1);
	ck_assert_ptr_nonnull(strstr(err, "no runnable tasks! 1 tasks"));
	snprintf(event_is, sizeof event_is, ", event %p\n", (void *)&event);
	ck_assert_ptr_nonnull(strstr(err, event_is)))
{
	Alt a[Entries];

	make();
	fill(a);
	a[Writable] = (Alt){.op = ALTEVENT, .e = &event};
	a[Later].op = CHANNOP;
	a[Readable].op = CHANNOP;
	chanalt(a);
}

TASK_TEST_BY(the_list_tells_what_an_alt_waits_for,
	char err[4096];

	ck_assert_int_eq(childtask(body, err, sizeof err), 0);
	ck_assert_msg(strstr(err, " r, 20000 ms\n") != NULL, "%s", err);
	ck_assert_ptr_null(strstr(err, "s chanalt ")))
{
	make();
	startalter();
	raise(SIGQUIT);
	taskdelay(1);
	taskexitall(0);
}

TASK_TEST(an_unknown_op_is_EINVAL)
{
	Alt a[Entries];

	make();
	fill(a);
	a[Writable] = (Alt){.op = ALTDELAY + 7};
	errno = 0;
	ck_assert_int_eq(chanalt(a), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_null(c->arecv.head);
	unmake();
}

/*
 * The model: alts over two pipes, two channels and a delay, while others write
 * and send at random; every byte and element arrives once.
 */
enum { Alters = 4, Each = 300 };

static Random dice;
static int pipes[2][2], nread, nrecv, over;

static void
modelalt(void *v)
{
	(void)v;
	while(!over){
		unsigned long u = 0;
		char b;
		Alt a[] = {
			{.op = ALTREAD, .fd = pipes[0][0]},
			{.c = c, .v = &u, .op = CHANRCV},
			{.op = ALTREAD, .fd = pipes[1][0]},
			{.c = d, .v = &u, .op = CHANRCV},
			{.op = ALTDELAY, .ms = randombelow(&dice, 3)},
			{.op = CHANEND},
		};
		int i = chanalt(a);

		ck_assert_int_ge(i, 0);
		ck_assert_int_eq(a[i].err, 0);
		ck_assert_uint_eq(u, i == 1 || i == 3);
		nrecv += u == 1;
		if(i == 0 || i == 2)
			nread += read(a[i].fd, &b, 1) == 1;
		if(randombelow(&dice, 4) == 0)
			taskyield();
	}
}

static void
modelwrite(void *v)
{
	int i = *(int *)v;

	for(int n = 0; n < Each; n++){
		if(randombelow(&dice, 2))
			chansendul(i ? c : d, 1);
		else
			nrecv++;
		ck_assert_int_eq(fdwrite(pipes[i][1], "x", 1), 1);
		if(randombelow(&dice, 8) == 0)
			taskdelay(0);
	}
}

TASK_TEST_BY(whatever_an_alt_waits_for_arrives_once,
	dice = randomstart();
	run(body))
{
	static int zero, one = 1;

	make();
	for(int i = 0; i < 2; i++){
		ck_assert_int_eq(pipe(pipes[i]), 0);
		fdnoblock(pipes[i][0]);
		fdnoblock(pipes[i][1]);
	}
	for(int i = 0; i < Alters; i++)
		taskcreate(modelalt, NULL, 0);
	taskcreate(modelwrite, &zero, 0);
	taskcreate(modelwrite, &one, 0);
	while(nread < 2 * Each || nrecv < 2 * Each)
		taskdelay(1);
	ck_assert_int_eq(nread, 2 * Each);
	ck_assert_int_eq(nrecv, 2 * Each);
	over = 1;
}

TEST_MAIN("alt",
	S3_26_what_is_ready_is_chosen_at_once,
	a_file_is_ready_and_what_is_not_open_is_EBADF,
	an_alt_chooses_fairly_among_channels_and_descriptors,
	S3_26_a_waiting_alt_takes_whichever_comes_first,
	closing_what_an_alt_waits_for_ends_it,
	waiters_and_alts_are_served_in_the_order_of_arrival,
	a_deadline_and_a_cancel_take_an_alt_off_its_descriptors,
	S3_26_an_alt_waits_no_longer_than_its_shortest_delay,
	S3_26_an_alt_waits_for_the_end_of_a_task,
	ALTEVENT_an_alt_waits_until_an_event_is_set,
	ALTEVENT_an_alt_that_stops_waiting_leaves_the_event,
	ALTEVENT_two_entries_for_one_event_are_one_wait,
	an_alt_does_not_change_the_exit_status,
	an_alt_of_what_only_tasks_do_is_still_a_deadlock,
	the_list_tells_what_an_alt_waits_for,
	an_unknown_op_is_EINVAL,
	whatever_an_alt_waits_for_arrives_once)
