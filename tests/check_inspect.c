/* SPDX-License-Identifier: MIT */
/* Tasks as data: lists, numbers, how long they ran, each switch. */
#include "test.h"
#include "watched.h"
#include <stdatomic.h>
#include <sys/socket.h>

enum { Ways = 5, Each = 20 };

static Channel *c;
static QLock lock;
static Event event;
static int pair[2];
static int unaligned, notnull;

static void
waitsin(void *v)
{
	char local;

	/* a frame begins at a multiple of 16, less the return address */
	if((uintptr_t)__builtin_frame_address(0) % 16)
		unaligned++;
	if(*taskdata() != NULL)
		notnull++;
	*taskdata() = v;
	switch((intptr_t)v){
	case 0:
		chanrecv(c, &local);
		break;
	case 1:
		taskdelay(1000000);
		break;
	case 2:
		if(qlock(&lock) == 0)
			qunlock(&lock);
		break;
	case 3:
		eventwait(&event);
		break;
	default:
		fdwait(pair[0], 'r');
	}
}

static const char *const calls[Ways] = {
	"chanrecv", "taskdelay", "qlock", "eventwait", "fdwait"};

typedef struct Seenlist
{
	int n, nsystem, way[Ways];
	int running;
	int last;	/* id */
} Seenlist;

static int
look(const Taskinfo *i, void *v)
{
	Seenlist *s = v;

	s->n++;
	s->nsystem += i->system;
	if(i->status == TASKRUNNING)
		s->running = i->id;
	ck_assert_int_gt(i->id, s->last);
	s->last = i->id;
	for(int w = 0; w < Ways; w++)
		if(strcmp(i->why, calls[w]) == 0){
			ck_assert_int_eq(i->status, TASKPARKED);
			s->way[w]++;
		}
	return 0;
}

static Seenlist
looked(void)
{
	Seenlist s = {.last = -1};

	ck_assert_int_eq(tasklist(look, &s), 0);
	return s;
}

static int
stopatthird(const Taskinfo *i, void *v)
{
	(void)i;
	return ++*(int *)v == 3 ? 77 : 0;
}

TASK_TEST(S0_2_every_live_task_is_listed_and_none_that_has_ended)
{
	int n = 0;
	Taskinfo i;

	c = chancreate(1, 0);
	qlock(&lock);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	int first = taskid() + 1;
	for(intptr_t k = 0; k < Ways * Each; k++)
		ck_assert_int_gt(taskcreate(waitsin, (void *)(k % Ways), 0),
			0);
	taskdelay(1);
	Seenlist s = looked();
	ck_assert_int_eq(s.n, Ways * Each + 2);
	ck_assert_int_eq(s.nsystem, 1);
	ck_assert_int_eq(s.running, taskid());
	for(int w = 0; w < Ways; w++)
		ck_assert_int_eq(s.way[w], Each);
	ck_assert_int_eq(unaligned, 0);
	ck_assert_int_eq(notnull, 0);
	ck_assert_int_eq(tasklist(stopatthird, &n), 77);
	ck_assert_int_eq(n, 3);

	for(int k = 0; k < Ways * Each; k++)
		taskcancel(first + k);
	qunlock(&lock);
	for(int k = 0; k < Each; k++)
		ck_assert_int_eq(write(pair[1], "x", 1), 1);
	settle();
	s = looked();
	ck_assert_int_eq(s.n, 2);
	FAILS(taskinfo(first, &i, sizeof i), ESRCH);
	FAILS(tasklist(NULL, NULL), EINVAL);
	chanfree(c);
	close(pair[0]);
	close(pair[1]);
}

static void
waitsnamed(void *v)
{
	taskname("reader %d", 7);
	taskstate("half\tway");
	chanrecv(v, NULL);
}

