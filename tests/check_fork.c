/* SPDX-License-Identifier: MIT */
/* taskfork: one task goes on alone, whatever the others were doing. */
#include "fdtest.h"
#include "proctest.h"
#include "watched.h"
#include <pthread.h>
#include <stdatomic.h>

/* In a child: says what was not so, and ends it. */
#define MUST(what) \
	do{ \
		if(!(what)){ \
			fprintf(stderr, "child, line %d: %s, errno %d\n", \
				__LINE__, #what, errno); \
			_exit(1); \
		} \
	}while(0)

/* To ThreadSanitizer tasks are threads. */
#define TASKS_IN_CHILD \
	if(TestFewer > 1) \
		TEST_SKIP("TSan does not follow what a child of several does")

#define THREADS_IN_CHILD \
	TASKS_IN_CHILD; \
	if(emulated()) \
		TEST_SKIP("the emulator loses count of a child's threads")

/* 0 in the child, which dies if it hangs. */
static pid_t
branch(void)
{
	fflush(NULL);
	pid_t pid = taskfork();

	ck_assert_msg(pid >= 0, "taskfork: %s", strerror(errno));
	if(pid == 0)
		alarm(TestSeconds / 2);
	return pid;
}

static int
statusof(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static void
ended(pid_t pid)
{
	int status = statusof(pid);

	ck_assert_msg(status == 0, "status %#x", (unsigned)status);
}

/* The child does fn, and ends with 0. */
static void
inchild(void (*fn)(void))
{
	pid_t pid = branch();

	if(pid == 0){
		fn();
		_exit(0);
	}
	ended(pid);
}

static int nothers;	/* how often another task has gone on */

static void
goeson(void *v)
{
	(void)v;
	tasksystem();
	for(;;){
		nothers++;
		taskdelay(1);
	}
}

/* Who may call it */

static int hooked, hookerr;

static void
forkinhook(void *v)
{
	(void)v;
	errno = 0;
	hooked = taskfork();
	hookerr = errno;
}

TASK_TEST_BY(it_is_for_tasks,
	FAILS(taskfork(), EPERM);
	run(body))
{
	tasksetswitch(NULL, forkinhook, NULL);
	taskdelay(1);
	ck_assert_int_eq(hooked, -1);
	ck_assert_int_eq(hookerr, EPERM);
	tasksetswitch(NULL, NULL, NULL);
}

static void
forkstalled(const char *report)
{
	(void)report;
	forkinhook(NULL);
}

TASK_TEST_BY(it_is_not_for_who_is_told_of_a_deadlock,
	tasksetdeadlock(forkstalled);
	FAILS(taskrun(body, NULL), EDEADLK);
	ck_assert_int_eq(hooked, -1);
	ck_assert_int_eq(hookerr, EPERM))
{
	static Channel none;

	chaninit(&none, sizeof(unsigned long), 0);
	chanrecvul(&none);
}

/* The task goes on */

static void
isalone(void)
{
	int before = nothers, id = taskid();

	MUST(id == 1);
	MUST(!anyready());
	taskdelay(20);
	MUST(nothers == before);
	/* and others can be made */
	taskcreate(nothing, NULL, 0);
	MUST(taskyield() >= 1);	/* the fdtask too, perhaps */
}

TASK_TEST_BY(P37_the_caller_goes_on_alone,
	TASKS_IN_CHILD;
	run(body))
{
	taskcreate(goeson, NULL, 0);
	taskcreate(goeson, NULL, 0);
	tasksystem();
	taskdelay(5);
	inchild(isalone);
	int before = nothers;
	taskdelay(5);
	ck_assert_int_gt(nothers, before);
	errno = EDOM;
	pid_t pid = branch();
	if(pid == 0)
		_exit(errno == EDOM ? 0 : 1);
	ck_assert_int_eq(errno, EDOM);
	ended(pid);
}

static pid_t made = -1;

static void
endwith7(void *v)
{
	tasksystem();
	made = branch();
	if(made > 0)
		return;
	taskdelay(5);	/* no system task there: this is waited for */
	taskexit(*(int *)v);
}

START_TEST(its_end_is_that_of_the_program)
{
	int seven = 7;

	TASKS_IN_CHILD;
	int status = taskrun(endwith7, &seven);
	if(made == 0)
		exit(status);	/* with ASan: nothing is left */
	ck_assert_int_eq(WEXITSTATUS(statusof(made)), 7);
}
END_TEST

TASK_TEST(taskexitall_ends_the_child_only)
{
	pid_t pid = branch();

	if(pid == 0)
		taskexitall(9);
	ck_assert_int_eq(WEXITSTATUS(statusof(pid)), 9);
}

static void
again(void)
{
	pid_t pid = taskfork();

	MUST(pid >= 0);
	if(pid == 0)
		isalone();
	else{
		int status;
		MUST(waitpid(pid, &status, 0) == pid && status == 0);
	}
}

TASK_TEST_BY(a_child_may_fork_in_turn,
	TASKS_IN_CHILD;
	run(body))
{
	inchild(again);
}

static void
stalls(void *v)
{
	(void)v;
	taskcreate(goeson, NULL, 0);
	taskdelay(3);
	pid_t pid = taskfork();
	if(pid == 0){
		taskname("lonely");
		chanrecvul(chancreate(sizeof(unsigned long), 0));
		_exit(3);
	}
	int status;
	waitpid(pid, &status, 0);
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
}

START_TEST(a_deadlock_is_reported_of_the_one_task)
{
	char err[8192];

	TASKS_IN_CHILD;
	int status = childtask(stalls, err, sizeof err);
	ck_assert_msg(WEXITSTATUS(status) == 1, "%#x: %s", (unsigned)status,
		err);
	ck_assert_msg(strstr(err, "no runnable tasks! 1 tasks stalled") &&
		strstr(err, "lonely") && strstr(err, "chanrecv"), "%s", err);
}
END_TEST

/* Scopes, cancels, what is deferred */

static int ndeferred;

static void
deferred(void *v)
{
	ndeferred += *(int *)v;
}

static void
defers(void *v)
{
	taskdefer(deferred, v);
	for(;;)
		taskdelay(1000);
}

static void
forkanddefer(void *v)
{
	static int one = 1, ten = 10;

	(void)v;
	taskdefer(deferred, &one);
	taskcreate(defers, &ten, 0);
	taskyield();
	made = branch();
	if(made > 0)
		ended(made);
	tasksystem();	/* then the other may be left */
}

static void
deferring(void *v)
{
	(void)v;
	forkanddefer(v);
	if(made > 0)
		exit(0);
}

static void
rundeferring(void)
{
	taskrun(deferring, NULL);
	_exit(ndeferred == 1 ? 0 : 1 + ndeferred);
}

START_TEST(only_the_callers_deferred_functions_are_called)
{
	char err[4096];

	TASKS_IN_CHILD;
	int status = child(rundeferring, err, sizeof err);
	ck_assert_msg(status == 0, "%#x: %s", (unsigned)status, err);
}
END_TEST

static void
scoped(void)
{
	MUST(taskdelay(1000) < 1000);
	MUST(errno == ETIMEDOUT);
}

TASK_TEST_BY(the_callers_scopes_stay_open,
	TASKS_IN_CHILD;
	run(body))
{
	Timeout t, outer;

	timeoutstart(&outer, 10000);
	timeoutstart(&t, 20);
	inchild(scoped);
	ck_assert(timeoutpending(&outer));
	ck_assert_int_eq(timeoutstop(&t), 0);
	timeoutstop(&outer);
}

static void
cancelledthere(void)
{
	MUST(taskdelay(1000) < 1000 && errno == ECANCELED);
	taskshield(1000);
	MUST(taskdelay(1) >= 1);
	taskunshield();
	taskcreate(nothing, NULL, 0);
	MUST(taskyield() >= 1);	/* the fdtask too, perhaps */
}

TASK_TEST_BY(a_cancelled_task_is_cancelled_in_both,
	TASKS_IN_CHILD;
	run(body))
{
	taskcancel(taskid());
	inchild(cancelledthere);
	ck_assert(taskcancelled());
}

/* What the others waited in */

static Channel *c, *full;
static QLock lock;
static RWLock rw;
static Rendez rendez = {.l = NULL};
static Sem sem;
static Event event;
static int sleepers;

static void
recvone(void *v)
{
	unsigned long n = chanrecvul(c);

	*(unsigned long *)v = n;
}

static void
recvbyref(void *v)
{
	chanrecv(c, v);
}

static void
sendone(void *v)
{
	chansendul(full, (unsigned long)(uintptr_t)v);
}

static void
altone(void *v)
{
	unsigned long n = 0;
	Alt a[] = {{.op = CHANRCV, .c = c, .v = &n},
		{.op = CHANSND, .c = full, .v = &n},
		{.op = ALTEVENT, .e = &event},
		{.op = ALTDELAY, .ms = 100000}, {.op = CHANEND}};

	(void)v;
	chanalt(a);
}

static void
lockone(void *v)
{
	(void)v;
	qlock(&lock);
	qunlock(&lock);
}

static void
read_(void *v)
{
	(void)v;
	rlock(&rw);
	runlock(&rw);
}

static void
write_(void *v)
{
	(void)v;
	wlock(&rw);
	wunlock(&rw);
}

static void
sleepone(void *v)
{
	(void)v;
	sleepers++;
	tasksleep(&rendez);
}

static void
acquire(void *v)
{
	(void)v;
	semacquire(&sem);
}

static void
await(void *v)
{
	(void)v;
	eventwait(&event);
}

/* Of these there is nobody in the child; each works for who comes anew. */
static void
queuesareempty(void)
{
	unsigned long got = 0;

	MUST(channbsendul(c, 1) == -1 && errno == EAGAIN);
	MUST(chanlen(full) == 1);
	MUST(chanrecvul(full) == 5);
	MUST(chanlen(full) == 0);	/* no sender behind it */
	taskcreate(recvone, &got, 0);
	taskyield();
	MUST(chansendul(c, 77) == 1);
	taskyield();
	MUST(got == 77);
	qunlock(&lock);		/* the caller's; to nobody */
	MUST(canqlock(&lock));
	taskcreate(lockone, NULL, 0);
	taskyield();
	qunlock(&lock);
	taskyield();
	MUST(canqlock(&lock));
	runlock(&rw);		/* the caller's: the only reader */
	MUST(canwlock(&rw));
	wunlock(&rw);
	MUST(canrlock(&rw));
	runlock(&rw);
	MUST(taskwakeupall(&rendez) == 0);
	MUST(semrelease(&sem) == 0);
	MUST(cansemacquire(&sem));
	MUST(eventset(&event) == 0);
	MUST(eventwait(&event) == 0);
}

static void
fillqueues(void)
{
	static unsigned long ref;

	c = chancreate(sizeof(unsigned long), 0);
	full = chancreate(sizeof(unsigned long), 1);
	chansendul(full, 5);
	qlock(&lock);
	rlock(&rw);
	static void (*const fns[])(void *) = {recvone, recvbyref, sendone,
		altone, lockone, lockone, write_, read_, read_, write_,
		sleepone, sleepone, acquire, acquire, await, await};
	for(size_t i = 0; i < sizeof fns / sizeof fns[0]; i++)
		taskcreate(fns[i], &ref, 0);
	settle();
}

static void
emptyqueues(void)
{
	chanclose(c);
	chanclose(full);
	qunlock(&lock);
	runlock(&rw);
	taskwakeupall(&rendez);
	semrelease(&sem);
	semrelease(&sem);
	eventset(&event);
	settle();
	chanfree(c);
	chanfree(full);
}

TASK_TEST_BY(nobody_is_left_in_what_the_others_waited_in,
	TASKS_IN_CHILD;
	run(body))
{
	fillqueues();
	for(int i = 0; i < 3; i++)
		inchild(queuesareempty);
	emptyqueues();	/* the parent's went on */
}

/* For all procs: nobody knows what another thread was doing with them. */

static Channel *forall, *local;
static int nserved;

static void
recvshared(void *v)
{
	(void)v;
	while(chanrecvul(forall) || errno == 0)
		nserved++;
}

static void
altmixed(void *v)
{
	unsigned long n;
	Alt a[] = {{.op = CHANRCV, .c = forall, .v = &n},
		{.op = CHANRCV, .c = local, .v = &n},
		{.op = ALTDELAY, .ms = 10000}, {.op = CHANEND}};

	(void)v;
	chanalt(a);
	nserved++;
}

static void
nobodyisshared(void)
{
	unsigned long got = 0;

	MUST(chansendul(forall, 1) == -1 && errno == EPERM);
	MUST(channbsendul(local, 1) == -1);	/* it has its home again */
	taskcreate(recvone, &got, 0);
	taskyield();
	forall = chanshared(sizeof(unsigned long), 1);
	MUST(forall && chansendul(forall, 3) == 1);
	MUST(chanrecvul(forall) == 3);
	chanfree(forall);
	chanfree(local);
	taskdelay(1);
	MUST(nserved == 0);
}

TASK_TEST_BY(nobody_waits_for_shared_channels,
	TASKS_IN_CHILD;
	run(body))
{
	c = chancreate(sizeof(unsigned long), 0);
	forall = chanshared(sizeof(unsigned long), 0);
	local = chancreate(sizeof(unsigned long), 0);
	for(int i = 0; i < 3; i++){
		taskcreate(recvshared, NULL, 0);
		taskcreate(altmixed, NULL, 0);
	}
	settle();
	for(int i = 0; i < 3; i++)
		inchild(nobodyisshared);
	ck_assert_int_eq(chansendul(local, 1), 1);
	settle();
	ck_assert_int_eq(nserved, 1);
	chanclose(forall);
	chanclose(local);
	settle();
	ck_assert_int_eq(nserved, 3);
	chanfree(forall);
	chanfree(local);
	chanfree(c);
}

static void
holdall(void *v)
{
	qlock(&lock);
	wlock(&rw);
	chanrecvul(v);
	qunlock(&lock);
	wunlock(&rw);
}

static void
heldstill(void)
{
	Timeout t;
	int r = 0;

	MUST(!canqlock(&lock));
	MUST(!canrlock(&rw));
	TIMEOUT(&t, 5)
		r = qlock(&lock);
	MUST(r == -1 && errno == ETIMEDOUT);
	TIMEOUT(&t, 5)
		r = rlock(&rw);
	MUST(r == -1 && errno == ETIMEDOUT);
}

TASK_TEST_BY(what_the_others_hold_stays_held,
	TASKS_IN_CHILD;
	run(body))
{
	Channel *end = chancreate(sizeof(unsigned long), 0);

	taskcreate(holdall, end, 0);
	settle();
	inchild(heldstill);
	chansendul(end, 1);
	settle();
	ck_assert(canqlock(&lock));
	qunlock(&lock);
	chanfree(end);
}

/* Results, groups, timers */

static void *
seven(void *v)
{
	(void)v;
	return (void *)(intptr_t)7;
}

static void *
later(void *v)
{
	taskdelay(10);
	return v;
}

static int endedid, livingid, nlinks;

static void
waits(void *v)
{
	(void)v;
	taskwait(livingid, NULL);
}

static void
link_(void *v)
{
	(void)v;
	nlinks++;
	taskdelay(2);
}

static void
resultsthere(void)
{
	void *v = NULL;

	MUST(taskwait(endedid, &v) == 0 && v == (void *)(intptr_t)7);
	MUST(taskwait(endedid, &v) == -1 && errno == ESRCH);
	MUST(taskwait(livingid, NULL) == -1 && errno == ESRCH);
	MUST(taskcancel(livingid) == -1 && errno == ESRCH);
	int id = taskspawn(seven, NULL, 0);
	MUST(id > livingid);
	MUST(taskwait(id, &v) == 0 && v == (void *)(intptr_t)7);
}

TASK_TEST_BY(results_of_the_others_are_those_of_the_ended,
	TASKS_IN_CHILD;
	run(body))
{
	endedid = taskspawn(seven, NULL, 0);
	settle();
	livingid = taskspawn(later, NULL, 0);
	tasklink(livingid, link_, NULL);
	taskcreate(waits, NULL, 0);
	taskcreate(waits, NULL, 0);
	taskyield();
	inchild(resultsthere);
	ck_assert_int_eq(taskwait(livingid, NULL), 0);
	settle();
	ck_assert_int_eq(nlinks, 1);
	pid_t pid = branch();
	if(pid == 0){
		MUST(taskwait(livingid, NULL) == -1 && errno == ESRCH);
		_exit(0);
	}
	ended(pid);
	taskdelay(5);
	taskwait(endedid, NULL);
}

static Group g;

static void
children(void *v)
{
	(void)v;
	taskdelay(10);
}

static void
groupthere(void)
{
	MUST(groupwait(&g) == 0);
	MUST(groupspawn(&g, nothing, NULL, 0) > 0);
	MUST(groupspawn(&g, nothing, NULL, 0) > 0);
	MUST(groupwait(&g) == 0);
}

static void
groupofothers(void *v)
{
	Group *own = v;

	groupspawn(own, children, NULL, 0);
	groupspawn(own, children, NULL, 0);
	groupwait(own);
}

static void
childofgroup(void *v)
{
	inchild(groupthere);
	made = branch();
	if(made == 0)
		MUST(groupwait(v) == -1 && errno == EDEADLK);
}

static void
groupbody(void *v)
{
	static Group others, own;	/* for the child has no stack of this */

	(void)v;
	others = own = (Group){.limit = 0};
	g = (Group){.limit = 2};
	taskcreate(groupofothers, &others, 0);
	groupspawn(&g, children, NULL, 0);
	groupspawn(&g, children, NULL, 0);
	taskyield();
	inchild(groupthere);
	ck_assert_int_eq(groupwait(&g), 0);
	groupspawn(&own, childofgroup, &own, 0);
	groupspawn(&own, children, NULL, 0);
	groupwait(&own);
	taskdelay(20);
}

START_TEST(groups_are_empty)
{
	TASKS_IN_CHILD;
	made = -1;
	int status = taskrun(groupbody, NULL);
	if(made == 0)
		exit(status);
	ck_assert_int_eq(status, 0);
	ended(made);
}
END_TEST

static int nticks;

static void
tick(void *v)
{
	(void)v;
	nticks++;
}

static Timer *timer, *mine;

static void
timersthere(void)
{
	int before = nticks;

	taskdelay(20);
	MUST(nticks == before);
	MUST(timerremaining(timer) == -1 && errno == ENOENT);
	MUST(timeragain(timer) == 0);
	while(nticks == before)
		taskdelay(1);
	MUST(timerstop(timer) == 1);
	before = nticks;
	Timer *t = timerstart(1, 0, tick, NULL);
	while(nticks == before)
		taskdelay(1);
	taskdelay(10);
	MUST(nticks == before + 1);
	MUST(timerstop(t) == 0);
}

static int nmine;
static pid_t bytimer = -1;

static void
forkonce(void *v)
{
	(void)v;
	if(nmine++ == 0)
		bytimer = branch();
	if(bytimer == 0 && nmine == 3)
		_exit(0);
}

TASK_TEST_BY(no_timer_goes_on_but_the_callers,
	TASKS_IN_CHILD;
	run(body))
{
	timer = timerstart(2, 2, tick, NULL);
	taskafter(15, tick, NULL);
	while(nticks == 0)
		taskdelay(1);
	inchild(timersthere);
	timerstop(timer);
	mine = timerstart(1, 1, forkonce, NULL);
	while(bytimer < 0)
		taskdelay(1);
	timerstop(mine);
	ended(bytimer);
}

/* Coroutines and generators */

static void *
stopsincoro(void *v)
{
	(void)v;
	taskdelay(50);
	return NULL;
}

static Gen *gen, *between;

static void *
yieldsforever(void *v)
{
	for(intptr_t i = 1; ; i++)
		if(genyield((void *)i) == NULL)
			return v;
}

static void *
yieldswaiting(void *v)
{
	taskdelay(50);
	genyield(v);
	return NULL;
}

static void
corotask(void *v)
{
	Co *co = cocreate(stopsincoro, NULL, 0);

	coswitch(co, v);
	cofree(co);
}

static void
gentask(void *v)
{
	void *got;

	(void)v;
	gennext(gen, &got);
}

static Co *myco;

static void *
forksincoro(void *v)
{
	inchild(isalone);
	made = branch();
	if(made == 0){
		coswitch(comain(), v);
		_exit(1);
	}
	return NULL;
}

static void
corosthere(void)
{
	void *v;

	MUST(gennext(between, &v) == 1 && v == (void *)(intptr_t)2);
	MUST(gennext(gen, &v) == 0);	/* who was in it is gone */
	MUST(genclose(gen) == 0);
	MUST(genclose(between) == 0);
	Co *co = cocreate(seven, NULL, 0);
	MUST(coswitch(co, NULL) == (void *)(intptr_t)7);
	cofree(co);
}

TASK_TEST_BY(coroutines_of_the_caller_go_on_and_others_end,
	TASKS_IN_CHILD;
	run(body))
{
	gen = gencreate(yieldswaiting, NULL, 0);
	between = gencreate(yieldsforever, NULL, 0);
	ck_assert_int_eq(gennext(between, &v), 1);
	taskcreate(corotask, NULL, 0);
	taskcreate(gentask, NULL, 0);
	taskyield();
	inchild(corosthere);
	myco = cocreate(forksincoro, NULL, 0);
	coswitch(myco, NULL);
	if(made == 0)
		_exit(0);
	ended(made);
	cofree(myco);
	genclose(between);
	taskdelay(60);
	genclose(gen);
}

/* Descriptors */

static int fds[2];

static void
reader(void *v)
{
	char buf[64];

	*(ssize_t *)v = fdread(fds[0], buf, 4);
}

static void
readn(void *v)
{
	char buf[64];

	*(ssize_t *)v = fdreadn(fds[0], buf, 4);
}

/* A pair of its own is served; and the one that another task waited for. */
static void
readsthere(void)
{
	int own[2];
	ssize_t n = -2;
	char buf[8];

	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, own) == 0);
	fds[0] = own[0];
	for(int i = 0; i < 10; i++){
		taskcreate(reader, &n, 0);
		settle();
		MUST(fdwrite(own[1], "abcd", 4) == 4);
		while(n == -2)
			taskdelay(1);
		MUST(n == 4);
		n = -2;
	}
	taskcreate(readn, &n, 0);
	settle();
	MUST(fdwrite(own[1], "ab", 2) == 2);
	settle();
	MUST(n == -2);
	MUST(fdwrite(own[1], "cd", 2) == 2);
	while(n == -2)
		taskdelay(1);
	MUST(n == 4);
	fdclose(own[0]);
	MUST(fdread(own[1], buf, 1) == 0);
}

