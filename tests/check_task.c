/* SPDX-License-Identifier: MIT */
/* Tasks, as users see them: how they begin, turns, delays, errno. */
#include "test.h"
#include "watched.h"
#include <dirent.h>
#include <fcntl.h>

TASK_TEST_BY(a_new_task_waits_at_the_tail_and_its_creator_runs_on,
	run(body);
	ck_assert_str_eq(trace, "abcde"))
{
	taskcreate(notes, "b", 0);
	taskcreate(notes, "c", 0);
	taskcreate(notes, "d", 0);
	note('a');
	taskyield();
	note('e');
}

static void
exitsoon(void *v)
{
	for(intptr_t n = (intptr_t)v; n > 0; n--)
		taskyield();
}

/* At most 300 live at a time, and end in another order than they began. */
TASK_TEST_BY(a_hundred_thousand_tasks_come_and_go_and_no_id_comes_twice,
	int last;

	ck_assert_int_eq(taskrun(body, &last), 0);
	ck_assert_int_eq(last, fewer(100000) + 1))
{
	int *last = v;
	Random r = randomstart();

	*last = 1;
	for(int i = 0; i < fewer(100000); i++){
		int id = taskcreate(exitsoon,
			(void *)(intptr_t)randombelow(&r, 3), 0);
		if(id != *last + 1)
			ck_abort_msg("id %d after %d, seed %lu", id, *last,
				r.seed);
		*last = id;
		if(i % 100 == 0)
			taskyield();
	}
}

static int depth;

static void
spawndeeper(void *v)
{
	(void)v;
	if(++depth < 1000)
		ck_assert_int_eq(taskcreate(spawndeeper, NULL, 0), depth + 1);
}

TASK_TEST_BY(tasks_create_tasks_a_thousand_deep,
	run(body);
	ck_assert_int_eq(depth, 1000))
{
	spawndeeper(v);
}

