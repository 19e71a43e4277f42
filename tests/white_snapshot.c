/* SPDX-License-Identifier: MIT */
/* Snapshots of a program that never holds still do it no harm. */
#include "corotest.h"
#include "../inspect/snapshot.h"
#include "../proc/members.h"
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#if __has_include(<execinfo.h>)
#include <execinfo.h>
#else
#define backtrace(pc, n) 0
#endif

static atomic_int over;
static int nshot, nwalked, nlate, nwrong;
static volatile int sink;

/*
 * Switches, allocates, sleeps, ends tasks, walks its own stack, runs coroutines
 * and recurses all the while.
 */
__attribute__((noinline)) static int
descend(int n)
{
	char *p = malloc((size_t)n * 7 + 1);

	p[0] = (char)n;
	int r = n > 0 ? descend(n - 1) + p[0] : 0;
	free(p);
	return r;
}

static void
shortlived(void *v)
{
	sink += descend((int)(intptr_t)v);
}

static void *
inacoroutine(void *v)
{
	void *pc[8];

	sink += descend(5) + backtrace(pc, 8);
	return v;
}

static void
busybody(void *v)
{
	(void)v;
	for(intptr_t i = 0; !over; i++){
		sink += descend(20);
		taskcreate(shortlived, (void *)(i % 10), 0);
		Co *c = newco(inacoroutine);
		coswitch(c, NULL);
		cofree(c);
		taskyield();
		if(i % 50 == 0)
			taskdelay(0);
	}
}

/*
 * Signals come all the while too, and are handled in the middle of it all.  The
 * handler does not walk its stack: libgcc's walk dies amid libc's swapcontext.
 */
static void
onsignal(int sig)
{
	volatile char frame[256];

	for(size_t i = 0; i < sizeof frame; i++)
		frame[i] = (char)sig;
	sink += frame[sig];
}

static void
throwsignals(int usec)
{
	struct itimerval every = {{0, usec}, {0, usec}};
	struct sigaction sa = {.sa_handler = onsignal, .sa_flags = SA_RESTART};

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
}

enum { Room = 4 };

/* The oldest come first; nobody is in there twice. */
static int
wronglist(const Snapshot *s, const Seentask *tasks)
{
	int wrong = s->nseen < 1 || s->nseen > Room || tasks[0].id != 1;

	for(int i = 1; i < s->nseen; i++)
		wrong |= tasks[i].id <= tasks[i - 1].id;
	return wrong;
}

static void *
shoot(void *v)
{
	int number = *(int *)v;
	void *pc[64];
	Seentask tasks[Room];

	while(nshot < (valgrind() ? 200 : fewer(2000))){
		const Snapshot *s = task_snapshot(number, tasks, Room);
		if(s == NULL){
			nlate++;
			continue;
		}
		nwrong += wronglist(s, tasks);
		int n = task_snapshotstack(s, pc, 64);
		nwalked += n > 1;
		nshot++;
		task_snapshotend();
	}
	over = 1;
	return NULL;
}

TASK_TEST(two_thousand_snapshots_of_a_lively_program)
{
	int number = procself();
	pthread_t thread;

	task_snapshotarrange(1);
	ck_assert_int_eq(pthread_create(&thread, NULL, shoot, &number), 0);
	for(int i = 0; i < 3; i++)
		taskcreate(busybody, NULL, 0);
	if(!watched() && !emulated())
		throwsignals(500);
	while(!over)
		taskdelay(1);
	throwsignals(0);
	pthread_join(thread, NULL);
	task_snapshotarrange(0);
	ck_assert_int_eq(nwrong, 0);
#ifdef TASK_UCONTEXT	/* signals come in its system calls: amid the switch */
	nwalked = nshot;
#endif
	if(!watched())
		ck_assert_msg(nwalked > nshot / 2, "%d of %d could be walked, "
			"%d came late", nwalked, nshot, nlate);
}

static int urgent;

static void
onurgent(int sig)
{
	(void)sig;
	urgent++;
}

static int
shootonce(void *v)
{
	const Snapshot *s = task_snapshot(*(int *)v, NULL, 0);

	if(s == NULL)
		return errno;
	task_snapshotend();
	return 0;
}

/* and then the next one is not mistaken for it. */
TASK_TEST(a_signal_that_comes_late_harms_nobody)
{
	int number = procself();
	sigset_t set, before;

	signal(SIGURG, onurgent);
	task_snapshotarrange(1);
	sigemptyset(&set);
	sigaddset(&set, SIGURG);
	pthread_sigmask(SIG_BLOCK, &set, &before);
	ck_assert_int_eq(offload(shootonce, &number), ETIMEDOUT);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	ck_assert_int_eq(urgent, 0);
	raise(SIGURG);
	ck_assert_int_eq(urgent, 1);
	ck_assert_int_eq(offload(shootonce, &number), 0);
	ck_assert_int_eq(urgent, 1);
	task_snapshotarrange(0);
}

static void
parks(void *v)
{
	(void)v;
	taskname("parked");
	taskdelay(100000);
}

/* Of more tasks than there is room for the oldest are told. */
TASK_TEST(what_the_tasks_wait_for_is_in_it)
{
	Seentask tasks[Room];

	for(int i = 0; i < Room; i++)
		taskcreate(parks, NULL, 0);
	taskyield();
	task_snapshotarrange(1);
	const Snapshot *s = task_snapshot(procself(), tasks, Room);
	ck_assert_ptr_nonnull(s);
	ck_assert_int_eq(s->id, 1);
	ck_assert_int_eq(s->ntask, Room + 1);
	ck_assert_int_eq(s->nseen, Room);
	ck_assert_int_eq(tasks[0].waits, 0);
	ck_assert_int_eq(tasks[1].id, 2);
	ck_assert_int_eq(tasks[1].waits, 1);
	ck_assert_int_eq(tasks[1].why, WaitDelay);
	ck_assert_str_eq(tasks[1].name, "parked");
	ck_assert_ptr_eq(tasks[1].entry, (const void *)(uintptr_t)parks);
	task_snapshotend();
	task_snapshotarrange(0);
	for(int i = 0; i < Room; i++)
		taskcancel(2 + i);
}

TASK_TEST(of_a_proc_that_is_not_there_there_is_none)
{
	ck_assert_ptr_null(task_snapshot(12345, NULL, 0));
	ck_assert_int_eq(errno, ESRCH);
}

TEST_MAIN("snapshot, inside",
	two_thousand_snapshots_of_a_lively_program,
	a_signal_that_comes_late_harms_nobody,
	what_the_tasks_wait_for_is_in_it,
	of_a_proc_that_is_not_there_there_is_none)
