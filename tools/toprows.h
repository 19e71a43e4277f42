/* SPDX-License-Identifier: MIT */
/* What tasktop knows of the program's tasks: from its console, or outside. */
#ifndef TOPROWS_H
#define TOPROWS_H

#include <stddef.h>
#include <stdint.h>

typedef struct Row
{
	char id[24];
	char name[64];
	char state[16];
	char why[160];	/* with what it waits for */
	char place[96];
	char creator[24];	/* the id; "": nobody knows */
	int64_t age_ns;	/* of the wait; below 0: there is none */
	int counted;	/* the next four are known */
	uint64_t ran_ns;
	uint64_t longest_ns;
	uint64_t ready_ns;
	uint64_t switches;

	/* ours: since the first look, and in the last interval */
	int64_t first_ns;
	uint64_t first_ran_ns;
	uint64_t first_ready_ns;
	double share;	/* of one CPU, in hundredths */
} Row;

extern Row *rows;	/* of the last look */
extern size_t nrows;
extern int64_t now_ns;	/* when that was */
extern char problem[256];	/* how it was asked, and what is missing */

/* connects to a console; -1 and errno. */
int dial(const char *path);

/*
 * finds the console of the process, or if none answers, or it is to be done
 * from outside, libtask in its memory; NULL, or what is wrong, in a line.
 */
const char *findprocess(int pid, int outside);

int look(void);	/* asks again; 0: the program has gone */
int isoutside(void);	/* no console is asked */
Row *addrow(void);	/* a new one, that knows nothing yet */
uint64_t idnumber(const Row *r);
int byid(const void *a, const void *b);	/* for qsort */
int64_t clockns(void);
void die(const char *what);

#endif
