/* SPDX-License-Identifier: MIT */
/* Tasks, the scheduler, and the one way to block. */
#ifndef TASK_TASKIMPL_H
#define TASK_TASKIMPL_H

#include "machine/door.h"
#include "machine/list.h"
#include "machine/machine.h"
#include "task.h"
#include "task/parts.h"
#include "task/why.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>

#pragma GCC visibility push(hidden)

typedef union Object
{
	const void *v;
	int fd;
	unsigned int id;
} Object;

/* How a task stopped last: Task.stopped. */
enum { NotYet, InYield, InPark };

enum { TextBytes = 256 };	/* of a task's name and of its state */

/*
 * A task.  It lives above the first frame of its own stack, so that a task at
 * rest touches one page.  Fields belong to the thread of its proc.  A switch
 * touches those before wait only: one line of the cache.  taskcreate leaves out
 * the next line, for what it clears and sets comes before that and after it.
 */
struct Task
{
	Context context;	/* valid while the task does not run */
	Task *next;	/* in the ready queue, or in the one that it waits in */
	union
	{
		uintptr_t result;	/* what task_park will return */
		unsigned int nswitch;	/* Proc's when it yielded, if InYield */
	};
	const void *later;	/* who is Ahead places behind, or anything; */
	const void *latersp;	/* where on the stack: see task/ready.h */
	Own *own;	/* values by key, and hooks; NULL for most */
	int err;	/* its errno, while it does not run */
	int failed;	/* the errno of its taskfail, or 0 */
	unsigned char stopped;	/* NotYet, InYield, InPark */
	unsigned char system;
	unsigned char nfast;	/* calls in a row that did not wait */
	unsigned char named;	/* name is valid; else it is "" */
	unsigned char stated;	/* state is valid; else it is "" */
	unsigned char listed;	/* in the table of tasks, or was: task/find.c */
	unsigned char counted;	/* got is valid; else it is 0 */
	unsigned char timed : 1;	/* ran is valid; else it is all 0 */
	unsigned char busy : 1;	/* taskbusy: it computes and knows it */
	unsigned char traced : 1;	/* its name is in the trace */

	struct	/* what the task waits for: valid while number is not 0 */
	{
		Tasklist *queue;	/* that the task is in, or NULL */
		void (*unlink)(Task *);	/* called when given up, or NULL */
		Object object;
		enum Why why;
		int cut;	/* how a scope or cancel ended it; stays */
		int64_t since_ns;	/* when it began: see seer.c */
		void *word;	/* what alt points to, if by value */
		Sleeper sleeper;	/* for its deadline, queued or not */
		uint64_t number;	/* of this wait in the proc */
	} wait;
	Task *prev;	/* in the queue that it waits in */
	Exceptions exceptions;	/* in C++ programs, while it does not run */
	void *data;	/* taskdata */
	size_t written;	/* fdwritten */
	const void *made;	/* where a call made it, or NULL */

	/* one line: what its first switch and its end read */
	Defer *defers;	/* what is left to do at its end, in that order */
	Co *co;	/* the running coroutine; NULL: there never was a second */
	union
	{
		unsigned int id;
		Taskid key;
	};
	void (*fn)(void *);
	void *arg;
	Stack *stack;	/* the one it runs on; NULL: the thread's own */
	Task *older;	/* in the list of all tasks */
	Task *younger;

	const void *entry;	/* the program's: fn, or what fn will call */
	unsigned int creator;	/* the id of who made it */
	Limits limits;
	char name[TextBytes];
	char state[TextBytes];

	/* what few tasks have, or have at times */
	Alt alt;	/* valid while it waits in a queue of entries */
	size_t got;	/* fdgot: valid if counted */
	Ran ran;	/* valid if timed: see inspect/profile.c */
	union
	{
		void **value;	/* in taskwait: for the result, or NULL */
		struct Claim *claim;	/* while it waits by one */
	};
	Co main;	/* its main coroutine: valid if co is not NULL */
	Idnode node;	/* valid while listed, as is unlist */
	Defer unlist;
};

