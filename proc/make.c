/* SPDX-License-Identifier: MIT */
/* Making a scheduler with a thread of its own, and waiting for its end. */
#include "members.h"
#include "../task/newnames.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/* What a thread begins with. */
typedef struct Start
{
	int (*run)(void (*fn)(void *), void *arg, size_t stack, Member *m);
	void (*fn)(void *);
	void *arg;
	size_t stack;
	Member *member;
} Start;

/* The last thing done is to say so: then the process may end. */
static void *
procmain(void *v)
{
	Start s = *(Start *)v;

	task_sys.free(v);
	int status = s.run(s.fn, s.arg, s.stack, s.member);
	int forked = s.member->root == s.member;	/* see fork.c */
	if(!forked)
		task_memberfailed(s.member);
	task_memberslock();
	task_memberunmade(s.member);
	task_membersunlock();
	if(forked)	/* it comes from no proc */
		exit(status < 0 ? 1 : status);
	return NULL;
}

/* The thread could not be made: m has never been. */
static void
unmake(Member *m)
{
	task_memberfailed(m);
	task_memberslock();
	if(task_memberfind(m->number) == m)	/* else who waited for it has */
		task_memberforget(m);
	task_memberunmade(m);
	task_membersunlock();
}

/*
 * The door is made and the proc counted before the thread runs: else its maker
 * might be idle alone meanwhile, and that be taken for the end.
 */
int
proccreate(void (*fn)(void *), void *arg, unsigned int stack)
{
	Proc *p = task_caller(fn);

	if(p == NULL || task_door(p) == NULL)
		return -1;
	Start *s = task_sys.alloc(sizeof *s);
	Member *m = s ? task_membernew(p->member->root) : NULL;
	if(m == NULL){
		task_sys.free(s);
		return -1;
	}
	*s = (Start){p->run, fn, arg, stack, m};
	int number = m->number, err = 0;
	Door *d = task_dooropen();
	task_memberreach(m, d);
	if(d == NULL || (err = task_memberstart(m, procmain, s))){
		err = err ? err : errno;
		unmake(m);
		task_sys.free(s);
		return task_fail(err);
	}
	return number;
}

int
procself(void)
{
	Proc *p = task_here();

	return p && task_door(p) ? p->member->number : -1;
}

/* takes w back, whose wait was cut; returns whether it had been told. */
static int
leavewaiter(Proc *p, Waiter *w)
{
	task_memberslock();
	Member *m = w->told ? NULL : task_memberfind(w->errand.proc);
	if(m){
		Waiter **at = &m->waiters;
		while(*at != w)
			at = &(*at)->next;
		*at = w->next;
	}
	task_membersunlock();
	if(!w->told)
		task_erranddone(p, &w->errand);
	return w->told;
}

static void
abandonwaiter(Proc *p, Errand *e)
{
	leavewaiter(p, structof(Waiter, errand, e));
}

/*
 * has w wait for the end of the proc; returns 0, or the errno; over: it has
 * ended, and w has its status.
 */
static int
enterwaiter(Proc *p, int proc, Waiter *w, int *over)
{
	int err = 0;

	task_memberslock();
	Member *m = task_memberfind(proc);
	*over = m && m->over;
	if(m == NULL)
		err = ESRCH;
	else if(m == p->member)
		err = EDEADLK;
	else if(m->over){
		w->status = m->status;
		if(m->root != m)	/* else taskrun forgets it itself */
			task_memberforget(m);
	}else if(task_errandbegin(p, &w->errand, "procwait", proc) < 0)
		err = errno;
	else{
		w->errand.abandon = abandonwaiter;
		w->next = m->waiters;
		m->waiters = w;
	}
	task_membersunlock();
	return err;
}

/* frees what was kept of a proc for who waits for it. */
static void
collectmember(int proc)
{
	task_memberslock();
	Member *m = task_memberfind(proc);
	if(m && m->over && m->root != m)
		task_memberforget(m);
	task_membersunlock();
}

int
task_procwait(int proc, int *status)
{
	Proc *p = task_here();
	Waiter w = {.told = 0};
	int over, err;

	if(p == NULL || task_door(p) == NULL)
		return -1;
	if((err = enterwaiter(p, proc, &w, &over)))
		return task_fail(err);
	if(!over && task_errandwait(&w.errand, -1) < 0){
		err = errno;
		Cut cut = task_lastcut(p->running);
		if(!leavewaiter(p, &w))
			return task_fail(err);
		task_errandwait(&w.errand, Uninterrupted);
		task_uncut(p->running, cut);
	}
	if(w.errand.lost)
		return task_fail(ESRCH);
	if(!over)
		collectmember(proc);
	if(status)
		*status = w.status;
	return 0;
}

int
procwait(int proc, int *status)
{
	return task_procwait(proc, status);
}
