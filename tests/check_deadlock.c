/* SPDX-License-Identifier: MIT */
/* What happens when no task can ever go on, as users see it. */
#include "test.h"
#include <sys/time.h>

static Channel *c, *d;
static QLock ql;
static RWLock rw;
static Rendez r;
static char err[16384];

/* The program that starts with fn ends with status 1, and says so. */
static void
stalls(void (*fn)(void *), const char *report)
{
	int status = childtask(fn, err, sizeof err);

	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 1,
		"status %#x: %s", (unsigned)status, err);
	if(report)
		ck_assert_str_eq(err, report);
}

static void
says(const char *text)
{
	ck_assert_msg(strstr(err, text) != NULL, "no \"%s\" in: %s", text, err);
}

static void
makechannels(void)
{
	c = chancreate(sizeof(unsigned long), 0);
	d = chancreate(sizeof(unsigned long), 0);
	c->name = "requests";
	d->name = "answers";
}

static void
recvrequest(void *v)
{
	(void)v;
	taskname("server");
	chanrecvul(c);
}

static void
recvfornothing(void *v)
{
	makechannels();
	taskcreate(recvrequest, NULL, 0);
	taskname("client");
	chanrecvul(d);
	(void)v;
}

START_TEST(the_report_has_a_line_for_each_task_and_the_status_is_1)
{
	stalls(recvfornothing,
		"no runnable tasks! 2 tasks stalled\n"
		"     1  client               chanrecv c \"answers\"\n"
		"     2  server               chanrecv c \"requests\"\n");
}
END_TEST

TASK_TEST_BY(the_report_comes_also_after_a_taskdelay,
	stalls(body,
		"no runnable tasks! 1 tasks stalled\n"
		"     1  the_report_comes_also_after_a_taskdelay_task() "
		"chanrecv c \"requests\"\n"))
{
	taskdelay(1);
	makechannels();
	chanrecvul(c);
}

TASK_TEST_BY(a_channel_without_a_name_has_its_address,
	char line[32], want[64];

	stalls(body, NULL);
	ck_assert_int_eq(sscanf(err, "%31s", line), 1);
	snprintf(want, sizeof want, " chansend c %s\n", line);
	says(want))
{
	c = chancreate(1, 0);
	fprintf(stderr, "%p\n", (void *)c);
	chansend(c, NULL);
}

static void
altfornothing(void *v)
{
	(void)v;
	makechannels();
	Alt a[] = {
		{.c = c, .op = CHANRCV},
		{.op = CHANNOP},
		{.c = d, .op = CHANSND},
		{.op = CHANEND},
	};
	chanalt(a);
}

static void
altwithnothing(void *v)
{
	Alt a[] = {{.op = CHANEND}};

	(void)v;
	chanalt(a);
}

START_TEST(an_alt_lists_all_that_it_waits_for)
{
	stalls(altfornothing, NULL);
	says(" chanalt recv c \"requests\", send c \"answers\"\n");
	stalls(altwithnothing, NULL);
	says(" chanalt");
}
END_TEST

static void
lockq(void *v)
{
	(void)v;
	qlock(&ql);
}

static void
stallwriting(void *v)
{
	(void)v;
	taskname("writer");
	qlock(&ql);
	wlock(&rw);
	chanrecvul(c);
}

static void
reader(void *v)
{
	(void)v;
	rlock(&rw);
}

static void
writer(void *v)
{
	(void)v;
	wlock(&rw);
}

TASK_TEST_BY(a_lock_says_who_holds_it,
	stalls(body, NULL);
	says("no runnable tasks! 6 tasks stalled\n");
	says(" qlock held by task 4 (writer)\n");
	says(" rlock held by task 4 (writer)\n");
	says(" wlock held by task 4 (writer)\n"))
{
	makechannels();
	taskcreate(recvrequest, NULL, 0);
	taskcreate(recvrequest, NULL, 0);
	taskcreate(stallwriting, NULL, 0);
	taskcreate(lockq, NULL, 0);
	taskcreate(reader, NULL, 0);
	taskcreate(writer, NULL, 0);
}

static void
lockofthedead(void *v)
{
	(void)v;
	taskcreate(lockq, NULL, 0);
	taskyield();
	taskcreate(lockq, NULL, 0);	/* on the same stack */
}

START_TEST(an_owner_that_has_ended_is_told_to_have_ended)
{
	stalls(lockofthedead,
		"no runnable tasks! 1 tasks stalled\n"
		"     3  lockq()              qlock held by task 2, "
		"which has ended\n");
}
END_TEST

static void
lockforreading(void *v)
{
	rlock(&rw);
	if(v)
		rlock(&rw);
	taskcreate(writer, NULL, 0);
	taskyield();
	rlock(&rw);	/* behind the writer */
}

static void
lockoften(void *v)
{
	(void)v;
	lockforreading(&rw);
}

START_TEST(a_lock_held_for_reading_says_by_how_many)
{
	stalls(lockforreading,
		"no runnable tasks! 2 tasks stalled\n"
		"     1  lockforreading()     rlock held by 1 reader\n"
		"     2  writer()             wlock held by 1 reader\n");
	stalls(lockoften, NULL);
	says(" wlock held by 2 readers\n");
}
END_TEST

TASK_TEST_BY(a_rendez_has_its_address_after_the_tasks_state,
	char line[32], want[64];

	stalls(body, NULL);
	ck_assert_int_eq(sscanf(err, "%31s", line), 1);
	snprintf(want, sizeof want, " waiting  tasksleep r %s\n", line);
	says(want))
{
	fprintf(stderr, "%p\n", (void *)&r);
	taskstate("waiting");
	tasksleep(&r);
}

