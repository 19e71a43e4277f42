/* SPDX-License-Identifier: MIT */
/* The columns that tasktop shows. */
#include "topcolumns.h"
#include "toprows.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int sortby = 5, reverse;

typedef struct Field
{
	const char *name;
	int width;	/* negative: flush left; 0: the rest */
	void (*put)(char *to, size_t n, const Row *r);
	double (*order)(const Row *r);	/* NULL: by its text */
	int counted;	/* by the program, if it is asked */
} Field;

static double
age(const Row *r)
{
	return (double)r->age_ns / 1e9;
}

static double
total(const Row *r)
{
	return (double)(now_ns - r->first_ns) / 1e9;
}

static double
busy(const Row *r)
{
	return (double)(r->ran_ns - r->first_ran_ns) / 1e9;
}

/* ready, while others ran */
static double
sched(const Row *r)
{
	return (double)(r->ready_ns - r->first_ready_ns) / 1e9;
}

static double
idle(const Row *r)
{
	double s = total(r) - busy(r) - sched(r);

	return s > 0 ? s : 0;
}

static double
sharecol(const Row *r)
{
	return r->share;
}

static double
longest(const Row *r)
{
	return (double)r->longest_ns / 1e9;
}

static double
switchcol(const Row *r)
{
	return (double)r->switches;
}

static double
idcol(const Row *r)
{
	return -(double)idnumber(r);
}

static void
putid(char *to, size_t n, const Row *r)
{
	snprintf(to, n, "%s", r->id);
}

static void
putname(char *to, size_t n, const Row *r)
{
	snprintf(to, n, "%s", r->name);
}

static void
putstate(char *to, size_t n, const Row *r)
{
	snprintf(to, n, "%s", r->state);
}

static void
putseconds(char *to, size_t n, double s)
{
	if(s < 0)
		snprintf(to, n, "-");
	else if(s < 1)
		snprintf(to, n, "%.1fms", s * 1000);
	else if(s < 1000)
		snprintf(to, n, "%.2fs", s);
	else
		snprintf(to, n, "%.0fs", s);
}

static void
puttotal(char *to, size_t n, const Row *r)
{
	putseconds(to, n, total(r));
}

static void
putbusy(char *to, size_t n, const Row *r)
{
	putseconds(to, n, busy(r));
}

static void
putsched(char *to, size_t n, const Row *r)
{
	putseconds(to, n, sched(r));
}

static void
putidle(char *to, size_t n, const Row *r)
{
	putseconds(to, n, idle(r));
}

static void
putshare(char *to, size_t n, const Row *r)
{
	snprintf(to, n, "%.1f", r->share);
}

static void
putlongest(char *to, size_t n, const Row *r)
{
	putseconds(to, n, longest(r));
}

static void
putswitches(char *to, size_t n, const Row *r)
{
	snprintf(to, n, "%llu", (unsigned long long)r->switches);
}

static void
putwhy(char *to, size_t n, const Row *r)
{
	snprintf(to, n, "%s", r->why);
}

static void
putage(char *to, size_t n, const Row *r)
{
	putseconds(to, n, age(r));
}

static void
putcreator(char *to, size_t n, const Row *r)
{
	snprintf(to, n, "%s", *r->creator ? r->creator : "-");
}

static void
putplace(char *to, size_t n, const Row *r)
{
	snprintf(to, n, "%s", *r->place ? r->place : "-");
}

/* Where there is no room in the terminal they are cut at the right. */
static Field fields[] = {
	{"Id", 5, putid, idcol, 0},
	{"Name", -12, putname, NULL, 0},
	{"State", -7, putstate, NULL, 0},
	{"Total", 7, puttotal, total, 0},
	{"Busy", 7, putbusy, busy, 1},
	{"Busy%", 6, putshare, sharecol, 1},
	{"Sched", 7, putsched, sched, 1},
	{"Idle", 7, putidle, idle, 1},
	{"Switches", 9, putswitches, switchcol, 1},
	{"Why", -24, putwhy, NULL, 0},
	{"Age", 8, putage, age, 0},
	{"Longest", 8, putlongest, longest, 1},
	{"Creator", 7, putcreator, NULL, 0},
	{"Location", 0, putplace, NULL, 0},
};