TASK_TEST(a_parked_task_says_what_it_waits_for_since_when_and_who_made_it)
{
	Taskinfo i;
	int64_t before = tasknow();

	c = chancreate(1, 0);
	c->name = "requests";
	taskdelay(20);
	int id = taskcreate(waitsnamed, c, 128 * 1024);
	do
		taskdelay(1);
	while(taskinfo(id, &i, sizeof i) == 0 && i.status != TASKPARKED);
	int64_t parked = tasknow();
	taskdelay(20);
	ck_assert_int_eq(taskinfo(id, &i, sizeof i), 0);
	ck_assert_int_eq(i.id, id);
	ck_assert_int_eq(i.proc, procself());
	ck_assert_int_eq(i.status, TASKPARKED);
	ck_assert_str_eq(i.why, "chanrecv");
	ck_assert_str_eq(i.object, "c \"requests\"");
	ck_assert_str_eq(i.name, "reader 7");
	ck_assert_str_eq(i.state, "half\tway");
	ck_assert_int_gt(i.since_ns, before + 10000000);
	ck_assert_int_le(i.since_ns, parked);
	ck_assert_int_eq(i.deadline_ns, -1);
	ck_assert_uint_ge(i.stack, 128 * 1024);
	ck_assert_uint_gt(i.stackused, 0);
	ck_assert_uint_lt(i.stackused, 16 * 1024);
	ck_assert(i.entry == (const void *)(uintptr_t)waitsnamed);
	ck_assert_int_eq(i.creator, taskid());
	ck_assert_ptr_nonnull(i.made);
	ck_assert(!i.system && !i.cancelled);
	ck_assert_uint_ge(taskstackused(id), i.stackused);

	taskcancel(id);
	ck_assert_int_eq(taskinfo(id, &i, sizeof i), 0);
	ck_assert_int_eq(i.status, TASKREADY);
	ck_assert_str_eq(i.why, "ready");
	ck_assert_int_eq(i.since_ns, -1);
	ck_assert_int_eq(i.cancelled, 1);
	taskyield();
	FAILS(taskinfo(id, &i, sizeof i), ESRCH);
	ck_assert_int_eq(taskinfo(taskid(), &i, sizeof i), 0);
	ck_assert_str_eq(i.why, "running");
	ck_assert_int_eq(taskinfo(0, &i, sizeof i), 0);
	ck_assert_str_eq(i.name, "fdtask");
	chanfree(c);
}

static void
waitslocked(void *v)
{
	(void)v;
	if(qlock(&lock) == 0)
		qunlock(&lock);
}

/* Nothing of it is kept up while tasks run: it is true when it is asked for. */
TASK_TEST(S3_11_what_is_told_of_a_task_is_found_when_somebody_asks)
{
	Taskinfo before, now;
	char owner[64];

	c = chancreate(1, 0);
	c->name = "early";
	qlock(&lock);
	taskname("first");
	int reader = taskcreate(waitsnamed, c, 0);
	int locker = taskcreate(waitslocked, NULL, 0);
	taskyield();
	ck_assert_int_eq(taskinfo(reader, &before, sizeof before), 0);
	ck_assert_str_eq(before.object, "c \"early\"");
	c->name = "late";
	ck_assert_int_eq(taskinfo(reader, &now, sizeof now), 0);
	ck_assert_str_eq(now.object, "c \"late\"");
	ck_assert_str_eq(before.object, "c \"early\"");

	taskname("second");
	snprintf(owner, sizeof owner, "held by task %u (second)", taskid());
	ck_assert_int_eq(taskinfo(locker, &now, sizeof now), 0);
	ck_assert_str_eq(now.object, owner);
	qunlock(&lock);
	ck_assert_int_eq(taskinfo(locker, &now, sizeof now), 0);
	ck_assert_str_eq(now.why, "ready");
	ck_assert_str_eq(now.object, "");
	taskcancel(reader);
	ck_assert_int_eq(taskinfo(reader, &now, sizeof now), 0);
	ck_assert_int_eq(now.cancelled, 1);
	settle();
	chanfree(c);
}

TASK_TEST(a_program_may_know_less_of_Taskinfo)
{
	struct { int id, proc, behind; } small = {0, 0, 12345};

	ck_assert_int_eq(taskinfo(taskid(), (Taskinfo *)&small,
		2 * sizeof(int)), 0);
	ck_assert_int_eq(small.id, taskid());
	ck_assert_int_eq(small.behind, 12345);
	Taskinfo i;
	FAILS(taskinfo(taskid(), &i, sizeof i + 1), EINVAL);
	FAILS(taskinfo(taskid(), &i, 0), EINVAL);
	FAILS(taskinfo(taskid(), NULL, sizeof i), EINVAL);
}

