/* SPDX-License-Identifier: MIT */
/*
 * A server of several processes, which answers a line and closes:
 * prefork [port [workers]].
 * Look at keep: a task of the first process for each worker, which it makes,
 * waits for, and makes anew.  In the worker this very task goes on, alone, with
 * work.  The first process holds the listeners too, so who waits in that of a
 * worker that has crashed waits for the next one.  Then look at listens, which
 * accepts twice, and at serve: a client that has been let in has its time, also
 * when all is to end.
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
	Patience = 5000,	/* ms for each client */
	Pause = 100	/* ms before a worker that has died is made again */
};

typedef struct Worker
{
	Child process;
	int listener;	/* its own: the kernel deals out the connections */
} Worker;

static Worker workers[Workers];
static int nworkers, stopping;
static Channel *ends;	/* gets SIGTERM and SIGINT */

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
	if(WIFSIGNALED(status))
		printf("worker %d died of signal %d\n", w->process.pid,
			WTERMSIG(status));
	else
		printf("worker %d ended with status %d\n", w->process.pid,
			WEXITSTATUS(status));
	fflush(stdout);
}

static void
keep(void *v)
{
	Worker *w = v;
	int pid, status;

	while(!stopping){
		holdends(SIG_BLOCK);	/* until the worker watches, too */
		pid = taskfork();
		if(pid == 0){
			work(w);
			return;	/* with its last task the worker ends */
		}
		holdends(SIG_UNBLOCK);
		if(employ(w, pid) == 0 &&
				childwait(&w->process, &status) == 0 &&
				!stopping)
			sayended(w, status);
		if(!stopping)
			taskdelay(Pause);
	}
}

void
taskmain(int argc, char **argv)
{
	int port = argc > 1 ? atoi(argv[1]) : 0, sig;
	Group keepers = {.limit = 0};

	nworkers = argc > 2 ? atoi(argv[2]) : proccpus();
	nworkers = nworkers < 1 ? 1 : nworkers < Workers ? nworkers : Workers;
	for(int i = 0; i < nworkers; i++)
		workers[i].listener = listenat(TCP | NETSHARED, &port);
	saylistening(port);
	ends = chancreate(sizeof(int), 1);
	watchends();
	for(int i = 0; i < nworkers; i++)
		groupspawn(&keepers, keep, &workers[i], 0);
	chanrecv(ends, &sig);
	stopping = 1;
	for(int i = 0; i < nworkers; i++){
		fdclose(workers[i].listener);	/* the worker's is the last */
		childkill(&workers[i].process, SIGTERM);
	}
	groupwait(&keepers);
}
