/* SPDX-License-Identifier: MIT */
/* Attaching by a signal: a session through a pair of FIFOs. */
#include "console.h"
#include "../fd/fd.h"
#include "../proc/proc.h"
#include "../task/newnames.h"
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * At the signal a directory is made that only this user can enter, named by the
 * process, with two FIFOs, named by what they are to the client:
 *
 *	client: opens PID.in to read, opens PID.out to write, unlinks PID.in
 *	here:   opens PID.in to write, opens PID.out to read, unlinks that
 *
 * Each waits for the other: to write a FIFO can be opened when somebody reads.
 * What goes through them are frames: the number of bytes in decimal, a newline,
 * and the bytes.  One of none is the end.  The client sends one first, by which
 * it is known to have opened both.
 *
 * Two tasks carry the frames to the session, which has a socket, and from it:
 *
 *	PID.out --> carryto --> socket pair --> session
 *	PID.in <-- carryback <-- socket pair <-- session
 */
enum
{
	ClientMs = 10000,	/* until a client has opened both */
	LookMs = 20,	/* between two looks whether it has */
	FrameMost = 65536
};

typedef struct Attached Attached;
struct Attached
{
	Attached *next;
	int in;	/* the client's: we write */
	int out;	/* we read */
	int pair[2];	/* ours, and the session's */
	int users;	/* tasks that carry */
	char dir[PATH_MAX / 2];
	char inpath[PATH_MAX];
	char outpath[PATH_MAX];
	size_t n;	/* bytes in buf, of which at are read */
	size_t at;
	char buf[4096];
};

static struct
{
	atomic_int number;	/* of the proc that attaches; 0: none */
	Channel *c;	/* that its signal is sent to */
	Task *task;	/* that receives it */
	unsigned int id;	/* of that */
	Attached *all;	/* of that proc */
} attaching;

/* Files */

/* A directory that was there before must be one that we could have made. */
static int
ownsdir(const char *path)
{
	struct stat st;

	if(mkdir(path, 0700) == 0)
		return 0;
	if(errno != EEXIST || lstat(path, &st) < 0)
		return -1;
	return S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
		(st.st_mode & 077) == 0 ? 0 : task_fail(EPERM);
}

/* These have gone already, unless nobody has come. */
static void
unlinkpair(const Attached *a)
{
	unlink(a->inpath);
	unlink(a->outpath);
	rmdir(a->dir);
}

static int
makepair(Attached *a, const char *base)
{
	int pid = (int)task_sys.pid();

	snprintf(a->dir, sizeof a->dir, "%s/task.%d", base, pid);
	if(ownsdir(a->dir) < 0)
		return -1;
	snprintf(a->inpath, sizeof a->inpath, "%s/%d.in", a->dir, pid);
	snprintf(a->outpath, sizeof a->outpath, "%s/%d.out", a->dir, pid);
	unlink(a->inpath);	/* of a process that had our number */
	unlink(a->outpath);
	if(mkfifo(a->inpath, 0600) == 0 && mkfifo(a->outpath, 0600) == 0)
		return 0;
	int err = errno;
	unlinkpair(a);
	return task_fail(err);
}

static int
makesomewhere(Attached *a)
{
	const char *base = getenv("XDG_RUNTIME_DIR");

	if(base && *base == '/' && strlen(base) < PATH_MAX / 4 &&
			makepair(a, base) == 0)
		return 0;
	return makepair(a, "/tmp");
}