static int shared[2];

static void
takesshared(void)
{
	char buf[8];

	MUST(fdwrite(shared[1], "xy", 2) == 2);
	MUST(fdreadn(shared[0], buf, 2) == 2);
	readsthere();
}

TASK_TEST_BY(each_process_waits_for_its_own_descriptors,
	TASKS_IN_CHILD;
	run(body))
{
	static ssize_t n[4] = {-2, -2, -2, -2};

	pair(fds);
	pair(shared);
	int had = fds[0];
	taskcreate(reader, &n[0], 0);
	settle();
	taskcreate(readn, &n[1], 0);
	taskcreate(readn, &n[2], 0);
	settle();
	inchild(readsthere);
	inchild(takesshared);
	ck_assert_int_eq(fds[0], had);
	fdwrite(fds[1], "0123456789ab", 12);
	while(n[0] == -2 || n[1] == -2 || n[2] == -2)
		taskdelay(1);
	ck_assert_int_eq(n[0] + n[1] + n[2], 12);
}

static void
turnthere(void)
{
	char buf[8];

	/* the one in the midst of it is gone, and so is the second */
	MUST(fdwrite(fds[1], "pqrs", 4) == 4);
	MUST(fdreadn(fds[0], buf, 4) == 4);
	MUST(memcmp(buf, "pqrs", 4) == 0);
}

