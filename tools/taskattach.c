/* SPDX-License-Identifier: MIT */
/* taskattach PID [SIGNAL], or PATH: a session of the console, in a terminal. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/*
 * What goes to and from a process that was attached by a signal are frames, and
 * how the two FIFOs are opened is an agreement: see console/attach.c.  A
 * console's socket has the bare bytes.
 */
enum
{
	WaitMs = 10000,	/* for a process to answer */
	LookMs = 20,
	QuietMs = 60,	/* after that the answer has come: a prompt */
	HeaderMost = 16
};

typedef struct Link
{
	int in;	/* what the session says */
	int out;	/* what it is told; the same if a socket */
	int framed;

	long left;	/* bytes of the present frame; 0: it is a header */
	char header[HeaderMost];
	size_t nheader;

	char pending[8192 + HeaderMost];	/* to be written to out */
	size_t npending;
	int ended;	/* all of the input is in pending, or beyond */
} Link;

static void
die(const char *what)
{
	fprintf(stderr, "taskattach: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
nap(int ms)
{
	nanosleep(&(struct timespec){0, ms * 1000000L}, NULL);
}

/* Opening */

static struct sockaddr_un
address(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	if(strlen(path) >= sizeof sa.sun_path){
		errno = ENAMETOOLONG;
		die(path);
	}
	strcpy(sa.sun_path, path);
	return sa;
}

static void
opensocket(Link *l, const char *path)
{
	struct sockaddr_un sa = address(path);

	l->in = l->out = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if(l->in < 0 || connect(l->in, (struct sockaddr *)&sa, sizeof sa) < 0)
		die(path);
}

/*
 * Of two clients one waits: they would open the same FIFOs.  The name, which
 * is no file's, is free again when the process has closed it or died.
 */
static int
taketurn(int pid)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int n = snprintf(sa.sun_path + 1, sizeof sa.sun_path - 1,
		"taskattach.%d", pid);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
		1 + (size_t)n);

	for(int ms = 0; ms < 2 * WaitMs; ms += LookMs){
		if(bind(fd, (struct sockaddr *)&sa, size) == 0)
			return fd;
		nap(LookMs);
	}
	die("another taskattach does not let go");
	return -1;
}

/* A directory that is not the process's user's is not looked into. */
static int
isfifo(const char *dir, const char *path, uid_t uid)
{
	struct stat st;

	if(lstat(dir, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != uid)
		return 0;
	return lstat(path, &st) == 0 && S_ISFIFO(st.st_mode) &&
		st.st_uid == uid;
}

static uid_t
userof(int pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof path, "/proc/%d", pid);
	if(stat(path, &st) < 0)
		die(path);
	return st.st_uid;
}

typedef struct Names
{
	char dir[512];
	char in[600];
	char out[600];
} Names;

/* waits until there is a pair of FIFOs. */
static void
findpair(int pid, Names *n)
{
	const char *bases[] = {getenv("XDG_RUNTIME_DIR"), "/tmp"};
	uid_t uid = userof(pid);

	for(int ms = 0; ms < WaitMs; ms += LookMs){
		for(int i = 0; i < 2; i++){
			if(bases[i] == NULL || strlen(bases[i]) > 400)
				continue;
			snprintf(n->dir, sizeof n->dir, "%s/task.%d",
				bases[i], pid);
			snprintf(n->in, sizeof n->in, "%s/%d.in", n->dir, pid);
			snprintf(n->out, sizeof n->out, "%s/%d.out", n->dir,
				pid);
			if(isfifo(n->dir, n->in, uid) &&
					isfifo(n->dir, n->out, uid))
				return;
		}
		nap(LookMs);
	}
	errno = ETIMEDOUT;
	die("the process has made no FIFOs");
}

