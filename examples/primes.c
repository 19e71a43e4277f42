/* SPDX-License-Identifier: MIT */
/*
 * The primes up to a number, by a sieve of tasks: primes [number].
 *
 *	count --2,3,4...--> filter 2 --3,5,7...--> filter 3 --5,7,11...--> ...
 *
 * Look at filter: the first number that reaches it is a prime, so it prints it,
 * and makes the next filter, which gets what this prime does not divide.
 */
#include <stdio.h>
#include <stdlib.h>
#include <task.h>

static unsigned long most = 100;

static void
count(void *v)
{
	Channel *out = v;

	for(unsigned long i = 2; i <= most; i++)
		chansendul(out, i);
	chansendul(out, 0);
}

/* A zero, passed on from filter to filter, means that no more numbers come. */
static void
filter(void *v)
{
	Channel *in = v, *out = NULL;
	unsigned long prime = chanrecvul(in), i = prime;

	if(prime > 0){
		taskname("filter %lu", prime);
		printf("%lu\n", prime);
		out = chancreate(sizeof(unsigned long), 0);
		if(out == NULL || taskcreate(filter, out, 32768) < 0){
			perror("primes");
			taskexitall(1);
		}
	}
	while(i > 0){
		i = chanrecvul(in);
		if(i % prime != 0 || i == 0)
			chansendul(out, i);
	}
	chanfree(in);
}

void
taskmain(int argc, char **argv)
{
	if(argc > 1)
		most = strtoul(argv[1], NULL, 10);
	Channel *c = chancreate(sizeof(unsigned long), 0);
	if(c == NULL || taskcreate(count, c, 32768) < 0 ||
			taskcreate(filter, c, 32768) < 0){
		perror("primes");
		taskexitall(1);
	}
}