TASK_TEST_BY(the_turn_of_a_descriptor_is_given_back,
	TASKS_IN_CHILD;
	run(body))
{
	static ssize_t n[2] = {-2, -2};

	pair(fds);
	taskcreate(readn, &n[0], 0);
	settle();
	fdwrite(fds[1], "a", 1);
	taskcreate(readn, &n[1], 0);
	settle();
	inchild(turnthere);
	fdwrite(fds[1], "bcdefgh", 7);
	settle();
	taskdelay(5);
	ck_assert_int_eq(n[0], 4);
	ck_assert_int_eq(n[1], 4);
}

static int listener;

static void
acceptor(void *v)
{
	(void)v;
	for(int fd; (fd = netaccept(listener, NULL, NULL)) >= 0; )
		fdclose(fd);
}

static void
acceptsthere(void)
{
	taskcreate(acceptor, NULL, 0);
	for(int i = 0; i < 5; i++){
		char b;
		int fd = netdial(TCP, "127.0.0.1", portof(listener));
		MUST(fd >= 0);
		MUST(fdread(fd, &b, 1) == 0);
		fdclose(fd);
	}
}

static void
isclosed(void)
{
	fdclose(listener);
	taskdelay(2);
}

TASK_TEST_BY(a_listener_serves_both,
	TASKS_IN_CHILD;
	run(body))
{
	listener = netannounce(TCP, "127.0.0.1", 0);
	taskcreate(acceptor, NULL, 0);
	settle();
	inchild(acceptsthere);
	inchild(isclosed);
	int fd = netdial(TCP, "127.0.0.1", portof(listener));
	char b;
	ck_assert_int_eq(fdread(fd, &b, 1), 0);
	fdclose(listener);
	settle();
}