static void
serve(void *v)
{
	(void)v;
	tasksystem();
	chanrecvul(c);
}

TASK_TEST_BY(system_tasks_are_listed_but_not_counted,
	stalls(body,
		"no runnable tasks! 1 tasks stalled\n"
		"     1  system_tasks_are_listed_but_not_counted_task() "
		"chanrecv c \"answers\"\n"
		"     2s serve()              chanrecv c \"requests\"\n"))
{
	makechannels();
	taskcreate(serve, NULL, 0);
	taskyield();
	chanrecvul(d);
}

static void
lastwords(void)
{
	fputs("last words\n", stderr);
}

TASK_TEST_BY(atexit_handlers_run_after_the_report,
	stalls(body, NULL);
	says("which has ended\nlast words\n"))
{
	atexit(lastwords);
	lockofthedead(v);
}

/* Not a deadlock: something outside may still happen. */
static int fds[2];

static void
putbyte(int sig)
{
	ssize_t ignored = write(fds[1], "x", 1);

	(void)sig, (void)ignored;
}

TASK_TEST_BY(a_task_that_waits_for_a_descriptor_is_hope,
	makechannels();
	ck_assert_int_eq(pipe(fds), 0);
	fdnoblock(fds[0]);
	run(body);
	chanfree(c);
	chanfree(d))
{
	char b;

	taskcreate(recvrequest, NULL, 0);
	signal(SIGALRM, putbyte);
	setitimer(ITIMER_REAL, &(struct itimerval){.it_value.tv_usec = 20000},
		NULL);
	ck_assert_int_eq(fdread(fds[0], &b, 1), 1);
	chansendul(c, 1);
}

static void
sleepthensend(void *v)
{
	(void)v;
	taskdelay(5);
	chansendul(c, 1);
}

static void
waitforsleeper(void *v)
{
	makechannels();
	taskcreate(sleepthensend, NULL, 0);
	ck_assert_uint_eq(chanrecvul(c), 1);
	chanfree(c);
	chanfree(d);
	(void)v;
}

TASK_TEST(a_task_that_sleeps_is_hope)
{
	waitforsleeper(v);
}

/* tasksetdeadlock */

static char told[1024];
static int ntold;

static void
tell(const char *report)
{
	snprintf(told, sizeof told, "%s", report);
	ntold++;
}

START_TEST(a_program_can_take_the_report_over_and_taskrun_fails_with_EDEADLK)
{
	tasksetdeadlock(tell);
	for(int i = 1; i <= 3; i++){
		errno = 0;
		ck_assert_int_eq(taskrun(recvfornothing, NULL), -1);
		ck_assert_int_eq(errno, EDEADLK);
		ck_assert_int_eq(ntold, i);
		ck_assert_str_eq(unplaced(told),
			"no runnable tasks! 2 tasks stalled\n"
			"     1  client               chanrecv c \"answers\"\n"
			"     2  server               "
			"chanrecv c \"requests\"\n");
		chanfree(c);
		chanfree(d);
	}
	run(waitforsleeper);
	ck_assert_int_eq(ntold, 3);
}
END_TEST

/* Each time it helps one task. */
static void
help(const char *report)
{
	tell(report);
	switch(ntold){
	case 1:
		ck_assert_int_eq(channbsendul(c, 17), 1);
		break;
	case 2:
		ck_assert_int_eq(taskwakeup(&r), 1);
		break;
	case 3:
		ck_assert_int_gt(taskcreate(sleepthensend, NULL, 0), 1);
		break;
	}
}

TASK_TEST_BY(a_program_goes_on_if_a_task_was_made_ready,
	tasksetdeadlock(help);
	run(body);
	ck_assert_int_eq(ntold, 3))
{
	makechannels();
	ck_assert_uint_eq(chanrecvul(c), 17);
	ck_assert_int_eq(tasksleep(&r), 0);
	ck_assert_uint_eq(chanrecvul(c), 1);
	chanfree(c);
	chanfree(d);
}

TASK_TEST_BY(NULL_restores_the_report,
	stalls(body, NULL);
	says("which has ended\n"))
{
	tasksetdeadlock(tell);
	tasksetdeadlock(NULL);
	lockofthedead(v);
}

static void
block(const char *report)
{
	(void)report;
	taskdelay(1);
}

static void
stallandblock(void *v)
{
	tasksetdeadlock(block);
	lockofthedead(v);
}

static void
end(const char *report)
{
	(void)report;
	taskexit(0);
}

static void
stallandend(void *v)
{
	tasksetdeadlock(end);
	lockofthedead(v);
}

START_TEST(blocking_or_ending_in_the_takeover_aborts_with_a_line_that_says_so)
{
	abortstask(stallandblock, "must not block\n");
	abortstask(stallandend, "taskexit was called outside a task\n");
}
END_TEST

TEST_MAIN("deadlock",
	the_report_has_a_line_for_each_task_and_the_status_is_1,
	the_report_comes_also_after_a_taskdelay,
	a_channel_without_a_name_has_its_address,
	an_alt_lists_all_that_it_waits_for,
	a_lock_says_who_holds_it,
	an_owner_that_has_ended_is_told_to_have_ended,
	a_lock_held_for_reading_says_by_how_many,
	a_rendez_has_its_address_after_the_tasks_state,
	system_tasks_are_listed_but_not_counted,
	atexit_handlers_run_after_the_report,
	a_task_that_waits_for_a_descriptor_is_hope,
	a_task_that_sleeps_is_hope,
	a_program_can_take_the_report_over_and_taskrun_fails_with_EDEADLK,
	a_program_goes_on_if_a_task_was_made_ready,
	NULL_restores_the_report,
	blocking_or_ending_in_the_takeover_aborts_with_a_line_that_says_so)
