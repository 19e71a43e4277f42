/* SPDX-License-Identifier: MIT */
/* The order of turns in task.7: descriptors, sleepers, what they make. */
#include "../machine/machine.h"
#include "fdtest.h"

/*
 * Two tasks poll with taskdelay(0), and leave p and q behind each time.  A
 * client asks (k before, K after) and waits for the answer.  A reader (r) makes
 * a child for each question, which answers (c before, C after).  The clock goes
 * by ns, or the fdtask would have a turn before its time on a slow machine.
 */
enum { Rounds = 20 };

static int ends[2], nrounds;
static int64_t clock_ns;

static int64_t
bycalls(void)
{
	return clock_ns += 1;
}

static void
poller(void *name)
{
	tasksystem();
	for(;;){
		taskdelay(0);
		notes(name);
	}
}

static void
answer(void *v)
{
	(void)v;
	note('c');
	ck_assert_int_eq(fdwrite(ends[1], "a", 1), 1);
	note('C');
}

/* An answer that takes its time, and lets others run meanwhile. */
static void
slowly(void *v)
{
	for(int i = 0; i < 300; i++){
		clock_ns += Millisecond / 10;
		taskyield();
	}
	answer(v);
}

static void
reader(void *v)
{
	void (**how)(void *) = v;
	char c;

	tasksystem();
	while(fdread(ends[1], &c, 1) == 1){
		note('r');
		taskcreate(*how, NULL, 0);
	}
}

static void
client(void *v)
{
	char c;

	(void)v;
	for(nrounds = 0; nrounds < Rounds; nrounds++){
		note('k');
		ck_assert_int_eq(fdwrite(ends[0], "q", 1), 1);
		note('K');
		ck_assert_int_eq(fdread(ends[0], &c, 1), 1);
	}
}

static void
turns(void (*how)(void *))
{
	static void (*answers)(void *);

	answers = how;
	pair(ends);
	taskcreate(poller, "p", 0);
	taskcreate(poller, "q", 0);
	taskcreate(reader, &answers, 0);
	client(NULL);
}

/* From the second question on, the trace is this again and again. */
static void
repeats(const char *round)
{
	const char *s = strchr(trace + 1, 'k');
	size_t n = strlen(round);

	ck_assert_ptr_nonnull(s);
	for(int i = 1; i < Rounds; i++, s += n)
		ck_assert_msg(strncmp(s, round, n) == 0, "%s", trace);
}

/* As libtask's, whose clock was coarser: who delayed for 0 last came first. */
TASK_TEST_BY(pollers_have_one_turn_between_a_question_and_its_answer,
	task_sys.now = bycalls;
	run(body))
{
	turns(answer);
	if(strcmp(taskpoller(), "uring") == 0)	/* its writes take a turn too */
		repeats("kpqKrpqcC");
	else
		repeats("kKpqrpqcC");
}

/* Not as libtask's: there nobody's time came before all others had stopped. */
TASK_TEST_BY(pollers_have_a_turn_each_millisecond_beside_a_child_that_yields,
	task_sys.now = bycalls;
	run(body))
{
	turns(slowly);
	char *s = strchr(trace, 'r'), *end = strchr(trace, 'c');
	int np = 0;

	ck_assert_ptr_nonnull(end);
	for(; s < end; s++)
		np += *s == 'p';
	ck_assert_msg(np >= 10, "%s", trace);
	ck_assert_int_le(np, 31);
}

TEST_MAIN("turns",
	pollers_have_one_turn_between_a_question_and_its_answer,
	pollers_have_a_turn_each_millisecond_beside_a_child_that_yields)
