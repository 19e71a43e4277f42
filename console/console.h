/* SPDX-License-Identifier: MIT */
/* The console: sessions of text commands with the program. */
#ifndef TASK_CONSOLE_H
#define TASK_CONSOLE_H

#include "rows.h"
#include "../inspect/snapshot.h"
#include "../machine/door.h"
#include "../task/life.h"
#include <stdio.h>

#pragma GCC visibility push(hidden)

enum
{
	LineMost = 4096,	/* bytes of a line */
	WordsMost = 16,	/* in a line */
	SessionStack = 256 * 1024
};

/*
 * A session.  What it has read lies in buf until there is a line.  Whoever
 * takes lines from there has claimed it: its task, or the standby while the
 * proc's thread is kept by a task that computes.
 */
typedef struct Session Session;
struct Session
{
	Session *next;	/* of all; the list is locked */
	int number;	/* of its proc */
	int in;
	int out;
	int socket;	/* it came by the console's: the standby may serve it */
	atomic_int claimed;
	atomic_int broken;	/* nobody reads what it writes */
	Note note;	/* has its proc begin it */

	size_t n;	/* bytes in buf */
	int skipping;	/* the rest of a line that was too long */
	char buf[LineMost + 1];
	char line[LineMost + 1];	/* that is being done */

	/* for its proc's thread only */
	int begun;
	int owns;	/* in is closed with it */
	int over;	/* quit, or its end */
	int attached;	/* counted in Console.nsession */
	int profiles;	/* it has switched profiling on */
	int json;	/* the present command is to answer so */
	unsigned int users;	/* itself, and tasks that print to it */
	Task *task;	/* that serves it */
	unsigned int taskid;
	Defer end;	/* of that, or of what it does for it */
	void *before;	/* whom it printed to before */
};

/* What a proc has while a session is attached to it: Proc.console. */
struct Console
{
	int nsession;
	int inherited;	/* it is the child of a fork(2) */
	int nprofile;	/* sessions that have switched profiling on */
	Tasklist breaks;	/* who waits in consolebreak */
	Session *printed;	/* gets what tasks print, or NULL */
};

/* session.c */

/* returns a new one, which is in the list; NULL with ENOMEM. */
Session *task_session(int number, int in, int out);
void task_sessionfree(Session *s);	/* takes it off the list again */

/*
 * p ends; it is in the child of a fork(2), or NULL; there it ends those that
 * are the parent's.
 */
void task_sessionsend(Proc *p);
void task_sessionsforked(Proc *p);
void task_sessionsleave(Proc *p);

/* In the child of a fork: what goes by fd is the parent's. */
void task_deadend(int fd);

void task_sessionslock(void);
void task_sessionsunlock(void);
void task_sessionslockforked(void);	/* nobody has it, in a child */
extern Session *task_sessions;	/* all; locked */

/* has the running task, and those that it makes, print to s; no more. */
void task_sessionprints(Session *s);
void task_sessionunprints(Session *s);
void task_sessiondrop(void *s);	/* one user less; the last frees it */

/*
 * serve.c: has a task of the system's serve s, whose descriptor is closed with
 * it; -1 with ENOMEM.
 */
int task_sessionbegin(Proc *p, Session *s);

/* claims s, if nobody has; gives it up. */
static inline int
sessionclaim(Session *s)
{
	return atomic_exchange(&s->claimed, 1) == 0;
}

static inline void
sessionleave(Session *s)
{
	atomic_store(&s->claimed, 0);
}

/* What the next line in buf is; it is put into line. */
enum { NoLine, GoodLine, LongLine, StrangeLine };
int task_sessionline(Session *s);

/* reads what there is, without waiting, as read(2). */
ssize_t task_sessionread(Session *s);

/*
 * writes, and waits for that as fdwrite does: up to a minute for each part that
 * the other side takes.  Returns 0; -1 and errno.
 */
int task_sessionwrite(int fd, const char *buf, size_t n);

/*
 * reads "17" or "2.17", the latter of another proc; returns 0, or -1 after
 * having said in f what is wrong.
 */
int task_conid(FILE *f, const Proc *p, const char *s, int *proc, int *id);

/* splits line into words, and returns how many; -1: too many. */
int task_words(char *line, char *words[WordsMost + 1]);

/* commands.c */

/* A command of the library's; it does not block, unless it says so. */
typedef struct Builtin
{
	const char *name;
	const char *args;
	const char *help;
	/* puts its answer into f; -1: that says what is wrong */
	int (*fn)(Proc *p, Session *s, FILE *f, int argc, char **argv);
	int lists;	/* puts JSON itself, if s->json */
	int outside;	/* the standby has one of its own */
} Builtin;

const Builtin *task_builtin(const char *name);	/* or NULL */
void task_puthelp(FILE *f, int json);

/* The program's, the last added first. */
typedef struct Added
{
	struct Added *next;	/* older */
	const char *name;
	const char *help;
	int (*fn)(int fd, int argc, char **argv, void *arg);
	void *arg;
} Added;

const Added *task_findadded(const char *name);	/* or NULL */

/* ps.c */

int task_conps(Proc *p, Session *s, FILE *f, int argc, char **argv);
int task_contop(Proc *p, Session *s, FILE *f, int argc, char **argv);
int task_conbt(Proc *p, Session *s, FILE *f, int argc, char **argv);

/* waits.c */

int task_conchans(Proc *p, Session *s, FILE *f, int argc, char **argv);
int task_confds(Proc *p, Session *s, FILE *f, int argc, char **argv);
int task_conlocks(Proc *p, Session *s, FILE *f, int argc, char **argv);
int task_contimers(Proc *p, Session *s, FILE *f, int argc, char **argv);

/* breaks.c */

int task_concont(Proc *p, Session *s, FILE *f, int argc, char **argv);
void task_breaksend(Proc *p);	/* has all who wait go on */

/*
 * attach.c: no signal attaches any more to p, which ends; p, or NULL, is in the
 * child of a fork(2): returns whether something is attached to it, which is the
 * parent's and which it is to leave between its tasks.
 */
void task_attachend(Proc *p);
int task_attachforked(const Proc *p);
void task_attachleave(Proc *p);

/* outlook.c */

/*
 * put what was seen of a proc that does not answer: the task that computes, and
 * a row for each, as ps does; or the calls that it is in.  later: there are
 * rows before these.  Return 0; -1 if nothing was seen.
 */
int task_outsideps(FILE *f, const Silent *o, int json, int later);
int task_outsidebt(FILE *f, const Silent *o);

extern const Column task_pscolumns[];

/* standby.c: the thread, which accepts on listener until it is ended */
int task_standbybegin(int number, int listener);	/* -1 and errno */
void task_standbyend(void);
void task_standbyforked(void);

#pragma GCC visibility pop
#endif
