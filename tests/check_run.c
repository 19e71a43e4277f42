/* SPDX-License-Identifier: MIT */
/* Schedulers, as users see them: ids, the end, in turn and side by side. */
#include "test.h"
#include <pthread.h>

static unsigned int seen[8];

static void
tellid(void *v)
{
	*(unsigned int *)v = taskid();
}

static void
askids(void *v)
{
	(void)v;
	seen[1] = taskid();
	for(int i = 2; i < 8; i++)
		ck_assert_int_eq(taskcreate(tellid, &seen[i], 0), i);
}

START_TEST(ids_count_up_from_1)
{
	run(askids);
	for(unsigned int i = 1; i < 8; i++)
		ck_assert_uint_eq(seen[i], i);
}
END_TEST

/* The end. */

static void
exitwith(void *v)
{
	taskexit((int)(intptr_t)v);
}

static void
exitinturn(void *v)
{
	(void)v;
	taskcreate(exitwith, (void *)3, 0);
	taskcreate(exitwith, (void *)4, 0);
	taskexit(5);
}

START_TEST(the_status_is_that_of_the_last_taskexit)
{
	ck_assert_int_eq(taskrun(exitinturn, NULL), 4);
}
END_TEST

static void
tell(void *v)
{
	fputs(v, stderr);
	taskdelay(1);
	fputs(".", stderr);
}

static void
tellandend(void *v)
{
	tell(v);
	taskexit(3);
}

static void
tellforever(void *v)
{
	taskdefer(tell, "other");
	for(;;)
		taskdelay(1000 + !v);
}

static void
tellatexit(void)
{
	fputs("atexit", stderr);
}

static void
exitamongothers(void *v)
{
	static Group group;

	atexit(tellatexit);
	groupspawn(&group, tellforever, v, 0);
	taskcreate(tellforever, v, 0);
	taskyield();
	taskdefer(tell, "a");
	taskdefer(tell, "b");
	taskexitall(9);
}

static void
exitwithend(void *v)
{
	(void)v;
	taskdefer(tell, "a");
	taskdefer(tellandend, "b");
	taskdefer(tell, "c");
	taskexitall(8);
}

static void
exitallagain(void *v)
{
	(void)v;
	tell("b");
	taskexitall(7);
}

static void
exitalltwice(void *v)
{
	(void)v;
	taskdefer(tell, "a");
	taskdefer(exitallagain, NULL);
	taskexitall(9);
}

START_TEST(P51_taskexitall_calls_what_its_task_has_deferred)
{
	char err[256];
	int status = childtask(exitamongothers, err, sizeof err);

	ck_assert_int_eq(WEXITSTATUS(status), 9);
	ck_assert_str_eq(err, "b.a.atexit");
	status = childtask(exitwithend, err, sizeof err);
	ck_assert_int_eq(WEXITSTATUS(status), 8);
	ck_assert_str_eq(err, "c.b.a.");
	status = childtask(exitalltwice, err, sizeof err);
	ck_assert_int_eq(WEXITSTATUS(status), 7);
	ck_assert_str_eq(err, "b.a.");
}
END_TEST

TASK_TEST(returning_is_taskexit_0)
{
	taskcreate(nothing, NULL, 0);
	taskexit(5);
}

static void
sleepthenexit(void *v)
{
	(void)v;
	taskdelay(20);
	taskexit(6);
}

TASK_TEST_BY(the_program_lasts_as_long_as_a_task_sleeps,
	int64_t start = nowns();

	ck_assert_int_eq(taskrun(body, NULL), 6);
	ck_assert_int_ge(nowns() - start, 20 * 1000000))
{
	taskcreate(sleepthenexit, NULL, 0);
	taskexit(1);
}

static int turns;

static void
serve(void *v)
{
	(void)v;
	tasksystem();
	tasksystem();
	for(;;){
		turns++;
		taskyield();
	}
}

static void
leaveservers(void *v)
{
	(void)v;
	taskcreate(serve, NULL, 0);
	taskcreate(serve, NULL, 0);
	taskyield();
	taskyield();
	turns = 0;
	taskexit(7);
}

START_TEST(the_program_ends_at_once_although_system_tasks_are_ready)
{
	ck_assert_int_eq(taskrun(leaveservers, NULL), 7);
	ck_assert_int_eq(turns, 0);
}
END_TEST

