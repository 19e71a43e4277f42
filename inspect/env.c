/* SPDX-License-Identifier: MIT */
/* Numbers that people write. */
#include "inspect.h"
#include <errno.h>
#include <stdlib.h>

int
task_isnumber(const char *s, unsigned long most, unsigned long *n)
{
	char *end;
	int err = errno;

	if(*s < '0' || *s > '9')
		return 0;
	errno = 0;
	*n = strtoul(s, &end, 10);
	int good = *end == '\0' && errno == 0 && *n <= most;
	errno = err;
	return good;
}

int
task_envnumber(const char *name, const char *unit, unsigned long most,
	unsigned long *n)
{
	const char *s = getenv(name);

	if(s == NULL || *s == '\0')
		return 0;
	if(task_isnumber(s, most, n))
		return 1;
	fprintf(stderr, "%s=%s: not a number of %s\n", name, s, unit);
	*n = 0;
	return 0;
}