static void *
spawnedhere(void *v)
{
	taskdelay(1000000);
	return v;
}

static void
callshere(void *v)
{
	(void)v;
	taskdelay(1000000);
}

static atomic_int over;

static void
untilover(void *v)
{
	while(!over)
		taskdelay(1);
	(void)v;
}

static int
calledhere(void *v)
{
	Taskinfo i;

	ck_assert_int_eq(taskinfo(taskid(), &i, sizeof i), 0);
	*(const void **)v = i.entry;
	return i.made != NULL;
}

/* The entry is the program's function, not the library's around it. */
TASK_TEST(whatever_makes_a_task_tells_its_function_and_where_that_was)
{
	const void *entry = NULL;
	Group g = {0};
	Taskinfo i;
	int id = taskspawn(spawnedhere, NULL, 0);

	ck_assert_int_eq(taskinfo(id, &i, sizeof i), 0);
	ck_assert(i.entry == (const void *)(uintptr_t)spawnedhere && i.made);
	taskcancel(id);
	taskwait(id, NULL);
	id = groupspawn(&g, callshere, NULL, 0);
	ck_assert_int_eq(taskinfo(id, &i, sizeof i), 0);
	ck_assert(i.entry == (const void *)(uintptr_t)callshere && i.made);
	groupcancel(&g);
	groupwait(&g);
	id = taskafter(1000000, callshere, NULL);
	ck_assert_int_eq(taskinfo(id, &i, sizeof i), 0);
	ck_assert(i.entry == (const void *)(uintptr_t)callshere && i.made);
	taskcancel(id);
	int proc = proccreate(untilover, NULL, 0);
	ck_assert_int_eq(proccall(proc, calledhere, &entry), 1);
	over = 1;
	procwait(proc, NULL);
	ck_assert(entry == (const void *)(uintptr_t)calledhere);
	settle();
}

TASK_TEST(numbers_count_what_is_there)
{
	Taskstats s, before;

	c = chancreate(1, 0);
	memset(&lock, 0, sizeof lock);
	qlock(&lock);
	event = (Event){0};
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(taskstats(&before, sizeof before), 0);
	ck_assert_uint_eq(before.tasks, 1);
	int first = taskid() + 1;
	for(intptr_t k = 0; k < Ways * 3; k++)
		taskcreate(waitsin, (void *)(k % Ways), 0);
	ck_assert_int_eq(taskstats(&s, sizeof s), 0);
	ck_assert_uint_eq(s.ready, Ways * 3);
	taskdelay(1);
	ck_assert_int_eq(taskstats(&s, sizeof s), 0);
	ck_assert_uint_eq(s.tasks, Ways * 3 + 1);
	ck_assert_uint_eq(s.system, 0);
	ck_assert_uint_eq(s.ready, 0);
	ck_assert_uint_eq(s.channels, 3);
	ck_assert_uint_eq(s.delays, 3);
	ck_assert_uint_eq(s.locks, 3);
	ck_assert_uint_eq(s.events, 3);
	ck_assert_uint_eq(s.descriptors, 3);
	ck_assert_uint_eq(s.waiting, 3);
	ck_assert_uint_eq(s.timers, 3);
	ck_assert_uint_ge(s.waits, before.waits + Ways * 3);
	ck_assert_uint_ge(s.switches, before.switches + Ways * 3);
	ck_assert_uint_gt(s.turns, before.turns);
	ck_assert_uint_ge(s.bytes, (Ways * 3 + 1) * (size_t)65536);
	for(int k = 0; k < Ways * 3; k++)
		taskcancel(first + k);
	qunlock(&lock);
	settle();
	ck_assert_int_eq(taskstats(&s, sizeof s), 0);
	ck_assert_uint_eq(s.tasks, 1);
	ck_assert_uint_ge(s.warm + s.cold, Ways * 3);
	FAILS(taskstats(&s, sizeof s + 1), EINVAL);
	FAILS(taskstats(NULL, sizeof s), EINVAL);
	chanfree(c);
	close(pair[0]);
	close(pair[1]);
}

__attribute__((noinline)) static void
touch(int bytes)
{
	volatile char room[1024];

	__asm__ volatile("" : : "r"(room) : "memory");
	room[0] = 1;
	if(bytes > 0)
		touch(bytes - (int)sizeof room);
	room[1] = 2;	/* no tail call */
}

