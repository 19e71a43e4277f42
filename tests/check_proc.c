/* SPDX-License-Identifier: MIT */
/* Schedulers in several threads, as their users see them. */
#include "proctest.h"
#include "watched.h"
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

enum { Posts = 1000 };

static atomic_int count;

static void
counting(void *v)
{
	(void)v;
	atomic_fetch_add(&count, 1);
}

static void
endproc(int proc, int wanted)
{
	int status = -2;

	ck_assert_int_eq(proccall(proc, ending, NULL), 0);
	ck_assert_int_eq(procwait(proc, &status), 0);
	ck_assert_int_eq(status, wanted);
}

TASK_TEST(the_first_scheduler_is_1_and_no_number_comes_twice)
{
	ck_assert_int_eq(procself(), 1);
	int a = proccreate(staying, NULL, 0);
	ck_assert_int_eq(a, 2);
	endproc(a, 7);
	int b = proccreate(staying, NULL, 0);
	ck_assert_int_eq(b, 3);
	endproc(b, 7);
}

static int
selfis(void *v)
{
	return procself() == *(int *)v && taskid() > 0;
}

TASK_TEST(a_call_runs_there_and_brings_its_result_and_errno)
{
	int n = 41, proc = proccreate(staying, NULL, 0);

	errno = ENOTTY;
	ck_assert_int_eq(proccall(proc, plusone, &n), 42);
	ck_assert_int_eq(errno, ENOTTY);
	ck_assert_int_eq(proccall(proc, selfis, &proc), 1);
	FAILS(proccall(proc, failing, NULL), EXDEV);
	ck_assert_int_eq(proccall(procself(), plusone, &n), 42);
	endproc(proc, 7);
}

static int
exiting(void *v)
{
	(void)v;
	taskexit(3);
}

TASK_TEST(a_call_whose_task_ends_otherwise_fails)
{
	int proc = proccreate(staying, NULL, 0);

	FAILS(proccall(proc, exiting, NULL), ECANCELED);
	endproc(proc, 7);
}

static int order[Posts], norder;

static void
ordered(void *v)
{
	order[norder++] = (int)(intptr_t)v;
}

static int
allordered(void *v)
{
	(void)v;
	for(int i = 0; i < norder; i++)
		if(order[i] != i)
			return -1;
	return norder;
}

TASK_TEST(posts_begin_in_the_order_in_which_they_were_made)
{
	int proc = proccreate(staying, NULL, 0);

	for(int i = 0; i < Posts; i++)
		ck_assert_int_eq(procpost(proc, ordered, (void *)(intptr_t)i,
			0), 0);
	ck_assert_int_eq(proccall(proc, allordered, NULL), Posts);
	endproc(proc, 7);
}

TASK_TEST(a_post_to_ones_own_proc_is_a_task)
{
	ck_assert_int_eq(procpost(procself(), counting, NULL, 0), 0);
	ck_assert_int_eq(count, 0);
	settle();
	ck_assert_int_eq(count, 1);
}

static void *
posting(void *v)
{
	int proc = *(int *)v;

	for(int i = 0; i < Posts / TestFewer; i++)
		if(procpost(proc, counting, NULL, 0) < 0)
			return v;
	return NULL;
}

TASK_TEST(a_thread_without_a_scheduler_can_post)
{
	int self = procself();
	pthread_t threads[4];
	void *failed;

	for(int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, posting,
			&self), 0);
	while(count < 4 * (Posts / TestFewer))
		taskdelay(1);
	for(int i = 0; i < 4; i++){
		pthread_join(threads[i], &failed);
		ck_assert_ptr_null(failed);
	}
}

TASK_TEST(bad_arguments_are_told)
{
	int n = 0;

	FAILS(proccreate(NULL, NULL, 0), EINVAL);
	FAILS(procpost(procself(), NULL, NULL, 0), EINVAL);
	FAILS(proccall(procself(), NULL, NULL), EINVAL);
	FAILS(procpost(99, counting, NULL, 0), ESRCH);
	FAILS(procpost(0, counting, NULL, 0), ESRCH);
	FAILS(procpost(-1, counting, NULL, 0), ESRCH);
	FAILS(proccall(99, plusone, &n), ESRCH);
	FAILS(procwait(99, NULL), ESRCH);
	FAILS(procwait(procself(), NULL), EDEADLK);
	FAILS(taskhope(-1), EINVAL);
}

