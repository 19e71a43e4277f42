/* SPDX-License-Identifier: MIT */
/* What a task has of its own: values by key, and hooks around each stop. */
#include "test.h"
#include <pthread.h>

/* Keys and values. */

enum { Tasks = 1000, Mine = 8 };

static int keys[Mine];
static int destroyed[Tasks][Mine];
static int ndestroyed;

typedef struct Value
{
	int task;
	int key;
} Value;

static void
destroy(void *v)
{
	Value *mine = v;

	destroyed[mine->task][mine->key]++;
	ndestroyed++;
	free(mine);
}

static void
setandcheck(void *v)
{
	int n = (int)(intptr_t)v;

	*taskdata() = v;
	for(int k = 0; k < Mine; k++){
		ck_assert_ptr_null(tasklocal(keys[k]));
		Value *mine = malloc(sizeof *mine);
		*mine = (Value){n, k};
		ck_assert_int_eq(tasksetlocal(keys[k], mine), 0);
		taskyield();
	}
	for(int k = Mine - 1; k >= 0; k--){
		Value *mine = tasklocal(keys[k]);
		ck_assert_int_eq(mine->task, n);
		ck_assert_int_eq(mine->key, k);
		taskyield();
	}
	ck_assert_ptr_eq(*taskdata(), v);
	if(n % 2)
		taskexit(0);
}

TASK_TEST_BY(S2_10_a_thousand_tasks_have_eight_values_each,
	for(int k = 0; k < Mine; k++)
		keys[k] = taskkey(destroy);
	run(body);
	ck_assert_int_eq(ndestroyed, fewer(Tasks) * Mine);
	for(int i = 0; i < fewer(Tasks); i++)
		for(int k = 0; k < Mine; k++)
			ck_assert_int_eq(destroyed[i][k], 1))
{
	for(int i = 0; i < fewer(Tasks); i++)
		taskcreate(setandcheck, (void *)(intptr_t)i, 0);
}

static int first, second, third;

static void
noteandset(void *v)
{
	note(*(char *)v);
	taskyield();	/* a destroyer may stop */
	if(*(char *)v == 'b'){
		ck_assert_ptr_null(tasklocal(second));
		tasksetlocal(first, "d");	/* and set another value */
	}
}

static void
noteforever(void *v)
{
	note(*(char *)v);
	tasksetlocal(first, v);
}

static void
endwithvalues(void *v)
{
	(void)v;
	tasksetlocal(third, "c");
	tasksetlocal(first, "a");
	tasksetlocal(second, "b");
}

START_TEST(values_are_destroyed_in_the_order_of_the_keys_and_again_if_set)
{
	first = taskkey(noteandset);
	second = taskkey(noteandset);
	third = taskkey(noteandset);
	run(endwithvalues);
	ck_assert_str_eq(trace, "abcd");
}
END_TEST

static void
endwithone(void *v)
{
	tasksetlocal(first, v);
}

static void
endforever(void *v)
{
	(void)v;
	endwithone("x");
}

START_TEST(values_that_come_back_are_destroyed_four_times)
{
	first = taskkey(noteforever);
	run(endforever);
	ck_assert_str_eq(trace, "xxxx");
}
END_TEST

static void
noteandexit(void *v)
{
	note(*(char *)v);
	taskexit(7);
}

START_TEST(a_destroyer_that_calls_taskexit_does_not_keep_others_from_theirs)
{
	first = taskkey(noteandexit);
	second = taskkey(noteandset);
	third = taskkey(NULL);
	ck_assert_int_eq(taskrun(endwithvalues, NULL), 7);
	ck_assert_str_eq(trace, "abd");
}
END_TEST

static void
blockandnote(void *v)
{
	taskdelay(1);
	note(*(char *)v);
}

static void
noteone(void *v)
{
	note(*(char *)v);
}