static void
digs(void *v)
{
	touch(*(int *)v);
	taskdelay(1000000);
}

TASK_TEST(the_high_water_mark_of_a_stack_stays_when_the_water_falls)
{
	int deep = 100 * 1024;
	Taskinfo i;
	int id = taskcreate(digs, &deep, 256 * 1024);

	taskdelay(1);
	ck_assert_int_eq(taskinfo(id, &i, sizeof i), 0);
	ck_assert_uint_lt(i.stackused, 30 * 1024);
	ck_assert_uint_ge(taskstackused(id), (size_t)deep);
	ck_assert_uint_lt(taskstackused(id), 256 * 1024);
	errno = 0;
	ck_assert_uint_eq(taskstackused(99999), 0);
	ck_assert_int_eq(errno, ESRCH);
	taskcancel(id);
	settle();
}

static Rendez hogstarts;

static void
computes(void *v)
{
	(void)v;
	taskname("hog");
	for(int n = 0; n < 5; n++){
		taskwakeupall(&hogstarts);
		int64_t end = nowns() + 10000000;
		while(nowns() < end)
			;
		taskdelay(1);
	}
	taskdelay(1000000);
}

static void
rests(void *v)
{
	(void)v;
	for(int n = 0; n < 5; n++)
		tasksleep(&hogstarts);
	taskdelay(1000000);
}

static int
findhog(const Taskinfo *i, void *v)
{
	Taskinfo *most = v;

	if(i->id != 0 && i->id != (int)taskid() && i->ran_ns > most->ran_ns)
		*most = *i;
	return 0;
}

TASK_TEST(S3_19_a_profile_has_the_hog_on_top)
{
	Taskinfo most = {0}, i;

	ck_assert_int_eq(taskprofile(1), 0);
	ck_assert_int_eq(taskprofile(1), 0);
	for(int k = 0; k < 10; k++)
		taskcreate(rests, NULL, 0);
	int hog = taskcreate(computes, NULL, 0);
	i.switches = 0;
	for(int k = 0; k < 500 && i.switches < 6; k++){
		taskdelay(100);
		ck_assert_int_eq(taskinfo(hog, &i, sizeof i), 0);
	}
	ck_assert_int_eq(tasklist(findhog, &most), 0);
	ck_assert_int_eq(most.id, hog);
	ck_assert_uint_ge(most.ran_ns, 50 * 1000000);
	ck_assert_uint_ge(most.longest_ns, 10 * 1000000);
	ck_assert_uint_lt(most.longest_ns, most.ran_ns);
	ck_assert_uint_eq(most.switches, 6);
	ck_assert_int_eq(taskinfo(hog - 1, &i, sizeof i), 0);
	ck_assert_uint_eq(i.switches, 6);
	ck_assert_uint_gt(i.ran_ns, 0);
	/* the hog kept them from running, and nobody did so to it for long */
	ck_assert_uint_ge(i.ready_ns, 10 * 1000000);
	ck_assert_uint_lt(most.ready_ns, most.ran_ns);
	ck_assert_int_eq(taskprofile(0), 0);
	ck_assert_int_eq(taskprofile(0), 0);
	taskcreate(rests, NULL, 0);
	taskdelay(1);
	ck_assert_int_eq(taskinfo(hog, &i, sizeof i), 0);
	ck_assert_uint_eq(i.ran_ns, most.ran_ns);
	taskexitall(0);
}

typedef struct Step { int from, to, why; } Step;
static Step steps[4096];
static int nsteps;

static void
follow(int from, int to, int why, void *arg)
{
	ck_assert_ptr_eq(arg, steps);
	ck_assert_int_lt(nsteps, 4096);
	steps[nsteps++] = (Step){from, to, why};
}

static void
passes(void *v)
{
	for(int n = 0; n < 10; n++){
		char x = 0;
		if((intptr_t)v)
			chansend(c, &x);
		else
			chanrecv(c, &x);
		taskyield();
	}
}

