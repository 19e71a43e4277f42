/* SPDX-License-Identifier: MIT */
/* First come, first served: a property of whatever tasks wait for. */
#include "test.h"

/*
 * Tasks do at random one of the things that can make them wait.  Whoever comes
 * to an object draws its next number, and must be served in the order of these
 * numbers.  That one was served it says when it runs again: so there is one
 * unit of the semaphore and no buffer, or who comes later and need not wait
 * could say so before one who was handed something runs.
 */
enum { Comers = 60, Steps = 100000 };
enum { Qlock, Writer, Again, Unit, Happening, Sleep, Get, Put, Delay, Things };

static const char *const names[Things] = {"qlock", "wlock", "reclock",
	"semacquire", "eventwait", "tasksleep", "chanrecv", "chansend",
	"taskdelay"};

static unsigned long came[Things], served[Things];
static Random dice;
static int steps;

static QLock ql;
static RWLock rw;
static RecLock rec;
static Sem sem;
static Event event;
static Rendez rz;
static Channel *in, *out;

static void
dawdle(unsigned int most)
{
	for(unsigned int n = randombelow(&dice, most); n > 0; n--)
		taskyield();
}

static void
turnof(int thing, unsigned long mine)
{
	if(served[thing] != mine)
		ck_abort_msg("%s: number %lu was served when it was the turn "
			"of %lu, seed %lu", names[thing], mine, served[thing],
			dice.seed);
	served[thing]++;
}

/* Each waits, says that it was served, and undoes what it has taken. */
static void
use(int thing)
{
	unsigned long mine = came[thing]++;
	unsigned long u = 0;

	switch(thing){
	case Qlock: qlock(&ql); break;
	case Writer: wlock(&rw); break;
	case Again: reclock(&rec); reclock(&rec); break;
	case Unit: semacquire(&sem); break;
	case Happening: eventwait(&event); break;
	case Sleep: tasksleep(&rz); break;
	case Get: chanrecv(in, &u); break;
	case Put: chansend(out, &u); break;
	case Delay: taskdelay(1); break;
	}
	turnof(thing, mine);
	dawdle(3);
	switch(thing){
	case Qlock: qunlock(&ql); break;
	case Writer: wunlock(&rw); break;
	case Again: recunlock(&rec); recunlock(&rec); break;
	case Unit: semrelease(&sem); break;
	}
}

static void
comer(void *v)
{
	(void)v;
	for(;;){
		dawdle(4);
		/* delays take real time: few of them */
		int thing = (int)randombelow(&dice, Things);
		if(thing == Delay && randombelow(&dice, 50) != 0)
			continue;
		steps++;
		use(thing);
	}
}

/* serves those that nobody else does. */
static void
serve(void *v)
{
	unsigned long u = 0;

	(void)v;
	while(steps < Steps){
		dawdle(3);
		switch(randombelow(&dice, 4)){
		case 0: eventset(&event); eventclear(&event); break;
		case 1: taskwakeup(&rz); break;
		case 2: channbsend(in, &u); break;
		case 3: channbrecv(out, &u); break;
		}
	}
	taskexitall(0);
}

static void
inturn(void *v)
{
	(void)v;
	seminit(&sem, 1, 1);
	in = chancreate(sizeof(unsigned long), 0);
	out = chancreate(sizeof(unsigned long), 0);
	for(int i = 0; i < Comers; i++)
		taskcreate(comer, NULL, 0);
	taskcreate(serve, NULL, 0);
}

static void
inturnalone(void)
{
	taskrun(inturn, NULL);
}

START_TEST(S3_20_equals_keep_their_order_whatever_they_wait_for)
{
	char err[4096];

	dice = randomstart();
	int status = child(inturnalone, err, sizeof err);
	ck_assert_msg(status == 0, "status %#x, seed %lu: %s",
		(unsigned)status, dice.seed, err);
}
END_TEST

TEST_MAIN("fair", S3_20_equals_keep_their_order_whatever_they_wait_for)
