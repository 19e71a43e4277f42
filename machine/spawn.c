/* SPDX-License-Identifier: MIT */
/* Makes a process that executes a program, and learns of its end. */
#include "spawn.h"
#include "machine.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The child runs in this process's memory until it executes, so its cost does
 * not grow with that memory; its caller stands still meanwhile.  posix_spawn
 * does the same, but lacks two things: it cannot have a signal ignored, and it
 * says nothing of the errno under emulators, which make a fork(2) of it.
 *
 * In the child only system calls are made, by their numbers: sanitizers take
 * libc's for this process's own, and would note that its handlers and
 * descriptors have changed.  For the same reason this file is not sanitized.
 */

enum
{
	ClonePidfd = 0x1000,	/* Linux 5.2 */
	WaitPidfd = 3,	/* the idtype_t: Linux 5.4 */
	KernelSigset = NSIG / 8,	/* bytes */
	CoreFlag = 0x80,	/* in a status: WCOREDUMP */
	SpawnStack = 32 * 1024	/* and a pointer for each argument */
};

/* libc's clone(2), also where a sanitizer has one of that name itself. */
int __clone(int (*fn)(void *), void *top, int flags, void *arg, ...)
	__attribute__((weak));

/* The kernel's, whatever else is in it: what comes first is the handler. */
typedef union Action
{
	void (*handler)(int);
	unsigned long words[16];
} Action;

/* sets all signals to what the program is to begin with; then no more wait. */
static void
freshsignals(const Spawn *s)
{
	Action a;

	for(int sig = 1; sig < NSIG; sig++){
		int ignored = sigismember(&s->ignored, sig) == 1;
		if(syscall(SYS_rt_sigaction, sig, NULL, &a, KernelSigset) < 0 ||
				a.handler == SIG_IGN ||
				(a.handler == SIG_DFL && !ignored))
			continue;
		memset(&a, 0, sizeof a);
		a.handler = ignored ? SIG_IGN : SIG_DFL;
		syscall(SYS_rt_sigaction, sig, &a, NULL, KernelSigset);
	}
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &s->mask, NULL, KernelSigset);
}

/* Those that another one is put in the place of are moved out of the way. */
static int
placefds(const Spawn *s)
{
	int from[3];

	for(int i = 0; i < 3; i++){
		from[i] = s->fd[i];
		if(from[i] >= 0 && from[i] < 3 && from[i] != i)
			from[i] = (int)syscall(SYS_fcntl, from[i],
				F_DUPFD_CLOEXEC, 3);
		if(s->fd[i] >= 0 && from[i] < 0)
			return -1;
	}
	for(int i = 0; i < 3; i++)
		if(from[i] >= 0 && (from[i] == i ?
				syscall(SYS_fcntl, i, F_SETFD, 0) :
				syscall(SYS_dup3, from[i], i, 0)) < 0)
			return -1;
	return 0;
}

static int
childmain(void *v)
{
	Spawn *s = v;

	s->ran = 1;
	if((s->group == 0 || syscall(SYS_setpgid, 0, 0) == 0) &&
			placefds(s) == 0 &&
			(s->dir == NULL || syscall(SYS_chdir, s->dir) == 0)){
		freshsignals(s);
		execvpe(s->argv[0], s->argv, s->env);
	}
	s->err = errno;
	int err = s->err;
	syscall(SYS_write, s->tell[1], &err, sizeof err);
	syscall(SYS_exit_group, 127);
	return 0;
}

/* Where CLONE_PIDFD is unknown it is ignored, or refused. */
static int
cloned(Spawn *s, void *top)
{
	int (*make)(int (*)(void *), void *, int, void *, ...) =
		__clone ? __clone : clone;
	int flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
	int pid = make(childmain, top, flags | ClonePidfd, s, &s->pidfd);

	return pid < 0 && errno == EINVAL ? make(childmain, top, flags, s) :
		pid;
}

