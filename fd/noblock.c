/* SPDX-License-Identifier: MIT */
/* fdnoblock, by which a program shows a descriptor to the library. */
#include "fd.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/*
 * The open files of 0 to 2 are the shell's too.  So what is non-blocking only
 * since fdnoblock was called is blocking again at exit: in the process that
 * called it, and if the number stands for that file still.  pid is 0 where
 * nothing is to be done.  The fields are atomic, for any thread may write them.
 */
static struct
{
	atomic_int pid;
	atomic_int mode;	/* the two ends of a pipe differ in it only */
	_Atomic dev_t device;
	_Atomic ino_t inode;
} unblocked[3];

enum { Standard = sizeof unblocked / sizeof unblocked[0] };

/* returns whether fdnoblock(i) has made this file non-blocking. */
static int
isours(int i, const Fileid *id, int flags)
{
	return unblocked[i].pid == task_sys.pid() &&
		unblocked[i].mode == (flags & O_ACCMODE) &&
		unblocked[i].device == id->device &&
		unblocked[i].inode == id->inode;
}

static void
restore(void)
{
	Fileid id;

	for(int fd = 0; fd < Standard; fd++){
		int flags = task_sys.getfl(fd);
		if(task_sys.fileid(fd, &id) == 0 && isours(fd, &id, flags))
			task_sys.setfl(fd, flags & ~O_NONBLOCK);
	}
}

static void
restoreatexit(void)
{
	atexit(restore);
}

/*
 * notes that fd is made non-blocking.  If it is so already, that may be by a
 * call on another number of the same file, which may be closed before exit.
 */
static void
remember(int fd, int flags)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int ours = !(flags & O_NONBLOCK), err = errno;
	Fileid id;

	if(task_sys.fileid(fd, &id) < 0)
		return;
	for(int i = 0; i < Standard && !ours; i++)
		ours = isours(i, &id, flags);
	if(!ours)
		return;
	unblocked[fd].mode = flags & O_ACCMODE;
	unblocked[fd].device = id.device;
	unblocked[fd].inode = id.inode;
	unblocked[fd].pid = task_sys.pid();
	pthread_once(&once, restoreatexit);
	errno = err;
}

int
fdnoblock(int fd)
{
	if(task_proc)
		task_fddoubt(task_proc->fds, fd);
	int flags = task_sys.getfl(fd);
	if(flags < 0)
		return -1;
	if(fd < Standard)
		remember(fd, flags);
	return flags & O_NONBLOCK ? 0 : task_sys.setfl(fd, flags | O_NONBLOCK);
}
