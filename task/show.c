/* SPDX-License-Identifier: MIT */
/* How the texts that programs give to tasks and channels are printed. */
#include "show.h"
#include <stdio.h>
#include <string.h>

/*
 * Whether a terminal would obey the byte u.  Those of C1 do so by themselves
 * and behind 0xc2; elsewhere in UTF-8 the same bytes are parts of letters, of
 * which follow are still to come.
 */
static int
controls(unsigned char u, int *follow)
{
	if(*follow > 0 && u >= 0x80 && u < 0xc0){
		--*follow;
		return 0;
	}
	*follow = u >= 0xf0 ? 3 : u >= 0xe0 ? 2 : u > 0xc2;
	return u < ' ' || (u >= 0x7f && u < 0xa0);
}

const char *
task_show(char *buf, size_t n, const char *s)
{
	char *to = buf, *end = buf + n - sizeof "\\000";
	int follow = 0;

	for(; *s && to <= end; s++){
		unsigned char u = (unsigned char)*s;
		if(!controls(u, &follow)){
			*to++ = *s;
			continue;
		}
		*to++ = '\\';
		if(u >= '\a' && u <= '\r')
			*to++ = "abtnvfr"[u - '\a'];
		else{
			*to++ = (char)('0' + (u >> 6));
			*to++ = (char)('0' + (u >> 3 & 7));
			*to++ = (char)('0' + (u & 7));
		}
	}
	*to = '\0';
	return buf;
}

const char *
task_showid(char *buf, int number, unsigned int id)
{
	if(number)
		snprintf(buf, IdBytes, "%d.%u", number, id);
	else
		snprintf(buf, IdBytes, "%u", id);
	return buf;
}

const char *
task_showtask(char *buf, size_t n, const Proc *p, const Task *t)
{
	char id[IdBytes];
	int at = snprintf(buf, n, "task %s", task_showid(id, p->number, t->id));

	if(*task_name(t) == '\0')
		return buf;
	at += snprintf(buf + at, n - (size_t)at, " (");
	task_show(buf + at, n - (size_t)at - 1, task_name(t));
	strcat(buf + at, ")");
	return buf;
}