/* Meanwhile no handler may run: in the child it would be in our memory. */
static int
cloneblocked(Spawn *s, void *top)
{
	unsigned long every[16], mask[16];

	memset(every, 0xff, sizeof every);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, every, mask, KernelSigset);
	s->pid = cloned(s, top);
	int err = errno;
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, mask, NULL, KernelSigset);
	errno = err;
	return s->pid;
}

/* Of a child that is to be none, or has said that it cannot be one. */
static void
reap(const Spawn *s)
{
	siginfo_t info;

	kill(s->pid, SIGKILL);
	while(waitid(P_PID, (id_t)s->pid, &info, WEXITED) < 0 && errno == EINTR)
		;
	if(s->pidfd >= 0)
		close(s->pidfd);
}

/* returns what the child has told of itself, once it has executed. */
static int
hearchild(const Spawn *s)
{
	int err = 0;

	if(s->ran)
		return s->err;
	return task_sys.read(s->tell[0], &err, sizeof err) > 0 ? err : 0;
}

static int
awaitexec(Spawn *s)
{
	int err = hearchild(s);

	if(err == 0 && s->pidfd < 0 && (s->pidfd = (int)syscall(
			SYS_pidfd_open, s->pid, 0)) < 0)
		err = errno;
	if(err == 0)
		return 0;
	reap(s);
	return task_fail(err);
}

static int
spawnon(Spawn *s, char *stack, size_t bytes)
{
	int err = errno;

	s->pidfd = -1;
	s->ran = s->err = 0;
	if(pipe2(s->tell, O_CLOEXEC) < 0)
		return -1;
	int r = cloneblocked(s, stack + bytes);
	int failed = errno;
	close(s->tell[1]);
	errno = failed;
	if(r >= 0)
		r = awaitexec(s);
	failed = errno;
	close(s->tell[0]);
	errno = r < 0 ? failed : err;
	return r;
}

int
task_spawn(void *v)
{
	Spawn *s = v;
	size_t narg = 0;

	while(s->argv[narg])
		narg++;
	/* libc copies the arguments, if the program is a script without #! */
	size_t bytes = (SpawnStack + narg * sizeof(char *) + 4095) &
		~(size_t)4095;
	char *stack = task_sys.map(bytes);
	if(stack == NULL)
		return -1;
	int r = spawnon(s, stack, bytes);
	int err = errno;
	task_sys.unmap(stack, bytes);
	errno = err;
	return r;
}

int
task_spawnpipe(int i, int *ours)
{
	int fd[2], mine = i == 0;

	if(pipe2(fd, O_CLOEXEC) < 0)
		return -1;
	fcntl(fd[mine], F_SETFL, O_NONBLOCK | (mine ? O_WRONLY : O_RDONLY));
	*ours = fd[mine];
	return fd[!mine];
}

int
task_spawnnull(void)
{
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

int
task_spawnended(int pidfd, int *status)
{
	siginfo_t info = {.si_pid = 0};
	int r;

	do
		r = waitid((idtype_t)WaitPidfd, (id_t)pidfd, &info,
			WEXITED | WNOHANG);
	while(r < 0 && errno == EINTR);
	if(r < 0 || info.si_pid == 0)
		return r;
	if(info.si_code == CLD_EXITED)
		*status = (info.si_status & 0xff) << 8;
	else
		*status = info.si_status |
			(info.si_code == CLD_DUMPED ? CoreFlag : 0);
	return 1;
}

int
task_spawnopen(int pid)
{
	siginfo_t info;

	if(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return -1;
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

int
task_spawnkill(int pid, int pidfd, int group, int sig)
{
	int err = errno;

	if(group)
		return kill(-pid, sig);
	if(syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) == 0)
		return 0;
	if(errno != ENOSYS)
		return -1;
	errno = err;
	return kill(pid, sig);	/* Valgrind does not know it */
}
