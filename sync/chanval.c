/* SPDX-License-Identifier: MIT */
/* Channels of pointers and unsigned longs: the element is the value's bytes. */
#include "../taskimpl.h"
#include <errno.h>

static int
fits(const Channel *c, size_t bytes)
{
	if(c && c->elemsize <= bytes)
		return 1;
	errno = EINVAL;
	return 0;
}

/*
 * returns whether there is a value.  The value itself cannot tell that the
 * channel was closed: errno does.
 */
static int
got(int r)
{
	if(r == 0)
		errno = EPIPE;
	return r == 1;
}

int
chansendp(Channel *c, void *v)
{
	return fits(c, sizeof v) ? chansend(c, &v) : -1;
}

int
channbsendp(Channel *c, void *v)
{
	return fits(c, sizeof v) ? channbsend(c, &v) : -1;
}

void *
chanrecvp(Channel *c)
{
	void *v = NULL;

	return fits(c, sizeof v) && got(chanrecv(c, &v)) ? v : NULL;
}

void *
channbrecvp(Channel *c)
{
	void *v = NULL;

	return fits(c, sizeof v) && got(channbrecv(c, &v)) ? v : NULL;
}

int
chansendul(Channel *c, unsigned long v)
{
	return fits(c, sizeof v) ? chansend(c, &v) : -1;
}

int
channbsendul(Channel *c, unsigned long v)
{
	return fits(c, sizeof v) ? channbsend(c, &v) : -1;
}

unsigned long
chanrecvul(Channel *c)
{
	unsigned long v = 0;

	return fits(c, sizeof v) && got(chanrecv(c, &v)) ? v : 0;
}

unsigned long
channbrecvul(Channel *c)
{
	unsigned long v = 0;

	return fits(c, sizeof v) && got(channbrecv(c, &v)) ? v : 0;
}