/* A scheduler.  Each thread that is in taskrun has one, allocated there. */
struct Proc
{
	Task *running;
	Tasklist ready;	/* first in, first out; linked by next only */
	unsigned int nswitch;
	int credit;	/* switches until the slow way: see lookand in task.c */
	int few;	/* ManyReady, less those that are ready: see below */
	int *err;	/* where this thread's errno is */
	Exceptions *exceptions;	/* where its C++ ones are; NULL: none yet */
	uint64_t nparks;

	/* Hooks: what the scheduler calls without knowing who it is. */
	int64_t (*now)(void);	/* the clock, ns */
	void (*idle)(void *);	/* what the fdtask runs, with the proc */
	/* who sees each stop and wake, or NULL; then few is Seeing less */
	const Seen *seen;
	/* nothing can happen from in here; deadline: when to trim stacks */
	void (*stalled)(Proc *, int64_t now, int64_t deadline);
	/* nothing can happen anywhere; more procs are to say so after it */
	void (*deadlock)(Proc *, int more);
	/* runs another proc in its own thread; returns its status */
	int (*run)(void (*fn)(void *), void *arg, size_t stack, Member *);
	/* no task is left: whether the proc may end, for nobody reaches it */
	int (*leaves)(Proc *);
	void (*list)(Proc *);	/* prints the list of tasks */
	void (*turns)(Proc *);	/* the running task goes on and on, cancelled */
	/* the running task is about to wait for a lock that another holds */
	void (*locks)(Proc *, enum Why, const void *lock);
	void (*coend)(Task *);	/* ends the coroutines of a task that has co */
	/* c is closed or freed; NULL until a channel gets signals */
	void (*chanends)(Proc *, const Channel *c);
	/* for a new task: returns it, or NULL with errno; NULL for most */
	Task *(*born)(Proc *, Task *);
	volatile sig_atomic_t signalled;	/* a signal asked for a list */
	volatile sig_atomic_t told;	/* of what the program dies */

	Task fdtask;	/* id 0: runs on the stack of taskrun's caller */
	uint64_t nturn;	/* turns that the fdtask has had */
	int due;	/* the fdtask is ready, for its turn has come */
	int period;	/* switches between two looks: 1, 2, 4 ... */
	int64_t turn_ns;	/* when the fdtask had its last turn */
	int64_t look_ns;	/* when somebody last looked at the clock */
	struct timespec timeout;	/* of the wait that the fdtask is in */
	Recent recent;	/* valid while few < 0, but for seen */

	Tasklist all;	/* by older and younger, without the fdtask */
	int ntask;	/* tasks in all */
	int nsystem;	/* system tasks among them */
	union
	{
		unsigned int nextid;
		Taskid next;
	};
	unsigned int idlimit;	/* ids from nextid up to this one are free */
	int status;	/* of the last taskexit */
	int failed;	/* the errno for taskrun to fail with at once, or 0 */

	pthread_t thread;
	pid_t tid;
	int number;	/* its own among all, to be printed; 0: it is alone */
	Door *door;	/* where other threads tell it something, or NULL */
	Fpenv fp;	/* the thread's when it started: tasks start with it */
	Stackpool pool;
	Sleepqueue sleeping;
	uint64_t random;
	unsigned int alone;	/* how often taskfork has left one task here */

	/* What the wings keep, each known in its own files only: see run.c. */
	struct Life *life;	/* task/ */
	Member *member;	/* proc/ */
	struct Sigwatch *watches;	/* proc/watch.c */
	struct Fdtable *fds;	/* fd/ */
	struct Crons *crons;	/* cron/; NULL until there is one */
	struct Quit *quit;	/* inspect/quit.c */
	const struct TaskLayout *layout;	/* for debuggers */
	struct Seer *nextseer;
	struct Seer *seers;	/* inspect/seer.c */
	struct Console *console;	/* while a session is attached to it */
	void *handlers;	/* inspect/fault.c: the stack for handlers */
	void *base;	/* inspect/fault.c: on the stack of taskrun's caller */
	uint64_t cycles[8];	/* inspect/stuck.c: those it has told of last */
};