TASK_TEST(S2_6_a_hook_is_told_of_every_switch)
{
	Taskstats before, after;
	Taskinfo i;
	int n[4] = {0};

	c = chancreate(1, 0);
	ck_assert_int_eq(tasksettrace(follow, steps), 0);
	taskyield();
	taskstats(&before, sizeof before);
	nsteps = 0;
	int a = taskcreate(passes, (void *)0, 0);
	int b = taskcreate(passes, (void *)1, 0);
	while(taskinfo(a, &i, sizeof i) == 0 ||
			taskinfo(b, &i, sizeof i) == 0)
		taskdelay(1);
	taskstats(&after, sizeof after);
	ck_assert_int_eq(nsteps, (int)(after.switches - before.switches));
	ck_assert_int_eq(steps[0].from, taskid());
	ck_assert_str_eq(taskwhy(steps[0].why), "taskdelay");
	ck_assert(steps[0].to == a || steps[0].to == 0);	/* its turn */
	for(int k = 0; k < nsteps; k++){
		if(k > 0)
			ck_assert_int_eq(steps[k].from, steps[k - 1].to);
		const char *why = taskwhy(steps[k].why);
		if(steps[k].from != a && steps[k].from != b)
			continue;
		n[0] += strcmp(why, "chanrecv") == 0;
		n[1] += strcmp(why, "chansend") == 0;
		n[2] += strcmp(why, "yield") == 0;
		n[3] += strcmp(why, "end") == 0;
	}
	ck_assert_int_gt(n[0], 0);
	ck_assert_int_gt(n[1] + n[2], 10);
	ck_assert_int_eq(n[3], 2);
	ck_assert_int_eq(steps[nsteps - 1].to, taskid());
	ck_assert_int_eq(tasksettrace(NULL, NULL), 0);
	nsteps = 0;
	taskdelay(1);
	ck_assert_int_eq(nsteps, 0);
	chanfree(c);
}

static void
stopsitself(int from, int to, int why, void *arg)
{
	(void)from, (void)to, (void)why;
	++*(int *)arg;
	errno = EBADF;
	tasksettrace(NULL, NULL);
}

TASK_TEST(a_hook_may_take_itself_away_and_errno_is_the_tasks)
{
	int n = 0;

	taskcreate(nothing, NULL, 0);
	ck_assert_int_eq(tasksettrace(stopsitself, &n), 0);
	errno = EAGAIN;
	taskyield();
	ck_assert_int_eq(errno, EAGAIN);
	taskyield();
	ck_assert_int_eq(n, 1);
	tasksettrace(follow, steps);	/* is left behind at the end */
}

static void
blocks(int from, int to, int why, void *arg)
{
	(void)from, (void)to, (void)why, (void)arg;
	taskdelay(1);
}

static void
hookblocks(void *v)
{
	(void)v;
	tasksettrace(blocks, NULL);
	taskdelay(1);
}

static void
hookyields(int from, int to, int why, void *arg)
{
	(void)from, (void)to, (void)why, (void)arg;
	taskyield();
}

static void
yieldinhook(void *v)
{
	(void)v;
	taskcreate(nothing, NULL, 0);
	taskcreate(nothing, NULL, 0);
	tasksettrace(hookyields, NULL);
	taskyield();
}

START_TEST(a_hook_must_not_block)
{
	abortstask(hookblocks, "must not block");
	abortstask(yieldinhook, "must not block");
}
END_TEST

/* Also where so many are ready that who joins them is noted. */
TASK_TEST(it_may_begin_and_end_while_very_many_are_ready)
{
	enum { Many = 1500 };	/* three times that are more than fit */
	int n = fewer(Many);

	for(int k = 0; k < n; k++)
		taskcreate(nothing, NULL, 0);
	ck_assert_int_eq(taskprofile(1), 0);
	for(int k = 0; k < n; k++)
		taskcreate(nothing, NULL, 0);
	ck_assert_int_eq(taskprofile(0), 0);
	for(int k = 0; k < n; k++)
		taskcreate(nothing, NULL, 0);
	taskyield();
	Taskstats s;
	ck_assert_int_eq(taskstats(&s, sizeof s), 0);
	ck_assert_uint_eq(s.tasks, 1);
}

static atomic_int computing;

__attribute__((noinline)) static void
compute(void)
{
	while(computing)
		;
	__asm__ volatile("");
}

