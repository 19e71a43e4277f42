/* SPDX-License-Identifier: MIT */
/* What programs do around the library: what task.7 says of that is so. */
#include <pthread.h>
#include <sys/eventfd.h>

#include "fdtest.h"

/* A signal handler that tells a task: a byte in a pipe. */

enum { Signals = 20000 };

static int told[2], nsent, nheard, over;
static pthread_t thread;

static void
tell(int sig)
{
	int err = errno;

	(void)sig;
	nsent += write(told[1], "", 1) == 1;
	errno = err;
}

static void *
sendsignals(void *v)
{
	for(int i = 0; i < Signals; i++){
		pthread_kill(thread, SIGUSR1);
		sched_yield();
	}
	__atomic_store_n(&over, 1, __ATOMIC_RELEASE);
	return v;
}

static void
hear(void *v)
{
	char c;

	(void)v;
	tasksystem();
	while(fdread(told[0], &c, 1) == 1)
		nheard++;
}

static void
work(void *v)
{
	(void)v;
	while(!__atomic_load_n(&over, __ATOMIC_ACQUIRE))
		taskyield();
}

TASK_TEST(a_byte_in_a_pipe_from_a_handler_is_never_lost)
{
	pthread_t sender;

	nonblockpipe(told);
	thread = pthread_self();
	signal(SIGUSR1, tell);
	taskcreate(hear, NULL, 0);
	taskcreate(work, NULL, 0);
	taskcreate(work, NULL, 0);
	ck_assert_int_eq(pthread_create(&sender, NULL, sendsignals, NULL), 0);
	work(NULL);
	pthread_join(sender, NULL);
	settle();
	ck_assert_int_gt(nsent, 0);
	while(nheard < nsent)
		taskdelay(1);
	ck_assert_int_eq(nheard, nsent);
}

/* rand */

static void
send3(void *v)
{
	for(unsigned long i = 0; i < 3; i++)
		chansendul(v, i);
}

/* What chooses among several, with numbers that are as good as random. */
static void
choose(void)
{
	Channel *c[2];
	unsigned long v;

	for(int i = 0; i < 2; i++){
		c[i] = chancreate(sizeof v, 0);
		taskcreate(send3, c[i], 0);
	}
	for(int i = 0; i < 6; i++){
		Alt a[] = {{.c = c[0], .v = &v, .op = CHANRCV},
			{.c = c[1], .v = &v, .op = CHANRCV},
			{.op = CHANEND}};
		chanalt(a);
	}
	chanfree(c[0]);
	chanfree(c[1]);
	taskdelay(1);
}

TASK_TEST(the_programs_rand_and_random_are_its_own)
{
	int want[8];
	long longs[8];

	for(int round = 0; round < 2; round++){
		srand(7);
		srandom(7);
		for(int i = 0; i < 8; i++){
			int r = rand();
			long l = random();
			if(round == 0)
				want[i] = r, longs[i] = l;
			else
				choose();
			ck_assert_int_eq(r, want[i]);
			ck_assert_int_eq(l, longs[i]);
		}
	}
}

/*
 * Another library, such as ZeroMQ, that has a descriptor which tells only that
 * something may have become possible since it was last asked.
 */
typedef struct Foreign
{
	int fd;
	int come;	/* messages that have come */
	int room;	/* for messages to be sent */
	int told;	/* the descriptor is readable, or was not asked since */
} Foreign;

static void
foreignnews(Foreign *f)
{
	uint64_t one = 1;

	if(!f->told)
		ck_assert_int_eq(write(f->fd, &one, sizeof one), sizeof one);
	f->told = 1;
}

/* As each of its calls does, it takes the news away. */
static void
foreignask(Foreign *f)
{
	uint64_t n;

	if(f->told)
		ck_assert_int_eq(read(f->fd, &n, sizeof n), sizeof n);
	f->told = 0;
}

/* takes from what there is, by both of its sides. */
static int
foreigncall(Foreign *f, int *what)
{
	foreignask(f);
	if(*what == 0)
		return -1;
	--*what;
	return 0;
}

enum { Messages = 2000 };

static Foreign foreign;
static Rendez news;
static int nreceived, nput;

/* The only one who waits for the descriptor: for reading, whatever it is. */
static void
watch(void *v)
{
	(void)v;
	tasksystem();
	while(fdwait(foreign.fd, 'r') == 0){
		foreignask(&foreign);
		taskwakeupall(&news);
		taskyield();
	}
}

/* First the call, then the wait; and others may go on after each call. */
static void
receiveall(void *v)
{
	(void)v;
	while(nreceived < Messages){
		while(foreigncall(&foreign, &foreign.come) < 0)
			tasksleep(&news);
		nreceived++;
		taskwakeupall(&news);
	}
}

static void
sendall(void *v)
{
	(void)v;
	while(nput < Messages){
		while(foreigncall(&foreign, &foreign.room) < 0)
			tasksleep(&news);
		nput++;
		taskwakeupall(&news);
	}
}

TASK_TEST(a_descriptor_that_tells_of_changes_only_is_watched_by_one_task)
{
	Random r = randomstart();
	int given = 0, taken = 0;

	foreign.fd = eventfd(0, EFD_NONBLOCK);
	taskcreate(watch, NULL, 0);
	taskcreate(receiveall, NULL, 0);
	taskcreate(sendall, NULL, 0);
	while(given < Messages || taken < Messages){
		int n = (int)randombelow(&r, 4), m = (int)randombelow(&r, 4);
		if(n > Messages - given)
			n = Messages - given;
		if(m > Messages - taken)
			m = Messages - taken;
		foreign.come += n;
		foreign.room += m;
		given += n;
		taken += m;
		foreignnews(&foreign);
		if(randombelow(&r, 3))
			taskyield();
		else
			taskdelay(0);
	}
	while(nreceived < Messages || nput < Messages)
		taskdelay(1);
	fdclose(foreign.fd);
}

/* The same with one task: it asks until there is nothing, and then waits. */
static void
receivealone(void *v)
{
	Foreign *f = v;

	while(nreceived < Messages){
		while(foreigncall(f, &f->come) < 0)
			ck_assert_int_eq(fdwait(f->fd, 'r'), 0);
		nreceived++;
	}
}

TASK_TEST(a_descriptor_that_tells_of_changes_only_is_asked_before_waiting)
{
	Random r = randomstart();

	foreign.fd = eventfd(0, EFD_NONBLOCK);
	taskcreate(receivealone, &foreign, 0);
	for(int given = 0; given < Messages; given++){
		foreign.come++;
		foreignnews(&foreign);
		if(randombelow(&r, 3) == 0)
			taskdelay(0);
	}
	while(nreceived < Messages)
		taskdelay(1);
	fdclose(foreign.fd);
}

TEST_MAIN("habits",
	a_byte_in_a_pipe_from_a_handler_is_never_lost,
	the_programs_rand_and_random_are_its_own,
	a_descriptor_that_tells_of_changes_only_is_watched_by_one_task,
	a_descriptor_that_tells_of_changes_only_is_asked_before_waiting)
