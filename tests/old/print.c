/* SPDX-License-Identifier: MIT */
/*
 * An old program that prints with the functions that libtask had for itself: it
 * brings its own copy of them.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <task.h>
#include <unistd.h>

int
vsnprint(char *s, unsigned int n, char *fmt, va_list args)
{
	return vsnprintf(s, n, fmt, args);
}

int
vfprint(int fd, char *fmt, va_list args)
{
	char buf[256];

	vsnprint(buf, sizeof buf, fmt, args);
	return fdwrite(fd, buf, strlen(buf));
}

int
fprint(int fd, char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int n = vfprint(fd, fmt, args);
	va_end(args);
	return n;
}

int
print(char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int n = vfprint(1, fmt, args);
	va_end(args);
	return n;
}

int
snprint(char *s, unsigned int n, char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int r = vsnprint(s, n, fmt, args);
	va_end(args);
	return r;
}

char *
strecpy(char *to, char *e, char *from)
{
	while(to < e - 1 && *from)
		*to++ = *from++;
	*to = '\0';
	return to;
}

static void
writer(void *v)
{
	char buf[8];
	int *fd = v;

	taskname("%s", "writer");
	strecpy(buf, buf + sizeof buf, taskgetname());
	fprint(fd[1], "%d %s\n", 42, buf);
}

void
taskmain(int argc, char **argv)
{
	char buf[64] = "", want[64];
	int fd[2];

	(void)argc;
	if(pipe(fd) < 0 || taskcreate(writer, fd, 32768) < 0)
		taskexitall(1);
	fdnoblock(fd[0]);
	fdread(fd[0], buf, sizeof buf - 1);
	snprint(want, sizeof want, "%d %s\n", 42, "writer");
	if(strcmp(buf, want) != 0)
		print("%s: %s", argv[0], buf);
	taskexitall(strcmp(buf, want) != 0);
}