/* There is an end to write to as soon as the client reads. */
static int
openin(Attached *a)
{
	for(int ms = 0; ms < ClientMs; ms += LookMs){
		a->in = open(a->inpath, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		if(a->in >= 0 || errno != ENXIO)
			break;
		taskdelay(LookMs);
	}
	return a->in < 0 ? -1 : 0;
}

static int nextbyte(Attached *a);

/* reads the first frame; -1 with ETIMEDOUT: none has come. */
static int
openout(Proc *p, Attached *a)
{
	Timeout wait = {0};

	a->out = open(a->outpath, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if(a->out < 0)
		return -1;
	task_scope(p->running, &wait, p->now() +
		ClientMs * (int64_t)Millisecond);
	/* while nobody has opened it to write it is at its end */
	int r = task_fdwait(a->out, 'r');
	if(r == 0)
		r = nextbyte(a) == '1' && nextbyte(a) == '\n' &&
			nextbyte(a) == '\n' ? 0 : task_fail(EPROTO);
	task_unscope(p->running, &wait);
	return r;
}

/* Frames */

/* -1: at the end, or errno. */
static int
nextbyte(Attached *a)
{
	if(a->at == a->n){
		ssize_t r = fdread(a->out, a->buf, sizeof a->buf);
		a->at = 0;
		a->n = r > 0 ? (size_t)r : 0;
		if(r <= 0)
			return -1;
	}
	return (unsigned char)a->buf[a->at++];
}

/* returns how many bytes the next frame has; -1: there is none, or no such. */
static int
frameheader(Attached *a)
{
	int c = nextbyte(a), n = 0;

	if(c < '0' || c > '9')
		return -1;
	for(; c >= '0' && c <= '9'; c = nextbyte(a)){
		n = 10 * n + c - '0';
		if(n > FrameMost)
			return -1;
	}
	return c == '\n' ? n : -1;
}

/* carries one frame; returns 0 at the end, -1 if what comes is cut off. */
static int
carryframe(Attached *a)
{
	int n = frameheader(a);

	for(int left = n; left > 0; ){
		if(nextbyte(a) < 0)
			return -1;
		a->at--;
		size_t m = a->n - a->at;
		m = m < (size_t)left ? m : (size_t)left;
		if(fdwrite(a->pair[0], a->buf + a->at, m) < 0)
			return -1;
		a->at += m;
		left -= (int)m;
	}
	return n;
}

/* Tasks */

static void
closeall(Attached *a, int (*shut)(int))
{
	int *const fd[] = {&a->in, &a->out, &a->pair[0]};

	for(int i = 0; i < 3; i++)
		if(*fd[i] >= 0){
			shut(*fd[i]);
			*fd[i] = -1;
		}
}

/* The others wake, whose descriptors these are. */
static void
endcarrying(Attached *a)
{
	closeall(a, task_fdclose);
}

static void
leaveattached(Attached *a)
{
	Attached **at = &attaching.all;

	if(--a->users > 0)
		return;
	while(*at != a)
		at = &(*at)->next;
	*at = a->next;
	task_sys.free(a);
}

/*
 * What was asked before the end is answered still.  But what is cut off might
 * be "cancel 1" of "cancel 17": it is made a line that is no text.
 */
static void
carryto(void *v)
{
	Attached *a = v;
	int n;

	while((n = carryframe(a)) > 0)
		;
	if(n < 0 && a->pair[0] >= 0)
		fdwrite(a->pair[0], "\001\n", 2);
	if(a->pair[0] >= 0)
		shutdown(a->pair[0], SHUT_WR);
	leaveattached(a);
	task_quit();
}

static void
carryback(void *v)
{
	Attached *a = v;
	char buf[512 + 16];
	ssize_t r;

	while((r = fdread(a->pair[0], buf + 16, sizeof buf - 16)) > 0){
		int n = snprintf(buf, 16, "%zd\n", r);
		memmove(buf + 16 - n, buf, (size_t)n);
		if(task_sessionwrite(a->in, buf + 16 - n,
				(size_t)(n + r)) < 0)
			break;
	}
	endcarrying(a);
	leaveattached(a);
	task_quit();
}

/* A task that there is not is found to be missing by the others. */
static void
begincarrying(Proc *p, Attached *a)
{
	Session *s = task_session(p->member->number, a->pair[1], a->pair[1]);

	if(s == NULL || task_sessionbegin(p, s) < 0){
		task_sys.close(a->pair[1]);
		if(s)
			task_sessionfree(s);
		endcarrying(a);
	}else if(task_createsystem(p, "attached in", carryto, a, 0) == NULL)
		endcarrying(a);
	else{
		a->users++;
		if(task_createsystem(p, "attached out", carryback, a, 0))
			a->users++;
		else
			endcarrying(a);
	}
}

/* returns 0 if a client has come. */
static int
awaitclient(Proc *p, Attached *a)
{
	int sig;

	if(makesomewhere(a) < 0){
		fprintf(stderr, "consolesignal: no FIFOs in %s: %s\n", a->dir,
			strerror(errno));
		return -1;
	}
	int r = openin(a) < 0 || openout(p, a) < 0 ? -1 : 0;
	/* those who came meanwhile have seen the same two; the next will not */
	while(r == 0 && channbrecv(attaching.c, &sig) > 0)
		;
	unlinkpair(a);
	return r == 0 ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK |
		SOCK_CLOEXEC, 0, a->pair) : -1;
}

/* One client comes, or none does. */
static void
attach1(Proc *p)
{
	Attached *a = task_sys.alloc(sizeof *a);

	if(a == NULL)
		return;
	a->in = a->out = a->pair[0] = a->pair[1] = -1;
	a->users = 1;
	a->next = attaching.all;
	attaching.all = a;
	if(awaitclient(p, a) == 0)
		begincarrying(p, a);
	else
		endcarrying(a);
	leaveattached(a);
}

static void
attachloop(void *v)
{
	int sig;

	while(chanrecv(v, &sig) > 0)
		attach1(task_proc);
	task_quit();
}

/* The child of taskfork has not the task. */
static int
isdropped(const Proc *p)
{
	return atomic_load(&attaching.number) == p->member->number &&
		attaching.task && !task_lives(p, attaching.task, attaching.id);
}

int
consolesignal(int sig)
{
	Proc *p = task_here();
	int none = 0;

	if(p == NULL)
		return -1;
	if(isdropped(p))
		task_attachleave(p);
	if(!atomic_compare_exchange_strong(&attaching.number, &none,
			p->member->number))
		return task_fail(EBUSY);
	int err = errno;
	attaching.c = chancreate(sizeof(int), 1);
	attaching.task = attaching.c && task_signalwatch(sig, attaching.c) ==
		0 ? task_createsystem(p, "consolesignal", attachloop,
		attaching.c, SessionStack) : NULL;
	if(attaching.task){
		attaching.id = attaching.task->id;
		errno = err;
		return 0;
	}
	err = errno;
	task_attachend(p);
	return task_fail(err);
}

void
task_attachend(Proc *p)
{
	if(atomic_load(&attaching.number) != p->member->number)
		return;
	for(Attached *a; (a = attaching.all) != NULL; task_sys.free(a)){
		attaching.all = a->next;
		unlinkpair(a);
		closeall(a, task_sys.close);
	}
	chanfree(attaching.c);
	attaching.c = NULL;
	attaching.task = NULL;
	atomic_store(&attaching.number, 0);
}

void
task_attachleave(Proc *p)
{
	for(Attached *a = attaching.all; a; a = a->next){
		*a->dir = *a->inpath = *a->outpath = '\0';
		endcarrying(a);
	}
	if(isdropped(p))
		task_attachend(p);
}

int
task_attachforked(const Proc *p)
{
	if(p && atomic_load(&attaching.number) == p->member->number){
		for(Attached *a = attaching.all; a; a = a->next){
			const int fd[] = {a->in, a->out, a->pair[0]};
			for(int i = 0; i < 3; i++)
				if(fd[i] >= 0)
					task_deadend(fd[i]);
		}
		return attaching.all != NULL;
	}
	for(Attached *a; (a = attaching.all) != NULL; task_sys.free(a)){
		attaching.all = a->next;
		closeall(a, task_sys.close);
	}
	attaching.task = NULL;
	atomic_store(&attaching.number, 0);
	return 0;
}