START_TEST(without_a_scheduler_most_calls_fail)
{
	int n = 0;

	FAILS(proccreate(counting, NULL, 0), EPERM);
	FAILS(procself(), EPERM);
	FAILS(proccall(1, plusone, &n), EPERM);
	FAILS(procwait(1, NULL), EPERM);
	FAILS(procpost(1, counting, NULL, 0), ESRCH);
	errno = EXDEV;
	ck_assert_int_ge(proccpus(), 1);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

static void
brief(void *v)
{
	(void)v;
	taskdelay(20);
	atomic_fetch_add(&count, 1);
}

static void
makesanother(void *v)
{
	(void)v;
	ck_assert_int_gt(proccreate(brief, NULL, 0), 0);
}

static void
makestwo(void *v)
{
	(void)v;
	ck_assert_int_gt(proccreate(makesanother, NULL, 0), 0);
	ck_assert_int_gt(proccreate(brief, NULL, 0), 0);
}

START_TEST(taskrun_waits_for_the_procs_made_in_it_and_by_those)
{
	run(makestwo);
	ck_assert_int_eq(count, 2);
	run(makestwo);
	ck_assert_int_eq(count, 4);
}
END_TEST

static int
delaylong(void *v)
{
	(void)v;
	errno = 0;
	taskdelay(60000);
	return errno ? -1 : 0;
}

TASK_TEST(a_deadline_ends_the_waits_of_a_call)
{
	int proc = proccreate(staying, NULL, 0);
	int64_t from = nowns();
	Timeout t;

	TIMEOUT(&t, 20)
		FAILS(proccall(proc, delaylong, NULL), ETIMEDOUT);
	ck_assert_int_eq(timeoutfired(&t), 1);
	ck_assert_int_lt(nowns() - from, 10000000000);
	endproc(proc, 7);
}

static int otherproc;

static void *
callinglong(void *v)
{
	(void)v;
	ck_assert_int_eq(proccall(otherproc, delaylong, NULL), -1);
	return (void *)(intptr_t)errno;
}

TASK_TEST(a_cancel_travels_with_the_call)
{
	void *err;

	otherproc = proccreate(staying, NULL, 0);
	int id = taskspawn(callinglong, NULL, 0);
	taskdelay(20);
	ck_assert_int_eq(taskcancel(id), 0);
	taskwait(id, &err);
	ck_assert_int_eq((int)(intptr_t)err, ECANCELED);
	endproc(otherproc, 7);
}

static int
notinterested(void *v)
{
	(void)v;
	for(int64_t end = nowns() + 30000000; nowns() < end; )
		taskyield();
	return 5;
}

TASK_TEST(a_call_that_succeeds_all_the_same_has_not_timed_out)
{
	int proc = proccreate(staying, NULL, 0);
	Timeout t;

	timeoutstart(&t, 10);
	ck_assert_int_eq(proccall(proc, notinterested, NULL), 5);
	ck_assert_int_eq(timeoutfired(&t), 0);
	timeoutstop(&t);
	endproc(proc, 7);
}

static int
callback(void *v)
{
	return proccall(1, plusone, v);
}

TASK_TEST(two_procs_can_call_each_other_at_once)
{
	int n = 1, proc = proccreate(staying, NULL, 0);

	ck_assert_int_eq(procself(), 1);
	for(int i = 0; i < 100; i++)
		ck_assert_int_eq(proccall(proc, callback, &n), 2);
	endproc(proc, 7);
}

static int waited;

static void
waitforother(void *v)
{
	int status;

	(void)v;
	ck_assert_int_eq(procwait(otherproc, &status), 0);
	ck_assert_int_eq(status, 7);
	waited++;
}

TASK_TEST(all_who_wait_for_a_proc_are_told)
{
	otherproc = proccreate(staying, NULL, 0);
	for(int i = 0; i < 3; i++)
		taskcreate(waitforother, NULL, 0);
	settle();
	ck_assert_int_eq(proccall(otherproc, ending, NULL), 0);
	while(waited < 3)
		taskdelay(1);
	FAILS(procwait(otherproc, NULL), ESRCH);
}

static void
comeandgo(int n)
{
	for(int i = 0; i < n; i++){
		int proc = proccreate(counting, NULL, 0);
		ck_assert_int_gt(proc, 0);
		ck_assert_int_eq(procwait(proc, NULL), 0);
	}
}

TASK_TEST(a_thousand_procs_come_and_go)
{
	int n = fewer(1000), few = 10;

	comeandgo(few);
	int maps = countmaps(), threads = countthreads();
	comeandgo(n);
	ck_assert_int_eq(count, few + n);
	if(!watched())	/* malloc has some for threads, but not for each */
		ck_assert_int_lt(countmaps(), maps + 50 + n / 4);
	while(countthreads() > threads)
		taskdelay(1);
	int fds = dup(0);	/* doors are used again */
	ck_assert_int_lt(fds, 20);
	close(fds);
}

/* Ends while others post: what was accepted is run. */
static atomic_int accepted;

static void *
postuntilover(void *v)
{
	int proc = *(int *)v;

	/* while it is posted to without a pause it is never without a task */
	for(int i = 0; i < 500 && procpost(proc, counting, NULL, 0) == 0; i++)
		atomic_fetch_add(&accepted, 1);
	return NULL;
}

TASK_TEST(a_post_that_was_accepted_is_run)
{
	for(int i = 0; i < fewer(100); i++){
		int proc = proccreate(staying, NULL, 0);
		pthread_t thread;
		pthread_create(&thread, NULL, postuntilover, &proc);
		taskdelay(1);
		ck_assert_int_eq(proccall(proc, ending, NULL), 0);
		ck_assert_int_eq(procwait(proc, NULL), 0);
		pthread_join(thread, NULL);
		ck_assert_int_eq(count, accepted);
	}
}

/* Deadlocks */

static void
forever(void *v)
{
	QLock l = {0};
	Rendez r = {.l = &l};

	(void)v;
	qlock(&l);
	tasksleep(&r);
}

static void
waitforever(void *v)
{
	(void)v;
	procwait(proccreate(forever, NULL, 0), NULL);
}

static void
runwaiting(void)
{
	taskrun(waitforever, NULL);
}

START_TEST(when_no_proc_can_go_on_each_says_so)
{
	char err[4096];
	int status = child(runwaiting, err, sizeof err);

	ck_assert_int_eq(WEXITSTATUS(status), 1);
	const char *first = strstr(err, "procwait 2");
	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_nonnull(strstr(first, "no runnable tasks"));
	ck_assert_ptr_nonnull(strstr(first, "tasksleep"));
}
END_TEST

static void
lateforever(void *v)
{
	taskdelay(20);
	forever(v);
}

static void
endwhileotherstalls(void *v)
{
	(void)v;
	proccreate(forever, NULL, 0);
	taskdelay(20);
}

static void
runending(void)
{
	taskrun(endwhileotherstalls, NULL);
}

START_TEST(who_ends_leaves_the_others_to_report)
{
	char err[4096];

	ck_assert_int_eq(WEXITSTATUS(child(runending, err, sizeof err)), 1);
	ck_assert_ptr_nonnull(strstr(err, "tasksleep"));
}
END_TEST

static void
endforever(void *v)
{
	(void)v;
	taskcancel(1);
}

static void *
postlate(void *v)
{
	usleep(100000);
	procpost(*(int *)v, endforever, NULL, 0);
	taskhope(-1);
	return NULL;
}

TASK_TEST(there_is_hope_while_a_thread_may_post)
{
	int proc = proccreate(forever, NULL, 0);
	pthread_t thread;

	ck_assert_int_eq(taskhope(1), 0);
	pthread_create(&thread, NULL, postlate, &proc);
	ck_assert_int_eq(procwait(proc, NULL), 0);
	pthread_join(thread, NULL);
}

static void
hopeends(void *v)
{
	(void)v;
	taskhope(1);
	proccreate(lateforever, NULL, 0);
	pthread_t thread;
	int none = 0;
	pthread_create(&thread, NULL, postlate, &none);
	pthread_detach(thread);
	forever(NULL);
}

static void
runhopeless(void)
{
	taskrun(hopeends, NULL);
}

START_TEST(when_hope_ends_the_deadlock_is_reported)
{
	char err[4096];

	ck_assert_int_eq(WEXITSTATUS(child(runhopeless, err, sizeof err)), 1);
	ck_assert_ptr_nonnull(strstr(err, "no runnable tasks"));
}
END_TEST

static void
takenover(const char *report)
{
	ck_assert_ptr_nonnull(strstr(report, "no runnable tasks"));
	atomic_fetch_add(&count, 1);
}

static void
foreverwithhandler(void *v)
{
	tasksetdeadlock(takenover);
	forever(v);
}

static void
allwithhandlers(void *v)
{
	(void)v;
	tasksetdeadlock(takenover);
	procwait(proccreate(foreverwithhandler, NULL, 0), NULL);
}

START_TEST(each_proc_has_its_own_handler_of_deadlocks)
{
	FAILS(taskrun(allwithhandlers, NULL), EDEADLK);
	ck_assert_int_eq(count, 2);
}
END_TEST

TASK_TEST(S3_9_procs_that_wait_for_one_another_use_no_cpu)
{
	int proc = proccreate(staying, NULL, 0);
	int64_t from = cpuns();

	taskdelay(500);
	ck_assert_int_lt(cpuns() - from, 100000000);
	endproc(proc, 7);
}

/* fork */

static void
forking(void *v)
{
	int status, n = 1, proc = proccreate(staying, NULL, 0);

	(void)v;
	ck_assert_int_eq(proccall(proc, plusone, &n), 2);
	pid_t pid = fork();
	if(pid == 0){
		int fails = proccall(proc, plusone, &n) == -1 &&
			errno == ESRCH;
		int own = proccreate(staying, NULL, 0);
		int works = proccall(own, plusone, &n) == 2;
		works &= proccall(own, ending, NULL) == 0;
		works &= procwait(own, NULL) == 0;
		taskdelay(10);
		_exit(fails && works ? 0 : 1);
	}
	for(int i = 0; i < 100; i++)	/* the child takes none of these */
		ck_assert_int_eq(proccall(proc, plusone, &n), 2);
	while(waitpid(pid, &status, WNOHANG) == 0)
		taskdelay(1);
	ck_assert_int_eq(status, 0);
	endproc(proc, 7);
}

START_TEST(in_a_child_of_fork_there_is_this_proc_alone)
{
	if(TestFewer > 1)
		TEST_SKIP("TSan lets no child of a fork make threads");
	if(emulated())
		TEST_SKIP("the emulator lets none either");
	run(forking);
}
END_TEST

static pid_t pid = -1;

static void
forkandend(void *v)
{
	int status;

	pid = fork();
	if(pid == 0)
		return;
	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(proccall(*(int *)v, ending, NULL), 0);
}

TASK_TEST(who_waits_for_another_proc_fails_in_a_child)
{
	if(TestFewer > 1)
		TEST_SKIP("after it TSan does not see that tasks are switched");
	int n = 1, proc = proccreate(staying, NULL, 0);

	ck_assert_int_eq(proccall(proc, plusone, &n), 2);
	taskcreate(forkandend, &proc, 0);
	int r = procwait(proc, NULL);
	if(pid == 0)
		_exit(r == -1 && errno == ESRCH ? 0 : 1);
	ck_assert_int_eq(r, 0);
}

/* What a reader found. */

static void
waitforfirst(void *v)
{
	int status = -2;

	(void)v;
	taskdelay(30);
	ck_assert_int_eq(procwait(1, &status), 0);
	ck_assert_int_eq(status, 0);
	count++;
}

static void
leaveone(void *v)
{
	(void)v;
	proccreate(waitforfirst, NULL, 0);
}

START_TEST(a_proc_that_waits_for_those_it_made_is_over)
{
	run(leaveone);
	ck_assert_int_eq(count, 1);
}
END_TEST

static int nhandled;

static void
letgo(const char *report)
{
	(void)report;
	nhandled++;
	procpost(otherproc, endforever, NULL, 0);
	procpost(1, counting, NULL, 0);	/* else this one fails */
}

static void
worksafter(void *v)
{
	forever(v);
	taskdelay(30);
	taskexit(9);
}

TASK_TEST(who_a_handler_lets_go_on_does_not_report)
{
	int status;

	tasksetdeadlock(letgo);
	otherproc = proccreate(worksafter, NULL, 0);
	ck_assert_int_eq(procwait(otherproc, &status), 0);
	ck_assert_int_eq(status, 9);
	ck_assert_int_eq(nhandled, 1);
}

static void
postoneself(const char *report)
{
	(void)report;
	procpost(1, endforever, NULL, 0);
}

TASK_TEST(a_handler_may_post)
{
	ck_assert_int_eq(procself(), 1);
	tasksetdeadlock(postoneself);
	forever(NULL);
	ck_assert_int_eq(errno, ECANCELED);
}

static void
waitforone(void *v)
{
	tasksetdeadlock(takenover);
	procwait(1, v);
}

static void
eachforother(void *v)
{
	(void)v;
	tasksetdeadlock(takenover);
	procwait(proccreate(waitforone, NULL, 0), NULL);
}

START_TEST(procs_that_wait_for_each_other_end_when_both_fail)
{
	FAILS(taskrun(eachforother, NULL), EDEADLK);
	ck_assert_int_eq(count, 2);
}
END_TEST

static void
callsone(void *v)
{
	(void)v;
	tasksystem();
	proccall(1, delaylong, NULL);
}

static void
leavescall(void *v)
{
	(void)v;
	taskcreate(callsone, NULL, 0);
	taskdelay(20);
}

TASK_TEST(a_call_whose_task_is_given_up_is_cancelled)
{
	int proc = proccreate(leavescall, NULL, 0);

	ck_assert_int_eq(procself(), 1);
	ck_assert_int_eq(procwait(proc, NULL), 0);
}

static int
patient(void *v)
{
	(void)v;
	errno = 0;
	taskdelay(60000);
	ck_assert_int_eq(errno, EINTR);
	errno = 0;
	taskdelay(60000);
	return errno;
}

static int reached;

static void
callingpatient(void *v)
{
	(void)v;
	reached = proccall(otherproc, patient, NULL);
}

TASK_TEST(a_cancel_reaches_a_call_after_an_interrupt)
{
	otherproc = proccreate(staying, NULL, 0);
	int id = taskcreate(callingpatient, NULL, 0);
	taskdelay(200);	/* it is there by now */
	taskinterrupt(id);
	taskdelay(200);
	taskcancel(id);
	taskwait(id, NULL);
	ck_assert_int_eq(reached, ECANCELED);
	endproc(otherproc, 7);
}

TASK_TEST(a_scopes_own_errno_travels)
{
	int proc = proccreate(staying, NULL, 0);
	Timeout t;

	timeoutstartas(&t, 20, EHOSTDOWN);
	FAILS(proccall(proc, delaylong, NULL), EHOSTDOWN);
	ck_assert_int_eq(timeoutfired(&t), 1);
	timeoutstop(&t);
	endproc(proc, 7);
}

/* taskshutdown */

static int nended;

static void
endsgracefully(void *v)
{
	while(!taskcancelled())
		taskdelay(10000);
	taskshield(1000);
	taskdelay(*(unsigned int *)v);
	taskunshield();
	nended++;
}

TASK_TEST(a_shutdown_waits_for_all_that_clean_up)
{
	unsigned int ms = 30;

	for(int i = 0; i < 5; i++)
		taskcreate(endsgracefully, &ms, 0);
	settle();
	errno = ENOTTY;
	ck_assert_int_eq(taskshutdown(), 0);
	ck_assert_int_eq(errno, ENOTTY);
	ck_assert_int_eq(nended, 5);
	taskdelay(1);	/* the caller goes on as before */
}

TASK_TEST(a_shutdown_alone_has_nothing_to_do)
{
	ck_assert_int_eq(taskshutdown(), 0);
	ck_assert_int_eq(taskshutdown(), 0);
}

static void
deaf(void *v)
{
	(void)v;
	for(;;)
		taskdelay(1);
}

TASK_TEST(what_takes_no_notice_is_left_when_the_deadline_passes)
{
	Timeout t;

	taskcreate(deaf, NULL, 0);
	taskcreate(deaf, NULL, 0);
	settle();
	TIMEOUT(&t, 30)
		ck_assert_int_eq(taskshutdown(), 2);
	ck_assert_int_eq(timeoutfired(&t), 1);
	taskdelay(5);
}

TASK_TEST(a_shutdown_ends_the_other_procs)
{
	int a = proccreate(staying, NULL, 0);
	int b = proccreate(staying, NULL, 0);

	ck_assert_int_gt(a, 0);
	ck_assert_int_gt(b, 0);
	ck_assert_int_eq(taskshutdown(), 0);
	FAILS(procpost(a, counting, NULL, 0), ESRCH);
	FAILS(procpost(b, counting, NULL, 0), ESRCH);
}

TASK_TEST(a_deaf_proc_ends_with_the_caller)
{
	Timeout t;

	proccreate(deaf, NULL, 0);
	TIMEOUT(&t, 30)
		ck_assert_int_eq(taskshutdown(), 1);
}

static Channel *homechan;
static QLock homelock;
static Sem homesem;
static Event homeevent;

static int
objectsfail(void *v)
{
	unsigned long n = 1;
	Alt a[] = {{.op = CHANRCV, .c = homechan, .v = &n}, {.op = CHANEND}};
	int failed = 0;

	(void)v;
	failed += chansendul(homechan, 1) == -1 && errno == EPERM;
	failed += channbrecv(homechan, &n) == -1 && errno == EPERM;
	failed += chanalt(a) == -1 && errno == EPERM;
	failed += chanclose(homechan) == -1 && errno == EPERM;
	failed += qlock(&homelock) == -1 && errno == EPERM;
	failed += semacquire(&homesem) == -1 && errno == EPERM;
	failed += eventwait(&homeevent) == -1 && errno == EPERM;
	failed += eventset(&homeevent) == -1 && errno == EPERM;
	return failed;
}

static void
acquiring(void *v)
{
	(void)v;
	semacquire(&homesem);
}

static void
awaiting(void *v)
{
	(void)v;
	eventwait(&homeevent);
}

TASK_TEST(P40_objects_of_another_proc_are_EPERM)
{
	int proc = proccreate(staying, NULL, 0);

	homechan = chancreate(sizeof(unsigned long), 1);
	qlock(&homelock);
	taskcreate(acquiring, NULL, 0);
	taskcreate(awaiting, NULL, 0);
	taskyield();
	ck_assert_int_eq(proccall(proc, objectsfail, NULL), 8);
	endproc(proc, 7);
	ck_assert_int_eq(chanlen(homechan), 0);
	ck_assert_int_eq(chansendul(homechan, 1), 1);
	qunlock(&homelock);
	semrelease(&homesem);
	eventset(&homeevent);
	chanfree(homechan);
}

/* What a later reader found. */

static atomic_int mayanswer;

static void
busythenstaying(void *v)
{
	while(!mayanswer)
		usleep(1000);
	staying(v);
}

TASK_TEST(a_second_shutdown_cancels_who_came_since)
{
	int proc = proccreate(busythenstaying, NULL, 0);
	Timeout t;

	taskdelay(10);
	TIMEOUT(&t, 10)
		ck_assert_int_eq(taskshutdown(), 1);
	ck_assert_int_eq(procpost(proc, staying, NULL, 0), 0);
	mayanswer = 1;
	taskdelay(100);
	TIMEOUT(&t, 3000)
		ck_assert_int_eq(taskshutdown(), 0);
	FAILS(procpost(proc, counting, NULL, 0), ESRCH);
}

static void
busyonly(void *v)
{
	(void)v;
	usleep(60000);
}

TASK_TEST(a_proc_ends_that_was_told_of_a_shutdown_in_its_last_moment)
{
	int proc = proccreate(busyonly, NULL, 0);

	taskdelay(10);
	ck_assert_int_eq(taskshutdown(), 0);
	FAILS(procpost(proc, counting, NULL, 0), ESRCH);
}

/* For another proc: so long does its taskshutdown wait. */
static void
shutsdown(void *v)
{
	Timeout t;

	TIMEOUT(&t, *(unsigned int *)v)
		taskshutdown();
}

static void
heeds(void *v)
{
	(void)v;
	while(!taskcancelled())
		taskdelay(10000);
	_exit(0);
}

static int childofit;

/* The child's task is cancelled though the parent's was told of a shutdown. */
static void
forktold(void *v)
{
	unsigned int briefly = 10, longer = 5000;
	int status, proc = proccreate(shutsdown, &briefly, 0);

	(void)v;
	usleep(50000);		/* it is not answered before the fork */
	pid_t child = fork();
	if(child == 0){
		childofit = 1;
		taskshield(10000);
		taskcreate(heeds, NULL, 0);
		taskyield();	/* or it would be cancelled before it begins */
		procwait(proccreate(shutsdown, &longer, 0), NULL);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_int_gt(proc, 0);
}

START_TEST(a_child_of_fork_is_told_of_its_own_shutdown)
{
	if(TestFewer > 1)
		TEST_SKIP("TSan lets no child of a fork make threads");
	if(emulated())
		TEST_SKIP("the emulator lets none either");
	if(valgrind())
		TEST_SKIP("it finds what the parent's other threads had lost");
	run(forktold);
	if(childofit)		/* all its tasks were given up */
		_exit(2);
}
END_TEST

static void
shutting(void *v)
{
	(void)v;
	taskshutdown();
	count++;
}

TASK_TEST(in_a_child_of_fork_a_task_is_still_in_taskshutdown)
{
	int status;

	if(TestFewer > 1)
		TEST_SKIP("after it TSan does not see that tasks are switched");
	taskshield(10000);
	taskcreate(shutting, NULL, 0);
	taskyield();
	pid_t child = fork();
	int r = taskshutdown(), err = errno;
	if(child == 0)
		_exit(r == -1 && err == EBUSY ? 0 : 1);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert(r == -1 && err == EBUSY);
	taskunshield();
}

START_TEST(hope_is_a_number)
{
	ck_assert_int_eq(taskhope(1), 0);
	FAILS(taskhope(INT_MAX), EINVAL);
	ck_assert_int_eq(taskhope(-1), 0);
	FAILS(taskhope(-1), EINVAL);
	FAILS(taskhope(INT_MIN), EINVAL);
}
END_TEST

TEST_MAIN("proc",
	a_proc_ends_that_was_told_of_a_shutdown_in_its_last_moment,
	a_second_shutdown_cancels_who_came_since,
	a_child_of_fork_is_told_of_its_own_shutdown,
	in_a_child_of_fork_a_task_is_still_in_taskshutdown,
	hope_is_a_number,
	P40_objects_of_another_proc_are_EPERM,
	a_proc_that_waits_for_those_it_made_is_over,
	who_a_handler_lets_go_on_does_not_report,
	a_handler_may_post,
	procs_that_wait_for_each_other_end_when_both_fail,
	a_call_whose_task_is_given_up_is_cancelled,
	a_cancel_reaches_a_call_after_an_interrupt,
	a_scopes_own_errno_travels,
	a_shutdown_waits_for_all_that_clean_up,
	a_shutdown_alone_has_nothing_to_do,
	what_takes_no_notice_is_left_when_the_deadline_passes,
	a_shutdown_ends_the_other_procs,
	a_deaf_proc_ends_with_the_caller,
	the_first_scheduler_is_1_and_no_number_comes_twice,
	a_call_runs_there_and_brings_its_result_and_errno,
	a_call_whose_task_ends_otherwise_fails,
	posts_begin_in_the_order_in_which_they_were_made,
	a_post_to_ones_own_proc_is_a_task,
	a_thread_without_a_scheduler_can_post,
	bad_arguments_are_told,
	without_a_scheduler_most_calls_fail,
	taskrun_waits_for_the_procs_made_in_it_and_by_those,
	a_deadline_ends_the_waits_of_a_call,
	a_cancel_travels_with_the_call,
	a_call_that_succeeds_all_the_same_has_not_timed_out,
	two_procs_can_call_each_other_at_once,
	all_who_wait_for_a_proc_are_told,
	a_thousand_procs_come_and_go,
	a_post_that_was_accepted_is_run,
	when_no_proc_can_go_on_each_says_so,
	who_ends_leaves_the_others_to_report,
	there_is_hope_while_a_thread_may_post,
	when_hope_ends_the_deadlock_is_reported,
	each_proc_has_its_own_handler_of_deadlocks,
	S3_9_procs_that_wait_for_one_another_use_no_cpu,
	in_a_child_of_fork_there_is_this_proc_alone,
	who_waits_for_another_proc_fails_in_a_child)
