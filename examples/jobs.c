/* SPDX-License-Identifier: MIT */
/*
 * A queue of jobs, worked by any number of processes on any number of machines:
 *
 *	jobs redis://host put 100	puts jobs into it
 *	jobs redis://host work name	does them, until it is killed
 *	jobs redis://host left	tells how many are left
 *
 * Look at nextjob and dojob: a job is acknowledged when it is done, and not
 * before.  If its worker is killed meanwhile another one claims it.  So a job
 * can be done twice, and what it does must be such that twice is like once:
 * here it puts its name into a set.
 */
#include "number.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <task.h>
#include <taskbus.h>

static const char queue[] = "jobs", group[] = "workers";

static unsigned int idle_ms = 1000;	/* then a worker is taken for dead */

static void
fail(const char *what)
{
	perror(what);
	taskexitall(1);
}

/* Whether it is worth while to try again, once the engine is there. */
static int
again(Bus *b)
{
	return (errno == ENOTCONN || errno == EINPROGRESS || errno == EAGAIN) &&
		buswait(b) == 0;
}

/* Of one that may be in or not another copy does no harm: see above. */
static void
put(Bus *b, int n)
{
	char job[32];

	for(int i = 0; i < n; i++){
		snprintf(job, sizeof job, "job %d", i);
		while(busappend(b, queue, job, strlen(job), NULL) < 0)
			if(!again(b))
				fail("put");
	}
}

/* What a dead worker has left comes first, and then what nobody has taken. */
static Busmsg *
nextjob(Bus *b, const char *who)
{
	Busmsg *m = busclaim(b, queue, group, who, idle_ms);
	Timeout t;

	if(m == NULL && errno == ENOENT)
		TIMEOUT(&t, idle_ms)
			m = bustake(b, queue, group, who);
	return m;
}

/*
 * What is not acknowledged here, for whatever reason, is claimed again.  It is
 * deleted first: what is deleted and not acknowledged comes as a gap, but what
 * is acknowledged and not deleted would stay for ever.
 */
static int
dojob(Bus *b, const Busmsg *m, const char *who)
{
	if(m->op == BUSGAP)
		return busack(b, m);
	taskdelay(5);	/* that was hard work */
	if(buscall(b, NULL, "SADD done %b", m->v, m->n) < 0)
		return -1;
	printf("%s has done %s%s\n", who, m->v, m->again ? " again" : "");
	fflush(stdout);
	if(buscall(b, NULL, "XDEL %s %" PRIu64 "-%" PRIu64, queue, m->id.ms,
			m->id.seq) < 0)
		return -1;
	return busack(b, m);
}

static void
work(Bus *b, const char *who)
{
	for(;;){
		Busmsg *m = nextjob(b, who);
		int done = m ? dojob(b, m, who) : -1;
		int err = errno;
		busmsgfree(m);
		errno = err;
		if(done < 0 && errno != ETIMEDOUT && errno != ENOENT &&
				!again(b))
			fail("work");
	}
}

static long long
count(Bus *b, const char *command)
{
	Busreply *r;

	if(buscall(b, &r, command) < 0)
		fail(command);
	long long n = r->i;
	busreplyfree(r);
	return n;
}

void
taskmain(int argc, char **argv)
{
	Bus *b = argc > 2 ? busopen(argv[1]) : NULL;

	if(argc < 3){
		fputs("usage: jobs url put n | work name [ms] | left\n",
			stderr);
		taskexitall(2);
	}
	if(b == NULL)
		fail(argv[1]);
	if(strcmp(argv[2], "put") == 0 && argc > 3)
		put(b, numberof(argv[3], 1, 1000000000));
	if(argc > 4)
		idle_ms = (unsigned int)numberof(argv[4], 1, 1000000000);
	if(strcmp(argv[2], "work") == 0 && argc > 3)
		work(b, argv[3]);
	printf("%lld left, %lld done\n", count(b, "XLEN jobs"),
		count(b, "SCARD done"));
	busclose(b);
}