/* Many wait, so the poller is the one for many, where it may be. */
TASK_TEST_BY(many_waits_are_left_at_once,
	TASKS_IN_CHILD;
	run(body))
{
	enum { Many = 100 };
	static Wait w[Many];
	static int p[Many][2];

	for(int i = 0; i < Many; i++){
		pair(p[i]);
		startwait(&w[i], p[i][0], 'r');
	}
	settle();
	pid_t pid = branch();
	if(pid == 0){
		for(int i = 0; i < Many; i++)
			MUST(write(p[i][1], "x", 1) == 1);
		settle();
		for(int i = 0; i < Many; i++)
			MUST(w[i].nwoken == 0);
		for(int i = 0; i < Many; i++){
			w[i] = (Wait){.fd = p[i][0], .rw = 'r'};
			taskcreate(waiter, &w[i], 0);
		}
		settle();
		for(int i = 0; i < Many; i++)
			MUST(w[i].nwoken == 1);
		for(int i = 0; i < Many; i++)
			MUST(drain(p[i][0]) == 1);
		_exit(0);
	}
	ended(pid);
	for(int i = 0; i < Many; i++)
		ck_assert_int_eq(write(p[i][1], "x", 1), 1);
	settle();
	for(int i = 0; i < Many; i++)
		ck_assert_int_eq(w[i].nwoken, 1);
}