TASK_TEST_BY(a_task_first_looked_for_while_it_destroys_is_found_only_then,
	first = taskkey(blockandnote);
	run(body);
	ck_assert_str_eq(trace, "abbb"))
{
	int id = taskcreate(endwithone, "a", 0);

	taskyield();	/* now it destroys */
	ck_assert_int_eq(taskcancel(id), 0);
	taskdelay(2);
	ck_assert_str_eq(trace, "a");
	errno = 0;
	ck_assert_int_eq(taskcancel(id), -1);
	ck_assert_int_eq(errno, ESRCH);
	for(int i = 0; i < 3; i++)	/* one of them has its memory */
		ck_assert_int_gt(taskcreate(noteone, "b", 0), 0);
	ck_assert_int_eq(taskcancel(id), -1);
}

static void
waitandnote(void *v)
{
	if(taskdelay(1000 * 1000) < 1000)
		note(*(char *)v);
}

static void
deferandspawn(void *v)
{
	static Group g;

	note(*(char *)v);
	ck_assert_int_eq(taskdefer(noteone, "d"), 0);
	ck_assert_int_gt(groupspawn(&g, waitandnote, "c", 0), 0);
	taskyield();	/* it has begun */
}

START_TEST(what_a_destroyer_defers_and_spawns_in_a_group_ends_with_the_task)
{
	first = taskkey(deferandspawn);
	run(endforever);
	ck_assert_str_eq(trace, "xcd");
}
END_TEST