TASK_TEST_BY(tasksystem_counts_a_task_once,
	ck_assert_int_eq(taskrun(body, NULL), 8);
	ck_assert_str_eq(trace, "..."))
{
	taskcreate(serve, NULL, 0);
	taskyield();
	for(int i = 0; i < 3; i++){
		taskyield();
		note('.');
	}
	taskexit(8);
}

TASK_TEST_BY(a_program_of_system_tasks_only_ends,
	ck_assert_int_eq(taskrun(body, NULL), 0);
	ck_assert_str_eq(trace, "."))
{
	tasksystem();
	for(;;){
		note('.');
		taskyield();
	}
}

static void
lastwords(void)
{
	fputs("last words", stderr);
}

static void
exitall(void *v)
{
	(void)v;
	atexit(lastwords);
	taskexitall(11);
}

TASK_TEST_BY(taskexitall_is_exit_and_runs_atexit_handlers,
	char err[4096];
	int status = childtask(body, err, sizeof err);

	ck_assert(WIFEXITED(status));
	ck_assert_msg(WEXITSTATUS(status) == 11, "status %d: %s",
		WEXITSTATUS(status), err);
	ck_assert_str_eq(err, "last words"))
{
	taskcreate(serve, NULL, 0);
	taskcreate(sleepthenexit, NULL, 0);
	taskcreate(exitall, NULL, 0);
	serve(v);
}

/* Schedulers. */

static QLock ql;
static RWLock rw;
static Rendez rz;

TASK_TEST(taskrun_in_a_task_fails_with_EBUSY)
{
	ck_assert_int_eq(taskrun(nothing, NULL), -1);
	ck_assert_int_eq(errno, EBUSY);
	ck_assert_uint_eq(taskid(), 1);
}

