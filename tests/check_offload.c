/* SPDX-License-Identifier: MIT */
/* Functions that another thread runs meanwhile, as their users see them. */
#include "fdtest.h"
#include "gate.h"
#include "proctest.h"
#include "watched.h"
#include <pthread.h>

TASK_TEST(a_function_brings_its_result_and_its_errno)
{
	int n = 41;

	errno = ENOTTY;
	ck_assert_int_eq(offload(plusone, &n), 42);
	ck_assert_int_eq(errno, ENOTTY);
	FAILS(offload(failing, NULL), EXDEV);
	FAILS(offload(NULL, NULL), EINVAL);
	FAILS(offloadmax(0), EINVAL);
}

static int
sleepthere(void *v)
{
	sleepms(*(int *)v);
	return 0;
}

TASK_TEST(P3_other_tasks_go_on_meanwhile)
{
	int ms = 100;

	taskcreate(beat, NULL, 0);
	ck_assert_int_eq(offload(sleepthere, &ms), 0);
	ck_assert_int_gt(nbeats, 10);
}

/* What a function finds where it runs. */
typedef struct Found
{
	pthread_t thread;
	unsigned int id;
	int yield, err;
	int inner;
	sigset_t set;
} Found;

static int
findout(void *v)
{
	Found *f = v;

	f->thread = pthread_self();
	f->id = taskid();
	f->yield = taskyield();
	f->err = errno;
	f->inner = offload(plusone, &f->inner);
	pthread_sigmask(SIG_SETMASK, NULL, &f->set);
	return 0;
}

TASK_TEST(there_is_no_scheduler_and_no_signal_where_it_runs)
{
	Found f = {.inner = 0};
	sigset_t set;

	ck_assert_int_eq(offload(findout, &f), 0);
	ck_assert(!pthread_equal(f.thread, pthread_self()));
	ck_assert_uint_eq(f.id, 0);
	ck_assert_int_eq(f.yield, -1);
	ck_assert_int_eq(f.err, EPERM);
	ck_assert_int_eq(f.inner, -1);
	ck_assert_int_eq(sigismember(&f.set, SIGTERM), 1);
	ck_assert_int_eq(sigismember(&f.set, SIGPROF), 1);
	ck_assert_int_eq(sigismember(&f.set, SIGSEGV), 0);
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	ck_assert_int_eq(sigismember(&set, SIGTERM), 0);
}

START_TEST(without_a_scheduler_nothing_is_run)
{
	int n = 0;

	FAILS(offload(plusone, &n), EPERM);
	ck_assert_int_eq(offloadmax(3), 0);
}
END_TEST

START_TEST(there_is_no_thread_and_no_descriptor_before_the_first)
{
	int before = countthreads(), fds = openfds();

	run(nothing);
	ck_assert_int_eq(countthreads(), before);
	ck_assert_int_eq(openfds(), fds);
}
END_TEST

/* One function is at the gate, and no more may be: others are queued. */
static void
full(void)
{
	offloadmax(1);
	taskcreate(passgate, NULL, 0);
	begun(1);
}

typedef struct Try
{
	int result, err;
} Try;

static void
try(void *v)
{
	Try *t = v;

	t->result = offload(atgate, NULL);
	t->err = errno;
}

TASK_TEST(what_is_queued_is_taken_back_by_a_deadline_or_a_cancel)
{
	Try t = {0}, u = {0};
	Timeout scope;

	full();
	int64_t start = nowns();
	timeoutstart(&scope, 20);
	FAILS(offload(atgate, NULL), ETIMEDOUT);
	ck_assert_int_eq(timeoutfired(&scope), 1);
	timeoutstop(&scope);
	int id = taskcreate(try, &t, 0);
	int other = taskcreate(try, &u, 0);
	taskdelay(5);
	taskcancel(id);
	taskinterrupt(other);
	settle();
	ck_assert_int_eq(t.result, -1);
	ck_assert_int_eq(t.err, ECANCELED);
	ck_assert_int_eq(u.result, -1);
	ck_assert_int_eq(u.err, EINTR);
	ck_assert_int_lt(nowns() - start, 5000000000);
	ended(1);
	ck_assert_int_eq(nbegun, 1);
}

static void
cancelled(void *v)
{
	Try *t = v;

	taskcancel((int)taskid());
	try(t);
}

TASK_TEST(a_cancelled_task_begins_nothing)
{
	Try t = {0};

	taskcreate(cancelled, &t, 0);
	settle();
	ck_assert_int_eq(t.result, -1);
	ck_assert_int_eq(t.err, ECANCELED);
	ck_assert_int_eq(nbegun, 0);
}

