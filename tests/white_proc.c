/* SPDX-License-Identifier: MIT */
/* Procs while memory and descriptors run out; doors by themselves. */
#include "../machine/door.h"
#include "../proc/members.h"
#include "chatter.h"
#include "fault.h"
#include "proctest.h"
#include <pthread.h>

static int npost;

static void
posted(void *v)
{
	(void)v;
	npost++;
}

/* Only the thread that made it all is armed: others would count too. */
static void
work(void *v)
{
	int n = 1, proc;

	(void)v;
	proc = proccreate(staying, NULL, 0);
	if(proc < 0){
		ck_assert(errno == ENOMEM || errno == EMFILE);
		return;
	}
	faultarm(0, 0, 0);
	ck_assert_int_eq(proccall(proc, plusone, &n), 2);
	ck_assert_int_eq(proccall(proc, ending, NULL), 0);
	ck_assert_int_eq(procwait(proc, NULL), 0);
}

START_TEST(a_proc_is_made_or_nothing_is_left_of_it)
{
	if(TestFewer > 1)
		TEST_SKIP("calls that fail are counted for one thread only");
	faultstart();
	for(long n = 1; ; n++){
		long doors = fault.nlive;
		faultarm(n, 1, 0);
		int status = taskrun(work, NULL);
		ck_assert(status == 0 || errno == ENOMEM);
		/* doors stay, to be used again */
		ck_assert_int_le(fault.nlive - doors, 2);
		if(fault.nfailed == 0 && status == 0)
			break;
		ck_assert_int_lt(n, 100);
	}
}
END_TEST

static int
noevent(void)
{
	errno = EMFILE;
	return -1;
}

TASK_TEST(without_a_descriptor_there_is_no_proc)
{
	int (*real)(void) = task_sys.eventopen;

	task_sys.eventopen = noevent;
	FAILS(procself(), EMFILE);
	FAILS(proccreate(posted, NULL, 0), EMFILE);
	task_sys.eventopen = real;
	ck_assert_int_eq(procself(), 1);
	task_sys.eventopen = noevent;
	FAILS(proccreate(posted, NULL, 0), EMFILE);
	task_sys.eventopen = real;
	int proc = proccreate(posted, NULL, 0);
	ck_assert_int_gt(proc, 1);
	ck_assert_int_eq(procwait(proc, NULL), 0);
	FAILS(procwait(2, NULL), ESRCH);	/* it has never been */
}

static void *
nomemory(size_t bytes)
{
	(void)bytes;
	errno = ENOMEM;
	return NULL;
}

TASK_TEST(a_post_without_memory_is_refused)
{
	void *(*real)(size_t) = task_sys.alloc;

	ck_assert_int_eq(procself(), 1);
	task_sys.alloc = nomemory;
	FAILS(procpost(1, posted, NULL, 0), ENOMEM);
	task_sys.alloc = real;
}

enum { NotMade = 40 };	/* smaller slabs are tried in between */

static void *(*realmap)(size_t);
static int nrefused;

static void *
mapslater(size_t bytes)
{
	return nrefused++ < NotMade ? nomemory(bytes) : realmap(bytes);
}

TASK_TEST(a_post_that_was_accepted_waits_for_memory)
{
	ck_assert_int_eq(procself(), 1);
	ck_assert_int_eq(procpost(1, posted, NULL, 1 << 20), 0);
	realmap = task_sys.map;
	task_sys.map = mapslater;
	while(npost == 0)
		taskdelay(1);
	task_sys.map = realmap;
	ck_assert_int_gt(nrefused, NotMade);
}

static int nbefore;

static void
second(void *v)
{
	(void)v;
	nbefore = npost;
}

TASK_TEST(posts_that_wait_for_memory_keep_their_order)
{
	ck_assert_int_eq(procself(), 1);
	realmap = task_sys.map;
	task_sys.map = mapslater;
	for(int i = 0; i < 5; i++)
		ck_assert_int_eq(procpost(1, posted, NULL, 1 << 20), 0);
	ck_assert_int_eq(procpost(1, second, NULL, 0), 0);
	while(nbefore == 0)
		taskdelay(1);
	task_sys.map = realmap;
	ck_assert_int_eq(nbefore, 5);
	ck_assert_int_gt(nrefused, NotMade);
}

/* Doors */

typedef struct Numbered
{
	Note note;
	int number;
} Numbered;

static int last, inorder = 1, nowner;

static void
heard(Note *n, void *owner)
{
	int number = ((Numbered *)n)->number;

	inorder &= number == last + 1;
	last = number;
	nowner += owner != NULL;
}

