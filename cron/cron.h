/* SPDX-License-Identifier: MIT */
/* Times of day by the wall clock: what is asked for, and when that is. */
#ifndef TASK_CRON_H
#define TASK_CRON_H

#include "../taskimpl.h"

#pragma GCC visibility push(hidden)

/* What five fields ask for.  Bit n of a set: the number n is in it. */
typedef struct Cronspec
{
	uint64_t minutes;
	uint32_t hours;
	uint32_t days;	/* of the month, from 1 */
	uint16_t months;	/* from 1 */
	uint8_t weekdays;	/* from 0, which is Sunday */
	uint8_t anyday;	/* the field of the days begins with a star */
	uint8_t anyweekday;
} Cronspec;

/* spec.c: reads the text; -1 with EINVAL, or ENOENT: no such day ever comes. */
int task_cronparse(Cronspec *s, const char *text);

/* next.c */

enum { DaySeconds = 24 * 60 * 60 };

/* counts d days, from 1970-01-01 on, in a month (from 1) and days of that. */
void task_crondate(int64_t d, int *month, int *day);

/*
 * returns the first instant after after_s, in seconds since 1970 as time(2)
 * counts them; -1 with ERANGE: it or after_s is not in the years 2 to 9998.
 */
int64_t task_cronnext(const Cronspec *s, int64_t after_s);

/* cron.c, a wing */

int task_cronbegin(Proc *p);
void task_cronend(Proc *p);
void task_cronforked(Proc *p);
void task_cronalone(Proc *p);	/* in taskfork's child, behind task_alone */

#pragma GCC visibility pop
#endif
