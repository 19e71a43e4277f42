/* SPDX-License-Identifier: MIT */
/* Another process: its memory, and where in it libtask is. */
#ifndef TARGET_H
#define TARGET_H

#include <stddef.h>
#include <stdint.h>

/*
 * The process is read as it runs, and notices nothing.  What the kernel may not
 * read for us fails.
 */

/* looks at what is mapped there; -1 with errno: that cannot be read. */
int targetopen(int pid);
const char *targetdenied(void);	/* why, in a line: after EACCES, EPERM */

/* copies n bytes from there; returns whether all could be read. */
int targetread(uint64_t from, void *to, size_t n);

/* puts '?' for what a terminal would obey: names may come from anywhere. */
void targetfit(char *s);

/* copies a string, "" if there is none, cut to n bytes, fit to be shown. */
void targettext(uint64_t from, char *to, size_t n);

/* the same with what is here, in n bytes or up to a NUL. */
void targetshow(const char *from, char *to, size_t n);

/*
 * calls right with each place where the table of inspect/layout.c may be, until
 * it returns 1; returns whether it did.
 */
int targetfind(int (*right)(uint64_t at));

/* puts the name of the function that begins there, "fn()", or "0x55d0". */
void targetfunction(uint64_t at, char *to, size_t n);

/* The letter of its state in ps(1): 'T' is stopped, 't' by a debugger; 0. */
int targetstate(void);

#endif
