/* SPDX-License-Identifier: MIT */
/* Reads what is asked of the wall clock: the five fields of crontab(5). */
#include "cron.h"
#include <string.h>

typedef struct Field
{
	int low;
	int high;
	const char *names;	/* of three letters, from low on; or NULL */
} Field;

enum { Minutes, Hours, Days, Months, Weekdays, Fields };

/* Sunday is 0 and 7. */
static const Field fields[Fields] = {{0, 59, NULL}, {0, 23, NULL},
	{1, 31, NULL}, {1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
	{0, 7, "sunmontuewedthufrisat"}};

enum { CronNumber = 9999 };	/* no number is larger */

/*
 * takes word off the text, in small or capital letters, if that begins with it.
 * Nothing is read behind the first character that differs, as the end does.
 */
static int
takename(const char **text, const char *word, int n)
{
	for(int i = 0; i < n; i++)
		if(((*text)[i] | ('a' ^ 'A')) != word[i])
			return 0;
	*text += n;
	return 1;
}

/* takes a number, or one of the names, off the text; -1: there is none. */
static int
takenumber(const char **text, const char *names, int low)
{
	int n = 0, digits = 0;

	for(int i = 0; names && names[3 * i]; i++)
		if(takename(text, names + 3 * i, 3))
			return low + i;
	for(; **text >= '0' && **text <= '9' && n <= CronNumber; digits++)
		n = 10 * n + *(*text)++ - '0';
	return digits && n <= CronNumber ? n : -1;
}

static int
takechar(const char **text, char c)
{
	int is = **text == c;

	*text += is;
	return is;
}

/* takes one of what commas are between: a step needs a star or a range. */
static int
takeitem(const char **text, const Field *f, uint64_t *set)
{
	int low = f->low, high = f->high, step = 1;
	int star = takechar(text, '*'), range = 0;

	if(!star){
		low = high = takenumber(text, f->names, f->low);
		range = takechar(text, '-');
		if(range)
			high = takenumber(text, f->names, f->low);
		if(range && f == &fields[Weekdays] && high == 0 && low > 0)
			high = 7;	/* until Sunday */
	}
	if((star || range) && takechar(text, '/'))
		step = takenumber(text, NULL, 0);
	if(low < f->low || high < low || high > f->high || step < 1)
		return -1;
	for(int i = low; i <= high; i += step)
		*set |= (uint64_t)1 << i;
	return 0;
}

static int
takefield(const char **text, const Field *f, uint64_t *set)
{
	*set = 0;
	do
		if(takeitem(text, f, set) < 0)
			return -1;
	while(takechar(text, ','));
	return 0;
}

static void
skipblanks(const char **text)
{
	while(**text == ' ' || **text == '\t')
		++*text;
}

/* returns the fields that a text with @ stands for, or NULL. */
static const char *
shorthand(const char *text)
{
	static const char *const words[][2] = {{"@hourly", "0 * * * *"},
		{"@daily", "0 0 * * *"}, {"@midnight", "0 0 * * *"},
		{"@weekly", "0 0 * * 0"}, {"@monthly", "0 0 1 * *"},
		{"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}};

	for(size_t i = 0; i < sizeof words / sizeof words[0]; i++){
		const char *end = text + 1, *word = words[i][0] + 1;
		if(takename(&end, word, (int)strlen(word))){
			skipblanks(&end);
			return *end ? NULL : words[i][1];
		}
	}
	return NULL;
}

/* Whether there is ever such a day, in leap years if not in others. */
static int
comes(const Cronspec *s)
{
	static const unsigned char most[] = {31, 29, 31, 30, 31, 30, 31, 31, 30,
		31, 30, 31};
	int either = !s->anyday && !s->anyweekday;

	for(int m = 1; m <= 12; m++)
		if((s->months >> m & 1) && (either ||
				(s->days & ((2u << most[m - 1]) - 1))))
			return 1;
	return 0;
}

int
task_cronparse(Cronspec *s, const char *text)
{
	uint64_t sets[Fields];

	skipblanks(&text);
	if(*text == '@' && (text = shorthand(text)) == NULL)
		return task_fail(EINVAL);
	*s = (Cronspec){0};
	for(int i = 0; i < Fields; i++){
		s->anyday |= i == Days && *text == '*';
		s->anyweekday |= i == Weekdays && *text == '*';
		if(takefield(&text, &fields[i], &sets[i]) < 0)
			return task_fail(EINVAL);
		const char *end = text;
		skipblanks(&text);
		if(i + 1 < Fields ? text == end : *text != '\0')
			return task_fail(EINVAL);
	}
	s->minutes = sets[Minutes];
	s->hours = (uint32_t)sets[Hours];
	s->days = (uint32_t)sets[Days];
	s->months = (uint16_t)sets[Months];
	s->weekdays = (uint8_t)((sets[Weekdays] | sets[Weekdays] >> 7) & 0x7f);
	return comes(s) ? 0 : task_fail(ENOENT);
}