static void
openpair(Link *l, int pid, int sig)
{
	Names names;
	int turn = taketurn(pid);

	if(kill(pid, sig) < 0)
		die("kill");
	findpair(pid, &names);
	l->in = open(names.in, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if(l->in < 0)
		die(names.in);
	for(int ms = 0; ms < WaitMs; ms += LookMs){
		l->out = open(names.out, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		if(l->out >= 0 || errno != ENXIO)
			break;
		nap(LookMs);
	}
	if(l->out < 0 || write(l->out, "1\n\n", 3) != 3)
		die(names.out);
	unlink(names.in);
	for(int ms = 0; ms < WaitMs && access(names.out, F_OK) == 0;
			ms += LookMs)
		nap(LookMs);
	close(turn);
	l->framed = 1;
}

/* Carrying */

/* returns whether there is more to come. */
static int
readinput(Link *l)
{
	char *at = l->pending + HeaderMost;
	ssize_t n = read(0, at, sizeof l->pending - HeaderMost);

	if(n <= 0){
		l->ended = 1;
		n = 0;
	}
	if(!l->framed){
		memmove(l->pending, at, (size_t)n);
		l->npending = (size_t)n;
		if(n == 0)
			shutdown(l->out, SHUT_WR);
		return n > 0;
	}
	int size = snprintf(l->pending, HeaderMost, "%zd\n", n);
	memmove(l->pending + size, at, (size_t)n);
	l->npending = (size_t)(size + n);
	return n > 0;
}

static int
writepending(Link *l)
{
	ssize_t n = write(l->out, l->pending, l->npending);

	if(n < 0)
		return errno == EAGAIN ? 0 : -1;
	l->npending -= (size_t)n;
	memmove(l->pending, l->pending + n, l->npending);
	return 0;
}

static void
show(const char *s, size_t n)
{
	while(n > 0){
		ssize_t r = write(1, s, n);
		if(r < 0 && errno == EINTR)
			continue;
		if(r < 0)
			exit(1);
		s += r;
		n -= (size_t)r;
	}
}

/* takes one byte of a header; -1: it is none. */
static int
readheader(Link *l, char c)
{
	if(c != '\n'){
		if(!isdigit((unsigned char)c) || l->nheader == HeaderMost - 1)
			return -1;
		l->header[l->nheader++] = c;
		return 0;
	}
	l->header[l->nheader] = '\0';
	l->left = l->nheader ? strtol(l->header, NULL, 10) : -1;
	l->nheader = 0;
	return l->left < 0 ? -1 : 0;
}

static void
showframes(Link *l, const char *s, size_t n)
{
	while(n > 0){
		if(l->left <= 0){
			l->left = 0;
			if(readheader(l, *s) < 0){
				errno = EPROTO;
				die("what came is no frame");
			}
			s++;
			n--;
			continue;
		}
		size_t m = n < (size_t)l->left ? n : (size_t)l->left;
		show(s, m);
		s += m;
		n -= m;
		l->left -= (long)m;
	}
}

/* returns 0 at the session's end. */
static int
readsession(Link *l)
{
	char buf[16384];
	ssize_t n = read(l->in, buf, sizeof buf);

	if(n < 0)
		return errno == EAGAIN || errno == EINTR;
	if(n == 0 && (l->left > 0 || l->nheader > 0)){
		errno = EPIPE;
		die("the session was cut off");
	}
	if(l->framed)
		showframes(l, buf, (size_t)n);
	else
		show(buf, (size_t)n);
	return n > 0;
}

static void
carry(Link *l)
{
	int tty = isatty(0), prompts = tty;

	for(;;){
		struct pollfd p[] = {
			{l->in, POLLIN, 0},
			{l->npending ? l->out : -1, POLLOUT, 0},
			{l->ended || l->npending ? -1 : 0, POLLIN, 0}};
		int n = poll(p, 3, prompts ? QuietMs : -1);
		if(n < 0 && errno != EINTR)
			die("poll");
		if(n == 0){
			show("task> ", 6);
			prompts = 0;
		}
		if(n <= 0)
			continue;
		if(p[0].revents && !readsession(l))
			return;
		if(p[1].revents && writepending(l) < 0){
			l->npending = 0;
			l->ended = 1;
		}
		if(p[2].revents)
			readinput(l);
		prompts = tty;
	}
}

/*
 * returns the number that s is; 0: it is none, or too large.  With others kill
 * would signal a group, or all processes.
 */
static int
numberof(const char *s)
{
	char *end;
	long n = isdigit((unsigned char)*s) ? strtol(s, &end, 10) : 0;

	return n > 0 && n <= INT_MAX && *end == '\0' ? (int)n : 0;
}

static int
signalof(const char *s)
{
	static const struct { const char *name; int sig; } names[] = {
		{"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"HUP", SIGHUP},
		{"WINCH", SIGWINCH}, {"CONT", SIGCONT}};

	if(strncmp(s, "SIG", 3) == 0)
		s += 3;
	for(size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if(strcmp(s, names[i].name) == 0)
			return names[i].sig;
	return numberof(s);
}

int
main(int argc, char **argv)
{
	static Link l = {.left = 0};
	int sig = argc == 3 ? signalof(argv[2]) : SIGUSR1;

	if(argc < 2 || argc > 3 || argv[1][0] == '-' || sig == 0){
		fprintf(stderr, "usage: taskattach PID [SIGNAL]\n"
			"       taskattach PATH\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	if(numberof(argv[1]))
		openpair(&l, numberof(argv[1]), sig);
	else
		opensocket(&l, argv[1]);
	fcntl(l.in, F_SETFL, O_NONBLOCK);
	fcntl(l.out, F_SETFL, O_NONBLOCK);
	carry(&l);
	return 0;
}