static int
sleepandfail(void *v)
{
	sleepms(*(int *)v);
	return failing(v);
}

TASK_TEST(what_runs_is_waited_for_and_its_result_counts)
{
	int ms = 600;
	Timeout scope;

	offload(plusone, &ms);	/* there is a thread now */
	timeoutstart(&scope, 500);
	errno = ENOTTY;
	ck_assert_int_eq(offload(sleepthere, &ms), 0);
	ck_assert_int_eq(errno, ENOTTY);
	ck_assert_int_eq(timeoutfired(&scope), 0);
	FAILS(offload(sleepandfail, &ms), ETIMEDOUT);	/* not begun */
	ck_assert_int_eq(timeoutfired(&scope), 1);
	timeoutstop(&scope);
	timeoutstart(&scope, 500);
	FAILS(offload(sleepandfail, &ms), EXDEV);
	ck_assert_int_eq(timeoutfired(&scope), 1);
	timeoutstop(&scope);
}

TASK_TEST(no_more_run_at_a_time_than_may)
{
	offloadmax(3);
	for(int i = 0; i < 20; i++)
		taskcreate(passgate, NULL, 0);
	begun(3);
	taskdelay(10);
	ck_assert_int_eq(nbegun, 3);
	offloadmax(5);
	begun(5);
	taskdelay(10);
	ck_assert_int_eq(nbegun, 5);
	offloadmax(1);
	ended(20);
	ck_assert_int_eq(nbegun, 20);
	ck_assert_int_eq(nmost, 5);
}

static atomic_int sum;

static int
addto(void *v)
{
	atomic_fetch_add(&sum, (int)(intptr_t)v);
	return (int)(intptr_t)v;
}

static void
addone(void *v)
{
	ck_assert_int_eq(offload(addto, v), (int)(intptr_t)v);
	nended++;
}

TASK_TEST(a_thousand_at_once_are_all_run)
{
	for(int i = 1; i <= 1000; i++)
		taskcreate(addone, (void *)(intptr_t)i, 0);
	while(nended < 1000)
		taskdelay(1);
	ck_assert_int_eq(sum, 500500);
}

/* Ends with the program: then it is at the gate, or queued. */
static void
systematgate(void *v)
{
	tasksystem();
	passgate(v);
}

static void *
opengate(void *v)
{
	sleepms(1000);
	gate = 1;
	return v;
}

static void
leaverunning(void *v)
{
	pthread_t *t = v;

	offloadmax(1);
	taskcreate(systematgate, NULL, 0);
	begun(1);
	taskcreate(systematgate, NULL, 0);
	taskcreate(systematgate, NULL, 0);
	settle();
	pthread_create(t, NULL, opengate, NULL);
}

START_TEST(taskrun_waits_for_what_runs_and_not_for_what_is_queued)
{
	pthread_t t;

	ck_assert_int_eq(taskrun(leaverunning, &t), 0);
	ck_assert_int_eq(gate, 1);
	ck_assert_int_eq(nbegun, 1);
	ck_assert_int_eq(nnow, 0);
	ck_assert_int_eq(nended, 0);
	pthread_join(t, NULL);
}
END_TEST

/* Procs */

static void
offloads(void *v)
{
	for(int i = 0; i < 100; i++)
		ck_assert_int_eq(offload(plusone, v), *(int *)v + 1);
}

TASK_TEST(all_procs_have_one_pool)
{
	int n[2] = {1, 2}, proc[2];

	for(int i = 0; i < 2; i++)
		proc[i] = proccreate(offloads, &n[i], 0);
	for(int i = 0; i < 2; i++)
		ck_assert_int_eq(procwait(proc[i], NULL), 0);
}

/* Cuts of all kinds while all run. */
static void
hurried(void *v)
{
	Random *r = v;

	for(int i = 0; i < 100; i++){
		int us = (int)randombelow(r, 300), result = 0;
		Timeout scope;
		timeoutstart(&scope, 1);
		while(us-- > 0 && result >= 0 && randombelow(r, 50) > 0)
			result = offload(plusone, &us);
		if(result < 0 && errno != EINTR)
			ck_assert_int_eq(timeoutfired(&scope), 1);
		timeoutstop(&scope);
	}
	nended++;
}

TASK_TEST(cuts_at_any_time_lose_nothing)
{
	Random r = randomstart();
	int id[8];

	offloadmax(2);
	for(int i = 0; i < 8; i++)
		id[i] = taskcreate(hurried, &r, 0);
	while(nended < 8){
		taskdelay(randombelow(&r, 2));
		if(taskinterrupt(id[randombelow(&r, 8)]) < 0)
			ck_assert_int_eq(errno, ESRCH);
	}
}

