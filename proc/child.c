/* SPDX-License-Identifier: MIT */
/* Children: programs that run beside this one. */
#include "proc.h"
#include "../fd/fd.h"
#include "../machine/spawn.h"
#include "../task/newnames.h"
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

static void
closethree(const int *fd)
{
	int err = errno;

	for(int i = 0; i < 3; i++)
		if(fd[i] >= 0)
			task_sys.close(fd[i]);
	errno = err;
}

/*
 * opens what is to be made for descriptor i: theirs is closed when the child
 * has it, ours is the program's.
 */
static int
openend(int what, int i, int *theirs, int *ours)
{
	if(what == CHILDPIPE)
		*theirs = task_spawnpipe(i, ours);
	else if(what == CHILDNULL)
		*theirs = task_spawnnull();
	else
		return 0;
	return *theirs < 0 ? -1 : 0;
}

static int
openends(const Child *c, int *theirs, int *ours)
{
	for(int i = 0; i < 3; i++)
		theirs[i] = ours[i] = -1;
	for(int i = 0; i < 3; i++)
		if(openend(c->fd[i], i, &theirs[i], &ours[i]) < 0){
			closethree(theirs);
			closethree(ours);
			return -1;
		}
	return 0;
}

/* The child begins with what the signals were before this library came. */
static Spawn
describe(const Child *c, char *const argv[], const int *theirs)
{
	Spawn s = {.argv = argv, .env = c->env ? c->env : environ,
		.dir = c->dir, .group = c->group};

	for(int i = 0; i < 3; i++)
		s.fd[i] = c->fd[i] > 0 ? c->fd[i] : theirs[i];
	pthread_sigmask(SIG_SETMASK, NULL, &s.mask);
	sigemptyset(&s.ignored);
	task_watchignored(&s.ignored);
	return s;
}

/* c->fd, pid and pidfd are the program's from now on. */
static void
givechild(Fdtable *table, Child *c, const Spawn *s, const int *ours)
{
	for(int i = 0; i < 3; i++)
		if(ours[i] >= 0){
			c->fd[i] = ours[i];
			task_fdforget(table, ours[i]);
		}
	c->pid = s->pid;
	c->pidfd = s->pidfd;
	task_fdforget(table, s->pidfd);
}

static int
wrongchild(const Child *c, char *const argv[])
{
	for(int i = 0; i < 3; i++)
		if(c->fd[i] < 0 && c->fd[i] != CHILDPIPE &&
				c->fd[i] != CHILDNULL)
			return 1;
	return argv == NULL || argv[0] == NULL;
}

int
childspawn(Child *c, char *const argv[])
{
	Proc *p = task_caller(c);
	int theirs[3], ours[3];

	if(p == NULL)
		return -1;
	if(wrongchild(c, argv))
		return task_fail(EINVAL);
	if(openends(c, theirs, ours) < 0)
		return -1;
	Spawn s = describe(c, argv, theirs);
	int r = task_offload(task_spawn, &s);
	closethree(theirs);
	if(r < 0)
		closethree(ours);
	else
		givechild(p->fds, c, &s, ours);
	return r;
}

int
childadopt(Child *c, int pid)
{
	Proc *p = task_caller(c);
	int err = errno;

	if(p == NULL)
		return -1;
	int fd = pid > 0 ? task_spawnopen(pid) : task_fail(EINVAL);
	if(fd < 0)
		return -1;
	task_fdforget(p->fds, fd);
	c->pid = pid;
	c->pidfd = fd;
	errno = err;
	return 0;
}

/* Whether c is a child that has not been waited for. */
static int
isspawned(const Child *c)
{
	return c->pid > 0 && c->pidfd >= 0;
}

/*
 * Another task may wait for the child too, and come first: then fd is another
 * file or none, and c may be gone.
 */
int
childwait(Child *c, int *status)
{
	Proc *p = task_caller(c);
	Meant m = AnyFile;
	int ended, how = 0, err = errno;

	if(p == NULL)
		return -1;
	if(!isspawned(c))
		return task_fail(ECHILD);
	int fd = c->pidfd;
	task_fdstill(p->fds, fd, &m);
	while((ended = task_spawnended(fd, &how)) == 0)
		if(task_fdwaiton(fd, 'r', &m) < 0)
			return errno == EBADF ? task_fail(ECHILD) : -1;
	if(ended < 0 && errno != ECHILD)
		return -1;
	c->pidfd = -1;
	task_fdclose(fd);
	if(ended < 0)
		return task_fail(ECHILD);
	if(status)
		*status = how;
	errno = err;
	task_fdshare(p);
	return 0;
}

int
childkill(Child *c, int sig)
{
	if(task_caller(c) == NULL)
		return -1;
	if(!isspawned(c))
		return task_fail(ESRCH);
	return task_spawnkill(c->pid, c->pidfd, c->group, sig);
}