TASK_TEST(taskcreate_without_a_function_fails_with_EINVAL)
{
	ck_assert_int_eq(taskcreate(NULL, NULL, 0), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(taskcreate(nothing, NULL, 0), 2);
}

/* Turns. */

/* The fdtask has its turn every millisecond, and counts too. */
static void
yieldtoothers(int n)
{
	int64_t start = nowns();

	for(int i = 0; i < n; i++)
		taskcreate(nothing, NULL, 0);
	int others = taskyield();
	ck_assert_int_ge(others, n);
	ck_assert_int_le(others, n + 1 + (nowns() - start) / 1000000);
}

TASK_TEST(taskyield_returns_how_many_others_ran)
{
	for(int n = 0; n < 10; n++)
		yieldtoothers(n);
}

TASK_TEST(taskyield_counts_the_turn_of_the_fdtask)
{
	int64_t end = nowns() + 5 * (int64_t)1000000000;
	int n;

	while((n = taskyield()) == 0)
		if(nowns() > end)
			ck_abort_msg("the fdtask had no turn in five seconds");
	ck_assert_int_eq(n, 1);
}

static int working;

static void
work(void *v)
{
	for(intptr_t n = (intptr_t)v; n > 0; n--)
		taskyield();
	working--;
}

TASK_TEST(a_loop_on_taskyield_waits_until_nobody_else_runs)
{
	for(int i = 0; i < 5; i++, working++)
		taskcreate(work, (void *)(intptr_t)(10 * i), 0);
	while(taskyield() > 0)
		;
	ck_assert_int_eq(working, 0);
}

/* Always ready. */
static void
spin(void *v)
{
	(void)v;
	tasksystem();
	for(;;)
		taskyield();
}

/* The system task counts as one, so here the others are more than one. */
TASK_TEST(a_loop_on_taskyield_may_leave_one_other_out_of_account)
{
	taskcreate(spin, NULL, 0);
	for(int i = 0; i < 5; i++, working++)
		taskcreate(work, (void *)(intptr_t)(10 * i), 0);
	while(taskyield() > 1)
		;
	ck_assert_int_eq(working, 0);
}

enum { Spinners = 5, Rounds = 2000 };

static char order[Spinners * Rounds];
static int norder;

static void
takepart(void *v)
{
	for(int i = 0; i < Rounds; i++){
		order[norder++] = (char)(intptr_t)v;
		taskyield();
	}
}

TASK_TEST_BY(tasks_that_are_always_ready_run_once_each_in_every_round,
	run(body);
	for(int i = 0; i < Spinners * Rounds; i++)
		if(order[i] != i % Spinners)
			ck_abort_msg("turn %d was that of %d", i, order[i]))
{
	for(int i = 0; i < Spinners; i++)
		taskcreate(takepart, (void *)(intptr_t)i, 0);
}

TASK_TEST_BY(anyready_tells_whether_another_task_can_run,
	run(body);
	ck_assert_int_eq(anyready(), 0))
{
	ck_assert_int_eq(anyready(), 0);
	taskcreate(nothing, NULL, 0);
	ck_assert_int_eq(anyready(), 1);
	taskdelay(0);
	ck_assert_int_eq(anyready(), 0);
}

/* Delays. */

/* The second and third begin a little later, and under Valgrind much later. */
static void
delayandnote(void *v)
{
	int slower = watched() ? 10 : 1;
	unsigned int ms = (unsigned int)((intptr_t)v * slower);
	int64_t start = nowns();
	unsigned int slept = taskdelay(ms);
	int64_t took = nowns() - start;

	if(slept < ms || took < ms * (int64_t)1000000)
		ck_abort_msg("taskdelay(%u) took %lld ns and returned %u", ms,
			(long long)took, slept);
	note((char)('0' + (intptr_t)v / 10));
}

TASK_TEST_BY(delays_of_30_10_and_20_end_in_the_order_10_20_30,
	run(body);
	ck_assert_str_eq(trace, "123"))
{
	taskcreate(delayandnote, (void *)30, 0);
	taskcreate(delayandnote, (void *)10, 0);
	taskcreate(delayandnote, (void *)20, 0);
}

TASK_TEST(no_delay_is_ever_early)
{
	Random r = randomstart();

	for(int i = 0; i < 1000; i++)
		taskcreate(delayandnote,
			(void *)(intptr_t)(1 + randombelow(&r, 20)), 0);
}

static void
delayinline(void *v)
{
	taskdelay(5);
	order[norder++] = (char)(intptr_t)v;
}

TASK_TEST_BY(delays_of_the_same_length_end_in_the_order_of_their_start,
	run(body);
	ck_assert_int_eq(norder, 100);
	for(int i = 0; i < 100; i++)
		ck_assert_int_eq(order[i], i))
{
	for(int i = 0; i < 100; i++)
		taskcreate(delayinline, (void *)(intptr_t)i, 0);
}

static int done;

static void
waitforbyte(void *v)
{
	char c;

	ck_assert_int_eq(fdread1(*(int *)v, &c, 1), 1);
	done = 1;
}

TASK_TEST(taskdelay_0_looks_at_the_descriptors_once)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	taskcreate(waitforbyte, &fds[0], 0);
	taskyield();
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	taskdelay(0);
	ck_assert_int_eq(done, 1);
	close(fds[0]);
	close(fds[1]);
}

/* Nobody starves. */

static void
delaythendone(void *v)
{
	(void)v;
	taskdelay(10);
	done = 1;
}

static void
untildone(void (*step)(void))
{
	int64_t start = nowns();

	taskcreate(delaythendone, NULL, 0);
	while(!done){
		step();
		if(nowns() - start > 5 * (int64_t)1000000000)
			ck_abort_msg("taskdelay(10) had not ended after 5 s");
	}
}

static void
yieldonce(void)
{
	taskyield();
}

TASK_TEST(a_task_that_spins_in_taskyield_does_not_stop_timers)
{
	taskcreate(spin, NULL, 0);
	untildone(yieldonce);
}