/* Deadlocks */

static Channel *never;

static int
sayends(void *v)
{
	(void)v;
	sleepms(100);
	return (int)write(2, "ends\n", 5);
}

static void
stall(void *v)
{
	(void)v;
	if(never == NULL)
		never = chancreate(1, 0);
	offload(sayends, NULL);
	chanrecv(never, NULL);
}

static void
stalloften(void *v)
{
	taskcreate(stall, NULL, 0);
	stall(v);
}

START_TEST(there_is_hope_while_one_runs_and_none_after_it)
{
	char err[4096];

	ck_assert_int_eq(WEXITSTATUS(childtask(stalloften, err, sizeof err)),
		1);
	ck_assert_msg(strncmp(err, "ends\nends\nno runnable tasks! 2", 30) == 0,
		"%s", err);
}
END_TEST

static void
showlist(void *v)
{
	(void)v;
	full();
	taskcreate(passgate, NULL, 0);
	taskdelay(5);
	raise(SIGQUIT);
	taskdelay(5);
	_exit(3);
}

START_TEST(the_list_tells_who_waits_for_it)
{
	char err[4096];

	ck_assert_int_eq(WEXITSTATUS(childtask(showlist, err, sizeof err)), 3);
	char *at = strstr(err, " offload\n");
	ck_assert_msg(at && strstr(at + 1, " offload\n"), "%s", err);
}
END_TEST

/* fork(2) */

static Try tries[2];

static void
inparentorchild(void *v)
{
	try(v);
	nended++;
}

static void
forkwhile(void *v)
{
	int status, n = 1;

	(void)v;
	offloadmax(1);
	taskcreate(inparentorchild, &tries[0], 0);
	taskcreate(inparentorchild, &tries[1], 0);
	begun(1);
	pid_t pid = fork();
	if(pid == 0){
		if(offload(plusone, &n) != 2)	/* before the others know */
			_exit(2);
		while(nended < 2)
			taskdelay(1);
		for(int i = 0; i < 2; i++)
			if(tries[i].result != -1 || tries[i].err != ESRCH)
				_exit(3);
		_exit(offload(plusone, &n) == 2 ? 0 : 4);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ended(2);
	for(int i = 0; i < 2; i++)
		ck_assert_int_eq(tries[i].result, 0);
}

START_TEST(in_the_child_of_a_fork_what_was_begun_fails_and_the_next_works)
{
	if(TestFewer > 1)
		TEST_SKIP("TSan lets no child of a fork make threads");
	if(emulated())
		TEST_SKIP("the emulator lets none either");
	run(forkwhile);
}
END_TEST

static int
nap(void *v)
{
	(void)v;
	usleep(100000);
	return offload(nap, NULL) == -1 && errno == EPERM ? 0 : 1;
}

static void *
napping(void *v)
{
	ck_assert_int_eq(offload(nap, v), 0);	/* nor does it nest */
	return v;
}

TASK_TEST(S3_8_eight_naps_on_four_threads)
{
	int naps[8];
	int64_t from = nowns();

	offloadmax(4);
	taskcreate(beat, NULL, 0);
	for(int i = 0; i < 8; i++)
		naps[i] = taskspawn(napping, NULL, 0);
	for(int i = 0; i < 8; i++)
		ck_assert_int_eq(taskwait(naps[i], NULL), 0);
	ck_assert_int_ge(nowns() - from, 200000000);
	ck_assert_int_ge(nbeats, 10);
}

TEST_MAIN("offload",
	S3_8_eight_naps_on_four_threads,
	a_function_brings_its_result_and_its_errno,
	P3_other_tasks_go_on_meanwhile,
	there_is_no_scheduler_and_no_signal_where_it_runs,
	without_a_scheduler_nothing_is_run,
	there_is_no_thread_and_no_descriptor_before_the_first,
	what_is_queued_is_taken_back_by_a_deadline_or_a_cancel,
	a_cancelled_task_begins_nothing,
	what_runs_is_waited_for_and_its_result_counts,
	no_more_run_at_a_time_than_may,
	a_thousand_at_once_are_all_run,
	taskrun_waits_for_what_runs_and_not_for_what_is_queued,
	all_procs_have_one_pool,
	cuts_at_any_time_lose_nothing,
	there_is_hope_while_one_runs_and_none_after_it,
	the_list_tells_who_waits_for_it,
	in_the_child_of_a_fork_what_was_begun_fails_and_the_next_works)
