/* SPDX-License-Identifier: MIT */
/* For tests of tasktop: it has a terminal, which is looked at. */
#ifndef SCREEN_H
#define SCREEN_H

#include "program.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static char text[1 << 16];	/* what a program has printed */

typedef struct Screen
{
	pid_t pid;
	int fd;
	int tty;	/* the other side, so that it stays as it is */
} Screen;

static inline Screen
startscreen(char **args)
{
	Screen s;
	struct winsize w = {24, 80, 0, 0};

	s.fd = posix_openpt(O_RDWR | O_NOCTTY);
	ck_assert_int_ge(s.fd, 0);
	grantpt(s.fd);
	unlockpt(s.fd);
	s.tty = open(ptsname(s.fd), O_RDWR | O_NOCTTY);
	ck_assert_int_ge(s.tty, 0);
	ioctl(s.fd, TIOCSWINSZ, &w);
	s.pid = fork();
	if(s.pid == 0){
		for(int i = 0; i < 3; i++)
			dup2(s.tty, i);
		close(s.fd);
		become("tasktop", args);
	}
	return s;
}

/* reads until what has come contains stop, as slurp, from the screen. */
static inline void
seen(Screen *s, const char *stop)
{
	size_t n = 0;
	struct pollfd p = {s->fd, POLLIN, 0};

	text[0] = '\0';
	while(strstr(text, stop) == NULL){
		ck_assert_msg(n < sizeof text - 1 && poll(&p, 1, 15000) > 0,
			"no \"%s\" in: %s", stop, text);
		ssize_t r = read(s->fd, text + n, 1);
		ck_assert_int_gt(r, 0);
		n += (size_t)r;
		text[n] = '\0';
	}
}

static inline int
cooks(const Screen *s)
{
	struct termios t;

	ck_assert_int_eq(tcgetattr(s->tty, &t), 0);
	return (t.c_lflag & (ICANON | ECHO)) == (ICANON | ECHO);
}

#endif
