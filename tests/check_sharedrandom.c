/* SPDX-License-Identifier: MIT */
/* Shared channels, used at random by many, and what must hold of that. */
#include "test.h"
#include "watched.h"
#include <pthread.h>
#include <stdatomic.h>

/*
 * Tasks of several procs and threads send and receive on the same channels, in
 * all ways there are, until deadlines and interrupts.  An element says who has
 * sent it, through which channel, as the how-manieth.  So a receiver sees it if
 * elements of one sender change their order; and if a send that has failed has
 * sent all the same, for then its number comes twice; and in the end as many
 * must have been received as were sent, and the same.
 *
 * TEST_OPERATIONS in the environment is how many there are in all:
 *
 *	TEST_OPERATIONS=100000000 CK_TIMEOUT_MULTIPLIER=1000 \
 *		build/cc-asm/tests/check_sharedrandom
 */
enum
{
	Chans = 4,
	Procs = 3,
	PerProc = 4,
	Threads = 3,
	Whos = (Procs + 1) * PerProc + Threads,
	Most = 5	/* elements in a batch */
};

static Channel *chans[Chans];
static atomic_int npart, closing;
static unsigned long seed;
static int rounds;	/* of each who takes part */

/* Who takes part. */
typedef struct Part
{
	int who;
	int task;	/* its id, or 0 */
	Random random;
	unsigned int sent[Chans];
	unsigned int seen[Whos][Chans];
	Channel *local;	/* of its proc, for its alts */
	unsigned long nsent, nreceived, sumsent, sumreceived;
} Part;

static Part parts[Whos];
static int ended[Procs + 1];	/* tasks of each proc */

static unsigned long
element(const Part *p, int ch, unsigned int i)
{
	return (unsigned long)p->who << 40 | (unsigned long)ch << 32 |
		(p->sent[ch] + i + 1);
}

static void
hassent(Part *p, int ch, int n)
{
	for(int i = 0; i < n; i++){
		p->sumsent += element(p, ch, 0);
		p->sent[ch]++;
		p->nsent++;
	}
}

static void
hasreceived(Part *p, int ch, unsigned long e)
{
	unsigned int who = (unsigned int)(e >> 40), n = (unsigned int)e;

	ck_assert_msg(who < Whos && (int)(e >> 32 & 255) == ch,
		"%lx came out of channel %d, seed %lu", e, ch, seed);
	ck_assert_msg(n > p->seen[who][ch], "%u after %u, seed %lu", n,
		p->seen[who][ch], seed);
	p->seen[who][ch] = n;
	p->sumreceived += e;
	p->nreceived++;
}

static void
mayfail(int r)
{
	int err = errno;

	ck_assert_msg(r > 0 || (r == 0 && closing) || (r < 0 &&
		(err == EAGAIN || err == EINTR || err == ETIMEDOUT ||
		(err == EPIPE && closing))), "%d, errno %d, seed %lu", r, err,
		seed);
}

static void
sendone(Part *p, int ch, int block)
{
	unsigned long e = element(p, ch, 0);
	int r = block ? chansend(chans[ch], &e) : channbsend(chans[ch], &e);

	mayfail(r);
	if(r == 1)
		hassent(p, ch, 1);
}

static void
recvone(Part *p, int ch, int block)
{
	unsigned long e;
	int r = block ? chanrecv(chans[ch], &e) : channbrecv(chans[ch], &e);

	mayfail(r);
	if(r == 1)
		hasreceived(p, ch, e);
}

static void
sendmany(Part *p, int ch)
{
	unsigned long e[Most];

	for(unsigned int i = 0; i < Most; i++)
		e[i] = element(p, ch, i);
	int r = chansendn(chans[ch], e, 1 + (int)randombelow(&p->random, Most));
	mayfail(r);
	if(r > 0)
		hassent(p, ch, r);
}

static void
recvmany(Part *p, int ch)
{
	unsigned long e[Most];
	int r = chanrecvn(chans[ch], e, 1 + (int)randombelow(&p->random, Most));

	mayfail(r);
	for(int i = 0; i < r; i++)
		hasreceived(p, ch, e[i]);
}

