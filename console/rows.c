/* SPDX-License-Identifier: MIT */
/* Puts tables, for people or as JSON. */
#include "rows.h"
#include <ctype.h>
#include <string.h>

/* returns how many bytes the letter at s has in UTF-8; 0: it is none. */
static int
lettersize(const unsigned char *s)
{
	int n = *s < 0x80 ? 1 : *s >= 0xc2 && *s < 0xe0 ? 2 :
		*s >= 0xe0 && *s < 0xf0 ? 3 : *s >= 0xf0 && *s < 0xf5 ? 4 : 0;

	for(int i = 1; i < n; i++)
		if((s[i] & 0xc0) != 0x80)
			return 0;
	/* too long, a surrogate, or above U+10FFFF */
	if((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] >= 0xa0) ||
			(*s == 0xf0 && s[1] < 0x90) ||
			(*s == 0xf4 && s[1] >= 0x90))
		return 0;
	return n;
}

void
task_putjson(FILE *f, const char *s)
{
	putc('"', f);
	for(const unsigned char *u = (const unsigned char *)s; *u; ){
		int n = lettersize(u);
		if(n == 0)
			fputs("\\ufffd", f);
		else if(*u < ' ' || *u == 0x7f)
			fprintf(f, "\\u%04x", *u);
		else{
			if(*u == '"' || *u == '\\')
				putc('\\', f);
			fwrite(u, 1, (size_t)n, f);
		}
		u += n ? n : 1;
	}
	putc('"', f);
}

/* "ran_ns" is for programs: people have it with its unit beside it, as RAN. */
static void
putheading(FILE *f, const Column *c)
{
	char name[32];
	size_t n = strcspn(c->name, "_");

	for(size_t i = 0; i < n; i++)
		name[i] = (char)toupper((unsigned char)c->name[i]);
	name[n] = '\0';
	fprintf(f, "%*s", c->width, name);
}

void
task_rowsbegin(Rows *r)
{
	if(r->json){
		putc('[', r->f);
		return;
	}
	for(const Column *c = r->columns; c->name; c++){
		putheading(r->f, c);
		putc(c[1].name ? ' ' : '\n', r->f);
	}
}

void
task_rowsend(Rows *r)
{
	if(r->json)
		fputs("]\n", r->f);
}

/* A number that there is not is "-" for people, and null. */
static void
putmember(Rows *r, const Column *c, const char *text)
{
	if(r->at == 0)
		fputs(r->nrow ? ",{" : "{", r->f);
	task_putjson(r->f, c->name);
	putc(':', r->f);
	if(c->kind == CellText)
		task_putjson(r->f, text);
	else
		fputs(strcmp(text, "-") == 0 ? "null" : text, r->f);
	putc(c[1].name ? ',' : '}', r->f);
}

/* Not inline, so that frames stay small. */
__attribute__((noinline)) static void
putplain(Rows *r, const Column *c, const char *text)
{
	char shown[ShownBytes];

	fprintf(r->f, "%*s%c", c->width, task_show(shown, sizeof shown, text),
		c[1].name ? ' ' : '\n');
}

static void
putcell(Rows *r, const char *text)
{
	const Column *c = &r->columns[r->at];

	if(r->json)
		putmember(r, c, text);
	else
		putplain(r, c, text);
	r->at = c[1].name ? r->at + 1 : 0;
	r->nrow += r->at == 0;
}

void
task_cell(Rows *r, const char *fmt, ...)
{
	char text[ShownBytes];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	putcell(r, text);
}

void
task_cellage(Rows *r, int64_t ns)
{
	if(ns < 0)
		task_cell(r, "-");
	else if(r->json)
		task_cell(r, "%lld", (long long)ns);
	else if(ns < 10 * (int64_t)Second)
		task_cell(r, "%.*f ms", ns < 100 * (int64_t)Millisecond ? 1 : 0,
			(double)ns / Millisecond);
	else
		task_cell(r, "%lld s", (long long)(ns / Second));
}
