/* SPDX-License-Identifier: MIT */
/* Random specs for the clock on the wall, and a slow search for their times. */
#ifndef CRONTEST_H
#define CRONTEST_H

#include "test.h"
#include <sys/mman.h>

/* A spec, and what it asks for, which was known before the text was made. */
typedef struct Asked
{
	char text[1024];
	unsigned char minutes[60], hours[24], days[32], months[13];
	unsigned char weekdays[8];
	int either;	/* one of the fields of days is enough */
} Asked;

static inline int
askvalue(Random *r, char *text, int v, const char *names, int low)
{
	if(names == NULL || randombelow(r, 2))
		return sprintf(text, "%0*d", (int)randombelow(r, 3), v);
	for(int i = 0; i < 3; i++){
		text[i] = names[3 * (v - low) + i];
		text[i] = (char)(text[i] - (randombelow(r, 2) ? 32 : 0));
	}
	return 3;
}

/* writes a number, or a range and perhaps a step. */
static inline int
askitem(Random *r, char *text, unsigned char *set, int low, int high,
	const char *names)
{
	int a = low + (int)randombelow(r, (unsigned int)(high - low + 1));
	int n = askvalue(r, text, a, names, low), b = a, step = 1;

	if(randombelow(r, 2)){
		b = a + (int)randombelow(r, (unsigned int)(high - a + 1));
		text[n++] = '-';
		n += askvalue(r, text + n, b, names, low);
		if(randombelow(r, 2)){
			step = 1 + (int)randombelow(r, 20);
			n += sprintf(text + n, "/%d", step);
		}
	}
	for(; a <= b; a += step)
		set[a] = 1;
	return n;
}

/* writes a field, a star in so many of ten; returns whether it is one. */
static inline int
askfield(Random *r, char **text, unsigned char *set, int low, int high,
	const char *names, unsigned int stars)
{
	int star = randombelow(r, 10) < stars, step = 1;

	if(star){
		*(*text)++ = '*';
		if(randombelow(r, 4) == 0){
			step = 1 + (int)randombelow(r, (unsigned int)high);
			*text += sprintf(*text, "/%d", step);
		}
		for(int i = low; i <= high; i += step)
			set[i] = 1;
	}
	for(unsigned int i = star ? 0 : 1 + randombelow(r, 4); i > 0; i--){
		*text += askitem(r, *text, set, low, high, names);
		if(i > 1)
			*(*text)++ = ',';
	}
	*text += sprintf(*text, randombelow(r, 9) ? " " : " \t");
	return star;
}

static inline Asked
askrandom(Random *r)
{
	Asked a = {.either = 1};
	char *text = a.text;

	askfield(r, &text, a.minutes, 0, 59, NULL, 4);
	askfield(r, &text, a.hours, 0, 23, NULL, 5);
	a.either &= !askfield(r, &text, a.days, 1, 31, NULL, 6);
	askfield(r, &text, a.months, 1, 12,
		"janfebmaraprmayjunjulaugsepoctnovdec", 8);
	a.either &= !askfield(r, &text, a.weekdays, 0, 6,
		"sunmontuewedthufrisat", 6);
	return a;
}

/* Whether a wall that shows tm shows what is asked for. */
static inline int
shows(const Asked *a, const struct tm *tm)
{
	int day = a->days[tm->tm_mday], weekday = a->weekdays[tm->tm_wday];

	return tm->tm_sec == 0 && a->minutes[tm->tm_min] &&
		a->hours[tm->tm_hour] && a->months[tm->tm_mon + 1] &&
		(a->either ? day || weekday : day && weekday);
}

/* returns whether a is asked in one of the seconds of the wall to the last. */
static inline int
showsin(const Asked *a, int64_t first, int64_t last)
{
	for(int64_t w = first; w <= last; w++){
		time_t t = (time_t)w;
		struct tm tm;
		if(w % 60 == 0 && shows(a, gmtime_r(&t, &tm)))
			return 1;
	}
	return 0;
}

/*
 * returns the first time of a after after_s; -1: there is none until until_s.
 * It goes second by second, from a few hours before on, so as to know what the
 * wall has shown already.
 */
static inline int64_t
slownext(const Asked *a, int64_t after_s, int64_t until_s)
{
	int64_t top = INT64_MIN;
	int every = memchr(a->hours, 0, sizeof a->hours) == NULL;

	for(int64_t s = after_s - 3 * 3600; s <= until_s; s++){
		time_t t = (time_t)s;
		struct tm tm, copy;
		localtime_r(&t, &tm);
		copy = tm;
		int64_t wall = timegm(&copy);
		if(s > after_s && (every ? shows(a, &tm) :
				showsin(a, top + 1, wall)))
			return s;
		if(wall > top)
			top = wall;
	}
	return -1;
}

/* returns whether there are rules for the zone, which then is the local one. */
static inline int
inzone(const char *zone)
{
	char path[256];
	const char *dir = getenv("TZDIR");

	snprintf(path, sizeof path, "%s/%s", dir ? dir : "/usr/share/zoneinfo",
		zone);
	setenv("TZ", zone, 1);
	tzset();
	return strcmp(zone, "UTC") == 0 || access(path, R_OK) == 0;
}

/* cronnext for a text behind which nothing can be read. */
static inline int64_t
nextofbytes(const char *text, size_t n, int64_t after_s)
{
	static char *page;
	size_t size = (size_t)sysconf(_SC_PAGESIZE);

	if(page == NULL){
		page = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if(page == MAP_FAILED || mprotect(page + size, size,
				PROT_NONE) < 0)
			abort();
	}
	if(n >= size)
		abort();
	memcpy(page + size - n - 1, text, n);
	page[size - 1] = '\0';
	return cronnext(page + size - n - 1, after_s);
}

static inline int64_t
nextof(const char *text, int64_t after_s)
{
	return nextofbytes(text, strlen(text), after_s);
}

#endif