/* Signals */

static int
isdefault(int sig)
{
	struct sigaction sa;

	return sigaction(sig, NULL, &sa) == 0 &&
		!(sa.sa_flags & SA_SIGINFO) && sa.sa_handler == SIG_DFL;
}

static Channel *signals;

static void
receives(void *v)
{
	int sig;

	while(chanrecv(v, &sig) == 1)
		nothers++;
}

static void
watchthere(void)
{
	int sig = 0;

	MUST(isdefault(SIGUSR1) && isdefault(SIGTERM));
	MUST(signalunwatch(SIGUSR1, signals) == -1 && errno == ENOENT);
	Channel *own = chancreate(sizeof(int), 1);
	MUST(signalwatch(SIGUSR1, own) == 0);
	for(int i = 0; i < 5; i++){
		kill(getpid(), SIGUSR1);
		MUST(chanrecv(own, &sig) == 1 && sig == SIGUSR1);
	}
	MUST(signalunwatch(SIGUSR1, own) == 0);
	MUST(isdefault(SIGUSR1));
	MUST(signalwatch(SIGUSR1, signals) == 0);
	kill(getpid(), SIGUSR1);
	MUST(chanrecv(signals, &sig) == 1 && sig == SIGUSR1);
	chanfree(own);
}

TASK_TEST_BY(no_signal_is_watched_any_more,
	TASKS_IN_CHILD;
	run(body))
{
	signal(SIGTERM, SIG_DFL);	/* Check has changed that */
	signals = chancreate(sizeof(int), 1);
	Channel *busy = chancreate(sizeof(int), 0);
	signalwatch(SIGUSR1, signals);
	signalwatch(SIGTERM, signals);
	signalwatch(SIGUSR1, busy);
	raise(SIGUSR1);
	int sig;
	ck_assert_int_eq(chanrecv(signals, &sig), 1);
	taskcreate(receives, busy, 0);	/* meanwhile its watch sends */
	inchild(watchthere);
	settle();
	ck_assert_int_eq(nothers, 1);
	raise(SIGUSR1);
	ck_assert_int_eq(chanrecv(signals, &sig), 1);
	chanfree(busy);
	chanfree(signals);
}