/* How many entries a directory of /proc has; -1 where there is none. */
static int
entries(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;

	if(d == NULL)
		return -1;
	while(readdir(d))
		n++;
	closedir(d);
	return n;
}

static int descriptors, threads;

TASK_TEST_BY(S3_13_without_io_there_is_no_poller_to_see_and_timers_come,
	unsetenv("TASKPOLLER");
	descriptors = entries("/proc/self/fd");
	threads = entries("/proc/self/task");
	run(body))
{
	untildone(yieldonce);
	ck_assert_int_eq(entries("/proc/self/fd"), descriptors);
	ck_assert_int_eq(entries("/proc/self/task"), threads);
}

static Channel *ping, *pong;

static void
echo(void *v)
{
	(void)v;
	tasksystem();
	for(;;)
		chansendul(pong, chanrecvul(ping));
}

static void
pingonce(void)
{
	chansendul(ping, 1);
	ck_assert_uint_eq(chanrecvul(pong), 1);
}

TASK_TEST(two_tasks_that_play_ping_pong_do_not_stop_timers)
{
	ping = chancreate(sizeof(unsigned long), 0);
	pong = chancreate(sizeof(unsigned long), 0);
	taskcreate(echo, NULL, 0);
	untildone(pingonce);
	chanfree(ping);
	chanfree(pong);
}

static int turns;

static char zeros[16];

/* Reading never has to wait here, and nothing but fdread is called. */
static void
readzeros(void *v)
{
	int fd = *(int *)v;

	while(!done)
		if(fdread(fd, zeros, sizeof zeros) != sizeof zeros)
			ck_abort_msg("fdread: errno %d", errno);
		else
			turns++;
}

static void
setdone(void *v)
{
	(void)v;
	done = 1;
}

static void
readbeside(void *v)
{
	taskcreate(readzeros, v, 0);
	taskcreate(setdone, NULL, 0);
}

static void
readuntilwoken(void *v)
{
	taskcreate(delaythendone, NULL, 0);
	readzeros(v);
}

START_TEST(a_task_whose_reads_always_succeed_lets_others_run)
{
	int fd = open("/dev/zero", O_RDONLY);

	ck_assert_int_eq(taskrun(readbeside, &fd), 0);
	ck_assert_int_le(turns, 64);
	turns = done = 0;
	ck_assert_int_eq(taskrun(readuntilwoken, &fd), 0);
	close(fd);
}
END_TEST

static void
spawnonce(void)
{
	taskcreate(nothing, NULL, 0);
	taskyield();
}

TASK_TEST(tasks_that_come_and_go_do_not_stop_timers)
{
	untildone(spawnonce);
}

/* errno: one task blocks in each of these, another ends its wait. */

static QLock ql;
static RWLock rw;
static Rendez rz;
static int fds[2];
static char much[1 << 20];

static void doyield(void) { taskyield(); }
static void dodelay(void) { taskdelay(1); }
static void dosend(void) { chansendul(ping, 1); }
static void dorecv(void) { chanrecvul(ping); }

static void
doalt(void)
{
	Alt a[] = {{.c = ping, .op = CHANRCV}, {.c = pong, .op = CHANRCV},
		{.op = CHANEND}};

	chanalt(a);
}

static void doqlock(void) { qlock(&ql); qunlock(&ql); }
static void holdq(void) { qlock(&ql); }
static void dropq(void) { qunlock(&ql); }
static void dorlock(void) { rlock(&rw); runlock(&rw); }
static void dowlock(void) { wlock(&rw); wunlock(&rw); }
static void holdr(void) { rlock(&rw); }
static void dropr(void) { runlock(&rw); }
static void dosleep(void) { tasksleep(&rz); }
static void dowakeup(void) { taskwakeup(&rz); }
static void dowait(void) { fdwait(fds[0], 'r'); }
static void doread(void) { fdread(fds[0], much, sizeof much); }
static void dowrite(void) { fdwrite(fds[1], much, sizeof much); }
static void putbyte(void) { fdwrite(fds[1], "x", 1); }
static void getmuch(void) { fdreadn(fds[0], much, sizeof much); }

