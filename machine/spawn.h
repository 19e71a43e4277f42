/* SPDX-License-Identifier: MIT */
/* Makes a process that executes a program. */
#ifndef TASK_SPAWN_H
#define TASK_SPAWN_H

#include <signal.h>

#pragma GCC visibility push(hidden)

typedef struct Spawn
{
	char *const *argv;
	char *const *env;
	const char *dir;	/* NULL: this process's */
	int fd[3];	/* what become its 0, 1, 2; -1: it inherits that one */
	int group;	/* it gets a process group of its own */
	sigset_t mask;	/* of signals that are blocked in it */
	sigset_t ignored;	/* and of some that are ignored */

	int pid;	/* what is made */
	int pidfd;	/* close-on-exec */

	/* between the two processes */
	volatile int ran;	/* the child has: it shares this memory */
	volatile int err;	/* the errno of what failed there, or 0 */
	int tell[2];	/* a pipe for err, if it does not share memory */
} Spawn;

/*
 * makes the process that the Spawn s describes, and stops the thread until that
 * has executed argv[0], which is looked for along the PATH.
 * Returns 0; -1 and errno: then there is no such process, nor was one.
 */
int task_spawn(void *s);

/*
 * task_spawnpipe makes a pipe for a child's descriptor i: returns the child's
 * end, and ours, non-blocking, in *ours; task_spawnnull opens /dev/null.  Both
 * are close-on-exec.  -1 and errno.
 */
int task_spawnpipe(int i, int *ours);
int task_spawnnull(void);

/*
 * returns 1 and its status, as waitpid's, if the child has ended; it is not a
 * zombie any more then.  0 if it has not; -1 with ECHILD.
 */
int task_spawnended(int pidfd, int *status);

/*
 * returns a descriptor, close-on-exec, of a child that was not waited for; -1
 * and errno: ECHILD, if it is none.
 */
int task_spawnopen(int pid);

/* sends sig to the child, or to its group. */
int task_spawnkill(int pid, int pidfd, int group, int sig);

#pragma GCC visibility pop
#endif
