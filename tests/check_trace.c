/* SPDX-License-Identifier: MIT */
/* What is recorded of tasks is what they did. */
#include "test.h"
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>

typedef struct Event
{
	uint32_t dt;
	uint32_t task;
	uint8_t kind;
	uint8_t why;
	uint16_t high;
	uint32_t low;
} Recorded;

enum { Time = 1, Create, Switch, Ready, Name, Mark, Begin, End_, Snapshot,
	State, Counter, Lost };

typedef struct Seenevent
{
	unsigned int proc;
	uint64_t ns;
	Recorded e;
} Seenevent;

static unsigned char file[8 << 20];
static size_t nfile;
static char strings[20000][130];
static unsigned int nstrings, nwhy, nprocs;
static Seenevent seen[400000];
static size_t nseen;

static uint64_t
num(const unsigned char *at, int n)
{
	uint64_t x = 0;

	while(n-- > 0)
		x = x << 8 | at[n];
	return x;
}

/* reads the file that tracesave writes; its parts fill it exactly. */
static void
readfile(const char *path)
{
	int fd = open(path, O_RDONLY);
	ssize_t r;

	for(nfile = 0; (r = read(fd, file + nfile, sizeof file - nfile)) > 0; )
		nfile += (size_t)r;
	close(fd);
	ck_assert_uint_ge(nfile, 64);
	ck_assert_int_eq(memcmp(file, "TASKTT\0\1", 8), 0);
	ck_assert_uint_eq(num(file + 8, 4), (uint64_t)getpid());
	nprocs = (unsigned int)num(file + 12, 4);
	nwhy = (unsigned int)num(file + 24, 4);
	nstrings = (unsigned int)num(file + 28, 4);
	size_t at = 64, total = (size_t)num(file + 32, 8);
	ck_assert_uint_lt(nstrings, 20000);
	for(unsigned int i = 0; i < nstrings; i++){
		size_t n = num(file + at, 2);
		ck_assert_uint_lt(n, 130);
		memcpy(strings[i + 1], file + at + 2, n);
		strings[i + 1][n] = '\0';
		at += 2 + n + n % 2;
	}
	nseen = 0;
	for(unsigned int p = 0; p < nprocs; p++){
		uint64_t ns = num(file + at + 8, 8), n = num(file + at + 16, 8);
		unsigned int proc = (unsigned int)num(file + at, 4);
		for(at += 24; n-- > 0; at += 16){
			Recorded e;
			memcpy(&e, file + at, sizeof e);
			ns += e.dt;
			if(e.kind == Time)
				ns += (uint64_t)e.high << 32 | e.low;
			ck_assert(e.kind >= Time && e.kind <= Lost);
			if(nseen < 400000)
				seen[nseen++] = (Seenevent){proc, ns, e};
			total--;
		}
	}
	ck_assert_uint_eq(at, nfile);
	ck_assert_uint_eq(total, 0);
}

static char path[64];

static void
save(void)
{
	snprintf(path, sizeof path, "/tmp/check_trace.%d", getpid());
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(tracesave(fd), 0);
	close(fd);
	readfile(path);
	unlink(path);
}

static int
count(int kind, unsigned int task)
{
	int n = 0;

	for(size_t i = 0; i < nseen; i++)
		n += seen[i].e.kind == kind && seen[i].e.task == task;
	return n;
}

/* The string of the last event of that kind of the task. */
static const char *
said(int kind, unsigned int task)
{
	const char *s = "";

	for(size_t i = 0; i < nseen; i++)
		if(seen[i].e.kind == kind && seen[i].e.task == task)
			s = strings[seen[i].e.low];
	return s;
}

/* Who runs, as the events have it, follows without a gap. */
static void
consistent(void)
{
	unsigned int running = 0, proc = 0;
	int known = 0;
	uint64_t ns = 0;

	for(size_t i = 0; i < nseen; i++){
		const Recorded *e = &seen[i].e;
		if(seen[i].proc != proc)
			known = 0, ns = 0;
		proc = seen[i].proc;
		ck_assert_uint_ge(seen[i].ns, ns);
		ns = seen[i].ns;
		if(e->kind == State && e->why == 255){
			if(known)
				ck_assert_uint_eq(e->task, running);
			running = e->task;
			known = 1;
		}
		if(e->kind == Switch){
			ck_assert(e->why < nwhy || e->why >= 254);
			running = e->task;
		}
	}
}