static const struct Wait
{
	const char *name;
	void (*before)(void);
	void (*wait)(void);	/* in a task of its own */
	void (*end)(void);	/* in the first task */
} waits[] = {
	{"taskyield", NULL, doyield, NULL},
	{"taskdelay", NULL, dodelay, NULL},
	{"chansend", NULL, dosend, dorecv},
	{"chanrecv", NULL, dorecv, dosend},
	{"chanalt", NULL, doalt, dosend},
	{"qlock", holdq, doqlock, dropq},
	{"rlock", dowlock, dorlock, NULL},
	{"wlock", holdr, dowlock, dropr},
	{"tasksleep", NULL, dosleep, dowakeup},
	{"fdwait", NULL, dowait, putbyte},
	{"fdread", NULL, doread, putbyte},
	{"fdwrite", NULL, dowrite, getmuch},
};

static void
keepserrno(void *v)
{
	const struct Wait *w = v;

	errno = E2BIG;
	w->wait();
	int err = errno;
	ck_assert_msg(err == E2BIG, "errno after %s is %d", w->name, err);
	done = 1;
}

TASK_TEST(errno_belongs_to_the_task_whatever_it_waits_in)
{
	ping = chancreate(sizeof(unsigned long), 0);
	pong = chancreate(sizeof(unsigned long), 0);
	ck_assert_int_eq(pipe(fds), 0);
	fdnoblock(fds[0]);
	fdnoblock(fds[1]);
	for(size_t i = 0; i < sizeof waits / sizeof waits[0]; i++){
		const struct Wait *w = &waits[i];
		done = 0;
		if(w->before)
			w->before();
		taskcreate(keepserrno, (void *)w, 0);
		errno = EXDEV;
		taskyield();
		if(w->end)
			w->end();
		while(!done)
			taskyield();
		int err = errno;
		ck_assert_msg(err == EXDEV, "errno beside %s is %d", w->name,
			err);
	}
	close(fds[0]);
	close(fds[1]);
	chanfree(ping);
	chanfree(pong);
}

static void
tellerrno(void *v)
{
	*(int *)v = errno;
}

TASK_TEST_BY(a_new_task_starts_with_errno_0,
	int err = -1;

	ck_assert_int_eq(taskrun(body, &err), 0);
	ck_assert_int_eq(err, 0))
{
	errno = E2BIG;
	taskcreate(tellerrno, v, 0);
	taskyield();
	int err = errno;
	ck_assert_int_eq(err, E2BIG);
}

TEST_MAIN("task",
	a_new_task_waits_at_the_tail_and_its_creator_runs_on,
	a_hundred_thousand_tasks_come_and_go_and_no_id_comes_twice,
	tasks_create_tasks_a_thousand_deep,
	taskcreate_without_a_function_fails_with_EINVAL,
	taskyield_returns_how_many_others_ran,
	taskyield_counts_the_turn_of_the_fdtask,
	a_loop_on_taskyield_waits_until_nobody_else_runs,
	a_loop_on_taskyield_may_leave_one_other_out_of_account,
	tasks_that_are_always_ready_run_once_each_in_every_round,
	anyready_tells_whether_another_task_can_run,
	delays_of_30_10_and_20_end_in_the_order_10_20_30,
	no_delay_is_ever_early,
	delays_of_the_same_length_end_in_the_order_of_their_start,
	taskdelay_0_looks_at_the_descriptors_once,
	a_task_that_spins_in_taskyield_does_not_stop_timers,
	S3_13_without_io_there_is_no_poller_to_see_and_timers_come,
	two_tasks_that_play_ping_pong_do_not_stop_timers,
	a_task_whose_reads_always_succeed_lets_others_run,
	tasks_that_come_and_go_do_not_stop_timers,
	errno_belongs_to_the_task_whatever_it_waits_in,
	a_new_task_starts_with_errno_0)