START_TEST(notes_are_answered_in_order)
{
	Numbered n[100];
	Door *d = task_dooropen();

	for(int i = 0; i < 100; i++){
		n[i] = (Numbered){{NULL, heard}, i + 1};
		ck_assert_int_eq(task_doortell(d, &n[i].note), 0);
	}
	ck_assert_int_eq(task_doorsleep(d), 0);
	ck_assert_int_eq(task_dooranswer(d, d), 100);
	ck_assert_int_eq(inorder, 1);
	ck_assert_int_eq(nowner, 100);
	ck_assert_int_eq(task_doorsleep(d), 1);
	ck_assert_int_eq(task_doorsleeps(d), 1);
	ck_assert_int_eq(task_doortell(d, &n[0].note), 0);
	ck_assert_int_eq(task_doorsleeps(d), 0);
	task_doorleave(d);
	ck_assert_int_eq(nowner, 100);
	FAILS(task_doortell(d, &n[0].note), ESRCH);
	ck_assert_ptr_eq(task_dooropen(), d);
	task_doorleave(d);
}
END_TEST

/* Two threads tell; the owner sleeps whenever it can.  None is lost. */
enum { Notes = 20000 };
static Numbered many[2][Notes];
static Door *busy;
static int nheard[2], wrong;

static void
heardmany(Note *n, void *owner)
{
	Numbered *m = (Numbered *)n;
	int i = m >= many[1];

	(void)owner;
	wrong |= m->number != nheard[i]++;
}

static void *
telling(void *v)
{
	Numbered *n = v;

	for(int i = 0; i < Notes; i++){
		n[i] = (Numbered){{NULL, heardmany}, i};
		if(task_doortell(busy, &n[i].note) < 0)
			return v;
	}
	return NULL;
}

START_TEST(no_note_is_lost_and_no_wake)
{
	pthread_t threads[2];

	busy = task_dooropen();
	for(int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, telling, many[i]);
	while(nheard[0] + nheard[1] < 2 * Notes){
		struct pollfd p = {.fd = busy->fd, .events = POLLIN};
		struct timespec t = {5, 0};
		if(task_doorsleep(busy)){
			ck_assert_int_eq(task_sys.poll(&p, 1, &t), 1);
			busy->rung = 1;
		}
		task_dooranswer(busy, NULL);
	}
	for(int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(wrong, 0);
	task_doorleave(busy);
}
END_TEST

/* Whether d was waited at in vain, before it let the owner sleep. */
static int
spinsinvain(Door *d)
{
	d->spin.soon = 1;
	ck_assert_int_eq(task_doorawait(d, (int64_t)1000000000), 1);
	task_dooranswer(d, NULL);
	return !d->spin.soon;
}

static void
nonote(Note *n, void *owner)
{
	(void)n, (void)owner;
}

START_TEST(a_door_is_waited_at_less_and_less_if_that_is_in_vain)
{
	Door *d = task_dooropen();
	Note n = {NULL, nonote};
	int nspin = 0;

	atomic_store(&task_mayspin, 1);
	for(int i = 0; i < 640; i++)
		nspin += spinsinvain(d);
	ck_assert_int_ge(nspin, 10);
	ck_assert_int_le(nspin, 20);
	d->spin.skip = 0;
	d->spin.soon = 1;
	ck_assert_int_eq(task_doortell(d, &n), 0);
	ck_assert_int_eq(task_doorawait(d, (int64_t)1000000000), 0);
	task_dooranswer(d, NULL);
	ck_assert_int_eq(spinsinvain(d), 1);
	task_doorleave(d);
}
END_TEST

TASK_TEST(notes_that_wake_nobody_do_not_keep_it_from_its_descriptors)
{
	int n;

	readsamongnotes(&n);
}

/* It was told to a door that the next who needed one had by then. */
TASK_TEST(a_shutdown_tells_nothing_to_who_is_out)
{
	Member *out = task_membernew(task_proc->member);
	Door *anothers = task_dooropen();
	Timeout t;

	out->door = anothers;
	out->out = 1;
	TIMEOUT(&t, 20)
		ck_assert_int_eq(taskshutdown(), 1);
	ck_assert_int_eq(task_doorfull(anothers), 0);
	task_memberfailed(out);
	task_memberslock();
	task_memberunmade(out);
	task_memberforget(out);
	task_membersunlock();
}

TEST_MAIN("proc, inside",
	a_shutdown_tells_nothing_to_who_is_out,
	a_door_is_waited_at_less_and_less_if_that_is_in_vain,
	notes_that_wake_nobody_do_not_keep_it_from_its_descriptors,
	a_proc_is_made_or_nothing_is_left_of_it,
	without_a_descriptor_there_is_no_proc,
	a_post_without_memory_is_refused,
	a_post_that_was_accepted_waits_for_memory,
	posts_that_wait_for_memory_keep_their_order,
	notes_are_answered_in_order,
	no_note_is_lost_and_no_wake)
