/* SPDX-License-Identifier: MIT */
/* Schedulers among one another: who there are, and what they do for others. */
#ifndef TASK_PROC_H
#define TASK_PROC_H

#include "../machine/door.h"
#include "../task/life.h"

#pragma GCC visibility push(hidden)

/* errand.c */

/*
 * What a task waits for that another thread does.  It lies on the task's stack.
 * Whoever does it tells note to home, and touches it no more after that.
 */
typedef struct Errand Errand;
struct Errand
{
	Note note;
	Door *home;	/* of the task's proc */
	Task *task;
	Errand *next;	/* of its proc, begun and not done */
	Errand *prev;
	/* NULL, or has e, begun in p, end soon: its task is gone; repeatable */
	void (*abandon)(Proc *p, Errand *e);
	const char *what;	/* for the list of tasks: the call */
	int proc;	/* the same: its argument, or 0 */
	int done;	/* the note has come, or never will */
	int lost;	/* in the child of a fork(2): nobody does it here */
	/*
	 * no proc does it: it is counted by task_hope.  Called to take it back;
	 * returns whether that could be done: then it will not be told.
	 */
	int (*takeback)(Errand *e);
};

/* A proc's errands. */
typedef struct Errands
{
	Errand *head;
	Errand *tail;
} Errands;

/*
 * returns the door of p, made if need be; NULL with ENOMEM, EMFILE or ENFILE.
 */
Door *task_door(Proc *p);

/* begins e, of the running task: now it may be told. */
int task_errandbegin(Proc *p, Errand *e, const char *what, int proc);

/*
 * waits until e is done and returns 0; -1 with errno if deadline_ns, a scope or
 * a cancel comes first: then the caller sees to it that e ends, or waits again
 * with Uninterrupted, for e lies on its stack.
 */
int task_errandwait(Errand *e, int64_t deadline_ns);

/*
 * For what no proc does.  task_errandoutside begins e, as above; -1 also if the
 * task may not wait.  task_errandawait waits; if that is cut it takes e back
 * and returns -1, or, where that cannot be, waits until e is done: *cut tells,
 * for task_uncut.
 */
int task_errandoutside(Proc *p, Errand *e, const char *what,
	int (*takeback)(Errand *e));
int task_errandawait(Proc *p, Errand *e, Cut *cut);

/* e is done: by its note, or because nobody will tell it. */
void task_erranddone(Proc *p, Errand *e);

/*
 * In the child of a fork(2) nobody does what was begun.  task_errandslose notes
 * that at once; task_errandslost, in a note, ends these errands.
 */
void task_errandslose(Member *m);
void task_errandslost(Proc *p);

/*
 * returns when all errands of p, whose tasks run no more, are done; until then
 * has them abandoned again and again.
 */
void task_errandsend(Proc *p);

/* waits for notes, a second at most, and answers them; no task runs. */
void task_errandturn(Proc *p);

/* member.c: no task of m is in taskshutdown any more. */
void task_memberhasshut(Member *m);

/* member.c: a thread of the pool is going to work beside the procs. */
void task_memberpool(void);

/* offload.c: offload, by a name that no program has. */
int task_offload(int (*fn)(void *arg), void *arg);

/* member.c */

typedef struct Call Call;
typedef struct Waiter Waiter;
typedef struct Post Post;

/* A scheduler among all. */
struct Member
{
	Member *next;	/* the youngest first */
	Proc *proc;	/* while it lives: for who looks, under the lock */
	Member *root;	/* the one of taskrun that it comes from; or itself */
	int number;
	int first;	/* there was no other when it was made */
	int users;	/* the list of all, and its thread if that was made */
	int nmade;	/* procs that live whose root this is, without itself */
	Member *unjoined;	/* of these, also if they have ended */
	Member *nextunjoined;
	pthread_t thread;	/* while it is among them */
	int out;	/* its number: nobody posts to it any more */
	int over;
	int status;	/* valid if over */
	Door *door;	/* NULL: nobody can reach it */
	Waiter *waiters;	/* in procwait */

	/* for its own thread only */
	Errands errands;
	struct
	{
		struct Claim *head;
		struct Claim *tail;
	} claims;	/* of its tasks that wait: see shared.h */
	struct
	{
		Call *head;
		Call *tail;
	} calls;	/* that others have begun here */
	struct
	{
		Post *head;
		Post *tail;
	} posts;	/* whose tasks are to be made, the oldest first */
	Note again;	/* told to itself if there was no memory for one */
	Note stalled;	/* told to say that nothing can go on anywhere */
	Task *shutting;	/* in taskshutdown, while it waits for the others */
	Note cancel;	/* told once: taskshutdown has been called elsewhere */
	Note giveup;	/* the same: and its caller waits no longer */
	Note forked;	/* told to itself in the child of a fork(2) */
};

/* Wing, see run.c: counts the proc among all, and waits for those it made. */
int task_memberbegin(Proc *p);
void task_memberend(Proc *p);
void task_memberforked(Proc *p);

/* m can be reached by d from now on. */
void task_memberreach(Member *m, Door *d);

/* Proc.leaves: nobody reaches p any more, or else 0: there is more to do. */
int task_memberleaves(Proc *p);

/* Proc.stalled: waits for others, or reports that nobody can go on. */
void task_memberstalled(Proc *p, int64_t now, int64_t deadline);

/* more outside threads, or fewer, may still wake somebody. */
int task_hope(int more);

/* make.c: procwait */
int task_procwait(int proc, int *status);

/* tells n to the proc of that number; -1 with ESRCH. */
int task_membertell(int number, Note *n);

/*
 * run.c, for embed.c: task_newproc returns a proc whose wings have begun; NULL
 * and errno.  task_endproc ends these, and frees p.
 */
Proc *task_newproc(Member *member);
void task_endproc(Proc *p);
size_t task_firststack(void);	/* bytes of the first task's */

/* cpus.c: proccpus */
int task_cpus(void);

/* watch.c: a wing, see run.c */

int task_watchbegin(Proc *p);
void task_watchend(Proc *p);
void task_watchforked(Proc *p);

int task_signalwatch(int sig, Channel *c);	/* signalwatch */

/* adds to set the signals that were ignored before they were watched. */
void task_watchignored(sigset_t *set);

/* post.c: proccall, from a place of the program's, or NULL. */
int task_proccall(int proc, int (*fn)(void *), void *arg, const void *made);

/* post.c: answers the calls that p has begun and will not end. */
void task_callsend(Proc *p);
void task_callsforked(Member *m);	/* in the child of a fork(2) */
void task_callsalone(Member *m, const Task *t);	/* t's is all that is left */

#pragma GCC visibility pop
#endif