START_TEST(taskrun_without_a_function_fails_with_EINVAL)
{
	ck_assert_int_eq(taskrun(NULL, NULL), -1);
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(taskrun_leaves_errno_alone)
{
	errno = E2BIG;
	int status = taskrun(exitinturn, NULL);
	int err = errno;
	ck_assert_int_eq(status, 4);
	ck_assert_int_eq(err, E2BIG);
}
END_TEST

START_TEST(a_thread_may_run_one_scheduler_after_another)
{
	for(int i = 0; i < 100; i++){
		memset(seen, 0, sizeof seen);
		run(askids);
		ck_assert_uint_eq(seen[7], 7);
		ck_assert_int_eq(taskrun(leaveservers, NULL), 7);
	}
}
END_TEST

START_TEST(outside_a_scheduler_every_call_fails_with_EPERM)
{
	Channel *c = chancreate(1, 1);
	Alt a[] = {{.c = c, .op = CHANRCV}, {.op = CHANNOBLK}};
	int status, port;
	char ch = 0;

#define REFUSED(call) \
	do{ \
		errno = 0; \
		status = (int)(call); \
		ck_assert_msg(status == -1 && errno == EPERM, \
			"%s returned %d, errno %d", #call, status, errno); \
	}while(0)
	REFUSED(taskyield());
	REFUSED(chansend(c, &ch));
	REFUSED(chanrecv(c, &ch));
	REFUSED(channbsend(c, &ch));
	REFUSED(channbrecv(c, &ch));
	REFUSED(chanalt(a));
	REFUSED(qlock(&ql));
	REFUSED(rlock(&rw));
	REFUSED(wlock(&rw));
	REFUSED(tasksleep(&rz));
	REFUSED(taskwakeup(&rz));
	REFUSED(taskwakeupall(&rz));
	REFUSED(fdwait(0, 'r'));
	REFUSED(fdread(0, &ch, 1));
	REFUSED(fdread1(0, &ch, 1));
	REFUSED(fdreadn(0, &ch, 1));
	REFUSED(fdwrite(1, &ch, 1));
	REFUSED(fdclose(99));
	REFUSED(netaccept(0, NULL, &port));
#undef REFUSED
	ck_assert_int_eq(canqlock(&ql) + canrlock(&rw) + canwlock(&rw), 0);
	ck_assert_int_eq(anyready(), 0);
	ck_assert_uint_eq(taskid(), 0);
	errno = 0;
	ck_assert_uint_eq(taskdelay(1), 0);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_ptr_null(taskdata());
	ck_assert_ptr_null(taskgetname());
	ck_assert_ptr_null(taskgetstate());
	taskname("x");
	taskstate("x");
	tasksystem();
	needstack(1);
	qunlock(&ql);
	runlock(&rw);
	wunlock(&rw);
	chanfree(c);
}
END_TEST

/*
 * Two threads, each with a scheduler: tasks come, go, sleep, lock and talk
 * there.  Each counts for itself; the first thread looks at the sums after both
 * have ended.
 */
enum { Talkers = 20, Words = 500 };

typedef struct Side
{
	Channel *c;
	QLock lock;
	RWLock rw;
	unsigned long sum;
	int ended;
	int status;
	int other;	/* what the other side's channel said */
	struct Side *peer;
} Side;

static void
talk(void *v)
{
	Side *s = v;

	for(unsigned long i = 1; i <= Words; i++){
		chansendul(s->c, i);
		if(i % 50 == 0)
			taskdelay(1);
		if(i % 7 == 0)
			taskcreate(nothing, NULL, 0);
	}
	qlock(&s->lock);
	taskyield();
	s->ended++;
	qunlock(&s->lock);
}

static void
oneside(void *v)
{
	Side *s = v;

	s->c = chancreate(sizeof(unsigned long), 3);
	for(int i = 0; i < Talkers; i++)
		taskcreate(talk, s, 0);
	for(int i = 0; i < Talkers * Words; i++){
		s->sum += chanrecvul(s->c);
		rlock(&s->rw);
		if(i % 100 == 0)
			taskyield();
		runlock(&s->rw);
	}
	while(s->ended < Talkers)
		taskdelay(1);
	chanfree(s->c);
}

static void *
sidethread(void *v)
{
	Side *s = v;

	for(int i = 0; i < 3; i++){
		s->ended = 0;
		s->status |= taskrun(oneside, s);
	}
	return NULL;
}

START_TEST(two_threads_run_a_scheduler_each_side_by_side)
{
	static Side side[2];
	pthread_t thread[2];

	for(int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&thread[i], NULL, sidethread,
			&side[i]), 0);
	for(int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	for(int i = 0; i < 2; i++){
		ck_assert_int_eq(side[i].status, 0);
		ck_assert_uint_eq(side[i].sum,
			3ul * Talkers * Words * (Words + 1) / 2);
	}
}
END_TEST

static void
usetheirs(void *v)
{
	Side *s = v;
	Alt a[] = {{.c = s->c, .op = CHANRCV}, {.op = CHANNOBLK}};
	unsigned long u = 1;

	s->other += chansend(s->c, &u) == -1 && errno == EPERM;
	s->other += chanrecv(s->c, &u) == -1 && errno == EPERM;
	s->other += channbsend(s->c, &u) == -1 && errno == EPERM;
	s->other += channbrecv(s->c, &u) == -1 && errno == EPERM;
	s->other += chansendul(s->c, u) == -1 && errno == EPERM;
	s->other += chanalt(a) == -1 && errno == EPERM;
}

static void *
theirthread(void *v)
{
	taskrun(usetheirs, v);
	usetheirs(v);	/* and without a scheduler */
	return NULL;
}

TASK_TEST_BY(a_channel_of_another_thread_fails_with_EPERM,
	Side s = {0};

	ck_assert_int_eq(taskrun(body, &s), 0);
	ck_assert_int_eq(s.other, 12))
{
	Side *s = v;
	pthread_t thread;

	s->c = chancreate(sizeof(unsigned long), 1);
	ck_assert_int_eq(pthread_create(&thread, NULL, theirthread, s), 0);
	pthread_join(thread, NULL);
	ck_assert_int_eq(channbrecv(s->c, NULL), -1);
	ck_assert_int_eq(errno, EAGAIN);
	chanfree(s->c);
}

TEST_MAIN("run",
	ids_count_up_from_1,
	the_status_is_that_of_the_last_taskexit,
	P51_taskexitall_calls_what_its_task_has_deferred,
	returning_is_taskexit_0,
	the_program_lasts_as_long_as_a_task_sleeps,
	the_program_ends_at_once_although_system_tasks_are_ready,
	tasksystem_counts_a_task_once,
	a_program_of_system_tasks_only_ends,
	taskexitall_is_exit_and_runs_atexit_handlers,
	taskrun_in_a_task_fails_with_EBUSY,
	taskrun_without_a_function_fails_with_EINVAL,
	taskrun_leaves_errno_alone,
	a_thread_may_run_one_scheduler_after_another,
	outside_a_scheduler_every_call_fails_with_EPERM,
	two_threads_run_a_scheduler_each_side_by_side,
	a_channel_of_another_thread_fails_with_EPERM)
