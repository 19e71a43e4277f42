/* SPDX-License-Identifier: MIT */
/*
 * The server of HTTP, fed with what is nearly requests: see httpfuzz.h.  For
 * ten minutes, say,
 *
 *	make SAN=address build/cc-asm-address/tests/fuzzhttp
 *	build/cc-asm-address/tests/fuzzhttp 600
 *
 * prints what it has done, and exits with 1 if something was wrong.
 */
#include "httpfuzz.h"

void
taskmain(int argc, char **argv)
{
	int seconds = argc > 1 ? atoi(argv[1]) : 10, bad = 0;
	Random r = randomstart();
	int64_t end_ns = nowns() + seconds * (int64_t)1000000000;

	samplesread("http");
	printf("seed %lu\n", r.seed);
	fflush(stdout);
	while(!bad && (nsampled < nsamples || nowns() < end_ns))
		bad = fuzzround(&r);
	printf("%lu connections twice, %lu requests answered, in %d s: %s\n",
		nfuzz, nfuzzcalls, seconds, bad ? "wrong" : "right");
	samplesfree();
	taskexitall(bad);
}
