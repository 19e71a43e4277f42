/* SPDX-License-Identifier: MIT */
/* The list of tasks: what each is doing or waiting for. */
#include "inspect.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "task 4 (writer)"; one that has ended is found by its id only. */
static void
putone(FILE *f, Proc *p, unsigned int id)
{
	const Task *t = p->all.head;

	while(t && t->id != id)
		t = t->younger;
	fprintf(f, " task %u", id);
	if(t == NULL)
		fputs(", which has ended", f);
	else if(*task_name(t))
		fprintf(f, " (%s)", task_name(t));
}

static void
putowner(FILE *f, Proc *p, unsigned int id)
{
	fputs(" held by", f);
	putone(f, p, id);
}

/* "send c "requests"", "fd 5 r", "100 ms" */
static void
putentry(FILE *f, const Alt *a)
{
	if(a->op == ALTREAD || a->op == ALTWRITE){
		fprintf(f, "fd %d %c", a->fd, a->op == ALTREAD ? 'r' : 'w');
		return;
	}
	if(a->op == ALTTASK){
		fprintf(f, "task %d", a->id);
		return;
	}
	if(a->op == ALTDELAY){
		fprintf(f, "%u ms", a->ms);
		return;
	}
	fprintf(f, "%s c ", a->op == CHANSND ? "send" : "recv");
	if(a->c->name)
		fprintf(f, "\"%s\"", a->c->name);
	else
		fprintf(f, "%p", (void *)a->c);
}

static void
putchan(FILE *f, Proc *p, const Task *t)
{
	(void)p;
	fputs("chan", f);
	putentry(f, t->wait.object.v);
}

static void
putalt(FILE *f, Proc *p, const Task *t)
{
	const char *before = " ";

	(void)p;
	fputs("chanalt", f);
	for(const Alt *a = t->wait.object.v; a->op != CHANEND; a++){
		if(a->op == CHANNOP)
			continue;
		fputs(before, f);
		putentry(f, a);
		before = ", ";
	}
}

static void
putdelay(FILE *f, Proc *p, const Task *t)
{
	int64_t left = t->wait.sleeper.deadline_ns - p->now();

	fprintf(f, "taskdelay, %lld ms left",
		(long long)(left > 0 ? left / Millisecond : 0));
}

static void
putqlock(FILE *f, Proc *p, const Task *t)
{
	const QLock *l = t->wait.object.v;

	fputs("qlock", f);
	putowner(f, p, l->ownerid);
}

static void
putrwlock(FILE *f, Proc *p, const Task *t)
{
	const RWLock *l = t->wait.object.v;

	fputs(t->wait.why == WaitRlock ? "rlock" : "wlock", f);
	if(l->writer)
		putowner(f, p, l->writerid);
	else
		fprintf(f, " held by %d reader%s", l->readers,
			l->readers == 1 ? "" : "s");
}

static void
putreclock(FILE *f, Proc *p, const Task *t)
{
	const RecLock *l = t->wait.object.v;

	fputs("reclock", f);
	putowner(f, p, l->l.ownerid);
}

static void
putrendez(FILE *f, Proc *p, const Task *t)
{
	(void)p;
	fprintf(f, "tasksleep r %p", t->wait.object.v);
}

static void
putsem(FILE *f, Proc *p, const Task *t)
{
	(void)p;
	fprintf(f, "semacquire s %p", t->wait.object.v);
}

static void
putevent(FILE *f, Proc *p, const Task *t)
{
	(void)p;
	fprintf(f, "eventwait e %p", t->wait.object.v);
}

static void
putfd(FILE *f, Proc *p, const Task *t)
{
	(void)p;
	fprintf(f, "fdwait fd %d %c", t->wait.object.fd,
		t->wait.why == WaitRead ? 'r' : t->wait.why == WaitWrite ? 'w' : 'x');
}

static void
putpause(FILE *f, Proc *p, const Task *t)
{
	(void)p;
	fprintf(f, "netaccept fd %d, short of descriptors or memory",
		t->wait.object.fd);
}

static void
puttaskwait(FILE *f, Proc *p, const Task *t)
{
	fputs("taskwait", f);
	putone(f, p, t->wait.object.id);
}

static void
putgroup(FILE *f, Proc *p, const Task *t)
{
	unsigned int n = *(const unsigned int *)t->wait.object.v;

	(void)p;
	fprintf(f, "%s, %u %s alive", t->wait.why == WaitRoom ? "groupspawn" :
		"groupwait", n, n == 1 ? "child" : "children");
}

/* The one table of reasons. */
static void (*const put[WaitCount])(FILE *, Proc *, const Task *) = {
	[WaitDelay] = putdelay,
	[WaitSend] = putchan,
	[WaitRecv] = putchan,
	[WaitAlt] = putalt,
	[WaitQlock] = putqlock,
	[WaitRlock] = putrwlock,
	[WaitWlock] = putrwlock,
	[WaitReclock] = putreclock,
	[WaitRendez] = putrendez,
	[WaitSem] = putsem,
	[WaitEvent] = putevent,
	[WaitRead] = putfd,
	[WaitWrite] = putfd,
	[WaitExcept] = putfd,
	[WaitPause] = putpause,
	[WaitTask] = puttaskwait,
	[WaitEnd] = puttaskwait,
	[WaitGroup] = putgroup,
	[WaitRoom] = putgroup,
};

