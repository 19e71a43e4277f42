/* SPDX-License-Identifier: MIT */
/*
 * A server of several processes, which answers a line and closes:
 * prefork [port [workers [restarts]]].
 * Look at keep: a task of the first process for each worker, which it makes,
 * waits for, and makes anew if it has died, so often in all.  In the worker
 * this very task goes on, alone, with work.  The first process holds the
 * listeners too, so who waits in that of a worker that has crashed waits for
 * the next one.  Then look at listens, which accepts twice, and at serve: a
 * client that has been let in has its time, also when all is to end.
 */
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "listen.h"

enum
{
	Workers = 64,	/* at most */
	Restarts = 100,	/* of all of them, if nobody says how many */
	Patience = 5000,	/* ms for each client */
	Pause = 100	/* ms before a worker that has died is made again */
};

typedef struct Worker
{
	Child process;
	int listener;	/* its own: the kernel deals out the connections */
} Worker;

static Worker workers[Workers];
static int nworkers, nkept, restarts, stopping;
static Channel *ends;	/* gets SIGTERM and SIGINT; 0: no worker is left */

static void
serve(void *v)
{
	int fd = (int)(intptr_t)v;
	char line[256], answer[300];
	size_t n = 0;
	ssize_t r = 1;
	Timeout t;

	taskshield(Patience);
	TIMEOUT(&t, Patience){
		while(n < sizeof line && memchr(line, '\n', n) == NULL &&
				(r = fdread(fd, line + n, sizeof line - n)) > 0)
			n += (size_t)r;
		int size = snprintf(answer, sizeof answer, "%d: %.*s",
			(int)getpid(), (int)n, line);
		if(n > 0 && r > 0)
			fdwrite(fd, answer, (size_t)size);
	}
	fdclose(fd);
}

static void
acceptall(int listener)
{
	int fd;

	while((fd = netaccept(listener, NULL, NULL)) >= 0)
		if(taskcreate(serve, (void *)(intptr_t)fd, 0) < 0)
			fdclose(fd);
}

/* When it is cancelled it waits for no more, but takes those that are there. */
static void
listens(void *v)
{
	int listener = *(int *)v;

	acceptall(listener);
	acceptall(listener);
	fdclose(listener);
}

/* how is SIG_BLOCK: an end that is asked for meanwhile comes later. */
static void
holdends(int how)
{
	sigset_t both;

	sigemptyset(&both);
	sigaddset(&both, SIGTERM);
	sigaddset(&both, SIGINT);
	sigprocmask(how, &both, NULL);
}

/* In each worker anew, for there no signal is watched. */
static void
watchends(void)
{
	if(ends == NULL || signalwatch(SIGTERM, ends) < 0 ||
			signalwatch(SIGINT, ends) < 0){
		perror("signalwatch");
		taskexitall(1);
	}
}

/*
 * It has a group of its own, so that Ctrl-C comes to the first process only,
 * and is told when that is killed.  At the end whoever accepts goes first: all
 * whom it has made have begun by then.  One that is cancelled before would not,
 * and its client would be lost.
 */
static void
work(Worker *me)
{
	int sig;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	watchends();
	holdends(SIG_UNBLOCK);
	for(Worker *w = workers; w < workers + nworkers; w++)
		if(w != me)
			fdclose(w->listener);
	int id = taskcreate(listens, &me->listener, 0);
	chanrecv(ends, &sig);
	taskcancel(id);
	taskwait(id, NULL);
	taskshutdown();
}

/* returns -1 if there is no worker: one that cannot be waited for is none. */
static int
employ(Worker *w, int pid)
{
	if(pid > 0 && childadopt(&w->process, pid) == 0)
		return 0;
	perror("prefork");
	if(pid > 0 && kill(pid, SIGKILL) == 0)
		waitpid(pid, NULL, 0);
	return -1;
}

static void
sayended(const Worker *w, int status)
{
	int signalled = WIFSIGNALED(status);

	printf("worker %d, process %d, %s %d\n", (int)(w - workers) + 1,
		w->process.pid, signalled ? "died of signal" :
		"ended with status", signalled ? WTERMSIG(status) :
		WEXITSTATUS(status));
	if(restarts < 0)
		puts("too many have died");
	fflush(stdout);
}

/* The worker's own is the last then, or nobody accepts there any more. */
static void
closelistener(Worker *w)
{
	if(w->listener >= 0)
		fdclose(w->listener);
	w->listener = -1;
}

/* waits for the worker; returns whether it is to be made again. */
static int
hasdied(Worker *w)
{
	int status;

	if(childwait(&w->process, &status) < 0)
		return 1;
	int again = status != 0 && !stopping && --restarts >= 0;
	if(!again)
		closelistener(w);
	if(!stopping)
		sayended(w, status);
	return again;
}

static void
keep(void *v)
{
	Worker *w = v;
	int pid, again = 1;

	while(again && !stopping){
		holdends(SIG_BLOCK);	/* until the worker watches, too */
		pid = taskfork();
		if(pid == 0){
			work(w);
			return;	/* with its last task the worker ends */
		}
		holdends(SIG_UNBLOCK);
		again = employ(w, pid) < 0 || hasdied(w);
		if(again)
			taskdelay(Pause);
	}
	if(--nkept == 0 || restarts < 0)
		channbsend(ends, &(int){0});
}

void
taskmain(int argc, char **argv)
{
	int port = portnumber(argv[1]), sig;
	Group keepers = {.limit = 0};

	nworkers = argc > 2 ? numberof(argv[2], 1, Workers) : proccpus();
	if(nworkers > Workers)
		nworkers = Workers;
	restarts = argc > 3 ? numberof(argv[3], 0, 1000000) : Restarts;
	for(int i = 0; i < nworkers; i++)
		workers[i].listener = listenat(TCP | NETSHARED, &port);
	saylistening(port);
	ends = chancreate(sizeof(int), 1);
	watchends();
	for(int i = 0; i < nworkers; i++)
		nkept += groupspawn(&keepers, keep, &workers[i], 0) > 0;
	chanrecv(ends, &sig);
	stopping = 1;
	for(int i = 0; i < nworkers; i++){
		closelistener(&workers[i]);
		childkill(&workers[i].process, SIGTERM);
	}
	groupwait(&keepers);
	taskexitall(restarts < 0);
}
