/* SPDX-License-Identifier: MIT */
/*
 * Lines of 64 bytes through a stream: what finding them costs, from a file in
 * memory; through a socket between two tasks; and requests in lock-step.
 */
#include "bench.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LineBytes = 64, Lines = 1 << 20, Rounds = 200000 };

static int fds[2];

static void
filllines(char *v, size_t n)
{
	memset(v, 'x', n);
	for(size_t i = LineBytes - 1; i < n; i += LineBytes)
		v[i] = '\n';
}

/* ns for each of n lines that s has: 64 are 1 GB/s. */
static double
readlines(Stream *s, int n)
{
	char *line;
	int64_t start = nowns();

	for(int i = 0; i < n; i++)
		if(streamline(s, &line) != LineBytes - 1)
			abort();
	return each(start, n);
}

/*
 * The whole is in the buffer before the clock starts: so this is the parser
 * without the kernel.
 */
static void
parse(void)
{
	enum { Bytes = 1 << 20, Times = 64 };
	static double took[Times];
	int fd = memfd_create("lines", 0);
	char *bytes = malloc(Bytes);
	void *v;

	filllines(bytes, Bytes);
	for(int i = 0; i < Times; i++)
		if(write(fd, bytes, Bytes) != Bytes)
			abort();
	lseek(fd, 0, SEEK_SET);
	Stream *s = streamopen(fd, Bytes);
	for(int i = 0; i < Times; i++){
		if(streampeek(s, Bytes, &v) != Bytes)
			abort();
		took[i] = readlines(s, Bytes / LineBytes);
	}
	report("stream-line", median(took, Times), "ns");
	streamclose(s);
	free(bytes);
}

static void
sendlines(void *v)
{
	enum { Bytes = 1 << 16 };
	char *bytes = malloc(Bytes);

	(void)v;
	filllines(bytes, Bytes);
	for(int i = 0; i < Lines / (Bytes / LineBytes); i++)
		if(fdwrite(fds[1], bytes, Bytes) != Bytes)
			abort();
	fdclose(fds[1]);
	free(bytes);
}

static void
pairof(void)
{
	if(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0)
		abort();
}

static void
through(void)
{
	pairof();
	taskcreate(sendlines, NULL, StackBytes);
	Stream *s = streamopen(fds[0], 0);
	report("stream-socket", readlines(s, Lines), "ns");
	streamclose(s);
}

static void
answering(void *v)
{
	Stream *s = streamopen(fds[1], 0);
	char *line;

	(void)v;
	while(streamline(s, &line) >= 0)
		streamprint(s, "%s\n", line);
	streamclose(s);
}

static void
lockstep(void)
{
	char *line;

	pairof();
	taskcreate(answering, NULL, StackBytes);
	Stream *s = streamopen(fds[0], 0);
	int64_t start = nowns();
	for(int i = 0; i < Rounds; i++){
		streamwrite(s, "request\n", 8);
		if(streamline(s, &line) != 7)
			abort();
	}
	report("stream-lockstep", each(start, Rounds), "ns");
	streamclose(s);
}

void
taskmain(int argc, char **argv)
{
	(void)argc, (void)argv;
	parse();
	through();
	lockstep();
}