/* What was taken back is not called, and of equal ones the last goes first. */
TASK_TEST_BY(what_was_deferred_can_be_taken_back, run(body);
	ck_assert_str_eq(trace, "bca"))
{
	taskdefer(noteone, "a");
	taskdefer(noteone, "d");
	taskdefer(noteone, "c");
	taskdefer(noteone, "d");
	taskdefer(noteone, "b");
	for(int i = 0; i < 2; i++)
		ck_assert_int_eq(taskundefer(noteone, "d"), 0);
	ck_assert_int_eq(taskundefer(noteone, "d"), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(taskundefer(waitandnote, "a"), -1);
	ck_assert_int_eq(errno, ENOENT);
}

static void
undeferself(void *v)
{
	ck_assert_int_eq(taskundefer(undeferself, v), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(taskundefer(noteone, "a"), 0);
	note('z');
}

TASK_TEST_BY(what_is_being_called_cannot_be_taken_back_but_others_can,
	run(body);
	ck_assert_str_eq(trace, "bz"))
{
	taskdefer(noteone, "a");
	taskdefer(undeferself, NULL);
	taskdefer(noteone, "b");
}

static void
deferwithone(void *v)
{
	tasksetlocal(first, v);
	taskdefer(noteone, "1");
	ck_assert_int_eq(tasklink((int)taskid(), noteone, "3"), 0);
}

static void
spawnandwait(void *v)
{
	Group g = {.limit = 1};

	(void)v;
	int id = groupspawn(&g, deferwithone, "2", 0);
	ck_assert_int_eq(taskwait(id, NULL), 0);
	note('4');
	groupspawn(&g, endwithone, "5", 0);
	groupwait(&g);
	note('6');
}

START_TEST(values_go_after_what_was_deferred_and_before_others_hear_of_the_end)
{
	first = taskkey(blockandnote);
	run(spawnandwait);
	ck_assert_str_eq(trace, "123456");
}
END_TEST

static void
waitforever(void *v)
{
	tasksystem();
	tasksetlocal(first, v);
	tasksetlocal(second, NULL);
	taskdelay(1000 * 1000);
}

/* The leak checkers look at the memory. */
TASK_TEST_BY(values_of_tasks_that_never_end_are_not_destroyed,
	first = taskkey(noteforever);
	second = taskkey(noteforever);
	run(body);
	ck_assert_str_eq(trace, ""))
{
	taskcreate(waitforever, "x", 0);
	taskyield();
}

static void
usekeys(void *v)
{
	int last = *(int *)v;

	ck_assert_ptr_null(tasklocal(last));
	ck_assert_int_eq(tasksetlocal(last, "z"), 0);
	ck_assert_int_eq(tasksetlocal(0, "a"), 0);
	ck_assert_str_eq(tasklocal(last), "z");
	ck_assert_str_eq(tasklocal(0), "a");
	ck_assert_ptr_null(tasklocal(1));
}

static void
badkeys(void *v)
{
	errno = E2BIG;
	ck_assert_ptr_null(tasklocal(0));
	ck_assert_int_eq(tasksetlocal(0, NULL), 0);
	ck_assert_int_eq(errno, E2BIG);
	int wrong[] = {-1, *(int *)v, 128, INT32_MAX, INT32_MIN};
	for(int i = 0; i < 5; i++){
		errno = 0;
		ck_assert_ptr_null(tasklocal(wrong[i]));
		ck_assert_int_eq(errno, EINVAL);
		errno = 0;
		ck_assert_int_eq(tasksetlocal(wrong[i], v), -1);
		ck_assert_int_eq(errno, EINVAL);
	}
}

START_TEST(keys_that_were_not_made_are_EINVAL_and_the_129th_is_EAGAIN)
{
	int n = taskkey(NULL) + 1, last;

	ck_assert_int_eq(taskrun(badkeys, &n), 0);
	while((last = taskkey(NULL)) >= 0)
		n++;
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(n, 128);
	n--;
	ck_assert_int_eq(taskrun(usekeys, &n), 0);
	errno = 0;
	ck_assert_ptr_null(tasklocal(0));
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(tasksetlocal(0, NULL), -1);
}
END_TEST

static void *
elsewhere(void *v)
{
	ck_assert_int_eq(taskrun(endwithone, v), 0);
	return NULL;
}

static int total;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void
countup(void *v)
{
	pthread_mutex_lock(&lock);
	total += *(char *)v - '0';
	pthread_mutex_unlock(&lock);
}

START_TEST(a_key_works_in_all_threads)
{
	static char *values[] = {"1", "2", "3", "4"};
	pthread_t t[4];

	first = taskkey(countup);
	for(int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, elsewhere,
			values[i]), 0);
	for(int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	ck_assert_int_eq(total, 10);
}
END_TEST

/* Hooks. */

/* Whose screen it is: standard output, so to speak. */
static char *screen, screens[2][64];

static void
swapin(void *v)
{
	ck_assert_ptr_null(screen);
	screen = v;
}

static void
swapout(void *v)
{
	ck_assert_ptr_eq(screen, v);
	screen = NULL;
}

static void
print(const char *s)
{
	if(screen)
		strcat(screen, s);
}

static Channel *c;

static void
talk(void *v)
{
	int n = *(int *)v;

	ck_assert_int_eq(tasksetswitch(swapin, swapout, screens[n]), 0);
	for(int i = 0; i < 3; i++){
		print(n ? "B" : "a");
		taskyield();
	}
	/* woken by an error it has its screen again */
	ck_assert_int_eq(chanrecv(c, NULL), -1);
	ck_assert_int_eq(errno, EPIPE);
	print(n ? "Q" : "q");
	taskdelay(1);
	print(n ? "Z" : "z");
}

static void
silent(void *v)
{
	(void)v;
	for(int i = 0; i < 20; i++){
		ck_assert_ptr_null(screen);
		print("x");
		taskyield();
	}
}

TASK_TEST_BY(S1_11_two_consoles_interleave_and_each_sees_its_own_text,
	run(body);
	ck_assert_str_eq(screens[0], "aaaqz");
	ck_assert_str_eq(screens[1], "BBBQZ");
	ck_assert_ptr_null(screen))
{
	static int zero, one = 1;

	c = chancreate(1, 0);
	taskcreate(talk, &zero, 0);
	taskcreate(silent, NULL, 0);
	taskcreate(talk, &one, 0);
	for(int i = 0; i < 10; i++)
		taskyield();
	chanfree(c);
}

static void
notein(void *v)
{
	note(*(char *)v);
	errno = ENOTTY;
}

static void
noteout(void *v)
{
	note(((char *)v)[1]);
	errno = ENOTTY;
}

static void
other(void *v)
{
	note(*(char *)v);
	taskyield();
	note(*(char *)v);
}

TASK_TEST_BY(each_stop_is_between_out_and_in_and_errno_stays,
	run(body);
	/* the delay lets tasks 2 and 3 do what they can */
	ck_assert_str_eq(trace, "()1()122()[]>.{()"))
{
	errno = E2BIG;
	ck_assert_int_eq(tasksetswitch(notein, noteout, "()"), 0);
	taskcreate(other, "1", 0);
	int n = taskyield();	/* ) 1 ( */
	ck_assert_int_ge(n, 1);	/* perhaps the fdtask, too */
	ck_assert_int_eq(errno, E2BIG);
	taskcreate(other, "2", 0);
	taskdelay(20);
	ck_assert_int_eq(errno, E2BIG);
	tasksetswitch(notein, noteout, "[]");
	tasksetswitch(NULL, noteout, "<>");
	tasksetswitch(NULL, NULL, NULL);
	taskyield();
	note('.');
	tasksetswitch(notein, NULL, "{}");
	tasksetswitch(notein, noteout, "()");
	ck_assert_int_eq(errno, E2BIG);
}

static void
threeyields(void *v)
{
	ck_assert_int_eq(tasksetswitch(notein, noteout, v), 0);
	for(int i = 0; i < 3; i++)
		taskyield();
}

/* There is nothing to initialise, so nothing can be initialised twice. */
TASK_TEST_BY(S2_6_hooks_see_every_switch_in_one_scheduler_after_another,
	for(int i = 0; i < 2; i++){
		memset(trace, 0, sizeof trace);
		run(body);
		ck_assert_str_eq(trace, "aAbBaAbBaAbBaAbB");
	})
{
	taskcreate(threeyields, "aA", 0);
	taskcreate(threeyields, "bB", 0);
}

#if TASKHAVESCHEDULERS && TASKHAVEVALUES && TASKHAVEDEADLINES && \
	TASKHAVECANCELLING && TASKHAVERESULTS && TASKHAVEGROUPS && \
	TASKHAVETIMERS && TASKHAVESEMAPHORES && TASKHAVECOROUTINES && \
	TASKHAVEGENERATORS && TASKHAVEPROCS && TASKHAVEEMBEDDING && \
	TASKHAVETHREADS && TASKHAVESIGNALS && TASKHAVECHILDREN && \
	TASKHAVEFORK && TASKHAVEINSPECTING && TASKHAVEWATCHDOG && \
	TASKHAVECONSOLE && TASKHAVETRACING
enum { Haveall = 1 };
#else
enum { Haveall = 0 };
#endif

/* A trace of switches: from whom, to whom, and why. */
static char switches[512];
static unsigned int from;
static const char *why;

static void
traceout(void *v)
{
	(void)v;
	from = taskid();
	why = taskgetstate();
}

static void
tracein(void *v)
{
	size_t n = strlen(switches);

	(void)v;
	if(from != 0 && from != taskid())
		snprintf(switches + n, sizeof switches - n, "%u>%u %s\n", from,
			taskid(), why);
}

static void
sendtwo(void *v)
{
	tasksetswitch(tracein, traceout, NULL);
	taskstate("sends");
	chansendul(v, 1);
	chansendul(v, 2);
	taskstate("ends");
}

static void
traced(void *v)
{
	Channel *c = chancreate(sizeof(unsigned long), 0);

	tasksetswitch(tracein, traceout, NULL);
	taskcreate(sendtwo, c, 0);
	taskstate("receives");
	ck_assert_uint_eq(chanrecvul(c), 1);
	ck_assert_uint_eq(chanrecvul(c), 2);
	tasksetswitch(NULL, NULL, NULL);
	chanfree(c);
	(void)v;
}

/*
 * To set up the library twice is the same as once; the header tells what there
 * is; and hooks that all tasks have see who switches to whom, and why.
 */
START_TEST(S2_6_the_library_says_what_it_has_and_traces_switches)
{
	char err[512];

	ck_assert_int_eq(Haveall, 1);
	ck_assert_int_eq(taskinit(traced, NULL), 0);
	ck_assert_int_eq(taskinit(traced, NULL), 0);
	ck_assert_int_eq(child(taskscheduler, err, sizeof err), 0);
	ck_assert_str_eq(err, "");
	run(traced);
	ck_assert_str_eq(switches, "1>2 receives\n2>1 sends\n1>2 receives\n");
}
END_TEST

static void
hookyields(void *v)
{
	(void)v;
	taskyield();
}

static void
hookwaits(void *v)
{
	(void)v;
	taskdelay(1);
}

static void
hookends(void *v)
{
	(void)v;
	taskexit(0);
}

static int again;

static void
hookhooks(void *v)
{
	(void)v;
	ck_assert_int_eq(tasksetswitch(NULL, NULL, NULL), -1);
	ck_assert_int_eq(errno, EBUSY);
	again++;
}

static void
idle(void *v)
{
	(void)v;
	for(int i = 0; i < 5; i++)
		taskyield();
}

static void (*badin)(void *), (*badout)(void *);

static void
misbehave(void *v)
{
	(void)v;
	taskcreate(idle, NULL, 0);
	tasksetswitch(badin, badout, NULL);
	taskdelay(1);
	taskyield();
}

START_TEST(a_hook_that_blocks_or_ends_aborts_with_a_line_that_says_so)
{
	void (*const bad[])(void *) = {hookyields, hookwaits};

	for(int i = 0; i < 2; i++){
		badin = bad[i], badout = NULL;
		abortstask(misbehave, "must not block\n");
		badin = NULL, badout = bad[i];
		abortstask(misbehave, "must not block\n");
	}
	badout = hookends;
	abortstask(misbehave,
		"a hook of tasksetswitch must not end the task\n");
}
END_TEST

START_TEST(a_hook_cannot_set_hooks)
{
	badin = badout = hookhooks;
	run(misbehave);
	ck_assert_int_gt(again, 2);
}
END_TEST

START_TEST(without_a_task_hooks_and_what_was_deferred_are_EPERM)
{
	errno = 0;
	ck_assert_int_eq(tasksetswitch(notein, noteout, "()"), -1);
	ck_assert_int_eq(errno, EPERM);
	errno = 0;
	ck_assert_int_eq(taskundefer(noteone, "a"), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_str_eq(trace, "");
}
END_TEST

TEST_MAIN("local",
	S2_10_a_thousand_tasks_have_eight_values_each,
	values_are_destroyed_in_the_order_of_the_keys_and_again_if_set,
	values_that_come_back_are_destroyed_four_times,
	a_destroyer_that_calls_taskexit_does_not_keep_others_from_theirs,
	a_task_first_looked_for_while_it_destroys_is_found_only_then,
	what_a_destroyer_defers_and_spawns_in_a_group_ends_with_the_task,
	values_go_after_what_was_deferred_and_before_others_hear_of_the_end,
	what_was_deferred_can_be_taken_back,
	what_is_being_called_cannot_be_taken_back_but_others_can,
	values_of_tasks_that_never_end_are_not_destroyed,
	keys_that_were_not_made_are_EINVAL_and_the_129th_is_EAGAIN,
	a_key_works_in_all_threads,
	S1_11_two_consoles_interleave_and_each_sees_its_own_text,
	each_stop_is_between_out_and_in_and_errno_stays,
	S2_6_hooks_see_every_switch_in_one_scheduler_after_another,
	S2_6_the_library_says_what_it_has_and_traces_switches,
	a_hook_that_blocks_or_ends_aborts_with_a_line_that_says_so,
	a_hook_cannot_set_hooks,
	without_a_task_hooks_and_what_was_deferred_are_EPERM)
