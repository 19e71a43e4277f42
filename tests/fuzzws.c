/* SPDX-License-Identifier: MIT */
/*
 * Frames at random, mostly right, from a peer that sends them in any pieces:
 * what is read must be what a plain reader makes of them.  For ten minutes,
 * say,
 *
 *	make SAN=address build/cc-asm-address/tests/fuzzws
 *	build/cc-asm-address/tests/fuzzws 600
 *
 * prints what it has done, and exits with 1 if something was wrong.
 */
#include <check.h>

/* There is no test that a helper's check could be a mark in. */
#define _mark_point(file, line) ((void)0)

#include "wsplain.h"

static int seconds;

static void
fuzz(void *v)
{
	Random r = randomstart();
	int64_t end_ns = nowns() + seconds * (int64_t)1000000000;
	unsigned long ntries = 0;
	int bad = 0;

	(void)v;
	samplesread("ws");
	printf("seed %lu\n", r.seed);
	fflush(stdout);
	while(!bad && (nsampled < nsamples || nowns() < end_ns)){
		bad = fuzzonce(&r);
		ntries++;
	}
	printf("%lu connections in %d s: %s\n", ntries, seconds,
		bad ? "wrong" : "right");
	samplesfree();
	taskexitall(bad);
}

int
main(int argc, char **argv)
{
	seconds = argc > 1 ? atoi(argv[1]) : 10;
	return taskrun(fuzz, NULL);
}