static void
parks(void *v)
{
	(void)v;
	taskdelay(1000000);
}

static void
letsnonerun(void *v)
{
	(void)v;
	taskname("hog");
	taskcreate(parks, NULL, 0);
	taskdelay(1);
	computing = 1;
	compute();
	taskcancel(2);
}

/* reads all of a dump into text. */
static void
dumped(char *text, size_t n)
{
	FILE *f = tmpfile();

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(taskdump(fileno(f)), 0);
	rewind(f);
	text[fread(text, 1, n - 1, f)] = '\0';
	fclose(f);
}

static void
dumptells(const char *dump, const char *fmt, int proc)
{
	char text[128];

	snprintf(text, sizeof text, fmt, proc);
	ck_assert_msg(strstr(dump, text) != NULL, "no \"%s\" in: %s", text,
		dump);
}

/* TSan hands signals on at the next call only, and there is none. */
TASK_TEST(of_a_proc_whose_task_computes_the_dump_tells_that_and_the_others)
{
	char text[8192];

	if(TestFewer > 1)
		TEST_SKIP("a thread that computes gets no signal here");
	if(valgrind())
		TEST_SKIP("who computes goes on, and others wait");
	int proc = proccreate(letsnonerun, NULL, 0);
	while(!computing)
		taskdelay(1);
	/* it may have no CPU for the 100 ms that it is waited for */
	for(int i = 0; i == 0 || (i < 8 && !strstr(text, " (hog)")); i++)
		dumped(text, sizeof text);
	computing = 0;
	dumptells(text, "does not answer: task %d.1 (hog) lets no other run\n",
		proc);
#if defined(__x86_64__) || defined(__aarch64__)
	dumptells(text, "in letsnonerun+0x", 0);
#endif
	dumptells(text, " %d.1  hog                  (running)\n", proc);
	dumptells(text, " %d.2  parks()              taskdelay, for ", proc);
	ck_assert_int_eq(procwait(proc, NULL), 0);
}

START_TEST(where_there_is_no_scheduler_they_fail)
{
	Taskinfo i;
	Taskstats s;

	FAILS(tasklist(look, NULL), EPERM);
	FAILS(taskinfo(1, &i, sizeof i), EPERM);
	FAILS(taskstats(&s, sizeof s), EPERM);
	FAILS(taskprofile(1), EPERM);
	FAILS(tasksettrace(follow, NULL), EPERM);
	ck_assert_uint_eq(taskstackused(1), 0);
	ck_assert_str_eq(taskwhy(0), "yield");
	ck_assert_str_eq(taskwhy(-1), "end");
	ck_assert_str_eq(taskwhy(123456), "end");
}
END_TEST

static int
command(int fd, int argc, char **argv, void *arg)
{
	(void)fd, (void)argc, (void)argv, (void)arg;
	return 0;
}

START_TEST(the_watchdog_commands_and_taskstdout_want_no_scheduler)
{
	ck_assert_int_eq(taskwatchdog(1000), 0);
	ck_assert_int_eq(taskwatchdog(0), 0);
	ck_assert_int_eq(consoleadd("mine", NULL, command, NULL), 0);
	FAILS(consoleadd("mine", NULL, command, NULL), EEXIST);
	ck_assert_int_eq(taskstdout(), 1);
}
END_TEST

TEST_MAIN("inspect",
	S0_2_every_live_task_is_listed_and_none_that_has_ended,
	a_parked_task_says_what_it_waits_for_since_when_and_who_made_it,
	S3_11_what_is_told_of_a_task_is_found_when_somebody_asks,
	a_program_may_know_less_of_Taskinfo,
	whatever_makes_a_task_tells_its_function_and_where_that_was,
	numbers_count_what_is_there,
	the_high_water_mark_of_a_stack_stays_when_the_water_falls,
	S3_19_a_profile_has_the_hog_on_top,
	S2_6_a_hook_is_told_of_every_switch,
	a_hook_may_take_itself_away_and_errno_is_the_tasks,
	a_hook_must_not_block,
	it_may_begin_and_end_while_very_many_are_ready,
	of_a_proc_whose_task_computes_the_dump_tells_that_and_the_others,
	where_there_is_no_scheduler_they_fail,
	the_watchdog_commands_and_taskstdout_want_no_scheduler)