/* It hits the child at any point, also before it knows that it is one. */
TASK_TEST_BY(a_signal_for_the_child_is_not_taken_for_a_watch,
	TASKS_IN_CHILD;
	run(body))
{
	signal(SIGTERM, SIG_DFL);
	signals = chancreate(sizeof(int), 1);
	signalwatch(SIGTERM, signals);
	for(int i = 0; i < 50; i++){
		pid_t pid = taskfork();
		if(pid == 0)
			for(;;)
				taskdelay(1000);
		kill(pid, SIGTERM);
		int status = statusof(pid);
		ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	}
	ck_assert_int_eq(channbrecv(signals, NULL), -1);
	chanfree(signals);
}

TASK_TEST(the_mask_of_signals_is_as_it_was)
{
	sigset_t before, after;

	sigemptyset(&before);
	sigaddset(&before, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pid_t pid = branch();
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	int same = sigismember(&after, SIGUSR2) && !sigismember(&after,
		SIGTERM) && !sigismember(&after, SIGCHLD);
	if(pid == 0)
		_exit(!same);
	ck_assert(same);
	ended(pid);
}

/* Children */

static Child spawned;

static void
childthere(void)
{
	MUST(childwait(&spawned, NULL) == -1 && errno == ECHILD);
	Child own = {.fd = {CHILDNULL, CHILDPIPE, 0}};
	int status;
	char buf[8];
	MUST(childspawn(&own, (char *[]){"echo", "hi", NULL}) == 0);
	MUST(fdreadn(own.fd[1], buf, 3) == 3);
	MUST(childwait(&own, &status) == 0 && status == 0);
}

TASK_TEST_BY(children_are_the_parents,
	THREADS_IN_CHILD;
	run(body))
{
	ck_assert_int_eq(childspawn(&spawned, (char *[]){"sleep", "100",
		NULL}), 0);
	inchild(childthere);
	ck_assert_int_eq(childkill(&spawned, SIGKILL), 0);
	ck_assert_int_eq(childwait(&spawned, NULL), 0);
}

static int mayend[2];

/* Once others have run the child may end. */
static void
letsend(void *v)
{
	(void)v;
	for(int before = nothers; nothers == before; )
		taskdelay(1);
	ck_assert_int_eq(write(mayend[1], "", 1), 1);
}

TASK_TEST_BY(a_child_is_adopted_and_waited_for_beside_other_tasks,
	TASKS_IN_CHILD;
	run(body))
{
	Child child = {.pid = 0};
	int status;
	char c;

	ck_assert_int_eq(pipe(mayend), 0);
	taskcreate(goeson, NULL, 0);
	pid_t pid = branch();
	if(pid == 0){
		fdread(mayend[0], &c, 1);
		taskexitall(3);
	}
	taskcreate(letsend, NULL, 0);
	if(childadopt(&child, pid) < 0 && errno == ENOSYS)
		TEST_SKIP("there is no pidfd_open");	/* as in Valgrind */
	ck_assert_int_eq(childwait(&child, &status), 0);
	ck_assert_int_eq(WEXITSTATUS(status), 3);
}

/* Procs and threads */

static int proc, self;

static void
procsthere(void)
{
	int n = 1;

	MUST(procself() == self);
	MUST(procpost(proc, nothing, NULL, 0) == -1 && errno == ESRCH);
	MUST(proccall(proc, plusone, &n) == -1 && errno == ESRCH);
	MUST(procwait(proc, NULL) == -1 && errno == ESRCH);
	int own = proccreate(staying, NULL, 0);
	MUST(own > proc);
	MUST(proccall(own, plusone, &n) == 2);
	MUST(procpost(self, nothing, NULL, 0) == 0);
	MUST(offload(plusone, &n) == 2);
	MUST(taskshutdown() == 0);
}

static void
waitsforproc(void *v)
{
	(void)v;
	procwait(proc, NULL);
}

static int
naps(void *v)
{
	usleep(100000);
	return *(int *)v;
}

static void
offloads(void *v)
{
	static int n;

	(void)v;
	offload(naps, &n);
}

static void
resolves(void *v)
{
	uint32_t ip;

	(void)v;
	netlookup("no.such.host.invalid", &ip);
}

static void
callsnap(void *v)
{
	int n = 0;

	(void)v;
	proccall(proc, naps, &n);
}

TASK_TEST_BY(there_are_no_other_procs_and_no_threads,
	THREADS_IN_CHILD;
	run(body))
{
	self = procself();
	proc = proccreate(staying, NULL, 0);
	static void (*const fns[])(void *) = {waitsforproc, offloads, offloads,
		callsnap, callsnap};
	for(size_t i = 0; i < sizeof fns / sizeof fns[0]; i++)
		taskcreate(fns[i], NULL, 0);
	if(!watched())	/* libc's memory of a thread that is not there */
		taskcreate(resolves, NULL, 0);
	taskdelay(10);
	for(int i = 0; i < 5; i++)
		inchild(procsthere);
	taskshutdown();
}

static void
waitsforall(void *v)
{
	(void)v;
	taskshutdown();
}

static void
shutthere(void)
{
	taskcreate(staying, NULL, 0);
	MUST(taskshutdown() == 0);
}

static void
refuses(void *v)
{
	(void)v;
	taskshield(10000);
	taskdelay(30);
	taskunshield();
}

TASK_TEST_BY(another_may_have_been_in_taskshutdown,
	TASKS_IN_CHILD;
	run(body))
{
	taskshield(10000);
	taskcreate(refuses, NULL, 0);
	taskcreate(waitsforall, NULL, 0);
	taskyield();
	inchild(shutthere);
	taskunshield();
}

static atomic_int procpid;

static void
forkinproc(void *v)
{
	(void)v;
	taskcreate(goeson, NULL, 0);
	tasksystem();
	taskdelay(2);
	self = procself();
	pid_t pid = branch();
	if(pid == 0){
		MUST(procself() == self);
		taskdelay(3);
		taskexit(11);
	}
	atomic_store(&procpid, pid);
	taskexitall(WEXITSTATUS(statusof(pid)) == 11 ? 0 : 1);
}

static void
procthatforks(void *v)
{
	(void)v;
	procwait(proccreate(forkinproc, NULL, 0), NULL);
}

START_TEST(a_child_of_a_made_proc_ends_with_its_status)
{
	char err[4096];

	THREADS_IN_CHILD;
	int status = childtask(procthatforks, err, sizeof err);
	ck_assert_msg(status == 0, "%#x: %s", (unsigned)status, err);
}
END_TEST

static int
forkcalled(void *v)
{
	(void)v;
	pid_t pid = branch();
	if(pid > 0)
		return WEXITSTATUS(statusof(pid));
	taskdelay(1);
	return 21;	/* to nobody: the status is the proc's */
}

TASK_TEST_BY(a_called_function_may_fork,
	THREADS_IN_CHILD;
	run(body))
{
	int other = proccreate(staying, NULL, 0);

	ck_assert_int_eq(proccall(other, forkcalled, NULL), 0);
	taskshutdown();
}

/* Memory */

static void
parks(void *v)
{
	chanrecvul(v);
}

static void
makemany(void)
{
	int maps = countmaps();

	for(int round = 0; round < 3; round++){
		Channel *own = chancreate(sizeof(unsigned long), 0);
		for(int i = 0; i < 1000; i++)
			MUST(taskcreate(parks, own, 0) > 0);
		taskyield();
		chanclose(own);
		settle();
		chanfree(own);
	}
	/* libc may want some, another stack none */
	MUST(maps < 0 || countmaps() < maps + 20);
	tasktrim();
}

TASK_TEST_BY(stacks_of_the_others_are_used_again,
	TASKS_IN_CHILD;
	run(body))
{
	Channel *many = chancreate(sizeof(unsigned long), 0);

	for(int i = 0; i < 1000; i++)
		taskcreate(parks, many, 0);
	taskyield();
	inchild(makemany);
	chanclose(many);
	settle();
	chanfree(many);
}

static int key;

static void
keeps(void *v)
{
	tasksetlocal(key, v);
	taskdelay(1000);
}

static void
endall(void *v)
{
	(void)v;
	key = taskkey(free);
	taskwrap(NULL, notes, "w");
	fillqueues();
	for(int i = 0; i < 5; i++)
		taskcreate(keeps, NULL, 0);
	taskspawn(later, NULL, 0);
	timerstart(1, 1, tick, NULL);
	taskafter(1000, tick, NULL);
	taskdelay(3);
	made = branch();
	if(made == 0){
		emptyqueues();
		return;
	}
	ended(made);
	taskexitall(0);
}

/* LeakSanitizer and Valgrind look at what is left there. */
START_TEST(nothing_is_left_of_the_others)
{
	char err[8192];

	TASKS_IN_CHILD;
	int status = childtask(endall, err, sizeof err);
	ck_assert_msg(status == 0, "%#x: %s", (unsigned)status, err);
}
END_TEST

/* At any time */

static Random r;

static void
busy(void *v)
{
	char buf[4];

	(void)v;
	for(int i = 0; i < 200; i++){
		switch(randombelow(&r, 7)){
		case 0: taskdelay(randombelow(&r, 3)); break;
		case 1: qlock(&lock); taskyield(); qunlock(&lock); break;
		case 2: rlock(&rw); taskyield(); runlock(&rw); break;
		case 3: wlock(&rw); taskyield(); wunlock(&rw); break;
		case 4: channbsendul(c, 1); channbrecvul(c); break;
		case 5:
			fdwrite(fds[1], "abcd", 4);
			fdreadn(fds[0], buf, 4);
			break;
		case 6: taskyield(); break;
		}
	}
}

static void
worksthere(void)
{
	lock = (QLock){.owner = NULL};
	rw = (RWLock){.readers = 0};
	chanfree(c);
	c = chancreate(sizeof(unsigned long), 1);
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	for(int i = 0; i < 10; i++)
		groupspawn(&g, busy, NULL, 0);
	MUST(groupwait(&g) == 0);
}

TASK_TEST_BY(it_works_at_any_time,
	TASKS_IN_CHILD;
	run(body))
{
	r = randomstart();
	c = chancreate(sizeof(unsigned long), 1);
	pair(fds);
	g = (Group){.limit = 0};
	lock = (QLock){.owner = NULL};
	rw = (RWLock){.readers = 0};
	for(int i = 0; i < 10; i++)
		groupspawn(&g, busy, NULL, 0);
	for(int i = 0; i < 20; i++){
		for(unsigned int n = randombelow(&r, 20); n > 0; n--)
			taskyield();
		if(i % 4 == 0)
			taskdelay(1);
		inchild(worksthere);
	}
	ck_assert_msg(groupwait(&g) == 0, "seed %lu", r.seed);
}

TEST_MAIN("fork",
	it_is_for_tasks,
	it_is_not_for_who_is_told_of_a_deadlock,
	P37_the_caller_goes_on_alone,
	its_end_is_that_of_the_program,
	taskexitall_ends_the_child_only,
	a_child_may_fork_in_turn,
	a_deadlock_is_reported_of_the_one_task,
	only_the_callers_deferred_functions_are_called,
	the_callers_scopes_stay_open,
	a_cancelled_task_is_cancelled_in_both,
	nobody_is_left_in_what_the_others_waited_in,
	nobody_waits_for_shared_channels,
	what_the_others_hold_stays_held,
	results_of_the_others_are_those_of_the_ended,
	groups_are_empty,
	no_timer_goes_on_but_the_callers,
	coroutines_of_the_caller_go_on_and_others_end,
	each_process_waits_for_its_own_descriptors,
	the_turn_of_a_descriptor_is_given_back,
	a_listener_serves_both,
	many_waits_are_left_at_once,
	no_signal_is_watched_any_more,
	a_signal_for_the_child_is_not_taken_for_a_watch,
	the_mask_of_signals_is_as_it_was,
	children_are_the_parents,
	a_child_is_adopted_and_waited_for_beside_other_tasks,
	there_are_no_other_procs_and_no_threads,
	another_may_have_been_in_taskshutdown,
	a_child_of_a_made_proc_ends_with_its_status,
	a_called_function_may_fork,
	stacks_of_the_others_are_used_again,
	nothing_is_left_of_the_others,
	it_works_at_any_time)
