/* SPDX-License-Identifier: MIT */
/* When the wall clock next shows what is asked for. */
#include "cron.h"
#include <time.h>

/*
 * The wall shows the seconds since 1970 and the zone's offset at that instant,
 * read as a date of the calendar.  In between two changes of the offset both
 * run alike, so what the wall is to show is looked for in the calendar alone,
 * and the instant is that less the offset.  A change in between, of which
 * localtime_r tells by the offset only, is found by halving.
 *
 *	instant		0:58	0:59	1:00	1:01	in UTC
 *	forward		1:58	1:59	3:00	3:01	2:00 to 2:59 are skipped
 *	backward	2:58	2:59	2:00	2:01	2:00 to 2:59 come twice
 *
 * Who asks for some hours of the day only means what the wall shows: once, and
 * right after the change if it is skipped.  Who asks for all 24 means every
 * hour that passes.
 */
enum { EveryHour = (1 << 24) - 1 };

/* From here to there any zone's date has a year of one to four digits. */
static const int64_t cronbegins = -719162LL * DaySeconds + 366 * DaySeconds;
static const int64_t cronends = 2932896LL * DaySeconds - 366 * DaySeconds;

static int64_t
rounddown(int64_t n, int64_t by)
{
	return n / by - (n % by < 0);
}

/*
 * Years are taken to begin in March: so the day that some have more is their
 * last.  Months of 31 and 30 days take turns in a way that 153 days for each
 * five months make right.
 */
void
task_crondate(int64_t d, int *month, int *day)
{
	enum { Year = 365, Four = 4 * Year + 1, Century = 25 * Four - 1,
		Cycle = 4 * Century + 1, ToMarch = 719468 };

	d += ToMarch;
	d -= rounddown(d, Cycle) * Cycle;
	d -= (d / Century < 4 ? d / Century : 3) * Century;
	d %= Four;
	d -= (d / Year < 4 ? d / Year : 3) * Year;
	int m = (int)(5 * d + 2) / 153;
	*day = (int)d - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
}

static int
onday(const Cronspec *s, int64_t d)
{
	int month, day, weekday = (int)((d + 4) - rounddown(d + 4, 7) * 7);

	task_crondate(d, &month, &day);
	if(!(s->months >> month & 1))
		return 0;
	int a = s->days >> day & 1, b = s->weekdays >> weekday & 1;
	return s->anyday || s->anyweekday ? a && b : a || b;
}

/* returns the first minute of the day, from the given one on; -1: none. */
static int
ondayat(const Cronspec *s, int minute)
{
	for(; minute < DaySeconds / 60; minute++)
		if((s->hours >> minute / 60 & 1) &&
				(s->minutes >> minute % 60 & 1))
			return minute;
	return -1;
}

/* returns what the wall first shows of what is asked for, from wall_s on. */
static int64_t
nextwall(const Cronspec *s, int64_t wall_s)
{
	int64_t day = rounddown(wall_s + 59, DaySeconds);
	int minute = (int)(wall_s + 59 - day * DaySeconds) / 60;

	for(; day * DaySeconds <= cronends; day++, minute = 0)
		if(onday(s, day) && (minute = ondayat(s, minute)) >= 0)
			return day * DaySeconds + minute * 60;
	return cronends + DaySeconds;
}

/* returns what the wall shows at an instant, less that. */
static int64_t
walloffset(int64_t at_s)
{
	time_t t = (time_t)at_s;
	struct tm tm = {0};

	localtime_r(&t, &tm);
	int64_t past = tm.tm_year + (int64_t)1899;	/* whole years */
	int64_t day = 365 * past + past / 4 - past / 100 + past / 400 +
		tm.tm_yday - 719162;
	return ((day * 24 + tm.tm_hour) * 60 + tm.tm_min) * 60 + tm.tm_sec -
		at_s;
}

/*
 * returns the first instant after from_s whose offset is not that of from_s; if
 * there is none until to_s, one after that.  No zone has been back where it was
 * less than four days after a change: that was Freetown, in 1939.
 */
static int64_t
nextchange(int64_t from_s, int64_t to_s, int64_t offset)
{
	enum { Stride = 3 * DaySeconds };
	int64_t at_s = from_s;

	for(; walloffset(at_s) == offset; at_s += Stride){
		if(at_s >= to_s)
			return at_s + 1;
		from_s = at_s;
	}
	while(at_s - from_s > 1){
		int64_t middle_s = from_s + (at_s - from_s) / 2;
		if(walloffset(middle_s) == offset)
			from_s = middle_s;
		else
			at_s = middle_s;
	}
	return at_s;
}

/* Whether the wall has shown the same before, since the clock was set back. */
static int
secondtime(int64_t at_s, int64_t offset)
{
	int64_t before = walloffset(at_s - DaySeconds);

	return before > offset &&
		walloffset(at_s + offset - before) == before;
}

int64_t
task_cronnext(const Cronspec *s, int64_t after_s)
{
	if(after_s < cronbegins || after_s > cronends)
		return task_fail(ERANGE);
	tzset();
	int64_t offset = walloffset(after_s), from_s = after_s;
	int64_t wall_s = nextwall(s, from_s + offset + 1);
	int once = s->hours != EveryHour;

	while(wall_s <= cronends){
		int64_t at_s = wall_s - offset;
		int64_t change_s = nextchange(from_s, at_s, offset);
		if(change_s > at_s){
			if(!once || !secondtime(at_s, offset))
				return at_s;
			from_s = at_s;
			wall_s = nextwall(s, wall_s + 1);
			continue;
		}
		offset = walloffset(change_s);
		if(once && wall_s < change_s + offset)
			return change_s;
		from_s = change_s;
		wall_s = nextwall(s, change_s + offset);
	}
	return task_fail(ERANGE);
}
