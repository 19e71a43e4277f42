/* SPDX-License-Identifier: MIT */
/* As much of HTTP as httpd and httpload both need: reading headers. */
#ifndef HTTP_H
#define HTTP_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <task.h>

enum { HeaderMost = 8192 };	/* bytes, with the empty line that ends it */

/* What has come over a connection and is not used up. */
typedef struct Input
{
	int fd;
	size_t n;
	char buf[HeaderMost + 1];	/* a string */
} Input;

/*
 * reads until there is a whole header, and makes it a string.  Returns its
 * length with the empty line; 0 if the connection ends before; -1 if this
 * cannot become a header.
 */
static inline int
httpheader(Input *in)
{
	char *end;

	while((end = strstr(in->buf, "\r\n\r\n")) == NULL){
		if(in->n == HeaderMost)
			return -1;
		ssize_t r = fdread(in->fd, in->buf + in->n, HeaderMost - in->n);
		if(r <= 0)
			return 0;
		if(memchr(in->buf + in->n, '\0', (size_t)r) != NULL)
			return -1;
		in->n += (size_t)r;
		in->buf[in->n] = '\0';
	}
	end[2] = '\0';
	return (int)(end + 4 - in->buf);
}

/* The first n bytes are used up. */
static inline void
httpuse(Input *in, int n)
{
	in->n -= (size_t)n;
	memmove(in->buf, in->buf + n, in->n + 1);
}

/* The value of a field, or "". */
static inline const char *
httpfield(const char *header, const char *name)
{
	size_t n = strlen(name);

	while((header = strstr(header, "\r\n")) != NULL){
		header += 2;
		if(strncasecmp(header, name, n) == 0 && header[n] == ':')
			return header + n + 1 + strspn(header + n + 1, " \t");
	}
	return "";
}

#endif
