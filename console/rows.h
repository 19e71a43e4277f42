/* SPDX-License-Identifier: MIT */
/* Tables that people and programs read. */
#ifndef TASK_ROWS_H
#define TASK_ROWS_H

#include "../task/show.h"
#include <stdio.h>

#pragma GCC visibility push(hidden)

enum Kindof { CellText, CellNumber, CellAge };

typedef struct Column
{
	const char *name;
	int width;	/* negative: flush left; 0: as wide as it is */
	enum Kindof kind;
} Column;

/* columns ends with one that has no name; nrow counts what was put before. */
typedef struct Rows
{
	FILE *f;
	int json;
	const Column *columns;
	int at;
	int nrow;
} Rows;

/* the head, or "["; the end of all. */
void task_rowsbegin(Rows *r);
void task_rowsend(Rows *r);

/* put the next cell, and end the row after the last one. */
void task_cell(Rows *r, const char *fmt, ...) TASK_PRINTF(2, 3);
void task_cellage(Rows *r, int64_t ns);	/* below 0: none */

/* puts s in quotes, for JSON; what is no UTF-8 in it is replaced. */
void task_putjson(FILE *f, const char *s);

#pragma GCC visibility pop
#endif
