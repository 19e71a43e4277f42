/* SPDX-License-Identifier: MIT */
/* Numbers among the arguments of examples. */
#ifndef NUMBER_H
#define NUMBER_H

#include <stdio.h>
#include <stdlib.h>
#include <task.h>

static inline int
isnumber(const char *s, int least, int most)
{
	char *end;
	long n = strtol(s, &end, 10);

	return end > s && *end == '\0' && n >= least && n <= most;
}

/* returns what number s is, from least to most; anything else is the end. */
static inline int
numberof(const char *s, int least, int most)
{
	if(isnumber(s, least, most))
		return atoi(s);
	fprintf(stderr, "%s: not a number from %d to %d\n", s, least, most);
	taskexitall(2);
	return -1;
}

static inline int
portnumber(const char *s)
{
	return s ? numberof(s, 0, 65535) : 0;
}

#endif