/* What a local entry moves is nobody's business but the count's. */
static void
alternate(Part *p, int block)
{
	unsigned long e[Most], x = 0;
	int which[Most], n = 1 + (int)randombelow(&p->random, Most);
	Alt a[Most + 3];

	memset(a, 0, sizeof a);
	for(int i = 0; i < n; i++){
		which[i] = (int)randombelow(&p->random, Chans);
		int sends = (int)randombelow(&p->random, 2);
		e[i] = element(p, which[i], 0);
		a[i] = (Alt){.c = chans[which[i]], .v = &e[i],
			.op = sends ? CHANSND : CHANRCV};
	}
	int m = n;
	if(p->local && randombelow(&p->random, 2))
		a[m++] = (Alt){.c = p->local, .v = &x, .op =
			randombelow(&p->random, 2) ? CHANSND : CHANRCV};
	if(randombelow(&p->random, 4) == 0)
		a[m++] = (Alt){.op = ALTDELAY, .ms = 0};
	a[m].op = block ? CHANEND : CHANNOBLK;
	int r = chanalt(a);
	if(r < 0)
		mayfail(r);
	else if(a[r].err)
		ck_assert(a[r].err == EPIPE && r < n && closing);
	else if(r < n && a[r].op == CHANSND)
		hassent(p, which[r], 1);
	else if(r < n)
		hasreceived(p, which[r], e[r]);
}

static void
act(Part *p)
{
	int ch = (int)randombelow(&p->random, Chans);
	unsigned long x;
	Timeout t;

	timeoutstart(&t, randombelow(&p->random, 2));
	switch(randombelow(&p->random, 12)){
	case 0: case 1: sendone(p, ch, 1); break;
	case 2: case 3: recvone(p, ch, 1); break;
	case 4: sendone(p, ch, 0); break;
	case 5: recvone(p, ch, 0); break;
	case 6: sendmany(p, ch); break;
	case 7: recvmany(p, ch); break;
	case 8: case 9: alternate(p, 1); break;
	case 10: alternate(p, 0); break;
	default:
		if(randombelow(&p->random, 2))
			channbsend(p->local, &x);
		else
			taskinterrupt(parts[p->who / PerProc * PerProc +
				(int)randombelow(&p->random, PerProc)].task);
	}
	timeoutstop(&t);
}

/* Each who takes part has a hold on each channel. */
static void
letgo(void)
{
	for(int i = 0; i < Chans; i++)
		chanfree(chans[i]);
	npart--;
}

static void
takepart(void *v)
{
	Part *p = v;

	p->task = (int)taskid();
	for(int i = 0; i < rounds; i++)
		act(p);
	if(++ended[p->who / PerProc] == PerProc)
		chanfree(p->local);
	letgo();
}

static void
begin(void *v)
{
	Part *p = v;
	Channel *local = chancreate(sizeof(unsigned long), 0);

	for(int i = 0; i < PerProc; i++){
		p[i].local = local;
		taskcreate(takepart, &p[i], 0);
	}
}

/* A thread's calls have no deadline: the others see to it that they end. */
static void *
threadpart(void *v)
{
	Part *p = v;
	unsigned long e;

	if(p->who == Whos - 1){
		while(chanrecv(chans[2], &e) == 1)
			hasreceived(p, 2, e);
		letgo();
		return NULL;
	}
	for(int i = 0; i < rounds; i++){
		int ch = (int)randombelow(&p->random, Chans);
		switch(randombelow(&p->random, 4)){
		case 0: sendone(p, ch, 1); break;
		case 1: sendone(p, ch, 0); break;
		case 2: recvone(p, ch, 0); break;
		default: sendmany(p, ch);
		}
	}
	letgo();
	return NULL;
}

static void
drain(Part *p)
{
	unsigned long e;

	for(int ch = 0; ch < Chans; ch++)
		while(channbrecv(chans[ch], &e) == 1)
			hasreceived(p, ch, e);
}

static void
prepare(const int *sizes)
{
	for(int i = 0; i < Chans; i++){
		chans[i] = chanshared(sizeof(unsigned long), sizes[i]);
		for(int j = 0; j < Whos; j++)
			ck_assert_ptr_eq(chanhold(chans[i]), chans[i]);
	}
	memset(ended, 0, sizeof ended);
	npart = Whos;
	closing = 0;
}