_Static_assert(sizeof fields / sizeof fields[0] == Columns, "Columns");

static int
bysort(const void *a, const void *b)
{
	const Field *f = &fields[sortby];
	char x[256], y[256];
	int c;

	if(f->order){
		double d = f->order(a) - f->order(b);
		c = d < 0 ? 1 : d > 0 ? -1 : 0;
	}else{
		f->put(x, sizeof x, a);
		f->put(y, sizeof y, b);
		c = strcmp(x, y);
	}
	return c == 0 ? byid(a, b) : reverse ? -c : c;
}

void
sortrows(void)
{
	if(nrows > 0)
		qsort(rows, nrows, sizeof *rows, bysort);
}

int
sortbyname(const char *name)
{
	for(int i = 0; i < Columns; i++)
		if(strcasecmp(name, fields[i].name) == 0){
			sortby = i;
			return 0;
		}
	return -1;
}

static int
lettersof(const char *s)
{
	int n = 0;

	for(; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void
fitcolumn(Field *f)
{
	char cell[256];

	for(size_t i = 0; i < nrows; i++){
		f->put(cell, sizeof cell, &rows[i]);
		int n = lettersof(cell);
		if(f->width < 0 && n > -f->width)
			f->width = -n;
		else if(f->width > 0 && n > f->width)
			f->width = n;
	}
}

/* An id that is cut would be another's; the rest has to fit into a terminal. */
void
fitcolumns(int all)
{
	for(int i = 0; i < (all ? Columns : 1); i++)
		fitcolumn(&fields[i]);
}

/* The bytes of n letters of s, or fewer; a letter takes one place. */
static int
bytesof(const char *s, int n)
{
	const char *p = s;

	for(; *p && n > 0; n--)
		for(p++; ((unsigned char)*p & 0xc0) == 0x80; p++)
			;
	return (int)(p - s);
}

/* appends to line what of one cell there is room for. */
static int
putcell(char *line, size_t size, int at, const char *s, int wide, int most)
{
	int n = wide < 0 ? -wide : wide, letters = 0;
	size_t len = strlen(line);

	if(at >= most)
		return at;
	if(n == 0 || n > most - at)
		n = most - at;
	int bytes = bytesof(s, n);
	for(int i = 0; i < bytes; i++)
		letters += ((unsigned char)s[i] & 0xc0) != 0x80;
	snprintf(line + len, size - len, "%*s%.*s%*s ",
		wide > 0 && n > letters ? n - letters : 0, "", bytes, s,
		wide < 0 && n > letters ? n - letters : 0, "");
	return at + n + 1;
}

void
putrow(FILE *f, const Row *r, int most, const char *end)
{
	char line[1024] = "", cell[256];
	int at = 0;

	for(int i = 0; i < Columns; i++){
		if(fields[i].counted && !r->counted)
			strcpy(cell, "-");
		else
			fields[i].put(cell, sizeof cell, r);
		at = putcell(line, sizeof line, at, cell, fields[i].width,
			most);
	}
	size_t n = strlen(line);
	while(n > 0 && line[n - 1] == ' ')
		line[--n] = '\0';
	fprintf(f, "%s%s", line, end);
}

void
putheads(FILE *f, int most, const char *end)
{
	char line[1024] = "", cell[32];
	int at = 0;

	for(int i = 0; i < Columns; i++){
		snprintf(cell, sizeof cell, "%s%s", fields[i].name,
			i == sortby ? (reverse ? "^" : "v") : "");
		at = putcell(line, sizeof line, at, cell, fields[i].width,
			most);
	}
	fprintf(f, "%s%s", line, end);
}