/* The columns of libtask, and then the reason. */
void
task_listline(FILE *f, Proc *p, const Task *t)
{
	const char *extra = t->wait.number ? "" : " (ready)";

	if(t == p->running)
		extra = " (running)";
	fprintf(f, "%6u%c %-20s %s%s", t->id, t->system ? 's' : ' ',
		task_name(t), task_state(t), extra);
	if(t->wait.number){
		fputs(*task_state(t) ? "  " : "", f);
		put[t->wait.why](f, p, t);
	}
	putc('\n', f);
}

/* One write if there is memory for it, so that lines of others stay apart. */
void
task_list(Proc *p)
{
	char *text = NULL;
	size_t n;
	int err = errno;
	FILE *f = open_memstream(&text, &n);
	FILE *out = f ? f : stderr;

	fputs("task list:\n", out);
	task_listline(out, p, &p->fdtask);
	for(const Task *t = p->all.head; t; t = t->younger)
		task_listline(out, p, t);
	if(f && fclose(f) == 0)
		fputs(text, stderr);
	free(text);
	errno = err;
}

/*
 * SIGQUIT.  The handler only asks: it sets signalled, ends the fdtask's wait,
 * and the fdtask prints.  If it is asked again before that happened, a task has
 * kept the thread all the while: then the handler names it, with what is safe
 * there.
 */

/*
 * Where the signal goes on to from a thread without a scheduler.  A slot is
 * free (0), being filled (1), or names a thread (2).  More schedulers than
 * slots work too, but are not asked from other threads.
 */
static struct
{
	atomic_int state;
	pthread_t thread;
} threads[64];

enum { Slots = sizeof threads / sizeof threads[0] };

static atomic_int asking;	/* handlers that look at the table */

static void
putsafe(const char *s)
{
	ssize_t ignored = write(2, s, strlen(s));

	(void)ignored;
}

static void
putnumber(unsigned int u)
{
	char buf[16], *s = buf + sizeof buf;

	*--s = '\0';
	do
		*--s = (char)('0' + u % 10);
	while((u /= 10) > 0);
	putsafe(s);
}

static void
puttask(const Task *t)
{
	putsafe("task ");
	putnumber(t->id);
	if(*task_name(t)){
		putsafe(" (");
		putsafe(task_name(t));
		putsafe(")");
	}
}

/* A new task's last store links it in, so the list can be walked forward. */
static void
listsafe(Proc *p)
{
	puttask(p->running);
	putsafe(" has not let others run since the last SIGQUIT\ntask list:\n");
	for(const Task *t = p->all.head; t; t = t->younger){
		putsafe("    ");
		puttask(t);
		putsafe(t == p->running ? " (running)\n" : "\n");
	}
}

static void
asked(int sig)
{
	int err = errno;
	Proc *p = task_proc;

	if(p){
		if(p->signalled)
			listsafe(p);
		p->signalled = 1;
		p->timeout = (struct timespec){0, 0};
	}else{
		atomic_fetch_add(&asking, 1);
		for(int i = 0; i < Slots; i++)
			if(atomic_load(&threads[i].state) == 2 &&
					!pthread_equal(threads[i].thread,
					pthread_self()))
				pthread_kill(threads[i].thread, sig);
		atomic_fetch_sub(&asking, 1);
	}
	errno = err;
}

/* Also when it was ignored, as it is in a shell's background jobs. */
static void
handle(int sig)
{
	struct sigaction sa;

	if(sigaction(sig, NULL, &sa) < 0 || (sa.sa_flags & SA_SIGINFO) ||
			(sa.sa_handler != SIG_DFL && sa.sa_handler != SIG_IGN))
		return;
	sa.sa_handler = asked;
	sa.sa_flags = SA_RESTART;
	sigemptyset(&sa.sa_mask);
	sigaction(sig, &sa, NULL);
}

void
task_listsignals(void)
{
	handle(SIGQUIT);
#ifdef SIGINFO
	handle(SIGINFO);
#endif
}

void
task_listbegin(Proc *p)
{
	int i = 0, empty = 0;

	while(i < Slots && !atomic_compare_exchange_strong(&threads[i].state,
			&empty, 1)){
		empty = 0;
		i++;
	}
	if(i < Slots){
		threads[i].thread = pthread_self();
		atomic_store(&threads[i].state, 2);
	}
	p->slot = i;
}

void
task_listend(Proc *p)
{
	if(p->slot == Slots)
		return;
	atomic_store(&threads[p->slot].state, 0);
	while(atomic_load(&asking))	/* this thread may end after us */
		sched_yield();
}
