/* SPDX-License-Identifier: MIT */
/* Seeing in: what run.c hooks into a proc. */
#ifndef TASK_INSPECT_H
#define TASK_INSPECT_H

#include "../task/show.h"
#include <stdio.h>

#pragma GCC visibility push(hidden)

/* Proc.list: prints the list of tasks on stderr. */
void task_list(Proc *p);

/* env.c: returns whether s is a decimal number, up to most, which n gets. */
int task_isnumber(const char *s, unsigned long most, unsigned long *n);

/*
 * returns whether the environment variable has a value, which n gets; what is
 * no number is complained of on stderr, and n is 0.
 */
int task_envnumber(const char *name, const char *unit, unsigned long most,
	unsigned long *n);

/* returns what print writes, in memory of malloc's; NULL if that ran out. */
char *task_text(Proc *p, void (*print)(FILE *f, Proc *p));

/* prints on stderr: in one write if there is memory, lest lines be mixed. */
void task_report(Proc *p, void (*print)(FILE *f, Proc *p));

/* prints a line for each task but the fdtask; of those alike for some. */
void task_putlist(FILE *f, Proc *p);

/* dump.c: puts the calls that t is in; all tasks of all procs with theirs. */
void task_putstack(FILE *f, Proc *p, const Task *t);
void task_putall(FILE *f, Proc *p);

/* The most that is looked at of a stack. */
enum { StackFrames = 64 };

/*
 * walk.c: the addresses at which t, which does not run, has made the calls
 * that it is in, the innermost first; returns how many.  task_place returns the
 * innermost outside the library, or NULL; task_outside whether pc is.
 */
int task_outside(const void *pc);
int task_walk(Proc *p, const Task *t, void **pc, int n);
const void *task_place(Proc *p, const Task *t);

/* the number of calls without those by which the library began the task. */
int task_calls(void *const *pc, int n);

/*
 * puts "made in main+0x1d server(+0x123d) by 1", for a task that was made so;
 * "" if nobody made it.  Handlers of signals may call it.
 */
enum { MakerBytes = 224 };
const char *task_maker(char *buf, int number, const void *made,
	unsigned int creator);

/* info.c: taskinfo, taskstats */
void task_inform(Taskinfo *i, Proc *p, const Task *t);
Taskstats task_numbers(const Proc *p);

/* why.c: the name of the call that t waits in, what it waits for, and both. */
const char *task_why(const Task *t);
const char *task_whyname(int why);	/* taskwhy */
void task_putobject(FILE *f, Proc *p, const Task *t);
void task_putwait(FILE *f, Proc *p, const Task *t);

/*
 * why.c: returns the name of the channel of a, which t waits for, or NULL; it
 * may be put into text.  Whether other threads may use it.
 */
const char *task_channame(const Task *t, const Alt *a, char *text, size_t n);
int task_chanforeign(const Task *t, const Alt *a);

/* returns what a, if it is for a descriptor, waits for, as fdwait; else 0. */
static inline int
task_altside(const Alt *a)
{
	return a->op == ALTREAD ? 'r' : a->op == ALTWRITE ? 'w' :
		a->op == ALTHANGUP ? 'h' : 0;
}

/*
 * Those who look on while the tasks of a proc stop and wake; several may at
 * once.  They are called as those of Seen are, and with the time, in ns; since
 * when a task is ready stands in its wait.since_ns.
 */
typedef struct Seer Seer;
struct Seer
{
	void (*stops)(Seer *s, Proc *p, Task *to, int64_t now);
	void (*wakes)(Seer *s, Proc *p, Task *t, int64_t now);	/* or NULL */
	void (*refuses)(Proc *p, const Task *t);	/* or NULL */
	void (*end)(Proc *p);	/* the proc ends: takes itself out */
	Seer *next;
};

/* seer.c: s is not among them yet; it is. */
void task_seerbegin(Proc *p, Seer *s);
void task_seerend(Proc *p, Seer *s);

/* returns the one among them that is called so, or NULL. */
Seer *task_seerfind(const Proc *p, void (*stops)(Seer *, Proc *, Task *,
	int64_t));

/* Wing, see run.c; task_debugbegin adds the seer that TASKDEBUG asks for. */
int task_debugbegin(Proc *p);
void task_seersend(Proc *p);

/* why the running task stops, as taskwhy takes it. */
int task_whystopped(const Proc *p);

Ran task_ran(const Proc *p, const Task *t);	/* profile.c */

/* Wing, see run.c: SIGQUIT asks the proc for its list of tasks. */
int task_quitbegin(Proc *p);
void task_quitend(Proc *p);
void task_quitforked(Proc *p);	/* in the child of a fork(2) */

/*
 * returns the one task that can end the wait of t: who holds the lock for
 * itself, or is to end.  NULL if there is none; t waits, or is about to.
 */
const Task *task_waitsfor(Proc *p, const Task *t);

/* returns how many tasks are in the cycle that t waits in; 0: in none. */
int task_cycle(Proc *p, const Task *t);

/* Proc.locks: reports it if this wait of the running task closes a cycle. */
void task_locks(Proc *p, enum Why why, const void *lock);

/* Proc.turns: reports that the running task takes no notice of its cancel. */
void task_turns(Proc *p);

/*
 * Proc.deadlock: reports that no task can go on.  more: other procs are to say
 * so after it, before the program ends.
 */
void task_deadlock(Proc *p, int more);

int task_setwatchdog(unsigned int ms);	/* taskwatchdog */

/* taskprofile, which is on as long as one of these wants it */
enum Profiler { ByProgram = 1, ByConsole = 2 };
int task_setprofile(Proc *p, enum Profiler who, int on);

/* tracesave.c: tracestart, tracestop, tracesave */
int task_tracestart(size_t bytes);
int task_tracestop(void);
int task_tracesave(int fd);
int task_istraced(const Proc *p);	/* trace.c */

/* Wing, see run.c: records, if the environment or tracestart asks for it. */
int task_tracingbegin(Proc *p);	/* -1 with ENOMEM */
void task_tracingend(Proc *p);
void task_tracingforked(Proc *p);

/* Wing, see run.c: saves what is recorded when something is amiss. */
int task_traceonbegin(Proc *p);	/* -1 with ENOMEM */
void task_traceonend(Proc *p);
void task_traceonforked(Proc *p);

/* Wing, see run.c: the watchdog, if the environment asks for it. */
int task_watchdogbegin(Proc *p);
void task_watchdogend(Proc *p);
void task_watchdogforked(Proc *p);

/* Wing, see run.c: the console, if the environment asks for it. */
int task_consolebegin(Proc *p);
void task_consoleend(Proc *p);
void task_consoleforked(Proc *p);

/* Wing, see run.c: a signal that ends the program is told with its task. */
int task_faultbegin(Proc *p);	/* -1 with ENOMEM */
void task_faultend(Proc *p);
void task_faultforked(Proc *p);

#pragma GCC visibility pop
#endif