static void
count(const Part *last, int shows)
{
	unsigned long n = last->nreceived, sum = last->sumreceived, nsent = 0;

	for(int i = 0; i < Whos; i++){
		n += parts[i].nreceived - parts[i].nsent;
		sum += parts[i].sumreceived - parts[i].sumsent;
		nsent += parts[i].nsent;
	}
	ck_assert_msg(n == 0 && sum == 0, "%ld of %lu elements more than sent "
		"were received, seed %lu", (long)n, nsent, seed);
	if(shows && getenv("TEST_SHOW"))
		fprintf(stderr, "%lu sent\n", nsent);
}

/* The channels are closed when all but the one thread have ended, or before. */
static void
together(Random *random, const int *sizes, int closeearly)
{
	pthread_t threads[Threads];
	static Part last;
	int proc[Procs];
	int64_t until = nowns() + randombelow(random, 20000000);

	prepare(sizes);
	last = (Part){.who = Whos};
	for(int i = 0; i < Whos; i++)
		parts[i] = (Part){.who = i, .random = {seed, random->x +
			(uint64_t)(i + 1) * 0x9e3779b97f4a7c15}};
	taskhope(1);
	for(int i = 0; i < Threads; i++)
		pthread_create(&threads[i], NULL, threadpart,
			&parts[Whos - Threads + i]);
	for(int i = 0; i < Procs; i++)
		proc[i] = proccreate(begin, &parts[(i + 1) * PerProc], 0);
	begin(parts);
	while(npart > 1 && !(closeearly && nowns() > until)){
		taskdelay(1);
		drain(&last);
	}
	closing = 1;
	for(int i = 0; i < Chans; i++)
		ck_assert_int_eq(chanclose(chans[i]), 0);
	for(int i = 0; i < Procs; i++)
		procwait(proc[i], NULL);
	for(int i = 0; i < Threads; i++)
		pthread_join(threads[i], NULL);
	while(npart > 0)
		taskdelay(0);
	taskhope(-1);
	drain(&last);
	count(&last, !closeearly);
	for(int i = 0; i < Chans; i++){
		ck_assert_ptr_null(chans[i]->arecv.head);
		ck_assert_ptr_null(chans[i]->asend.head);
		chanfree(chans[i]);
	}
}

/* As many as a million in four of the tests under the sanitizer of threads. */
static int
operations(void)
{
	const char *s = getenv("TEST_OPERATIONS");
	int all = valgrind() ? 20000 : TestFewer > 1 ? 1000000 : 400000;

	return (s ? atoi(s) : all) / 4 / Whos;
}

static void
atrandom(const int *sizes)
{
	Random random = randomstart();

	seed = random.seed;
	rounds = operations();
	together(&random, sizes, 0);
}

TASK_TEST(nothing_is_lost_doubled_or_out_of_order)
{
	atrandom((const int[Chans]){0, 1, 7, 0});
}

TASK_TEST(nor_where_all_meet)
{
	atrandom((const int[Chans]){0, 0, 0, 0});
}

TASK_TEST(nor_where_few_wait)
{
	atrandom((const int[Chans]){128, 3, 64, 1});
}

/* A process stops this one and lets it go on, wherever its threads are then. */
static pid_t
stopper(void)
{
	pid_t us = getpid(), pid = fork();

	if(pid != 0)
		return pid;
	for(int i = 0; i < 50; i++){
		kill(us, SIGSTOP);
		usleep(2000);
		kill(us, SIGCONT);
		usleep(1000 + 50 * (unsigned)i);
	}
	_exit(0);
}

TASK_TEST(nor_when_the_process_is_stopped_again_and_again)
{
	pid_t pid = stopper();
	int status = -1;

	atrandom((const int[Chans]){0, 1, 7, 128});
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

TASK_TEST(nor_when_channels_are_closed)
{
	enum { Few = 200 };
	Random random = randomstart();

	seed = random.seed;
	rounds = Few;
	for(int left = operations(); left > 0; left -= Few)
		together(&random, (const int[Chans]){0, 1, 7, 2}, 1);
}

TEST_MAIN("sharedrandom", nothing_is_lost_doubled_or_out_of_order,
	nor_where_all_meet, nor_where_few_wait,
	nor_when_the_process_is_stopped_again_and_again,
	nor_when_channels_are_closed)
