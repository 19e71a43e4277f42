/* SPDX-License-Identifier: MIT */
/* What tests of the console share: sessions, and what they answer. */
#ifndef CONSOLETEST_H
#define CONSOLETEST_H

#include "fdtest.h"
#include <sys/resource.h>
#include <sys/un.h>

/* The end of an answer: a command that is sent after the one that is asked. */
#define MARK "~done~"

static inline int
marks(int fd, int argc, char **argv, void *arg)
{
	(void)argc, (void)argv, (void)arg;
	return consoleprint(fd, MARK "\n") < 0 ? -1 : 0;
}

static inline void
addmark(void)
{
	if(consoleadd("mark", "ends an answer", marks, NULL) < 0)
		ck_assert_int_eq(errno, EEXIST);
}

/* A session on a pair of sockets. */
typedef struct Talk
{
	int fd;	/* the client's */
	int served;	/* the session's; -1: it is not ours */
	int result;	/* what consoleserve has returned */
	int err;	/* and errno, which was 99 */
	int over;
	char got[1 << 16];
} Talk;

static inline void
serves(void *v)
{
	Talk *t = v;

	errno = 99;
	t->result = consoleserve(t->served, t->served);
	t->err = errno;
	fdclose(t->served);
	t->over = 1;
}

static inline void
talk(Talk *t)
{
	int fds[2];

	addmark();
	pair(fds);
	t->fd = fds[0];
	t->served = fds[1];
	t->over = 0;
	ck_assert_int_gt(taskcreate(serves, t, 262144), 0);
}

static inline void
sends(const Talk *t, const char *text)
{
	size_t n = strlen(text);

	ck_assert_int_eq(fdwrite(t->fd, text, n), (ssize_t)n);
}

/* reads up to the mark, and returns what was before. */
static inline const char *
answered(Talk *t)
{
	size_t n = 0;
	char *end;

	t->got[0] = '\0';
	while((end = strstr(t->got, MARK "\n")) == NULL){
		ssize_t r = fdread(t->fd, t->got + n, sizeof t->got - 1 - n);
		if(r <= 0)
			ck_abort_msg("the session has ended after: %s", t->got);
		n += (size_t)r;
		t->got[n] = '\0';
	}
	*end = '\0';
	return t->got;
}

static inline const char *
asks(Talk *t, const char *line)
{
	sends(t, line);
	sends(t, "\nmark\n");
	return answered(t);
}

static inline void
has(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "no \"%s\" in: %s", part,
		text);
}

/* The same of an answer, at last: who asks may be ready again already. */
static inline void
becomes(Talk *t, const char *line, const char *part)
{
	for(int i = 0; i < 100; i++)
		if(strstr(asks(t, line), part))
			return;
	has(asks(t, line), part);
}

static inline void
hasnot(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) == NULL, "\"%s\" in: %s", part, text);
}

/* The session's end, by the client's. */
static inline void
hangsup(Talk *t)
{
	fdclose(t->fd);
	for(int i = 0; i < 10000 && !t->over; i++)
		taskdelay(1);
	ck_assert_int_eq(t->over, 1);
	if(t->result == 0)
		ck_assert_int_eq(t->err, 99);
}

/* A path of this test's own; the directory is there. */
static inline const char *
testpath(void)
{
	static char path[64];

	snprintf(path, sizeof path, "/tmp/console-test.%d", (int)getpid());
	return path;
}

static inline struct sockaddr_un
unixaddr(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
	return sa;
}

/* returns a client of a console, or -1. */
static inline int
calls(const char *path)
{
	struct sockaddr_un sa = unixaddr(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	if(connect(fd, (struct sockaddr *)&sa, sizeof sa) == 0)
		return fd;
	int err = errno;
	close(fd);
	errno = err;
	return -1;
}

static inline void
talkto(Talk *t, const char *path)
{
	addmark();
	t->fd = calls(path);
	ck_assert_int_ge(t->fd, 0);
	fcntl(t->fd, F_SETFL, O_NONBLOCK);
	t->served = -1;
}

#endif