static Channel *c;
enum { Items = 20 };

static void
sends(void *v)
{
	(void)v;
	taskname("sen\nder");
	tracebegin("outer");
	for(unsigned long i = 0; i < Items; i++){
		tracebegin("inner");
		chansendul(c, i);
		traceend();
	}
	traceend();
	tracemark("sent %d\033", Items);
}

static void
receives(void *v)
{
	(void)v;
	for(int i = 0; i < Items; i++)
		chanrecvul(c);
}

/* waits until the task has ended. */
static void
ended(int id)
{
	Taskinfo i;

	while(taskinfo(id, &i, sizeof i) == 0)
		taskdelay(1);
}

TASK_TEST(a_trace_has_every_switch_with_its_reason)
{
	Taskstats before, after;

	c = chancreate(sizeof(unsigned long), 0);
	ck_assert_int_eq(tracestart(1 << 20), 0);
	taskyield();
	taskstats(&before, sizeof before);
	tracemark("from here on");
	int a = taskcreate(sends, NULL, 0), b = taskcreate(receives, NULL, 0);
	ended(a);
	ended(b);
	taskstats(&after, sizeof after);
	save();
	consistent();
	int n = 0, sent = 0, nended = 0, from = 0;
	for(size_t i = 0; i < nseen; i++){
		const Recorded *e = &seen[i].e;
		from |= e->kind == Mark && e->task == taskid();
		if(e->kind != Switch || !from)
			continue;
		n++;
		if(e->why < nwhy)
			sent += strcmp(strings[e->why + 1], "chansend") == 0;
		nended += e->why == 255;
	}
	ck_assert_int_eq(n, (int)(after.switches - before.switches));
	ck_assert_int_gt(sent, 0);
	ck_assert_int_eq(nended, 2);
	ck_assert_int_eq(count(Create, (unsigned int)a), 1);
	ck_assert_int_gt(count(Ready, (unsigned int)b) +
		count(Ready, (unsigned int)a), Items / 2);
	ck_assert_str_eq(said(Name, (unsigned int)a), "sen\\nder");
	ck_assert_str_eq(said(Mark, (unsigned int)a), "sent 20\\033");
	ck_assert_int_eq(count(Begin, (unsigned int)a), Items + 1);
	ck_assert_int_eq(count(End_, (unsigned int)a), Items + 1);
	ck_assert_int_eq(tracestop(), 0);
	FAILS(tracesave(2), EINVAL);
	chanfree(c);
}

static void
parkedlong(void *v)
{
	taskname("parked %d", (int)(intptr_t)v);
	taskdelay(1000000);
}

/* After many rounds of the ring it still says who is parked in what. */
TASK_TEST(a_ring_that_went_round_begins_with_a_snapshot)
{
	enum { Parked = 50 };
	int first = 0;

	if(TestFewer > 1)
		TEST_SKIP("tasks take too long to make");
	for(intptr_t i = 0; i < Parked; i++){
		int id = taskcreate(parkedlong, (void *)i, 0);
		first = first ? first : id;
	}
	taskcreate(nothing, NULL, 0);
	ck_assert_int_eq(tracestart(1), 0);
	taskdelay(1);
	for(int i = 0; i < 30000; i++){
		taskcreate(nothing, NULL, 0);
		taskyield();
	}
	save();
	consistent();
	ck_assert_uint_le(nseen, 64 * 1024 / 16);
	ck_assert_uint_ge(nseen, 64 * 1024 / 16 / 2);
	ck_assert_int_eq(seen[0].e.kind, Snapshot);
	ck_assert_uint_ge(seen[0].e.low, Parked + 2);
	ck_assert_uint_le(seen[0].e.low, Parked + 3);	/* one amid its end */
	for(int i = 0; i < Parked; i++){
		char name[32];
		int parked = 0;
		snprintf(name, sizeof name, "parked %d", i);
		ck_assert_str_eq(said(Name, (unsigned int)(first + i)), name);
		for(size_t k = 0; k < nseen; k++)
			parked += seen[k].e.kind == State && seen[k].e.task ==
				(unsigned int)(first + i) && seen[k].e.why <
				nwhy && strcmp(strings[seen[k].e.why + 1],
				"taskdelay") == 0;
		ck_assert_int_ge(parked, 4);
	}
	tracestop();
	taskexitall(0);
}