/*
 * task/misuse.c: this thread's proc; NULL if it runs no scheduler.  The address
 * of the variable stands for the thread: see Channel.home.
 */
extern _Thread_local Proc *task_proc;

/* The one that procopen has made here; task_proc only while procstep runs. */
extern _Thread_local Proc *task_hosted;

/*
 * return this thread's proc, task_caller for a call on object; NULL with EPERM
 * if there is no proc, with EINVAL if object is NULL.
 */
Proc *task_here(void);
Proc *task_caller(const void *object);

/* prints one line about the running task and the list of tasks, and aborts. */
void task_misuse(const char *fmt, ...) TASK_PRINTF(1, 2) TASK_NORETURN;

/* task/id.c: the first ids, and the proc's number; the next run of free ids. */
void task_firstids(Proc *p);
void task_findids(Proc *p);

/* task/start.c */

/*
 * task_start is taskrun for a proc whose hooks are set; task_begin the same
 * before any task runs.  task_stop frees what the wings have left of the proc.
 */
int task_begin(Proc *p, void (*fn)(void *), void *arg, size_t stack);
int task_start(Proc *p, void (*fn)(void *), void *arg, size_t stack);
void task_stop(Proc *p);

/* task.c */

/*
 * taskcreate, for an fn that is not NULL; the same for a task that is the next
 * to run, whoever is ready; and for a system task.
 */
Task *task_create(Proc *p, void (*fn)(void *), void *arg, size_t stack);
Task *task_createfirst(Proc *p, void (*fn)(void *), void *arg, size_t stack);
Task *task_createsystem(Proc *p, const char *name, void (*fn)(void *),
	void *arg, size_t stack);

/* notes where t was made, for who looks at tasks; returns its id. */
static inline int
task_madeat(Task *t, const void *place)
{
	t->made = place;
	return (int)t->id;
}

/* has seen, of this thread's proc, see what is done from now on; NULL: none. */
void task_see(Proc *p, const Seen *seen);

/* ends the running task; the program's exit status stays what it is. */
void task_quit(void) TASK_NORETURN;

/*
 * parks the running task until task_ready: the one way to stop.  The task joins
 * queue, if there is one.  When deadline_ns passes first (-1: never) the task
 * is taken off the queue, unlink is called, and the task goes on with
 * ETIMEDOUT: so nothing is lost that somebody hands to a task found parked.  A
 * scope that ends and a cancel do the same; wait.cut tells.
 * Another thread may have done what the task waits for, and not told it yet.
 * Then unlink sets wait.cut to CutLate, and the task stays parked.
 * Returns Task.result: 0, or -1 with the errno that task_ready was given; or
 * what the one who woke the task has put there since.
 */
int task_park(enum Why why, Object object, Tasklist *queue,
	void (*unlink)(Task *), int64_t deadline_ns);

/* The same for a receiver by value: returns its word; NULL and errno. */
void *task_parkword(void (*unlink)(Task *));

/*
 * makes t ready: the one way to go on.  If err is not 0, task_park fails with
 * it.  number is that of the wait that the caller means: if t waits for
 * something else by now, nothing happens.  t is in no queue any more.
 * Returns whether t was made ready.
 */
int task_ready(Task *t, uint64_t number, int err);

/* takes the first task off queue and makes it ready; returns it, or NULL. */
Task *task_wakefirst(Tasklist *queue, int err);

/*
 * takes t, which is parked, off all that it waits for, and returns whether it
 * was in time; then task_giveup makes t ready too, with err as in task_ready.
 */
int task_unwait(Task *t);
void task_giveup(Task *t, int err);

/* lets others run until none is ready or the fdtask, its caller, is due. */
int task_rest(Proc *p);	/* 0 when the program is over */

/* run.c: taskrun for main.c, under a name that no program has. */
int task_run(void (*fn)(void *), void *arg);

/*
 * returns where on its stack a task, coroutine or generator is described: at
 * the same place, or Valgrind and ASan would take that for a frame of before.
 */
static inline void *
task_block(const Stack *s)
{
	return (void *)(((uintptr_t)s->top - sizeof(Task)) & ~(uintptr_t)63);
}

#pragma GCC visibility pop
#endif
