/* SPDX-License-Identifier: MIT */
/* An alt over descriptors that stops waiting, or for which memory runs out. */
#include "fault.h"
#include "../fd/fd.h"
#include "../taskimpl.h"
#include "test.h"
#include <fcntl.h>

static Channel *c;
static int fds[2];
static Task *waiting;
static int result, errof;

static void
make(void)
{
	c = chancreate(1, 0);
	ck_assert_int_eq(pipe(fds), 0);
	fdnoblock(fds[0]);
}

static void
unmake(void)
{
	chanfree(c);
	fdclose(fds[0]);
	fdclose(fds[1]);
}

static void
alter(void *v)
{
	Alt a[] = {
		{.op = ALTREAD, .fd = fds[0]},
		{.c = c, .op = CHANRCV},
		{.op = ALTREAD, .fd = fds[0]},
		{.op = ALTDELAY, .ms = 20000},
		{.op = CHANEND},
	};

	(void)v;
	waiting = task_proc->running;
	result = chanalt(a);
	errof = errno;
	waiting = NULL;
}

/* Nobody waits any longer, and there never were others for that. */
static void
nobodywaits(void)
{
	for(int i = 0; i < 5; i++)
		taskyield();
	ck_assert_ptr_null(c->arecv.head);
	ck_assert_int_eq(task_proc->fds->nwaiting, 0);
	ck_assert_int_eq(task_proc->ntask, 1);
	ck_assert_int_eq(task_proc->nsystem, 0);
	ck_assert_uint_eq(task_proc->sleeping.n, 0);
}

/* rounds: how far others have come when it happens. */
TASK_TEST(an_alt_that_stops_waiting_leaves_nobody_at_its_descriptors)
{
	make();
	for(int rounds = 1; rounds < 5; rounds++){
		result = -2;
		taskcreate(alter, NULL, 0);
		for(int i = 0; i < rounds; i++)
			taskyield();
		ck_assert_int_eq(result, -2);
		task_giveup(waiting, ECANCELED);
		taskyield();
		ck_assert_int_eq(result, -1);
		ck_assert_int_eq(errof, ECANCELED);
		nobodywaits();

		taskcreate(alter, NULL, 0);
		for(int i = 0; i < rounds; i++)
			taskyield();
		ck_assert_int_eq(channbsend(c, NULL), 1);
		taskyield();
		ck_assert_int_eq(result, 1);
		nobodywaits();
	}
	unmake();
}

TASK_TEST_BY(of_two_entries_for_one_descriptor_one_is_done,
	result = -2;
	run(body))
{
	make();
	taskcreate(alter, NULL, 0);
	for(int i = 0; i < 5; i++)
		taskyield();
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	while(task_proc->fds->nwaiting > 0 && result != 0 && waiting)
		taskdelay(0);
	taskdelay(0);
	ck_assert(result == 0 || result == 2);
	nobodywaits();
	unmake();
}

/*
 * To wait needs no memory.  To know a descriptor or a task may need some, the
 * first time: here of a descriptor in a block of its own.
 */
static int awaited, nfailed, far;
static long call;

static void
alterboth(void *v)
{
	Alt a[] = {
		{.c = c, .op = CHANRCV},
		{.op = ALTREAD, .fd = fds[0]},
		{.op = ALTTASK, .id = awaited},
		{.op = ALTREAD, .fd = far},
		{.op = CHANEND},
	};

	(void)v;
	result = chanalt(a);
	errof = errno;
}

static void
other(void *v)
{
	chanrecv(v, NULL);
}

TASK_TEST_BY(an_alt_that_fails_leaves_nobody_either,
	faultstart();
	for(call = 1; call == 1 || fault.nfailed > 0; call++){
		run(body);
		ck_assert_int_eq(fault.nlive, 0);
	}
	ck_assert_int_ge(nfailed, 4))
{
	Channel *idle = chancreate(1, 0);

	make();
	far = fcntl(fds[0], F_DUPFD, 3 * BlockFds);
	awaited = taskcreate(other, idle, 0);
	result = -2;
	taskcreate(alterboth, NULL, 0);
	faultarm(call, 1, 0);
	taskyield();
	fault.first = 0;
	if(result == -1){
		ck_assert_int_eq(errof, strcmp(fault.failed, "getfl") == 0 ?
			EBADF : ENOMEM);
		nfailed++;
	}else
		channbsend(c, NULL);
	chanclose(idle);
	nobodywaits();
	chanfree(idle);
	close(far);
	unmake();
}

TEST_MAIN("alt, inside",
	an_alt_that_stops_waiting_leaves_nobody_at_its_descriptors,
	of_two_entries_for_one_descriptor_one_is_done,
	an_alt_that_fails_leaves_nobody_either)