static atomic_int over, turns[2];

static void
second(void *v)
{
	taskname("second");
	for(; !over; ++*(atomic_int *)v)
		taskdelay(1);
}

/* Both have had some more turns. */
static void
awaitturns(int n)
{
	int were[] = {turns[0], turns[1]};

	while(turns[0] < were[0] + 2 || (n > 1 && turns[1] < were[1] + 2))
		taskdelay(1);
}

TASK_TEST(all_procs_are_recorded_those_to_come_too)
{
	int before = proccreate(second, &turns[0], 0);

	awaitturns(1);
	ck_assert_int_eq(tracestart(0), 0);
	int after = proccreate(second, &turns[1], 0);
	awaitturns(2);
	save();
	consistent();
	ck_assert_uint_eq(nprocs, 3);
	int n[2] = {0, 0};
	for(size_t i = 0; i < nseen; i++)
		if(seen[i].e.kind == Switch && seen[i].e.task == 1){
			n[0] += seen[i].proc == (unsigned int)before;
			n[1] += seen[i].proc == (unsigned int)after;
		}
	ck_assert_int_gt(n[0], 0);
	ck_assert_int_gt(n[1], 0);
	over = 1;
	procwait(before, NULL);
	procwait(after, NULL);
	ck_assert_int_eq(tracestop(), 0);
	ck_assert_int_eq(tracestop(), 0);
}

TASK_TEST(more_strings_than_there_is_room_for_are_left_out)
{
	ck_assert_int_eq(tracestart(1 << 20), 0);
	for(int i = 0; i < 6000; i++)
		tracemark("mark %d", i);
	save();
	ck_assert_uint_lt(nstrings, 4096 + 64);
	ck_assert_int_eq(count(Mark, taskid()), 6000);
	ck_assert_str_eq(said(Mark, taskid()), "...");
	tracestop();
	tracemark("nobody records");
	tracebegin("nothing");
	traceend();
}

static void
marks(int from, int to, int why, void *arg)
{
	(void)from, (void)to, (void)why, (void)arg;
	tracemark("seen");
}

/* The hook marks later than the switch was timed: time stays where it is. */
TASK_TEST(a_hook_may_mark_what_it_sees)
{
	uint64_t hour = 3600 * (uint64_t)1000000000;

	ck_assert_int_eq(tracestart(1 << 20), 0);
	ck_assert_int_eq(tasksettrace(marks, NULL), 0);
	for(int i = 0; i < 20; i++){
		taskcreate(nothing, NULL, 0);
		taskyield();
	}
	tasksettrace(NULL, NULL);
	save();
	consistent();
	int n = 0;
	for(size_t i = 0; i < nseen; i++)
		n += seen[i].e.kind == Mark;
	ck_assert_int_ge(n, 20);
	ck_assert_uint_lt(seen[nseen - 1].ns, hour);
	tracestop();
}

/* traceon */

static char home[64];

