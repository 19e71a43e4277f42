/* SPDX-License-Identifier: MIT */
/* The columns that tasktop shows. */
#ifndef TOPCOLUMNS_H
#define TOPCOLUMNS_H

#include "toprows.h"
#include <stdio.h>

enum { Columns = 14 };

extern int sortby;	/* which of them */
extern int reverse;	/* whether the other way round */

int sortbyname(const char *name);	/* -1 if there is none */
void sortrows(void);
/* makes the first column, or all, as wide as what is in any row. */
void fitcolumns(int all);

/* puts a row, or the heads, as far as they fit into most places. */
void putrow(FILE *f, const Row *r, int most, const char *end);
void putheads(FILE *f, int most, const char *end);

#endif