static void
gohome(void)
{
	strcpy(home, "/tmp/trace-test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(home));
	ck_assert_int_eq(chdir(home), 0);
}

static char *
tracename(int n)
{
	static char path[64];

	snprintf(path, sizeof path, "trace.%d.%d.tt", (int)getpid(), n);
	return path;
}

/* waits for the n-th file, reads and removes it. */
static void
comes(int n)
{
	for(int i = 0; i < 20000 && access(tracename(n), F_OK) < 0; i++)
		taskdelay(1);
	readfile(tracename(n));
	consistent();
	unlink(tracename(n));
}

/* Nothing else was left there. */
static void
leavehome(void)
{
	ck_assert_int_eq(rmdir(home), 0);
}

static void
hogs(void *v)
{
	int64_t end = nowns() + 100 * (int64_t)1000000;

	(void)v;
	taskname("hog");
	tracemark("at it");
	while(nowns() < end)
		;
}

static void
nonerun(void *v)
{
	(void)v;
	gohome();
	ck_assert_int_eq(traceon(TRACERAN, 50), 0);
	int id = taskcreate(hogs, NULL, 0);
	comes(1);
	ck_assert_str_eq(said(Mark, id), "at it");
	taskcreate(hogs, NULL, 0);	/* too soon after the first */
	taskdelay(150);
	ck_assert_int_lt(access(tracename(2), F_OK), 0);
	leavehome();
	exit(0);
}

START_TEST(a_task_that_lets_none_run_is_found_in_a_file)
{
	char err[4096];

	ck_assert_int_eq(childtask(nonerun, err, sizeof err), 0);
	char *what = strstr(err, "task 2 (hog) let no other run for ");
	ck_assert_msg(what != NULL, "%s", err);
	ck_assert_ptr_nonnull(strstr(what, " ms: saved in trace."));
	ck_assert_msg(!strstr(what, "task 3 (hog)"), "%s", err);
}
END_TEST

static void
hogslast(void *v)
{
	ck_assert_int_eq(traceon(TRACERAN, 50), 0);
	hogs(v);
}

START_TEST(what_the_last_task_has_done_is_saved_before_the_end)
{
	gohome();
	ck_assert_int_eq(taskrun(hogslast, NULL), 0);
	ck_assert_int_eq(unlink(tracename(1)), 0);
	leavehome();
}
END_TEST

static void
hogsthere(void *v)
{
	(void)v;
	taskcreate(hogs, NULL, 0);
	taskcreate(nothing, NULL, 0);
	taskdelay(200);
}

TASK_TEST(one_that_was_ready_and_did_not_run_is_found_in_any_proc)
{
	gohome();
	ck_assert_int_eq(tracestart(1 << 20), 0);
	ck_assert_int_eq(traceon(TRACEREADY, 50), 0);
	int proc = proccreate(hogsthere, NULL, 0);
	comes(1);
	ck_assert_uint_eq(nprocs, 2);
	procwait(proc, NULL);
	ck_assert_int_eq(traceon(TRACEREADY, 0), 0);
	tracestop();
	leavehome();
}

/* What is found is told when the one that was ready has stopped again. */
TASK_TEST(what_is_found_before_a_fork_does_not_keep_the_child_from_finding)
{
	int status;

	if(TestFewer > 1)
		TEST_SKIP("TSan does not follow what a child does");
	gohome();
	ck_assert_int_eq(traceon(TRACEREADY, 50), 0);
	taskcreate(hogs, NULL, 0);
	taskyield();
	pid_t pid = taskfork();
	if(pid == 0){
		taskcreate(hogs, NULL, 0);
		taskyield();
		comes(1);
		exit(0);
	}
	while(waitpid(pid, &status, WNOHANG) == 0)
		taskdelay(5);
	ck_assert_int_eq(status, 0);
	comes(1);
	leavehome();
}

TASK_TEST(what_is_found_when_it_has_been_ended_is_not_saved)
{
	gohome();
	ck_assert_int_eq(traceon(TRACEREADY, 50), 0);
	taskcreate(hogs, NULL, 0);
	taskyield();
	ck_assert_int_eq(traceon(TRACEREADY, 0), 0);
	taskdelay(50);
	leavehome();
}

TASK_TEST(a_signal_has_it_saved_each_time_it_comes)
{
	gohome();
	ck_assert_int_eq(traceon(TRACESIGNAL, SIGUSR2), 0);
	FAILS(traceon(TRACESIGNAL, SIGUSR1), EBUSY);
	for(int i = 1; i <= 3; i++){
		kill(getpid(), SIGUSR2);
		comes(i);
	}
	ck_assert_int_eq(traceon(TRACESIGNAL, 0), 0);
	ck_assert_int_eq(traceon(TRACESIGNAL, 0), 0);
	settle();
	FAILS(traceon(TRACESIGNAL, SIGKILL), EINVAL);
	ck_assert_int_eq(traceon(TRACESIGNAL, SIGUSR1), 0);
	FAILS(traceon(0, 1), EINVAL);
	FAILS(traceon(TRACESIGNAL + 1, 1), EINVAL);
	leavehome();
}

TASK_TEST(a_signal_is_as_before_even_if_it_is_ended_at_once)
{
	struct sigaction sa;

	ck_assert_int_eq(traceon(TRACESIGNAL, SIGUSR2), 0);
	ck_assert_int_eq(traceon(TRACESIGNAL, 0), 0);
	settle();
	ck_assert_int_eq(sigaction(SIGUSR2, NULL, &sa), 0);
	ck_assert(sa.sa_handler == SIG_DFL);
}

static void
watchesthere(void *v)
{
	while(traceon(TRACESIGNAL, SIGUSR2) < 0)	/* somebody asks too */
		taskdelay(1);
	chanrecvul(v);
}

TASK_TEST(a_signal_that_another_proc_watches_is_ended_too)
{
	Channel *c = chanshared(sizeof(unsigned long), 0);
	int proc = proccreate(watchesthere, c, 0);

	for(int i = 0; i < 10000 && traceon(TRACESIGNAL, SIGUSR1) == 0; i++){
		traceon(TRACESIGNAL, 0);
		taskdelay(1);
	}
	ck_assert_int_eq(traceon(TRACESIGNAL, 0), 0);
	ck_assert_int_eq(traceon(TRACESIGNAL, SIGUSR2), 0);
	chanclose(c);
	procwait(proc, NULL);
	chanfree(c);
}

/* What is not recorded cannot be saved, and is none of ten files. */
TASK_TEST(what_is_found_while_nothing_is_recorded_does_not_count)
{
	gohome();
	ck_assert_int_eq(traceon(TRACERAN, 50), 0);
	tracestop();
	taskcreate(hogs, NULL, 0);
	taskdelay(10);
	ck_assert_int_eq(tracestart(0), 0);
	taskcreate(hogs, NULL, 0);
	comes(1);
	leavehome();
}

/* It may be of a process that had the same number. */
TASK_TEST(a_file_that_is_there_already_stays)
{
	struct stat st;

	gohome();
	fclose(fopen(tracename(1), "w"));
	ck_assert_int_eq(traceon(TRACESIGNAL, SIGUSR2), 0);
	kill(getpid(), SIGUSR2);
	comes(2);
	ck_assert_int_eq(stat(tracename(1), &st), 0);
	ck_assert_int_eq(st.st_size, 0);
	unlink(tracename(1));
	leavehome();
}

TASK_TEST(a_file_that_cannot_be_made_harms_nobody)
{
	ck_assert_int_eq(chdir("/proc"), 0);
	ck_assert_int_eq(traceon(TRACERAN, 20), 0);
	taskcreate(hogs, NULL, 0);
	taskdelay(50);
	taskdelay(50);
	save();
	consistent();
}

START_TEST(where_there_is_no_scheduler_they_fail)
{
	FAILS(traceon(TRACERAN, 1), EPERM);
	FAILS(tracestart(0), EPERM);
	FAILS(tracestop(), EPERM);
	FAILS(tracesave(1), EPERM);
}
END_TEST

TEST_MAIN("trace",
	a_trace_has_every_switch_with_its_reason,
	a_ring_that_went_round_begins_with_a_snapshot,
	all_procs_are_recorded_those_to_come_too,
	more_strings_than_there_is_room_for_are_left_out,
	a_hook_may_mark_what_it_sees,
	a_task_that_lets_none_run_is_found_in_a_file,
	what_the_last_task_has_done_is_saved_before_the_end,
	one_that_was_ready_and_did_not_run_is_found_in_any_proc,
	what_is_found_before_a_fork_does_not_keep_the_child_from_finding,
	what_is_found_when_it_has_been_ended_is_not_saved,
	a_signal_has_it_saved_each_time_it_comes,
	a_signal_is_as_before_even_if_it_is_ended_at_once,
	a_signal_that_another_proc_watches_is_ended_too,
	what_is_found_while_nothing_is_recorded_does_not_count,
	a_file_that_is_there_already_stays,
	a_file_that_cannot_be_made_harms_nobody,
	where_there_is_no_scheduler_they_fail)
